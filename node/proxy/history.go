package proxy

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"time"

	"coral/node/channel"
	"coral/node/hls"
)

// edgeSegments is how many segments before the end a player begins: what
// FFmpeg does with a live playlist, and the three target durations of RFC
// 8216bis 6.3.3.
const edgeSegments = 3

// maxViews bounds the viewings that are remembered; the one not heard of for
// longest is forgotten, and at worst begins anew near the newest segment.
const maxViews = 64

// viewing is what was handed out as one PlayerURL: where its playlists begin.
type viewing struct {
	behind time.Duration
	from   map[uint16]uint64 // by rendition, once one was asked for
	last   time.Time
}

// PlayerURL is what to open in a player that shows one variant and leaves the
// choice to the channel (Channel.Chosen), and that can go back: behind before
// the newest segment, or (0) near it, is where its playlists begin. From then on
// they only grow, however often this URL is opened. FFmpeg takes the first time
// stamp that it sees for the time of a playlist's beginning, and seeks by that:
// its own seeks are right only if it began there (live_start_index=0). The URL
// holds the token: do not log it.
func (m *Mount) PlayerURL(behind time.Duration) string {
	m.mu.Lock()
	m.lastView++
	n := m.lastView
	m.view(n).behind = max(behind, 0)
	m.mu.Unlock()
	return fmt.Sprintf("http://%s/%s/play/%s", m.server.Addr(), m.token, route{what: whatPlayer, view: n}.path())
}

// view returns viewing n, made anew if it was forgotten. mu is held.
func (m *Mount) view(n uint32) *viewing {
	v := m.views[n]
	if v == nil {
		if len(m.views) >= maxViews {
			oldest := n
			for k, o := range m.views {
				if oldest == n || o.last.Before(m.views[oldest].last) {
					oldest = k
				}
			}
			delete(m.views, oldest)
		}
		v = &viewing{from: make(map[uint16]uint64)}
		m.views[n] = v
	}
	v.last = time.Now()
	return v
}

// begins is where viewing n's playlist of a rendition begins.
func (m *Mount) begins(n uint32, rendition uint16, pl *hls.Media) uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	v := m.view(n)
	from, ok := v.from[rendition]
	if !ok {
		from = begin(pl, v.behind)
		v.from[rendition] = from
	}
	return from
}

// listKey names one of the playlists that a mount remembers.
type listKey struct {
	rendition uint16
	history   bool
}

// load asks the channel for what key names.
func (m *Mount) load(ctx context.Context, key listKey, after uint64) (*Playlist, error) {
	if key.history {
		return m.channel.History(ctx, key.rendition, after)
	}
	return m.channel.Media(ctx, key.rendition, after)
}

// servePlayer answers with the multivariant playlist of one variant.
func (m *Mount) servePlayer(w http.ResponseWriter, r *http.Request, view uint32) {
	ctx, cancel := context.WithTimeout(r.Context(), firstHold)
	defer cancel()
	p, err := m.channel.Chosen(ctx)
	if err == nil && (p == nil || len(p.Renditions) == 0) {
		err = ErrUnavailable
	}
	if err != nil {
		m.fail(w, r, err)
		return
	}
	m.sendHistory(w, r, p, view)
}

// serveRewind answers with the multivariant playlist for a player that chooses
// a variant by itself and begins near the newest segment wherever its playlists
// begin: those of this viewing do as far back as there is anything.
func (m *Mount) serveRewind(w http.ResponseWriter, r *http.Request) {
	p, err := m.newestPresentation(r.Context())
	if err != nil {
		m.fail(w, r, err)
		return
	}
	if p.Single {
		one := p.Renditions[0]
		one.URI, one.Bandwidth = masterName, 1 // what a variant must have; neither is used
		p = &channel.Presentation{IndependentSegments: p.IndependentSegments, Renditions: []channel.Rendition{one}}
	}
	m.mu.Lock()
	m.lastView++
	n := m.lastView
	m.view(n).behind = math.MaxInt64
	m.mu.Unlock()
	m.sendHistory(w, r, p, n)
}

// sendHistory answers with p, whose media playlists are those of a viewing.
func (m *Mount) sendHistory(w http.ResponseWriter, r *http.Request, p *channel.Presentation, view uint32) {
	m.mu.Lock()
	m.lastPlayer++
	player := m.lastPlayer
	m.mu.Unlock()
	m.stats.playlists.Add(1)
	m.sendWhole(w, r, typePlaylist, writeMultivariant(p, route{what: whatHistory, player: player, view: view}))
}

// serveHistory answers with a media playlist that reaches from where this viewing
// began to the newest segment.
func (m *Mount) serveHistory(w http.ResponseWriter, r *http.Request, rt route) {
	list := listKey{rt.rendition, true}
	key := playerKey{player: uint64(rt.player), rendition: rt.rendition, history: true}
	pl, err := m.newest(r.Context(), list)
	if err == nil && len(pl.Media.Segments) == 0 {
		err = ErrUnavailable
	}
	if err != nil {
		m.fail(w, r, err)
		return
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
	from := m.begins(rt.view, rt.rendition, &pl.Media)
	m.stats.playlists.Add(1)
	m.sendWhole(w, r, typePlaylist, writeMedia(rt.rendition, cut(pl.Playlist, from)))
}

// begin is the segment with which a player is to begin that wants to be behind
// the newest one. Nobody begins before a segment that cannot be had.
func begin(m *hls.Media, behind time.Duration) uint64 {
	i := len(m.Segments)
	if m.Ended {
		return m.Sequence
	}
	for back := time.Duration(0); i > 0 && (len(m.Segments)-i < edgeSegments || back < behind); i-- {
		if m.Segments[i-1].Gap {
			break
		}
		back += m.Segments[i-1].Duration
	}
	return m.Sequence + uint64(i)
}

// cut returns pl from segment from on. It is an EVENT playlist, of which nothing
// is ever taken away, for as long as the channel reaches back so far; after that
// it is an ordinary live one, which is the truth.
func cut(pl *Playlist, from uint64) *Playlist {
	out := *pl
	m := &out.Media
	if !m.Ended && m.Type == channel.Live && from >= m.Sequence {
		m.Type = channel.Event
	}
	n := 0
	if from > m.Sequence {
		n = int(min(from-m.Sequence, uint64(len(m.Segments)-1)))
	}
	m.Segments = m.Segments[n:]
	m.Sequence += uint64(n)
	m.DiscontinuitySequence = m.Segments[0].DiscontinuitySequence
	out.IDs = out.IDs[n:]
	out.Inits, out.Keys, out.InitKeys = after(out.Inits, n), after(out.Keys, n), after(out.InitKeys, n)
	return &out
}

// after is s without its first n, where s may be nil for none.
func after[T any](s []T, n int) []T {
	if s == nil {
		return nil
	}
	return s[n:]
}
