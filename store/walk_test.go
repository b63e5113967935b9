package store

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"testing"
	"unsafe"

	"go.etcd.io/bbolt"

	"coral/store/segment"
)

// group makes pending runs of random blocks of random segments.
func testGroup(rnd *rand.Rand, runs int) []pending {
	var group []pending
	for range runs {
		size := rnd.IntN(6 * segment.BlockSize)
		p := pending{key: Key{ID: segment.ID{Rendition: uint16(rnd.Uint32()), Sequence: rnd.Uint64()}}, size: size}
		p.key.Root[3] = byte(rnd.Uint32())
		for b := range segment.Blocks(size) {
			if rnd.IntN(4) > 0 || b == segment.Blocks(size)-1 {
				d := make([]byte, segment.BlockLen(size, b))
				p.blocks, p.data, p.sums = append(p.blocks, b), append(p.data, d), append(p.sums, rnd.Uint32())
				p.bytes += len(d)
			}
		}
		group = append(group, p)
	}
	return group
}

// writeShard makes a shard of the given groups and returns its file.
func writeShard(t testing.TB, seal bool, groups ...[]pending) string {
	t.Helper()
	s, err := OpenWith(Options{Dir: t.TempDir(), Cap: 256 << 20}, Hooks{})
	if err != nil {
		t.Fatal(err)
	}
	a, err := s.create(s.geom)
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range groups {
		if _, err := a.append(g); err != nil {
			t.Fatal(err)
		}
	}
	if s.active = a; !seal {
		a.db.Close()
		s.active = nil
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return a.sh.path
}

// TestWalk compares what the own reader finds with what bbolt says, for sealed
// and unsealed files of few to many runs.
func TestWalk(t *testing.T) {
	for _, n := range []int{1, 2, 3, 40, 300} {
		for _, seal := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d runs, sealed %v", n, seal), func(t *testing.T) {
				rnd := rand.New(rand.NewPCG(uint64(n), 1))
				var groups [][]pending
				for left := n; left > 0; {
					k := min(left, 1+rnd.IntN(12))
					groups = append(groups, testGroup(rnd, k))
					left -= k
				}
				path := writeShard(t, seal, groups...)
				f, err := os.Open(path)
				if err != nil {
					t.Fatal(err)
				}
				defer f.Close()
				info, _ := f.Stat()
				got, high, damaged, err := walkFile(f, info.Size())
				if err != nil || damaged != 0 || len(got) != n {
					t.Fatalf("%d runs, %d damaged: %v", len(got), damaged, err)
				}
				if seal && high != info.Size() {
					t.Errorf("file has %d bytes, %d in use", info.Size(), high)
				}
				slices.SortFunc(got, func(a, b found) int { return int(a.serial) - int(b.serial) })
				want := slices.Concat(groups...)
				db, err := bbolt.Open(path, 0, &bbolt.Options{ReadOnly: true})
				if err != nil {
					t.Fatal(err)
				}
				defer db.Close()
				err = db.View(func(tx *bbolt.Tx) error {
					for i, r := range got {
						v := tx.Bucket(dataBucket).Bucket(serialKey(uint32(i))).Get(valueKey)
						off := int64(uintptr(unsafe.Pointer(&v[0])) - db.Info().Data)
						p := want[i]
						if r.off != off || r.key != p.key || r.size != p.size || r.bytes != int64(p.bytes) || !reflect.DeepEqual(r.entries, p.entries()) {
							t.Fatalf("run %d: %+v at %d, want %v %d bytes at %d", i, r, r.off, p.key, p.size, off)
						}
					}
					if high != tx.Size() {
						t.Errorf("%d bytes in use, bbolt says %d", high, tx.Size())
					}
					return nil
				})
				if err != nil {
					t.Fatal(err)
				}
			})
		}
	}
}

// TestWalkWithoutFooter: a damaged footer costs time, not data.
func TestWalkWithoutFooter(t *testing.T) {
	path := writeShard(t, true, testGroup(rand.New(rand.NewPCG(1, 1)), 20))
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.LastIndex(b, footerKey) // its leaf: the key, then the value
	b[at+len(footerKey)+100] ^= 1
	runs, _, damaged, err := walkFile(bytes.NewReader(b), int64(len(b)))
	if err != nil || len(runs) != 20 || damaged != 1 {
		t.Errorf("%d runs, %d damaged: %v", len(runs), damaged, err)
	}
}

// FuzzWalk: no file makes the reader panic, run long or point outside the file.
func FuzzWalk(f *testing.F) {
	rnd := rand.New(rand.NewPCG(3, 3))
	tiny := func() []pending {
		p := testGroup(rnd, 1)[0]
		p.size = 10
		p.blocks, p.data, p.sums, p.bytes = []int{0}, [][]byte{make([]byte, 10)}, []uint32{1}, 10
		return []pending{p}
	}
	for _, seal := range []bool{false, true} {
		b, err := os.ReadFile(writeShard(f, seal, tiny(), tiny()))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b[:min(len(b), 1<<17)], uint32(0), uint64(0))
	}
	f.Fuzz(func(t *testing.T, b []byte, at uint32, v uint64) {
		if len(b) > 8 {
			b = bytes.Clone(b)
			i := int(at) % (len(b) - 8)
			for j := range 8 {
				b[i+j] ^= byte(v >> (8 * j))
			}
		}
		runs, high, _, err := walkFile(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return
		}
		if high > maxFile {
			t.Fatalf("%d bytes in use", high)
		}
		for _, r := range runs {
			if r.off < 0 || r.off+r.bytes > int64(len(b)) || r.size > segment.MaxSize || len(r.entries) == 0 {
				t.Fatalf("run %+v in a file of %d", r, len(b))
			}
		}
	})
}

// TestWalkDamage changes single numbers all over a file's pages.
func TestWalkDamage(t *testing.T) {
	path := writeShard(t, false, testGroup(rand.New(rand.NewPCG(1, 1)), 10), testGroup(rand.New(rand.NewPCG(2, 1)), 10))
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	rnd := rand.New(rand.NewPCG(9, 9))
	for range 200 {
		b := bytes.Clone(whole)
		for range 1 + rnd.IntN(3) { // in the heads of pages, where the structure is
			i := rnd.IntN(len(b)/pageSize)*pageSize + rnd.IntN(64)
			b[i] = byte(rnd.Uint32())
		}
		b = b[:len(b)-rnd.IntN(2)*rnd.IntN(len(b)/2)]
		runs, _, _, err := walkFile(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			continue
		}
		for _, r := range runs {
			if r.off < 0 || r.off+r.bytes > int64(len(b)) {
				t.Fatalf("run %+v in a file of %d", r, len(b))
			}
		}
	}
}

func TestGeometry(t *testing.T) {
	for c := int64(MinCap); c < 1<<40; c += c/3 + 12345 {
		g := geometryOf(c)
		if g.shard > c/4 || g.shard > maxShard || g.group > g.shard/2 || g.group < segment.BlockSize || g.mmap < g.shard+g.alloc || g.mmap <= g.alloc || g.mmap > maxFile || g.shard%pageSize != 0 {
			t.Errorf("cap %d: %+v", c, g)
		}
	}
}

func TestFooterBounds(t *testing.T) {
	p := testGroup(rand.New(rand.NewPCG(4, 4)), 5)
	var b []byte
	for i := range p {
		b = appendFooterRun(b, spot{uint32(i), int64(i) << 20}, appendRecord(nil, p[i]))
	}
	b = sealFooter(b)
	if runs, err := parseFooter(b); err != nil || len(runs) != 5 {
		t.Fatalf("%d runs: %v", len(runs), err)
	}
	for i := range b[:600] {
		c := bytes.Clone(b)
		if c[i] ^= 1 << (i % 8); i < 500 {
			if runs, err := parseFooter(c); err == nil {
				t.Fatalf("bit in byte %d not noticed: %d runs", i, len(runs))
			}
		}
		parseFooter(b[:i])
	}
	if runs, err := parseFooter(sealFooter(nil)); err != nil || len(runs) != 0 {
		t.Errorf("empty footer: %v", err)
	}
}
