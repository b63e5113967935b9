package schedule

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"coral/store/segment"
)

// walker feeds a Scheduler events that a real driver could, and some that only a
// hostile peer would cause.
type walker struct {
	rng     *rand.Rand
	now     Instant
	peers   []Peer
	next    Peer
	ids     []segment.ID
	sizes   map[segment.ID]int
	held    map[segment.ID]segment.Bitmap
	seq     uint64
	pending []Event // answers that are due some time
	origin  bool
	running map[Ticket]Fetch
}

func newWalker(seed uint64) *walker {
	return &walker{
		rng: rand.New(rand.NewPCG(seed, 7)), now: 1, sizes: map[segment.ID]int{}, held: map[segment.ID]segment.Bitmap{},
		origin: true, running: map[Ticket]Fetch{},
	}
}

func (w *walker) peer() Peer {
	if len(w.peers) == 0 || w.rng.IntN(50) == 0 {
		return Peer(w.rng.IntN(100))
	}
	return w.peers[w.rng.IntN(len(w.peers))]
}

func (w *walker) id() segment.ID {
	if len(w.ids) == 0 || w.rng.IntN(50) == 0 {
		return segment.ID{Sequence: w.rng.Uint64N(200)}
	}
	return w.ids[w.rng.IntN(len(w.ids))]
}

func (w *walker) block(id segment.ID) int {
	if w.rng.IntN(50) == 0 {
		return w.rng.IntN(3000) - 1000
	}
	return w.rng.IntN(segment.Blocks(w.sizes[id]))
}

func (w *walker) bitmap(id segment.ID) segment.Bitmap {
	n := segment.Blocks(w.sizes[id])
	switch w.rng.IntN(6) {
	case 0:
		return nil
	case 1:
		return segment.FullBitmap(n)
	case 2: // longer than there are blocks
		return segment.FullBitmap(n + w.rng.IntN(200))
	}
	b := segment.NewBitmap(n)
	for i := range n {
		if w.rng.IntN(2) == 0 {
			b.Set(i)
		}
	}
	return b
}

// event makes the next event.
func (w *walker) event() Event {
	w.now += Instant(w.rng.Int64N(int64(30 * time.Millisecond)))
	if w.rng.IntN(200) == 0 {
		w.now += Instant(3 * time.Second)
	}
	if len(w.pending) > 0 && w.rng.IntN(2) == 0 {
		k := w.rng.IntN(len(w.pending))
		ev := w.pending[k]
		w.pending = slices.Delete(w.pending, k, k+1)
		return w.settle(ev)
	}
	switch w.rng.IntN(24) {
	case 0:
		w.next++
		p := w.next
		w.peers = append(w.peers, p)
		return Joined{Peer: p, Role: Role(w.rng.IntN(3)), Key: w.rng.Uint64(), Uploads: w.rng.IntN(4) > 0}
	case 1:
		if len(w.peers) > 3 && w.rng.IntN(3) == 0 {
			k := w.rng.IntN(len(w.peers))
			p := w.peers[k]
			w.peers = slices.Delete(w.peers, k, k+1)
			return Left{Peer: p}
		}
		return RTT{Peer: w.peer(), RTT: time.Duration(w.rng.Int64N(int64(200 * time.Millisecond)))}
	case 2, 3:
		return Watching{Peer: w.peer(), Renditions: []uint16{0, 1}[:w.rng.IntN(3)], Uploads: w.rng.IntN(5) > 0}
	case 4, 5:
		w.seq++
		id := segment.ID{Rendition: uint16(w.rng.IntN(2)), Sequence: w.seq}
		w.ids = append(w.ids, id)
		w.sizes[id] = w.rng.IntN(20 * segment.BlockSize)
		var held segment.Bitmap
		if w.rng.IntN(3) == 0 {
			held = w.bitmap(id)
		}
		w.hold(id, held)
		return Known{ID: id, Size: w.sizes[id], Salt: w.rng.Uint64(), Duration: 2 * time.Second, Origin: w.rng.IntN(5) > 0, Held: held}
	case 6:
		if len(w.ids) > 12 {
			id := w.ids[0]
			w.ids = w.ids[1:]
			return Forget{ID: id}
		}
		return Tick{}
	case 7, 8, 9:
		return Want{ID: w.id(), Due: w.now + Instant(w.rng.Int64N(int64(9*time.Second))) - Instant(time.Second), Background: w.rng.IntN(8) == 0}
	case 10:
		return Unwant{ID: w.id()}
	case 11, 12, 13, 14, 15:
		id := w.id()
		return Have{Peer: w.peer(), ID: id, Held: w.bitmap(id), Fetching: w.bitmap(id)}
	case 16, 17, 18:
		id := w.id()
		return Requested{Peer: w.peer(), ID: id, Block: w.block(id), Due: w.now + Instant(w.rng.Int64N(int64(5*time.Second)))}
	case 19:
		id := w.id()
		return Cancelled{Peer: w.peer(), ID: id, Block: w.block(id)}
	case 20:
		id := w.id()
		return Claimed{Peer: w.peer(), ID: id, Round: w.rng.IntN(3), TTL: w.rng.IntN(300), First: w.rng.IntN(30) - 5, Count: w.rng.IntN(40) - 5, Claimant: w.rng.Uint64N(200)}
	case 21:
		return Estimate{N: w.rng.IntN(200) - 10}
	case 22:
		id := w.id()
		if i := w.block(id); i >= 0 && w.held[id].Has(i) {
			w.held[id].Clear(i)
			return Lost{ID: id, Block: i}
		}
		return Tick{}
	}
	if w.rng.IntN(30) == 0 {
		return Configured{Share: w.rng.IntN(4) > 0, Origin: w.rng.IntN(4) > 0}
	}
	return Tick{}
}

func (w *walker) hold(id segment.ID, held segment.Bitmap) {
	b := segment.NewBitmap(segment.Blocks(w.sizes[id]))
	for i := range segment.Blocks(w.sizes[id]) {
		if held.Has(i) {
			b.Set(i)
		}
	}
	w.held[id] = b
}

// settle keeps the model of what is held right.
func (w *walker) settle(ev Event) Event {
	switch e := ev.(type) {
	case Got:
		if !slices.Contains(w.ids, e.ID) {
			return Tick{}
		}
		if e.OK {
			w.held[e.ID].Set(e.Block)
		}
	case Fetched:
		f, ok := w.running[e.Ticket]
		if !ok || !slices.Contains(w.ids, f.ID) {
			return Tick{}
		}
		if e.OK {
			w.held[f.ID].Set(e.Block)
		}
	case FetchEnded:
		delete(w.running, e.Ticket)
	}
	return ev
}

// take answers the actions, sooner or later or never.
func (w *walker) take(now Instant, acts []Action) error {
	for _, a := range acts {
		switch a := a.(type) {
		case Ask:
			if !slices.Contains(w.peers, a.Peer) || a.Due <= now {
				return fmt.Errorf("%+v to nobody, or late, at %d", a, now)
			}
			if w.rng.IntN(2) == 0 {
				w.pending = append(w.pending, Arriving{Peer: a.Peer, ID: a.ID, Block: a.Block})
			}
			switch w.rng.IntN(10) {
			case 0: // never
			case 1:
				w.pending = append(w.pending, Refused{Peer: a.Peer, ID: a.ID, Block: a.Block, Reason: RefuseReason(w.rng.IntN(4))})
			case 2:
				w.pending = append(w.pending, Got{Peer: a.Peer, ID: a.ID, Block: a.Block, OK: w.rng.IntN(4) > 0})
			default:
				w.pending = append(w.pending, Got{Peer: a.Peer, ID: a.ID, Block: a.Block, OK: true})
			}
		case Send:
			if !slices.Contains(w.peers, a.Peer) || !w.held[a.ID].Has(a.Block) {
				return fmt.Errorf("%+v of what is not held, or to nobody", a)
			}
			w.pending = append(w.pending, Sent(a))
		case Refuse:
			if !slices.Contains(w.peers, a.Peer) {
				return fmt.Errorf("%+v to nobody", a)
			}
		case Announce:
			if !slices.Contains(w.peers, a.Peer) {
				return fmt.Errorf("%+v to nobody", a)
			}
			for i := range 64 * len(a.Held) {
				if a.Held.Has(i) && !w.held[a.ID].Has(i) {
					return fmt.Errorf("%+v announces block %d that is not held", a, i)
				}
			}
		case Fetch:
			n := segment.Blocks(w.sizes[a.ID])
			if a.First < 0 || a.Count <= 0 || a.First+a.Count > n {
				return fmt.Errorf("%+v of %d blocks", a, n)
			}
			w.running[a.Ticket] = a
			for i := a.First; i < a.First+a.Count; i++ {
				w.pending = append(w.pending, Fetched{Ticket: a.Ticket, Block: i, OK: w.rng.IntN(30) > 0})
			}
			w.pending = append(w.pending, FetchEnded{Ticket: a.Ticket, Failed: w.rng.IntN(5) == 0, RetryAfter: time.Second})
		case StopFetch:
			if _, ok := w.running[a.Ticket]; !ok {
				return fmt.Errorf("%+v of nothing", a)
			}
			delete(w.running, a.Ticket)
			w.pending = append(w.pending, FetchEnded{Ticket: a.Ticket})
		case Claim:
			if len(a.Peers) == 0 || a.TTL < 1 || a.TTL > maxTTL {
				return fmt.Errorf("%+v", a)
			}
		}
	}
	if len(w.pending) > 200 {
		w.pending = w.pending[100:]
	}
	return nil
}

func configs() []Config {
	return []Config{
		{Self: 5, Share: true, Origin: true},
		{Self: 6, Share: true, Origin: true, SuperSeed: true, Slots: 2},
		{Self: 7, Share: true},
		{Self: 8, Origin: true},
	}
}

// Whatever happens, the books balance and actions make sense.
func TestWalk(t *testing.T) {
	steps := 4000
	if testing.Short() {
		steps = 800
	}
	for _, cfg := range configs() {
		for seed := range uint64(8) {
			w, s := newWalker(seed), New(cfg)
			for i := range steps {
				ev := w.event()
				acts := s.Step(w.now, ev, nil)
				if err := check(s); err != nil {
					t.Fatalf("%+v, seed %d, step %d, %T%+v: %v", cfg, seed, i, ev, ev, err)
				}
				if err := w.take(w.now, acts); err != nil {
					t.Fatalf("%+v, seed %d, step %d, %T%+v: %v", cfg, seed, i, ev, ev, err)
				}
			}
		}
	}
}

// A trace replays to the same actions, and ticks between change nothing.
func TestReplayAndExtraTicks(t *testing.T) {
	for _, cfg := range configs() {
		for seed := range uint64(4) {
			w := newWalker(seed)
			a, b, c := New(cfg), New(cfg), New(cfg)
			last := w.now
			for i := range 2500 {
				ev := w.event()
				// Ticks that are due, as every driver gives them.
				for a.Next() < w.now {
					at := a.Next()
					got, same := a.Step(at, Tick{}, nil), b.Step(at, Tick{}, nil)
					if between := (last + at) / 2; between > last {
						if extra := c.Step(between, Tick{}, nil); len(extra) > 0 {
							t.Fatalf("%+v, seed %d, step %d: a tick too many gives %+v", cfg, seed, i, extra)
						}
					}
					ticked := c.Step(at, Tick{}, nil)
					last = at
					if !reflect.DeepEqual(got, same) || !reflect.DeepEqual(got, ticked) {
						t.Fatalf("%+v, seed %d, step %d, tick:\n%+v\n%+v\n%+v", cfg, seed, i, got, same, ticked)
					}
					_ = w.take(at, got) // the model is a step ahead: its objections do not count
				}
				if between := (last + w.now) / 2; between > last && between < c.Next() {
					if extra := c.Step(between, Tick{}, nil); len(extra) > 0 {
						t.Fatalf("%+v, seed %d, step %d: a tick too many gives %+v", cfg, seed, i, extra)
					}
				}
				got, same, ticked := a.Step(w.now, ev, nil), b.Step(w.now, ev, nil), c.Step(w.now, ev, nil)
				last = w.now
				if !reflect.DeepEqual(got, same) || !reflect.DeepEqual(got, ticked) {
					t.Fatalf("%+v, seed %d, step %d, %T%+v:\n%+v\n%+v\n%+v", cfg, seed, i, ev, ev, got, same, ticked)
				}
				_ = w.take(w.now, got)
			}
		}
	}
}

func FuzzStep(f *testing.F) {
	f.Add(uint64(1), uint8(0), uint16(300))
	f.Fuzz(func(t *testing.T, seed uint64, kind uint8, steps uint16) {
		cs := configs()
		w, s := newWalker(seed), New(cs[int(kind)%len(cs)])
		for range steps % 2000 {
			ev := w.event()
			acts := s.Step(w.now, ev, nil)
			if err := check(s); err != nil {
				t.Fatalf("%T%+v: %v", ev, ev, err)
			}
			if err := w.take(w.now, acts); err != nil {
				t.Fatalf("%T%+v: %v", ev, ev, err)
			}
		}
	})
}
