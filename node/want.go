package node

import (
	"fmt"
	"slices"
	"sort"
	"time"

	"coral/node/channel"
	"coral/node/proxy"
	"coral/node/schedule"
	"coral/node/swarm/wire"
	"coral/store/segment"
)

// rewant tells the scheduler which segments of r are needed when: those that a
// player waits for, and those ahead of it. A helper wants all, some time.
func (s *Session) rewant(r *rendition, now schedule.Instant) {
	if s.sched == nil {
		return
	}
	entries := s.feed.Entries(r.id)
	var want []*object
	if r.play.active() && len(entries) > 0 {
		want = s.ahead(r, entries, now)
	}
	for _, o := range r.wanted {
		switch {
		case !o.wanted || slices.Contains(want, o):
		case o.readers > 0 && !o.whole && !s.hopeless(o, r, now):
			want = append(want, o) // a player stands there, wherever its clock is taken to be
		default:
			o.wanted = false
			s.unpin(o)
			s.step(schedule.Unwant{ID: o.id})
		}
	}
	for _, o := range want {
		o.wanted = true
		if o.asked == 0 {
			o.asked = now
		}
		if o.unpin == nil {
			o.unpin = s.node.store.Pin(o.key)
		}
		if !o.whole {
			s.step(schedule.Want{ID: o.id, Due: o.due})
		}
	}
	r.wanted = want
}

// hopeless reports whether a segment that a player waits for has left the live
// window and nothing more comes of it. The player is then told to go on without:
// it would wait for ever.
func (s *Session) hopeless(o *object, r *rendition, now schedule.Instant) bool {
	n := s.feed.Newest(r.id)
	if n == nil || n.Type != channel.Live || n.End || o.id.Sequence >= n.WindowStart || o.id.Kind != segment.Media {
		return false
	}
	if now-o.moved < schedule.Instant(max(hopelessMin, hopelessTargets*r.play.target)) {
		return false
	}
	s.log.Info("segment given up", "id", o.id.String())
	o.fail(fmt.Errorf("%w: %v left the window and nobody has it", proxy.ErrUnavailable, o.id))
	return true
}

// A segment is hopeless when no block of it came for so many target durations.
const (
	hopelessTargets = 2
	hopelessMin     = 3 * time.Second
)

// ahead lists what the player of r needs next, with due times set.
func (s *Session) ahead(r *rendition, entries []*channel.Entry, now schedule.Instant) (want []*object) {
	p := &r.play
	i := sort.Search(len(entries), func(i int) bool { return entries[i].Sequence >= p.from })
	var due schedule.Instant
	first := true
	for ; i < len(entries); i++ {
		e := entries[i]
		if e.Kind != segment.Media || e.End {
			continue
		}
		if first {
			if e.Sequence > p.from { // the playhead fell out of the window
				p.from, p.begin, p.next = e.Sequence, max(p.begin, now), max(p.next, e.Sequence)
			}
			if p.played(now, e.Duration) {
				continue
			}
			due, first = p.begin, false
		}
		if time.Duration(due-now) > aheadOf || r.end != 0 && e.Sequence >= r.end {
			break
		}
		o := s.object(e.ID())
		if o == nil {
			continue
		}
		if o.readers > 0 || e.Sequence >= p.next {
			o.due = due
			if e.HasInit {
				if init := s.objects[segment.ID{Rendition: r.id, Kind: segment.Init, Sequence: e.Init}]; init != nil && !slices.Contains(want, init) {
					init.due = due
					want = append(want, init)
				}
			}
			want = append(want, o)
		}
		if !o.whole {
			due = max(due, now) // the player waits here: what follows plays later
		}
		due += schedule.Instant(e.Duration)
	}
	return want
}

func (s *Session) unpin(o *object) {
	if o.unpin != nil {
		o.unpin()
		o.unpin = nil
	}
}

// whole notes that an object may have become complete.
func (s *Session) whole(o *object) {
	if o.whole || !o.complete() {
		return
	}
	o.whole = true
	now := s.instant()
	if o.readers > 0 || o.wanted {
		s.log.Debug("segment whole", "id", o.id.String(), "early", time.Duration(o.due-now).Round(time.Millisecond), "cache", o.got[fromCache], "peers", o.got[fromPeers], "origin", o.got[fromOrigin])
	}
	if o.entry != nil && o.id.Kind == segment.Media && s.role == wire.Viewer {
		s.counts.whole(o)
	}
	if o.id.Kind != segment.Media {
		return
	}
	if o.readers > 0 && s.counts.startup == 0 {
		s.counts.startup = now
	}
	s.measure(o, now)
	if r := s.renditions[o.id.Rendition]; r != nil && r.play.active() {
		r.play.arrived(now, o.id.Sequence, o.due)
	}
}

// release ends one player's interest in o.
func (s *Session) release(o *object) {
	o.readers--
	if o.readers == 0 && o.entry != nil && !o.whole {
		o.fail(nil) // who asks next may have more luck
	}
	if r := s.renditions[o.id.Rendition]; r != nil && o.readers == 0 {
		s.rewant(r, s.instant())
	}
}

// keepHouse looks after what no event tells: players that left, and segments
// that fell out of the feed's window.
func (s *Session) keepHouse(now schedule.Instant) {
	s.extendViewings() // what is late is waited for no longer
	for _, r := range s.renditions {
		if r.play.gone(now) {
			r.play = playback{target: r.play.target}
		}
		s.rewant(r, now)
	}
	s.behave()
	s.askAgain()
	s.tellWatching()
	s.fillIn(now)
	s.backfill(now)
	s.sampleTraffic(now)
	s.watchLine(now)
	s.count()
	if now-s.counts.swept > schedule.Instant(sweepEvery) {
		s.counts.swept = now
		s.sweep(now)
	}
}

// count tells the scheduler how many viewers there seem to be.
func (s *Session) count() {
	if s.swarm == nil || s.sched == nil {
		return
	}
	if s.counts.saw(s.swarm.Size()-s.publishers(), s.instant()) {
		s.step(schedule.Estimate{N: s.counts.size})
		for _, r := range s.renditions {
			s.noteRoom(r)
		}
	}
}

// lastingFor is how long viewers count who are not seen any more.
const lastingFor = time.Minute

// saw notes that n viewers are seen, and reports whether size changes: it falls only after
// a while. Who loses all neighbours would else take itself to be alone at the origin, and
// if they have lost it, too, so would they all.
func (c *counts) saw(n int, now schedule.Instant) bool {
	if n >= c.size {
		c.sized = now
	}
	if n == c.size || n < c.size && now-c.sized < schedule.Instant(lastingFor) {
		return false
	}
	c.size, c.sized = n, now
	return true
}

// publishers is how many of the peers are one.
func (s *Session) publishers() (n int) {
	for _, p := range s.peers {
		if p.hello.Role == wire.Publisher {
			n++
		}
	}
	return n
}

// sweepEvery is how often segments that left the window are forgotten.
const sweepEvery = 5 * time.Second

func (s *Session) sweep(now schedule.Instant) {
	for id, o := range s.objects {
		if o.readers > 0 || o.wanted || o.fetch != 0 {
			continue
		}
		if o.entry == nil {
			s.dropDirect(o)
		} else if s.feed.Entry(id) == nil || o.past(now) && s.role == wire.Viewer {
			delete(s.objects, id)
			s.step(schedule.Forget{ID: id})
		}
	}
}

// tellWatching tells the neighbours when what is watched here has changed.
func (s *Session) tellWatching() {
	if s.swarm == nil {
		return
	}
	w := s.watches()
	if slices.Equal(w, s.watching) {
		return
	}
	s.watching = w
	s.swarm.SetWatching(w)
}

// watches lists the renditions whose segments are wanted here: first a variant
// that is gone on with, which neighbours follow; one that was left is still wanted
// until it has been played.
func (s *Session) watches() []uint16 {
	var w []uint16
	for id, r := range s.renditions {
		if s.role == wire.Helper || s.role == wire.Viewer && r.play.active() {
			w = append(w, id)
		}
	}
	slices.Sort(w)
	for _, v := range s.viewings {
		if i := slices.Index(w, v.at); i > 0 {
			w = slices.Insert(slices.Delete(w, i, i+1), 0, v.at)
		}
	}
	return w
}
