package store_test

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"coral/store"
	"coral/store/segment"
	"coral/store/storetest"
)

func TestOptions(t *testing.T) {
	for _, o := range []store.Options{{Cap: -1}, {RAM: -1}, {Cap: 1 << 30}} {
		if s, err := store.Open(o); err == nil {
			s.Close()
			t.Errorf("%+v accepted", o)
		}
	}
}

// works fails unless the store keeps what is put, with no file.
func worksInRAM(t *testing.T, s *store.Store) {
	t.Helper()
	fill(t, s, 9, 0, 20, size)
	if n := count(t, s, 9, 20, size); n != 100 {
		t.Errorf("%d blocks, want 100", n)
	}
	if st := s.Stats(); st.Commits != 0 || st.Disk != 0 {
		t.Errorf("written to disk: %+v", st)
	}
}

func TestLocked(t *testing.T) {
	o := store.Options{Dir: t.TempDir(), Cap: 64 << 20}
	first := openAt(t, o, store.Hooks{})
	fill(t, first, 1, 0, 5, size)
	second := openAt(t, o, store.Hooks{})
	if err := second.Degraded(); !errors.Is(err, store.ErrLocked) {
		t.Fatalf("degraded: %v", err)
	}
	worksInRAM(t, second)
	if n := count(t, first, 1, 5, size); n != 25 {
		t.Errorf("the first store has %d blocks", n)
	}
	first.Close()
	second.SetCap(o.Cap) // tries again
	if err := second.Degraded(); err != nil {
		t.Fatal(err)
	}
	if n := count(t, second, 1, 5, size); n != 25 {
		t.Errorf("the second store found %d blocks", n)
	}
}

func TestNoFolder(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s := openAt(t, store.Options{Dir: filepath.Join(file, "cache"), Cap: 64 << 20}, store.Hooks{})
	if s.Degraded() == nil {
		t.Fatal("not degraded")
	}
	worksInRAM(t, s)
}

// TestDiskFull has files fail from the first write, from the third commit, or by
// what the system says of free space.
func TestDiskFull(t *testing.T) {
	t.Run("no file", func(t *testing.T) {
		s := openAt(t, store.Options{Dir: t.TempDir(), Cap: 64 << 20}, store.Hooks{
			Open: func(string, int, os.FileMode) (*os.File, error) { return nil, syscall.ENOSPC },
		})
		for range 3 {
			fill(t, s, 1, 0, 1, size)
		}
		if err := s.Degraded(); !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("degraded: %v", err)
		}
		worksInRAM(t, s)
	})
	t.Run("no first page", func(t *testing.T) {
		if _, err := os.Stat("/dev/full"); err != nil {
			t.Skip("no /dev/full")
		}
		s := openAt(t, store.Options{Dir: t.TempDir(), Cap: 64 << 20}, store.Hooks{
			Open: func(string, int, os.FileMode) (*os.File, error) { return os.OpenFile("/dev/full", os.O_RDWR, 0) },
		})
		for range 3 {
			fill(t, s, 1, 0, 1, size)
		}
		if err := s.Degraded(); !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("degraded: %v", err)
		}
		worksInRAM(t, s)
	})
	t.Run("later", func(t *testing.T) {
		// Closing bbolt's file under it makes each later write fail.
		var mu sync.Mutex
		var opened []*os.File
		broken := false
		s := openAt(t, store.Options{Dir: t.TempDir(), Cap: 64 << 20}, store.Hooks{
			Open: func(name string, flag int, perm os.FileMode) (*os.File, error) {
				mu.Lock()
				defer mu.Unlock()
				if broken {
					return nil, syscall.ENOSPC
				}
				f, err := os.OpenFile(name, flag, perm)
				opened = append(opened, f)
				return f, err
			},
		})
		fill(t, s, 1, 0, 10, size)
		mu.Lock()
		opened[0].Close()
		mu.Unlock()
		fill(t, s, 1, 10, 20, size)
		if s.Degraded() != nil {
			t.Fatal("degraded after one failure")
		}
		fill(t, s, 1, 20, 30, size) // a new file, with what the failed commit had
		if st := s.Stats(); st.Staged != 0 || st.Shards != 2 || len(opened) != 2 {
			t.Fatalf("after one failure: %+v", st)
		}
		mu.Lock()
		broken = true
		opened[1].Close()
		mu.Unlock()
		for range 3 {
			fill(t, s, 1, 30, 40, size)
		}
		if !errors.Is(s.Degraded(), syscall.ENOSPC) {
			t.Fatalf("degraded: %v", s.Degraded())
		}
		fill(t, s, 1, 40, 50, size)
		if n := count(t, s, 1, 50, size); n != 250 { // from two files and RAM
			t.Errorf("%d blocks, want 250", n)
		}
		mu.Lock()
		broken = false
		mu.Unlock()
		s.SetCap(64 << 20)
		s.Flush()
		if st := s.Stats(); s.Degraded() != nil || st.Staged != 0 {
			t.Errorf("after a new try: %v, %+v", s.Degraded(), st)
		}
	})
	t.Run("free space", func(t *testing.T) {
		var free atomic.Int64
		free.Store(500 << 20)
		s := openAt(t, store.Options{Dir: t.TempDir(), Cap: 64 << 20, RAM: 2 << 20}, store.Hooks{
			Free: func(string) (int64, int64, error) { return free.Load(), 4 << 30, nil }, // a tenth: 410 MiB
		})
		fill(t, s, 1, 0, 10, size)
		st := s.Stats()
		if s.Degraded() != nil || st.Staged != 0 {
			t.Fatalf("degraded: %v, %+v", s.Degraded(), st)
		}
		free.Store(400 << 20)
		for i := 10; i < 50; i += 5 { // more than RAM holds
			fill(t, s, 1, i, i+5, size)
		}
		if !errors.Is(s.Degraded(), store.ErrLowSpace) || s.Stats().Disk != st.Disk {
			t.Fatalf("degraded: %v, %+v", s.Degraded(), s.Stats())
		}
		if n := count(t, s, 1, 10, size); n != 50 {
			t.Errorf("%d blocks of before, want 50", n)
		}
		if s.Has(storetest.Key(1, 49)).Count() != 5 || s.Has(storetest.Key(1, 12)) != nil {
			t.Error("RAM does not keep the newest")
		}
		free.Store(500 << 20)
		s.Flush()
		if st := s.Stats(); s.Degraded() != nil || st.Staged != 0 {
			t.Errorf("with space again: %v, %+v", s.Degraded(), st)
		}
	})
}

// TestFault truncates the active file under bbolt's mapping: the fault that
// follows is contained and the store goes on in another file.
func TestFault(t *testing.T) {
	o := store.Options{Dir: t.TempDir(), Cap: 64 << 20}
	s := openAt(t, o, store.Hooks{})
	for i := range 5 {
		fill(t, s, 1, 10*i, 10*i+10, size)
		files := store.ShardFiles(t, o.Dir)
		if err := os.Truncate(files[len(files)-1], 4096); err != nil {
			t.Fatal(err)
		}
	}
	fill(t, s, 1, 50, 60, size)
	s.Flush()
	if err := s.Degraded(); err != nil {
		t.Fatal(err)
	}
	if n := count(t, s, 1, 60, size); n != 300 { // RAM still has them all
		t.Errorf("%d blocks, want 300", n)
	}
}

// TestTiming: finished segments are written within a second, unfinished ones when
// they have been quiet, and nothing runs otherwise.
func TestTiming(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := openAt(t, store.Options{Dir: t.TempDir(), Cap: 1 << 30}, store.Hooks{})
		begin := time.Now()
		commits := func() int64 {
			synctest.Wait()
			return s.Stats().Commits
		}
		for i := range 4 { // a segment a quarter of a second: one group
			if err := storetest.Fill(s, storetest.Key(1, i), size); err != nil {
				t.Fatal(err)
			}
			if commits() != 0 {
				t.Fatalf("committed after %v", time.Since(begin))
			}
			time.Sleep(200 * time.Millisecond)
		}
		time.Sleep(200 * time.Millisecond)
		if st := s.Stats(); commits() != 1 || st.Staged != 0 || st.RAM < 4*size {
			t.Fatalf("after a second: %+v", st)
		}

		k := storetest.Key(1, 5)
		if err := s.Put(k, size, 3, storetest.Content(k, size, 3)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(1900 * time.Millisecond)
		if commits() != 1 {
			t.Fatal("an unfinished segment was written at once")
		}
		time.Sleep(200 * time.Millisecond)
		if st := s.Stats(); commits() != 2 || st.Staged != 0 {
			t.Fatalf("an unfinished segment was not written: %+v", st)
		}
		for b := range 60 { // one block a second
			k := storetest.Key(1, 6)
			if err := s.Put(k, 64*segment.BlockSize, b, storetest.Content(k, 64*segment.BlockSize, b)); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		if n := commits() - 2; n < 5 || n > 7 {
			t.Errorf("%d commits in a minute of trickle", n)
		}
		time.Sleep(time.Minute)
		last := commits()
		for i := range 10 { // 8 MiB at once do not wait
			if err := storetest.Fill(s, storetest.Key(2, i), 32*segment.BlockSize); err != nil {
				t.Fatal(err)
			}
		}
		if commits() != last+1 {
			t.Errorf("%d commits of 10 MiB", commits()-last)
		}
		time.Sleep(time.Hour)
		if s.Stats().Staged != 0 {
			t.Error("still staged")
		}
	})
}
