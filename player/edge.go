package player

import "time"

// How the distance from the live edge is held.
const (
	// edgeSegments is the distance if none is wanted: a player that starts three
	// segments before the end (RFC 8216, section 6.3.3) is three to four behind.
	edgeSegments = 3.5
	// catchUp is fast enough to make up for a stall of 2 s in a minute, fallBack
	// slow enough to gain as much; neither is heard.
	catchUp, fallBack = 1.04, 0.96
	// MaxBehind is how much too far behind a picture is brought back by leaving
	// something out: at catchUp it would take six minutes.
	MaxBehind = 15 * time.Second
	// enough is what must be buffered for going faster.
	enough = time.Second
	// minSlack is how much too far behind or ahead nobody does anything: positions
	// are polled, and segments differ.
	minSlack = time.Second
	// Two stalls within stallSpan move the player one segment further from the
	// edge, up to maxRaised; cleanSpan without one moves it as much nearer.
	stallSpan = 5 * time.Minute
	cleanSpan = 10 * time.Minute
	maxRaised = 4
)

// Edge holds a live picture at the wanted distance from the live edge, by the
// speed at which it plays. The zero Edge holds the default.
type Edge struct {
	Latency time.Duration // wanted; 0: the default
	Target  time.Duration // of the playlist
	raised  int           // segments further from the edge, for stalls
	stalled time.Time     // the last one that has not been answered by raising
	clean   time.Time     // since when there was none, and nothing was changed
	speed   Move          // Faster, Slower or Stay
}

// Move is what is to be done to stay at the edge.
type Move uint8

// The moves.
const (
	Stay Move = iota
	Faster
	Slower
	Jump
)

// Speed is that of a move.
func (m Move) Speed() float64 {
	switch m {
	case Faster:
		return catchUp
	case Slower:
		return fallBack
	}
	return 1
}

// Want is the distance that is held.
func (e *Edge) Want() time.Duration {
	want := e.Latency
	if want <= 0 {
		want = time.Duration(edgeSegments * float64(e.Target))
	}
	return want + time.Duration(e.raised)*e.Target
}

// Stalled says that the picture stood still for want of bytes: once is bad luck,
// twice says that the wanted distance is too small here.
func (e *Edge) Stalled(now time.Time) {
	e.clean = now
	if e.stalled.IsZero() || now.Sub(e.stalled) > stallSpan {
		e.stalled = now
		return
	}
	e.stalled = time.Time{}
	e.raised = min(e.raised+1, maxRaised)
}

// Next says what to do for a picture that is so far behind, with so much
// fetched ahead of it.
func (e *Edge) Next(now time.Time, behind, buffered time.Duration) Move {
	if e.raised > 0 && now.Sub(e.clean) >= cleanSpan {
		e.raised, e.clean = e.raised-1, now
	}
	over, slack := behind-e.Want(), max(minSlack, e.Target/2)
	switch {
	case over > MaxBehind:
		e.speed = Stay
		return Jump
	case over > slack:
		e.speed = Faster
	case over < -slack:
		e.speed = Slower
	case e.speed == Faster && over <= 0, e.speed == Slower && over >= 0:
		e.speed = Stay
	}
	if e.speed == Faster && buffered < enough {
		e.speed = Stay // it would stall
	}
	return e.speed
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
