package schedule

import (
	"fmt"
	"slices"
)

// check returns what is wrong with s, or nil. It is called after every Step.
func check(s *Scheduler) error {
	asks, copies, expanded, shownNow := 0, 0, 0, 0
	late := map[*object]int{}
	queued, sendings := map[*peer]int{}, map[*peer]int{}
	shownTo := map[int8]int{}
	for m := s.present; m != 0; m &= m - 1 {
		p := s.peers[m.first()]
		if s.ids[p.slot] != p.id || s.peers[p.slot] != p || s.peer(p.id) != p {
			return fmt.Errorf("peer %d: slot table is wrong", p.id)
		}
		if len(p.asks) > maxDepth+urgentExtra {
			return fmt.Errorf("peer %d: %d asks", p.id, len(p.asks))
		}
		waits := 0
		for k := range p.asks {
			a := &p.asks[k]
			asks++
			if a.began == 0 {
				waits++
			}
			if a.copy {
				copies++
			}
			if a.late {
				late[a.o]++
			}
			if s.object(a.o.id) != a.o || !a.o.wanted || a.o.held(int(a.block)) || !a.o.blocks[a.block].asked.has(p.slot) {
				return fmt.Errorf("peer %d: ask for %v block %d makes no sense", p.id, a.o.id, a.block)
			}
			if slices.IndexFunc(p.asks, func(b ask) bool { return b.o == a.o && b.block == a.block }) != k {
				return fmt.Errorf("peer %d: %v block %d is asked twice", p.id, a.o.id, a.block)
			}
		}
		if p.suspect && (waits > maxPeerSlots || s.usable.has(p.slot)) { // those may be on their way
			return fmt.Errorf("peer %d: suspect has work", p.id)
		}
	}
	if s.usable&^s.present != 0 || s.publishers&^s.usable != 0 {
		return fmt.Errorf("peer sets disagree")
	}
	if copies != s.inFlight {
		return fmt.Errorf("%d copies in flight, counted %d", copies, s.inFlight)
	}
	if c := s.crowd; c.known {
		if s.crowd.known = false; s.interested(c.rendition) != c.peers {
			return fmt.Errorf("rendition %d is watched by %b, not %b", c.rendition, s.crowd.peers, c.peers)
		}
	}
	for _, r := range s.queue {
		queued[r.p]++
		if s.object(r.o.id) != r.o || !r.o.held(r.block) || !s.present.has(r.p.slot) {
			return fmt.Errorf("request of %d for %v block %d cannot be served", r.p.id, r.o.id, r.block)
		}
	}
	for _, x := range s.sending {
		sendings[x.p]++
	}
	for m := s.present; m != 0; m &= m - 1 {
		p := s.peers[m.first()]
		if int(p.queued) != queued[p] || int(p.sending) != sendings[p] || p.queued > maxPeerQueue {
			return fmt.Errorf("peer %d: queued %d of %d, sending %d of %d", p.id, queued[p], p.queued, sendings[p], p.sending)
		}
	}
	if len(s.queue) > maxQueue {
		return fmt.Errorf("queue of %d", len(s.queue))
	}
	if len(s.objects) != len(s.order) {
		return fmt.Errorf("%d objects, %d in order", len(s.objects), len(s.order))
	}
	for _, o := range s.order {
		held := 0
		for i := range o.n {
			if o.held(i) {
				held++
			}
			if covered := s.covering(o, i) != nil; o.cover.Has(i) != (covered && o.lack.Has(i)) {
				return fmt.Errorf("%v block %d: covered %v, noted %v, held %v", o.id, i, covered, o.cover.Has(i), o.held(i))
			}
		}
		if held != int(o.nheld) {
			return fmt.Errorf("%v: holds %d, counted %d", o.id, held, o.nheld)
		}
		if int(o.late) != late[o] {
			return fmt.Errorf("%v: %d late, counted %d", o.id, late[o], o.late)
		}
		if o.wanted && !o.complete() != slices.Contains(s.wants, o) {
			return fmt.Errorf("%v: wanted %v complete %v, listed %v", o.id, o.wanted, o.complete(), slices.Contains(s.wants, o))
		}
		if o.blocks == nil {
			continue
		}
		expanded++
		for i := range o.blocks {
			b := &o.blocks[i]
			asks -= b.asked.count()
			if b.asked != 0 && !o.wanted {
				return fmt.Errorf("%v block %d is asked for but not wanted", o.id, i)
			}
			if (b.holders|b.asked|b.given|b.shown|b.claimed|b.refused)&^s.present != 0 {
				return fmt.Errorf("%v block %d remembers peers that left", o.id, i)
			}
			if o.full&^b.holders != 0 {
				return fmt.Errorf("%v block %d: whole holders are no holders", o.id, i)
			}
			if b.stage == shown || b.stage == asked {
				shownNow++
				shownTo[b.target]++
			}
		}
		if len(o.claims) > maxPeers || len(o.heard) > maxClaimants {
			return fmt.Errorf("%v: %d claims, %d heard", o.id, len(o.claims), len(o.heard))
		}
	}
	if asks != 0 {
		return fmt.Errorf("asks of peers and of blocks differ by %d", asks)
	}
	if expanded != s.expanded {
		return fmt.Errorf("%d expanded, counted %d", expanded, s.expanded)
	}
	if shownNow != s.shown {
		return fmt.Errorf("%d shown, counted %d", shownNow, s.shown)
	}
	for m := s.present; m != 0; m &= m - 1 {
		if p := s.peers[m.first()]; int(p.shown) != shownTo[p.slot] {
			return fmt.Errorf("peer %d: %d shown, counted %d", p.id, shownTo[p.slot], p.shown)
		}
	}
	if !slices.IsSortedFunc(s.wants, func(a, b *object) int {
		switch {
		case a.due < b.due:
			return -1
		case a.due > b.due:
			return 1
		}
		return 0
	}) {
		return fmt.Errorf("wants are out of order")
	}
	own := 0
	for _, f := range s.fetches {
		if !f.stopping && f.ticket>>63 == 0 {
			own++
		}
	}
	if own > maxFetches*maxLanes {
		return fmt.Errorf("%d fetches at once", own)
	}
	if s.wake <= s.now {
		return fmt.Errorf("next tick at %d is not after %d", s.wake, s.now)
	}
	return nil
}
