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
	from   map[listKey]uint64 // once one was asked for
	shows  Viewing
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
	n := m.newView(true)
	m.view(n, true).behind = max(behind, 0)
	m.mu.Unlock()
	return fmt.Sprintf("http://%s/%s/play/%s", m.server.Addr(), m.token, route{what: whatPlayer, view: n}.path())
}

// newView begins one more viewing. mu is held.
func (m *Mount) newView(past bool) uint32 {
	m.lastView++
	m.view(m.lastView, past)
	return m.lastView
}

// view returns viewing n, made anew if it was forgotten. mu is held.
func (m *Mount) view(n uint32, past bool) *viewing {
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
			delete(m.playlists, listKey{history: true, shown: oldest})
			delete(m.playlists, listKey{shown: oldest})
		}
		v = &viewing{from: make(map[listKey]uint64), shows: m.channel.View(past)}
		m.views[n] = v
	}
	v.last = time.Now()
	return v
}

// begins is where viewing n's playlist begins.
func (m *Mount) begins(n uint32, key listKey, pl *hls.Media) uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	v := m.view(n, true)
	from, ok := v.from[key]
	if !ok {
		from = begin(pl, v.behind)
		v.from[key] = from
	}
	return from
}

// listKey names one of the playlists that a mount remembers.
type listKey struct {
	rendition uint16
	history   bool   // with all before: not written for all players alike
	shown     uint32 // the viewing whose Shown it is, not a rendition's; 0: none
}

// load asks the channel for what key names.
func (m *Mount) load(ctx context.Context, key listKey, after uint64) (*Playlist, error) {
	switch {
	case key.shown != 0:
		return m.shows(key.shown, key.history).Shown(ctx, after)
	case key.history:
		return m.channel.History(ctx, key.rendition, after)
	}
	return m.channel.Media(ctx, key.rendition, after)
}

// shows is what viewing n shows.
func (m *Mount) shows(n uint32, past bool) Viewing {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.view(n, past).shows
}

// serveChosen answers with the multivariant playlist of one variant, behind
// which is what the viewing shows, in playlists of a kind: whatLive, or whatShown
// for a player that goes back.
func (m *Mount) serveChosen(w http.ResponseWriter, r *http.Request, view uint32, shown what, subtitled bool) {
	ctx, cancel := context.WithTimeout(r.Context(), firstHold)
	defer cancel()
	p, err := m.shows(view, shown == whatShown).Chosen(ctx)
	if err == nil && (p == nil || len(p.Renditions) == 0) {
		err = ErrUnavailable
	}
	if err != nil {
		m.fail(w, r, err)
		return
	}
	if !subtitled {
		p = withoutSubtitles(p)
	}
	beside := whatMedia
	if shown == whatShown {
		beside = whatHistory
	}
	m.sendMultivariant(w, r, p, route{what: beside, view: view}, shown)
}

// withoutSubtitles is p for FFmpeg, which cannot read them.
func withoutSubtitles(p *channel.Presentation) *channel.Presentation {
	heard := *p
	heard.Renditions = nil
	for _, r := range p.Renditions {
		r.SubtitlesGroup = ""
		if r.Kind != channel.Subtitles {
			heard.Renditions = append(heard.Renditions, r)
		}
	}
	return &heard
}

// far begins a viewing as far back as can be had.
func (m *Mount) far() uint32 {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := m.newView(true)
	m.view(n, true).behind = math.MaxInt64
	return n
}

// serveRewind answers with the multivariant playlist for a player that chooses
// for itself, and that can go back as far as can be had.
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
	m.sendMultivariant(w, r, p, route{what: whatHistory, view: m.far()}, whatHistory)
}

// serveHistory answers with a media playlist that reaches from where this viewing
// began to the newest segment.
func (m *Mount) serveHistory(w http.ResponseWriter, r *http.Request, rt route) {
	list := listKey{rendition: rt.rendition, history: true}
	if rt.what == whatShown {
		list = listKey{history: true, shown: rt.view}
	}
	pl, ok := m.give(w, r, list, playerKey{player: uint64(rt.player), rendition: rt.rendition, what: rt.what})
	if !ok {
		return
	}
	from := m.begins(rt.view, list, &pl.Media)
	m.sendWhole(w, r, typePlaylist, writeMedia(cut(pl.Playlist, from)))
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
	m.DiscontinuitySequence = m.Segments[0].Before()
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
