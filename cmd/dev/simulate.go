package main

import (
	"fmt"
	"time"

	"coral/node/sim"
)

// simulation is one line of the table: how many copies of the stream the
// organiser's line carries, against the fluid bound max(1, N − Σu/r).
type simulation struct {
	what string
	cfg  sim.Config
}

// simulations are audiences of three sizes on ordinary lines, who all come
// within ten seconds, to origins whose uplinks could carry 4, 8 and 133 of them.
var simulations = []simulation{
	{"6 viewers", audience(6, 6e6, 0)},
	{"30 viewers", audience(30, 12e6, 0)},
	{"1,000 viewers", audience(1000, 200e6, 12)},
}

func audience(n int, originUp int64, degree int) sim.Config {
	return sim.Config{
		Seed: 1, Duration: 60 * time.Second, Rate: 1.5e6, Segment: 2 * time.Second,
		Origin:    sim.Link{Up: originUp, Down: 100e6, Delay: 15 * time.Millisecond},
		Publisher: sim.Link{Up: 6e6, Down: 100e6, Delay: 5 * time.Millisecond},
		Degree:    degree,
		Groups: []sim.Group{{
			Count: n, Link: sim.Link{Up: 5e6, Down: 40e6, Delay: 15 * time.Millisecond, Jitter: 3 * time.Millisecond},
			Join: 8 * time.Second, Every: min(500*time.Millisecond, 10*time.Second/time.Duration(n)),
		}},
	}
}

func (s simulation) row() []string {
	r := sim.Run(s.cfg)
	bound := s.bound()
	return []string{
		"simulator: " + s.what,
		fmt.Sprintf("%.2f copies", r.Copies), fmt.Sprintf("%.2f copies", bound), fmt.Sprintf("%.2f", r.Copies/bound),
		fmt.Sprintf("the fluid bound; %d stalls, start %d ms (median)", r.Stalls, r.StartP50.Milliseconds()),
	}
}

// bound is what must be sent to the viewers at the least, in copies.
func (s simulation) bound() float64 {
	n, up := 0, int64(0)
	for _, g := range s.cfg.Groups {
		n += g.Count
		up += int64(g.Count) * g.Up
	}
	return max(1, float64(n)-float64(up)/float64(s.cfg.Rate))
}
