package meter

import (
	"math"
	"slices"
	"time"

	"coral/node/budget"
)

// Manner says how much uploads give way to whatever else uses the line.
type Manner uint8

const (
	// Steady gives way to nothing: a server, whose line is there for this.
	Steady Manner = iota
	// Watching keeps the queue of the line short enough for the requests and
	// acknowledgements of what is being watched.
	Watching
	// Background gives way to the household: nobody here is watching.
	Background
)

// target is the queueing delay to keep below. RFC 6817 allows 100 ms at most; a
// call or a game bears 60 ms.
func (m Manner) target() time.Duration {
	switch m {
	case Watching:
		return 100 * time.Millisecond
	case Background:
		return 60 * time.Millisecond
	}
	return 0
}

const (
	// politeBurst is how much time's worth of what the household leaves may go at
	// once: it stands in the queue, so it is far below any target.
	politeBurst = 10 * time.Millisecond
	// enoughAcked is how much must have arrived for a smoothed round trip to tell
	// of the queue, and not of an acknowledgement that the other side put off.
	enoughAcked = 3 * guessedMSS
	// fresh bounds the age of what is judged by.
	fresh = 2 * reconcileEvery
)

// SetManner sets how much uploads give way from now on.
func (m *Meter) SetManner(how Manner) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.yield.SetTarget(how.target())
}

// delayGauge watches how long packets of one connection wait on their way.
type delayGauge struct {
	acked, segs int64         // of the peer's, as last looked at
	rtt         time.Duration // smoothed by the kernel
	delay       time.Duration
	at          time.Time // when it was measured
}

// look takes what of the round trip is not in its least. The kernel's smoothed
// value moves by an eighth with each acknowledgement, which is late on a slow
// line: what they said since the last look is had back from both.
func (g *delayGauge) look(k counters, now time.Time) {
	if k.minRTT <= 0 || k.acked-g.acked < enoughAcked {
		return
	}
	rtt := k.rtt
	if g.rtt > 0 {
		n := float64(max(1, min(k.segsIn-g.segs, (k.acked-g.acked)/(2*guessedMSS)))) // acknowledgements, at most
		rtt = g.rtt + time.Duration(float64(k.rtt-g.rtt)/(1-math.Pow(7./8, n)))
	}
	*g = delayGauge{acked: k.acked, segs: k.segsIn, rtt: k.rtt, delay: max(0, rtt-k.minRTT), at: now}
}

// giveWay makes the rate for data what the delays say.
func (m *Meter) giveWay() {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	var delays []time.Duration
	for c := range m.conns {
		if c.class != Peers {
			continue
		}
		c.mu.Lock()
		if now.Sub(c.delay.at) <= fresh {
			delays = append(delays, c.delay.delay)
		}
		c.mu.Unlock()
	}
	sent := m.sent[Peers].Load()
	rate := m.yield.Step(now, ownQueue(delays), len(delays) > 0, sent-m.data, m.upRate)
	m.data = sent
	if rate == m.upRate {
		rate = budget.Unlimited // the cap's own bucket sees to it
	}
	if rate != m.polite.Rate() {
		m.polite.SetRate(now, rate)
		m.cut()
	}
}

// ownQueue is the delay that connections have in common, which is the one before
// their ways part. The median: some have a queue of the other side's before them,
// others have never seen ours empty.
func ownQueue(delays []time.Duration) time.Duration {
	if len(delays) == 0 {
		return 0
	}
	slices.Sort(delays)
	return delays[(len(delays)-1)/2]
}
