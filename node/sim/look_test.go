package sim

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"coral/node/schedule"
)

// The tests in this file look into runs rather than judge them. They are skipped
// unless the environment asks for them; CORAL_ONLY names a scenario.

// TestTrace prints what happens to one segment, for looking into a run:
// CORAL_TRACE=segment.
func TestTrace(t *testing.T) {
	seq, err := strconv.Atoi(os.Getenv("CORAL_TRACE"))
	if err != nil {
		t.Skip("CORAL_TRACE is not set")
	}
	seed, _ := strconv.ParseUint(os.Getenv("CORAL_SEED"), 10, 64)
	cfg := lab(seed)
	for _, s := range scenarios {
		if s.name == os.Getenv("CORAL_ONLY") {
			cfg = s.make(seed)
		}
	}
	cfg.Watch = func(node int, now schedule.Instant, ev schedule.Event, acts []schedule.Action) {
		show := func(x any) {
			s := fmt.Sprintf("%T%+v", x, x)
			if len(s) > 9 && s[:9] == "schedule." {
				s = s[9:]
			}
			fmt.Printf("%8.3f %2d %s\n", float64(now)/1e9, node+1, s)
		}
		if id, ok := idOf(ev); ok && id == seq {
			show(ev)
		}
		for _, a := range acts {
			if id, ok := idOf(a); ok && id == seq {
				fmt.Print("            → ")
				show(a)
			} else if _, ok := a.(schedule.Suspect); ok {
				fmt.Print("            → ")
				show(a)
			}
		}
	}
	t.Log(Run(cfg))
}

func idOf(x any) (int, bool) {
	switch x := x.(type) {
	case schedule.Known:
		return int(x.ID.Sequence), true
	case schedule.Want:
		return int(x.ID.Sequence), true
	case schedule.Have:
		return int(x.ID.Sequence), true
	case schedule.Got:
		return int(x.ID.Sequence), true
	case schedule.Refused:
		return int(x.ID.Sequence), true
	case schedule.Requested:
		return int(x.ID.Sequence), true
	case schedule.Cancelled:
		return int(x.ID.Sequence), true
	case schedule.Sent:
		return int(x.ID.Sequence), true
	case schedule.Ask:
		return int(x.ID.Sequence), true
	case schedule.Withdraw:
		return int(x.ID.Sequence), true
	case schedule.Fetch:
		return int(x.ID.Sequence), true
	case schedule.Announce:
		return int(x.ID.Sequence), true
	case schedule.Refuse:
		return int(x.ID.Sequence), true
	case schedule.Send:
		return int(x.ID.Sequence), true
	}
	return 0, false
}

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
		all := w.total()
		for _, s := range w.shards {
			for _, x := range s.readies {
				ready[int(x.seq)] = append(ready[int(x.seq)], x.after)
			}
		}
		for seq := range w.born {
			r := ready[seq]
			slices.Sort(r)
			fmt.Printf("%3d born %6.2f signed +%5.2f: origin %5.2f publisher %5.2f, ready %d: %v %v %v\n", seq, float64(w.born[seq])/1e9,
				float64(w.signed[seq]-w.born[seq])/1e9, float64(all.served[seq]-all.pubServed[seq])/float64(w.size()), float64(all.pubServed[seq])/float64(w.size()),
				len(r), percentile(r, 0).Round(1e6), percentile(r, 50).Round(1e6), percentile(r, 100).Round(1e6))
		}
		fmt.Println(&w.result)
	}
}

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

// TestTable prints what every scenario gives: CORAL_TABLE=seeds.
func TestTable(t *testing.T) {
	seeds, err := strconv.Atoi(os.Getenv("CORAL_TABLE"))
	if err != nil {
		t.Skip("CORAL_TABLE is not set")
	}
	only := os.Getenv("CORAL_ONLY")
	for _, s := range scenarios {
		if only != "" && only != s.name {
			continue
		}
		for seed := range uint64(seeds) {
			r := Run(s.make(seed))
			fmt.Printf("%s, seed %d: %v\n", s.name, seed, r)
		}
	}
}
