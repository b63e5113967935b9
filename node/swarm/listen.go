package swarm

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"coral/node/swarm/meter"
)

const (
	// sniffWithin bounds the wait for a connection's first bytes.
	sniffWithin = 5 * time.Second
	// sniffLen tells an HTTP request from an encrypted handshake, whose first
	// bytes are random.
	sniffLen = 4
)

// inbound is an accepted connection on its way through the library. The library
// hands RemoteAddr back, which leads to the connection again.
type inbound struct {
	*meter.Conn
	addr   netip.AddrPort
	stream *stream // set before the library has it
}

func (i *inbound) RemoteAddr() net.Addr { return inboundAddr{i} }

type inboundAddr struct{ i *inbound }

func (inboundAddr) Network() string            { return "tcp" }
func (a inboundAddr) String() string           { return a.i.addr.String() }
func (a inboundAddr) AddrPort() netip.AddrPort { return a.i.addr }

// listener accepts connections, decides whether to take them, and hands peers to
// the library and HTTP requests to the tracker.
type listener struct {
	c     *Client
	tcp   *net.TCPListener
	peers chan net.Conn
	web   chan net.Conn
	done  chan struct{}
	once  sync.Once

	mu      sync.Mutex
	waiting map[*meter.Conn]struct{} // not handed on yet
	shaking []*inbound               // not through the handshakes yet, in the order of arrival
}

func (c *Client) listen(addr string) (*listener, error) {
	if addr == "" {
		addr = ":0"
	}
	if host, port, err := net.SplitHostPort(addr); err == nil && host == "" && c.cfg.Bind.IsValid() {
		addr = net.JoinHostPort(c.cfg.Bind.String(), port)
	}
	lc := net.ListenConfig{KeepAlive: -1}
	ln, err := lc.Listen(context.Background(), "tcp", addr)
	if err != nil {
		return nil, err
	}
	return &listener{
		c: c, tcp: ln.(*net.TCPListener), peers: make(chan net.Conn), web: make(chan net.Conn),
		done: make(chan struct{}), waiting: make(map[*meter.Conn]struct{}),
	}, nil
}

// Accept gives the library its next peer.
func (l *listener) Accept() (net.Conn, error) {
	select {
	case nc := <-l.peers:
		return nc, nil
	case <-l.done:
		// The library looks whether it is closed only after an Accept, and spins
		// on errors until it is.
		<-l.c.lib.Closed()
		return nil, net.ErrClosed
	}
}

// Addr has the real port, which the library tells to peers.
func (l *listener) Addr() net.Addr { return l.tcp.Addr() }

func (l *listener) Close() error {
	err := l.tcp.Close()
	l.once.Do(func() { close(l.done) })
	l.closeIdle()
	return err
}

// closeIdle closes what has not got as far as a handshake.
func (l *listener) closeIdle() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for conn := range l.waiting {
		go conn.Close()
	}
}

// serve accepts until the listener is closed.
func (l *listener) serve(ctx context.Context) {
	var children sync.WaitGroup
	defer children.Wait()
	for {
		tcp, err := l.tcp.AcceptTCP()
		if err != nil {
			if errors.Is(err, net.ErrClosed) || ctx.Err() != nil {
				return
			}
			// Out of file descriptors, most likely: let some be closed.
			select {
			case <-time.After(50 * time.Millisecond):
			case <-ctx.Done():
			}
			continue
		}
		addr := tcp.RemoteAddr().(*net.TCPAddr).AddrPort()
		addr = netip.AddrPortFrom(addr.Addr().Unmap(), addr.Port())
		if !l.admits(addr) {
			_ = tcp.SetLinger(0)
			tcp.Close()
			continue
		}
		children.Go(func() { l.sort(tcp, addr) })
	}
}

// admits decides on a connection by its address alone.
func (l *listener) admits(addr netip.AddrPort) bool {
	c := l.c
	c.mu.Lock()
	idle := len(c.swarms) == 0
	c.mu.Unlock()
	if idle || !c.sharing() || c.bans.address(addr, time.Now()) {
		return false
	}
	return !c.blocked(addr.Addr())
}

// begin counts in as shaking hands. Beyond maxHandshaking the oldest of the
// network that has most of them makes room: who only opens connections, however
// many and slowly, keeps nobody out.
func (l *listener) begin(in *inbound) {
	l.mu.Lock()
	l.shaking = append(l.shaking, in)
	var crowded *inbound
	if len(l.shaking) > maxHandshaking {
		crowded = oldestOfMost(l.shaking)
	}
	l.mu.Unlock()
	if crowded != nil {
		crowded.Close() // which settles it
	}
}

func oldestOfMost(all []*inbound) *inbound {
	n := make(map[netip.Prefix]int)
	most := 0
	for _, in := range all {
		p := household(in.addr.Addr())
		n[p]++
		most = max(most, n[p])
	}
	i := slices.IndexFunc(all, func(in *inbound) bool { return n[household(in.addr.Addr())] == most })
	return all[i]
}

// sort reads the first bytes and passes the connection on.
func (l *listener) sort(tcp *net.TCPConn, addr netip.AddrPort) {
	conn := l.c.meter.Wrap(tcp, meter.Peers)
	in := &inbound{Conn: conn, addr: addr}
	l.begin(in)
	conn.OnClose(func() { l.settled(in) })
	l.mu.Lock()
	l.waiting[conn] = struct{}{}
	l.mu.Unlock()
	defer func() {
		l.mu.Lock()
		delete(l.waiting, conn)
		l.mu.Unlock()
	}()
	head := make([]byte, sniffLen)
	_ = conn.SetReadDeadline(time.Now().Add(sniffWithin))
	_, err := io.ReadFull(conn, head)
	if err != nil {
		conn.Close()
		return
	}
	_ = conn.SetReadDeadline(time.Time{})
	conn.Unread(head)
	to, nc := l.peers, net.Conn(in)
	switch {
	case string(head) == "\x13Bit":
		err = errNotTaken // a handshake in the clear
	case string(head) == "GET ":
		// Not counted by network, since a school announces from one address; it has
		// its place among those that shake hands until it is answered.
		if to = l.web; l.c.tracker == nil {
			err = errNotTaken
		}
	case !l.c.nets.enter(addr.Addr(), maxPerNet):
		err = errNotTaken
	default:
		conn.OnClose(func() {
			l.settled(in)
			l.c.nets.leave(addr.Addr())
		})
		in.stream, err = l.c.encrypt(conn, in, nil)
		nc = in.stream
	}
	if err != nil {
		conn.Close()
		return
	}
	select {
	case to <- nc:
	case <-l.done:
		conn.Close()
	}
}

var errNotTaken = errors.New("neither a peer nor for us")

// settled takes a connection out of those still shaking hands.
func (l *listener) settled(in *inbound) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if i := slices.Index(l.shaking, in); i >= 0 {
		l.shaking = slices.Delete(l.shaking, i, i+1)
	}
}
