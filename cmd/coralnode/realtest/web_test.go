//go:build unix

package realtest

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"coral/assets"
)

// page is the web player's address, beside the playlist's.
func (v *viewer) page() string { return strings.Replace(v.url, "play/master.m3u8", "web/", 1) }

// faulty stands between a browser and a viewer's proxy, and can fail.
type faulty struct {
	*httptest.Server
	playlists atomic.Bool // answer 503
	dead      atomic.Bool // hang up on everything
	posts     atomic.Int64
}

func newFaulty(t *testing.T, v *viewer) (f *faulty, page string) {
	t.Helper()
	to, err := url.Parse(v.page())
	if err != nil {
		t.Fatal(err)
	}
	own := "http://" + to.Host
	f = &faulty{}
	relay := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = "http", to.Host, to.Host
			if r.In.Header.Get("Origin") == "http://"+r.In.Host {
				r.Out.Header.Set("Origin", own)
			}
		},
		FlushInterval: -1,
	}
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case f.dead.Load():
			panic(http.ErrAbortHandler)
		case f.playlists.Load() && strings.HasSuffix(r.URL.Path, ".m3u8"):
			http.Error(w, "not now", http.StatusServiceUnavailable)
			return
		case r.Method == http.MethodPost:
			f.posts.Add(1)
		}
		relay.ServeHTTP(w, r)
	}))
	t.Cleanup(f.Close)
	return f, f.URL + to.Path
}

// now is where the page's picture is, in seconds.
func (b *browser) now() float64 {
	b.t.Helper()
	v, _ := b.eval("document.querySelector('video').currentTime").(float64)
	return v
}

// plays wants the picture to move on by some seconds.
func (b *browser) plays(seconds float64) {
	b.t.Helper()
	from := b.now()
	await(b.t, "the page's picture to move", func() bool { return b.now() >= from+seconds })
}

const (
	playing  = "document.querySelector('#statement').hidden && !document.querySelector('video').paused && document.querySelector('video').videoWidth > 0"
	sentence = "document.querySelector('#source').innerText"
)

// asked tells whether the page has asked for one of the channel's playlists.
func asked(playlist string) string {
	return "performance.getEntriesByType('resource').some((e) => e.name.endsWith('/" + playlist + ".m3u8'))"
}

// TestWeb: the page plays a live channel of peers, does what keys and buttons
// say, pauses sharing for the whole node, and asks nobody but the proxy.
func TestWeb(t *testing.T) {
	needs(t, "ffmpeg")
	if chromium() == "" {
		t.Skip("chromium is not installed: go run ./cmd/dev test installs it")
	}
	t.Parallel()
	for name, c := range map[string]container{"MPEG-TS": transport, "fMP4, audio apart": fragmented} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, source := live(t, c)
			viewers := publish(t, source).watch(t, 2)
			b := browse(t, 1280, 720)
			b.open(viewers[0].page())
			b.until(playing)
			b.until("document.title === 'Real · Coral' && document.querySelector('#channel').innerText === 'Real'")
			b.plays(2)
			b.until(asked("auto") + " && !" + asked("rewind")) // Coral chooses the variant
			b.until("/^From .*Verified\\.$/.test(" + sentence + ")")

			for _, look := range []string{"light", "dark"} {
				b.prefer(look)
				b.press("ArrowUp") // the controls
				b.shot("live-" + look)
				b.size(390, 844)
				b.shot("live-390-" + look)
				b.size(1280, 720)
			}

			b.press(" ")
			b.until("document.querySelector('video').paused && document.querySelector('#play').title === 'Play (Space)'")
			b.press("k")
			b.until(playing)
			b.press("m", "ArrowDown", "ArrowUp")
			b.until("!document.querySelector('video').muted && Math.abs(document.querySelector('video').volume - 0.05) < 0.01")
			b.press("m")
			b.until("document.querySelector('video').muted && document.querySelector('#mute').title === 'Sound on (M)'")
			b.press("f")
			b.until("document.fullscreenElement?.id === 'stage'")
			b.press("Escape")
			b.until("!document.fullscreenElement")
			b.press("?")
			b.until("document.querySelector('#help').open")
			b.press(" ") // the sheet has the keyboard
			b.press("Escape")
			b.until("!document.querySelector('#help').open && !document.querySelector('video').paused")

			// Back into what is held, and to live again.
			b.until("document.querySelector('#live').title === 'This is live'")
			b.press("0")
			b.until("document.querySelector('#live').innerText.trim() === 'Go live' && /^−/.test(document.querySelector('#clock').innerText)")
			b.plays(1)
			b.click("#live", 0.5)
			b.until("document.querySelector('#live').title === 'This is live'")
			b.click("#seek", 0.1)
			b.until("document.querySelector('#live').innerText.trim() === 'Go live'")
			b.press("End")
			b.until("document.querySelector('#live').title === 'This is live'")

			b.click("#tune", 0.5)
			b.until("!document.querySelector('#menu').hidden && document.querySelectorAll('#menu button').length >= 3")
			b.press("ArrowDown", "Enter")
			b.until("document.querySelectorAll('#menu button')[1].getAttribute('aria-checked') === 'true'")
			b.until("document.querySelector('video').videoHeight === parseInt(document.querySelectorAll('#menu button')[1].innerText)")
			b.plays(1)
			b.press("ArrowUp", "Enter")
			b.until("document.querySelectorAll('#menu button')[0].getAttribute('aria-checked') === 'true'")
			b.press("Escape")
			b.until("document.querySelector('#menu').hidden")
			b.plays(2)

			b.click("#pause-sharing", 0.5)
			b.until("/Sharing is paused/.test(" + sentence + ") && document.querySelector('#pause-sharing').innerText.trim() === 'Resume sharing'")
			await(t, "the node to leave its peers", func() bool { return viewers[0].counts(t).Peers.Connected == 0 })
			b.plays(2)
			b.press("s")
			await(t, "the node to come back", func() bool { return viewers[0].counts(t).Peers.Connected > 0 })
			b.until("document.querySelector('#pause-sharing').innerText.trim() === 'Pause sharing'")
			b.quiet(strings.TrimSuffix(viewers[0].page(), "web/"))
		})
	}
}

// TestWebRecovers: whatever the proxy does, the page says what is the matter and
// goes on by itself.
func TestWebRecovers(t *testing.T) {
	needs(t, "ffmpeg")
	if chromium() == "" {
		t.Skip("chromium is not installed: go run ./cmd/dev test installs it")
	}
	t.Parallel()
	origin, err := assets.NewOrigin(time.Now().Add(-assets.Window * assets.SegmentDuration))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(origin)
	t.Cleanup(server.Close)
	v := publish(t, server.URL+assets.PlaylistPath).watch(t, 1)[0]
	f, page := newFaulty(t, v)
	b := browse(t, 900, 600)

	f.playlists.Store(true)
	b.open(page)
	b.until("/Opening the channel|The picture takes long/.test(document.querySelector('#statement').innerText)")
	f.playlists.Store(false)
	b.until(playing)
	b.plays(2)

	f.playlists.Store(true)
	b.until("!document.querySelector('#statement').hidden") // the buffer is empty
	b.shot("waiting")
	f.playlists.Store(false)
	b.until(playing)
	b.plays(2)

	f.dead.Store(true)
	f.CloseClientConnections()
	b.until("/Coral does not answer/.test(" + sentence + ")")
	b.until("/Coral does not answer/.test(document.querySelector('#statement').innerText)")
	b.shot("silent")
	f.dead.Store(false)
	b.until(playing)
	b.plays(2)

	v.stop(t)
	b.until("/Coral does not answer/.test(" + sentence + ")")
}
