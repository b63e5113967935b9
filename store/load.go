package store

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
)

const shardSuffix = ".shard"

// list finds the folder's shard files, oldest first. Other files are not ours.
func (s *Store) list() ([]*shard, error) {
	dir, err := os.ReadDir(s.dir)
	if err != nil {
		return nil, err
	}
	var known []*shard
	for _, d := range dir {
		hex, ok := strings.CutSuffix(d.Name(), shardSuffix)
		id, err := strconv.ParseUint(hex, 16, 63)
		if !ok || err != nil || len(hex) != 16 || !d.Type().IsRegular() {
			continue
		}
		info, err := d.Info()
		if err != nil {
			continue // just gone
		}
		known = append(known, &shard{id: id, path: s.shardPath(id), size: info.Size(), segs: map[*seg]struct{}{}})
	}
	slices.SortFunc(known, func(a, b *shard) int { return cmp.Compare(a.id, b.id) })
	return known, nil
}

// load holds the cap, which may have been lowered since the last run, and then
// indexes what the last run left.
func (s *Store) load() {
	s.writing.Lock()
	s.trim(0, true)
	s.writing.Unlock()
	s.mu.RLock()
	known := slices.Clone(s.shards)
	s.mu.RUnlock()
	s.index(known)
}

// index reads which runs the files of an earlier process hold, newest file first
// and until Close. Files without a sound run are removed.
func (s *Store) index(known []*shard) {
	for _, sh := range slices.Backward(known) {
		select {
		case <-s.stop:
			return
		default:
		}
		runs, damaged, err := s.walk(sh)
		if errors.Is(err, fs.ErrNotExist) {
			damaged = 0 // evicted meanwhile
		}
		if err != nil && damaged > 0 || len(runs) == 0 {
			s.log.Debug("cache file left out", "file", sh.path, "cause", err)
		} else if damaged > 0 {
			s.log.Warn("cache file damaged", "file", sh.path, "parts", damaged)
		}
		s.mu.Lock()
		switch {
		case sh.gone:
		case len(runs) == 0:
			s.detach(sh)
		default:
			for _, r := range runs {
				// A record that contradicts a newer one about the size is dropped.
				_, _ = s.addRun(r.key, r.size, run{sh: sh, serial: r.serial, off: r.off, entries: r.entries})
			}
		}
		s.mu.Unlock()
		s.sweep()
	}
}

// walk reads one file's index, and cuts the tail that bbolt had allocated ahead
// when its process was killed.
func (s *Store) walk(sh *shard) ([]found, int, error) {
	f, err := os.Open(sh.path)
	if err != nil {
		return nil, 0, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, 0, err
	}
	runs, high, damaged, err := walkFile(f, info.Size())
	if err == nil && high < info.Size() {
		if os.Truncate(sh.path, high) == nil {
			s.mu.Lock()
			sh.size = high
			s.mu.Unlock()
		}
	}
	return runs, damaged, err
}
