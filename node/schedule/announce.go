package schedule

import (
	"time"

	"coral/store/segment"
)

// announce has the peers in m told about o: at once, or (not soon) together with
// what else changes within a moment.
func (s *Scheduler) announce(o *object, m mask, soon bool) {
	if !s.cfg.Share || m == 0 {
		return
	}
	o.tell |= m
	if soon {
		o.flushAt = s.now
	}
	if !o.queued {
		o.queued = true
		s.flushes = append(s.flushes, o)
	}
	if o.flushAt > s.now {
		s.at(o.flushAt)
	}
}

// pause is how long changes of one segment are gathered before they are told. It
// grows with the number of neighbours, so that announcements stay a small part
// of the traffic, and with what waits for our uplink already: what could not be sent
// soon need not be told at once.
func (s *Scheduler) pause() time.Duration {
	usual := coalesce * time.Duration(max(manyPeers, s.present.count())) / manyPeers
	return max(usual, min(s.backlog()/2, longPause))
}

// flush tells what is due.
func (s *Scheduler) flush() {
	if len(s.flushes) == 0 {
		return
	}
	keep := s.flushes[:0]
	for _, o := range s.flushes {
		if o.flushAt > s.now {
			keep = append(keep, o)
			continue
		}
		o.queued = false
		o.flushAt = s.now + Instant(s.pause())
		s.tellAll(o)
	}
	s.flushes = keep
}

// tellAll announces o to the peers that are to be told and can use it.
func (s *Scheduler) tellAll(o *object) {
	tell := o.tell & s.present
	hides := o.hides
	o.tell, o.hides = 0, false
	few := s.partnerShare()
	var held, fetching segment.Bitmap
	if !empty(o.cover) {
		fetching = o.cover.Clone()
	}
	for ; tell != 0; tell &= tell - 1 {
		p := s.peers[tell.first()]
		if p.banned {
			continue
		}
		if s.cfg.SuperSeed {
			if view := s.seedView(o, p); view != nil && (hides || !empty(view)) {
				s.stats.Announces++
				s.act(Announce{Peer: p.id, ID: o.id, Held: view})
			}
			continue
		}
		if !s.useful(o, p, few) {
			continue
		}
		if held == nil {
			held = s.holding(o)
		}
		s.stats.Announces++
		s.act(Announce{Peer: p.id, ID: o.id, Held: held, Fetching: fetching})
	}
}

// holding returns the blocks of o that are held.
func (s *Scheduler) holding(o *object) segment.Bitmap {
	b := segment.FullBitmap(o.n)
	for i := range b {
		b[i] &^= o.lack[i]
	}
	return b
}

// useful reports whether p can use to know the state of o: because we have or
// fetch what it lacks, or because it is a publisher, who watches how blocks
// spread.
func (s *Scheduler) useful(o *object, p *peer, few uint64) bool {
	switch {
	case p.role == Publisher:
		return o.nheld > 0
	case o.full.has(p.slot):
		return false
	case o.blocks == nil:
		return true
	}
	common := maxPeers
	switch {
	case !s.partner(o, p, few):
		common = rareUpTo
	case !o.complete() && s.viewers() <= smallSwarm:
		// Where everybody knows everybody, a block that many have is no news.
		common = max(commonFrom, s.present.count()/2)
	}
	for i := range o.blocks {
		if (o.held(i) || o.cover.Has(i)) && !o.blocks[i].holders.has(p.slot) && o.replicas(i) <= common {
			return true
		}
	}
	return false
}

// settled reports whether publishers, who watch how blocks spread, know by now that block
// i has: two neighbours hold it that do deliver. Were they told of each block by
// everybody, their acknowledgements alone would take a fiftieth of a copy for ten viewers.
func (s *Scheduler) settled(o *object, i int) bool {
	n := 0
	for m := s.credible(o.holders(i) &^ s.publishers); m != 0; m &= m - 1 {
		if s.peers[m.first()].delivered > 0 {
			n++
		}
	}
	return n >= 2
}

// partnerShare is the chance of a neighbour to be a partner in one segment, of
// 2^32: some partners for each, however many neighbours there are.
func (s *Scheduler) partnerShare() uint64 {
	n := uint64(0)
	for m := s.present; m != 0; m &= m - 1 {
		if p := s.peers[m.first()]; p.role == Viewer && !p.dubious() {
			n++
		}
	}
	return partners << 32 / max(n, partners)
}

// partner reports whether p and we tell each other all about o: a hash of both
// decides, so that both say the same.
func (s *Scheduler) partner(o *object, p *peer, few uint64) bool {
	if p.role != Viewer {
		return true
	}
	return hash(min(s.cfg.Self, p.key), max(s.cfg.Self, p.key), o.salt)>>32 < few
}
