package sim

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"coral/node/schedule"
)

// lab is the emulated network's swarm scenario: six viewers at home uplinks, an
// origin whose line carries four copies of the stream, a publisher with as much.
func lab(seed uint64) Config {
	return Config{
		Seed: seed, Duration: 60 * time.Second, Rate: 1_500_000, Segment: 2 * time.Second,
		Origin:    Link{Up: 6_000_000, Down: 100e6, Delay: 15 * time.Millisecond},
		Publisher: Link{Up: 6_000_000, Down: 100e6, Delay: 5 * time.Millisecond},
		Groups:    []Group{home(6)},
	}
}

func home(n int) Group {
	return Group{
		Count: n, Link: Link{Up: 5_000_000, Down: 40e6, Delay: 10 * time.Millisecond, Jitter: 3 * time.Millisecond},
		Join: 8 * time.Second, Every: 500 * time.Millisecond,
	}
}

// bound is what a scenario must reach with every seed. A zero means that it does
// not matter.
type bound struct {
	copies, steady float64 // at most
	stalls         int     // at most
	start, ready   time.Duration
	duplicates     float64
}

// scenarios are what the tests and the table run.
var scenarios = []struct {
	name  string
	make  func(seed uint64) Config
	bound bound
}{
	{"lab", lab, bound{copies: 1.4, steady: 1.15, start: 1800 * time.Millisecond, ready: 2500 * time.Millisecond, duplicates: 0.03}},
	{"alone", func(s uint64) Config {
		c := lab(s)
		c.Groups[0].Count = 1
		return c
	}, bound{copies: 1.05, steady: 1.01, start: 950 * time.Millisecond, ready: 1800 * time.Millisecond, duplicates: 0.01}},
	{"pair", func(s uint64) Config {
		c := lab(s)
		c.Groups[0].Count = 2
		return c
	}, bound{copies: 1.2, steady: 1.1, start: 1200 * time.Millisecond, ready: 2 * time.Second, duplicates: 0.02}},
	{"no sharing", func(s uint64) Config {
		c := lab(s)
		c.Origin.Up, c.Groups[0].Alone = 100e6, true
		return c
	}, bound{copies: 6, start: 550 * time.Millisecond}},
	{"third killed", func(s uint64) Config {
		c := lab(s)
		gone := home(2)
		gone.Join, gone.Kill = 9*time.Second, 30*time.Second
		c.Groups = []Group{home(4), gone}
		return c
	}, bound{copies: 1.4, steady: 1.2, start: 1800 * time.Millisecond, duplicates: 0.03}},
	{"half killed", func(s uint64) Config {
		c := lab(s)
		gone := home(5)
		gone.Join, gone.Kill = 8250*time.Millisecond, 30*time.Second
		c.Groups = []Group{home(5), gone}
		return c
	}, bound{copies: 1.6, steady: 1.4, duplicates: 0.04}},
	{"liars", func(s uint64) Config {
		c := lab(s)
		liars := home(3)
		liars.Liar = true
		c.Groups = []Group{home(7), liars}
		return c
	}, bound{copies: 1.6, steady: 1.5, stalls: 3, duplicates: 0.04}},
	{"small uplinks", func(s uint64) Config {
		c := lab(s)
		c.Groups = []Group{home(8)}
		c.Groups[0].Up = 900_000
		c.Origin.Up, c.Publisher.Up = 20e6, 3e6
		return c
	}, bound{copies: 4.6, stalls: 4, duplicates: 0.06}},
	{"publisher serves nobody", func(s uint64) Config {
		c := lab(s)
		c.Publisher.Up = 0
		return c
	}, bound{copies: 1.4, steady: 1.2, stalls: 1, duplicates: 0.04}},
	{"publisher killed", func(s uint64) Config {
		c := lab(s)
		c.PublisherUntil = 30 * time.Second
		return c
	}, bound{copies: 1.5, steady: 1.4, duplicates: 0.04}},
	{"no origin", func(s uint64) Config {
		c := lab(s)
		c.NoOrigin = true
		return c
	}, bound{copies: 1.4, steady: 1.1, duplicates: 0.04}},
	{"origin silent", func(s uint64) Config {
		c := lab(s)
		c.OriginUntil = 20 * time.Second
		late := home(3)
		late.Join = 25 * time.Second
		c.Groups = append(c.Groups, late)
		return c
	}, bound{copies: 1.4, steady: 1.1, duplicates: 0.04}},
	// Nobody could be fed by that line, nor the publisher if viewers do not leave
	// it alone: without freshUntil, turns and Lanes they stalled for good. Neighbours
	// turn up one after the other, so more of the first segments come from there.
	{"thirty on a line of four", func(s uint64) Config {
		c := lab(s)
		c.Groups = []Group{home(30)}
		c.Groups[0].Up, c.Groups[0].Every = 2_500_000, 330*time.Millisecond
		return c
	}, bound{copies: 2.9, steady: 1.6, stalls: 45, duplicates: 0.04}},
	{"uneven uplinks", func(s uint64) Config {
		c := lab(s)
		slow := home(3)
		slow.Up, slow.Join = 500_000, 8250*time.Millisecond
		fast := home(3)
		fast.Up = 12e6
		c.Groups = []Group{slow, fast}
		return c
	}, bound{copies: 1.5, steady: 1.2, duplicates: 0.04}},
	{"leeches and NAT", func(s uint64) Config {
		c := lab(s)
		leech, nat := home(2), home(3)
		leech.Leech, leech.Join = true, 8250*time.Millisecond
		nat.NAT, nat.Join = true, 8400*time.Millisecond
		c.Groups = []Group{home(3), leech, nat}
		return c
	}, bound{copies: 1.6, steady: 1.2, duplicates: 0.04}},
	// Loss-based congestion control: it does as badly in the emulated network, and
	// seeds differ by a factor of two.
	// By TCP's rate under loss as CUBIC was measured to have it; in the emulated
	// network, too, the swarm then takes more than four copies and stalls.
	{"loss 5%", func(s uint64) Config {
		c := lab(s)
		c.Groups = []Group{home(8)}
		c.Groups[0].Loss, c.Groups[0].Delay = 0.05, 20*time.Millisecond
		return c
	}, bound{copies: 4.6, steady: 4.6, stalls: 60, duplicates: 0.15}},
	{"helpers", func(s uint64) Config {
		c := lab(s)
		h := home(2)
		h.Helper, h.Up, h.Join = true, 20e6, 6*time.Second
		c.Groups = []Group{home(6), h}
		return c
	}, bound{copies: 1.5, steady: 1.2, duplicates: 0.04}},
	{"mesh of 10", func(s uint64) Config {
		c := lab(s)
		c.Groups[0].Count = 10
		return c
	}, bound{copies: 1.5, steady: 1.2, duplicates: 0.04}},
	{"mesh of 20", func(s uint64) Config {
		c := lab(s)
		c.Groups[0].Count = 20
		return c
	}, bound{copies: 1.6, steady: 1.2, duplicates: 0.05}},
	{"flash 5 to 20", func(s uint64) Config {
		c := lab(s)
		late := home(15)
		late.Join, late.Every = 25*time.Second, 330*time.Millisecond
		c.Groups = []Group{home(5), late}
		c.Origin.Up, c.Publisher.Up = 3e6, 3e6
		return c
	}, bound{copies: 1.7, start: 2500 * time.Millisecond, duplicates: 0.05}},
	{"twenty in five seconds, line of two", func(s uint64) Config {
		c := lab(s)
		c.Groups = []Group{home(20)}
		c.Groups[0].Every = 250 * time.Millisecond
		c.Origin.Up, c.Publisher.Up = 3e6, 4.5e6
		return c
	}, bound{copies: 1.7, stalls: 15, start: 3500 * time.Millisecond, duplicates: 0.05}},
	{"graph of 100", func(s uint64) Config {
		c := lab(s)
		c.Groups[0].Count, c.Groups[0].Every, c.Degree = 100, 50*time.Millisecond, 12
		c.Origin.Up = 50e6
		return c
	}, bound{steady: 1.5, stalls: 5, start: 2 * time.Second, duplicates: 0.04}},
	{"graph of 100, publisher serves nobody", func(s uint64) Config {
		c := lab(s)
		c.Groups[0].Count, c.Groups[0].Every, c.Degree = 100, 50*time.Millisecond, 12
		c.Origin.Up, c.Publisher.Up = 50e6, 0
		return c
	}, bound{steady: 3, stalls: 10, start: 2 * time.Second, duplicates: 0.04}},
}

func TestScenarios(t *testing.T) {
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			seeds := uint64(3)
			if testing.Short() {
				seeds = 1
			}
			for seed := range seeds {
				r := Run(s.make(seed))
				var bad []string
				miss := func(what string, bad2 bool) {
					if bad2 {
						bad = append(bad, what)
					}
				}
				b := s.bound
				miss("copies", b.copies > 0 && r.Copies > b.copies)
				miss("steady copies", b.steady > 0 && r.Steady > b.steady)
				miss("stalls", r.Stalls > b.stalls)
				miss("viewers that did not start", r.Started < r.Viewers)
				miss("start-up", b.start > 0 && r.StartP95 > b.start)
				miss("ready", b.ready > 0 && r.ReadyP95 > b.ready)
				miss("duplicates", b.duplicates > 0 && r.Duplicates > b.duplicates)
				if bad != nil {
					t.Errorf("seed %d: %s out of bounds %+v: %v", seed, strings.Join(bad, ", "), b, r)
				}
			}
		})
	}
}

// One run is like another of the same seed, and what a viewer's scheduler did
// replays from the recorded events alone.
func TestReplay(t *testing.T) {
	type step struct {
		now  schedule.Instant
		ev   schedule.Event
		acts []schedule.Action
	}
	record := func(node int) ([]step, *Result) {
		var trace []step
		cfg := lab(3)
		cfg.Duration = 30 * time.Second
		cfg.Watch = func(n int, now schedule.Instant, ev schedule.Event, acts []schedule.Action) {
			if n == node {
				trace = append(trace, step{now, ev, slices.Clone(acts)})
			}
		}
		w := newWorld(cfg)
		w.run()
		w.result.Sched.Peers = 0
		return trace, &w.result
	}
	for _, node := range []int{-1, 2} {
		a, ra := record(node)
		b, rb := record(node)
		if !reflect.DeepEqual(ra, rb) || !reflect.DeepEqual(a, b) {
			t.Fatal("two runs of one seed differ")
		}
		w := newWorld(lab(3))
		n := w.nodes[node+1]
		for i, x := range a {
			var got []schedule.Action
			if got = n.sched.Step(x.now, x.ev, nil); len(got)+len(x.acts) > 0 && !reflect.DeepEqual(got, x.acts) {
				t.Fatalf("node %d, step %d, %T%+v: replay gives\n%+v, not\n%+v", node, i, x.ev, x.ev, got, x.acts)
			}
		}
		if len(a) < 500 {
			t.Fatalf("only %d steps", len(a))
		}
	}
}

// Neighbours that can give next to nothing are left alone: the origin, which has
// room for all, is used as without them, segments are here early, and nobody
// waits more than before. Where they can give, that does not happen.
func TestOriginAlone(t *testing.T) {
	for _, c := range []struct {
		up    int64
		alone bool
	}{{150_000, true}, {5_000_000, false}} {
		cfg := lab(5)
		cfg.Duration = 4 * time.Minute
		cfg.Groups = []Group{home(20)}
		cfg.Groups[0].Up = c.up
		cfg.Origin.Up, cfg.Publisher.Up = 100e6, 0
		r := Run(cfg)
		if c.alone != (r.Sched.Alone >= 20) || !c.alone && r.Sched.Alone > 0 {
			t.Errorf("uplinks of %d: the origin alone %d times", c.up, r.Sched.Alone)
		}
		if r.ReadyP50 > 2500*time.Millisecond || r.Duplicates > 0.06 || r.StallTime > 2*time.Second {
			t.Errorf("uplinks of %d: %v", c.up, r)
		}
	}
}

// TestSpell: a crowd that comes while the network is slow, at an origin whose line
// carries two copies, is over it soon after. Without rations all turned to the origin,
// and stood still for twice as long.
func TestSpell(t *testing.T) {
	spell := Spell{From: 28 * time.Second, To: 37 * time.Second, Delay: 300 * time.Millisecond}
	var stood []float64
	for seed := range uint64(8) {
		c := emulated(5, seed)
		c.Duration, c.Rate, c.Spell = 75*time.Second, 1_000_000, spell
		c.Origin.Up, c.Publisher.Up, c.Publisher.Cap = 2e6, 6e6, 3e6
		late := c.Groups[0]
		late.Count, late.Join, late.Every = 15, 25*time.Second+250*time.Millisecond, time.Second/3
		c.Groups = append(c.Groups, late)
		r := Run(c)
		stood = append(stood, r.StallTime.Seconds())
		if k := len(r.Stalled) - 1; k >= 0 && r.Stalled[k].At > spell.To+12*time.Second {
			t.Errorf("seed %d: still stalls\n%s", seed, r)
		}
	}
	if s := middle(stood); s > 20 {
		t.Errorf("20 viewers stood still for %.0f s", s)
	} else {
		t.Logf("%.1f s", s)
	}
}
