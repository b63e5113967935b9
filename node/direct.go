package node

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"log/slog"
	"slices"
	"time"

	"coral/node/channel"
	"coral/node/hls"
	"coral/node/origin"
	"coral/node/proxy"
	"coral/node/schedule"
	"coral/store/segment"
)

const (
	// directReload is the least time between two loads of one of the origin's
	// playlists; above it, players set the pace, as without Coral.
	directReload = 300 * time.Millisecond
	// directKept and directBytes bound the unverified segments kept in memory: what
	// a player may ask for again when it probes a stream before it plays it. Of the
	// largest that there may be, two.
	directKept  = 6
	directBytes = 2 * segment.MaxSize
	// directInit marks the numbers of init sections that no entry names.
	directInit = 1 << 63
)

// direct is the origin's own view of the channel, used before the feed is
// there, when it is late, and for plain playlists. Nothing of it is verified,
// stored or shared. Owned by the session's goroutine.
type direct struct {
	top          []string // the channel's playlist URLs at the origin, best first
	final        string   // where the top playlist was found, redirects followed
	loadingTop   bool
	err          error
	told         bool // of err, aloud
	presentation *channel.Presentation
	lists        map[uint16]*directList
	kept         []*object // unverified objects, oldest first
}

// directList is one rendition's playlist as the origin last gave it.
type directList struct {
	loading    bool
	at         schedule.Instant
	base       string
	validators origin.Validators
	media      *hls.Media
	err        error
}

func (d *direct) topURL() string {
	if d.final != "" {
		return d.final
	}
	if len(d.top) > 0 {
		return d.top[0]
	}
	return ""
}

func (d *direct) base(id uint16) string {
	if l := d.lists[id]; l != nil {
		return l.base
	}
	return ""
}

// loadTop begins to load the channel's playlist from the origin. It returns an
// error if that has failed and nothing else can bring a presentation.
func (s *Session) loadTop() error {
	d := s.direct
	if len(d.top) == 0 {
		if s.swarm == nil {
			return errNoSource
		}
		return nil // the feed will tell
	}
	if d.loadingTop {
		return nil
	}
	if d.err != nil && s.swarm == nil {
		err := d.err
		d.err = nil // the next request tries again
		return unavailable(err)
	}
	d.loadingTop, d.err = true, nil
	urls := d.top
	s.children.Go(func() {
		var body []byte
		var final string
		var err error
		for _, u := range urls {
			if body, final, _, err = s.origin.Playlist(s.ctx, u, nil); err == nil {
				break
			}
		}
		var mv *hls.Multivariant
		var m *hls.Media
		if err == nil {
			mv, m, err = hls.Parse(body)
		}
		s.post(func() { s.loadedTop(final, mv, m, err) })
	})
	return nil
}

var errNoSource = fmt.Errorf("%w: this channel is for sharing viewers only (it names no origin)", proxy.ErrUnavailable)

func (s *Session) loadedTop(final string, mv *hls.Multivariant, m *hls.Media, err error) {
	d := s.direct
	d.loadingTop, d.err = false, err
	if err != nil {
		s.log.Log(s.ctx, aloudOnce(!d.told), "origin's playlist failed", "err", err)
		d.told = true
		s.renewPresentation()
		return
	}
	d.final, d.told = final, false
	switch {
	case mv != nil:
		d.presentation = &channel.Presentation{IndependentSegments: mv.IndependentSegments, Renditions: mv.Renditions}
		if len(mv.Renditions) == 1 { // there is no doubt which one comes next
			_ = s.loadMedia(s.rendition(mv.Renditions[0].ID))
		}
	default:
		d.presentation = &channel.Presentation{Single: true, Renditions: []channel.Rendition{{}}}
		l := s.directList(d.presentation.Renditions[0].ID)
		l.base, l.media, l.at = final, m, s.instant()
		s.rendition(d.presentation.Renditions[0].ID).renew()
	}
	s.allow()
	s.renewPresentation()
}

// renewPresentation tells those who wait for the presentation to look again.
func (s *Session) renewPresentation() {
	close(s.present)
	s.present = make(chan struct{})
}

func (s *Session) directList(id uint16) *directList {
	l := s.direct.lists[id]
	if l == nil {
		l = &directList{}
		s.direct.lists[id] = l
	}
	return l
}

// loadMedia begins to load r's playlist from the origin, if it may be newer by
// now. It returns an error if that failed and r has nothing to show.
func (s *Session) loadMedia(r *rendition) error {
	l := s.directList(r.id)
	now := s.instant()
	if l.loading || l.media != nil && l.media.Ended || l.at != 0 && now-l.at < schedule.Instant(directReload) {
		if l.err != nil && r.list == nil && s.swarm == nil && !l.loading {
			return unavailable(l.err)
		}
		return nil
	}
	u := s.playlistURL(r.id)
	if u == "" {
		return nil
	}
	l.loading, l.at = true, now
	s.log.Debug("playlist asked of the origin", "rendition", r.id)
	v := l.validators
	s.children.Go(func() {
		body, final, same, err := s.origin.Playlist(s.ctx, u, &v)
		var m *hls.Media
		if err == nil && !same {
			if _, m, err = hls.Parse(body); err == nil && m == nil {
				err = errors.New("playlist of a rendition is a multivariant playlist")
			}
		}
		s.post(func() { s.loadedMedia(r, final, m, v, err) })
	})
	return nil
}

func (s *Session) loadedMedia(r *rendition, final string, m *hls.Media, v origin.Validators, err error) {
	l := s.directList(r.id)
	first := l.err == nil
	l.loading, l.at, l.err, l.validators = false, s.instant(), err, v
	switch {
	case err != nil:
		s.log.Log(s.ctx, aloudOnce(first), "origin's playlist failed", "rendition", r.id, "err", err)
		r.wake()
	case m != nil:
		changed := l.media == nil || l.media.Ended != m.Ended || len(l.media.Segments) != len(m.Segments) ||
			len(m.Segments) > 0 && l.media.Segments[len(m.Segments)-1].Sequence != m.Segments[len(m.Segments)-1].Sequence
		l.media, l.base = m, final
		if changed {
			r.renew()
			s.extendViewings()
		}
	}
}

// aloudOnce is the level of a failure: who watches hears of the first one, not of
// each repetition until it is mended.
func aloudOnce(first bool) slog.Level {
	if first {
		return slog.LevelWarn
	}
	return slog.LevelInfo
}

// offset is what must be added to the origin's media sequence numbers to get
// the feed's: 0 unless the origin has begun anew since the channel began.
func (s *Session) offset(r *rendition, m *hls.Media) uint64 {
	if s.feed == nil {
		return 0
	}
	entries := s.feed.Entries(r.id)
	for i := len(entries) - 1; i >= 0 && i >= len(entries)-64; i-- {
		e := entries[i]
		if e.End || e.Kind != segment.Media {
			continue
		}
		for j := len(m.Segments) - 1; j >= 0; j-- {
			if g := &m.Segments[j]; g.URI == e.URI && g.Ranged == e.Ranged && g.Offset == e.Offset {
				return e.Sequence - g.Sequence
			}
		}
	}
	return 0
}

// unverified adds to pl what r's own playlist at the origin has past it.
func (s *Session) unverified(r *rendition, pl *proxy.Playlist) {
	l := s.direct.lists[r.id]
	if l == nil || l.media == nil || s.feedServes(r) && len(pl.IDs) > 0 && !s.behind(r) {
		return
	}
	src, m := l.media, &pl.Media
	off := s.offset(r, src)
	next := uint64(0)
	if n := len(m.Segments); n > 0 {
		next = m.Segments[n-1].Sequence + 1
		if len(src.Segments) > 0 && src.Segments[0].Sequence+off > next { // the origin has moved on
			m.Segments, pl.IDs, pl.Inits, pl.Keys, pl.InitKeys = nil, nil, nil, nil, nil
		}
	} else {
		m.IndependentSegments = src.IndependentSegments
	}
	m.Type, m.Target, m.Ended = src.Type, max(m.Target, src.Target), src.Ended
	m.HoldBack = src.HoldBack
	for _, g := range src.Segments {
		key := g.Key
		uri := g.URI
		g.Sequence += off
		if g.Sequence < next || uri == "" {
			continue
		}
		if !s.overdue(r, g.Sequence) {
			break // it is left to the publisher still
		}
		id := segment.ID{Rendition: r.id, Kind: segment.Media, Sequence: g.Sequence}
		var init segment.ID
		if g.Map != nil {
			init = segment.ID{Rendition: r.id, Kind: segment.Init, Sequence: directInitNumber(g.Map)}
		}
		s.list(r, pl, id, init, g, key)
	}
}

// directInitNumber numbers an init section that no entry names by where it is.
func directInitNumber(m *hls.Map) uint64 {
	h := fnv.New64a()
	io.WriteString(h, m.URI)
	var b [16]byte
	binary.BigEndian.PutUint64(b[:], uint64(m.Offset))
	binary.BigEndian.PutUint64(b[8:], uint64(m.Length))
	h.Write(b[:])
	return h.Sum64() | directInit
}

// pastFeed reports whether the feed, which serves r, has gone past that segment: the
// origin's playlist, which was read before, may still name it.
func (s *Session) pastFeed(r *rendition, id segment.ID) bool {
	return id.Kind == segment.Media && s.feedServes(r) && !s.behind(r) && id.Sequence <= s.feed.Newest(r.id).Sequence
}

// openDirect begins to fetch a segment that only the origin's own playlist
// names; nil if it does not.
func (s *Session) openDirect(r *rendition, id segment.ID) *object {
	l := s.direct.lists[r.id]
	if l == nil || l.media == nil || s.pastFeed(r, id) {
		return nil
	}
	off := s.offset(r, l.media)
	for _, g := range l.media.Segments {
		uri, base, length := g.URI, g.Offset, g.Length
		ranged := g.Ranged
		switch {
		case id.Kind == segment.Media && g.Sequence+off == id.Sequence:
		case id.Kind == segment.Init && g.Map != nil && directInitNumber(g.Map) == id.Sequence:
			uri, base, length, ranged = g.Map.URI, g.Map.Offset, g.Map.Length, g.Map.Ranged
		default:
			continue
		}
		u := resolve(l.base, uri)
		if u == "" {
			return nil
		}
		o := newObject(id, u)
		if ranged {
			if length <= 0 || length > segment.MaxSize {
				return nil
			}
			o.size = int(length)
		} else {
			base = 0
		}
		s.objects[id] = o
		s.keepDirect(o)
		s.ownTickets++
		o.fetch = ownTicket | s.ownTickets
		s.startFetch(o.fetch, o, base, 0, -1)
		return o
	}
	return nil
}

// keepDirect bounds how many unverified objects are in memory.
func (s *Session) keepDirect(o *object) {
	d := s.direct
	d.kept = slices.DeleteFunc(d.kept, func(k *object) bool { return k.entry != nil })
	d.kept = append(d.kept, o)
	size := 0
	for _, k := range d.kept {
		size += k.weight()
	}
	for i := 0; (len(d.kept) > directKept || size > directBytes) && i < len(d.kept)-1; {
		if k := d.kept[i]; k.readers > 0 || k.fetch != 0 {
			i++
		} else {
			size -= k.weight()
			s.dropDirect(k)
		}
	}
}

func (s *Session) dropDirect(o *object) {
	s.direct.kept = slices.DeleteFunc(s.direct.kept, func(k *object) bool { return k == o })
	if s.objects[o.id] == o && o.entry == nil {
		delete(s.objects, o.id)
	}
}

// readKey fetches a key from the origin, once.
func (s *Session) readKey(ctx context.Context, u string) ([]byte, error) {
	var b []byte
	if err := s.do(ctx, func() { b = s.keyBytes[u] }); err != nil || b != nil {
		return b, err
	}
	body, err := s.origin.Get(ctx, u, 0, -1)
	if err != nil {
		return nil, unavailable(err)
	}
	defer body.Close()
	b, err = io.ReadAll(io.LimitReader(body, maxKey+1))
	if err != nil {
		return nil, unavailable(err)
	}
	if len(b) == 0 || len(b) > maxKey {
		return nil, unavailable(fmt.Errorf("key at the origin has %d bytes", len(b)))
	}
	s.post(func() {
		if len(s.keyBytes) < maxKeys {
			s.keyBytes[u] = b
		}
	})
	return b, nil
}

// maxKeys bounds the keys remembered: a channel that rotates them each minute
// for two hours.
const maxKeys = 128
