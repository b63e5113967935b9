package node

import (
	"testing"
	"time"

	"coral/node/channel"
)

// A fetch may be spread over many requests where the publisher told that the origin's
// line has room for all viewers.
func TestRoom(t *testing.T) {
	for _, c := range []struct {
		took    time.Duration
		viewers int
		want    int64
	}{
		{0, 8, 0}, // not told
		{222 * time.Millisecond, 8, 300_000},
		{223 * time.Millisecond, 8, 0},
		{1700 * time.Millisecond, 0, 300_000}, // oneself
		{1, 10, 300_000},                      // too fast to be found out
		{1, 11, 0},
		{1 << 62, 1 << 40, 0},
	} {
		e := &channel.Entry{Size: 200_000, Duration: 2 * time.Second, Took: c.took}
		if got := roomFor(e, c.viewers); got != c.want {
			t.Errorf("%v, %d viewers: %d, want %d", c.took, c.viewers, got, c.want)
		}
	}
	if got := roomFor(&channel.Entry{Size: 1000, Took: 1}, 1); got != 0 { // an init section plays for no time
		t.Errorf("an init section: %d", got)
	}
}
