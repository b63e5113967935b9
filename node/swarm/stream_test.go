package swarm

import (
	"math"
	"math/rand/v2"
	"testing"

	"coral/store/segment"
)

// However a stream is cut, its messages' ends are found.
func TestFraming(t *testing.T) {
	message := func(n int) []byte {
		return append([]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}, make([]byte, n)...)
	}
	whole := make([]byte, handshakeLen)
	ends := map[int]bool{handshakeLen: true}
	for _, n := range []int{0, 1, 5, segment.BlockSize + 40, 0, 700, 17_000} {
		whole = append(whole, message(n)...)
		ends[len(whole)] = true
	}
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 0))
		f := framing{skip: handshakeLen}
		for at := 0; at < len(whole); {
			n := min(1+r.IntN(1+r.IntN(3000)), len(whole)-at)
			f.follow(whole[at : at+n])
			at += n
			inHead := false // of a message whose length is not known yet
			for k := range 4 {
				inHead = inHead || k > 0 && ends[at-k]
			}
			end := at
			for !ends[end] {
				end++
			}
			want := min(end-at, segment.BlockSize)
			if inHead && f.n > 0 {
				want = 0
			}
			if f.rest() != want {
				t.Fatalf("cut %d, at %d of %d: %d bytes to come, want %d", seed, at, len(whole), f.rest(), want)
			}
		}
	}
	f := framing{}
	f.follow([]byte{0xff, 0xff, 0xff, 0xff, 0})
	if f.rest() != segment.BlockSize || f.skip != math.MaxUint32-1 {
		t.Errorf("a message of 4 GiB: %d to come", f.rest())
	}
}
