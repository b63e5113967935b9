package sim

import (
	"time"

	"coral/node/schedule"
	"coral/store/segment"
)

// publisher is the publisher's place among the nodes.
const publisher = 0

// world is one run. While its shards run at once they only read what is here.
type world struct {
	cfg    Config
	nodes  []*node // the publisher, then the viewers
	shards []*shard
	ahead  time.Duration // how long shards can do without each other
	hub    queue         // what concerns several of them

	origin   server
	newest   int                // newest segment at the origin; -1: none
	listed   int                // newest in its playlist that is signed; -1: none
	born     []schedule.Instant // of each segment
	salts    []uint64
	signed   []schedule.Instant
	took     []time.Duration // see channel.Entry.Took
	living   []int32         // viewers that are there, in any order
	lastJoin schedule.Instant
	result   Result

	settledAt     schedule.Instant
	settledEgress int64 // of all bytes on the wire, by then
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
	w := &world{cfg: cfg, newest: -1, listed: -1}
	w.hub.end = schedule.Instant(cfg.Duration)
	w.divide()
	w.origin = server{w: w.shards[0], link: &w.cfg.Origin}
	w.build()
	return w
}

func (w *world) run() {
	w.shards[0].put(1, event{kind: appear})
	w.exchange()
	if len(w.shards) > 1 {
		w.runShards()
	} else {
		w.runOne()
	}
	w.report()
}

// runOne runs a world of one shard, each event at its time.
func (w *world) runOne() {
	s, second := w.shards[0], schedule.Instant(0)
	for {
		at, ev, ok := s.q.take(schedule.Never)
		if !ok {
			return
		}
		if w.cfg.Second != nil && at >= second {
			if !w.cfg.Second(time.Duration(at)) {
				return
			}
			second = at + schedule.Instant(time.Second)
		}
		s.now = at
		w.settleAt(at)
		s.handle(&ev)
		s.events++
	}
}

// settleAt notes what has been sent when the swarm has settled.
func (w *world) settleAt(at schedule.Instant) {
	if w.settledAt == 0 && at >= w.lastJoin+schedule.Instant(settle) {
		w.settledAt = at
		for _, s := range w.shards {
			w.settledEgress += s.egress
		}
	}
}

// build makes the nodes and decides when they come and go.
func (w *world) build() {
	p := &node{w: w.shards[0], link: &w.cfg.Publisher, group: &Group{}, publisher: true, tickAt: schedule.Never}
	p.init(schedule.Config{SuperSeed: true, Share: w.cfg.Publisher.Up > 0})
	p.up = true
	p.source = &source{reading: map[int]*reading{}}
	w.nodes = append(w.nodes, p)
	if t := w.cfg.PublisherUntil; t > 0 {
		p.w.put(schedule.Instant(t), event{kind: mute, node: publisher})
	}
	if w.cfg.Warm {
		w.gather()
		return
	}
	for k := range w.cfg.Groups {
		g := &w.cfg.Groups[k]
		for i := range g.Count {
			at := schedule.Instant(g.Join+time.Duration(i)*g.Every) + 1
			n := w.add(g, at)
			w.lastJoin = max(w.lastJoin, at)
			if g.Leave > 0 {
				n.w.put(schedule.Instant(g.Leave), event{kind: leave, node: int32(n.index)})
			}
			if g.Kill > 0 {
				n.w.put(schedule.Instant(g.Kill), event{kind: kill, node: int32(n.index)})
			}
		}
	}
}

// add makes a viewer who comes at a certain time.
func (w *world) add(g *Group, at schedule.Instant) *node {
	n := w.make(g)
	n.w.put(at, event{kind: join, node: int32(n.index)})
	if g.Stay > 0 {
		how := leave
		if n.w.rng.IntN(2) == 0 {
			how = kill
		}
		n.w.put(at+schedule.Instant(n.w.rng.ExpFloat64()*float64(g.Stay))+1, event{kind: how, node: int32(n.index)})
	}
	return n
}

// make makes a viewer.
func (w *world) make(g *Group) *node {
	n := &node{w: w.home(len(w.nodes)), index: len(w.nodes), group: g, link: &g.Link, tickAt: schedule.Never}
	w.nodes = append(w.nodes, n)
	n.init(schedule.Config{Share: !g.Leech && !g.Alone && g.Up > 0, Origin: !w.cfg.NoOrigin && !g.Helper})
	return n
}

// size is every segment's, in bytes.
func (w *world) size() int {
	return int(w.cfg.Rate / 8 * int64(w.cfg.Segment) / int64(time.Second))
}

func id(seq int) segment.ID { return segment.ID{Sequence: uint64(seq)} }

func (s *shard) handle(ev *event) {
	switch ev.kind {
	case appear:
		s.appear()
		return
	case list:
		s.listed = int(ev.block)
		return
	case get:
		s.origin.get(ev)
		return
	case halt:
		s.origin.stop(int(ev.node), schedule.Ticket(ev.num))
		return
	case part:
		s.origin.part(ev)
		return
	}
	n := s.nodes[ev.node]
	switch ev.kind {
	case join:
		n.join()
		return
	case meet:
		n.meet(s.nodes[ev.from])
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
	case have, request, withdraw, refuse, first, data, claim:
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
func (s *shard) appear() {
	w := s.world
	w.newest++
	w.born = append(w.born, s.now)
	w.salts = append(w.salts, s.rng.Uint64())
	w.signed = append(w.signed, 0)
	w.took = append(w.took, 0)
	for _, x := range w.shards {
		x.served = append(x.served, 0)
		x.pubServed = append(x.pubServed, 0)
		x.needed = append(x.needed, false)
	}
	// The publisher looks for it within a quarter of a second, then downloads.
	s.put(s.now+schedule.Instant(s.rng.Int64N(int64(250*time.Millisecond))), event{kind: notice, node: publisher, block: int32(w.newest)})
	s.put(1+schedule.Instant(len(w.born))*schedule.Instant(w.cfg.Segment), event{kind: appear})
}

// delay is how long a message takes between two links, queues apart.
func (s *shard) delay(a, b *Link) schedule.Instant {
	d := a.Delay + b.Delay + s.cfg.Spell.At(time.Duration(s.now))
	if j := a.Jitter + b.Jitter; j > 0 {
		d += time.Duration(s.rng.Int64N(int64(j)))
	}
	if loss := a.Loss + b.Loss; loss > 0 {
		for s.rng.Float64() < loss && d < 3*time.Second {
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
