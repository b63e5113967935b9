package sim

import (
	"math"
	"testing"
	"time"
)

// emulated is what the emulated network's hosts were given when the figures of
// TestAgainstLab were measured: n viewers join every half second and watch
// 0.8 Mbit/s. There real nodes ran, with real TCP, on two cores.
func emulated(n int, seed uint64) Config {
	return Config{
		Seed: seed, Duration: 56 * time.Second, Rate: 800_000, Segment: 2 * time.Second,
		Startup:   150 * time.Millisecond,
		Origin:    Link{Up: 6_000_000, Down: 100e6, Delay: 15 * time.Millisecond},
		Publisher: Link{Up: 4_000_000, Down: 100e6, Delay: 5 * time.Millisecond},
		Groups: []Group{{
			Count: n, Link: Link{Up: 3_000_000, Down: 40e6, Delay: 10 * time.Millisecond, Jitter: 3 * time.Millisecond},
			Join: 8 * time.Second, Every: 500 * time.Millisecond,
		}},
	}
}

// TestAgainstLab holds the simulator against the emulated network. egress is all
// bytes that left origin and publisher for viewers there, headers, playlists and
// announcements included, over the bytes of the segments that the viewer with
// the most got; ready is the median time from a segment's end to a viewer
// having it whole.
func TestAgainstLab(t *testing.T) {
	for _, m := range []struct {
		name   string
		make   func(seed uint64) Config
		egress float64
		ready  time.Duration
		within float64 // for egress; ready is given some more
	}{
		{"10 viewers", func(s uint64) Config { return emulated(10, s) }, 1.44, 1490 * time.Millisecond, 0.1},
		{"20 viewers", func(s uint64) Config { return emulated(20, s) }, 1.87, 1780 * time.Millisecond, 0.1},
		{"10 viewers, small uplinks", func(s uint64) Config {
			c := emulated(10, s)
			c.Origin.Up, c.Groups[0].Up = 10e6, 500_000
			return c
		}, 6.46, 5870 * time.Millisecond, 0.15},
		// Congestion control by loss (Reno) there.
		{"8 viewers, 5 % loss", func(s uint64) Config {
			c := emulated(8, s)
			c.Rate, c.Publisher.Up = 1_500_000, 6e6
			c.Groups[0].Link = Link{Up: 5e6, Down: 40e6, Delay: 20 * time.Millisecond, Jitter: 3 * time.Millisecond, Loss: 0.05}
			return c
		}, 2.87, 7330 * time.Millisecond, 0.25},
	} {
		const seeds = 3
		egress, ready := 0.0, time.Duration(0)
		for seed := range uint64(seeds) {
			r := Run(m.make(seed))
			egress += r.Egress / seeds
			ready += r.ReadyP50 / seeds
		}
		byEgress, byReady := egress/m.egress-1, float64(ready)/float64(m.ready)-1
		if math.Abs(byEgress) > m.within || math.Abs(byReady) > 2*m.within {
			t.Errorf("%s: off by too much", m.name)
		}
		t.Logf("%s: egress %.2f copies (%+.1f %%), ready %v (%+.1f %%)", m.name, egress, 100*byEgress, ready.Round(time.Millisecond), 100*byReady)
	}
}
