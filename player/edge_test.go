package player

import (
	"testing"
	"time"
)

func TestEdge(t *testing.T) {
	e := Edge{Target: 2 * time.Second}
	const s = time.Second
	for i, c := range []struct {
		behind, buffered time.Duration
		want             Move
	}{
		{7 * s, 5 * s, Stay},
		{7900 * time.Millisecond, 5 * s, Stay}, // within the slack
		{8500 * time.Millisecond, 5 * s, Faster},
		{7100 * time.Millisecond, 4 * s, Faster}, // until it is there
		{7 * s, 4 * s, Stay},
		{7900 * time.Millisecond, 4 * s, Stay},
		{9 * s, 500 * time.Millisecond, Stay}, // it would stall
		{23 * s, 9 * s, Jump},
		{21 * s, 9 * s, Faster},
	} {
		if got := e.Next(c.behind, c.buffered); got != c.want {
			t.Errorf("%d: %v behind with %v: %v, want %v", i, c.behind, c.buffered, got, c.want)
		}
	}
	e = Edge{Target: 2 * time.Second, Latency: 3 * s}
	for range 10 {
		e.Stalled()
	}
	if e.Want() != 7*s {
		t.Errorf("after many stalls: %v", e.Want())
	}
	if Faster.Speed() <= 1 || Stay.Speed() != 1 || Jump.Speed() != 1 {
		t.Error("speeds")
	}
}

// However far behind, a picture comes back to the edge and stays there.
func TestEdgeConverges(t *testing.T) {
	for _, start := range []time.Duration{0, 4 * time.Second, 12 * time.Second, time.Minute} {
		e := Edge{Target: 2 * time.Second}
		behind, jumps := start, 0
		const step = 250 * time.Millisecond
		for range int(10 * time.Minute / step) {
			m := e.Next(behind, max(behind-2*time.Second, 0))
			if m == Jump {
				behind, jumps = e.Want(), jumps+1
			}
			behind -= time.Duration((m.Speed() - 1) * float64(step))
		}
		if behind > e.Want()+2*time.Second || jumps > 1 {
			t.Errorf("from %v: %v behind after %d jumps", start, behind, jumps)
		}
	}
}

func TestBackoff(t *testing.T) {
	var b Backoff
	last := time.Duration(0)
	for range 1000 {
		d := b.Next()
		if d < last || d < firstPause || d > lastPause {
			t.Fatalf("%v after %v", d, last)
		}
		last = d
	}
	if last != lastPause {
		t.Errorf("ends at %v", last)
	}
	if b.Reset(); b.Next() != firstPause {
		t.Error("reset")
	}
}
