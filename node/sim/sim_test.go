package sim

import (
	"testing"
	"time"
)

// lab is the emulated network's swarm scenario.
func lab(seed uint64) Config {
	return Config{
		Seed: seed, Duration: 60 * time.Second, Rate: 1_500_000, Segment: 2 * time.Second,
		Origin:    Link{Up: 6_000_000, Down: 100e6, Delay: 15 * time.Millisecond},
		Publisher: Link{Up: 6_000_000, Down: 100e6, Delay: 5 * time.Millisecond},
		Groups: []Group{{Count: 6, Link: Link{Up: 5_000_000, Down: 40e6, Delay: 10 * time.Millisecond, Jitter: 3 * time.Millisecond},
			Join: 8 * time.Second, Every: 500 * time.Millisecond}},
	}
}

func TestLab(t *testing.T) {
	for seed := range uint64(8) {
		r := Run(lab(seed))
		t.Logf("%v", r)
	}
}
