package player

import "time"

// How the distance from the live edge is held.
const (
	// edgeSegments is the distance if none is wanted: a player that starts three
	// segments before the end (RFC 8216, section 6.3.3) is three to four behind.
	edgeSegments = 3.5
	// catchUp is fast enough to make up for a stall of 2 s in a minute, and slow
	// enough not to be heard.
	catchUp = 1.04
	// MaxBehind is how much too far behind a picture is brought back by leaving
	// something out: at catchUp it would take six minutes.
	MaxBehind = 15 * time.Second
	// enough is what must be buffered for going faster.
	enough = time.Second
	// minSlack is how much too far behind nobody does anything: positions are
	// polled, and segments differ.
	minSlack = time.Second
	// maxStalls is how many stalls move the player further from the edge, by half
	// a segment each.
	maxStalls = 4
)

// Edge holds a live picture at the wanted distance from the live edge. The zero
// Edge holds the default.
type Edge struct {
	Latency time.Duration // wanted; 0: the default
	Target  time.Duration // of the playlist
	stalls  int
	faster  bool
}

// Move is what is to be done to stay at the edge.
type Move uint8

// The moves.
const (
	Stay Move = iota
	Faster
	Jump
)

// Speed is that of a move.
func (m Move) Speed() float64 {
	if m == Faster {
		return catchUp
	}
	return 1
}

// Want is the distance that is held.
func (e *Edge) Want() time.Duration {
	want := e.Latency
	if want <= 0 {
		want = time.Duration(edgeSegments * float64(e.Target))
	}
	return want + time.Duration(e.stalls)*e.Target/2
}

// Stalled says that the picture stood still for want of bytes: the wanted
// distance was too small here.
func (e *Edge) Stalled() { e.stalls = min(e.stalls+1, maxStalls) }

// Next says what to do for a picture that is so far behind, with so much
// fetched ahead of it.
func (e *Edge) Next(behind, buffered time.Duration) Move {
	over := behind - e.Want()
	switch {
	case over > MaxBehind:
		e.faster = false
		return Jump
	case buffered < enough || over <= 0:
		e.faster = false
	case over > max(minSlack, e.Target/2):
		e.faster = true
	}
	if e.faster {
		return Faster
	}
	return Stay
}

// The pauses between attempts: the first failure is often over at once, and no
// viewer should wait much longer than the cause lasts.
const (
	firstPause = 250 * time.Millisecond
	lastPause  = 4 * time.Second
)

// Backoff counts failures in a row and says how long to wait after each.
type Backoff struct{ pause time.Duration }

// Next is the pause after one more failure.
func (b *Backoff) Next() time.Duration {
	b.pause = min(max(2*b.pause, firstPause), lastPause)
	return b.pause
}

// Reset forgets the failures.
func (b *Backoff) Reset() { b.pause = 0 }
