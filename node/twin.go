package node

import (
	"slices"
	"time"

	"coral/node/hls"
	"coral/node/schedule"
)

const (
	// switchAlign is how far apart two variants' segments may begin and end that
	// are taken for each other, in parts of the target duration.
	switchAlign = 10
	// switchWait bounds how long a segment is held back because the variant that
	// it is to come from does not show it yet: variants' playlists grow one after
	// the other, the best last. It is a part of what is left until the segment is
	// due, between switchWaitMin and switchWaitMax parts of the target duration.
	switchWait                   = 4
	switchWaitMin, switchWaitMax = 4, 2
)

// twin finds the segment of rendition to that g's place, with so much slack, can
// be taken by; later: it is not there yet, and worth waiting for.
func (v *viewing) twin(to uint16, g *hls.Segment, slack, target time.Duration) (twin *hls.Segment, later bool) {
	s := v.s
	pl, _, err := s.media(to, 0)
	if err != nil {
		return nil, false
	}
	if pl != nil {
		twin, later = twinOf(pl.Media.Segments, g, target/switchAlign)
		if twin != nil && twin.Map != nil {
			return nil, false
		}
		if !later {
			return twin, false
		}
	}
	now := s.instant()
	if v.awaited != g.Sequence {
		v.awaited, v.since = g.Sequence, now
	}
	wait := min(max(slack/switchWait, target/switchWaitMin), target/switchWaitMax)
	return nil, now-v.since <= schedule.Instant(wait)
}

// twinOf finds the segment that begins and ends where g does; later: there is
// none, but it may come.
func twinOf(in []hls.Segment, g *hls.Segment, within time.Duration) (twin *hls.Segment, later bool) {
	near := func(d time.Duration) bool { return d.Abs() <= within }
	for i := range slices.Backward(in) {
		b := &in[i]
		if g.ProgramDateTime.IsZero() != b.ProgramDateTime.IsZero() {
			return nil, false
		}
		var apart time.Duration // b from g
		if g.ProgramDateTime.IsZero() {
			apart = time.Duration(int64(b.Sequence-g.Sequence)) * (within + 1)
		} else {
			apart = b.ProgramDateTime.Sub(g.ProgramDateTime)
		}
		switch {
		case near(apart) && near(b.Duration-g.Duration):
			return b, false
		case near(apart), apart < 0:
			return nil, i == len(in)-1 && !near(apart)
		}
	}
	return nil, false
}
