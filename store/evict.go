package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"coral/store/segment"
)

const (
	// The free space that is left to others: a tenth of the disk, a GiB at most.
	maxFloor   = 1 << 30
	floorShare = 10
)

// SetCap changes the bytes that may be used on disk, and holds the new cap at
// once by removing files, pinned ones last. A cap below MinCap removes all and
// goes on in RAM; a disk that was given up is tried again.
func (s *Store) SetCap(n int64) {
	n = max(n, 0)
	s.writing.Lock()
	defer s.writing.Unlock()
	s.mu.Lock()
	if s.closed || (n >= MinCap && s.dir == "") {
		s.mu.Unlock()
		return
	}
	fits := s.mode == diskOn && n >= MinCap && geometryOf(n) == s.geom
	s.cap = n
	s.mu.Unlock()
	if !fits {
		s.seal() // its file has the old cap's shape
	}
	known := s.setMode(n)
	s.trim(0, true)
	if n < MinCap {
		s.unlock()
	}
	if len(known) > 0 {
		s.index(known)
	}
	s.mu.Lock()
	s.kick()
	s.mu.Unlock()
}

// setMode makes the store write to disk, or not, as a cap of n asks. It returns
// files of earlier processes that it found. writing is held.
func (s *Store) setMode(n int64) []*shard {
	var known []*shard
	var err error
	mode := diskOff
	if n >= MinCap {
		mode = diskOn
		if s.lock == nil {
			if known, err = s.claim(); err != nil {
				mode = diskFailed
				s.log.Warn("cache keeps to memory", "cause", err)
			}
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mode, s.fault, s.low = mode, err, nil
	s.failures = 0
	if mode == diskOn {
		s.geom = geometryOf(n)
		s.shards = append(known, s.shards...) // only one of the two is not empty
	}
	return known
}

// claim takes the folder and lists its files, oldest first.
func (s *Store) claim() ([]*shard, error) {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return nil, fmt.Errorf("make cache folder: %w", err)
	}
	lock, err := lockFolder(s.dir)
	if err != nil {
		return nil, err
	}
	known, err := s.list()
	if err != nil {
		lock.Close()
		return nil, err
	}
	s.lock = lock
	for _, sh := range known {
		s.nextID = max(s.nextID, sh.id+1)
	}
	return known, nil
}

func (s *Store) unlock() {
	if s.lock != nil {
		s.lock.Close()
		s.lock = nil
	}
}

// space refuses to write when the disk is nearly full. A system that does not
// say how full it is is trusted to fail the write.
func (s *Store) space(need int64) error {
	free, total, err := s.sys.free(s.dir)
	if err != nil || total <= 0 {
		return nil
	}
	if floor := min(maxFloor, total/floorShare); free-need < floor {
		return fmt.Errorf("%w: %d MiB free, %d MiB are left alone", ErrLowSpace, free>>20, floor>>20)
	}
	return nil
}

// diskBytes is what all files take. mu is held.
func (s *Store) diskBytes() int64 {
	n := int64(0)
	for _, sh := range s.shards {
		n += sh.size
	}
	for _, sh := range s.trash {
		n += sh.size
	}
	return n
}

// usage bounds what all files take once need more bytes are written. writing and
// mu are held.
func (s *Store) usage(need int64) int64 {
	n := s.diskBytes()
	switch a := s.active; {
	case a != nil && need > 0:
		n += a.sizeWith(need) - a.sh.size
	case need > 0:
		n += (&active{sh: &shard{}, geom: s.geom, high: 4 * pageSize}).sizeWith(need)
	}
	return n
}

// limit is the cap, or 0 if the disk is not to be used.
func (s *Store) limit() int64 {
	if s.mode == diskOff {
		return 0
	}
	return s.cap
}

// trim removes files until need more bytes fit under the cap, the longest unused
// first; those that hold pinned segments only if told so. It reports whether the
// bytes fit. writing is held.
func (s *Store) trim(need int64, pinned bool) bool {
	for {
		s.mu.Lock()
		fits := s.usage(need) <= s.limit()
		var sh *shard
		if !fits {
			if sh = s.victim(pinned); sh != nil {
				s.detach(sh)
			}
		}
		s.mu.Unlock()
		if sh == nil {
			return fits
		}
		s.sweep() // the file counts until it is removed
	}
}

// victim is the sealed shard that was used longest ago.
func (s *Store) victim(pinned bool) *shard {
	var v *shard
	for _, sh := range s.shards {
		if s.active != nil && sh == s.active.sh {
			continue
		}
		if (v == nil || sh.used.Load() < v.used.Load()) && (pinned || !sh.pinned()) {
			v = sh
		}
	}
	return v
}

func (sh *shard) pinned() bool {
	for g := range sh.segs {
		if g.pins > 0 {
			return true
		}
	}
	return false
}

// detach takes a shard out of the index; sweep removes its file. mu is held.
func (s *Store) detach(sh *shard) {
	if sh.gone {
		return
	}
	sh.gone = true
	for g := range sh.segs {
		s.dropRuns(g, sh)
	}
	s.shards = slices.DeleteFunc(s.shards, func(o *shard) bool { return o == sh })
	s.trash = append(s.trash, sh)
}

// sweep removes the files of detached shards. One that the system does not let
// go, as Windows while it is read, counts under the cap and is tried again with
// the next, or at the next start.
func (s *Store) sweep() (err error) {
	s.mu.RLock()
	trash := slices.Clone(s.trash)
	s.mu.RUnlock()
	if len(trash) == 0 {
		return nil
	}
	removed := map[*shard]bool{}
	for _, sh := range trash {
		s.files.drop(sh)
		if e := os.Remove(sh.path); e == nil || errors.Is(e, fs.ErrNotExist) {
			removed[sh] = true
		} else {
			err = e
		}
	}
	s.mu.Lock()
	s.trash = slices.DeleteFunc(s.trash, func(sh *shard) bool { return removed[sh] })
	s.mu.Unlock()
	return err
}

// Clear removes all that is held of a channel, or of all if ch is nil, pinned or
// not, from RAM and from disk. Files hold whole minutes: other channels' blocks
// that share a file with it go too, unless RAM still has them. The error says
// that a file could not be removed; it is not read any more, and its removal is
// tried again later.
func (s *Store) Clear(ch *segment.Channel) error {
	return s.clear(func(g *seg) bool { return ch == nil || g.key.Channel == *ch })
}

// ClearUnpinned removes all that is not pinned, as Clear does: of what is, the
// part that shares a file with other segments stays only if RAM has it.
func (s *Store) ClearUnpinned() error {
	return s.clear(func(g *seg) bool { return g.pins == 0 })
}

// clear removes the segments that goes names; it is called with mu held.
func (s *Store) clear(goes func(*seg) bool) error {
	select {
	case <-s.loaded: // what is not indexed yet cannot be cleared
	case <-s.stop:
	}
	s.writing.Lock()
	defer s.writing.Unlock()
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return ErrClosed
	}
	var shards []*shard
	seal := false
	for _, sh := range s.shards {
		if sh.holds(goes) {
			shards = append(shards, sh)
			seal = seal || s.active != nil && sh == s.active.sh
		}
	}
	s.mu.Unlock()
	if seal {
		s.seal()
	}
	s.mu.Lock()
	for _, sh := range shards {
		for g := range sh.segs {
			if !goes(g) {
				s.restage(g, sh)
			}
		}
		s.detach(sh)
	}
	for _, g := range s.segs {
		if goes(g) {
			s.unstage(g, true, -1)
		}
	}
	s.kick()
	s.mu.Unlock()
	if err := s.sweep(); err != nil {
		return fmt.Errorf("clear cache: %w", err)
	}
	return nil
}

func (sh *shard) holds(goes func(*seg) bool) bool {
	for g := range sh.segs {
		if goes(g) {
			return true
		}
	}
	return false
}

// restage marks the blocks of a segment that are in RAM and lie in sh, which is
// about to go, as unwritten.
func (s *Store) restage(g *seg, sh *shard) {
	for _, r := range g.runs {
		if r.sh != sh {
			continue
		}
		for _, e := range r.entries {
			if b := int(e.block); g.staged(b) != nil {
				if g.dirtyBytes == 0 {
					g.firstDirty = g.lastPut
				}
				s.markDirty(g, b)
			}
		}
	}
}
