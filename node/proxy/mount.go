package proxy

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"coral/node/channel"
)

const (
	// firstHold is how long a request for something that is not known yet is
	// held: joining a channel takes this long at worst, and players give a
	// playlist 10 s (hls.js) or more.
	firstHold = 10 * time.Second
	// patience is how long a segment's next byte, or a key, is waited for.
	// Players that want to give up sooner hang up.
	patience = 60 * time.Second
)

// Stats counts what a mount has answered.
type Stats struct {
	Playlists int64 // playlists sent
	Held      int64 // of which held back until something changed or the time was up
	Segments  int64 // segments, init sections and keys begun
	Bytes     int64 // their bytes
	Aborted   int64 // begun and not finished for lack of data
	Failed    int64 // answered with 404 or 503
}

// Mount is one channel behind its token. Its methods are safe for concurrent use.
type Mount struct {
	server  *Server
	channel Channel
	token   string
	page    *Page           // may be nil
	ctx     context.Context // ends with Close: so do requests under way
	cancel  context.CancelFunc

	stats struct{ playlists, held, segments, bytes, aborted, failed atomic.Int64 }

	mu           sync.Mutex
	presentation *channel.Presentation // newest seen, if a later request fails
	playlists    map[listKey]*written  // newest seen of each rendition
	players      map[playerKey]*seen
	lastPlayer   uint32
	views        map[uint32]*viewing // by number, see PlayerURL
	lastView     uint32
}

func newMount(ch Channel, token string, page *Page) *Mount {
	m := &Mount{
		channel: ch, token: token, page: page,
		playlists: make(map[listKey]*written), players: make(map[playerKey]*seen), views: make(map[uint32]*viewing),
	}
	m.ctx, m.cancel = context.WithCancel(context.Background())
	return m
}

// URL is what to open in a player. It holds the token: do not log it.
func (m *Mount) URL() string {
	return fmt.Sprintf("http://%s/%s/play/%s", m.server.Addr(), m.token, masterName)
}

// PageURL is the web player's page, or "" if the mount has none.
func (m *Mount) PageURL() string {
	if m.page == nil {
		return ""
	}
	return fmt.Sprintf("http://%s/%s/web/", m.server.Addr(), m.token)
}

// Close forgets the token and ends the requests under way. The channel may
// still be called until the server's Run has returned, with ended contexts.
func (m *Mount) Close() {
	m.server.unmount(m)
	m.cancel()
}

// Stats returns the counts so far.
func (m *Mount) Stats() Stats {
	s := &m.stats
	return Stats{
		Playlists: s.playlists.Load(), Held: s.held.Load(), Segments: s.segments.Load(),
		Bytes: s.bytes.Load(), Aborted: s.aborted.Load(), Failed: s.failed.Load(),
	}
}

// serve answers a request whose token was right. rest is the path behind it.
func (m *Mount) serve(w http.ResponseWriter, r *http.Request, rest string) {
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	stop := context.AfterFunc(m.ctx, cancel)
	defer stop()
	r = r.WithContext(ctx)

	if r.Method == http.MethodPost {
		if m.page == nil || rest != fileShare {
			m.fail(w, r, ErrNotFound)
			return
		}
		m.serveShare(w, r)
		return
	}
	area, rest, below := strings.Cut(rest, "/")
	switch {
	case m.page != nil && area == areaWeb && below:
		m.servePage(w, r, rest)
		return
	case m.page != nil && area == fileStatus && !below:
		m.serveStatus(w, r)
		return
	case area != "play":
		m.fail(w, r, ErrNotFound)
		return
	}
	rt, ok := parseRoute(rest)
	if !ok {
		m.fail(w, r, ErrNotFound)
		return
	}
	switch rt.what {
	case whatMaster:
		m.serveMaster(w, r)
	case whatVariants:
		m.serveVariants(w, r)
	case whatMedia:
		m.servePlaylist(w, r, listKey{rendition: rt.rendition}, playerKey{player: uint64(rt.player), what: whatMedia, rendition: rt.rendition})
	case whatPlayer:
		m.serveChosen(w, r, rt.view, whatShown, false)
	case whatAuto:
		m.serveChosen(w, r, m.far(), whatShown, true)
	case whatRewind:
		m.serveRewind(w, r)
	case whatHistory, whatShown:
		m.serveHistory(w, r, rt)
	case whatLive:
		m.servePlaylist(w, r, listKey{shown: rt.view}, playerKey{player: uint64(rt.player), what: whatLive})
	case whatObject:
		m.serveObject(w, r, rt)
	case whatKey:
		m.serveKey(w, r, rt)
	}
}

// fail answers for err, before any byte of a body was sent.
func (m *Mount) fail(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() != nil {
		panic(http.ErrAbortHandler) // the player has gone, or the mount is closed: no one to tell
	}
	m.stats.failed.Add(1)
	if errors.Is(err, ErrNotFound) {
		fail(w, http.StatusNotFound)
		return
	}
	if !errors.Is(err, ErrUnavailable) && !errors.Is(err, context.DeadlineExceeded) {
		m.server.log.Debug("player's request failed", "channel", m.channel.Name(), "err", err)
	}
	fail(w, http.StatusServiceUnavailable)
}

func (m *Mount) serveKey(w http.ResponseWriter, r *http.Request, rt route) {
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	key, err := m.channel.Key(ctx, rt.rendition, rt.key)
	if err != nil {
		m.fail(w, r, err)
		return
	}
	m.stats.segments.Add(1)
	m.sendWhole(w, r, typeKey, key)
}

// sendWhole answers with a body that is all there. Ranges are not offered: what
// is sent here is small, or a playlist that may have changed between two parts.
func (m *Mount) sendWhole(w http.ResponseWriter, r *http.Request, contentType string, body []byte) {
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	extend(w)
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodHead {
		return
	}
	// In pieces, so that the deadline means a stall and not the whole.
	for len(body) > 0 {
		n := min(len(body), copySize)
		extend(w)
		if _, err := w.Write(body[:n]); err != nil {
			panic(http.ErrAbortHandler)
		}
		body = body[n:]
	}
}
