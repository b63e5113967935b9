package schedule

import (
	"slices"
	"time"
)

// planUrgent gets the blocks of o from wherever they come in time: peers first
// where they will do, the origin for the rest, both together where nothing will
// do. The origin works from the front and peers from the far end.
func (s *Scheduler) planUrgent(o *object) {
	o.next = min(o.next, s.now+Instant(urgentPoll))
	goal := s.goal(o)
	s.openBlocks(o, true)
	open := s.plan.open
	clear(s.plan.extra[:])
	need := s.scratch(o)

	if at := s.company(); at > s.now && (o.awaited || s.crowded(o, o.n)) {
		o.next = min(o.next, at)
		if o.awaited {
			s.begin(o)
		}
		return
	}
	fetchable, at := s.mayFetch(o, max(1, len(open)))
	if !fetchable && at != Never {
		o.next = min(o.next, at)
	}
	needed := false
	waiting := o.due <= s.now // the player is: at the start, or in a stall
	crowded := s.crowded(o, len(open))
	patient := s.patience(o, len(open)) > s.now || crowded
	alone := !s.mayAskOrigin(o) || s.now < o.trustUntil || !waiting && s.peersSuffice(o, open, goal) ||
		crowded && o.awaited && s.now < o.wantedAt+Instant(trustOthers)
	if alone && waiting && len(open) > 1 {
		// Newcomers begin at different blocks, and have the others from each other.
		k := int(hash(s.cfg.Self, o.salt, 0) % uint64(len(open)))
		slices.Reverse(open[:k])
		slices.Reverse(open[k:])
		slices.Reverse(open)
	}
	limit := max(goal, s.originTime(len(open)))
	for k := len(open) - 1; k >= 0; k-- { // the far end first: the origin begins at the near one
		i := int(open[k].block)
		if waiting {
			limit = s.originTime(k + 1) // both at once, until they meet
		}
		p := s.rescuer(o, i, goal, s.usable)
		open[k].rank = 0
		if p != nil && !waiting {
			if at := s.favourAt(o, i, p, goal); at > s.now {
				s.plan.extra[p.slot]++
				o.next = min(o.next, at)
				continue
			}
		}
		if p == nil || !alone && (p.tried(s.plan.extra[p.slot]) || p.expect(s.now, s.plan.extra[p.slot])+Instant(p.serviceDev) > limit) {
			if fetchable && !(patient && s.promised(o, i)) {
				need[i>>6] |= 1 << (i & 63)
				needed = true
			}
			continue
		}
		s.plan.extra[p.slot]++
		open[k].rank = uint64(p.slot) + 1
	}
	for _, c := range open {
		if c.rank == 0 {
			continue
		}
		if p := s.peers[c.rank-1]; p.room(urgentExtra) {
			s.ask(p, o, int(c.block), false)
		}
	}
	needed = s.rescueLate(o, need, goal, fetchable) || needed
	if needed && !s.turn(o, len(open)) {
		needed = false
	}
	if needed {
		s.share(o, need)
		s.startFetches(o, need)
	}
	s.moveQueued(o, urgentExtra)
	s.fill(o, urgentExtra)
	s.checkFetches(o)
}

// company is until when a newcomer may wait for viewers that it has still to
// meet: they are there, and have been found by now, but it takes some round trips
// to connect, of which the longest counts. Where even the nearest node is far away it is
// not worth it; one neighbour that is farther than the others is no reason to give up.
func (s *Scheduler) company() Instant {
	if s.met == Never {
		return 0
	}
	spoken, until := 0, Instant(0)
	nearest, longest := companyMost, firstRTT
	for m := s.present; m != 0; m &= m - 1 {
		p := s.peers[m.first()]
		nearest, longest = min(nearest, p.rtt), max(longest, p.rtt)
		if p.role == Viewer && (p.spokeAt != 0 || !p.uploads) {
			spoken++
			until = max(until, p.spokeAt+Instant(inOneGo))
		}
	}
	if spoken >= min(s.viewers()-1, companyEnough) {
		return until
	}
	if companyTrips*nearest+companyBase > companyMost {
		return 0
	}
	return s.met + Instant(min(companyTrips*longest+companyBase, companyMost))
}

// begin gets the first segment of a newcomer under way while those who hold it
// are about to turn up: its beginning from the origin, the rest from whoever has
// turned up. The more viewers there are the less it takes from the origin, so that
// newcomers together take half a segment, however many they are. Where there is room for
// haste, the origin is asked for all of it, until others can send what is still to come.
func (s *Scheduler) begin(o *object) {
	if empty(o.cover) && o.nheld == 0 && s.mayAskOrigin(o) {
		part := o.n
		if !s.opening(o) {
			part = int(s.newcomersShare(o)*float64(o.n)) / s.viewers()
		}
		need := s.scratch(o)
		for i := range part {
			need[i>>6] |= 1 << (i & 63)
		}
		if s.startFetches(o, need) {
			s.openBlocks(o, true)
		}
	}
	for _, c := range s.plan.open {
		if p := s.holder(o, int(c.block)); p != nil && p.room(urgentExtra) {
			s.ask(p, o, int(c.block), false)
		}
	}
}

// newcomersShare is how many segments newcomers may fetch in all: half of one, or less
// if the origin's line has no room for that beside the publisher while one is played.
func (s *Scheduler) newcomersShare(o *object) float64 {
	if s.origin.line == 0 {
		return newcomersMost
	}
	room := o.duration.Seconds()/(s.origin.line.Seconds()*float64(o.n)) - 1
	return min(max(room, 0), newcomersMost)
}

// crowded reports whether the origin's line is far too narrow for all viewers to fetch
// n blocks of o at once. Whoever fetches them for all must not be joined by all.
func (s *Scheduler) crowded(o *object, n int) bool {
	if s.alone(o) {
		return false // its line has been found wide enough
	}
	return s.forAll(n) > 2*o.duration
}

// forAll is how long the origin's line takes for n blocks to each viewer.
func (s *Scheduler) forAll(n int) time.Duration { return time.Duration(s.viewers()*n) * s.origin.line }

// swamped reports whether the origin's line carries less than all viewers watch, so that
// newcomers need whatever helps: publishers send them what others have, too, and copies
// are asked for as soon as they may help. In simulation thirty who come to a line of four
// copies stalled for twice as long without that.
func (s *Scheduler) swamped(o *object) bool {
	return s.forAll(o.n) > o.duration
}

// favourAt is when p, if it is a publisher that did not offer block i, shall be
// asked for it all the same: there must be time left for that, but also have been
// time for the block to come from whomever it was offered to.
func (s *Scheduler) favourAt(o *object, i int, p *peer, goal Instant) Instant {
	if !s.publishers.has(p.slot) || o.blocks[i].holders.has(p.slot) || s.interested(o.id.Rendition)&^s.publishers == 0 {
		return s.now
	}
	spread := o.due - s.lastHalf(o)
	return min(spread, goal-Instant(lastResort)-2*(p.expect(s.now, s.plan.extra[p.slot])-s.now))
}

// peersSuffice reports whether neighbours that hold the open blocks can send them
// in time, or no later than the origin could: then it is left alone.
func (s *Scheduler) peersSuffice(o *object, open []candidate, goal Instant) bool {
	if len(open) == 0 {
		return true
	}
	limit := max(goal, s.originTime(len(open)))
	defer clear(s.plan.extra[:])
	for _, c := range open {
		p := s.holder(o, int(c.block))
		if p == nil || p.expect(s.now, s.plan.extra[p.slot]) > limit {
			return false
		}
		s.plan.extra[p.slot]++
	}
	return true
}

// holder returns the neighbour, not a publisher, that would be soonest with block
// i behind what is meant for it already.
func (s *Scheduler) holder(o *object, i int) *peer {
	b := &o.blocks[i]
	var best *peer
	soonest := Never
	for m := s.credible(b.holders &^ s.publishers &^ b.refused); m != 0; m &= m - 1 {
		p := s.peers[m.first()]
		if p.tried(s.plan.extra[p.slot]) {
			continue
		}
		if cost := p.weigh(p.expect(s.now, s.plan.extra[p.slot]) - s.now); cost < soonest {
			best, soonest = p, cost
		}
	}
	return best
}

// share narrows need to what no neighbour is fetching yet, or, if they fetch it
// all, to the far half of it: viewers in the same need bring different blocks
// and have them from each other. What a liar claims is fetched a little later.
func (s *Scheduler) share(o *object, need []uint64) {
	believed := o.believed()
	if believed == 0 {
		return
	}
	total, free := 0, 0
	for i := next(need, 0); i >= 0; i = next(need, i+1) {
		total++
		if o.blocks[i].claimed&believed == 0 {
			free++
		}
	}
	if free == total {
		return
	}
	skip := total / 2
	for i := next(need, 0); i >= 0; i = next(need, i+1) {
		if free > 0 && o.blocks[i].claimed&believed != 0 || free == 0 && skip > 0 {
			need[i>>6] &^= 1 << (i & 63)
			skip--
		}
	}
}

// scratch returns an empty bitmap for o.
func (s *Scheduler) scratch(o *object) []uint64 {
	s.plan.need = slices.Grow(s.plan.need[:0], len(o.lack))[:len(o.lack)]
	clear(s.plan.need)
	return s.plan.need
}

// rescuer returns who of m could send an urgent block first, counting the blocks
// meant for each already. A publisher counts though it announced nothing: it
// signed the segment. It is preferred only if others would be late.
func (s *Scheduler) rescuer(o *object, i int, goal Instant, m mask) *peer {
	b := &o.blocks[i]
	m &= (b.holders | s.publishers&^o.denied) &^ b.refused &^ b.asked
	if good := s.credible(m); good != 0 {
		m = good
	}
	var best, server *peer
	soonest, served := Never, Never
	for ; m != 0; m &= m - 1 {
		p := s.peers[m.first()]
		cost := s.now + p.weigh(p.expect(s.now, s.plan.extra[p.slot])-s.now)
		if p.tried(s.plan.extra[p.slot]) {
			cost += Instant(lastResort)
		}
		if s.publishers.has(p.slot) {
			if !b.holders.has(p.slot) {
				cost += Instant(lastResort) // it serves first what it offered
			}
			if cost < served {
				server, served = p, cost
			}
		} else if cost < soonest {
			best, soonest = p, cost
		}
	}
	if server != nil && (best == nil || soonest > goal && served < soonest && !s.spares(o)) {
		return server
	}
	return best
}

// spares reports whether o is left to neighbours and origin though a publisher would be
// sooner: a newcomer's first segment, for half a second.
func (s *Scheduler) spares(o *object) bool {
	return o.live && o.awaited && s.now < o.wantedAt+Instant(trustOthers/2) && s.mayAskOrigin(o) && !s.swamped(o)
}

// rescueLate looks at blocks that are on their way and will not be in time, and
// asks for them elsewhere or adds them to need. It reports whether it did that.
func (s *Scheduler) rescueLate(o *object, need []uint64, goal Instant, fetchable bool) (needed bool) {
	if s.narrow {
		return false
	}
	lacking := o.n - int(o.nheld)
	crowded := s.crowded(o, lacking)
	if s.lossy(o) {
		lacking = s.missing(o, goal)
	}
	hard := s.patience(o, lacking)
	for i := next(o.lack, 0); i >= 0; i = next(o.lack, i+1) {
		b := &o.blocks[i]
		f := s.covering(o, i)
		if f == nil && b.asked == 0 {
			continue
		}
		coming := s.coming(o, i)
		if f != nil {
			if !f.overdue(s.now, &s.origin) {
				continue // fill has asked peers for the far end
			}
			coming = min(coming, f.expect(s.now, &s.origin, i))
		}
		if flowing := s.flowing(o, i); coming <= goal || coming <= o.due && flowing {
			if f != nil || !fetchable || hard > s.now || flowing || !s.doubtful(o, i) {
				continue
			}
			coming = Never
		}
		// Only a copy that is expected much sooner is worth it.
		gain := copyGain
		if !s.proven(o, i) || s.swamped(o) {
			gain = strangerGain
		}
		by := s.now + (coming-s.now)*2/3 - Instant(gain)
		if coming == Never {
			by = Never
		}
		if b.asked.count() < 2 && s.mayCopy() {
			if p := s.rescuer(o, i, goal, s.usable); p != nil && p.room(urgentExtra) && p.expect(s.now, 0) < by {
				last := goal - 2*(p.expect(s.now, 0)-s.now) // to ask it
				if f == nil && !crowded && s.reliable(o, i) && last > s.now {
					o.next = min(o.next, last) // by then it may be on its way
					continue
				}
				s.ask(p, o, i, b.asked != 0)
				continue
			}
		}
		if fetchable && f == nil && s.originTime(1) < by {
			if at := max(hard, o.trustUntil); at > s.now {
				o.next = min(o.next, at) // it may still come
				continue
			}
			need[i>>6] |= 1 << (i & 63)
			needed = true
		}
	}
	return needed
}

// missing is how many blocks of o that were asked of peers are not expected before goal,
// and have not begun to come.
func (s *Scheduler) missing(o *object, goal Instant) (n int) {
	for i := next(o.lack, 0); i >= 0; i = next(o.lack, i+1) {
		if o.blocks[i].asked != 0 && !o.cover.Has(i) && !s.flowing(o, i) && s.coming(o, i) > goal {
			n++
		}
	}
	return n
}

// patience is until when an urgent segment may still wait for a busy holder or
// for a neighbour's fetch: as long as the origin could bring it all in time. Where its
// line has room, it need not be only just in time.
func (s *Scheduler) patience(o *object, n int) Instant {
	at := o.due - Instant(s.origin.slow(n)) - Instant(hardBase)
	if s.roomy(o) {
		at -= 2 * Instant(s.origin.ttfbDev)
	}
	return at
}

// promised reports whether a neighbour says that it fetches block i.
func (s *Scheduler) promised(o *object, i int) bool {
	return o.blocks[i].claimed&o.believed() != 0
}

// turn reports whether it is our turn to fetch n urgent blocks of o that all
// neighbours may be missing: they take turns while there is time, so that one
// fetch may serve all.
func (s *Scheduler) turn(o *object, n int) bool {
	hard := s.patience(o, n)
	if s.origin.usual(o.n) > o.duration {
		hard = Never // it cannot feed even us: the fewer ask, the sooner somebody has it
	} else if s.crowded(o, n) {
		hard = o.due
	}
	begin := o.due - s.urgentWindow(o)
	at := begin
	if s.viewers() > smallSwarm { // it is on its way to some still: few are early
		last := min(hard, o.due+Instant(o.duration))
		at += Instant(float64(max(0, last-begin)) * s.exponential(o, 0, urgentRound))
	} else {
		at += Instant(s.rankOf(o, 0)) * Instant(max(s.origin.usual(n), time.Duration(minStep)))
	}
	at = min(at, hard)
	if at <= s.now {
		return true
	}
	o.next = min(o.next, at)
	return false
}
