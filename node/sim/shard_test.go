package sim

import (
	"reflect"
	"testing"
	"time"
)

// TestShards holds a run that is divided against itself, and against the same
// audience in one piece.
func TestShards(t *testing.T) {
	cfg := func(viewers int) Config {
		c := thousand(1, 20*time.Second)
		c.Rate = thinRate
		g := &c.Groups[0]
		g.Count, g.Every, g.Join = viewers, 3*time.Second/time.Duration(viewers), 4*time.Second
		return c
	}
	a, b := newWorld(cfg(fewViewers+1)), newWorld(cfg(fewViewers+1))
	a.run()
	b.run()
	if len(a.shards) != shards {
		t.Fatalf("%d shards, want %d", len(a.shards), shards)
	}
	if !reflect.DeepEqual(a.result, b.result) {
		t.Errorf("two runs of one configuration differ:\n%v\n%v", &a.result, &b.result)
	}
	whole := cfg(fewViewers)
	one := newWorld(whole)
	one.run()
	if len(one.shards) != 1 {
		t.Fatalf("%d shards, want 1", len(one.shards))
	}
	for _, x := range []struct {
		what      string
		got, want float64
	}{
		{"median delay", a.result.ReadyP50.Seconds(), one.result.ReadyP50.Seconds()},
		{"start-up", a.result.StartP50.Seconds(), one.result.StartP50.Seconds()},
		{"steps", float64(a.result.Steps), float64(one.result.Steps)},
		{"bytes sent by the origin", a.result.Copies, one.result.Copies},
	} {
		if x.got < 0.85*x.want || x.got > 1.15*x.want {
			t.Errorf("%s: %v in shards, %v in one piece", x.what, x.got, x.want)
		}
	}
	t.Logf("in shards: %v\nin one piece: %v", &a.result, &one.result)
}
