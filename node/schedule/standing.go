package schedule

import "time"

// Standing is what was measured of a peer, to begin with when it is met again.
// The zero Standing says that it was not measured.
type Standing struct {
	RTT       time.Duration
	Service   time.Duration // from block to block, its queue included
	Good, Bad uint32        // answered in time or not; decaying, in 256ths
}

// standingFrom is how many blocks a peer must have delivered for what was
// measured of it to be worth remembering: few, for the slow ones deliver few.
const standingFrom = 3

// Standing returns what was measured of a connected peer; zero: too little.
func (s *Scheduler) Standing(id Peer) Standing {
	p := s.peer(id)
	if p == nil || p.delivered < standingFrom || p.banned {
		return Standing{}
	}
	return Standing{p.rtt, p.service, p.good, p.bad}
}

// recall begins with what was measured before, and half of the trust: times have
// changed, and one answer will tell.
func (p *peer) recall(k Standing) {
	if k.Service <= 0 || k.RTT < 0 {
		return
	}
	p.rtt, p.service, p.serviceDev = k.RTT, k.Service, k.Service/2
	p.good, p.bad = k.Good/2, k.Bad/2
	p.depth = int32(p.pipeline())
}
