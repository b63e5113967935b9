package swarm

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/anacrolix/torrent"
)

// attempt is one dial that the book has decided on. It goes through the library
// as the address of a torrent.PeerInfo and comes back as PeerConn.RemoteAddr,
// which is how a connection finds its swarm's bookkeeping again.
type attempt struct {
	s    *Swarm
	addr netip.AddrPort
	text string

	// owned by mu
	mu     sync.Mutex
	stream *stream
	taken  bool // Dial has been called for it
	over   bool // the book knows the outcome
}

func (a *attempt) Network() string          { return "tcp" }
func (a *attempt) String() string           { return a.text }
func (a *attempt) AddrPort() netip.AddrPort { return a.addr }

// finish tells the book the outcome, once.
func (a *attempt) finish(ok bool) {
	a.mu.Lock()
	was := a.over
	a.over = true
	a.mu.Unlock()
	if was {
		return
	}
	c := a.s.c
	c.mu.Lock()
	if c.dials[a.text] == a {
		delete(c.dials, a.text)
	}
	c.mu.Unlock()
	a.s.mu.Lock()
	a.s.book.done(a.addr, ok, time.Now())
	a.s.mu.Unlock()
	if !ok {
		a.s.kick()
	}
}

// attemptWithin bounds an attempt as a whole, for the case that the library
// never takes it up: it has its own limits on half-open connections.
const attemptWithin = dialWithin + 2*handshakeWithin + 2*time.Second

// start hands the attempt to the library, which will call Dial.
func (a *attempt) start() {
	c := a.s.c
	c.mu.Lock()
	if other := c.dials[a.text]; other != nil || c.closed {
		c.mu.Unlock()
		a.finish(false) // another channel's swarm is dialing there just now
		return
	}
	c.dials[a.text] = a
	c.mu.Unlock()
	time.AfterFunc(attemptWithin, func() { a.finish(false) })
	a.s.t.AddPeers([]torrent.PeerInfo{{Addr: a, Source: torrent.PeerSourceDirect, Trusted: true}})
}

var errNotOurs = errors.New("dial: not asked for by the address book")

// dialer is the library's only way out. It dials what the book has decided on
// and nothing else.
type dialer struct{ c *Client }

func (dialer) DialerNetwork() string { return "tcp" }

func (d dialer) Dial(ctx context.Context, addr string) (net.Conn, error) {
	d.c.mu.Lock()
	a := d.c.dials[addr]
	d.c.mu.Unlock()
	if a == nil {
		return nil, errNotOurs
	}
	a.mu.Lock()
	again := a.taken || a.over
	a.taken = true
	a.mu.Unlock()
	if again {
		return nil, errNotOurs
	}
	if d.c.blocked(a.addr.Addr()) { // it may have come into the book before it was
		a.finish(false)
		return nil, errNotOurs
	}
	// Who leaves the swarm does not wait for the end of handshakes.
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(a.s.ctx, cancel)()
	conn, err := d.c.meter.DialPeer(ctx, "tcp", addr, nil)
	if err != nil {
		a.finish(false)
		return nil, err
	}
	a.mu.Lock()
	late := a.over
	a.mu.Unlock()
	if late || !d.c.nets.enter(a.addr.Addr(), maxPerNet) {
		conn.Close()
		a.finish(false)
		return nil, errNotOurs
	}
	left := context.AfterFunc(a.s.ctx, conn.Abort)
	conn.OnClose(func() {
		left()
		d.c.nets.leave(a.addr.Addr())
		a.finish(false) // no news if the handshakes had succeeded
	})
	s, err := d.c.encrypt(conn, conn, a.s)
	if err != nil {
		conn.Close()
		return nil, err
	}
	a.mu.Lock()
	a.stream = s
	a.mu.Unlock()
	return s, nil
}
