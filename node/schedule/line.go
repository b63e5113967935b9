package schedule

import (
	"math"
	"slices"
	"time"
)

// Line learns how fast the origin's line is from what the publisher reads over it,
// which tells the viewers: they cannot find out without loading it.
//
// The zero value knows nothing. It belongs to one goroutine.
type Line struct {
	rate float64            // bytes per second; 0: not known, +Inf: too fast to be found out
	past [readings]struct { // the last n readings, the oldest giving way
		rate float64
		at   Instant
	}
	n int
}

// Reading is how one segment was read.
type Reading struct {
	Bytes int
	Plays time.Duration // its playing time
	Took  time.Duration // in all
	// Second is how long the second half of the bytes took, 0 if that was not
	// measured: several requests bring them in any order.
	Second time.Duration
	// Sharing is by how many readings, this one included, the line was shared at its
	// beginning or at its end: the fewer of both, lest the line be taken for wider.
	Sharing int
}

const (
	// What viewers load at the same time slows a reading, but is not what the line can
	// carry: it is taken to be as fast as one in bestOf of its last readings showed, of
	// those not older than bestFor. Not as the best one showed: where a packet has to be
	// sent again all that came after it is there at once, and the line was taken to be six
	// times as fast as it was, by all viewers, who then filled it.
	readings = 64
	bestOf   = 8
	bestFor  = 5 * time.Minute
	// leastReading is the least that tells anything, in bytes.
	leastReading = 64 << 10
	// speedingUp is how many times as long as its second half a whole reading takes in
	// which TCP has been speeding up to the end: the line was never full. If the second
	// half came quickRead times as fast as the stream, the line is a wide one.
	speedingUp = 4
	quickRead  = 10
)

// Read takes a reading.
func (l *Line) Read(now Instant, r Reading) {
	busy := r.Took
	if r.Second > 0 {
		busy = 2 * r.Second
	}
	if r.Bytes < leastReading || busy <= 0 {
		return
	}
	rate := float64(r.Bytes*max(1, r.Sharing)) / busy.Seconds()
	if r.Second > 0 && r.Took > speedingUp*r.Second {
		// One that was full once, and is no faster now, has been found out.
		if found := l.estimate(now) && !math.IsInf(l.rate, 1); found && rate < 2*l.rate || quickRead*busy > r.Plays {
			return
		}
		rate = math.Inf(1)
	}
	p := &l.past[l.n%readings]
	p.rate, p.at = rate, now
	l.n++
	l.estimate(now)
}

// estimate works out how fast the line is, if there are readings that count still, and
// reports whether there are.
func (l *Line) estimate(now Instant) bool {
	rates := make([]float64, 0, readings)
	for _, p := range l.past[:min(l.n, readings)] {
		if now-p.at <= Instant(bestFor) {
			rates = append(rates, p.rate)
		}
	}
	n := len(rates)
	if n == 0 {
		return false
	}
	slices.Sort(rates)
	l.rate = rates[n-(n+2*bestOf-3)/bestOf] // the second best of three to ten, and so on
	return true
}

// Room reports whether a line that a segment keeps busy for took has room for all
// viewers to fetch it while it plays, and an eighth to spare: one that is all but full
// is slow, too. Of one that was too fast to be found out it is known only that it is
// quickRead times as fast as the stream.
func Room(took, plays time.Duration, viewers int) bool {
	switch {
	case took <= 0 || plays <= 0:
		return false
	case took < time.Microsecond:
		return viewers <= quickRead
	}
	return took*9/8 <= plays/time.Duration(max(viewers, 1))
}

// Takes is how long n bytes keep the line busy; 0: not known.
func (l *Line) Takes(n int) time.Duration {
	if l.rate == 0 {
		return 0
	}
	return max(1, time.Duration(float64(n)/l.rate*float64(time.Second)))
}
