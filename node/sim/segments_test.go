package sim

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"
)

// TestSegments prints how each segment fared: CORAL_SEGMENTS=seed, CORAL_ONLY.
func TestSegments(t *testing.T) {
	seed, err := strconv.ParseUint(os.Getenv("CORAL_SEGMENTS"), 10, 64)
	if err != nil {
		t.Skip("CORAL_SEGMENTS is not set")
	}
	for _, s := range scenarios {
		if s.name != os.Getenv("CORAL_ONLY") {
			continue
		}
		w := newWorld(s.make(seed))
		w.run()
		ready := map[int][]time.Duration{}
		for _, n := range w.nodes[1:] {
			for i, seq := range n.player.readySeq {
				ready[seq] = append(ready[seq], n.player.readies[i])
			}
		}
		for seq := range w.born {
			r := ready[seq]
			slices.Sort(r)
			fmt.Printf("%3d born %6.2f signed +%5.2f: origin %5.2f publisher %5.2f, ready %d: %v %v %v\n", seq, float64(w.born[seq])/1e9,
				float64(w.signed[seq]-w.born[seq])/1e9, float64(w.served[seq]-w.pubServed[seq])/float64(w.size()), float64(w.pubServed[seq])/float64(w.size()),
				len(r), percentile(r, 0).Round(1e6), percentile(r, 50).Round(1e6), percentile(r, 100).Round(1e6))
		}
		fmt.Println(&w.result)
	}
}
