package meter

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"coral/node/budget"
)

const (
	// burst is how much time's worth may leave at once. With debtSlack it bounds
	// what a window of ten seconds can hold to 0.985 × 10.3 / 10 < 102 % of the cap.
	burst = 100 * time.Millisecond
	// debtSlack is how far control messages may run ahead of the bucket.
	debtSlack = 200 * time.Millisecond
	// targetMille is the share of the cap that is aimed at, in thousandths: the
	// rest is for what no counter shows, such as a connection attempt's repeats.
	targetMille = 985
	// reconcileEvery is how often the kernel's counters are read.
	reconcileEvery = 100 * time.Millisecond
	// dialSegments is what a connection attempt is charged with before there are
	// counters: SYN, ACK of the SYN's answer, FIN.
	dialSegments = 3
	// maxReceiveBuffer is more than any path here needs.
	maxReceiveBuffer = 1 << 20
)

// ErrNothing says that a cap is zero: nothing may pass.
var ErrNothing = errors.New("the cap is zero: nothing may pass")

// Class says whom bytes are exchanged with.
type Class uint8

const (
	Peers  Class = iota // peers, trackers and the DHT
	Origin              // the organiser's HTTP server
	classes
)

// Stats are bytes on the wire, headers included, since the Meter was made.
type Stats struct {
	SentPeers, ReceivedPeers   int64
	SentOrigin, ReceivedOrigin int64
}

// Meter owns the two buckets and knows every open connection.
type Meter struct {
	bind netip.Addr

	// owned by mu
	mu      sync.Mutex
	up      *budget.Bucket
	polite  *budget.Bucket // what the household leaves, see yield.go
	yield   budget.Yield
	data    int64 // sent to peers when yield was last asked
	down    *budget.Bucket
	upRate  budget.Rate
	dnRate  budget.Rate
	changed chan struct{} // closed when a cap changes
	conns   map[*Conn]struct{}

	piece atomic.Int64 // how much is written at once; 0: all, no upload cap is set nor do we yield
	paced atomic.Bool  // a download cap is set

	sent, received [classes]atomic.Int64
}

// New returns a Meter with the given caps. If bind is valid, every connection
// it dials leaves from there.
func New(up, down budget.Rate, bind netip.Addr) *Meter {
	m := &Meter{bind: bind, changed: make(chan struct{}), conns: make(map[*Conn]struct{})}
	m.up = budget.NewBucket(aim(up), burst)
	m.down = budget.NewBucket(aim(down), burst)
	m.polite = budget.NewBucket(budget.Unlimited, politeBurst)
	m.note(up, down)
	return m
}

func aim(r budget.Rate) budget.Rate {
	if r <= 0 {
		return r
	}
	return max(1, r/1000*targetMille+r%1000*targetMille/1000)
}

func (m *Meter) note(up, down budget.Rate) {
	m.upRate, m.dnRate = up, down
	m.cut()
	m.paced.Store(down != budget.Unlimited)
}

// cut sets how writes are split. mu is held, or m not shared yet.
func (m *Meter) cut() {
	rate := m.polite.Rate()
	if rate == budget.Unlimited || m.upRate != budget.Unlimited && m.upRate < rate {
		rate = m.upRate
	}
	if rate == budget.Unlimited {
		m.piece.Store(0)
		return
	}
	m.piece.Store(min(max(int64(rate)/8*int64(pieceTime)/int64(time.Second), minPiece), maxPiece))
}

// SetCaps changes both caps; waiting writers and readers feel it at once.
func (m *Meter) SetCaps(up, down budget.Rate) {
	now := time.Now()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.up.SetRate(now, aim(up))
	m.down.SetRate(now, aim(down))
	m.note(up, down)
	close(m.changed)
	m.changed = make(chan struct{})
	buf := m.receiveBuffer()
	if buf == 0 {
		buf = maxReceiveBuffer // a buffer once set cannot be given back to the kernel
	}
	for c := range m.conns {
		setBuffers(c.tcp, buf)
	}
}

// Caps returns the caps in force.
func (m *Meter) Caps() (up, down budget.Rate) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.upRate, m.dnRate
}

// Changed returns a channel that is closed when a cap changes.
func (m *Meter) Changed() <-chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.changed
}

// Run reconciles the estimates with the kernel's counters until ctx ends.
func (m *Meter) Run(ctx context.Context) error {
	t := time.NewTicker(reconcileEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-t.C:
			m.reconcile()
			m.giveWay()
		}
	}
}

func (m *Meter) reconcile() {
	m.mu.Lock()
	conns := make([]*Conn, 0, len(m.conns))
	for c := range m.conns {
		conns = append(conns, c)
	}
	m.mu.Unlock()
	for _, c := range conns {
		c.reconcile()
	}
}

// Stats returns the totals so far, open connections included.
func (m *Meter) Stats() Stats {
	m.reconcile()
	return Stats{
		SentPeers: m.sent[Peers].Load(), ReceivedPeers: m.received[Peers].Load(),
		SentOrigin: m.sent[Origin].Load(), ReceivedOrigin: m.received[Origin].Load(),
	}
}

// Abort closes every connection of a class, taking back what is not sent yet.
func (m *Meter) Abort(class Class) {
	m.mu.Lock()
	var conns []*Conn
	for c := range m.conns {
		if c.class == class {
			conns = append(conns, c)
		}
	}
	m.mu.Unlock()
	for _, c := range conns {
		c.Abort()
	}
}

// takeUp takes n bytes from the upload bucket.
func (m *Meter) takeUp(n int) time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.up.Take(time.Now(), n)
}

// takeData is takeUp for what is not control: it gives way, too.
func (m *Meter) takeData(n int) time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	return max(m.up.Take(now, n), m.polite.Take(now, n))
}

func (m *Meter) takeDown(n int) time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.down.Take(time.Now(), n)
}

func (m *Meter) chargeUp(n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.up.Charge(time.Now(), n)
}

func (m *Meter) chargeDown(n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.down.Charge(time.Now(), n)
}

// wait sleeps for d, as returned by again's bucket. When a cap changes it asks
// again with a take of nothing, which answers for the new rate. A slack is taken
// off every wait.
func (m *Meter) wait(done <-chan struct{}, d, slack time.Duration, again func(int) time.Duration) error {
	for {
		m.mu.Lock()
		changed := m.changed
		m.mu.Unlock()
		if d == budget.Never {
			return ErrNothing
		}
		if d -= slack; d <= 0 {
			return nil
		}
		t := time.NewTimer(d)
		select {
		case <-t.C:
			return nil
		case <-done:
			t.Stop()
			return net.ErrClosed
		case <-changed:
			t.Stop()
			d = again(0)
		}
	}
}

// receiveBuffer returns the size for kernel receive buffers, 0 for the kernel's
// own choice; mu is held. What fits the buffer is received no matter what the
// cap says, so it must be small against the cap, yet hold a round trip's worth.
func (m *Meter) receiveBuffer() int {
	if m.dnRate == budget.Unlimited {
		return 0
	}
	return int(min(max(int64(m.dnRate)/8/10, 32<<10), maxReceiveBuffer))
}
