package schedule

import (
	"slices"
	"time"

	"coral/store/segment"
)

// stage is how far a super-seeder's block has spread.
type stage uint8

const (
	hidden  stage = iota // shown to nobody
	shown                // shown to a neighbour that has not asked yet
	asked                // asked for, in our queue
	gone                 // sent; nobody has announced it yet
	single               // one neighbour has it
	settled              // two or more have it, or all
)

// maxSeeds bounds the segments that are super-seeded at once. What a publisher
// has beyond that is shown whole to whoever finds it nowhere else.
const maxSeeds = 16

// startSeeding begins to super-seed o if this is a publisher with somebody to
// show it to.
func (s *Scheduler) startSeeding(o *object) {
	if !s.cfg.SuperSeed || !s.cfg.Share || o.seeding || len(s.seeds) >= maxSeeds || s.audience(o) == 0 {
		return
	}
	s.expand(o)
	o.seeding = true
	o.seedNext = s.now
	s.seeds = append(s.seeds, o)
	s.at(s.now)
}

// stopSeeding ends it: from now on others have it, or it is old.
func (s *Scheduler) stopSeeding(o *object) {
	if !o.seeding {
		return
	}
	for i := range o.blocks {
		s.unshow(o, i)
	}
	o.seeding = false
	s.seeds = slices.DeleteFunc(s.seeds, func(x *object) bool { return x == o })
}

// seedTimers shows what has to be shown.
func (s *Scheduler) seedTimers() {
	// The newest first: what is older has spread, as a rule.
	for k := len(s.seeds) - 1; k >= 0; k-- {
		o := s.seeds[k]
		if o.seedNext <= s.now {
			s.seed(o)
		}
		if o.seeding {
			s.at(o.seedNext)
		}
	}
}

// reseed looks at what waits to be shown after room for it has become free.
func (s *Scheduler) reseed() {
	for _, o := range s.seeds {
		o.seedNext = s.now
	}
	if len(s.seeds) > 0 {
		s.at(s.now)
	}
}

// seed moves each block of o on: shows it to a first neighbour, or to the next
// one if it does not spread.
func (s *Scheduler) seed(o *object) {
	o.seedNext = o.known + Instant(maxSeedAge)
	if o.seedNext <= s.now {
		s.stopSeeding(o)
		s.announce(o, s.listeners(o), true)
		return
	}
	audience := s.audience(o)
	done := o.complete()
	for i := range o.blocks {
		b := &o.blocks[i]
		if !o.held(i) || b.stage == settled {
			continue
		}
		if s.spreadEnough(o, b, audience) {
			s.unshow(o, i)
			b.stage = settled
			continue
		}
		done = false
		if b.stage == asked {
			continue
		}
		if b.stage != hidden {
			at := s.seedTimeout(b)
			if at > s.now {
				o.seedNext = min(o.seedNext, at)
				continue
			}
			if audience&^b.shown&^b.holders == 0 {
				// Nobody is left to show it to, for now.
				s.unshow(o, i)
				b.since = s.now
				o.seedNext = min(o.seedNext, s.seedTimeout(b))
				continue
			}
			if p := s.firstShown(b); b.stage >= gone && p != nil {
				// It does not pass things on, or slowly.
				p.spread = min(p.spread*3/2, maxRTO)
			}
		} else if s.shown >= s.showAtOnce() {
			continue
		}
		if p := s.audienceFor(o, i, audience); p != nil {
			s.show(o, i, p)
			o.seedNext = min(o.seedNext, s.seedTimeout(b))
		}
	}
	if done {
		s.stopSeeding(o)
	}
}

// showAtOnce is how many blocks are shown and not sent yet at a time: as many as
// keep the uplink busy for a moment, so that none of them waits long.
func (s *Scheduler) showAtOnce() int {
	return min(max(int(showAhead/max(s.uplink.service, time.Millisecond)), s.cfg.Slots+1), maxShown)
}

// spreadEnough reports whether others can be left to spread a block. One
// announcement is hearsay, unless it is from somebody whom we sent the block: a
// liar announces everything.
func (s *Scheduler) spreadEnough(o *object, b *block, audience mask) bool {
	n := b.holders.count()
	return audience&^b.holders == 0 || n >= 2 && b.holders&b.given != 0 ||
		n >= 3 && 2*n > audience.count() && s.now-o.known > Instant(o.duration/2)
}

// seedTimeout is when a block that was shown should have got further.
func (s *Scheduler) seedTimeout(b *block) Instant {
	wait := minSpread
	if p := s.peers[(b.shown&-b.shown).first()&(maxPeers-1)]; p != nil {
		switch b.stage {
		case shown:
			wait += p.rtt
		case gone:
			wait = max(wait, 2*(p.rtt+s.uplink.service)) + p.rtt + 2*s.pause()
		case single:
			wait = max(secondCopy, 3*p.spread)
		}
	}
	return b.since + Instant(wait)
}

// firstShown returns one of the neighbours that a block was shown to, or nil.
func (s *Scheduler) firstShown(b *block) *peer {
	if b.shown == 0 {
		return nil
	}
	return s.peers[b.shown.first()]
}

// audienceFor chooses whom to show block i to: who passes blocks on fastest gets
// the most of them, and nobody many at once.
func (s *Scheduler) audienceFor(o *object, i int, audience mask) *peer {
	b := &o.blocks[i]
	m := audience &^ b.shown &^ b.holders
	var best *peer
	for pass := range 2 {
		for x := m; x != 0; x &= x - 1 {
			p := s.peers[x.first()]
			if p.shown >= maxShownPeer || pass == 0 && !p.uploads {
				continue
			}
			if best == nil || p.credit+p.spread < best.credit+best.spread ||
				p.credit+p.spread == best.credit+best.spread && tie(s.cfg.Self, o.salt, i, p, best) {
				best = p
			}
		}
		if best != nil {
			break // whoever serves nobody is shown things only if there is nobody else
		}
		if x := m; pass == 0 {
			for ; x != 0; x &= x - 1 {
				if s.peers[x.first()].uploads {
					return nil // busy: wait for it
				}
			}
		}
	}
	return best
}

// show tells p that we hold block i.
func (s *Scheduler) show(o *object, i int, p *peer) {
	b := &o.blocks[i]
	s.unshow(o, i)
	b.shown |= only(p.slot)
	b.target = p.slot
	b.stage, b.since = shown, s.now
	p.shown++
	s.shown++
	// Virtual time: nobody gains by having had no room for a while.
	s.seedTime = max(s.seedTime, p.credit)
	p.credit = s.seedTime + p.spread
	s.announce(o, only(p.slot), true)
}

// unshow ends the wait for a neighbour to ask for block i.
func (s *Scheduler) unshow(o *object, i int) {
	b := &o.blocks[i]
	if b.stage != shown && b.stage != asked {
		return
	}
	s.peers[b.target].shown--
	s.shown--
	b.stage = gone
	s.reseed()
}

// seedAsked notes that p asked for a block, shown to it or not. Who asks for many that
// nobody was shown has them later, when others have been: it could not pass them all on.
func (s *Scheduler) seedAsked(o *object, i int, p *peer) {
	if !o.seeding {
		return
	}
	b := &o.blocks[i]
	switch b.stage {
	case hidden:
		if p.shown >= maxShownPeer {
			return
		}
		b.stage, b.target = asked, p.slot
		p.shown++
		s.shown++
	case shown:
		if b.target == p.slot {
			b.stage = asked
		}
	}
	b.shown |= only(p.slot)
}

// seedIgnored notes that p does not want a block any more.
func (s *Scheduler) seedIgnored(o *object, i int, p *peer) {
	if !o.seeding {
		return
	}
	if b := &o.blocks[i]; b.stage == asked && b.target == p.slot {
		s.unshow(o, i)
		b.since = s.now
		s.reseed()
	}
}

// seedSent notes that a block was sent.
func (s *Scheduler) seedSent(o *object, i int, p *peer) {
	if !o.seeding {
		return
	}
	if b := &o.blocks[i]; (b.stage == asked || b.stage == shown) && b.target == p.slot {
		s.unshow(o, i)
		b.since = s.now
	}
}

// spreading notes that p has announced block i.
func (s *Scheduler) spreading(o *object, i int, p *peer) {
	b := &o.blocks[i]
	switch {
	case b.stage == settled:
		return
	case b.stage == single:
		if b.shown.count() == 1 {
			first := s.peers[b.shown.first()]
			first.spread += (max(time.Duration(s.now-b.since), time.Millisecond) - first.spread) / 4
		}
	case !b.given.has(p.slot):
		// Hearsay: a liar says so of every block. Only who was sent it counts
		// as the first.
		return
	}
	s.unshow(o, i)
	if s.spreadEnough(o, b, s.audience(o)) {
		b.stage = settled
		o.seedNext = min(o.seedNext, s.now)
		s.at(s.now)
		return
	}
	if b.stage != single {
		b.stage, b.since = single, s.now
	}
	o.seedNext = min(o.seedNext, s.seedTimeout(b))
	s.at(o.seedNext)
}

// audience is the set of neighbours that o may be shown to.
func (s *Scheduler) audience(o *object) (out mask) {
	for m := s.interested(o.id.Rendition); m != 0; m &= m - 1 {
		if p := s.peers[m.first()]; p.told && p.role != Publisher && !p.banned {
			out |= only(p.slot)
		}
	}
	return out
}

// seedView is what a super-seeder lets p see of o: of a fresh segment the blocks
// chosen for it, of an older one those that p finds nowhere else, nor soon will.
func (s *Scheduler) seedView(o *object, p *peer) segment.Bitmap {
	if o.full.has(p.slot) {
		return nil
	}
	if o.seeding {
		view := segment.NewBitmap(o.n)
		for i := range o.blocks {
			if o.held(i) && o.blocks[i].shown.has(p.slot) {
				view.Set(i)
			}
		}
		return view
	}
	view := s.holding(o)
	for i := range o.n {
		others := o.holders(i) &^ s.publishers
		if o.blocks != nil {
			others |= o.blocks[i].given
		}
		if s.credible(others&^only(p.slot)) != 0 {
			view.Clear(i)
		}
	}
	for _, x := range s.sending {
		if x.id == o.id && x.p != p {
			view.Clear(x.block)
		}
	}
	for _, r := range s.queue {
		if r.o == o && r.p != p {
			view.Clear(r.block)
		}
	}
	for _, r := range s.queue {
		if r.o == o && r.p == p {
			view.Set(r.block) // it would take its request back
		}
	}
	return view
}

// seedJoin takes a neighbour into the audience.
func (s *Scheduler) seedJoin(p *peer) {
	if !s.cfg.SuperSeed {
		return
	}
	p.credit = max(p.credit, s.seedTime)
	s.reseed()
}

// seedLeft shows others what only a neighbour that left had been shown.
func (s *Scheduler) seedLeft(p *peer) {
	for _, o := range s.seeds {
		for i := range o.blocks {
			b := &o.blocks[i]
			if b.stage == hidden {
				continue
			}
			if (b.stage == shown || b.stage == asked) && b.target == p.slot {
				s.unshow(o, i)
			}
			if b.holders == 0 && b.shown == 0 {
				b.stage = hidden
			} else if b.stage == settled && b.holders.count() < 2 {
				b.stage, b.since = single, s.now
			}
		}
	}
	s.reseed()
}
