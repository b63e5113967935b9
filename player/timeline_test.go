package player

import (
	"testing"
	"time"
)

// window is a playlist of n segments of 2 s from sequence first.
func window(first int64, n int) Playlist {
	p := Playlist{Target: 2 * time.Second, First: first}
	for range n {
		p.Segments = append(p.Segments, 2*time.Second)
	}
	return p
}

func TestTimelineSlides(t *testing.T) {
	now := time.Unix(1000, 0)
	var line Timeline
	if line.Known() || line.Edge(now) != 0 {
		t.Error("a timeline of nothing")
	}
	line.Merge(window(10, 5), now)
	check := func(what string, start, end time.Duration) {
		t.Helper()
		if line.Start() != start || line.End() != end {
			t.Errorf("%s: %v to %v, want %v to %v", what, line.Start(), line.End(), start, end)
		}
	}
	check("first", 0, 10*time.Second)
	line.Merge(window(12, 5), now)
	check("slid", 4*time.Second, 14*time.Second)
	line.Merge(window(11, 5), now)
	check("a stale one is left out", 4*time.Second, 14*time.Second)
	line.Merge(window(20, 5), now)
	check("nobody saw three segments", 20*time.Second, 30*time.Second)
	line.Merge(window(15, 10), now)
	check("more of the past", 10*time.Second, 30*time.Second)
	for range tooOld {
		line.Merge(window(0, 3), now)
		check("perhaps stale", 10*time.Second, 30*time.Second)
	}
	line.Merge(window(0, 3), now)
	check("the encoder counts anew", 30*time.Second, 36*time.Second)
	line.Merge(window(0, 4), now)
	check("and goes on", 30*time.Second, 38*time.Second)
}

func TestTimelineFind(t *testing.T) {
	var line Timeline
	line.Merge(window(0, 5), time.Unix(0, 0))
	line.Merge(window(2, 5), time.Unix(0, 0))
	for _, c := range []struct {
		at    time.Duration
		index int
		start time.Duration
	}{
		{-time.Second, 0, 4 * time.Second},
		{4 * time.Second, 0, 4 * time.Second},
		{5999 * time.Millisecond, 0, 4 * time.Second},
		{6 * time.Second, 1, 6 * time.Second},
		{13 * time.Second, 4, 12 * time.Second},
		{time.Hour, 4, 12 * time.Second},
	} {
		if i, start := line.Find(c.at); i != c.index || start != c.start {
			t.Errorf("%v: segment %d at %v, want %d at %v", c.at, i, start, c.index, c.start)
		}
	}
}

func TestTimelineEdge(t *testing.T) {
	now := time.Unix(1000, 0)
	var line Timeline
	line.Merge(window(0, 5), now)
	line.Merge(window(0, 5), now.Add(500*time.Millisecond)) // nothing new
	for after, want := range map[time.Duration]time.Duration{
		// The last segment is half its length old, for all one knows.
		0: 11 * time.Second, 500 * time.Millisecond: 11500 * time.Millisecond, time.Minute: 12 * time.Second,
	} {
		if got := line.Edge(now.Add(after)); got != want {
			t.Errorf("after %v: %v, want %v", after, got, want)
		}
	}
	p := window(0, 5)
	p.Ended = true
	line.Merge(p, now.Add(time.Minute))
	if got := line.Edge(now.Add(time.Hour)); got != 10*time.Second {
		t.Errorf("the end moves: %v", got)
	}
}

// However late it looks, a viewer finds out when segments come; also when they
// are late for once.
func TestTimelineEdgeNarrows(t *testing.T) {
	const each, look = 2 * time.Second, 1800 * time.Millisecond
	began := time.Unix(1000, 0)
	for phase := time.Duration(0); phase < each; phase += 100 * time.Millisecond {
		var line Timeline
		pause := time.Duration(0)
		for i := range 60 {
			at := time.Duration(i)*look + 20*time.Second + phase
			if at > time.Minute {
				pause = 7 * time.Second // of the encoder, once
			}
			came := max(at-pause, min(at, time.Minute)) // the programme's time
			line.Merge(window(0, int(came/each)), began.Add(at))
			if i > 15 && i < 20 || i > 45 { // it has looked often enough
				if off := line.Edge(began.Add(at)) - came; off.Abs() > 400*time.Millisecond {
					t.Errorf("phase %v, look %d: the edge is off by %v", phase, i, off)
				}
			}
		}
	}
}
