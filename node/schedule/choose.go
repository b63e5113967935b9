package schedule

import (
	"cmp"
	"slices"
	"time"
)

// plan is scratch space of planning.
type plan struct {
	open  []candidate
	extra []int16 // blocks meant for a peer, by slot, beyond those asked of it
	need  []uint64
}

// candidate is a block that could be asked for.
type candidate struct {
	block int32
	rank  uint64 // lowest first
}

// maxCandidates bounds how many blocks of one segment are weighed at once.
const maxCandidates = 256

// planAll looks at every wanted segment that something has happened to,
// earliest due first.
func (s *Scheduler) planAll() {
	freed := s.freed
	s.dirty, s.freed = false, false
	for k := 0; k < len(s.wants); k++ {
		o := s.wants[k]
		if !o.dirty && !(freed && s.waiting(o)) {
			continue
		}
		if s.narrow && k > 0 && s.inTheWay(o) {
			continue // planned when what comes first has come
		}
		o.dirty = false
		s.rush = k > 0 && (s.wants[0].awaited || s.wants[0].due <= s.now)
		s.planObject(o)
		s.at(o.next)
	}
}

// inTheWay reports whether o would take our narrow line from a segment that is due
// before and on its way.
func (s *Scheduler) inTheWay(o *object) bool {
	first := s.wants[0]
	return o.due > first.due+Instant(first.duration/2) && !s.waiting(first)
}

// waiting reports whether o has a block that nobody was asked for.
func (s *Scheduler) waiting(o *object) bool {
	for w := range o.lack {
		x := o.lack[w] &^ o.cover[w]
		for ; x != 0; x &= x - 1 {
			if o.blocks[w<<6+trailing(x)].asked == 0 {
				return true
			}
		}
	}
	return false
}

func (s *Scheduler) planObject(o *object) {
	o.next = Never
	if o.retryAt <= s.now {
		o.retryAt = Never
		for i := range o.blocks {
			o.blocks[i].refused = 0
		}
	}
	o.next = o.retryAt
	s.expireClaims(o)
	s.watchFetches(o)
	if !o.background {
		s.leaveDeaf(o)
		if s.gate.deaf && s.alone(o) {
			s.planAlone(o)
			return
		}
		switch at := o.due - s.urgentWindow(o); {
		case at > s.now:
			o.next = min(o.next, at)
		case !s.rush || !s.opening(o):
			s.planUrgent(o)
			return
		}
	}
	if s.alone(o) && !o.background {
		s.planAlone(o)
		return
	}
	s.planRoom(o)
}

// urgentWindow is how long before its due time o becomes urgent: U of the
// delivery rules.
func (s *Scheduler) urgentWindow(o *object) Instant {
	slow := s.origin.slow(o.n)
	u := max(2*slow+urgentBase, o.duration)
	return Instant(max(min(u, time.Duration(s.lastHalf(o))), slow+hardBase))
}

// lastHalf is the second half of the time there is for o.
func (s *Scheduler) lastHalf(o *object) Instant { return (o.due - max(o.known, o.wantedAt)) / 2 }

// goal is when blocks of o shall be here at the latest.
func (s *Scheduler) goal(o *object) Instant {
	if o.background {
		return Never
	}
	return max(s.now, o.due-margin(o))
}

// margin is how long before its due time that is.
func margin(o *object) Instant { return Instant(min(max(o.duration/8, minMargin), maxMargin)) }

// planRoom asks for what neighbours hold while there is time.
func (s *Scheduler) planRoom(o *object) {
	s.openBlocks(o, false)
	slices.SortFunc(s.plan.open, func(a, b candidate) int { return cmp.Compare(a.rank, b.rank) })
	for _, c := range s.plan.open {
		if p := s.pickRoom(o, int(c.block)); p != nil {
			s.ask(p, o, int(c.block), false)
		}
	}
	s.fill(o, 0)
	s.moveLate(o)
	s.moveQueued(o, 0)
	if !o.background {
		s.suppress(o)
	}
}

// openBlocks lists the blocks of o that nobody was asked for and that no fetch
// brings: in order if inOrder, else rarest first with ties by chance.
func (s *Scheduler) openBlocks(o *object, inOrder bool) {
	s.plan.open = s.plan.open[:0]
	for i := next(o.lack, 0); i >= 0; i = next(o.lack, i+1) {
		b := &o.blocks[i]
		if b.asked != 0 || o.cover.Has(i) {
			continue
		}
		c := candidate{block: int32(i)}
		if !inOrder {
			holders := b.holders & s.usable
			if holders == 0 {
				continue
			}
			c.rank = uint64(holders.count())<<32 | hash(s.cfg.Self, o.salt, uint64(i))>>32
		}
		s.plan.open = append(s.plan.open, c)
		if len(s.plan.open) == maxCandidates {
			return
		}
	}
}

// room reports whether p's pipeline has room for extra more blocks.
func (p *peer) room(extra int) bool { return len(p.asks) < int(p.depth)+extra && p.busyUntil == 0 }

// pickRoom chooses whom to ask for block i, or nobody if all holders are busy. A
// publisher is asked only for what nobody else holds.
func (s *Scheduler) pickRoom(o *object, i int) *peer {
	b := &o.blocks[i]
	m := b.holders & s.usable &^ b.refused
	if others := s.credible(m &^ s.publishers); others != 0 {
		m = others
	} else if good := s.credible(m); good != 0 {
		m = good
	}
	var best *peer
	least := Never
	free := mask(0)
	for x := m; x != 0; x &= x - 1 {
		p := s.peers[x.first()]
		if !p.room(0) || p.tried(0) || s.rush && len(p.asks) > 0 {
			continue
		}
		free |= only(p.slot)
		cost := p.weigh(p.expect(s.now, 0) - s.now)
		if cost < least || cost == least && tie(s.cfg.Self, o.salt, i, p, best) {
			best, least = p, cost
		}
	}
	if n := free.count(); n > 1 {
		if h := hash(s.cfg.Self, o.salt+uint64(i), uint64(s.stats.Asks)); h%explore == 0 {
			for k := int(h >> 32 % uint64(n)); k > 0; k-- {
				free &= free - 1
			}
			return s.peers[free.first()]
		}
	}
	return best
}

// tie decides between two equal peers by a hash.
func tie(self, salt uint64, i int, a, b *peer) bool {
	return b == nil || hash(self, salt+uint64(i), a.key) < hash(self, salt+uint64(i), b.key)
}

// ask asks p for block i.
func (s *Scheduler) ask(p *peer, o *object, i int, copy bool) {
	b := &o.blocks[i]
	if len(p.asks) == 0 {
		p.progress = s.now
	}
	expected := p.expect(s.now, 0)
	until := expected + (expected - s.now) + Instant(p.rto())
	p.asks = append(p.asks, ask{o: o, block: int32(i), at: s.now, copy: copy, expected: expected, until: until})
	b.asked |= only(p.slot)
	due := o.due
	switch late := s.now + Instant(lateAsk); {
	case o.background:
	case s.opening(o):
		due = late
	default:
		due = max(due, late)
	}
	if copy {
		s.inFlight++
		s.stats.Copies++
	}
	s.stats.Asks++
	s.act(Ask{Peer: p.id, ID: o.id, Block: i, Due: due})
	s.at(min(p.timeout(), until))
	b.news = false
}

// fill asks peers for the far end of what fetches of o have still to bring, so
// that the two meet and the fetch can end early.
func (s *Scheduler) fill(o *object, extra int) {
	for _, f := range s.fetches {
		if f.o != o || f.stopping {
			continue
		}
		if s.takeOver(o, f) {
			continue
		}
		asked := false
		// A publisher helps only if the fetch alone would be late.
		avoid := s.publishers
		if f.expect(s.now, &s.origin, f.end-1) > s.goal(o) {
			avoid = 0
		}
		for i := f.end - 1; i > f.next; i-- {
			b := &o.blocks[i]
			if !o.lack.Has(i) || b.asked != 0 {
				continue
			}
			m := b.holders & s.usable &^ s.publishers &^ b.refused
			if s.credible(m) == 0 {
				m |= (b.holders | ^o.denied) & s.publishers &^ b.refused &^ avoid
			}
			p := s.soonest(o, m, extra)
			if p == nil || p.expect(s.now, 0) > s.fillBy(o, f, i) {
				break
			}
			s.ask(p, o, i, false)
			asked = true
		}
		if asked {
			s.checkFetches(o)
		}
	}
}

// takeOver ends f if neighbours hold all that it has still to begin and can send
// it in time, or no later than f would: the origin's line is for what nobody has.
// It also ends f if they hold much of what comes before the last blocks that they
// lack: what is left is fetched anew, without that.
func (s *Scheduler) takeOver(o *object, f *fetch) bool {
	if f.end-f.next < 2 || f.at == s.now {
		return false
	}
	if s.lossy(o) && o.due-s.urgentWindow(o) <= s.now {
		return false // what they can send may have to be sent twice, and here is room
	}
	limit := max(s.goal(o)-margin(o), f.expect(s.now, &s.origin, f.end-1))
	clear(s.plan.extra[:])
	theirs, before, last := 0, 0, -1
	for i := f.next; i < f.end; i++ {
		if !o.lack.Has(i) || s.coming(o, i) <= limit {
			continue
		}
		p := s.holder(o, i)
		if p == nil || p.expect(s.now, s.plan.extra[p.slot]) > limit {
			last, before = i, theirs
			continue
		}
		s.plan.extra[p.slot]++
		theirs++
	}
	if last >= 0 && (before < worthStopping || 3*before < f.end-f.next) {
		return false
	}
	s.stop(f)
	o.trustUntil = s.now + Instant(trustPeers)
	return true
}

// fillBy is when a peer must have sent block i for it to be of use beside f: in
// time for the player if the player waits for it, else before the fetch has got
// there.
func (s *Scheduler) fillBy(o *object, f *fetch, i int) Instant {
	return max(f.expect(s.now, &s.origin, i)-Instant(s.origin.block), s.goal(o)-margin(o))
}

// soonest returns the peer of m with room that is expected to deliver first.
func (s *Scheduler) soonest(o *object, m mask, extra int) *peer {
	var best *peer
	least := Never
	for m = s.credible(m); m != 0; m &= m - 1 {
		p := s.peers[m.first()]
		if !p.room(extra) || p.tried(0) {
			continue
		}
		if cost := p.weigh(p.expect(s.now, 0) - s.now); cost < least {
			best, least = p, cost
		}
	}
	return best
}

// moveLate asks others for blocks whose time-out has passed. The first request
// is kept: a late answer is as good. Where packets are lost most answers are only late,
// and there is the origin when it gets urgent.
func (s *Scheduler) moveLate(o *object) {
	if o.late == 0 || s.lossy(o) {
		return
	}
	for i := next(o.lack, 0); i >= 0; i = next(o.lack, i+1) {
		b := &o.blocks[i]
		if b.asked == 0 || o.cover.Has(i) || !s.allLate(o, i) || !s.mayCopy() {
			continue
		}
		m := b.holders & s.usable &^ b.asked &^ b.refused
		if others := m &^ s.publishers; others != 0 {
			m = others
		}
		if p := s.soonest(o, m, 0); p != nil {
			s.withdraw(o, i, b.asked)
			s.ask(p, o, i, false)
		}
	}
}

// moveQueued moves requests that wait in a slow peer's queue, or with a publisher
// that did not offer the block, to a new holder who will be much faster. Where packets
// are lost what makes a peer slow that does deliver soon passes.
func (s *Scheduler) moveQueued(o *object, extra int) {
	if s.narrow {
		return
	}
	for i := next(o.lack, 0); i >= 0; i = next(o.lack, i+1) {
		b := &o.blocks[i]
		news := b.news
		b.news = false
		if !news || b.asked.count() != 1 || s.flowing(o, i) {
			continue
		}
		old := s.peers[b.asked.first()]
		p := s.soonest(o, b.holders&^b.asked&^b.refused&^s.publishers&s.usable, extra)
		if p == nil {
			continue
		}
		was := old.expectAsk(s.now, old.find(o, i))
		will := p.expect(s.now, 0)
		favour := s.publishers&^b.holders&b.asked != 0
		passes := s.gate.flaky() && old.delivered > 0
		if favour || !passes && will+Instant(moveGain) < was && (was-s.now) > 2*(will-s.now) && was-s.now > Instant(moveGain+2*old.service+old.rtt) {
			s.withdraw(o, i, b.asked)
			s.ask(p, o, i, false)
		}
	}
}
