package node

import (
	"slices"

	"coral/node/schedule"
)

const (
	// ladderSamples is how many segments the delivery rate is judged by. The best
	// of them counts: blocks that are not due yet are fetched at leisure, so that
	// most segments tell only that it was at least so fast.
	ladderSamples = 12
	// ladderFirst is what is assumed before anything has come, in bits per
	// second: 1080p of an ordinary stream, and no more.
	ladderFirst = 6_000_000
	// A variant fits if the rate is ladderFits times its own, in percent. One
	// that is shown is kept down to ladderKeeps, and left for a better one from
	// ladderClimbs on: between those nothing changes.
	ladderFits, ladderKeeps, ladderClimbs = 130, 100, 200
	// ladderRest is the least time between two changes, but for one because
	// segments were late.
	ladderRest = schedule.Instant(30e9)
	// ladderLate segments that were not there when due are too many.
	ladderLate = 2
)

// ladder chooses a variant by how fast segments came. It is owned by the
// session's goroutine and takes the time.
type ladder struct {
	rates   []int64 // bits per second, newest last
	late    int     // segments since the last choice
	current int64   // the chosen variant's rate; 0: none yet
	changed schedule.Instant
}

// took notes a segment of n bytes that came in d.
func (l *ladder) took(n int, d schedule.Instant, late bool) {
	if late {
		l.late++
	}
	if d <= 0 {
		return
	}
	if len(l.rates) == ladderSamples {
		l.rates = slices.Delete(l.rates, 0, 1)
	}
	l.rates = append(l.rates, int64(float64(n)*8e9/float64(d)))
}

// choose returns which of the variants with these rates, lowest first, is to be
// shown.
func (l *ladder) choose(now schedule.Instant, variants []int64) int {
	rate := int64(ladderFirst)
	if len(l.rates) > 0 {
		rate = slices.Max(l.rates)
	}
	best := 0
	for i, v := range variants {
		if v*ladderFits/100 <= rate {
			best = i
		}
	}
	at := slices.Index(variants, l.current)
	if l.current == 0 || at < 0 {
		return l.move(now, variants, best)
	}
	switch {
	case l.late >= ladderLate && at > 0:
		l.rates = nil // what they tell is not true any more
		return l.move(now, variants, at-1)
	case now-l.changed < ladderRest:
	case best > at && variants[best]*ladderClimbs/100 <= rate, best < at && variants[at]*ladderKeeps/100 > rate:
		return l.move(now, variants, best)
	}
	return at
}

func (l *ladder) move(now schedule.Instant, variants []int64, to int) int {
	l.current, l.changed, l.late = variants[to], now, 0
	return to
}

// measure has the ladder learn from a segment that a player waited for, or will:
// how fast it came since both it was known and somebody wanted it.
func (s *Session) measure(o *object, now schedule.Instant) {
	if o.asked == 0 || o.got[fromCache] > 0 {
		return
	}
	s.ladder.took(o.size, now-max(o.asked, o.known), o.readers > 0 && o.due != 0 && now > o.due && s.renditions[o.id.Rendition].play.begun)
}
