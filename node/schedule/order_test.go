package schedule

import (
	"slices"
	"testing"
	"time"

	"coral/store/segment"
)

// TestOrders: viewers ask for equally rare blocks in different orders, or they would
// all have the same ones and nothing to give to each other.
func TestOrders(t *testing.T) {
	orders := map[int]bool{}
	for self := range uint64(8) {
		s := New(Config{Self: self, Share: true, Origin: true})
		now := Instant(time.Minute)
		var order []int
		step := func(ev Event) {
			for _, a := range s.Step(now, ev, nil) {
				if a, ok := a.(Ask); ok {
					order = append(order, a.Block)
				}
			}
		}
		id := segment.ID{Sequence: 1}
		const blocks = 8
		step(Joined{Peer: 1, Role: Viewer, Key: 1, Uploads: true})
		step(Known{ID: id, Size: blocks * segment.BlockSize, Duration: 2 * time.Second, Origin: true})
		step(Have{Peer: 1, ID: id, Held: segment.Bitmap{1<<blocks - 1}})
		step(Want{ID: id, Due: now + Instant(6*time.Second)})
		for k := 0; k < len(order); k++ {
			now += Instant(10 * time.Millisecond)
			step(Got{Peer: 1, ID: id, Block: order[k], OK: true})
		}
		if sorted := slices.Sorted(slices.Values(order)); !slices.Equal(sorted, []int{0, 1, 2, 3, 4, 5, 6, 7}) {
			t.Fatalf("viewer %d asked for %v", self, order)
		}
		orders[order[0]] = true
	}
	if len(orders) < 3 {
		t.Errorf("eight viewers began with %d different blocks", len(orders))
	}
}
