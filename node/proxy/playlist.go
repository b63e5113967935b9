package proxy

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"coral/node/channel"
	"coral/node/hls"
)

const (
	// maxHold is the longest that a playlist which has not changed is held back.
	// Longer would block a player that reads playlists and segments in one thread
	// (FFmpeg's demuxer) for too much of its buffer.
	maxHold = time.Second
	// probeGrace: players that open a media playlist first to see what it is, then
	// again to play it, must not be held the second time.
	probeGrace = 200 * time.Millisecond
	// maxPlayers bounds what is remembered of players; the one not heard of for
	// longest is forgotten, and at worst not held once.
	maxPlayers = 256
	// alignEvery bounds how often a player is held though there is news for it,
	// see align.
	alignEvery = 30 * time.Second
	// maxAlign is the longest that it is held then.
	maxAlign = 3 * time.Second
)

// playerKey names one player's interest in one rendition. Players that came by a
// multivariant playlist carry a number in their URL; where the channel has none,
// they are told apart by their connection.
type playerKey struct {
	player    uint64
	byConn    bool // player is a connection's number
	what      what // of which playlists
	rendition uint16
}

// seen is what a player was last given.
type seen struct {
	revision uint64
	next     uint64    // one past the newest segment it knows
	first    time.Time // when it was first given one
	last     time.Time
	aligned  time.Time // when it was last held by align
}

// written is a playlist and its text, made once for all players.
type written struct {
	*Playlist
	body []byte
}

// next is one past the newest segment listed.
func (w *written) next() uint64 { return w.Media.Sequence + uint64(len(w.Media.Segments)) }

// serveMaster answers with the channel for a player that shows what it is told
// to: one variant, whose segments are each of the quality that was chosen for it.
func (m *Mount) serveMaster(w http.ResponseWriter, r *http.Request) {
	p, err := m.newestPresentation(r.Context())
	if err != nil {
		m.fail(w, r, err)
		return
	}
	if p.Single {
		conn, _ := r.Context().Value(connKey{}).(uint64)
		list := listKey{rendition: mediaOf(&p.Renditions[0])}
		m.servePlaylist(w, r, list, playerKey{player: conn, byConn: true, what: whatMedia, rendition: list.rendition})
		return
	}
	if !slices.ContainsFunc(p.Renditions, func(r channel.Rendition) bool { return r.Kind == channel.Variant && r.URI != "" }) {
		m.sendMultivariant(w, r, p, route{what: whatMedia}, whatMedia)
		return
	}
	m.mu.Lock()
	view := m.newView(false)
	m.mu.Unlock()
	m.serveChosen(w, r, view, whatLive, true)
}

// serveVariants answers with the multivariant playlist for a player that chooses
// for itself.
func (m *Mount) serveVariants(w http.ResponseWriter, r *http.Request) {
	p, err := m.newestPresentation(r.Context())
	switch {
	case err != nil:
		m.fail(w, r, err)
	case p.Single:
		m.serveMaster(w, r)
	default:
		m.sendMultivariant(w, r, p, route{what: whatMedia}, whatMedia)
	}
}

// sendMultivariant answers with p for one more player: the media playlists are
// at to, but for the rendition, and the variants' are a variant.
func (m *Mount) sendMultivariant(w http.ResponseWriter, r *http.Request, p *channel.Presentation, to route, variant what) {
	m.mu.Lock()
	m.lastPlayer++
	to.player = m.lastPlayer
	m.mu.Unlock()
	m.stats.playlists.Add(1)
	m.sendWhole(w, r, typePlaylist, writeMultivariant(p, func(r *channel.Rendition) route {
		to := to
		to.rendition = mediaOf(r)
		if r.Kind == channel.Variant {
			to.what = variant
		}
		return to
	}))
}

// newestPresentation returns what the session knows now, or what it knew last.
func (m *Mount) newestPresentation(ctx context.Context) (*channel.Presentation, error) {
	m.mu.Lock()
	known := m.presentation
	m.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, holdFor(known != nil))
	defer cancel()
	p, err := m.channel.Multivariant(ctx)
	if err == nil && (p == nil || len(p.Renditions) == 0) {
		err = ErrUnavailable
	}
	if err != nil {
		if known != nil {
			return known, nil
		}
		return nil, err
	}
	m.mu.Lock()
	m.presentation = p
	m.mu.Unlock()
	return p, nil
}

func holdFor(known bool) time.Duration {
	if known {
		return maxHold // the session should answer at once; if it does not, we do
	}
	return firstHold
}

// mediaOf is the rendition whose segments r plays: another one's, where two
// lines of the source's multivariant playlist name the same media playlist.
func mediaOf(r *channel.Rendition) uint16 { return r.Media }

// writeMultivariant writes p with the media playlists where to says.
func writeMultivariant(p *channel.Presentation, to func(*channel.Rendition) route) []byte {
	mv := &hls.Multivariant{IndependentSegments: p.IndependentSegments, Renditions: make([]channel.Rendition, len(p.Renditions))}
	copy(mv.Renditions, p.Renditions)
	for i := range mv.Renditions {
		if r := &mv.Renditions[i]; r.URI != "" {
			r.URI = to(r).path()
		}
	}
	return hls.WriteMultivariant(mv)
}

func (m *Mount) servePlaylist(w http.ResponseWriter, r *http.Request, list listKey, key playerKey) {
	if pl, ok := m.give(w, r, list, key); ok {
		m.sendWhole(w, r, typePlaylist, pl.body)
	}
}

// give is the playlist that key's player is to be sent now, after it was held as
// long as it may be; false: it was told that there is none.
func (m *Mount) give(w http.ResponseWriter, r *http.Request, list listKey, key playerKey) (*written, bool) {
	pl, err := m.newest(r.Context(), list)
	if err == nil && len(pl.Media.Segments) == 0 && list.history {
		err = ErrUnavailable
	}
	if err != nil {
		m.fail(w, r, err)
		return nil, false
	}
	if r.Method == http.MethodGet {
		if d := m.holdTime(key, pl); d > 0 {
			m.stats.held.Add(1)
			pl = m.hold(r.Context(), list, pl, d)
		}
		if r.Context().Err() != nil {
			panic(http.ErrAbortHandler)
		}
		m.see(key, pl)
	}
	m.stats.playlists.Add(1)
	return pl, true
}

// newest returns a playlist as it is now, or was last.
func (m *Mount) newest(ctx context.Context, key listKey) (*written, error) {
	m.mu.Lock()
	known := m.playlists[key]
	m.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, holdFor(known != nil))
	defer cancel()
	pl, err := m.load(ctx, key, 0)
	if err == nil {
		return m.write(key, pl), nil
	}
	if known != nil && !errors.Is(err, ErrNotFound) {
		return known, nil
	}
	return nil, err
}

// hold waits up to d for a playlist after pl.
func (m *Mount) hold(ctx context.Context, key listKey, pl *written, d time.Duration) *written {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	next, err := m.load(ctx, key, pl.Revision)
	if err != nil || next.Revision <= pl.Revision {
		<-ctx.Done() // the session failed early: a player must not spin on it
		return pl
	}
	return m.write(key, next)
}

// holdTime is how long key's player may be made to wait for what comes after pl:
// 0 if it is to have pl at once.
func (m *Mount) holdTime(key playerKey, pl *written) time.Duration {
	if pl.Media.Ended {
		return 0 // nothing comes
	}
	longest := maxHold
	if half := pl.Media.Target / 2; half > 0 {
		longest = min(longest, half)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.players[key]
	switch now := time.Now(); {
	case s == nil:
		return 0
	case s.revision != pl.Revision:
		return s.align(pl, now)
	case key.byConn && now.Sub(s.first) < probeGrace:
		return 0
	}
	return longest
}

// align holds a player that has news waiting, once in a while, if what comes
// after the news is due very soon. A player that polls once in a target duration
// and always a moment before the next segment appears would learn of every
// segment a whole target duration late, and never be held because it is never
// early. Held once, it polls as segments appear. RFC 8216bis 6.3.3 lets it start
// no nearer to the end than three target durations, so when it asks a second
// time it has two left to play, of which this takes at most three quarters of
// one: it is a quarter late at most from then on.
func (s *seen) align(pl *written, now time.Time) time.Duration {
	n := len(pl.Media.Segments)
	longest := min(maxAlign, pl.Media.Target*3/4)
	if pl.Updated.IsZero() || n == 0 || pl.next() != s.next+1 || !s.aligned.IsZero() && now.Sub(s.aligned) < alignEvery {
		return 0
	}
	wait := pl.Updated.Add(pl.Media.Segments[n-1].Duration).Sub(now)
	if wait <= 0 || wait > longest {
		return 0
	}
	s.aligned = now
	return longest // segments are not punctual to the millisecond
}

// see remembers that key's player is being given pl.
func (m *Mount) see(key playerKey, pl *written) {
	now := time.Now()
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.players[key]
	if s == nil {
		if len(m.players) >= maxPlayers {
			m.forgetOldest()
		}
		s = &seen{first: now}
		m.players[key] = s
	}
	s.revision, s.next, s.last = pl.Revision, pl.next(), now
}

func (m *Mount) forgetOldest() {
	var oldest playerKey
	var at time.Time
	for k, s := range m.players {
		if at.IsZero() || s.last.Before(at) {
			oldest, at = k, s.last
		}
	}
	delete(m.players, oldest)
}

// write returns pl with its text (of a history each player has its own), and
// remembers it as the newest.
func (m *Mount) write(key listKey, pl *Playlist) *written {
	m.mu.Lock()
	known := m.playlists[key]
	m.mu.Unlock()
	next := &written{Playlist: pl}
	if !key.history {
		if known != nil && known.Revision == pl.Revision {
			return known
		}
		// Two requests may do this at once for one revision: harmless.
		next.body = writeMedia(pl)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if known := m.playlists[key]; known == nil || known.Revision < pl.Revision || key.history {
		m.playlists[key] = next
	}
	return next
}

// writeMedia writes pl with our URIs in it.
func writeMedia(pl *Playlist) []byte {
	media := pl.Media
	media.Segments = make([]hls.Segment, len(pl.Media.Segments))
	ours := func(key *channel.Key, numbers []int, i int) *channel.Key {
		if key == nil || numbers[i] < 0 {
			return key
		}
		k := *key
		k.URI = route{what: whatKey, rendition: pl.IDs[i].Rendition, key: numbers[i]}.path()
		return &k
	}
	for i, s := range pl.Media.Segments {
		fallback := ".ts"
		if s.Map != nil {
			fallback = ".m4s"
			s.Map = &hls.Map{
				URI: objectRoute(pl.Inits[i], s.Map.URI, ".mp4").path(),
				Key: ours(s.Map.Key, pl.InitKeys, i),
			}
		}
		s.Key = ours(s.Key, pl.Keys, i)
		s.URI = objectRoute(pl.IDs[i], s.URI, fallback).path()
		s.Ranged, s.Offset, s.Length = false, 0, 0
		media.Segments[i] = s
	}
	return hls.WriteMedia(&media)
}
