package schedule

import (
	"testing"
	"time"
)

// Who falls behind reads by many requests at once, who nearly does by twice as
// many, and it takes several quick segments until half of them will do.
func TestLanes(t *testing.T) {
	const plays = 2 * time.Second
	var l Lanes
	for i, step := range []struct {
		took time.Duration
		want int
	}{
		{200 * time.Millisecond, 1},
		{1400 * time.Millisecond, 1},
		{1600 * time.Millisecond, 2},
		{1600 * time.Millisecond, 4},
		{2100 * time.Millisecond, 8},
		{3 * time.Second, 8},
		{200 * time.Millisecond, 8},
		{200 * time.Millisecond, 8},
		{200 * time.Millisecond, 8},
		{time.Second, 8}, // not quick: they are counted anew
		{200 * time.Millisecond, 8},
		{200 * time.Millisecond, 8},
		{200 * time.Millisecond, 8},
		{200 * time.Millisecond, 4},
	} {
		l.Took(step.took, plays)
		if got := l.Count(); got != step.want {
			t.Fatalf("after step %d (%v): %d, want %d", i, step.took, got, step.want)
		}
	}
}
