package schedule

import (
	"slices"
	"time"

	"coral/store/segment"
)

// apply does the bookkeeping of one event and marks what must be planned anew.
func (s *Scheduler) apply(ev Event) {
	switch ev := ev.(type) {
	case Have:
		s.have(&ev)
	case Arriving:
		s.arriving(ev)
	case Got:
		s.got(ev)
	case Requested:
		s.requested(ev)
	case Sent:
		s.sent(ev)
	case Refused:
		s.refused(ev)
	case Cancelled:
		s.cancelled(ev)
	case RTT:
		if p := s.peer(ev.Peer); p != nil && ev.RTT > 0 {
			p.measured(min(ev.RTT, maxRTO))
		}
	case Known:
		s.know(&ev)
	case Forget:
		if o := s.object(ev.ID); o != nil {
			s.forget(o)
		}
	case Want:
		if o := s.object(ev.ID); o != nil {
			s.want(o, ev.Due, ev.Background)
		}
	case Unwant:
		if o := s.object(ev.ID); o != nil {
			s.unwant(o)
		}
	case Fetched:
		s.fetched(ev)
	case FetchEnded:
		s.fetchEnded(ev)
	case Adopted:
		s.adopted(ev)
	case Lost:
		if o := s.object(ev.ID); o != nil && ev.Block >= 0 && ev.Block < o.n {
			s.lost(o, ev.Block)
		}
	case Joined:
		s.joined(ev)
	case Left:
		s.left(ev)
	case Watching:
		s.watching(ev)
	case Claimed:
		s.claimed(ev)
	case Estimate:
		s.estimate = max(ev.N, 0)
	case Narrow:
		s.narrow = ev.On
		s.touchAll()
	case Configured:
		s.configured(ev)
	case Tick:
	}
}

func (s *Scheduler) peer(id Peer) *peer {
	for m := s.present; m != 0; m &= m - 1 {
		if slot := m.first(); s.ids[slot] == id {
			return s.peers[slot]
		}
	}
	return nil
}

func (s *Scheduler) touch(o *object) {
	if o.wanted {
		o.dirty, s.dirty = true, true
	}
}

func (s *Scheduler) touchAll() {
	for _, o := range s.wants {
		o.dirty = true
	}
	s.dirty = true
}

func (s *Scheduler) know(ev *Known) {
	if o := s.object(ev.ID); o != nil {
		o.origin = ev.Origin
		s.touch(o)
		return
	}
	if ev.Size < 0 || ev.Size > segment.MaxSize {
		return
	}
	var o *object
	if k := len(s.pool) - 1; k >= 0 {
		o, s.pool = s.pool[k], s.pool[:k]
	} else {
		o = &object{}
	}
	*o = object{
		id: ev.ID, size: int32(ev.Size), salt: ev.Salt, duration: ev.Duration, live: ev.Live, origin: ev.Origin, known: s.now,
		lack: o.lack, cover: o.cover, claims: o.claims[:0], heard: o.heard[:0], stripes: o.stripes[:0],
		next: Never, retryAt: Never, seedNext: Never,
	}
	o.fits(segment.Blocks(ev.Size))
	if ev.Took > 0 && o.n > 0 {
		s.origin.line = max(1, ev.Took/time.Duration(o.n))
	}
	for i := range o.n {
		if ev.Held.Has(i) {
			o.lack.Clear(i)
			o.nheld++
		}
	}
	if s.learned == Never {
		s.learned = s.now
	}
	i, _ := s.place(o.id)
	s.objects = slices.Insert(s.objects, i, o)
	s.order = append(s.order, o)
	if o.nheld > 0 {
		s.startSeeding(o)
		s.announce(o, s.listeners(o), true)
	}
}

func (s *Scheduler) forget(o *object) {
	s.unwant(o)
	s.dropRequests(func(r *request) bool { return r.o == o }, NotHeld)
	s.stopSeeding(o)
	if o.queued {
		s.flushes = slices.DeleteFunc(s.flushes, func(q *object) bool { return q == o })
	}
	s.discard(o)
	if i := slices.Index(s.order, o); i >= 0 {
		s.order = slices.Delete(s.order, i, i+1)
		for m := s.greeting; m != 0; m &= m - 1 {
			if p := s.peers[m.first()]; int(p.greeted) > i {
				p.greeted--
			}
		}
	}
	if i, ok := s.place(o.id); ok {
		s.objects = slices.Delete(s.objects, i, i+1)
	}
	s.last = nil
	// A fetch that has still to end keeps pointing here: the object is used
	// again only after that.
	if !slices.ContainsFunc(s.fetches, func(f *fetch) bool { return f.o == o }) && len(s.pool) < 16 {
		s.pool = append(s.pool, o)
	}
}

// want puts o into the list of wants, which is kept in order of due times.
func (s *Scheduler) want(o *object, due Instant, background bool) {
	if !o.wanted {
		o.wantedAt, o.awaited = s.now, !background && due <= s.now
		if o.awaited {
			s.awaited = min(s.awaited, s.now)
		}
		// Half a segment short of the last one's due time, which was worked out a moment ago.
		o.first = o.live && s.freshUntil(o) == 0 && s.now <= s.learned+Instant(joinMost) && due-s.now < Instant((firstSegments*2-1)*o.duration/2)
	}
	switch {
	case background:
		due = Never
	case o.awaited:
		// No later than the origin alone would bring it is as good as at once.
		due = max(due, o.wantedAt+Instant(min(s.origin.usual(o.n), o.duration)))
	case s.opening(o):
		due = o.wantedAt + (due-o.wantedAt)/QuickEnough
	default:
		due = max(due, s.freshUntil(o))
	}
	if o.wanted && o.due == due && o.background == background {
		return
	}
	s.unlist(o)
	o.wanted, o.background, o.due = true, background, due
	s.list(o)
}

// freshUntil is until when o, if it appeared while we were there, is not late:
// where the feed lags or players stand still, each new segment would else be
// overdue the moment it is known, and all viewers would take it from the origin
// before one of them could pass it on. That kept an overloaded line overloaded.
func (s *Scheduler) freshUntil(o *object) Instant {
	if o.known <= s.learned+Instant(joinMost) {
		return 0
	}
	return o.known + Instant(fresh*o.duration/2)
}

// opening reports whether o is one of those that a newcomer's player fills its buffer
// with, and the origin has room for all viewers to do so in haste, or for all viewers,
// and packets are lost. Neighbours are asked to send them at once, and the origin brings
// what they cannot, as soon as it alone would: the more a player has in hand, the less
// can make it stall. Where there is no such room, the first segments of others would wait
// for that; and of what is no live stream, all who watch have different parts.
func (s *Scheduler) opening(o *object) bool {
	return o.first && (s.lossy(o) && s.publishers != 0 || Room(hasteRoom*time.Duration(o.n)*s.origin.line, o.duration, s.viewers()))
}

func (s *Scheduler) list(o *object) {
	if o.complete() || !o.wanted {
		return
	}
	s.expand(o)
	i, _ := slices.BinarySearchFunc(s.wants, o, func(a, b *object) int {
		if a.due != b.due {
			if a.due < b.due {
				return -1
			}
			return 1
		}
		return a.id.Compare(b.id)
	})
	s.wants = slices.Insert(s.wants, i, o)
	o.next = Never
	s.touch(o)
}

func (s *Scheduler) unlist(o *object) {
	if i := slices.Index(s.wants, o); i >= 0 {
		s.wants = slices.Delete(s.wants, i, i+1)
	}
}

// unwant ends all work for o.
func (s *Scheduler) unwant(o *object) {
	if !o.wanted {
		return
	}
	s.unlist(o)
	o.wanted, o.background, o.dirty = false, false, false
	s.stopFetches(o)
	if o.blocks != nil {
		for i := range o.blocks {
			s.withdraw(o, i, o.blocks[i].asked)
		}
	}
	s.collapse(o)
}

// acquire notes that block i of o is held now.
func (s *Scheduler) acquire(o *object, i int) {
	o.lack.Clear(i)
	o.cover.Clear(i)
	o.nheld++
	s.credit = min(s.credit+int64(o.bytes(i))/dupShare, dupMost*segment.BlockSize)
	if o.blocks != nil {
		s.withdraw(o, i, o.blocks[i].asked)
	}
	if o.complete() {
		if o.awaited {
			s.begins = min(s.begins, s.now)
		}
		s.judge(o)
		s.unlist(o)
		o.dirty = false
		o.heard = nil // nobody will judge them: in a large swarm they are many
		s.stopFetches(o)
		if o.early && o.firstNew == 0 {
			s.seeded.failed()
		}
	} else {
		s.touch(o)
		s.checkFetches(o)
	}
	if !o.seeding {
		s.startSeeding(o)
	}
	to := s.listeners(o)
	tell := to
	if !o.complete() && s.settled(o, i) {
		tell &^= s.publishers
	}
	s.announce(o, tell, false)
	if !o.complete() && o.replicas(i) > max(commonFrom, to.count()/2) && o.flushAt <= s.now {
		// Many have it already: hardly anybody will ask us.
		o.flushAt = s.now + Instant(2*s.pause())
		s.at(o.flushAt)
	}
}

func (s *Scheduler) lost(o *object, i int) {
	if o.lack.Has(i) {
		return
	}
	o.lack.Set(i)
	o.nheld--
	if s.covering(o, i) != nil {
		o.cover.Set(i) // a fetch has still to bring it
	}
	s.dropRequests(func(r *request) bool { return r.o == o && r.block == i }, NotHeld)
	s.announce(o, s.listeners(o), true)
	if o.wanted && !slices.Contains(s.wants, o) {
		s.list(o)
	}
	s.touch(o)
}

// arriving notes that a block has begun to come. It is on its way then, however long
// it waited: what is fetched elsewhere all the same comes twice.
func (s *Scheduler) arriving(ev Arriving) {
	p, o := s.peer(ev.Peer), s.object(ev.ID)
	if p == nil || o == nil {
		return
	}
	k := p.find(o, ev.Block)
	if k < 0 || p.asks[k].began != 0 {
		return
	}
	a := &p.asks[k]
	a.began, a.until = s.now, s.now+Instant(p.transfer+4*p.transferDev)
	if p.delivered == 0 {
		a.until = max(a.until, s.now+2*Instant(firstWait)) // its uplink may be a slow one
	}
	if a.late {
		a.late = false
		o.late--
	}
	s.at(a.until)
}

// got takes a block that a peer sent, asked for or not.
func (s *Scheduler) got(ev Got) {
	p, o := s.peer(ev.Peer), s.object(ev.ID)
	if o == nil || ev.Block < 0 || ev.Block >= o.n {
		return
	}
	i := ev.Block
	if p != nil {
		if k := p.find(o, i); k >= 0 {
			s.unask(p, k)
			if ev.OK {
				p.answered(s.now, k)
				s.gate.heard(true)
			} else {
				p.remove(s.now, k)
			}
		}
		if !ev.OK {
			s.stats.Bad++
			p.banned = true
			s.rate(p)
			s.abandon(p, true)
			s.touchAll()
			return
		}
		p.alive(s.now)
		s.pardon(p)
		if o.blocks != nil {
			o.blocks[i].holders |= only(p.slot)
		}
	} else if !ev.OK {
		return
	}
	s.freed, s.dirty = true, true
	if o.held(i) {
		s.duplicate(o.bytes(i))
		return
	}
	s.stats.FromPeers += int64(o.bytes(i))
	s.acquire(o, i)
}

// refused takes a peer's word that it will not send a block.
func (s *Scheduler) refused(ev Refused) {
	p, o := s.peer(ev.Peer), s.object(ev.ID)
	if p == nil || o == nil || ev.Block < 0 || ev.Block >= o.n {
		return
	}
	k := p.find(o, ev.Block)
	if k < 0 {
		return
	}
	s.unask(p, k)
	p.remove(s.now, k)
	p.alive(s.now)
	b := &o.blocks[ev.Block]
	switch ev.Reason {
	case Busy:
		p.busies++
		p.depth = max(1, p.depth-1)
		// It says that its queue is long: so much for the next block.
		ewma(&p.service, &p.serviceDev, p.service+maxBacklog)
		p.busyUntil = s.now + Instant(min(max(time.Duration(p.busies)*p.service/2, minBusy), maxBusy))
		s.at(p.busyUntil)
	case NotHeld:
		b.holders &^= only(p.slot)
		o.full &^= only(p.slot)
		o.denied |= only(p.slot)
	case NotSharing:
		p.uploads = false
		s.rate(p)
		s.abandon(p, true)
	}
	b.refused |= only(p.slot)
	if o.retryAt == Never {
		o.retryAt = s.now + Instant(min(max(2*p.service, minRetry), maxRetry))
	}
	s.freed, s.dirty = true, true
	s.touch(o)
}

// unask gives back what the k-th ask of p holds; the caller removes it.
func (s *Scheduler) unask(p *peer, k int) {
	a := &p.asks[k]
	a.o.blocks[a.block].asked &^= only(p.slot)
	if a.copy {
		s.inFlight--
	}
	if a.late {
		a.o.late--
	}
}

// withdraw takes block i of o back from the peers in m.
func (s *Scheduler) withdraw(o *object, i int, m mask) {
	for ; m != 0; m &= m - 1 {
		p := s.peers[m.first()]
		k := p.find(o, i)
		if k < 0 {
			continue
		}
		s.giveBack(p, k, true)
		s.freed, s.dirty = true, true
	}
}

// abandon takes back everything asked of p. tell: it is still there to be told.
func (s *Scheduler) abandon(p *peer, tell bool) {
	for k := len(p.asks) - 1; k >= 0; k-- {
		s.touch(p.asks[k].o)
		s.giveBack(p, k, tell)
	}
	s.dirty = true
}

// giveBack takes the k-th ask of p back.
func (s *Scheduler) giveBack(p *peer, k int, tell bool) {
	a := p.asks[k]
	s.unask(p, k)
	p.remove(s.now, k)
	if tell {
		s.stats.Withdrawals++
		s.act(Withdraw{Peer: p.id, ID: a.o.id, Block: int(a.block)})
	}
}

func (s *Scheduler) configured(ev Configured) {
	s.cfg.Share, s.cfg.Origin = ev.Share, ev.Origin
	if !ev.Share {
		s.dropRequests(func(*request) bool { return true }, NotSharing)
	} else {
		for m := s.present; m != 0; m &= m - 1 {
			s.greet(s.peers[m.first()])
		}
	}
	s.touchAll()
}
