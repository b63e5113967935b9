package store

import (
	"time"

	"coral/store/segment"
)

const (
	// minCharge is what a block in RAM counts at least, so that a flood of tiny
	// segments is bounded too: the index needs some hundred bytes for each.
	minCharge = 2 << 10
	// groupDelay is how long a finished segment waits for others to be written
	// with it. With the commit it stays below a second.
	groupDelay = 750 * time.Millisecond
	// quietDelay is how long an unfinished segment waits for its next block
	// before what is there is written; each such part costs a run.
	quietDelay = 2 * time.Second
	// partDelay bounds the wait of an unfinished segment whose blocks trickle.
	partDelay = 10 * time.Second
)

func charge(n int) int64 { return int64(max(n, minCharge)) }

// stage enters a block into RAM and makes room for it. The slice is the store's
// now, and is never changed. mu is held.
func (s *Store) stage(g *seg, block int, data []byte, sum uint32, now time.Time) {
	if g.blocks == nil {
		n := segment.Blocks(g.size)
		g.blocks, g.sums = make([][]byte, n), make([]uint32, n)
	}
	if g.elem == nil {
		g.elem = s.order.PushBack(g)
	} else {
		s.order.MoveToBack(g.elem)
	}
	if data == nil {
		data = []byte{} // an empty segment's only block; nil means absent
	}
	if g.dirtyBytes == 0 {
		g.firstDirty = now
	}
	g.lastPut = now
	g.blocks[block], g.sums[block] = data, sum
	g.held.Set(block)
	g.ramBytes += charge(len(data))
	s.ram += charge(len(data))
	first := s.dirty == 0
	s.markDirty(g, block)
	s.shrink(g, block)
	if first || g.complete() || s.pressed() {
		s.kick()
	}
}

func (s *Store) markDirty(g *seg, block int) {
	if g.dirty.Has(block) {
		return
	}
	n := charge(len(g.blocks[block]))
	g.dirty.Set(block)
	g.dirtyBytes += n
	s.dirty += n
}

func (s *Store) markClean(g *seg, block int) {
	if !g.dirty.Has(block) {
		return
	}
	n := charge(len(g.blocks[block]))
	g.dirty.Clear(block)
	g.dirtyBytes -= n
	s.dirty -= n
}

// pressed says that unwritten blocks fill so much of RAM that unfinished
// segments are written too.
func (s *Store) pressed() bool { return s.dirty > s.ramLimit/2 }

// kick wakes the writer.
func (s *Store) kick() {
	if s.mode == diskOn {
		select {
		case s.wake <- struct{}{}:
		default:
		}
	}
}

// waitForDisk lets a commit catch up when RAM is full of unwritten blocks. A
// disk that hangs is waited for once, not once a block. mu is held, and released
// meanwhile.
func (s *Store) waitForDisk(n int64) {
	if s.mode != diskOn || s.low != nil || s.stalled || s.dirty+n <= s.ramLimit {
		return
	}
	timer := time.NewTimer(s.sys.patience)
	defer timer.Stop()
	for s.mode == diskOn && s.low == nil && !s.stalled && !s.closed && s.dirty+n > s.ramLimit {
		drained := s.drained
		s.kick()
		s.mu.Unlock()
		select {
		case <-drained:
			s.mu.Lock()
		case <-timer.C:
			s.mu.Lock()
			s.stalled = true
		}
	}
}

// shrink drops blocks from RAM until the bound holds, but not the given block,
// which has just come.
func (s *Store) shrink(keep *seg, block int) {
	best := 0 // the lowest rank there is: no need to look further
	if s.ram == s.dirty {
		best = 2
	}
	for s.ram > s.ramLimit {
		victim, lowest := (*seg)(nil), len(ranks)
		for e := s.order.Front(); e != nil && lowest > best; e = e.Next() {
			g := e.Value.(*seg)
			if r := rank(g, keep); r < lowest {
				victim, lowest = g, r
			}
		}
		if victim == nil {
			return
		}
		spared := -1
		if victim == keep {
			spared = block
		}
		before, dirty := s.ram, s.dirty
		s.unstage(victim, ranks[lowest], spared)
		if s.mode == diskOn {
			s.dropped += dirty - s.dirty
		}
		if s.ram == before {
			return // only the spared block is left
		}
	}
}

// Relax gives back the RAM of the blocks that are on disk, too. It is for a while in
// which nobody reads.
func (s *Store) Relax() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for e := s.order.Front(); e != nil; {
		g := e.Value.(*seg)
		e = e.Next() // g may leave the list
		s.unstage(g, false, -1)
	}
}

// ranks says of each of rank's results whether unwritten blocks go too.
var ranks = [...]bool{0: false, 1: false, 2: true, 3: true, 4: true}

// rank is in which order segments leave RAM: copies of what is on disk, then, as
// always without a disk, what would be lost; each unpinned first.
func rank(g, keep *seg) int {
	switch clean := g.ramBytes > g.dirtyBytes; {
	case clean && g.pins == 0:
		return 0
	case clean:
		return 1
	case g == keep:
		return 4
	case g.pins == 0:
		return 2
	}
	return 3
}

// unstage drops a segment's blocks from RAM: the written ones, or all, except
// one. What is not on disk either is not held any more.
func (s *Store) unstage(g *seg, all bool, except int) {
	if g.blocks == nil {
		return
	}
	for b, data := range g.blocks {
		if data == nil || b == except || (!all && g.dirty.Has(b)) {
			continue
		}
		if g.dirty.Has(b) {
			s.markClean(g, b)
		}
		g.blocks[b] = nil
		g.ramBytes -= charge(len(data))
		s.ram -= charge(len(data))
		if g.find(b).sh == nil {
			g.held.Clear(b)
		}
	}
	if g.ramBytes == 0 {
		s.order.Remove(g.elem)
		g.elem, g.blocks, g.sums = nil, nil, nil
	}
	s.tidy(g)
}

// due is when a segment with unwritten blocks is to be written.
func (g *seg) due() time.Time {
	if g.complete() {
		return g.lastPut.Add(groupDelay)
	}
	quiet, part := g.lastPut.Add(quietDelay), g.firstDirty.Add(partDelay)
	if part.Before(quiet) {
		return part
	}
	return quiet
}

// next is when the writer has to commit; ok is false if nothing waits for it.
func (s *Store) next() (at time.Time, ok bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.mode != diskOn || s.dirty == 0 {
		return time.Time{}, false
	}
	now := time.Now()
	finished := int64(0)
	for e := s.order.Front(); e != nil; e = e.Next() {
		g := e.Value.(*seg)
		if g.dirtyBytes == 0 {
			continue
		}
		if d := g.due(); !ok || d.Before(at) {
			at, ok = d, true
		}
		if g.complete() {
			finished += g.dirtyBytes
		}
	}
	if s.pressed() || finished >= s.geom.group {
		at = now
	}
	if at.Before(s.hold) {
		at = s.hold
	}
	return at, ok
}

// pending is blocks of one segment that are about to be one run.
type pending struct {
	key    Key
	size   int
	bytes  int // of all blocks
	blocks []int
	data   [][]byte // shared with the stage, never changed
	sums   []uint32
}

// collect picks what the next group holds: finished segments, those that are
// due, or all, oldest first, up to the group's size.
func (s *Store) collect(all bool) []pending {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var group []pending
	if s.mode != diskOn {
		return nil
	}
	now := time.Now()
	room := s.geom.group
	for e := s.order.Front(); e != nil; e = e.Next() {
		g := e.Value.(*seg)
		if g.dirtyBytes == 0 || !(all || s.pressed() || g.complete() || !g.due().After(now)) {
			continue
		}
		p := pending{key: g.key, size: g.size}
		for b, data := range g.blocks {
			if !g.dirty.Has(b) {
				continue
			}
			if room -= charge(len(data)); room < 0 {
				break
			}
			p.blocks = append(p.blocks, b)
			p.data = append(p.data, data)
			p.sums = append(p.sums, g.sums[b])
			p.bytes += len(data)
		}
		if len(p.blocks) > 0 {
			group = append(group, p)
		}
		if room <= 0 {
			break
		}
	}
	return group
}
