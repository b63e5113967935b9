package store_test

import (
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"coral/store"
	"coral/store/segment"
	"coral/store/storetest"
)

// openAt opens a store that the test closes.
func openAt(t *testing.T, o store.Options, h store.Hooks) *store.Store {
	t.Helper()
	s, err := store.OpenWith(o, h)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// fill puts segments from … to-1 and writes them to disk.
func fill(t *testing.T, s *store.Store, channel, from, to, size int) {
	t.Helper()
	for i := from; i < to; i++ {
		if err := storetest.Fill(s, storetest.Key(channel, i), size); err != nil {
			t.Fatal(err)
		}
	}
	s.Flush()
}

// count reads all that is held of segments 0 … n-1, and fails on wrong bytes.
func count(t *testing.T, s *store.Store, channel, n, size int) (blocks int) {
	t.Helper()
	for i := range n {
		k := storetest.Key(channel, i)
		held := s.Has(k)
		for b := range segment.Blocks(size) {
			if !held.Has(b) {
				continue
			}
			switch err := storetest.Check(s, k, size, b); {
			case err == nil:
				blocks++
			case !errors.Is(err, store.ErrMiss):
				t.Fatal(err)
			case s.Has(k).Has(b):
				t.Fatalf("%v block %d is missed and still held", k, b)
			}
		}
	}
	return blocks
}

const size = 4*segment.BlockSize + 100 // 5 blocks

func TestReopen(t *testing.T) {
	o := store.Options{Dir: filepath.Join(t.TempDir(), "a", "cache"), Cap: 64 << 20}
	s := openAt(t, o, store.Hooks{})
	fill(t, s, 1, 0, 20, size)
	s.Seal()
	fill(t, s, 1, 20, 30, size)
	half := storetest.Key(2, 0) // partly in one shard, partly in the next, and in the next run
	for _, b := range []int{4, 1} {
		if err := s.Put(half, size, b, storetest.Content(half, size, b)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil { // writes what is staged
		t.Fatal(err)
	}
	s = openAt(t, o, store.Hooks{})
	if n := count(t, s, 1, 30, size); n != 150 {
		t.Errorf("%d blocks, want 150", n)
	}
	if n := count(t, s, 2, 1, size); n != 2 {
		t.Errorf("%d blocks of the unfinished segment, want 2", n)
	}
	fill(t, s, 2, 0, 1, size)
	s.Close()
	s = openAt(t, o, store.Hooks{})
	if n := count(t, s, 2, 1, size); n != 5 {
		t.Errorf("%d blocks, want 5", n)
	}
	st := s.Stats()
	if st.Segments != 31 || st.Staged != 0 || st.Damaged != 0 || st.Disk != diskUse(t, o.Dir) {
		t.Errorf("stats %+v, %d on disk", st, diskUse(t, o.Dir))
	}
}

// TestClearForGood: what was cleared is not there after a restart, and others are.
// What Relax takes out of RAM is still held; without a disk it takes nothing.
func TestRelax(t *testing.T) {
	const n, size = 6, 70_000
	for _, o := range []store.Options{{Dir: t.TempDir(), Cap: 64 << 20}, {}} {
		s := openAt(t, o, store.Hooks{})
		fill(t, s, 1, 0, n, size)
		before := s.Stats().RAM
		s.Relax()
		after := s.Stats().RAM
		if o.Cap > 0 && after != 0 || o.Cap == 0 && after != before {
			t.Errorf("cap %d: %d bytes in RAM, %d before", o.Cap, after, before)
		}
		if got := count(t, s, 1, n, size); got != n*segment.Blocks(size) {
			t.Errorf("cap %d: %d blocks held", o.Cap, got)
		}
	}
}

func TestClearForGood(t *testing.T) {
	o := store.Options{Dir: t.TempDir(), Cap: 64 << 20}
	s := openAt(t, o, store.Hooks{})
	fill(t, s, 1, 0, 10, size)
	fill(t, s, 2, 0, 10, size)
	ch := storetest.Key(1, 0).Channel
	if err := s.Clear(&ch); err != nil {
		t.Fatal(err)
	}
	s.Close()
	s = openAt(t, o, store.Hooks{})
	if n := len(s.Keys(ch)); n != 0 {
		t.Errorf("%d segments came back", n)
	}
	if n := count(t, s, 2, 10, size); n != 50 {
		t.Errorf("%d blocks of the other channel, want 50", n)
	}
	if err := s.Clear(nil); err != nil {
		t.Fatal(err)
	}
	if files := store.ShardFiles(t, o.Dir); len(files) != 0 {
		t.Errorf("left: %v", files)
	}
}

// TestClearUnpinned: what is pinned survives, in RAM, on disk and after a restart.
func TestClearUnpinned(t *testing.T) {
	o := store.Options{Dir: t.TempDir(), Cap: 64 << 20}
	s := openAt(t, o, store.Hooks{})
	fill(t, s, 1, 0, 10, size)
	unpin := s.Pin(storetest.Key(1, 0))
	defer unpin()
	s.Seal() // written; now the pinned segment shares its file with others
	fill(t, s, 2, 0, 10, size)
	defer s.Pin(storetest.Key(2, 0))()
	if err := s.ClearUnpinned(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		for ch := 1; ch <= 2; ch++ {
			if n := count(t, s, ch, 10, size); n != 5 {
				t.Errorf("%d blocks of channel %d left, want the 5 of the pinned segment", n, ch)
			}
		}
		s.Close()
		s = openAt(t, o, store.Hooks{})
	}
}

func TestCap(t *testing.T) {
	o := store.Options{Dir: t.TempDir(), Cap: 16 << 20, RAM: 4 << 20}
	s := openAt(t, o, store.Hooks{})
	unpin := s.Pin(storetest.Key(1, 0))
	var stop atomic.Bool
	var watch sync.WaitGroup
	var peak int64
	watch.Go(func() { // also while it is being written
		for !stop.Load() {
			peak = max(peak, diskUse(t, o.Dir))
		}
	})
	const n = 400 // 52 MiB
	for i := 0; i < n; i += 10 {
		fill(t, s, 1, i, i+10, size)
	}
	stop.Store(true)
	watch.Wait()
	if peak > o.Cap || peak < o.Cap/2 {
		t.Errorf("peak %d, cap %d", peak, o.Cap)
	}
	if count(t, s, 1, 1, size) != 5 {
		t.Error("the pinned segment is gone")
	}
	if got := count(t, s, 1, n, size); got < 5*80 {
		t.Errorf("only %d blocks held", got)
	}
	if count(t, s, 1, n, size) == 0 || s.Has(storetest.Key(1, 60)) != nil {
		t.Error("the oldest segments are still held")
	}
	unpin()

	s.SetCap(8 << 20)
	if n := diskUse(t, o.Dir); n > 8<<20 {
		t.Errorf("%d on disk after the cap was lowered", n)
	}
	fill(t, s, 1, n, n+40, size)
	if n := diskUse(t, o.Dir); n > 8<<20 || n < 3<<20 {
		t.Errorf("%d on disk below the lower cap", n)
	}
	s.SetCap(0)
	if files := store.ShardFiles(t, o.Dir); len(files) != 0 || s.Degraded() != nil {
		t.Errorf("left: %v, degraded: %v", files, s.Degraded())
	}
	fill(t, s, 2, 0, 10, size)
	s.SetCap(16 << 20)
	s.Flush()
	if st := s.Stats(); st.Staged != 0 || st.Disk == 0 {
		t.Errorf("after the cap was raised: %+v", st)
	}
	if count(t, s, 2, 10, size) != 50 {
		t.Error("lost in between")
	}

	s.Close()
	o.Cap = 4 << 20
	s = openAt(t, o, store.Hooks{}) // lowered while closed
	s.Keys(segment.Channel{})
	if n := diskUse(t, o.Dir); n > o.Cap {
		t.Errorf("%d on disk after a start with a lower cap", n)
	}
}

// TestLeastUsed: what is read stays longer than what is not.
func TestLeastUsed(t *testing.T) {
	s := openAt(t, store.Options{Dir: t.TempDir(), Cap: 16 << 20, RAM: store.MinRAM}, store.Hooks{})
	for i := 0; i < 300; i += 5 {
		fill(t, s, 1, i, i+5, size)
		if err := storetest.Check(s, storetest.Key(1, 0), size, 0); err != nil {
			t.Fatalf("after %d segments: %v", i, err)
		}
	}
	if s.Has(storetest.Key(1, 60)) != nil {
		t.Error("what nobody reads is still held")
	}
}

// TestDamage overwrites and truncates files, under a running store and between
// runs: a block may be lost, never be wrong.
func TestDamage(t *testing.T) {
	const n = 30
	for round := range 12 {
		rnd := rand.New(rand.NewPCG(uint64(round), 7))
		o := store.Options{Dir: t.TempDir(), Cap: 64 << 20, RAM: store.MinRAM}
		s := openAt(t, o, store.Hooks{})
		for i := 0; i < n; i += 10 {
			fill(t, s, 1, i, i+10, size)
			if round%2 == 0 && i == 10 {
				s.Seal()
			}
		}
		fill(t, s, 2, 0, 8, size) // pushes the above out of RAM
		if round%3 == 0 {
			s.Close()
		}
		for _, name := range store.ShardFiles(t, o.Dir) {
			damage(t, rnd, name)
		}
		if round%3 != 0 {
			if got := count(t, s, 1, n, size); got >= n*5 {
				t.Errorf("round %d: nothing lost, so nothing was tried", round)
			}
			fill(t, s, 1, 0, n, size) // goes on: the lost are put again
			if got := count(t, s, 1, n, size); got < n*5/2 {
				t.Errorf("round %d: %d blocks after putting all again: %v", round, got, s.Degraded())
			}
			s.Close()
		}
		s = openAt(t, o, store.Hooks{})
		count(t, s, 1, n, size)
		fill(t, s, 1, 0, n, size)
		if got := count(t, s, 1, n, size); got != n*5 {
			t.Errorf("round %d: %d blocks after putting all into the reopened store: %v", round, got, s.Degraded())
		}
		s.Close()
	}
}

// damage changes a file in one of several ways.
func damage(t *testing.T, rnd *rand.Rand, name string) {
	t.Helper()
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	switch pages := info.Size() / 4096; rnd.IntN(4) {
	case 0:
		err = f.Truncate(rnd.Int64N(info.Size()))
	case 1: // single bytes
		for range 400 {
			if _, e := f.WriteAt([]byte{byte(rnd.Uint32())}, rnd.Int64N(info.Size())); e != nil {
				err = e
			}
		}
	case 2: // pages of zeros
		for range 1 + pages/20 {
			if _, e := f.WriteAt(make([]byte, 4096), rnd.Int64N(pages)*4096); e != nil {
				err = e
			}
		}
	case 3: // pages changed for others
		page := make([]byte, 4096)
		for range 1 + pages/20 {
			if _, e := f.ReadAt(page, rnd.Int64N(pages)*4096); e != nil {
				err = e
			}
			if _, e := f.WriteAt(page, rnd.Int64N(pages)*4096); e != nil {
				err = e
			}
		}
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestVanish removes the folder under a running store.
func TestVanish(t *testing.T) {
	o := store.Options{Dir: filepath.Join(t.TempDir(), "cache"), Cap: 64 << 20, RAM: store.MinRAM}
	s := openAt(t, o, store.Hooks{})
	fill(t, s, 1, 0, 20, size)
	s.Seal()
	fill(t, s, 2, 0, 10, size)
	if err := os.RemoveAll(o.Dir); err != nil {
		t.Fatal(err)
	}
	count(t, s, 1, 20, size)
	fill(t, s, 3, 0, 20, size)
	s.Seal()
	fill(t, s, 4, 0, 5, size)
	if n := count(t, s, 4, 5, size); n != 25 {
		t.Errorf("%d blocks, want 25: %v", n, s.Degraded())
	}
	if _, err := os.Stat(o.Dir); errors.Is(err, fs.ErrNotExist) {
		t.Error("the folder was not made again")
	}
}

func TestStrangers(t *testing.T) {
	o := store.Options{Dir: t.TempDir(), Cap: 64 << 20}
	empty := filepath.Join(o.Dir, "0000000000000007.shard")
	junk := filepath.Join(o.Dir, "0000000000000009.shard")
	for name, n := range map[string]int{"notes.txt": 10, "1.shard": 10, "zzzzzzzzzzzzzzzz.shard": 10, empty: 0, junk: 100000} {
		if !filepath.IsAbs(name) {
			name = filepath.Join(o.Dir, name)
		}
		if err := os.WriteFile(name, make([]byte, n), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := openAt(t, o, store.Hooks{})
	s.Keys(segment.Channel{})
	fill(t, s, 1, 0, 3, size)
	for name, want := range map[string]bool{
		"notes.txt": true, "1.shard": true, "zzzzzzzzzzzzzzzz.shard": true,
		"0000000000000007.shard": false, "0000000000000009.shard": false, "000000000000000a.shard": true,
	} {
		if _, err := os.Stat(filepath.Join(o.Dir, name)); (err == nil) != want {
			t.Errorf("%s: %v", name, err)
		}
	}
}
