package node

import (
	"testing"
	"time"

	"coral/node/schedule"
)

// The model keeps to the player's clock: it stands still for what is late, and
// for nothing else.
func TestPlayback(t *testing.T) {
	const second = schedule.Instant(time.Second)
	p := playback{target: time.Second}
	p.asked(10*second, 5)
	p.arrived(11*second, 5, 10*second)
	if !p.begun || p.begin != 11*second {
		t.Fatalf("%+v", p)
	}
	for seq, due := range []schedule.Instant{12 * second, 0, 14 * second} { // one of them without an entry
		p.asked(11*second, uint64(6+seq))
		p.arrived(11*second, uint64(6+seq), due)
	}
	if p.begin != 11*second {
		t.Errorf("what was in time moved the playhead: %+v", p)
	}
	p.arrived(16*second, 9, 15*second)
	if p.begin != 12*second {
		t.Errorf("stood still for a second: %+v", p)
	}
	if !p.played(13*second, time.Second) || p.from != 6 || p.begin != 13*second || p.played(13*second, time.Second) {
		t.Errorf("%+v", p)
	}
	p.asked(14*second, 8) // a retry
	if p.from != 6 {
		t.Errorf("a retry moved the playhead: %+v", p)
	}
	p.asked(14*second, 100)
	if p.from != 100 || p.begun || !p.active() {
		t.Errorf("after a seek: %+v", p)
	}
	if p.gone(14*second+schedule.Instant(playbackGoneMin)) || !p.gone(15*second+schedule.Instant(playbackGoneMin)) {
		t.Errorf("%+v", p)
	}
}
