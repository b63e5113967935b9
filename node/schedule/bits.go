package schedule

import (
	"math/bits"

	"coral/store/segment"
)

func popcount(x uint64) int { return bits.OnesCount64(x) }

func empty(b segment.Bitmap) bool {
	for _, w := range b {
		if w != 0 {
			return false
		}
	}
	return true
}

// next returns the lowest block of b that is at least i, or -1.
func next(b segment.Bitmap, i int) int {
	if i < 0 {
		i = 0
	}
	w := i >> 6
	if w >= len(b) {
		return -1
	}
	x := b[w] >> (i & 63) << (i & 63)
	for {
		if x != 0 {
			return w<<6 + bits.TrailingZeros64(x)
		}
		w++
		if w >= len(b) {
			return -1
		}
		x = b[w]
	}
}

func trailing(x uint64) int { return bits.TrailingZeros64(x) }
