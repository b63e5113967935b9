package node

import (
	"time"

	"coral/node/schedule"
)

const (
	// inflowSpan is what time what comes is measured over, in inflowParts.
	inflowSpan  = time.Second
	inflowParts = 8
	// beginWithin is what a segment may take to begin to come.
	beginWithin = time.Second
	// Our own line is taken for what everything waits for when less than narrowPart
	// percent of what is played comes, from narrowGivers neighbours or more within
	// inflowSpan, and for narrowFor from then on.
	narrowPart, narrowGivers = 60, 2
	narrowFor                = 5 * time.Second
)

// inflow is how much came lately.
type inflow struct {
	bytes [inflowParts]int64
	part  int64            // the newest
	since schedule.Instant // something has been coming without a break since then; 0: nothing is
	slow  schedule.Instant // when too little came at last; 0: never
	told  bool             // the scheduler was told that our line is narrow
}

// turn forgets what is too old, and returns how much of the newest part is over.
func (f *inflow) turn(now schedule.Instant) time.Duration {
	const part = schedule.Instant(inflowSpan / inflowParts)
	newest := int64(now / part)
	for f.part = max(f.part, newest-inflowParts); f.part < newest; {
		f.part++
		f.bytes[f.part%inflowParts] = 0
	}
	return time.Duration(now % part)
}

// rate is how many bits came in a second, one at least.
func (f *inflow) rate(now schedule.Instant) int64 {
	span := f.turn(now) + inflowSpan - inflowSpan/inflowParts
	sum := int64(0)
	for _, n := range f.bytes {
		sum += n
	}
	return max(1, int64(float64(sum)*8/span.Seconds()))
}

// flow is how many bits come in a second, while some have been coming for long
// enough to tell (long: for that the oldest of them has); 0: they have not.
func (f *inflow) flow(now schedule.Instant, coming bool, long time.Duration) int64 {
	switch {
	case !coming:
		f.since = 0
	case f.since == 0:
		f.since = now - schedule.Instant(long)
	default:
		f.since = min(f.since, now-schedule.Instant(long))
	}
	if f.since == 0 || now-f.since < schedule.Instant(inflowSpan) {
		return 0
	}
	return f.rate(now)
}

// came notes that n bytes of a segment have come.
func (s *Session) came(n int) {
	now := s.instant()
	s.inflow.turn(now)
	s.inflow.bytes[s.inflow.part%inflowParts] += int64(n)
	s.watchLine(now)
}

// watchLine finds out whether our own line is what everything waits for, and tells
// the scheduler. While a variant is chosen that is: who cannot have it goes down to
// one that fits, if only the line is not filled with what is asked for twice.
func (s *Session) watchLine(now schedule.Instant) {
	if len(s.viewings) == 0 && !s.inflow.told {
		return
	}
	if flow, rate := s.flow(now), s.ratePlayed(); flow > 0 && flow < rate*narrowPart/100 && s.givers(now) >= narrowGivers {
		s.inflow.slow = now
	}
	narrow := s.inflow.slow != 0 && now-s.inflow.slow < schedule.Instant(narrowFor)
	if narrow != s.inflow.told {
		s.inflow.told = narrow
		s.log.Debug("own line", "narrow", narrow)
		s.step(schedule.Narrow{On: narrow})
	}
}

// flow is inflow's, of all segments that are wanted.
func (s *Session) flow(now schedule.Instant) int64 {
	coming, long := false, time.Duration(0)
	for _, r := range s.renditions {
		for _, o := range r.wanted {
			if d := o.coming(); !o.whole && d >= 0 {
				coming, long = true, max(long, d)
			}
		}
	}
	return s.inflow.flow(now, coming, long)
}

// ratePlayed is the highest rate among the variants of which segments are coming,
// in bits per second.
func (s *Session) ratePlayed() (rate int64) {
	pr := s.shown()
	if pr == nil {
		return 0
	}
	for id, r := range s.renditions {
		for _, o := range r.wanted {
			if v := s.variantOf(pr, id); v != nil && !o.whole {
				rate = max(rate, s.rate(v, id))
			}
		}
	}
	return rate
}

// givers is how many neighbours gave something lately.
func (s *Session) givers(now schedule.Instant) (n int) {
	for _, at := range s.traffic.gave {
		if now-at < schedule.Instant(inflowSpan) {
			n++
		}
	}
	return n
}

// coming is for how long o has been coming: since its first block, or since it
// should have begun; negative: it need not have begun yet.
func (o *object) coming() time.Duration {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case !o.begun.IsZero():
		return time.Since(o.begun)
	case !o.sought.IsZero():
		return time.Since(o.sought) - beginWithin
	}
	return -1
}
