package schedule

import (
	"slices"
	"time"

	"coral/store/segment"
)

// request is a block that a peer asked for and waits for.
type request struct {
	p     *peer
	o     *object
	block int
	due   Instant
	at    Instant
}

// sending is a block that the network has been handed.
type sending struct {
	p     *peer
	id    segment.ID
	block int
	at    Instant
	after int // blocks for others that were handed over later and are gone
}

// uplinkModel is how fast blocks leave.
type uplinkModel struct {
	service, dev time.Duration // from block to block
	last         Instant
}

// requested takes a peer's request: into the queue, or refused at once so that
// it can ask elsewhere.
func (s *Scheduler) requested(ev Requested) {
	p := s.peer(ev.Peer)
	if p == nil || p.banned {
		return
	}
	o := s.object(ev.ID)
	switch {
	case !s.cfg.Share:
		s.refuse(p, ev, NotSharing)
		return
	case o == nil || ev.Block < 0 || ev.Block >= o.n || !o.held(ev.Block):
		s.refuse(p, ev, NotHeld)
		return
	case ev.Due <= s.now:
		s.refuse(p, ev, Late)
		return
	}
	if s.onItsWay(p, o, ev.Block) {
		return
	}
	same := 0
	for k := range s.queue {
		r := &s.queue[k]
		if r.o != o || r.block != ev.Block {
			continue
		}
		if r.p == p {
			r.due = ev.Due
			return
		}
		same++
	}
	if ev.Due > s.now+Instant(urgentUpload) && s.elsewhere(o, ev.Block, p) {
		s.refuse(p, ev, Elsewhere)
		return
	}
	long := s.backlog() > maxBacklog && len(s.queue)+len(s.sending) >= minQueue
	rare := ev.Due-s.now < Instant(urgentUpload) && s.rare(o, ev.Block, p)
	if p.queued >= maxPeerQueue || len(s.queue) >= maxQueue || same >= maxBlockQueue || long && !rare && !s.offered(o, ev.Block, p) {
		s.refuse(p, ev, Busy)
		return
	}
	if s.cfg.SuperSeed && o.live && s.expanded < maxExpanded {
		s.expand(o) // to remember who was sent which block
	}
	if o.blocks != nil {
		// Whoever asks for a block does not have it, whatever it said.
		o.blocks[ev.Block].holders &^= only(p.slot)
		o.blocks[ev.Block].given &^= only(p.slot)
	}
	o.full &^= only(p.slot)
	p.queued++
	s.idle = true
	s.queue = append(s.queue, request{p: p, o: o, block: ev.Block, due: ev.Due, at: s.now})
	s.seedAsked(o, ev.Block, p)
	if s.cfg.SuperSeed && o.live && !o.seeding && same == 0 {
		// It is hidden from the others from now on.
		o.hides = true
		s.announce(o, s.audience(o)&^only(p.slot), false)
	}
}

// elsewhere reports whether p can have a block that a super-seeder did not offer it from
// another: from one that was sent it and has announced it, is being sent it, or waits for
// it, and passes on what it gets. Of what is no live stream they want it at different
// times.
func (s *Scheduler) elsewhere(o *object, block int, p *peer) bool {
	if !s.cfg.SuperSeed || !o.live || s.offered(o, block, p) || s.swamped(o) {
		return false
	}
	var others mask
	if o.blocks != nil {
		others = o.blocks[block].holders & o.blocks[block].given
	}
	for k := range s.queue {
		if r := &s.queue[k]; r.o == o && r.block == block {
			others |= only(r.p.slot)
		}
	}
	for _, x := range s.sending {
		if x.id == o.id && x.block == block {
			others |= only(x.p.slot)
		}
	}
	for m := s.credible(others &^ only(p.slot)); m != 0; m &= m - 1 {
		if s.peers[m.first()].spread < maxRTO {
			return true
		}
	}
	return false
}

// backlog is how long the uplink takes for what waits for it.
func (s *Scheduler) backlog() time.Duration {
	return time.Duration(len(s.queue)+len(s.sending)) * s.uplink.service
}

// offered reports whether a super-seeder has shown p that block in particular.
func (s *Scheduler) offered(o *object, block int, p *peer) bool {
	return o.seeding && o.blocks[block].shown.has(p.slot)
}

func (s *Scheduler) refuse(p *peer, ev Requested, why RefuseReason) {
	s.stats.Refusals++
	s.act(Refuse{Peer: p.id, ID: ev.ID, Block: ev.Block, Reason: why})
}

// onItsWay reports whether the network has that block for p already.
func (s *Scheduler) onItsWay(p *peer, o *object, block int) bool {
	return slices.ContainsFunc(s.sending, func(x sending) bool { return x.p == p && x.block == block && x.id == o.id })
}

// rare reports whether at most one peer beside us has the block.
func (s *Scheduler) rare(o *object, block int, asker *peer) bool {
	return (o.holders(block) &^ only(asker.slot)).count() <= 1
}

func (s *Scheduler) cancelled(ev Cancelled) {
	p, o := s.peer(ev.Peer), s.object(ev.ID)
	if p == nil || o == nil {
		return
	}
	if k := slices.IndexFunc(s.queue, func(r request) bool { return r.p == p && r.o == o && r.block == ev.Block }); k >= 0 {
		s.unqueue(k)
		s.seedIgnored(o, ev.Block, p)
	}
}

// unqueue takes the k-th request out of the queue.
func (s *Scheduler) unqueue(k int) {
	s.queue[k].p.queued--
	s.queue = without(s.queue, k)
}

// dropRequests refuses the queued requests that match.
func (s *Scheduler) dropRequests(match func(*request) bool, why RefuseReason) {
	for k := 0; k < len(s.queue); {
		r := &s.queue[k]
		if !match(r) {
			k++
			continue
		}
		if s.present.has(r.p.slot) {
			s.refuse(r.p, Requested{ID: r.o.id, Block: r.block}, why)
		}
		s.unqueue(k)
	}
}

// serve hands blocks to the network while slots are free.
func (s *Scheduler) serve() {
	if !s.idle {
		return
	}
	s.idle = false
	busy := 0
	for k := range s.sending {
		if t := s.stuckAt(&s.sending[k]); t > s.now {
			busy++
			s.at(t)
		}
	}
	for ; busy < s.atOnce() && len(s.queue) > 0; busy++ {
		k := s.pickRequest()
		if k < 0 {
			return
		}
		r := s.queue[k]
		s.unqueue(k)
		r.p.sending++
		s.sending = append(s.sending, sending{p: r.p, id: r.o.id, block: r.block, at: s.now})
		s.stats.Sends++
		s.act(Send{Peer: r.p.id, ID: r.o.id, Block: r.block})
		s.at(s.stuckAt(&s.sending[len(s.sending)-1]))
	}
}

// stuckAt is from when on a block that the network was handed is taken to wait for its
// receiver's line, not for our uplink: once as many have gone past it as are sent at
// once, or soon if all are for that receiver, so that none can.
func (s *Scheduler) stuckAt(x *sending) Instant {
	switch {
	case x.after >= s.atOnce():
		return 0
	case int(x.p.sending) == len(s.sending):
		return x.at + Instant(min(stuckAlone*s.uplink.service, stuckAfter))
	}
	return x.at + Instant(stuckAfter)
}

// atOnce is how many blocks are handed to the network at a time: fewer on a slow
// uplink, where each would wait long for those before it.
func (s *Scheduler) atOnce() int {
	if s.uplink.service > slowUplink {
		return min(s.cfg.Slots, 2)
	}
	return s.cfg.Slots
}

// pickRequest chooses what to send next, or -1. Requests that have become
// pointless are dropped on the way.
func (s *Scheduler) pickRequest() int {
	best := -1
	var least urgency
	for k := 0; k < len(s.queue); {
		r := &s.queue[k]
		if r.o.holders(r.block).has(r.p.slot) {
			s.unqueue(k)
			continue
		}
		if r.due <= s.now {
			s.refuse(r.p, Requested{ID: r.o.id, Block: r.block}, Late)
			s.seedIgnored(r.o, r.block, r.p)
			s.unqueue(k)
			continue
		}
		if r.p.sending < maxPeerSlots {
			if u := s.urgencyOf(r); best < 0 || u.before(least) {
				best, least = k, u
			}
		}
		k++
	}
	return best
}

// urgency orders requests: who may stall, then what fewest have, then who got
// least, then what is due first.
type urgency struct {
	class    int
	replicas int
	got      int64
	due, at  Instant
}

func (u urgency) before(v urgency) bool {
	switch {
	case u.class != v.class:
		return u.class < v.class
	case u.replicas != v.replicas:
		return u.replicas < v.replicas
	case u.got != v.got:
		return u.got < v.got
	case u.due != v.due:
		return u.due < v.due
	}
	return u.at < v.at
}

func (s *Scheduler) urgencyOf(r *request) urgency {
	u := urgency{class: 1, replicas: r.o.replicas(r.block), got: r.p.decayed(s.now), due: r.due, at: r.at}
	if r.due-s.now < Instant(urgentUpload) || s.now-r.at > Instant(starved) {
		u.class, u.replicas = 0, 0
	} else if r.o.seeding && !r.o.blocks[r.block].shown.has(r.p.slot) {
		u.class = 2
	}
	if !r.p.uploads {
		u.class++ // whoever passes things on serves others with them, too
	}
	return u
}

// sent takes the network's word that a block is gone.
func (s *Scheduler) sent(ev Sent) {
	k := slices.IndexFunc(s.sending, func(x sending) bool {
		return x.p.id == ev.Peer && x.id == ev.ID && x.block == ev.Block
	})
	if k < 0 {
		return
	}
	x := s.sending[k]
	for j := range s.sending[:k] {
		if s.sending[j].p != x.p {
			s.sending[j].after++
		}
	}
	s.sending = without(s.sending, k)
	ewma(&s.uplink.service, &s.uplink.dev, max(time.Duration(s.now-max(x.at, s.uplink.last)), 100*time.Microsecond))
	s.uplink.last = s.now
	x.p.sending--
	s.idle = true
	o := s.object(x.id)
	if o == nil || x.block >= o.n {
		return
	}
	x.p.decayed(s.now)
	x.p.recent += int64(o.bytes(x.block))
	if o.blocks != nil {
		o.blocks[x.block].given |= only(x.p.slot)
	}
	s.seedSent(o, x.block, x.p)
}

// uploadTimers asks for a look when a slot counts as stuck.
func (s *Scheduler) uploadTimers() {
	if len(s.queue) == 0 {
		return
	}
	for k := range s.sending {
		if t := s.stuckAt(&s.sending[k]); t > s.now {
			s.at(t)
		} else {
			s.idle = true
		}
	}
}
