package schedule

import (
	"math"
	"time"
)

// Line learns how fast the origin's line is from what the publisher reads over it,
// which tells the viewers: they cannot find out without loading it.
//
// The zero value knows nothing. It belongs to one goroutine.
type Line struct {
	rate float64 // bytes per second; 0: not known, +Inf: too fast to be found out
	at   Instant // when it was that fast
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
	// bestFor is how long the best that was seen counts: what viewers load at the same
	// time slows every reading, but is not what the line can carry.
	bestFor = 5 * time.Minute
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
	old := now-l.at > Instant(bestFor)
	if r.Second > 0 && r.Took > speedingUp*r.Second {
		// One that was full once, and is no faster now, has been found out.
		if found := !old && l.rate > 0 && !math.IsInf(l.rate, 1); found && rate < 2*l.rate || quickRead*busy > r.Plays {
			return
		}
		rate = math.Inf(1)
	}
	if rate >= l.rate || old {
		l.rate, l.at = rate, now
	}
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
