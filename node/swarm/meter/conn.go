package meter

import (
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// minPiece to maxPiece is how much is handed to the kernel at once while a cap
	// is set: as much as pieceTime lets through, so that several connections share
	// a slow line evenly, and no more than the kernel holds unsent.
	minPiece  = 4 << 10
	maxPiece  = 16 << 10
	pieceTime = 10 * time.Millisecond
	// smallWrite is the largest write that may run ahead of the bucket. It holds
	// every control message but long runs of feed records, and each half of an
	// encryption handshake.
	smallWrite = 1 << 10
	// readPiece bounds one read while a download cap is set.
	readPiece = 16 << 10
	// maxBacklog is how much of what was read may wait to be consumed before
	// reading pauses; the sender then feels TCP's own backpressure.
	maxBacklog = 1 << 20
	// guessedMSS stands where the kernel does not tell.
	guessedMSS = 1448
)

// Conn is a metered TCP connection.
type Conn struct {
	tcp    *net.TCPConn
	socket *socket
	m      *Meter
	class  Class
	header int64  // bytes of IP and TCP headers per segment
	head   []byte // to be read again
	done   chan struct{}

	opened   time.Time    // what pushing and lastRead count from: the clock may be set
	written  atomic.Int64 // payload bytes the kernel has taken
	pushing  atomic.Int64 // since when it has been offered more; idle: it is not
	read     atomic.Int64
	lastRead atomic.Int64
	mss      atomic.Int64
	wireUp   atomic.Int64 // as last reconciled
	wireDown atomic.Int64

	// owned by mu
	mu                  sync.Mutex
	drained             sync.Cond
	backlog             int
	closed, aborted     bool
	onClose             func() // see OnClose
	heard               int64  // payload bytes the kernel had received when last asked
	delay               delayGauge
	chargedUp, seenUp   int64 // wire bytes charged to the bucket; counted in Stats
	chargedDn, seenDown int64

	// owned by the reading goroutine
	pause    time.Duration // to wait before the next read
	expected int           // as last told to the kernel, which begins with 1
}

// idle is pushing while nothing is offered to the kernel.
const idle = -1

// now is how long the connection has been open.
func (c *Conn) now() int64 { return int64(time.Since(c.opened)) }

// Wrap meters an open connection.
func (m *Meter) Wrap(tcp *net.TCPConn, class Class) *Conn {
	c := &Conn{tcp: tcp, socket: newSocket(tcp), m: m, class: class, expected: 1, opened: time.Now(), done: make(chan struct{})}
	c.pushing.Store(idle)
	c.drained.L = &c.mu
	c.header = segmentHeader(tcp)
	c.mss.Store(guessedMSS)
	m.mu.Lock()
	m.conns[c] = struct{}{}
	buf := m.receiveBuffer()
	m.mu.Unlock()
	setOptions(tcp)
	setBuffers(tcp, buf)
	return c
}

// segmentHeader is what one TCP segment costs besides its payload, with the
// timestamp option that Linux, macOS and Windows use: 20+20+12, or 40+20+12.
func segmentHeader(tcp *net.TCPConn) int64 {
	if a, ok := tcp.RemoteAddr().(*net.TCPAddr); ok && a.IP.To4() == nil {
		return 72
	}
	return 52
}

// OnClose sets what runs, once, when the connection has been closed: on the
// goroutine of whoever closes it, or at once if somebody has.
func (c *Conn) OnClose(f func()) {
	c.mu.Lock()
	closed := c.closed
	c.onClose = f
	c.mu.Unlock()
	if closed {
		f()
	}
}

// Unread puts b, just read, back in front. The reading goroutine calls it.
func (c *Conn) Unread(b []byte) { c.head = b }

const (
	// worthExpecting is the least that is worth two system calls to wait for.
	worthExpecting = 2 * guessedMSS
	// maxExpected bounds what the kernel is to keep for one reading.
	maxExpected = 32 << 10
)

// Expect tells that the next n bytes are of use together only: where the system
// can do that, a read then begins to wait until so many are there, maxExpected
// at most, or the connection ends. The reading goroutine calls it.
func (c *Conn) Expect(n int) {
	if n = min(n, maxExpected); n < worthExpecting {
		n = 1
	}
	if n != c.expected {
		c.expected = n
		c.socket.setLowWater(n)
	}
}

func (c *Conn) segments(n int) int64 {
	mss := c.mss.Load()
	return (int64(n) + mss - 1) / mss
}

// whole rounds a piece to pairs of full segments: the rest would be a packet of its
// own, and a receiver acknowledges two packets at once.
func (c *Conn) whole(piece int64) int {
	if piece == 0 {
		return 0
	}
	pair := 2 * c.mss.Load()
	return int(max(1, piece/pair) * pair)
}

// Write implements net.Conn. While an upload cap is set it returns once the
// bucket has let everything through.
func (c *Conn) Write(b []byte) (n int, err error) {
	for len(b) > 0 {
		p := b
		if n := c.whole(c.m.piece.Load()); n > 0 && len(p) > n {
			p = p[:n]
		}
		cost := int64(len(p)) + c.segments(len(p))*c.header
		take, slack := c.m.takeData, time.Duration(0)
		if c.class == Origin || len(p) == len(b) && n == 0 && len(p) <= smallWrite {
			take, slack = c.m.takeUp, debtSlack
		}
		d := take(int(cost))
		c.mu.Lock()
		c.chargedUp += cost
		c.mu.Unlock()
		if c.class == Peers && d > 0 {
			if err := c.m.wait(c.done, d, slack, take); err != nil {
				return n, err
			}
		}
		c.pushing.Store(c.now())
		k, err := c.socket.write(p)
		c.pushing.Store(idle)
		n += k
		c.written.Add(int64(k))
		if err != nil {
			return n, err
		}
		b = b[len(p):]
	}
	return n, nil
}

// Read implements net.Conn.
func (c *Conn) Read(b []byte) (int, error) {
	if len(c.head) > 0 {
		n := copy(b, c.head)
		c.head = c.head[n:]
		return n, nil
	}
	if err := c.beforeRead(); err != nil {
		return 0, err
	}
	paced := c.m.paced.Load()
	if paced && len(b) > readPiece {
		b = b[:readPiece]
	}
	n, err := c.socket.read(b)
	if n > 0 {
		c.read.Add(int64(n))
		c.lastRead.Store(c.now())
		cost := int64(n) + c.segments(n)*c.header
		if d := c.m.takeDown(int(cost)); paced {
			c.pause = d
		}
		c.mu.Lock()
		c.chargedDn += cost
		c.mu.Unlock()
	}
	return n, err
}

func (c *Conn) beforeRead() error {
	c.mu.Lock()
	for c.backlog > maxBacklog && !c.closed {
		c.drained.Wait()
	}
	c.mu.Unlock()
	if d := c.pause; d > 0 {
		c.pause = 0
		return c.m.wait(c.done, d, 0, c.m.takeDown)
	}
	return nil
}

// Backlog adds n to what was read and not yet consumed; a negative n consumes.
func (c *Conn) Backlog(n int) {
	c.mu.Lock()
	was := c.backlog > maxBacklog
	c.backlog += n
	if was && c.backlog <= maxBacklog {
		c.lastRead.Store(c.now())
		c.drained.Broadcast()
	}
	c.mu.Unlock()
}

// Refused is for how long the kernel has not taken what it was offered last.
func (c *Conn) Refused(now time.Time) time.Duration {
	since := c.pushing.Load()
	if since == idle {
		return 0
	}
	return now.Sub(c.opened.Add(time.Duration(since)))
}

// Done is closed when the connection is.
func (c *Conn) Done() <-chan struct{} { return c.done }

// LastRead returns when a byte last arrived. While reading is paused because
// our own side does not consume, that is now: the peer is not to blame.
func (c *Conn) LastRead() time.Time {
	c.mu.Lock()
	held := c.backlog > maxBacklog
	c.mu.Unlock()
	if held {
		return time.Now()
	}
	return c.opened.Add(time.Duration(c.lastRead.Load()))
}

// RTT returns the round trip as TCP has measured it; 0 where that is not known.
func (c *Conn) RTT() time.Duration {
	k, _ := c.socket.counters()
	return k.rtt
}

// Wire returns the bytes sent and received on the wire, headers included.
func (c *Conn) Wire() (sent, received int64) { return c.wireUp.Load(), c.wireDown.Load() }

// reconcile charges what the estimates have missed.
func (c *Conn) reconcile() {
	k, ok := c.socket.counters()
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return
	}
	up, down := c.settle(k, ok)
	c.mu.Unlock()
	c.m.charge(up, down)
}

// settle brings the counts up to date and returns what the buckets must still
// be charged with. mu is held.
func (c *Conn) settle(k counters, ok bool) (up, down int64) {
	var sent, received int64
	if ok {
		if k.mss > 0 {
			c.mss.Store(k.mss)
		}
		sent = k.bytesSent + k.segsOut*c.header
		received = k.bytesReceived + k.segsIn*c.header
		if k.bytesReceived > c.heard { // and a read may be waiting for more
			c.heard = k.bytesReceived
			c.lastRead.Store(c.now())
		}
		c.delay.look(k, time.Now())
		// What waits in the kernel will cost its headers too.
		due := sent + k.notSent + c.segments(int(k.notSent))*c.header
		up, down = max(0, due-c.chargedUp), max(0, received-c.chargedDn)
	} else {
		// One acknowledgement for every second segment, either way.
		acksOut := c.segments(int(c.read.Load())) / 2 * c.header
		acksIn := c.segments(int(c.written.Load())) / 2 * c.header
		sent = c.written.Load() + c.segments(int(c.written.Load()))*c.header + acksOut
		received = c.read.Load() + c.segments(int(c.read.Load()))*c.header + acksIn
		up, down = max(0, sent-c.chargedUp), max(0, received-c.chargedDn)
	}
	c.chargedUp += up
	c.chargedDn += down
	if d := sent - c.seenUp; d > 0 {
		c.seenUp = sent
		c.wireUp.Store(sent)
		c.m.sent[c.class].Add(d)
	}
	if d := received - c.seenDown; d > 0 {
		c.seenDown = received
		c.wireDown.Store(received)
		c.m.received[c.class].Add(d)
	}
	return up, down
}

func (m *Meter) charge(up, down int64) {
	if up > 0 {
		m.chargeUp(int(up))
	}
	if down > 0 {
		m.chargeDown(int(down))
	}
}

// Abort closes the connection and takes back what the kernel has not sent yet.
func (c *Conn) Abort() {
	_ = c.tcp.SetLinger(0)
	c.mu.Lock()
	c.aborted = true
	c.mu.Unlock()
	_ = c.Close()
}

// Close implements net.Conn. What the kernel has taken is still sent.
func (c *Conn) Close() error {
	k, ok := c.socket.counters()
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return net.ErrClosed
	}
	c.closed = true
	onClose := c.onClose
	// What the kernel still holds leaves after the last count, as does the FIN.
	if !c.aborted {
		k.bytesSent += k.notSent
		k.segsOut += c.segments(int(k.notSent))
	}
	k.segsOut++
	k.notSent = 0
	up, down := c.settle(k, ok)
	c.drained.Broadcast()
	c.mu.Unlock()
	close(c.done)
	c.m.mu.Lock()
	delete(c.m.conns, c)
	c.m.mu.Unlock()
	c.m.charge(up, down)
	err := c.tcp.Close()
	if onClose != nil {
		onClose()
	}
	return err
}

// CloseWrite ends our side of the connection; the peer's end-of-stream follows
// when it closes.
func (c *Conn) CloseWrite() error { return c.tcp.CloseWrite() }

func (c *Conn) LocalAddr() net.Addr                { return c.tcp.LocalAddr() }
func (c *Conn) RemoteAddr() net.Addr               { return c.tcp.RemoteAddr() }
func (c *Conn) SetDeadline(t time.Time) error      { return unlessClosed(c.tcp.SetDeadline(t)) }
func (c *Conn) SetReadDeadline(t time.Time) error  { return c.tcp.SetReadDeadline(t) }
func (c *Conn) SetWriteDeadline(t time.Time) error { return unlessClosed(c.tcp.SetWriteDeadline(t)) }

// unlessClosed hides that the connection is closed: the library panics if it
// cannot set a deadline, and we may abort a connection while it is being made.
// The next read or write tells.
func unlessClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
