package schedule

import "time"

// ration is how many blocks of o may be fetched now, and if none, when one may. Where
// the origin's line is far too narrow for all, and a publisher serves what it reads over
// it, each viewer keeps to its share of half of what that leaves: the other half is for
// a publisher that has fallen behind. Else all who are late for a moment load the line,
// the publisher falls behind, and all are late for good.
func (s *Scheduler) ration(o *object) (n int, at Instant) {
	every := s.every(o)
	if every == 0 {
		return o.n, s.now
	}
	saved := s.now + savings(o, every) - max(s.origin.paid, s.now)
	return max(0, int(saved/every)), s.now + every - saved
}

// spend notes that n blocks of o are fetched.
func (s *Scheduler) spend(o *object, n int) {
	if every := s.every(o); every > 0 {
		s.origin.paid = max(s.origin.paid, s.now) + Instant(n)*every
	}
}

// every is in which time a viewer may fetch one block of o; 0: as it likes.
func (s *Scheduler) every(o *object) Instant {
	if !s.crowded(o, o.n) || !s.published() {
		return 0
	}
	left := Beside(time.Duration(o.n)*s.origin.line, o.duration)
	return Instant(float64(s.viewers()) * float64(s.origin.line) / left)
}

// Beside is which part of an origin's line that a segment keeps busy for took, and that a
// publisher reads over, is for viewers. It is more than 0.
func Beside(took, plays time.Duration) float64 {
	return max(leastLeft, 0.5-took.Seconds()/plays.Seconds()/2)
}

// published reports whether a publisher that serves is a neighbour, be it one that has just
// let us wait: it is then that all turn to the origin.
func (s *Scheduler) published() bool {
	for m := s.present; m != 0; m &= m - 1 {
		if p := s.peers[m.first()]; p.role == Publisher && p.uploads && !p.banned {
			return true
		}
	}
	return false
}

// savings is how much of a ration is kept that is not used: a quarter of a segment, or
// one block.
func savings(o *object, every Instant) Instant { return max(every, every*Instant(o.n)/4) }
