package sim

import (
	"fmt"
	"os"
	"strconv"
	"testing"

	"coral/node/schedule"
)

// TestFetches prints every origin request: CORAL_FETCHES=seed, CORAL_ONLY.
func TestFetches(t *testing.T) {
	seed, err := strconv.ParseUint(os.Getenv("CORAL_FETCHES"), 10, 64)
	if err != nil {
		t.Skip("CORAL_FETCHES is not set")
	}
	for _, s := range scenarios {
		if s.name != os.Getenv("CORAL_ONLY") {
			continue
		}
		var w *world
		cfg := s.make(seed)
		got := map[[2]int]int{}
		cfg.Watch = func(node int, now schedule.Instant, ev schedule.Event, acts []schedule.Action) {
			n := w.nodes[node+1]
			if e, ok := ev.(schedule.Fetched); ok {
				got[[2]int{node + 1, int(e.Ticket)}]++
			}
			for _, a := range acts {
				switch a := a.(type) {
				case schedule.Fetch:
					fmt.Printf("%8.3f viewer %2d (+%.2f) fetches %d: %d+%d, due in %.2f, %d peers, on %T\n", float64(now)/1e9, node+1, float64(now-n.joinedAt)/1e9,
						a.ID.Sequence, a.First, a.Count, float64(n.player.due(int(a.ID.Sequence))-now)/1e9, len(n.peers), ev)
				case schedule.StopFetch:
					fmt.Printf("%8.3f viewer %2d stops %d after %d\n", float64(now)/1e9, node+1, a.Ticket, got[[2]int{node + 1, int(a.Ticket)}])
				}
			}
		}
		w = newWorld(cfg)
		w.run()
		fmt.Println(&w.result)
	}
}
