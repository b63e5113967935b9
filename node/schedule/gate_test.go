package schedule

import (
	"slices"
	"testing"
	"time"

	"coral/store/segment"
)

// gated is a viewer with one neighbour and an origin whose requests the test
// answers as each case says.
type gated struct {
	t    *testing.T
	s    *Scheduler
	now  Instant
	seq  uint64
	acts []Action
}

const gatedBlocks = 4

func newGated(t *testing.T, viewers int, self uint64) *gated {
	g := &gated{t: t, s: New(Config{Self: self, Share: true, Origin: true}), now: Instant(time.Second)}
	g.step(Joined{Peer: 1, Key: 7, Uploads: true})
	g.step(Watching{Peer: 1, Renditions: []uint16{0}, Uploads: true})
	g.step(Estimate{N: viewers})
	g.now += Instant(storm)
	return g
}

func (g *gated) step(ev Event) {
	g.acts = append(g.acts, g.s.Step(g.now, ev, nil)...)
	if err := check(g.s); err != nil {
		g.t.Fatal(err)
	}
}

// segment brings the next one: whole that long before it is due, the first from
// the neighbour, the rest from the origin if that is asked. Each of the first
// comes twice times more. It reports whether the origin was asked for all of it
// as soon as it was known.
func (g *gated) segment(before time.Duration, first, twice int) (alone bool) {
	const window = 8 * time.Second
	id := segment.ID{Sequence: g.seq}
	g.seq++
	g.acts = g.acts[:0]
	due := g.now + Instant(window)
	g.step(Known{ID: id, Size: gatedBlocks * segment.BlockSize, Salt: g.seq, Duration: 2 * time.Second, Origin: true})
	g.step(Have{Peer: 1, ID: id, Held: segment.FullBitmap(gatedBlocks)})
	g.step(Want{ID: id, Due: due})
	for _, a := range g.acts {
		if f, ok := a.(Fetch); ok && f.ID == id && f.Count == gatedBlocks {
			alone = true
			for i := range gatedBlocks {
				g.now += Instant(10 * time.Millisecond)
				g.step(Fetched{Ticket: f.Ticket, Block: i, OK: true})
			}
			g.step(FetchEnded{Ticket: f.Ticket})
		}
	}
	for i := range first {
		for range 1 + twice {
			g.step(Got{Peer: 1, ID: id, Block: i, OK: true})
		}
	}
	if first < gatedBlocks && !alone {
		g.step(Adopted{Ticket: 1<<63 + Ticket(g.seq), ID: id, First: first, Count: gatedBlocks - first})
		for i := first; i < gatedBlocks; i++ {
			g.now += Instant(10 * time.Millisecond)
			g.step(Fetched{Ticket: 1<<63 + Ticket(g.seq), Block: i, OK: true})
		}
		g.step(FetchEnded{Ticket: 1<<63 + Ticket(g.seq)})
	}
	if first == gatedBlocks && !alone {
		// The last block again, at the time asked for.
		g.step(Lost{ID: id, Block: 0})
		g.now = max(g.now, due-Instant(before))
		g.step(Got{Peer: 1, ID: id, Block: 0, OK: true})
	}
	g.step(Unwant{ID: id})
	g.now = max(g.now, due-Instant(window-2*time.Second))
	return alone
}

// run brings segments for a time and counts those for which the origin was used
// alone.
func (g *gated) run(d time.Duration, before time.Duration, first, twice int) (alone int) {
	for end := g.now + Instant(d); g.now < end; {
		if g.segment(before, first, twice) {
			alone++
		}
	}
	return alone
}

func TestGate(t *testing.T) {
	for _, c := range []struct {
		name         string
		before       time.Duration
		first, twice int
		during       bool // the origin is used alone at some time
	}{
		{"all in time from the neighbour", 4 * time.Second, gatedBlocks, 0, false},
		{"late", -time.Second, gatedBlocks, 0, true},
		{"half from the neighbour", 0, gatedBlocks / 2, 0, false},
		{"nothing from the neighbour", 0, 0, 0, true},
		{"everything thrice", 4 * time.Second, gatedBlocks, 2, true},
	} {
		g := newGated(t, 2, 9)
		if alone := g.run(10*time.Minute, c.before, c.first, c.twice); (alone > 0) != c.during {
			t.Errorf("%s: the origin alone for %d segments", c.name, alone)
		}
		if g.s.Stats().Alone > 8 {
			t.Errorf("%s: %d times in ten minutes", c.name, g.s.Stats().Alone)
		}
		if !c.during {
			continue
		}
		// It tries again, and finds that all is well.
		g.run(20*time.Minute, 4*time.Second, gatedBlocks, 0)
		if alone := g.run(5*time.Minute, 4*time.Second, gatedBlocks, 0); alone > 0 {
			t.Errorf("%s: never forgiven, %d segments", c.name, alone)
		}
	}
}

// What comes late while many come at once says nothing of the neighbours.
func TestGateBearsAStorm(t *testing.T) {
	g := newGated(t, 2, 9)
	g.now = Instant(time.Second)
	for g.now < Instant(storm-8*time.Second) {
		g.segment(-time.Second, gatedBlocks, 0)
	}
	if g.s.Stats().Alone > 0 {
		t.Error("took to the origin")
	}
}

// Of many viewers with late segments few take to the origin, and none that
// knows it to be slow or broken.
func TestGateSparesTheOrigin(t *testing.T) {
	took := 0
	for self := range uint64(200) {
		g := newGated(t, 100, self)
		g.segment(-time.Second, gatedBlocks, 0)
		if g.s.Stats().Alone > 0 {
			t.Fatal("one late segment is enough")
		}
		g.segment(-time.Second, gatedBlocks, 0)
		took += int(g.s.Stats().Alone)
	}
	if took < 2 || took > 20 {
		t.Errorf("%d of 200 took to the origin", took)
	}
	g := newGated(t, 2, 9)
	for range 60 {
		g.s.origin.block, g.s.origin.measured = 3*time.Second, g.now
		g.segment(-time.Second, gatedBlocks, 0)
	}
	if g.s.Stats().Alone != 0 {
		t.Error("took to a slow origin")
	}
	g = newGated(t, 2, 9)
	g.s.pauseOrigin(time.Hour)
	if g.run(5*time.Minute, -time.Second, gatedBlocks, 0); g.s.Stats().Alone != 0 {
		t.Error("took to a broken origin")
	}
	// Late there, too: the neighbours are no worse.
	g = newGated(t, 2, 9)
	g.segment(-time.Second, gatedBlocks, 0)
	g.segment(-time.Second, gatedBlocks, 0)
	if g.s.gate.until <= g.now {
		t.Fatal("did not take to the origin")
	}
	g.now += Instant(time.Second)
	o := &object{wanted: true, wantedAt: 1, due: g.now - 1, duration: 2 * time.Second, origin: true}
	g.s.now = g.now
	g.s.judge(o)
	if g.s.gate.until > g.now || g.s.gate.shut < g.now {
		t.Error("stays with an origin that is late")
	}
}

// Where hardly anybody answers, the origin is used alone at once, if its line has room
// for all.
func TestGateLeavesTheDeaf(t *testing.T) {
	for _, c := range []struct {
		name   string
		took   time.Duration // for which a segment keeps the origin's line busy
		answer int           // neighbours of four
		deaf   bool
	}{
		{"nobody answers", 100 * time.Millisecond, 0, true},
		{"one in four answers", 100 * time.Millisecond, 1, false},
		{"no room", 600 * time.Millisecond, 0, false},
		{"room not known", 0, 0, false},
	} {
		g := newGated(t, 5, 9)
		for k := Peer(2); k <= 4; k++ {
			g.step(Joined{Peer: k, Key: 7 * uint64(k), Uploads: true})
			g.step(Watching{Peer: k, Renditions: []uint16{0}, Uploads: true})
		}
		atOnce := 0
		for k := range 40 {
			id := segment.ID{Sequence: uint64(k)}
			g.acts = g.acts[:0]
			g.step(Known{ID: id, Size: gatedBlocks * segment.BlockSize, Salt: uint64(k), Duration: 2 * time.Second, Origin: true, Took: c.took})
			for k := Peer(1); k <= 4; k++ {
				g.step(Have{Peer: k, ID: id, Held: segment.FullBitmap(gatedBlocks)})
			}
			g.step(Want{ID: id, Due: g.now + Instant(8*time.Second)})
			for tick := range 20 {
				acts := slices.Clone(g.acts)
				g.acts = g.acts[:0]
				g.now += Instant(100 * time.Millisecond)
				for _, a := range acts {
					switch a := a.(type) {
					case Ask:
						if int(a.Peer) <= c.answer {
							g.step(Got{Peer: a.Peer, ID: a.ID, Block: a.Block, OK: true})
						}
					case Fetch:
						if tick == 0 && a.Count == gatedBlocks {
							atOnce++
						}
						for i := range a.Count {
							g.step(Fetched{Ticket: a.Ticket, Block: a.First + i, OK: true})
						}
						g.step(FetchEnded{Ticket: a.Ticket})
					}
				}
				g.step(Tick{})
			}
			g.step(Unwant{ID: id})
		}
		if g.s.gate.deaf != c.deaf || c.deaf && atOnce < 20 {
			t.Errorf("%s: alone %v, %d of 40 segments fetched as soon as they were known", c.name, g.s.gate.deaf, atOnce)
		}
	}
}

// Where neighbours are silent now and then and the origin has room, it is asked for what
// is overdue while there is time, not when it is sure to be late.
func TestOverdueIsNotWaitedFor(t *testing.T) {
	asked := func(took time.Duration, silences uint32) Instant {
		g := newGated(t, 2, 9)
		for i := range 20 { // it has been quick
			id := segment.ID{Sequence: 100 + uint64(i)}
			g.step(Known{ID: id, Size: segment.BlockSize, Duration: 2 * time.Second, Origin: true, Took: took})
			g.step(Have{Peer: 1, ID: id, Held: segment.FullBitmap(1)})
			g.step(Want{ID: id, Due: g.now + Instant(8*time.Second)})
			g.now += Instant(60 * time.Millisecond)
			g.step(Got{Peer: 1, ID: id, Block: 0, OK: true})
		}
		g.s.gate.silences = silences
		id := segment.ID{Sequence: 1}
		due := g.now + Instant(3*time.Second)
		g.step(Known{ID: id, Size: segment.BlockSize, Duration: 2 * time.Second, Origin: true, Took: took})
		g.step(Want{ID: id, Due: due})
		g.now = due - Instant(1200*time.Millisecond)
		g.step(Have{Peer: 1, ID: id, Held: segment.FullBitmap(1)})
		for g.acts = g.acts[:0]; g.now < due; g.now += Instant(20 * time.Millisecond) {
			g.step(Tick{})
			for _, a := range g.acts {
				if f, ok := a.(Fetch); ok && f.ID == id {
					return due - g.now
				}
			}
		}
		return 0
	}
	const room, none = 100 * time.Millisecond, 1500 * time.Millisecond
	usual := asked(room, 0)
	if early := asked(room, 2000); early < usual+Instant(150*time.Millisecond) {
		t.Errorf("asked the origin %v before it is due, where all answer %v", time.Duration(early), time.Duration(usual))
	}
	if got := asked(none, 2000); got > usual {
		t.Errorf("without room it was asked %v before", time.Duration(got))
	}
}
