package sim

import (
	"math/rand/v2"
	"sync"
	"time"

	"coral/node/schedule"
)

// shard is a part of a world's nodes with all that they touch, so that shards
// can run at once: what a node sends to another takes a link's delay at the least,
// and so long no shard needs to hear of another one. What touches nodes of several
// shards is done in between, see together.
type shard struct {
	*world
	index int
	q     queue
	rng   *rand.Rand
	now   schedule.Instant
	acts  []schedule.Action
	out   []bag // for the other shards, and at the end for the hub, until all have run
	tally
}

// tally is what a shard's nodes came to.
type tally struct {
	events, steps int64
	control       int64
	egress        int64   // bytes on the wire from origin and publisher to viewers
	served        []int64 // bytes of each segment that origin and publisher sent to viewers
	pubServed     []int64 // of these, from the publisher
	needed        []bool  // segments that some viewer wanted

	originBytes, publisherBytes int64

	suspects, forged int
	stalled          []Stall
	readies          []ready
}

// ready says that a node had a segment whole.
type ready struct {
	node, seq int32
	after     time.Duration
}

const (
	// fewViewers is up to how many viewers one shard does: dividing them costs more
	// than it saves.
	fewViewers = 2000
	// shards is into how many parts more of them are divided. It is the same on
	// every machine, because results depend on it.
	shards = 4
	// leastAhead is how much delay makes dividing worth it.
	leastAhead = 5 * time.Millisecond
)

// divide makes the shards.
func (w *world) divide() {
	n, viewers := 1, 0
	for _, g := range w.cfg.Groups {
		viewers += g.Count
	}
	if w.ahead = w.lookahead(); viewers > fewViewers && w.ahead >= leastAhead && w.cfg.Watch == nil {
		n = shards
	}
	for i := range n {
		s := &shard{world: w, index: i, rng: rand.New(rand.NewPCG(w.cfg.Seed, 0xc07a1+uint64(i))), out: make([]bag, n+1)}
		s.q.end = schedule.Instant(w.cfg.Duration)
		w.shards = append(w.shards, s)
	}
}

// lookahead is how long a message between two nodes takes at the least.
func (w *world) lookahead() time.Duration {
	hosts := []time.Duration{w.cfg.Publisher.Delay, w.cfg.Origin.Delay}
	for i := range w.cfg.Groups {
		hosts = append(hosts, w.cfg.Groups[i].Delay)
	}
	// Two of the least: viewers of one group reach each other.
	least := min(hosts[0], hosts[1]) // these two live in one shard
	viewer := hosts[2]
	for _, d := range hosts[2:] {
		viewer = min(viewer, d)
	}
	return viewer + min(least, viewer)
}

// home is the shard of a node.
func (w *world) home(node int) *shard { return w.shards[node%len(w.shards)] }

// put has something happen at a time.
func (s *shard) put(at schedule.Instant, ev event) {
	to := s
	switch {
	case len(s.shards) == 1:
	case ev.kind.together():
		s.q.add(&s.out[len(s.shards)], timed{at, ev})
		return
	case ev.kind == get || ev.kind == halt || ev.kind == part:
		to = s.shards[0] // the origin's
	default:
		to = s.home(int(ev.node))
	}
	if to == s {
		s.q.put(at, ev)
	} else {
		s.q.add(&s.out[to.index], timed{at, ev})
	}
}

// together reports whether an event touches nodes of several shards, or what all
// of them read.
func (k kind) together() bool {
	switch k {
	case appear, list, join, meet, leave, kill, mute:
		return true
	}
	return false
}

// runShards runs the world window by window, each as long as the shards can do
// without each other.
func (w *world) runShards() {
	end := schedule.Instant(w.cfg.Duration)
	second := schedule.Instant(0)
	for at := schedule.Instant(0); at < end; {
		at = min(at+schedule.Instant(w.ahead), end)
		var all sync.WaitGroup
		for _, s := range w.shards {
			all.Go(func() { s.until(at) })
		}
		all.Wait()
		w.exchange()
		w.meetings(at)
		w.exchange()
		w.settleAt(at)
		if w.cfg.Second != nil && at >= second {
			if !w.cfg.Second(time.Duration(at)) {
				return
			}
			second = at + schedule.Instant(time.Second)
		}
	}
}

// exchange hands over what shards have for each other, in the same order always.
func (w *world) exchange() {
	for _, from := range w.shards {
		for to := range from.out {
			q := &w.hub
			if to < len(w.shards) {
				q = &w.shards[to].q
			}
			from.q.empty(&from.out[to], func(x timed) { q.put(x.at, x.ev) })
		}
	}
}

// meetings does what concerns several shards and was due by now.
func (w *world) meetings(now schedule.Instant) {
	for _, s := range w.shards {
		s.now = now
	}
	for {
		_, ev, ok := w.hub.take(now)
		if !ok {
			return
		}
		w.shards[0].handle(&ev)
		w.shards[0].events++
	}
}

// until does what happens in the shard up to a time.
func (s *shard) until(limit schedule.Instant) {
	for {
		at, ev, ok := s.q.take(limit)
		if !ok {
			return
		}
		s.now = at
		s.handle(&ev)
		s.events++
	}
}
