package sim

import (
	"testing"
	"time"
)

// thousand is a thousand viewers in a random graph.
func thousand(seed uint64, d time.Duration) Config {
	return Config{
		Seed: seed, Duration: d, Rate: 1_500_000, Segment: 2 * time.Second,
		Origin:    Link{Up: 200e6, Down: 100e6, Delay: 15 * time.Millisecond},
		Publisher: Link{Up: 6_000_000, Down: 100e6, Delay: 5 * time.Millisecond},
		Degree:    12,
		Groups: []Group{{
			Count: 1000, Link: Link{Up: 5_000_000, Down: 40e6, Delay: 15 * time.Millisecond, Jitter: 5 * time.Millisecond},
			Join: 8 * time.Second, Every: 6 * time.Millisecond,
		}},
	}
}

func TestThousand(t *testing.T) {
	if testing.Short() {
		t.Skip("a thousand viewers take seconds")
	}
	begun := time.Now()
	r := Run(thousand(1, 34*time.Second))
	took := time.Since(begun)
	if r.Started < r.Viewers || r.StalledPeers > r.Viewers/50 || r.Steady > 5 || r.StartP95 > 2*time.Second {
		t.Errorf("a thousand viewers: %v", r)
	}
	t.Logf("%v\n%v, %v per step", r, took.Round(time.Millisecond), took/time.Duration(r.Steps))
}

// BenchmarkStep is what a scheduler's step costs within a busy swarm, simulator
// included.
func BenchmarkStep(b *testing.B) {
	cfg := lab(1)
	cfg.Groups[0].Count = 12
	steps := int64(0)
	for b.Loop() {
		steps += Run(cfg).Steps
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(steps), "ns/step")
}
