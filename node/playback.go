package node

import (
	"time"

	"coral/node/schedule"
)

const (
	// playbackGone is how long after its last request a player is taken to have
	// left a rendition, in target durations (and at least playbackGoneMin):
	// every player of a live rendition asks for its playlist once a target
	// duration; of a recording, for segments only, as its buffer empties.
	playbackGone    = 4
	playbackGoneMin = 15 * time.Second
	// aheadOf bounds how far ahead of the playhead segments are fetched before
	// the player asks for them.
	aheadOf = 30 * time.Second
)

// playback is a model of the player of one rendition, from what the proxy sees
// of it: it plays in real time from the moment its first segment was whole, and
// stands still when a segment comes late.
type playback struct {
	from   uint64           // the segment at the playhead
	next   uint64           // one past the newest it asked for
	begin  schedule.Instant // when from began to play, or could at the soonest
	begun  bool
	last   schedule.Instant // its newest request
	target time.Duration
}

// asked notes a request for segment seq.
func (p *playback) asked(now schedule.Instant, seq uint64) {
	if p.last == 0 || seq+seekBack < p.from || seq > p.next+seekAhead {
		*p = playback{from: seq, next: seq, begin: now, target: p.target} // start, or seek
	}
	p.next = max(p.next, seq+1)
	p.last = now
}

// A request this many segments before the playhead, or past the newest one
// asked for, is a seek; nearer ones are retries and skipped gaps.
const (
	seekBack  = 2
	seekAhead = 1
)

// arrived notes that a segment that was due at due (0: nobody knows) is whole.
func (p *playback) arrived(now schedule.Instant, seq uint64, due schedule.Instant) {
	switch {
	case seq == p.from && !p.begun:
		p.begin, p.begun = now, true
	case p.begun && due != 0 && now > due:
		p.begin += now - due // it stood still
	}
}

// played moves the playhead past a segment of length d, if it has been played.
func (p *playback) played(now schedule.Instant, d time.Duration) bool {
	if !p.begun || p.begin+schedule.Instant(d) > now || p.from+1 >= p.next {
		return false
	}
	p.from++
	p.begin += schedule.Instant(d)
	return true
}

// active reports whether a player is there.
func (p *playback) active() bool { return p.last != 0 }

// gone reports whether the player has stopped asking.
func (p *playback) gone(now schedule.Instant) bool {
	return p.active() && now-p.last > schedule.Instant(max(playbackGoneMin, playbackGone*p.target))
}
