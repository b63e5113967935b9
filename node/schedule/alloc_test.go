package schedule

import (
	"testing"
	"time"
	"unsafe"

	"coral/store/segment"
)

// Steps that decide nothing allocate nothing.
func TestAllocations(t *testing.T) {
	s := New(Config{Self: 9, Share: true, Origin: true})
	now := Instant(1)
	var acts []Action
	step := func(ev Event) {
		now += Instant(time.Millisecond)
		acts = s.Step(now, ev, acts[:0])
	}
	for p := range Peer(12) {
		step(Joined{Peer: p + 1, Key: uint64(p), Uploads: true})
		step(Watching{Peer: p + 1, Renditions: []uint16{0}, Uploads: true})
	}
	for seq := range uint64(4) {
		step(Known{ID: segment.ID{Sequence: seq}, Size: 12 * segment.BlockSize, Salt: seq, Duration: 2 * time.Second, Origin: true})
		step(Want{ID: segment.ID{Sequence: seq}, Due: now + Instant(20*time.Second)})
	}
	half := segment.Bitmap{0x555}
	have := Event(Have{Peer: 3, ID: segment.ID{Sequence: 2}, Held: half})
	rtt := Event(RTT{Peer: 3, RTT: 30 * time.Millisecond})
	want := Event(Want{ID: segment.ID{Sequence: 1}, Due: now + Instant(20*time.Second)})
	step(have)
	step(want)
	for _, ev := range []Event{have, rtt, want, Event(Tick{})} {
		actions := 0
		if n := testing.AllocsPerRun(100, func() {
			now += 1000
			acts = s.Step(now, ev, acts[:0])
			actions += len(acts)
		}); n > 0 || actions > 0 {
			t.Errorf("%T: %v allocations, %d actions", ev, n, actions)
		}
	}
}

func BenchmarkHave(b *testing.B) {
	s := New(Config{Self: 9, Share: true})
	now := Instant(1)
	var acts []Action
	for p := range Peer(12) {
		acts = s.Step(now, Joined{Peer: p + 1, Key: uint64(p), Uploads: true}, acts[:0])
	}
	id := segment.ID{Sequence: 1}
	acts = s.Step(now, Known{ID: id, Size: 12 * segment.BlockSize, Duration: 2 * time.Second}, acts[:0])
	acts = s.Step(now, Want{ID: id, Due: Instant(time.Hour)}, acts[:0])
	evs := []Event{Have{Peer: 3, ID: id, Held: segment.Bitmap{0x555}}, Have{Peer: 3, ID: id, Held: segment.Bitmap{0x155}}}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		now += 1000
		acts = s.Step(now, evs[i&1], acts[:0])
	}
}

// A viewer has a dozen neighbours and as many segments, and the simulator a million
// viewers: these are two thirds of its memory. Both fill a size class of Go's.
func TestSizes(t *testing.T) {
	if n := unsafe.Sizeof(peer{}); n > 288 {
		t.Errorf("a peer takes %d bytes", n)
	}
	if n := unsafe.Sizeof(object{}); n > 320 {
		t.Errorf("an object takes %d bytes", n)
	}
}
