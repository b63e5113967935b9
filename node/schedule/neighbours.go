package schedule

import (
	"slices"

	"coral/store/segment"
)

func (s *Scheduler) joined(ev Joined) {
	if s.peer(ev.Peer) != nil {
		return
	}
	slot := int8((^s.present).first())
	if slot >= maxPeers {
		return
	}
	if int(slot) == len(s.peers) { // the lowest free one: never beyond
		s.peers, s.ids = append(s.peers, &peer{}), append(s.ids, 0)
		s.plan.extra = append(s.plan.extra, 0)
	}
	p := s.peers[slot]
	*p = peer{
		id: ev.Peer, slot: slot, key: ev.Key, role: ev.Role, uploads: ev.Uploads,
		rtt: firstRTT, service: firstService, serviceDev: firstService / 2, wait: firstWait, waitDev: firstWaitDev,
		transfer: firstTransfer, transferDev: firstWaitDev,
		depth: firstDepth, asks: p.asks[:0], watching: p.watching[:0],
		spread: firstSpread, recentAt: s.now, emptySince: s.now, claimsSince: s.now, greeted: -1,
	}
	p.recall(ev.Known)
	s.met = min(s.met, s.now)
	s.ids[slot] = ev.Peer
	s.present |= only(slot)
	s.crowd.known = false
	if p.role == Viewer {
		s.watchers |= only(slot)
	}
	if s.now < s.begun+Instant(joinMost) {
		s.meeting = max(s.meeting, s.now+Instant(helloGrace))
	}
	s.rate(p)
	if ev.Role == Publisher && ev.Uploads {
		s.seeded.publisher()
	}
	s.greet(p)
	p.greetAt = s.now + Instant(greetEvery) // what it watches comes first, as a rule
	s.touchAll()
}

func (s *Scheduler) left(ev Left) {
	p := s.peer(ev.Peer)
	if p == nil {
		return
	}
	m := only(p.slot)
	s.abandon(p, false)
	s.orphan(p)
	s.present &^= m // so that nobody is told
	s.crowd.known = false
	s.watchers &^= m
	s.dropRequests(func(r *request) bool { return r.p == p }, Late)
	s.sending = slices.DeleteFunc(s.sending, func(x sending) bool { return x.p == p })
	s.idle = true
	s.greeting &^= m
	s.rate(p)
	for _, o := range s.order {
		o.full &^= m
		o.denied &^= m
		o.tell &^= m
		for i := range o.claims {
			if o.claims[i].slot == p.slot {
				o.claims = slices.Delete(o.claims, i, i+1)
				o.reopened = s.now
				break
			}
		}
		for i := range o.blocks {
			b := &o.blocks[i]
			b.holders &^= m
			b.claimed &^= m
			b.refused &^= m
			b.given &^= m
			b.shown &^= m
		}
	}
	s.seedLeft(p)
	s.touchAll()
}

func (s *Scheduler) watching(ev Watching) {
	p := s.peer(ev.Peer)
	if p == nil {
		return
	}
	r := ev.Renditions[:min(len(ev.Renditions), maxWatching)]
	news := p.told && !slices.Equal(p.watching, r) || !p.told && len(r) > 0
	p.told = true
	s.crowd.known = false
	p.watching = append(p.watching[:0], r...)
	if p.uploads != ev.Uploads {
		p.uploads = ev.Uploads
		s.rate(p)
		s.touchAll()
	}
	if news {
		s.greet(p)
		s.seedJoin(p)
	}
}

// rate decides anew whether p may be asked.
func (s *Scheduler) rate(p *peer) {
	m := only(p.slot)
	s.usable &^= m
	s.publishers &^= m
	if s.present&m != 0 && p.uploads && !p.suspect && !p.banned {
		s.usable |= m
		if p.role == Publisher {
			s.publishers |= m
		}
	}
}

// crowd remembers who may want segments of a rendition: it is asked for with
// every block, and as a rule for the same one.
type crowd struct {
	known     bool
	rendition uint16
	peers     mask
}

// interested is the set of peers that may want segments of a rendition.
func (s *Scheduler) interested(rendition uint16) mask {
	if s.crowd.known && s.crowd.rendition == rendition {
		return s.crowd.peers
	}
	out := mask(0)
	for m := s.present; m != 0; m &= m - 1 {
		if p := s.peers[m.first()]; p.watches(rendition) {
			out |= only(p.slot)
		}
	}
	s.crowd = crowd{true, rendition, out}
	return out
}

// listeners is the set of peers to be told about o: who may want it, and
// publishers, who watch how blocks spread.
func (s *Scheduler) listeners(o *object) (out mask) {
	out = s.interested(o.id.Rendition)
	for m := s.present &^ out; m != 0; m &= m - 1 {
		if p := s.peers[m.first()]; p.role == Publisher {
			out |= only(p.slot)
		}
	}
	return out
}

// credible narrows m to peers that may be asked and are not known to announce
// what they do not deliver.
func (s *Scheduler) credible(m mask) (out mask) {
	for m &= s.usable; m != 0; m &= m - 1 {
		if p := s.peers[m.first()]; !p.dubious() {
			out |= only(p.slot)
		}
	}
	return out
}

// have takes what a peer says about a segment.
func (s *Scheduler) have(ev *Have) {
	p, o := s.peer(ev.Peer), s.object(ev.ID)
	if p == nil || o == nil {
		return
	}
	m := only(p.slot)
	if p.spokeAt == 0 {
		p.spokeAt = s.now
	}
	count := 0
	for w := range o.lack {
		if w < len(ev.Held) {
			count += popcount(ev.Held[w] & o.word(w))
		}
	}
	o.denied &^= m
	if count == o.n {
		o.full |= m
	} else {
		o.full &^= m
		if o.blocks == nil && (count > 0 || !empty(ev.Fetching)) {
			if !o.wanted && s.expanded >= maxExpanded {
				return
			}
			s.expand(o)
		}
	}
	if o.blocks == nil {
		return
	}
	s.haveBlocks(p, o, ev.Held, ev.Fetching)
	if o.full&m != 0 && !o.wanted {
		s.collapse(o)
	}
}

// haveBlocks compares what p says with what it said before, block by block.
func (s *Scheduler) haveBlocks(p *peer, o *object, held, fetching segment.Bitmap) {
	m := only(p.slot)
	useful, claims, total := false, 0, int32(0)
	for i := range o.blocks {
		b := &o.blocks[i]
		if fetching.Has(i) {
			if o.lack.Has(i) {
				claims++
			}
			b.claimed |= m
		} else {
			b.claimed &^= m
		}
		if !held.Has(i) {
			if b.holders&m != 0 && b.asked&m != 0 {
				s.withdraw(o, i, m)
			}
			b.holders &^= m
			continue
		}
		total++
		if b.holders&m != 0 {
			continue
		}
		if b.holders == 0 {
			s.appeared(o, i)
		}
		b.holders |= m
		b.refused &^= m
		if o.lack.Has(i) {
			useful = true
			if b.asked != 0 {
				b.news = true
			}
		}
		if o.seeding {
			s.spreading(o, i, p)
		}
	}
	if claims > 0 {
		o.viaOrigin = true
	}
	s.claimBy(p, o, claims, total)
	if useful || len(o.claims) > 0 {
		s.touch(o)
	}
}

// greet makes sure that p, which is new or watches something new, is told what
// is held.
func (s *Scheduler) greet(p *peer) {
	if !s.cfg.Share || len(s.order) == 0 {
		return
	}
	p.greeted, p.greetAt = int32(len(s.order)), s.now
	s.greeting |= only(p.slot)
	s.at(s.now)
}

// greetAll tells newcomers what is held, some segments at a time, from the newest
// ones backwards.
func (s *Scheduler) greetAll() {
	for m := s.greeting; m != 0; m &= m - 1 {
		p := s.peers[m.first()]
		if p.greetAt > s.now {
			s.at(p.greetAt)
			continue
		}
		end := min(p.greeted, int32(len(s.order)))
		p.greeted = max(0, end-greet)
		// Within what is told at once the oldest comes first: a newcomer
		// begins to play some segments behind the newest.
		for _, o := range s.order[p.greeted:end] {
			if (o.nheld > 0 || !empty(o.cover)) && p.watches(o.id.Rendition) {
				s.announce(o, only(p.slot), true)
			}
		}
		if p.greeted == 0 {
			s.greeting &^= only(p.slot)
			continue
		}
		p.greetAt = s.now + Instant(greetEvery)
		s.at(p.greetAt)
	}
}
