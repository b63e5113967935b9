package node

import (
	"testing"
	"time"

	"coral/node/schedule"
)

func TestSaw(t *testing.T) {
	var c counts
	for _, x := range []struct {
		at   time.Duration
		seen int
		size int
	}{
		{0, 3, 3},
		{10 * time.Second, 10, 10},
		{20 * time.Second, 10, 10},
		{30 * time.Second, 1, 10}, // all neighbours are lost
		{40 * time.Second, 8, 10},
		{79 * time.Second, 8, 10},
		{80 * time.Second, 8, 8}, // a minute after ten were seen
		{90 * time.Second, 1, 8},
		{139 * time.Second, 1, 8},
		{140 * time.Second, 1, 1},
	} {
		was := c.size
		if changed := c.saw(x.seen, schedule.Instant(x.at)); c.size != x.size || changed != (was != x.size) {
			t.Errorf("after %v: %d, changed %t, want %d", x.at, c.size, changed, x.size)
		}
	}
}
