package schedule

import (
	"slices"
	"testing"
	"time"

	"coral/store/segment"
)

// helpful are neighbours that hold everything and send one block after another,
// each at its own pace; or all at that of our own line, which carries what one has
// sent before what the next has, and nothing of which can be taken back.
type helpful struct {
	paces []time.Duration
	line  time.Duration // 0: no matter
	queue [][]Ask
	ready []Instant // when the first of a queue has been sent
	twice int       // blocks that came, or are still coming, though they were there
	seq   uint64
	now   Instant
}

// begin has the k-th send the next block.
func (h *helpful) begin(k int, now Instant) {
	h.ready[k] = now + Instant(h.paces[k])
	for i := range h.ready {
		if h.line > 0 {
			h.ready[i] = now + Instant(h.line)
		}
	}
}

// idle reports whether nothing is on the way from the k-th.
func (h *helpful) idle(k int) bool {
	return len(h.queue[k]) == 0 && (h.line == 0 || !slices.ContainsFunc(h.queue, func(q []Ask) bool { return len(q) > 0 }))
}

// fetch has s get one segment from them, and returns how long that took.
func (h *helpful) fetch(t *testing.T, s *Scheduler, blocks int, within time.Duration, known []Standing) time.Duration {
	t.Helper()
	h.seq++
	now, id := h.now+1, segment.ID{Sequence: h.seq}
	h.twice = 0
	h.queue, h.ready = make([][]Ask, len(h.paces)), make([]Instant, len(h.paces))
	have, begun := 0, now
	step := func(ev Event) {
		for _, a := range s.Step(now, ev, nil) {
			switch a := a.(type) {
			case Ask:
				k := int(a.Peer) - 1
				if h.idle(k) {
					h.begin(k, now)
				}
				h.queue[k] = append(h.queue[k], a)
			case Withdraw:
				k := int(a.Peer) - 1
				for i, q := range h.queue[k] {
					if i > 0 && h.line == 0 && q.ID == a.ID && q.Block == a.Block { // the first is on its way
						h.queue[k] = append(h.queue[k][:i], h.queue[k][i+1:]...)
						break
					}
				}
			}
		}
		if err := check(s); err != nil {
			t.Fatal(err)
		}
	}
	for k := range h.paces {
		j := Joined{Peer: Peer(k + 1), Key: uint64(k), Uploads: true}
		if known != nil {
			j.Known = known[k]
		}
		step(j)
		step(Watching{Peer: Peer(k + 1), Renditions: []uint16{0}, Uploads: true})
	}
	step(Known{ID: id, Size: blocks * segment.BlockSize, Salt: 1, Duration: 2 * time.Second})
	for k := range h.paces {
		step(Have{Peer: Peer(k + 1), ID: id, Held: segment.FullBitmap(blocks)})
	}
	step(Want{ID: id, Due: now + Instant(within)})
	held := segment.NewBitmap(blocks)
	for have < blocks {
		at, who := s.Next(), -1
		for k := range h.queue {
			if len(h.queue[k]) > 0 && h.ready[k] < at {
				at, who = h.ready[k], k
			}
		}
		if now = max(now, at); now-begun > Instant(time.Minute) {
			t.Fatal("it does not end")
		}
		if who < 0 {
			step(Tick{})
			continue
		}
		a := h.queue[who][0]
		h.queue[who] = h.queue[who][1:]
		h.begin(who, now)
		if held.Has(a.Block) {
			h.twice++
		} else {
			held.Set(a.Block)
			have++
		}
		step(Got{Peer: a.Peer, ID: id, Block: a.Block, OK: true})
	}
	for _, q := range h.queue {
		h.twice += len(q) // on its way: it will come
	}
	h.now = now
	return time.Duration(now - begun)
}

// Where our own line breaks down everybody is slow at once: nobody else is asked
// for what is on its way, or the line carries it twice.
func TestNarrow(t *testing.T) {
	const blocks = 26
	for _, narrow := range []bool{false, true} {
		h := &helpful{paces: slices.Repeat([]time.Duration{20 * time.Millisecond}, 5)}
		s := New(Config{Self: 9, Share: true})
		for range 4 {
			h.fetch(t, s, blocks, 4*time.Second, nil)
		}
		h.line = 170 * time.Millisecond // 1.5 Mbit/s
		s.Step(h.now, Narrow{On: narrow}, nil)
		took := h.fetch(t, s, blocks, 4500*time.Millisecond, nil)
		t.Logf("narrow %v: %v, %d blocks came twice", narrow, took, h.twice)
		if narrow && (h.twice > 0 || took > blocks*h.line+time.Second/2) {
			t.Errorf("%v, %d blocks came twice", took, h.twice)
		} else if !narrow && h.twice == 0 {
			t.Error("this test shows nothing")
		}
		s.Step(h.now, Narrow{}, nil)
		h.line = 0
		if took := h.fetch(t, s, blocks, 4*time.Second, nil); took > 2*time.Second {
			t.Errorf("afterwards: %v", took)
		}
	}
}

// Who meets neighbours again has the first segment sooner, since it asks little of
// the slow ones.
func TestStanding(t *testing.T) {
	const blocks = 24
	h := &helpful{paces: []time.Duration{15 * time.Millisecond, 700 * time.Millisecond, 700 * time.Millisecond, 700 * time.Millisecond}}
	cfg := Config{Self: 9, Share: true}
	s := New(cfg)
	h.fetch(t, s, 8*blocks, 4*time.Second, nil)
	known := make([]Standing, len(h.paces))
	for k := range known {
		known[k] = s.Standing(Peer(k + 1))
	}
	if known[0].Service <= 0 || known[0].Service > 100*time.Millisecond {
		t.Errorf("of the quick one: %+v", known[0])
	}
	// What is due at once is asked of everybody, what is not may come slowly; and of
	// strangers little is asked in any case (firstAsks).
	for within, gain := range map[time.Duration]time.Duration{time.Second / 2: 0, time.Second: 25, 2 * time.Second: 5, 4 * time.Second: 0} {
		first := h.fetch(t, New(cfg), blocks, within, nil)
		again := h.fetch(t, New(cfg), blocks, within, known)
		t.Logf("due in %v: %v at first, %v when met again", within, first, again)
		if again > first*(100-gain)/100 {
			t.Errorf("due in %v: %v at first, %v when met again", within, first, again)
		}
	}
	if s.Standing(99) != (Standing{}) {
		t.Error("a stranger has a standing")
	}
}
