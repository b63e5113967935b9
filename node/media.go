package node

import (
	"context"
	"fmt"
	"hash/maphash"
	"net/url"
	"slices"
	"time"

	"coral/node/channel"
	"coral/node/hls"
	"coral/node/proxy"
	"coral/node/schedule"
	"coral/store/segment"
)

const (
	// A live rendition's feed is late when it has been silent for lateTargets
	// target durations and lateSlack more: by then a player that keeps three
	// target durations of media has one and a half left, enough to load the
	// origin's own playlist and a segment.
	lateTargets = 1.25
	lateSlack   = time.Second
	// farAhead is how many segments past the feed are told of one by one at most.
	farAhead = 8
	// gapPatience is how long a missing entry is waited for before the playlist
	// goes on without it.
	gapPatience = 2 * time.Second
	// recordingPatience is how long all entries of a recording are waited for before
	// players are shown those that have come.
	recordingPatience = 5 * time.Second
	// maxKey bounds what the origin may send as a key (AES-128 has 16 bytes).
	maxKey = 1 << 10
)

// Name returns the channel's name.
func (s *Session) Name() string { return *s.name.Load() }

// Multivariant implements proxy.Channel.
func (s *Session) Multivariant(ctx context.Context) (*channel.Presentation, error) {
	return await(ctx, s, func() (pr *channel.Presentation, wait chan struct{}, err error) {
		if pr = s.shown(); pr == nil {
			err = s.loadTop()
		}
		return pr, s.present, err
	})
}

// shown is the presentation that players are given, or nil.
func (s *Session) shown() *channel.Presentation {
	if pr := s.presentation(); pr != nil {
		return pr
	}
	return s.direct.presentation
}

// Media implements proxy.Channel.
func (s *Session) Media(ctx context.Context, id uint16, after uint64) (*proxy.Playlist, error) {
	return await(ctx, s, func() (*proxy.Playlist, chan struct{}, error) { return s.media(id, after) })
}

// media is Media for await.
func (s *Session) media(id uint16, after uint64) (*proxy.Playlist, chan struct{}, error) {
	if !s.hasRendition(id) {
		return nil, nil, proxy.ErrNotFound
	}
	r := s.rendition(s.aliased(id))
	var err error
	if !s.feedServes(r) || s.behind(r) && s.overdue(r, r.shown+1) {
		err = s.loadMedia(r)
	}
	if r.revision > after && (r.list != nil || s.rebuild(r)) {
		return r.list, nil, nil
	}
	return nil, r.changed, err
}

// await asks the session's goroutine with get until it gives a result or an
// error, each time that the channel it names is closed.
func await[T any](ctx context.Context, s *Session, get func() (*T, chan struct{}, error)) (v *T, err error) {
	for {
		var wait chan struct{}
		if err := s.do(ctx, func() { v, wait, err = get() }); err != nil {
			return nil, err
		}
		if v != nil || err != nil {
			return v, err
		}
		select {
		case <-wait:
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-s.done:
			return nil, ErrClosed
		}
	}
}

// rendition returns what is known of a rendition, made on first use.
func (s *Session) rendition(id uint16) *rendition {
	r := s.renditions[id]
	if r == nil {
		r = &rendition{id: id, changed: make(chan struct{})}
		s.renditions[id] = r
	}
	return r
}

// renew tells those who wait for r's playlist that it has changed.
func (r *rendition) renew() {
	r.revision++
	r.list = nil
	r.updated = time.Now()
	r.wake()
}

// wake has those who wait for r's playlist look again.
func (r *rendition) wake() {
	close(r.changed)
	r.changed = make(chan struct{})
}

// hasRendition reports whether a playlist that players were given names id.
func (s *Session) hasRendition(id uint16) bool {
	named := func(pr *channel.Presentation) bool {
		return pr != nil && slices.ContainsFunc(pr.Renditions, func(r channel.Rendition) bool { return r.ID == id })
	}
	return s.feed != nil && named(s.feed.Presentation()) || named(s.direct.presentation)
}

// feedServes reports whether the feed, not the origin's own playlist, is what
// r's playlist is made from now.
func (s *Session) feedServes(r *rendition) bool {
	if s.feed == nil {
		return false
	}
	n := s.feed.Newest(r.id)
	if n == nil {
		return false
	}
	if n.End || n.Type == channel.VOD || s.playlistURL(r.id) == "" {
		return true
	}
	return !s.overdue(r, n.Sequence+1)
}

// overdue reports whether segment n of r shall be had as the origin's own playlist
// tells of it, since the feed should have told by now, or players should have seen
// more by now than the feed tells.
func (s *Session) overdue(r *rendition, n uint64) bool {
	if s.feed == nil || s.swarm == nil {
		return true // nothing will come of it
	}
	e := s.feed.Newest(r.id)
	if e == nil || n <= r.shown {
		return true
	}
	late := func(last uint64, since schedule.Instant) bool {
		limit := time.Duration(lateTargets*float64(e.Target)) + lateSlack + s.patience(r, e, n, last)
		return time.Duration(s.instant()-since) > limit
	}
	return late(e.Sequence, r.newest) || r.shown > e.Sequence && late(r.shown, r.grew)
}

// patience is how long segment n of r is left to the publisher beyond that, if last
// came in time: viewers take turns, so that together they ask for no more than half of
// what the publisher's reading leaves of the origin's line. Where it is narrow, their
// asking is what keeps the publisher from reading. Nobody waits for a publisher that is
// not there.
func (s *Session) patience(r *rendition, newest *channel.Entry, n, last uint64) time.Duration {
	if newest.Took == 0 || s.publishers() == 0 {
		return 0
	}
	viewers := max(s.counts.size, len(s.peers))
	ahead := min(int64(n-last)-1, farAhead) // the origin's numbers may have jumped
	took := min(time.Duration(float64(newest.Took)/schedule.Beside(newest.Took, newest.Duration)), time.Minute)
	return time.Duration(ahead)*newest.Target + turn(s.swarm.Self(), segment.ID{Rendition: r.id, Sequence: n}, viewers, took)
}

// turn is when a viewer's turn comes to fetch id, which takes so long: at random,
// and so spread that of all viewers one begins in that time.
func turn(viewer [20]byte, id segment.ID, viewers int, took time.Duration) time.Duration {
	type place struct {
		viewer [20]byte
		id     segment.ID
	}
	at := float64(maphash.Comparable(places, place{viewer, id})>>11) / (1 << 53)
	return time.Duration(at * float64(viewers) * float64(took))
}

var places = maphash.MakeSeed()

// behind reports whether players know more of r than the feed tells: a publisher
// that was away has still to catch up with the origin.
func (s *Session) behind(r *rendition) bool {
	if s.feed == nil {
		return false
	}
	for _, e := range slices.Backward(s.feed.Entries(r.id)) {
		if e.End || e.Kind == segment.Media {
			return !e.End && e.Sequence < r.shown
		}
	}
	return false
}

// rebuild makes r's playlist anew: what the feed has verified and, past that,
// what only the origin's own playlist tells. It reports whether there is any.
func (s *Session) rebuild(r *rendition) bool {
	r.sought = true
	pl := &proxy.Playlist{Revision: r.revision, Updated: r.updated}
	if s.feed != nil {
		if s.arriving(r) {
			return false
		}
		s.verified(r, pl)
	}
	s.unverified(r, pl)
	if len(pl.IDs) == 0 {
		return false
	}
	s.keepBack(r, pl)
	m := &pl.Media
	m.Sequence, m.DiscontinuitySequence = m.Segments[0].Sequence, m.Segments[0].Before()
	if last := m.Segments[len(m.Segments)-1].Sequence; last != r.shown {
		r.shown, r.grew = last, s.instant()
	}
	r.play.target = m.Target
	r.list = pl
	return true
}

// arriving reports whether more of a recording's entries are about to come: players
// take one that has no end for live, and begin near what is the end then.
func (s *Session) arriving(r *rendition) bool {
	n := s.feed.Newest(r.id)
	if n == nil || n.Type != channel.VOD || s.instant()-r.first > schedule.Instant(recordingPatience) {
		return false
	}
	_, missing := s.feed.Missing(r.id)
	return missing
}

// verified lists the window that the newest entry names.
func (s *Session) verified(r *rendition, pl *proxy.Playlist) {
	entries := s.feed.Entries(r.id)
	if len(entries) == 0 {
		return
	}
	newest := entries[len(entries)-1]
	m := &pl.Media
	m.Type, m.Target = newest.Type, newest.Target
	if pr := s.feed.Presentation(); pr != nil {
		m.IndependentSegments = pr.IndependentSegments
	}
	now := s.instant()
	for _, e := range entries {
		if e.End {
			m.Ended = true
			continue
		}
		if e.Kind != segment.Media || newest.Type == channel.Live && !newest.End && e.Sequence < newest.WindowStart {
			continue
		}
		m.Ended = false // the origin went on after all
		if n := len(m.Segments); n > 0 && e.Sequence != m.Segments[n-1].Sequence+1 {
			if o := s.objects[e.ID()]; o != nil && now-o.known < schedule.Instant(gapPatience) {
				return // the missing one may still come
			}
			m.Segments, pl.IDs, pl.Inits, pl.Keys, pl.InitKeys = nil, nil, nil, nil, nil
		}
		seg, init := s.segmentOf(r, e)
		s.list(r, pl, e.ID(), init, seg, e.Key)
	}
}

// list appends one segment to a playlist.
func (s *Session) list(r *rendition, pl *proxy.Playlist, id, init segment.ID, seg hls.Segment, key *channel.Key) {
	seg.Key = key
	pl.Media.Segments = append(pl.Media.Segments, seg)
	pl.IDs = append(pl.IDs, id)
	pl.Inits = append(pl.Inits, init)
	pl.Keys = append(pl.Keys, s.keyNumber(r, key))
	var initKey *channel.Key
	if seg.Map != nil {
		initKey = seg.Map.Key
	}
	pl.InitKeys = append(pl.InitKeys, s.keyNumber(r, initKey))
}

// keyNumber is what Key fetches a key by; -1 if it is none of ours to fetch.
func (s *Session) keyNumber(r *rendition, key *channel.Key) int {
	if key == nil || s.resolve(r.id, key.URI) == "" {
		return -1
	}
	// The IV is not what is fetched: without this, every segment would have a
	// number of its own.
	n := slices.Index(r.keys, key.URI)
	if n < 0 {
		n = len(r.keys)
		r.keys = append(r.keys, key.URI)
	}
	return n
}

// feedSoon reports whether a player that asks for a segment before the feed is there
// shall wait for it: others have that segment, and with the feed, which tells what the
// origin's line carries, too, they can be asked. Nobody waits for longer than feedWait.
func (s *Session) feedSoon(r *rendition, now schedule.Instant) bool {
	if s.sched == nil || s.counts.size <= 2 || s.feed.Newest(r.id) != nil {
		return false // a publisher and this viewer are two
	}
	if r.feedWait == 0 {
		r.feedWait = now
		time.AfterFunc(feedWait, func() { s.post(r.wake) })
	}
	return now < r.feedWait+schedule.Instant(feedWait)
}

// feedWait is some round trips: as a rule the feed is there a few milliseconds after a
// player has read the origin's playlist and asks for its first segment.
const feedWait = 150 * time.Millisecond

// Open implements proxy.Channel.
func (s *Session) Open(ctx context.Context, id segment.ID) (proxy.Object, error) {
	r, err := await(ctx, s, func() (*reader, chan struct{}, error) {
		id.Rendition = s.aliased(id.Rendition)
		now := s.instant()
		r := s.renditions[id.Rendition]
		if r == nil {
			return nil, nil, proxy.ErrNotFound
		}
		o := s.object(id)
		if o == nil {
			if s.feedSoon(r, now) {
				return nil, r.changed, nil
			}
			if o = s.openDirect(r, id); o == nil {
				return nil, nil, proxy.ErrNotFound
			}
		}
		if o.readers++; o.readers == 1 {
			o.moved = now
		}
		if o.asked == 0 {
			o.asked = now
		}
		if id.Kind == segment.Media {
			again := o.shown
			o.shown = true
			r.play.asked(now, id.Sequence)
			if o.entry == nil {
				o.due = now + schedule.Instant(s.slack(r, id.Sequence))
			}
			if o.whole {
				if again { // by now it is the cache that gives it
					s.traffic.again += int64(o.size)
				}
				if s.counts.startup == 0 {
					s.counts.startup = now
				}
			}
		}
		if o.entry != nil {
			if o.due == 0 || id.Kind == segment.Init {
				o.due = now
			}
			s.rewant(r, now)
			if !o.whole && !o.wanted { // outside what the player's clock explains
				o.wanted, o.due = true, now
				r.wanted = append(r.wanted, o)
				s.rewant(r, now)
			}
		}
		s.tellWatching()
		return &reader{s: s, o: o}, nil, nil
	})
	if err != nil {
		return nil, err
	}
	return r, nil
}

// Key implements proxy.Channel. Keys come from the origin only, never from peers.
func (s *Session) Key(ctx context.Context, id uint16, n int) ([]byte, error) {
	var u string
	if err := s.do(ctx, func() {
		if r := s.renditions[s.aliased(id)]; r != nil && n >= 0 && n < len(r.keys) {
			u = s.resolve(r.id, r.keys[n])
		}
	}); err != nil {
		return nil, err
	}
	if u == "" {
		return nil, proxy.ErrNotFound
	}
	return s.readKey(ctx, u)
}

// playlistURL is where the origin has a rendition's playlist; "" if it does not.
func (s *Session) playlistURL(id uint16) string {
	top := s.direct.topURL()
	if top == "" {
		return ""
	}
	pr := s.direct.presentation
	if s.feed != nil && s.feed.Presentation() != nil {
		pr = s.feed.Presentation()
	}
	if pr == nil {
		return ""
	}
	if pr.Single {
		return top
	}
	for _, r := range pr.Renditions {
		if r.ID == id {
			return resolve(top, r.URI)
		}
	}
	return ""
}

// resolve makes a URI of a rendition's playlist absolute; "" if it cannot be
// had over HTTP.
func (s *Session) resolve(id uint16, uri string) string {
	base := s.direct.base(id)
	if base == "" {
		base = s.playlistURL(id)
	}
	if base == "" {
		if u, err := url.Parse(uri); err == nil && (u.Scheme == "http" || u.Scheme == "https") {
			return uri
		}
		return ""
	}
	return resolve(base, uri)
}

func (s *Session) entryURL(e *channel.Entry) string { return s.resolve(e.Rendition, e.URI) }

// resolve makes uri absolute against base; "" unless the result is http(s).
func resolve(base, uri string) string {
	b, err := url.Parse(base)
	if err != nil {
		return ""
	}
	u, err := b.Parse(uri)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" {
		return ""
	}
	return u.String()
}

// unavailable says to the proxy that a retry may help.
func unavailable(err error) error { return fmt.Errorf("%w: %v", proxy.ErrUnavailable, err) }
