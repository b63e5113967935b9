package schedule

import "time"

// peerTimers looks after one peer: time-outs, pardons.
func (s *Scheduler) peerTimers(p *peer) {
	if p.suspect {
		if p.pardonAt > s.now {
			s.at(p.pardonAt)
			return
		}
		// It gets one block to show that it is back.
		p.suspect, p.depth = false, 1
		s.rate(p)
		s.touchAll()
	}
	if p.busyUntil > s.now {
		s.at(p.busyUntil)
	} else if p.busyUntil != 0 {
		p.busyUntil = 0
		s.freed, s.dirty = true, true
	}
	for k := range p.asks {
		if a := &p.asks[k]; a.until <= s.now {
			s.late(a)
		}
	}
	t := p.timeout()
	if s.narrow {
		t = max(t, p.progress+Instant(narrowSilent))
	}
	if t > s.now {
		s.at(min(t, p.overdue()))
		return
	}
	s.stats.Timeouts++
	s.gate.heard(false)
	p.missed++
	p.mark = s.now
	p.failed()
	if p.missed >= 2 || time.Duration(s.now-p.progress) >= silent {
		s.suspectPeer(p, "no answer")
		return
	}
	p.depth = max(1, p.depth/2)
	for k := range p.asks {
		a := &p.asks[k]
		if a.began == 0 && (k == 0 || a.at+Instant(p.rto()) <= s.now) {
			s.late(a)
			s.touch(a.o)
		}
	}
	s.at(min(p.timeout(), p.overdue()))
}

// late notes that the time-out of an ask has passed.
func (s *Scheduler) late(a *ask) {
	if !a.late {
		a.late = true
		a.o.late++
		s.touch(a.o)
	}
}

// suspectPeer stops relying on p until it delivers something or is pardoned. Where packets
// are lost what it may have sent already is left to it: that comes, once it has been sent
// again, and would come twice if it were asked of another before it has to be.
func (s *Scheduler) suspectPeer(p *peer, why string) {
	s.stats.Suspects++
	p.suspect = true
	p.pardon = min(max(2*p.pardon, firstPardon), lastPardon)
	p.pardonAt = s.now + Instant(p.pardon)
	s.at(p.pardonAt)
	s.rate(p)
	s.orphan(p)
	s.act(Suspect{Peer: p.id, Why: why})
	lossy := s.gate.flaky() && p.delivered > 0
	for k := len(p.asks) - 1; k >= 0; k-- {
		a := &p.asks[k]
		s.touch(a.o)
		if lossy && (k < maxPeerSlots || a.began != 0) {
			s.late(a)
		} else {
			s.giveBack(p, k, true)
		}
	}
	if p.pardon >= dropAfter && p.role == Viewer && s.served(p) {
		s.act(Drop{Peer: p.id, Why: "announces and does not deliver"})
	}
}

// served reports whether somebody else has delivered while p did not: then it is not
// our line that keeps p's answers from us.
func (s *Scheduler) served(p *peer) bool {
	since := s.now - Instant(p.pardon)
	for m := s.usable &^ only(p.slot); m != 0; m &= m - 1 {
		if q := s.peers[m.first()]; q.role == Viewer && q.delivered > 0 && q.failures == 0 && q.progress > since {
			return true
		}
	}
	return false
}

// pardon notes that p has delivered.
func (s *Scheduler) pardon(p *peer) {
	p.pardon = 0
	if p.suspect {
		p.suspect, p.depth = false, 2
		s.rate(p)
		s.touchAll()
	}
}
