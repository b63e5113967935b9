package swarm

import (
	"crypto/hmac"
	"crypto/rand"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/anacrolix/torrent"

	"coral/node/swarm/meter"
	"coral/node/swarm/wire"
	"coral/store/segment"
)

const (
	// frameOverhead is what BitTorrent puts around an extension message: length,
	// message type, extension number.
	frameOverhead = 6
	// batchBytes is how much control goes to the library at once.
	batchBytes = 16 << 10
	// maxControl bounds control messages waiting for one peer. A window of feed
	// records is the largest honest amount; a peer that does not take it in time
	// is of no use.
	maxControl = 2 << 20
	// maxBlocks bounds blocks waiting for one peer; the scheduler keeps it near one.
	maxBlocks = 64
	// stallAfter is how long the kernel may refuse to take anything for a peer.
	stallAfter = 20 * time.Second
	// controlRate and controlBurst bound control messages from a peer, and every
	// block exchanged with it allows controlPerBlock more: a request, its cancel
	// and some announcements. So an honest peer is bounded by its bandwidth only.
	controlRate     = 500 // per second
	controlBurst    = 4000
	controlPerBlock = 8
)

// peer is one connection, from the library's PeerConnAdded to its end.
type peer struct {
	s       *Swarm
	pc      *torrent.PeerConn
	conn    *meter.Conn
	ident   [20]byte
	addr    netip.AddrPort
	inbound bool
	since   time.Time
	nonce   [16]byte
	wake    chan struct{}

	exchanged atomic.Int64 // blocks, either way, since the reading goroutine looked

	// owned by Swarm.mu
	id     PeerID           // 0 until it joins
	coral  bool             // speaks our extension: run runs
	gone   bool             // removed
	listen []netip.AddrPort // addresses in the book that this connection occupies
	told   int              // the version of Swarm.watching that it has
	pinged time.Time
	silent int           // pings since a byte was last heard
	rtt    time.Duration // smoothed; 0: not measured

	// owned by the library's reading goroutine, under its lock
	opener *sealer
	tokens float64
	at     time.Time
	pexAt  time.Time

	// owned by mu
	mu        sync.Mutex
	control   [][]byte
	waiting   int // bytes in control
	blocks    []outBlock
	busy      bool        // run has something in hand
	greeted   bool        // our hello is the next thing sent, or was sent
	hello     *wire.Hello // what it said
	sealer    *sealer     // private channels, once both nonces are known
}

// frames are buffers for one encoded block, with room for a seal's tag.
var frames = sync.Pool{New: func() any {
	b := make([]byte, 0, segment.BlockSize+64)
	return &b
}}

type outBlock struct {
	m      *wire.Block
	cookie uint64
}

func newPeer(s *Swarm, pc *torrent.PeerConn, conn *meter.Conn, addr netip.AddrPort, inbound bool, now time.Time) *peer {
	p := &peer{
		s: s, pc: pc, conn: conn, ident: pc.PeerID, addr: addr, inbound: inbound,
		since: now, at: now, tokens: controlBurst, wake: make(chan struct{}, 1),
	}
	_, _ = rand.Read(p.nonce[:]) // never fails
	return p
}

// send queues a control message. It reports false if the peer takes too little.
func (p *peer) send(m wire.Message) bool {
	// A sealed message grows by its tag.
	frame := wire.Append(make([]byte, 0, 64), m)
	p.mu.Lock()
	ok := p.waiting+len(frame) <= maxControl
	if ok {
		p.control = append(p.control, frame)
		p.waiting += len(frame)
	}
	p.mu.Unlock()
	p.prod()
	return ok
}

func (p *peer) sendBlock(m *wire.Block, cookie uint64) bool {
	p.mu.Lock()
	ok := len(p.blocks) < maxBlocks
	if ok {
		p.blocks = append(p.blocks, outBlock{m, cookie})
	}
	p.mu.Unlock()
	p.prod()
	return ok
}

func (p *peer) prod() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// next takes a batch of control messages or, if there are none, one block.
func (p *peer) next() (control [][]byte, block *outBlock) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.busy = false
	if len(p.control) > 0 {
		n, size := 0, 0
		for n < len(p.control) && (n == 0 || size+len(p.control[n]) <= batchBytes) {
			size += len(p.control[n])
			n++
		}
		control = slices.Clone(p.control[:n])
		p.control = slices.Delete(p.control, 0, n)
		p.waiting -= size
		p.busy = true
		return control, nil
	}
	if len(p.blocks) > 0 {
		b := p.blocks[0]
		p.blocks = slices.Delete(p.blocks, 0, 1)
		p.busy = true
		return nil, &b
	}
	return nil, nil
}

// run says hello, then sends what is queued until the connection ends. The peer
// is announced before the hello is out: once it is, the peer may speak.
func (p *peer) run() {
	m, version := p.s.helloFor(p)
	p.s.mu.Lock()
	p.told = version
	p.s.mu.Unlock()
	p.mu.Lock()
	p.greeted = true
	p.mu.Unlock()
	p.join()
	if !p.write([][]byte{wire.Append(nil, m)}, false) {
		return
	}
	for {
		control, block := p.next()
		switch {
		case control != nil:
			for _, f := range control {
				p.s.control.Add(int64(len(f)))
			}
			if !p.write(control, true) {
				return
			}
		case block != nil:
			frame := frames.Get().(*[]byte)
			*frame = wire.Append((*frame)[:0], block.m)
			ok := p.write([][]byte{*frame}, true)
			frames.Put(frame)
			if !ok {
				return
			}
			p.exchanged.Add(1)
			p.s.queue.push(Sent{Peer: p.handle(), Bytes: len(block.m.Data), Cookie: block.cookie})
		default:
			select {
			case <-p.wake:
			case <-p.conn.Done():
				return
			}
		}
	}
}

// write hands frames to the library and waits until the kernel has taken as many
// bytes. The library's own messages in between are few and small; at worst Sent
// is early by one of them.
func (p *peer) write(frames [][]byte, seal bool) bool {
	if seal {
		p.mu.Lock()
		sealer := p.sealer
		p.mu.Unlock()
		if sealer != nil {
			for i, f := range frames {
				frames[i] = sealer.seal(f)
			}
		}
	}
	until := p.conn.Written()
	for _, f := range frames {
		until += int64(frameOverhead + len(f))
		if err := p.pc.WriteExtendedMessage(extension, f); err != nil {
			return false // closed, or the extension was withdrawn
		}
	}
	stall := time.NewTimer(stallAfter)
	defer stall.Stop()
	for p.conn.Written() < until {
		select {
		case <-p.conn.Moved():
			stall.Reset(stallAfter)
		case <-p.conn.Done():
			return false
		case <-stall.C:
			p.s.remove(p, "took nothing for too long")
			return false
		}
	}
	return true
}

func (p *peer) handle() PeerID {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	return p.id
}

// receive takes one message. The library's lock is held.
func (p *peer) receive(payload []byte) {
	now := time.Now()
	b := slices.Clone(payload) // the library's memory; the consumer keeps this
	size := len(b)
	p.mu.Lock()
	hello := p.hello
	p.mu.Unlock()
	if hello != nil && p.opener != nil {
		var err error
		if b, err = p.opener.open(b); err != nil {
			p.s.punish(p, "sent a message that does not open")
			return
		}
	}
	m, err := wire.Parse(b)
	if err == wire.ErrUnknown {
		m = nil // of a later version
	} else if err != nil {
		p.s.punish(p, "sent a malformed message")
		return
	}
	if _, ok := m.(*wire.Block); ok {
		p.exchanged.Add(1)
	} else {
		p.s.control.Add(int64(size))
		if !p.allow(now) {
			p.s.punish(p, "sent too many messages")
			return
		}
	}
	if h, ok := m.(*wire.Hello); ok != (hello == nil) {
		p.s.punish(p, "sent messages out of order")
		return
	} else if ok {
		p.greet(h)
		return
	}
	switch m := m.(type) {
	case nil:
	case *wire.Ping:
		p.send(&wire.Pong{Token: m.Token})
	case *wire.Pong:
		p.s.ponged(p, m.Token, now)
	case *wire.Bye:
		p.s.remove(p, "said goodbye")
	default:
		p.conn.Backlog(size)
		p.s.queue.push(Received{Peer: p.handle(), Msg: m, At: now, size: size, from: p})
	}
}

// allow counts a control message against the rate that honest peers keep.
func (p *peer) allow(now time.Time) bool {
	earned := now.Sub(p.at).Seconds()*controlRate + controlPerBlock*float64(p.exchanged.Swap(0))
	p.tokens = min(controlBurst, p.tokens+earned)
	p.at = now
	p.tokens--
	return p.tokens >= 0
}

// greet takes the peer's hello.
func (p *peer) greet(h *wire.Hello) {
	c := p.s.c
	if secret := p.s.cfg.Secret; len(secret) > 0 {
		want := authenticate(secret, p.ident, c.id, h.Nonce)
		if !hmac.Equal(want[:], h.Auth[:]) {
			p.s.refuse(p, "does not know the channel's secret")
			return
		}
		in, err1 := newSealer(secret, p.ident, c.id, h.Nonce, p.nonce)
		out, err2 := newSealer(secret, c.id, p.ident, p.nonce, h.Nonce)
		if err1 != nil || err2 != nil {
			p.s.remove(p, "no cipher")
			return
		}
		p.opener = in
		p.mu.Lock()
		p.sealer = out
		p.mu.Unlock()
	}
	p.mu.Lock()
	p.hello = h
	p.mu.Unlock()
	p.join()
}

// join announces the peer once its hello has come and ours goes first.
func (p *peer) join() {
	p.mu.Lock()
	h, greeted := p.hello, p.greeted
	p.mu.Unlock()
	if h != nil && greeted {
		p.s.join(p, h)
	}
}
