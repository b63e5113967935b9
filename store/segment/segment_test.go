package segment

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// pattern is byte i = 7i + i/251: no two leaves are alike.
func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(7*i + i/251)
	}
	return b
}

// bep52 computes a file's "pieces root" as BEP 52 tells it, with nothing of this
// package: the hashes of 16 KiB leaves, the layer filled up with 32 zero bytes to
// a power of two, then pairs hashed until one is left.
func bep52(data []byte) [32]byte {
	var layer [][32]byte
	for len(data) > 0 {
		n := min(len(data), 16384)
		layer = append(layer, sha256.Sum256(data[:n]))
		data = data[n:]
	}
	for n := 1; ; n *= 2 {
		if n >= len(layer) {
			layer = append(layer, make([][32]byte, n-len(layer))...)
			break
		}
	}
	for len(layer) > 1 {
		var up [][32]byte
		for i := 0; i < len(layer); i += 2 {
			up = append(up, sha256.Sum256(append(slices.Clone(layer[i][:]), layer[i+1][:]...)))
		}
		layer = up
	}
	return layer[0]
}

func TestRootIsBEP52(t *testing.T) {
	for _, n := range []int{
		LeafSize + 1, 2*LeafSize - 1, BlockSize, BlockSize + 1, 2 * BlockSize, 2*BlockSize + LeafSize,
		3 * BlockSize, 3*BlockSize + LeafSize + 5, 4 * BlockSize, 5*BlockSize - 1, 31*BlockSize + 3, 64 * BlockSize, 65*BlockSize + 1,
	} {
		data := pattern(n)
		if got, want := Root(Digests(data)), Digest(bep52(data)); got != want {
			t.Errorf("%d bytes: root %v, want %v", n, got, want)
		}
	}
}

// TestVectors holds the digests for good: they are signed and on other machines.
// The values were computed by an independent program (Python's hashlib).
func TestVectors(t *testing.T) {
	for _, v := range []struct {
		size        int
		first, root string
	}{
		{0, "179271825f84234176c90cbd27f0821ba1544eddd10836aaf72bd9614e8cf325", "179271825f84234176c90cbd27f0821ba1544eddd10836aaf72bd9614e8cf325"},
		{1, "1d9ec1dafe7aaa988f4d2050936e8db7255d336ff3b18b198287930f2de9f08b", "1d9ec1dafe7aaa988f4d2050936e8db7255d336ff3b18b198287930f2de9f08b"},
		{16384, "dd8c47d4a176ec72a35cf14ca791ecd4eb0bdce53504ddf2ec0cc4cb8fa9a602", "dd8c47d4a176ec72a35cf14ca791ecd4eb0bdce53504ddf2ec0cc4cb8fa9a602"},
		{16385, "4f06ab5d81301a6be8740291d8491edb35843daecf491a50c4d22d92eaf9acbc", "4f06ab5d81301a6be8740291d8491edb35843daecf491a50c4d22d92eaf9acbc"},
		{32768, "6aeeb2f304b96333c9af0d0a646d227f4413e4dfde8da317eabcb92bf234ba61", "6aeeb2f304b96333c9af0d0a646d227f4413e4dfde8da317eabcb92bf234ba61"},
		{100000, "6aeeb2f304b96333c9af0d0a646d227f4413e4dfde8da317eabcb92bf234ba61", "26ce98d1c2ad96891be47b6d01b8a5a8d5a91866997522ee3a57ae0ba846bba9"},
		{1000000, "6aeeb2f304b96333c9af0d0a646d227f4413e4dfde8da317eabcb92bf234ba61", "477cecee3649032a5441a1ae3dce00d47445a1b73d841bec0ea15fa5bef26d36"},
	} {
		ds := Digests(pattern(v.size))
		if ds[0].String() != v.first || Root(ds).String() != v.root {
			t.Errorf("%d bytes: first %v, root %v", v.size, ds[0], Root(ds))
		}
	}
}

// TestOneLeaf: what has one leaf at most is hashed with an absent sibling, unlike
// in BEP 52.
func TestOneLeaf(t *testing.T) {
	for _, n := range []int{0, 1, LeafSize} {
		data := pattern(n)
		leaf := sha256.Sum256(data)
		want := Digest(sha256.Sum256(append(leaf[:], make([]byte, 32)...)))
		if got := Root(Digests(data)); got != want {
			t.Errorf("%d bytes: root %v, want %v", n, got, want)
		}
	}
	if Root(nil) != (Digest{}) {
		t.Error("no blocks have a root")
	}
}

// TestRootTellsAll: any change of any block, and another number of blocks, changes
// the root.
func TestRootTellsAll(t *testing.T) {
	ds := Digests(pattern(5*BlockSize + 1))
	seen := map[Digest]string{Root(ds): "itself"}
	note := func(name string, d []Digest) {
		r := Root(d)
		if as, ok := seen[r]; ok {
			t.Errorf("%s has the same root as %s", name, as)
		}
		seen[r] = name
	}
	for i := range ds {
		c := slices.Clone(ds)
		c[i][31] ^= 1
		note(fmt.Sprint("changed ", i), c)
		note(fmt.Sprint("cut to ", i), ds[:i])
	}
	if slices.ContainsFunc(ds, func(d Digest) bool { return d == Digest{} }) {
		t.Error("a digest is zero")
	}
}

func TestBlocks(t *testing.T) {
	for _, c := range []struct{ size, blocks, last int }{
		{0, 1, 0},
		{1, 1, 1},
		{BlockSize - 1, 1, BlockSize - 1},
		{BlockSize, 1, BlockSize},
		{BlockSize + 1, 2, 1},
		{10 * BlockSize, 10, BlockSize},
		{MaxSize, MaxBlocks, BlockSize},
	} {
		n := Blocks(c.size)
		if n != c.blocks || BlockLen(c.size, n-1) != c.last {
			t.Errorf("%d bytes: %d blocks, the last of %d", c.size, n, BlockLen(c.size, n-1))
		}
		sum := 0
		for i := range n {
			sum += BlockLen(c.size, i)
		}
		if sum != c.size {
			t.Errorf("%d bytes: blocks have %d", c.size, sum)
		}
	}
	data := pattern(2*BlockSize + 77)
	ds := Digests(data)
	if len(ds) != 3 {
		t.Fatalf("%d digests", len(ds))
	}
	for i, d := range ds {
		if got := BlockDigest(data[i*BlockSize : i*BlockSize+BlockLen(len(data), i)]); got != d {
			t.Errorf("digest of block %d: %v, want %v", i, got, d)
		}
	}
}

func TestID(t *testing.T) {
	ids := []ID{{1, Media, 5}, {1, Media, 1 << 40}, {1, Init, 0}, {1, Init, 7}, {2, Media, 0}}
	for i, a := range ids {
		for j, b := range ids {
			want := 0
			if i < j {
				want = -1
			} else if i > j {
				want = 1
			}
			if got := a.Compare(b); got != want {
				t.Errorf("%v against %v: %d, want %d", a, b, got, want)
			}
		}
	}
	if a, b := ids[0].String(), ids[3].String(); a != "1/5" || b != "1/init7" {
		t.Errorf("strings %q, %q", a, b)
	}
	if s := (Channel{0xAB, 1}).String(); s != "ab01"+hex.EncodeToString(make([]byte, 18)) {
		t.Errorf("channel %q", s)
	}
}

// TestBitmap does random things to a bitmap and to a map.
func TestBitmap(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 1))
	for _, n := range []int{1, 63, 64, 65, 200, MaxBlocks} {
		b, want := NewBitmap(n), map[int]bool{}
		if !b.Empty() {
			t.Errorf("%d: new and not empty", n)
		}
		for range 3 * n {
			i := rnd.IntN(n)
			if rnd.IntN(3) > 0 {
				b.Set(i)
				want[i] = true
			} else {
				b.Clear(i)
				delete(want, i)
			}
			if b.Count() != len(want) || b.Empty() != (len(want) == 0) {
				t.Fatalf("%d: count %d, want %d", n, b.Count(), len(want))
			}
		}
		for i := range n {
			if b.Has(i) != want[i] {
				t.Fatalf("%d: block %d is %v", n, i, b.Has(i))
			}
		}
		c := b.Clone()
		c.Clear(0)
		c.Set(n - 1)
		for i := range n {
			if b.Has(i) != want[i] {
				t.Fatalf("%d: a clone is not its own", n)
			}
		}
		full := FullBitmap(n)
		if full.Count() != n || full.Has(n) || !full.Has(n-1) || !slices.Equal(full, full.Clone()) {
			t.Errorf("%d: full has %d", n, full.Count())
		}
	}
	var none Bitmap
	none.Clear(5)
	if none.Has(0) || none.Has(1000) || none.Count() != 0 || !none.Empty() || none.Clone().Count() != 0 {
		t.Error("the zero bitmap is not empty")
	}
}

func FuzzDigests(f *testing.F) {
	f.Add([]byte("x"), 1)
	f.Add([]byte("coral"), 9000)
	f.Fuzz(func(t *testing.T, b []byte, times int) {
		if times < 1 || times > 1<<16 || len(b) > 1<<10 || len(b)*times <= LeafSize || len(b)*times > 8*BlockSize {
			return
		}
		data := bytes.Repeat(b, times)
		if got, want := Root(Digests(data)), Digest(bep52(data)); got != want {
			t.Errorf("%d bytes: root %v, want %v", len(data), got, want)
		}
	})
}
