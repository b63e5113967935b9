package node

import (
	"context"
	"slices"
	"sort"
	"time"

	"coral/node/channel"
	"coral/node/hls"
	"coral/node/proxy"
	"coral/node/schedule"
	"coral/node/swarm/wire"
	"coral/store"
	"coral/store/segment"
)

const (
	// rewindMost is how far back a viewer can go in what this node has kept: the
	// entries to check it by take some 10 MiB at 4 Mbit/s.
	rewindMost = 2 * time.Hour
	// rewindEntries is how many segments back that may be, be they ever so short:
	// players read a playlist of all of them over and over.
	rewindEntries = 3600
	// rewindBytes bounds them, however many renditions and blocks there are.
	rewindBytes = 24 << 20
	// recentFor is how long live segments stay known to the scheduler, which
	// tells neighbours what is held of them and knows what they hold: what a
	// rewinding viewer can get from peers.
	recentFor = channel.DefaultWindow
	// backfillEvery is how often a peer is asked for entries from before we
	// joined, once somebody may want to go back.
	backfillEvery = 2 * time.Second
	// fillAgain is when it is asked again for the same entry.
	fillAgain = 5 * time.Second
)

// PlayerURL is where a player that shows one variant, the one that Pin says,
// finds the channel: for one viewing that begins near the newest segment. What
// the playlist behind it once held it holds for as long as that can be had, so
// that the player can seek back in it, and load it again. See
// proxy.Mount.PlayerURL for where a player must begin.
func (s *Session) PlayerURL() string { return s.PlayerURLAt(0) }

// PlayerURLAt is PlayerURL for a player that begins behind before the newest
// segment, or as far back as can be had.
func (s *Session) PlayerURLAt(behind time.Duration) string {
	if s.mount == nil {
		return ""
	}
	s.post(func() { s.rewinds = true })
	return s.mount.PlayerURL(behind)
}

// former is one entry before the live window.
type former struct {
	entry *channel.Entry
	key   store.Key
}

// History implements proxy.Channel.
func (s *Session) History(ctx context.Context, id uint16, after uint64) (*proxy.Playlist, error) {
	return await(ctx, s, func() (*proxy.Playlist, chan struct{}, error) {
		s.rewinds = true
		pl, wait, err := s.media(id, after)
		if pl != nil {
			pl = s.history(s.rendition(s.aliased(id)), pl)
		}
		return pl, wait, err
	})
}

// history is list with all that came before it.
func (s *Session) history(r *rendition, list *proxy.Playlist) *proxy.Playlist {
	if r.past != nil && r.past.Revision == list.Revision {
		return r.past
	}
	first := list.Media.Segments[0].Sequence
	s.remember(r, first)
	pl := &proxy.Playlist{Revision: list.Revision, Updated: list.Updated, Media: list.Media}
	pl.Media.Segments = nil
	if list.Media.Type != channel.VOD {
		for i, f := range r.former {
			if f.entry.Sequence >= first {
				break
			}
			seg, init := s.segmentOf(r, f.entry)
			seg.Gap = !s.reachable(&r.former[i])
			s.list(r, pl, f.entry.ID(), init, seg, f.entry.Key)
		}
	}
	m := &pl.Media
	m.Segments = append(m.Segments, list.Media.Segments...)
	pl.IDs, pl.Inits = append(pl.IDs, list.IDs...), append(pl.Inits, list.Inits...)
	pl.Keys, pl.InitKeys = append(pl.Keys, list.Keys...), append(pl.InitKeys, list.InitKeys...)
	m.Sequence, m.DiscontinuitySequence = m.Segments[0].Sequence, m.Segments[0].Before()
	r.past = pl
	return pl
}

// forgetPast has what can be had looked at anew.
func (s *Session) forgetPast() {
	for _, r := range s.renditions {
		r.past = nil
	}
}

// remember brings r.former up to date: the entries without a gap between them
// that lie directly before segment first, oldest first, rewindMost of them.
func (s *Session) remember(r *rendition, first uint64) {
	if s.feed == nil {
		return
	}
	entries := s.feed.Entries(r.id)
	end := sort.Search(len(entries), func(i int) bool { return entries[i].Sequence >= first && !entries[i].End })
	var fresh []former
	total, next := time.Duration(0), first
	for i := end - 1; i >= 0 && total < rewindMost; i-- {
		e := entries[i]
		if e.End || e.Kind != segment.Media {
			continue
		}
		if e.Sequence != next-1 {
			break
		}
		// The root of what is remembered already need not be computed again.
		f := former{entry: e}
		if k := int64(e.Sequence) - int64(r.formerFrom()); k >= 0 && k < int64(len(r.former)) && r.former[k].entry == e {
			f = r.former[k]
		} else {
			f.key = store.Key{Channel: s.key, ID: e.ID(), Root: e.Root()}
		}
		fresh = append(fresh, f)
		total += e.Duration
		next--
	}
	slices.Reverse(fresh)
	r.former = fresh
}

func (r *rendition) formerFrom() uint64 {
	if len(r.former) == 0 {
		return 0
	}
	return r.former[0].entry.Sequence
}

// reachable reports whether a segment from before the window can still be had:
// from our cache, or from neighbours. The origin is not counted on.
func (s *Session) reachable(f *former) bool {
	if o := s.objects[f.entry.ID()]; o != nil && o.whole {
		return true
	}
	return s.node.store.Has(f.key).Count() == len(f.entry.Blocks) || s.sched != nil && s.sched.Held(f.entry.ID())
}

// back is how far before the newest segment of r a player may begin.
func (s *Session) back(r *rendition) (d time.Duration) {
	if r.list == nil || len(r.list.Media.Segments) == 0 {
		return 0
	}
	for _, g := range slices.Backward(s.history(r, r.list).Media.Segments) {
		if g.Gap {
			break
		}
		d += g.Duration
	}
	return d
}

// object returns what a player may ask for, made anew if it was forgotten since;
// nil if there is none. What is gone everywhere is none: a player must hear that
// at once.
func (s *Session) object(id segment.ID) *object {
	o := s.objects[id]
	if o != nil && (o.entry == nil || o.whole) || s.feed == nil {
		return o
	}
	e := s.feed.Entry(id)
	if e == nil {
		return o
	}
	f := former{entry: e}
	if o != nil {
		f.key = o.key
	} else {
		f.key = store.Key{Channel: s.key, ID: id, Root: e.Root()}
	}
	if n := s.feed.Newest(id.Rendition); id.Kind == segment.Media && n.Type == channel.Live && !n.End && e.Sequence < n.WindowStart && !s.reachable(&f) {
		return nil
	}
	if o == nil {
		o = s.hold(e, f.key)
	}
	return o
}

// past reports whether a live segment is only kept for those who go back: the
// scheduler need not know of it.
func (o *object) past(now schedule.Instant) bool {
	return o.entry.Type == channel.Live && o.id.Kind == segment.Media && now-o.known > schedule.Instant(recentFor)
}

// fillIn asks a neighbour for what is missing of recordings and events that a
// player has asked for, and for renditions of which nothing is known: an answer is
// bounded, and does not hold all of a long recording. A helper wants all.
func (s *Session) fillIn(now schedule.Instant) {
	pr := s.presentation()
	if pr == nil || s.role == wire.Publisher {
		return
	}
	for _, r := range s.renditions {
		var index uint64
		var missing bool
		if s.feed.Newest(r.id) == nil {
			missing = slices.ContainsFunc(pr.Renditions, func(l channel.Rendition) bool { // that has segments
				return l.ID == r.id && l.Media == r.id && (l.URI != "" || pr.Single)
			})
		} else if r.sought || s.role != wire.Viewer {
			index, missing = s.feed.Missing(r.id)
		}
		if !missing || index == r.missing && now-r.missed < schedule.Instant(fillAgain) {
			continue
		}
		if s.askAny(&wire.Window{Rendition: r.id, From: index}) {
			r.missing, r.missed = index, now
		}
	}
}

// backfill asks a neighbour for the entries before those that it sent when we
// joined, as far back as neighbours know of segments.
func (s *Session) backfill(now schedule.Instant) {
	if !s.rewinds || s.feed == nil || len(s.peers) == 0 || now-s.counts.filled < schedule.Instant(backfillEvery) {
		return
	}
	s.counts.filled = now
	for _, r := range s.renditions {
		entries := s.feed.Entries(r.id)
		if !r.play.active() || len(entries) == 0 {
			continue
		}
		oldest, span, size := entries[0], time.Duration(0), 0
		for _, e := range entries {
			span += e.Duration
			size += len(e.Blocks)*len(segment.Digest{}) + recordRest
		}
		if oldest.Type != channel.Live || oldest.Index == 0 || span >= recentFor || oldest.Index == r.filled {
			continue // enough, or nobody has more
		}
		r.filled = oldest.Index
		// An answer is bounded: what we have already should hardly be in it.
		step := uint64(max(1, snapshotBytes/(size/len(entries))))
		s.askAny(&wire.Window{Rendition: r.id, From: oldest.Index - min(oldest.Index, step)})
	}
}

// recordRest is what a record takes besides its digests, roughly.
const recordRest = 320

// segmentOf describes e for a playlist, and names its init section.
func (s *Session) segmentOf(r *rendition, e *channel.Entry) (hls.Segment, segment.ID) {
	seg := hls.Segment{
		Sequence: e.Sequence, URI: e.URI, Duration: e.Duration, ProgramDateTime: e.ProgramDateTime,
		Discontinuity: e.Discontinuity, DiscontinuitySequence: e.DiscontinuitySequence,
	}
	init := segment.ID{Rendition: r.id, Kind: segment.Init, Sequence: e.Init}
	if e.HasInit {
		if ie := s.feed.Entry(init); ie != nil {
			seg.Map = &hls.Map{URI: ie.URI, Key: ie.Key}
		} else {
			seg.Map = &hls.Map{URI: "init.mp4"}
		}
	}
	return seg, init
}
