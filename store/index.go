package store

import (
	"cmp"
	"container/list"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"coral/store/segment"
)

// seg is what is known of one segment. Owned by Store.mu.
type seg struct {
	key  Key
	size int            // -1 while only pinned
	held segment.Bitmap // readable, from RAM or disk
	pins int
	runs []run // where on disk, older first

	// What is in RAM.
	blocks     [][]byte // by block number; nil if nothing is in RAM
	sums       []uint32 // their CRC32Cs
	dirty      segment.Bitmap
	ramBytes   int64 // charged
	dirtyBytes int64 // the unwritten part of ramBytes
	firstDirty time.Time
	lastPut    time.Time
	elem       *list.Element // in Store.order while ramBytes > 0
}

// run is some blocks of one segment, written together: one value of one shard.
type run struct {
	sh      *shard
	serial  uint32 // rising in one shard
	off     int64
	entries []entry // by rising block number
}

// entry is one block of a run, pos blocks after the run's begin: only the last
// block of a segment is short, and it comes last.
type entry struct {
	block, pos uint16
	sum        uint32
}

// place is where one block lies.
type place struct {
	sh  *shard
	off int64
	sum uint32
}

// seg returns the segment's record, made if it is new.
func (s *Store) seg(k Key, size int) (*seg, error) {
	g := s.segs[k]
	if g == nil {
		g = &seg{key: k, size: -1}
		s.segs[k] = g
	}
	if g.size < 0 {
		g.size = size
		g.held = segment.NewBitmap(segment.Blocks(size))
		g.dirty = segment.NewBitmap(segment.Blocks(size))
	}
	if g.size != size {
		return nil, fmt.Errorf("put %v: %d bytes, was %d", k, size, g.size)
	}
	return g, nil
}

// tidy drops a record that says nothing.
func (s *Store) tidy(g *seg) {
	if g.pins == 0 && g.ramBytes == 0 && len(g.runs) == 0 && s.segs[g.key] == g {
		delete(s.segs, g.key)
	}
}

func (g *seg) complete() bool { return g.held.Count() == segment.Blocks(g.size) }

func (g *seg) staged(block int) []byte {
	if g.blocks == nil {
		return nil
	}
	return g.blocks[block]
}

// find returns the newest place of a block on disk; its sh is nil if there is
// none.
func (g *seg) find(block int) place {
	for i := len(g.runs) - 1; i >= 0; i-- {
		r := &g.runs[i]
		if j, ok := r.search(block); ok {
			e := r.entries[j]
			return place{r.sh, r.off + int64(e.pos)*segment.BlockSize, e.sum}
		}
	}
	return place{}
}

func (r *run) search(block int) (int, bool) {
	return slices.BinarySearchFunc(r.entries, block, func(e entry, b int) int { return cmp.Compare(int(e.block), b) })
}

// addRun enters what has been written, or found, on disk.
func (s *Store) addRun(k Key, size int, r run) (*seg, error) {
	g, err := s.seg(k, size)
	if err != nil {
		return nil, err
	}
	at, _ := slices.BinarySearchFunc(g.runs, r, func(a, b run) int {
		return cmp.Or(cmp.Compare(a.sh.id, b.sh.id), cmp.Compare(a.serial, b.serial))
	})
	g.runs = slices.Insert(g.runs, at, r)
	for _, e := range r.entries {
		g.held.Set(int(e.block))
	}
	r.sh.segs[g] = struct{}{}
	return g, nil
}

// dropRuns forgets all that a segment has in one shard.
func (s *Store) dropRuns(g *seg, sh *shard) {
	for _, r := range g.runs {
		if r.sh != sh {
			continue
		}
		for _, e := range r.entries {
			if g.staged(int(e.block)) == nil {
				g.held.Clear(int(e.block))
			}
		}
	}
	g.runs = slices.DeleteFunc(g.runs, func(r run) bool { return r.sh == sh })
	// Another run may hold what this one did.
	for _, r := range g.runs {
		for _, e := range r.entries {
			g.held.Set(int(e.block))
		}
	}
	delete(sh.segs, g)
	s.tidy(g)
}

// forget removes the place of a block that could not be read or failed its
// check, so that it is fetched again. cause is nil for a failed check.
func (s *Store) forget(k Key, block int, at place, cause error) {
	if errors.Is(cause, os.ErrNotExist) {
		s.mu.Lock()
		if !at.sh.gone {
			s.log.Warn("cache file vanished", "file", at.sh.path)
			s.detach(at.sh)
		}
		s.mu.Unlock()
		s.sweep()
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if at.sh.gone { // evicted between finding and reading
		return
	}
	s.damaged.Add(1)
	if at.sh.damaged++; at.sh.damaged == 1 {
		s.log.Warn("cache file damaged", "file", at.sh.path, "cause", cause)
	}
	g := s.segs[k]
	if g == nil {
		return
	}
	for i := range g.runs {
		r := &g.runs[i]
		if r.sh != at.sh {
			continue
		}
		j, ok := r.search(block)
		if !ok || r.off+int64(r.entries[j].pos)*segment.BlockSize != at.off {
			continue
		}
		r.entries = slices.Delete(r.entries, j, j+1)
		if len(r.entries) == 0 {
			g.runs = slices.Delete(g.runs, i, i+1)
		}
		break
	}
	if g.staged(block) == nil && g.find(block).sh == nil {
		g.held.Clear(block)
	}
	s.tidy(g)
}
