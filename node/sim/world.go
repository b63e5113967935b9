package sim

import (
	"math/rand/v2"
	"time"

	"coral/node/schedule"
	"coral/store/segment"
)

// publisher is the publisher's place among the nodes.
const publisher = 0

// world is one run.
type world struct {
	cfg   Config
	rng   *rand.Rand
	q     queue
	now   schedule.Instant
	nodes []*node // the publisher, then the viewers
	acts  []schedule.Action

	origin    server
	newest    int                // newest segment at the origin; -1: none
	born      []schedule.Instant // of each segment
	salts     []uint64
	needed    map[int]bool // segments that some viewer wanted
	result    Result
	control   int64
	egress    int64   // bytes on the wire from origin and publisher to viewers
	living    []int32 // viewers that are there, in any order
	served    []int64 // bytes of each segment that origin and publisher sent to viewers
	pubServed []int64 // of these, from the publisher
	signed    []schedule.Instant
	lastJoin  schedule.Instant

	settledAt     schedule.Instant
	settledEgress int64 // of egress, by then
}

// Run simulates cfg.
func Run(cfg Config) *Result {
	w := newWorld(cfg)
	w.run()
	return &w.result
}

func newWorld(cfg Config) *world {
	if cfg.Window == 0 {
		cfg.Window = 8
	}
	if cfg.Behind == 0 {
		cfg.Behind = 3
	}
	w := &world{cfg: cfg, rng: rand.New(rand.NewPCG(cfg.Seed, 0xc07a1)), newest: -1, needed: map[int]bool{}}
	w.origin = server{w: w, link: &w.cfg.Origin}
	w.q.end = schedule.Instant(cfg.Duration)
	w.build()
	return w
}

func (w *world) run() {
	second := schedule.Instant(0)
	w.q.put(1, event{kind: appear})
	for {
		at, ev, ok := w.q.take()
		if !ok {
			break
		}
		if w.cfg.Second != nil && at >= second {
			if !w.cfg.Second(time.Duration(at)) {
				break
			}
			second = at + schedule.Instant(time.Second)
		}
		w.now = at
		if w.settledAt == 0 && at >= w.lastJoin+schedule.Instant(settle) {
			w.settledAt, w.settledEgress = at, w.egress
		}
		w.handle(&ev)
		w.result.Events++
	}
	w.report()
}

// build makes the nodes and decides when they come and go.
func (w *world) build() {
	p := &node{w: w, link: &w.cfg.Publisher, group: &Group{}, publisher: true, tickAt: schedule.Never}
	p.init(schedule.Config{SuperSeed: true, Share: w.cfg.Publisher.Up > 0})
	p.up = true
	w.nodes = append(w.nodes, p)
	if t := w.cfg.PublisherUntil; t > 0 {
		w.q.put(schedule.Instant(t), event{kind: mute, node: publisher})
	}
	for k := range w.cfg.Groups {
		g := &w.cfg.Groups[k]
		for i := range g.Count {
			at := schedule.Instant(g.Join+time.Duration(i)*g.Every) + 1
			n := w.add(g, at)
			w.lastJoin = max(w.lastJoin, at)
			if g.Leave > 0 {
				w.q.put(schedule.Instant(g.Leave), event{kind: leave, node: int32(n.index)})
			}
			if g.Kill > 0 {
				w.q.put(schedule.Instant(g.Kill), event{kind: kill, node: int32(n.index)})
			}
		}
	}
}

// add makes a viewer who comes at a certain time.
func (w *world) add(g *Group, at schedule.Instant) *node {
	n := &node{w: w, index: len(w.nodes), group: g, link: &g.Link, tickAt: schedule.Never}
	w.nodes = append(w.nodes, n)
	n.init(schedule.Config{Share: !g.Leech && !g.Alone && g.Up > 0, Origin: !w.cfg.NoOrigin && !g.Helper})
	w.q.put(at, event{kind: join, node: int32(n.index)})
	if g.Stay > 0 {
		how := leave
		if w.rng.IntN(2) == 0 {
			how = kill
		}
		w.q.put(at+schedule.Instant(w.rng.ExpFloat64()*float64(g.Stay))+1, event{kind: how, node: int32(n.index)})
	}
	return n
}

// size is every segment's, in bytes.
func (w *world) size() int {
	return int(w.cfg.Rate / 8 * int64(w.cfg.Segment) / int64(time.Second))
}

func id(seq int) segment.ID { return segment.ID{Sequence: uint64(seq)} }

func (w *world) handle(ev *event) {
	switch ev.kind {
	case appear:
		w.appear()
		return
	case get:
		w.origin.get(ev)
		return
	case halt:
		w.origin.stop(int(ev.node), schedule.Ticket(ev.num))
		return
	case part:
		w.origin.part(ev)
		return
	}
	n := w.nodes[ev.node]
	switch ev.kind {
	case join:
		n.join()
		return
	case meet:
		n.meet(w.nodes[ev.from])
		return
	}
	if !n.up {
		return
	}
	switch ev.kind {
	case tick:
		n.tick()
	case notice:
		n.notice(int(ev.block))
	case record:
		n.record(int(ev.block), int(ev.from))
	case have, request, withdraw, refuse, data, claim:
		n.message(ev)
	case sent:
		n.sent(ev)
	case reach:
		n.reach(ev)
	case body:
		n.body(ev)
	case leave:
		n.leave(true)
	case kill:
		n.leave(false)
	case begin:
		n.begin()
	case lost:
		n.disconnect(int(ev.from))
	case mute:
		n.mute()
	case scrape:
		n.scrape()
	case play:
		n.play()
	}
}

// appear makes the next segment at the origin.
func (w *world) appear() {
	w.newest++
	w.born = append(w.born, w.now)
	w.salts = append(w.salts, w.rng.Uint64())
	w.served = append(w.served, 0)
	w.pubServed = append(w.pubServed, 0)
	w.signed = append(w.signed, 0)
	// The publisher looks for it within a quarter of a second, then downloads.
	w.q.put(w.now+schedule.Instant(w.rng.Int64N(int64(250*time.Millisecond))), event{kind: notice, node: publisher, block: int32(w.newest)})
	w.q.put(w.now+schedule.Instant(w.cfg.Segment), event{kind: appear})
}

// delay is how long a message takes between two links, queues apart.
func (w *world) delay(a, b *Link) schedule.Instant {
	d := a.Delay + b.Delay
	if j := a.Jitter + b.Jitter; j > 0 {
		d += time.Duration(w.rng.Int64N(int64(j)))
	}
	if loss := a.Loss + b.Loss; loss > 0 {
		for w.rng.Float64() < loss && d < 3*time.Second {
			d += max(200*time.Millisecond, 2*(a.Delay+b.Delay))
		}
	}
	return schedule.Instant(d)
}

// spend returns when a serial link that is free at *free has carried n bytes.
func spend(now schedule.Instant, free *schedule.Instant, n int, rate int64) schedule.Instant {
	if rate <= 0 {
		return schedule.Never
	}
	*free = max(*free, now) + schedule.Instant(int64(n)*8*int64(time.Second)/rate)
	return *free
}
