package store_test

import (
	"bufio"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"coral/store"
	"coral/store/segment"
	"coral/store/storetest"
)

const (
	killCap  = 12 << 20
	killSize = 5*segment.BlockSize + 99
	kills    = 20
)

func init() { store.SetChild(writeUntilKilled) }

// writeUntilKilled writes segments, rising from where the folder ends, and says
// after each flush up to which all are on disk.
func writeUntilKilled(dir string) {
	s, err := store.OpenWith(store.Options{Dir: dir, Cap: killCap, RAM: store.MinRAM}, store.Hooks{})
	if err != nil || s.Degraded() != nil {
		fmt.Println("error", err, s.Degraded())
		return
	}
	next := 0
	for _, k := range s.Keys(storetest.Key(1, 0).Channel) {
		next = max(next, int(k.ID.Sequence)+1)
	}
	for {
		for range 1 + rand.IntN(6) {
			k := storetest.Key(1, next)
			for b := range segment.Blocks(killSize) {
				if rand.IntN(40) == 0 {
					continue // some stay unfinished
				}
				if err := s.Put(k, killSize, b, storetest.Content(k, killSize, b)); err != nil {
					fmt.Println("error", err)
				}
			}
			next++
		}
		s.Flush()
		fmt.Println("flushed", next)
	}
}

// TestKill ends a writing process the hard way, again and again, in one folder.
func TestKill(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cache")
	blocks, worst := 0, time.Duration(0)
	for i := range kills {
		flushed := killOne(t, dir, time.Duration(10+rand.IntN(60))*time.Millisecond)
		if n := diskUse(t, dir); n > killCap {
			t.Fatalf("kill %d: %d bytes on disk, cap %d", i, n, killCap)
		}
		begin := time.Now()
		s, err := store.OpenWith(store.Options{Dir: dir, Cap: killCap}, store.Hooks{})
		if err != nil || s.Degraded() != nil {
			t.Fatal(err, s.Degraded())
		}
		worst = max(worst, time.Since(begin))
		keys := s.Keys(storetest.Key(1, 0).Channel)
		last := -1
		for _, k := range keys {
			held := s.Has(k)
			last = max(last, int(k.ID.Sequence))
			for b := range segment.Blocks(killSize) {
				if held.Has(b) {
					if err := storetest.Check(s, k, killSize, b); err != nil {
						t.Fatalf("kill %d: %v", i, err)
					}
					blocks++
				}
			}
		}
		if last+2 < flushed { // the last may have got no block at all
			t.Fatalf("kill %d: flushed up to %d, found up to %d of %d keys", i, flushed, last, len(keys))
		}
		if st := s.Stats(); st.Damaged > 0 {
			t.Fatalf("kill %d: %d damaged blocks", i, st.Damaged)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d blocks read back after %d kills, opened in %v at most", blocks, kills, worst)
}

// killOne runs a writing child and kills it some time after its first flush. It
// returns up to which segment the child knew all to be on disk.
func killOne(t *testing.T, dir string, after time.Duration) (flushed int) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), store.ChildEnv+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines, armed := bufio.NewScanner(out), false
	for lines.Scan() {
		n, ok := strings.CutPrefix(lines.Text(), "flushed ")
		if !ok {
			cmd.Process.Kill()
			t.Fatal(lines.Text())
		}
		if flushed, err = strconv.Atoi(n); err != nil {
			t.Fatal(err)
		}
		if !armed {
			armed = true
			defer time.AfterFunc(after, func() { cmd.Process.Kill() }).Stop()
		}
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &exit) {
		t.Fatalf("child ended by itself: %v", err)
	}
	return flushed
}

// diskUse is what the files of a folder say they take.
func diskUse(t testing.TB, dir string) (n int64) {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if info, err := f.Info(); err == nil {
			n += info.Size()
		}
	}
	return n
}
