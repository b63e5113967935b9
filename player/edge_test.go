package player

import (
	"testing"
	"time"
)

func TestEdge(t *testing.T) {
	e := Edge{Target: 2 * time.Second}
	now := time.Unix(100, 0)
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
		{6100 * time.Millisecond, 4 * s, Stay},
		{5900 * time.Millisecond, 4 * s, Slower},
		{6900 * time.Millisecond, 4 * s, Slower},
		{7 * s, 5 * s, Stay},
		{23 * s, 9 * s, Jump},
		{21 * s, 9 * s, Faster},
	} {
		if got := e.Next(now, c.behind, c.buffered); got != c.want {
			t.Errorf("%d: %v behind with %v: %v, want %v", i, c.behind, c.buffered, got, c.want)
		}
	}
	if Faster.Speed() <= 1 || Faster.Speed() > 1.05 || Slower.Speed() >= 1 || Slower.Speed() < 0.95 || Stay.Speed() != 1 || Jump.Speed() != 1 {
		t.Error("speeds")
	}
}

// Stalls that come in pairs move the picture away from the edge, peace brings it
// back.
func TestEdgeLearns(t *testing.T) {
	now := time.Unix(100, 0)
	e := Edge{Target: 2 * time.Second, Latency: 3 * time.Second}
	for i, c := range []struct {
		after  time.Duration
		stalls bool
		want   time.Duration
	}{
		{time.Minute, true, 3 * time.Second},
		{6 * time.Minute, true, 3 * time.Second}, // the first is forgotten
		{4 * time.Minute, true, 5 * time.Second},
		{time.Minute, true, 5 * time.Second}, // two more are needed
		{time.Minute, true, 7 * time.Second},
		{9 * time.Minute, false, 7 * time.Second},
		{time.Minute, false, 5 * time.Second},
		{time.Minute, false, 5 * time.Second},
		{8 * time.Minute, true, 5 * time.Second}, // not clean
		{2 * time.Minute, false, 5 * time.Second},
		{8 * time.Minute, false, 3 * time.Second},
		{20 * time.Minute, false, 3 * time.Second},
	} {
		if now = now.Add(c.after); c.stalls {
			e.Stalled(now)
		} else {
			e.Next(now, e.Want(), time.Minute)
		}
		if e.Want() != c.want {
			t.Errorf("step %d: %v from the edge, want %v", i, e.Want(), c.want)
		}
	}
	for range 100 {
		e.Stalled(now)
	}
	if e.Want() != 11*time.Second {
		t.Errorf("after many stalls: %v", e.Want())
	}
}

// However far behind or near, a picture comes to its place and stays there.
func TestEdgeConverges(t *testing.T) {
	for _, start := range []time.Duration{0, 4 * time.Second, 12 * time.Second, time.Minute} {
		e := Edge{Target: 2 * time.Second}
		now := time.Unix(100, 0)
		behind, jumps := start, 0
		const step = 250 * time.Millisecond
		for range int(10 * time.Minute / step) {
			now = now.Add(step)
			m := e.Next(now, behind, max(behind-2*time.Second, 0))
			if m == Jump {
				behind, jumps = e.Want(), jumps+1
			}
			behind -= time.Duration((m.Speed() - 1) * float64(step))
		}
		if (behind-e.Want()).Abs() > 1100*time.Millisecond || jumps > 1 {
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
