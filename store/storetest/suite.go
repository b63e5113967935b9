package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"coral/store"
	"coral/store/segment"
)

// Room is how many bytes a store under test must keep at least, and twice of
// which it need not keep in RAM.
const Room = 4 << 20

// Run tests a store. open returns an empty one, with room for at least Room
// bytes, which Run closes.
func Run(t *testing.T, open func(t *testing.T) Store) {
	for name, test := range map[string]func(*testing.T, Store){
		"blocks": testBlocks, "refusals": testRefusals, "own copies": testCopies, "roots": testRoots,
		"keys": testKeys, "pins": testPins, "clear": testClear, "closed": testClosed,
		"random walk": testWalk, "concurrent": testConcurrent,
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			defer func() {
				if err := s.Close(); err != nil {
					t.Errorf("close: %v", err)
				}
			}()
			test(t, s)
		})
	}
}

// Check reads a block that must be held and compares it.
func Check(s Store, k store.Key, size, block int) error {
	want := Content(k, size, block)
	got := bytes.Repeat([]byte{0xA5}, segment.BlockSize)
	n, err := s.Read(k, block, got)
	if err != nil {
		return fmt.Errorf("read %v block %d: %w", k, block, err)
	}
	if !bytes.Equal(got[:n], want) {
		return fmt.Errorf("read %v block %d: wrong bytes", k, block)
	}
	return nil
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func testBlocks(t *testing.T, s Store) {
	for _, size := range []int{0, 1, segment.BlockSize - 1, segment.BlockSize, segment.BlockSize + 1, 70*segment.BlockSize + 5} {
		k := Key(1, size)
		if s.Has(k) != nil || s.Size(k) != -1 {
			t.Fatalf("size %d: held before put", size)
		}
		want := segment.NewBitmap(segment.Blocks(size))
		for _, b := range rand.Perm(segment.Blocks(size)) {
			if _, err := s.Read(k, b, make([]byte, segment.BlockSize)); !errors.Is(err, store.ErrMiss) {
				t.Fatalf("size %d: read before put: %v", size, err)
			}
			must(t, s.Put(k, size, b, Content(k, size, b)))
			must(t, s.Put(k, size, b, Content(k, size, b))) // again: no harm
			want.Set(b)
			if got := s.Has(k); !slices.Equal(got, want) {
				t.Fatalf("size %d: has %x, want %x", size, got, want)
			}
			must(t, Check(s, k, size, b))
		}
		if s.Size(k) != size {
			t.Fatalf("Size = %d, want %d", s.Size(k), size)
		}
		for b := range segment.Blocks(size) {
			must(t, Check(s, k, size, b))
		}
	}
	if n := s.Stats().Segments; n != 6 {
		t.Errorf("%d segments, want 6", n)
	}
}

func testRefusals(t *testing.T, s Store) {
	k, full := Key(1, 1), make([]byte, segment.BlockSize)
	for _, c := range []struct {
		name        string
		size, block int
		data        []byte
	}{
		{"negative size", -1, 0, nil},
		{"too large", segment.MaxSize + 1, 0, full},
		{"negative block", 100, -1, full[:100]},
		{"block past the end", 100, 1, full[:100]},
		{"short block", 100, 0, full[:99]},
		{"long block", 100, 0, full[:101]},
		{"short inner block", 2 * segment.BlockSize, 0, full[:100]},
	} {
		if s.Put(k, c.size, c.block, c.data) == nil {
			t.Errorf("%s: put accepted", c.name)
		}
	}
	if s.Has(k) != nil {
		t.Error("a refused put left something")
	}
	must(t, s.Put(k, 100, 0, full[:100]))
	if s.Put(k, 101, 0, full[:101]) == nil {
		t.Error("put with another size accepted")
	}
	for _, b := range []int{-1, 1, 1 << 30} {
		if _, err := s.Read(k, b, full); !errors.Is(err, store.ErrMiss) {
			t.Errorf("read block %d: %v", b, err)
		}
	}
	if _, err := s.Read(k, 0, full[:99]); !errors.Is(err, io.ErrShortBuffer) {
		t.Errorf("read into too little room: %v", err)
	}
}

func testCopies(t *testing.T, s Store) {
	k, size := Key(1, 1), 2*segment.BlockSize
	data := Content(k, size, 0)
	must(t, s.Put(k, size, 0, data))
	clear(data)
	must(t, Check(s, k, size, 0))
	got := make([]byte, segment.BlockSize)
	_, err := s.Read(k, 0, got)
	must(t, err)
	clear(got)
	must(t, Check(s, k, size, 0))
	s.Has(k).Set(1)
	if s.Has(k).Has(1) {
		t.Error("Has gave its own bitmap away")
	}
}

func testRoots(t *testing.T, s Store) {
	a, b := Key(1, 1), Key(1, 1)
	b.Root[31] ^= 1
	must(t, Fill(s, a, 100))
	if s.Has(b) != nil {
		t.Fatal("another root's bytes are held")
	}
	must(t, Fill(s, b, 200))
	must(t, Check(s, a, 100, 0))
	must(t, Check(s, b, 200, 0))
}

func testKeys(t *testing.T, s Store) {
	var want []store.Key
	for _, i := range rand.Perm(20) {
		want = append(want, Key(1, i))
		must(t, Fill(s, Key(1, i), 10))
		must(t, Fill(s, Key(2, i), 10))
	}
	s.Pin(Key(1, 99))
	slices.SortFunc(want, store.Key.Compare)
	if got := s.Keys(Key(1, 0).Channel); !slices.Equal(got, want) {
		t.Errorf("keys %v, want %v", got, want)
	}
	if got := s.Keys(Key(3, 0).Channel); len(got) != 0 {
		t.Errorf("keys of an unknown channel: %v", got)
	}
}

func testPins(t *testing.T, s Store) {
	const size = 8 * segment.BlockSize
	before, after := Key(1, 1), Key(1, 2)
	unpin := []func(){s.Pin(before), s.Pin(before)}
	must(t, Fill(s, before, size))
	must(t, Fill(s, after, size))
	unpin = append(unpin, s.Pin(after))
	if s.Has(Key(1, 3)) != nil {
		t.Fatal("a pin alone holds something")
	}
	for i := range 8 * Room / size {
		must(t, Fill(s, Key(2, i), size))
	}
	for b := range segment.Blocks(size) {
		must(t, Check(s, before, size, b))
		must(t, Check(s, after, size, b))
	}
	for _, f := range unpin {
		f()
		f() // once counts
	}
	must(t, Fill(s, Key(3, 1), size))
	must(t, Check(s, Key(3, 1), size, 0))
}

func testClear(t *testing.T, s Store) {
	for ch := range 3 {
		for i := range 5 {
			must(t, Fill(s, Key(ch, i), Size(Key(ch, i))))
		}
	}
	unpin := s.Pin(Key(1, 0))
	defer unpin()
	ch := Key(1, 0).Channel
	must(t, s.Clear(&ch))
	if keys := s.Keys(ch); len(keys) != 0 || s.Has(Key(1, 0)) != nil {
		t.Fatalf("after clear: %v", keys)
	}
	for i := range 5 { // all of this is recent, and stays
		must(t, Check(s, Key(0, i), Size(Key(0, i)), 0))
		must(t, Check(s, Key(2, i), Size(Key(2, i)), 0))
	}
	must(t, Fill(s, Key(1, 0), Size(Key(1, 0))))
	must(t, Check(s, Key(1, 0), Size(Key(1, 0)), 0))
	must(t, s.Clear(nil))
	if st := s.Stats(); st.Segments != 0 || st.RAM != 0 || st.Staged != 0 || st.Disk != 0 {
		t.Errorf("after clearing all: %+v", st)
	}
}

func testClosed(t *testing.T, s Store) {
	k := Key(1, 1)
	must(t, Fill(s, k, 100))
	unpin := s.Pin(k)
	must(t, s.Close())
	must(t, s.Close())
	if err := s.Put(k, 100, 0, Content(k, 100, 0)); !errors.Is(err, store.ErrClosed) {
		t.Errorf("put: %v", err)
	}
	if _, err := s.Read(k, 0, make([]byte, 100)); !errors.Is(err, store.ErrClosed) {
		t.Errorf("read: %v", err)
	}
	if err := s.Clear(nil); !errors.Is(err, store.ErrClosed) {
		t.Errorf("clear: %v", err)
	}
	s.SetCap(64 << 20)
	unpin()
}

// testWalk does random things and compares with what was put: a store may have
// evicted, but what it says it holds must be there and be right.
func testWalk(t *testing.T, s Store) {
	rnd := rand.New(rand.NewPCG(1, 2))
	put := map[store.Key]segment.Bitmap{}
	var unpins []func()
	for step := range 4000 {
		k := Key(rnd.IntN(2), rnd.IntN(60))
		size := Size(k)
		b := rnd.IntN(segment.Blocks(size))
		switch op := rnd.IntN(100); {
		case op < 50:
			must(t, s.Put(k, size, b, Content(k, size, b)))
			if put[k] == nil {
				put[k] = segment.NewBitmap(segment.Blocks(size))
			}
			put[k].Set(b)
			must(t, Check(s, k, size, b))
		case op < 90:
			held := s.Has(k)
			for i := range segment.Blocks(size) {
				if held.Has(i) && !put[k].Has(i) {
					t.Fatalf("step %d: %v block %d is held and was never put", step, k, i)
				}
			}
			if held.Has(b) {
				must(t, Check(s, k, size, b))
			} else if _, err := s.Read(k, b, make([]byte, segment.BlockSize)); !errors.Is(err, store.ErrMiss) {
				t.Fatalf("step %d: read of what is not held: %v", step, err)
			}
		case op < 95:
			unpins = append(unpins, s.Pin(k))
		case op < 99:
			if n := len(unpins); n > 0 {
				unpins[n-1]()
				unpins = unpins[:n-1]
			}
		case step%10 == 0:
			must(t, s.Clear(&k.Channel))
			for o := range put {
				if o.Channel == k.Channel {
					delete(put, o)
				}
			}
		}
	}
}

// testConcurrent has some write what others read.
func testConcurrent(t *testing.T, s Store) {
	const segments, size = 40, 3*segment.BlockSize + 17
	var writers, readers sync.WaitGroup
	stop := make(chan struct{})
	for w := range 2 {
		writers.Go(func() {
			for i := range segments {
				unpin := s.Pin(Key(w, i))
				if err := Fill(s, Key(w, i), size); err != nil {
					t.Error(err)
				}
				unpin()
			}
		})
	}
	for r := range 4 {
		readers.Go(func() {
			rnd := rand.New(rand.NewPCG(uint64(r), 1))
			for {
				select {
				case <-stop:
					return
				default:
				}
				k, b := Key(rnd.IntN(2), rnd.IntN(segments)), rnd.IntN(segment.Blocks(size))
				if err := Check(s, k, size, b); err != nil && !errors.Is(err, store.ErrMiss) {
					t.Error(err)
					return
				}
				s.Has(k)
				s.Stats()
			}
		})
	}
	writers.Wait()
	close(stop)
	readers.Wait()
	if n := len(s.Keys(Key(0, 0).Channel)); n == 0 {
		t.Error("nothing left")
	}
}
