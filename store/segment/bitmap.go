package segment

import "math/bits"

// Bitmap is a set of block numbers, 64 to a word, block 0 in the lowest bit of
// word 0. The zero value is empty; words past the end read as zero.
type Bitmap []uint64

// NewBitmap returns an empty set with room for n blocks.
func NewBitmap(n int) Bitmap { return make(Bitmap, (n+63)/64) }

// FullBitmap returns the set of blocks 0 … n-1.
func FullBitmap(n int) Bitmap {
	b := NewBitmap(n)
	for i := range b {
		b[i] = ^uint64(0)
	}
	if r := n % 64; r != 0 {
		b[len(b)-1] = 1<<r - 1
	}
	return b
}

// Has reports whether block i is in the set.
func (b Bitmap) Has(i int) bool { return i>>6 < len(b) && b[i>>6]&(1<<(i&63)) != 0 }

// Set adds block i, which must be below the size given to NewBitmap.
func (b Bitmap) Set(i int) { b[i>>6] |= 1 << (i & 63) }

// Clear removes block i.
func (b Bitmap) Clear(i int) {
	if i>>6 < len(b) {
		b[i>>6] &^= 1 << (i & 63)
	}
}

// Count returns how many blocks are in the set.
func (b Bitmap) Count() int {
	n := 0
	for _, w := range b {
		n += bits.OnesCount64(w)
	}
	return n
}

// Empty reports whether the set has no block.
func (b Bitmap) Empty() bool {
	for _, w := range b {
		if w != 0 {
			return false
		}
	}
	return true
}

// Clone returns a copy.
func (b Bitmap) Clone() Bitmap { return append(Bitmap(nil), b...) }
