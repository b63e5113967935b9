package node

import (
	"testing"

	"coral/node/schedule"
	"coral/node/swarm"
	"coral/node/swarm/wire"
)

func TestManner(t *testing.T) {
	playing := map[uint16]*rendition{1: {}, 2: {play: playback{last: schedule.Instant(1)}}}
	idle := map[uint16]*rendition{1: {}}
	for _, c := range []struct {
		role       wire.Role
		renditions map[uint16]*rendition
		want       swarm.Manner
	}{
		{wire.Publisher, nil, swarm.Steady},
		{wire.Helper, idle, swarm.Background},
		{wire.Viewer, idle, swarm.Background},
		{wire.Viewer, playing, swarm.Watching},
	} {
		s := &Session{role: c.role, renditions: c.renditions}
		if got := s.manner(); got != c.want {
			t.Errorf("%v: %v, want %v", c.role, got, c.want)
		}
	}
}
