package swarm

import (
	"crypto/hmac"
	"crypto/rand"
	"encoding/binary"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/anacrolix/torrent"
	pp "github.com/anacrolix/torrent/peer_protocol"

	"coral/node/swarm/meter"
	"coral/node/swarm/wire"
	"coral/store/segment"
)

const (
	// batchBytes is how much control is written at once.
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
	stream  *stream
	conn    *meter.Conn // the stream's socket
	ident   [20]byte
	addr    netip.AddrPort
	inbound bool
	since   time.Time
	nonce   [16]byte
	wake    chan struct{}

	exchanged atomic.Int64  // blocks, either way, since the reading goroutine looked
	theirs    atomic.Uint32 // the number that it takes our messages under; 0: none

	// owned by Swarm.mu
	id     PeerID           // 0 until it joins
	coral  bool             // speaks our extension: run runs
	gone   bool             // removed
	listen []netip.AddrPort // addresses in the book that this connection occupies
	told   int              // the version of Swarm.watching that it has
	pinged time.Time
	silent int           // pings since a byte was last heard
	rtt    time.Duration // smoothed; 0: not measured

	// owned by the stream's reading goroutine
	opener *sealer
	tokens float64
	at     time.Time
	pexAt  time.Time

	// owned by mu
	mu      sync.Mutex
	control [][]byte // frames
	waiting int      // bytes in control
	blocks  []outBlock
	greeted bool        // our hello is the next thing sent, or was sent
	hello   *wire.Hello // what it said
	sealer  *sealer     // private channels, once both nonces are known
}

// buffers hold what is written at once: a block's frame, or control messages.
var buffers = sync.Pool{New: func() any {
	b := make([]byte, 0, segment.BlockSize+64)
	return &b
}}

type outBlock struct {
	m      *wire.Block
	cookie uint64
}

func newPeer(s *Swarm, pc *torrent.PeerConn, stream *stream, addr netip.AddrPort, inbound bool, now time.Time) *peer {
	p := &peer{
		s: s, pc: pc, stream: stream, conn: stream.socket, ident: pc.PeerID, addr: addr, inbound: inbound,
		since: now, at: now, tokens: controlBurst, wake: make(chan struct{}, 1),
	}
	_, _ = rand.Read(p.nonce[:]) // never fails
	return p
}

// who is what a ban is laid on.
func (p *peer) who() identity { return identity{p.ident, household(p.addr.Addr())} }

// send queues a control message. It reports false if the peer takes too little.
func (p *peer) send(m wire.Message) bool {
	frame := appendFrame(make([]byte, 0, 64), m)
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
	if len(p.control) > 0 {
		n, size := 0, 0
		for n < len(p.control) && (n == 0 || size+len(p.control[n]) <= batchBytes) {
			size += len(p.control[n])
			n++
		}
		control = slices.Clone(p.control[:n])
		p.control = slices.Delete(p.control, 0, n)
		p.waiting -= size
		return control, nil
	}
	if len(p.blocks) > 0 {
		b := p.blocks[0]
		p.blocks = slices.Delete(p.blocks, 0, 1)
		return nil, &b
	}
	return nil, nil
}

// run says hello, then sends what is queued until the connection ends. The peer
// is announced before the hello is out: once it is, the peer may speak.
func (p *peer) run() {
	select { // no extension message before the handshake that introduces it
	case <-p.stream.opened:
	case <-p.conn.Done():
		return
	}
	m, version := p.s.helloFor(p)
	p.s.mu.Lock()
	p.told = version
	p.s.mu.Unlock()
	p.mu.Lock()
	p.greeted = true
	p.mu.Unlock()
	p.join()
	if p.stream.send(p.seal(nil, appendFrame(nil, m))) != nil {
		return
	}
	for p.write() {
		select {
		case <-p.wake:
		case <-p.conn.Done():
			return
		}
	}
}

// write sends what is queued. It reports false when the connection has ended.
func (p *peer) write() bool {
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	for {
		p.mu.Lock()
		sealer := p.sealer
		p.mu.Unlock()
		b := (*buf)[:0]
		control, block := p.next()
		switch {
		case control != nil:
			for _, f := range control {
				p.s.control.Add(int64(len(f) - frameHead))
				b = append(b, p.seal(sealer, f)...)
			}
		case block != nil:
			b = p.seal(sealer, appendFrame(b, block.m))
		default:
			return true
		}
		*buf = b
		if p.stream.send(b) != nil {
			return false
		}
		if block != nil {
			p.exchanged.Add(1)
			p.s.queue.push(Sent{Peer: p.handle(), Bytes: len(block.m.Data), Cookie: block.cookie})
		}
	}
}

// appendFrame appends m with room for its head, which seal fills in.
func appendFrame(b []byte, m wire.Message) []byte {
	return wire.Append(append(b, make([]byte, frameHead)...), m)
}

// seal makes a frame ready to be sent, encrypted by s if that is not nil. It
// happens in the order of sending, in the frame's own memory if that has room.
func (p *peer) seal(s *sealer, frame []byte) []byte {
	if s != nil {
		frame = append(frame[:frameHead], s.seal(frame[frameHead:])...)
	}
	binary.BigEndian.PutUint32(frame, uint32(len(frame)-4))
	frame[4], frame[5] = byte(pp.Extended), byte(p.theirs.Load())
	return frame
}

func (p *peer) handle() PeerID {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	return p.id
}

// begun looks at the beginning of a message that has still to come: of a block
// something can be said already, if it is not sealed. The stream's reading goroutine
// calls it.
func (p *peer) begun(b []byte) {
	p.mu.Lock()
	hello := p.hello
	p.mu.Unlock()
	if hello == nil || p.opener != nil {
		return
	}
	if id, block, ok := wire.BlockHead(b); ok {
		p.s.queue.push(Arriving{Peer: p.handle(), ID: id, Block: block})
	}
}

// receive takes one message, whose memory is the consumer's from here on. The
// stream's reading goroutine calls it.
func (p *peer) receive(b []byte) {
	now := time.Now()
	size := len(b)
	p.mu.Lock()
	hello := p.hello
	p.mu.Unlock()
	if hello != nil && p.opener != nil {
		var err error
		if b, err = p.opener.open(b); err != nil {
			p.s.punish(p, BanFor, "sent a message that does not open")
			return
		}
	}
	m, err := wire.Parse(b)
	if err == wire.ErrUnknown {
		m = nil // of a later version
	} else if err != nil {
		p.s.punish(p, BanFor, "sent a malformed message")
		return
	}
	if _, ok := m.(*wire.Block); ok {
		p.exchanged.Add(1)
	} else {
		p.s.control.Add(int64(size))
		if !p.allow(now) {
			p.s.punish(p, BanFor, "sent too many messages")
			return
		}
	}
	if h, ok := m.(*wire.Hello); ok != (hello == nil) {
		p.s.punish(p, BanFor, "sent messages out of order")
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
