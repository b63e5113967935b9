package proxy

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"coral/node/channel"
	"coral/node/hls"
	"coral/node/nodetest"
	"coral/store/segment"
)

func single() *channel.Presentation {
	return &channel.Presentation{Single: true, Renditions: []channel.Rendition{{URI: "https://origin.example/live.m3u8?token=secret"}}}
}

// bubble runs f with a server on a network in memory.
func bubble(t *testing.T, f func(t *testing.T, s *setup)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { f(t, start(t, nodetest.NewNet())) })
}

// took runs f and returns how long it took.
func took(f func()) time.Duration {
	began := time.Now()
	f()
	return time.Since(began)
}

var playerURI = regexp.MustCompile(`(?m)^(\d+)-p\d+\.m3u8$`)

func TestMultivariant(t *testing.T) {
	bubble(t, func(t *testing.T, s *setup) {
		s.set(func() {
			s.presentation = &channel.Presentation{Renditions: []channel.Rendition{
				{ID: 0, Media: 0, URI: "https://origin.example/v0.m3u8?token=secret", Bandwidth: 1000, AudioGroup: "a"},
				{ID: 7, Media: 7, URI: "v7.m3u8", Bandwidth: 2000, AudioGroup: "a"},
				{ID: 8, Media: 7, URI: "v7.m3u8", Bandwidth: 3000, AudioGroup: "b"},
				{ID: 9, Media: 9, Kind: channel.Audio, URI: "a.m3u8", Group: "a", Name: "x"},
			}}
		})
		a := s.get(t, variantsName)
		if a.StatusCode != 200 || a.Header.Get("Content-Type") != typePlaylist {
			t.Errorf("%s %s", a.Status, a.Header.Get("Content-Type"))
		}
		body := string(a.body)
		if strings.Contains(body, "origin") || strings.Contains(body, "secret") {
			t.Errorf("an origin's URL in the playlist:\n%s", body)
		}
		uris := playerURI.FindAllStringSubmatch(body, -1)
		if len(uris) != 3 || uris[0][1] != "0" || uris[1][1] != "7" || uris[2][1] != "7" || uris[1][0] != uris[2][0] {
			t.Errorf("URIs %q in:\n%s", uris, body)
		}
		if !strings.Contains(body, `URI="9-p`) {
			t.Errorf("no audio in:\n%s", body)
		}
		if again := s.get(t, variantsName); string(again.body) == body {
			t.Error("two players were given the same URLs")
		}
		if s.presentation.Renditions[0].URI == "" || s.presentation.Renditions[1].URI != "v7.m3u8" {
			t.Error("the session's presentation was changed")
		}
	})
}

// A channel without variants is played from both names.
func TestVariantsOfSingle(t *testing.T) {
	bubble(t, func(t *testing.T, s *setup) {
		s.set(func() { s.presentation = single() })
		s.live(1, 3, false)
		one, all := s.get(t, masterName), s.get(t, variantsName)
		s.client.CloseIdleConnections()
		if all.StatusCode != 200 || !bytes.Contains(all.body, []byte("#EXTINF")) || !bytes.Equal(one.body, all.body) {
			t.Errorf("%s:\n%s\ninstead of:\n%s", all.Status, all.body, one.body)
		}
	})
}

// A player that chooses nothing is given one variant, whatever that is made of,
// with what is played beside it.
func TestChosen(t *testing.T) {
	bubble(t, func(t *testing.T, s *setup) {
		s.set(func() {
			s.presentation = &channel.Presentation{Renditions: []channel.Rendition{
				{ID: 0, Media: 0, URI: "v0.m3u8", Bandwidth: 1000, AudioGroup: "a", SubtitlesGroup: "s"},
				{ID: 7, Media: 7, URI: "v7.m3u8", Bandwidth: 2000, AudioGroup: "b"},
				{ID: 8, Media: 8, Kind: channel.Audio, URI: "a.m3u8", Group: "a", Name: "x"},
				{ID: 9, Media: 9, Kind: channel.Subtitles, URI: "s.m3u8", Group: "s", Name: "y"},
			}}
		})
		for seq := range uint64(3) {
			s.live(seq, 100, false)
		}
		body := string(s.get(t, masterName).body)
		line := regexp.MustCompile(`(?m)^live-\d+-\d+\.m3u8$`)
		if n := len(line.FindAllString(body, -1)); n != 1 || !strings.Contains(body, `URI="8-p`) || !strings.Contains(body, `URI="9-p`) {
			t.Errorf("%d variants in:\n%s", n, body)
		}
		media := line.FindString(body)
		if text := string(s.get(t, media).body); !strings.Contains(text, "0/2.ts") || strings.Contains(text, "EVENT") {
			t.Errorf("shows\n%s", text)
		}
		other := string(s.get(t, masterName).body)
		if line.FindString(other) == media {
			t.Error("two players were given the same URL")
		}
		// A built-in player draws subtitles by itself: FFmpeg cannot read them.
		u := s.mount.PlayerURL(0)
		body = string(s.get(t, u[strings.LastIndexByte(u, '/')+1:]).body)
		if strings.Contains(body, "SUBTITLES") || !strings.Contains(body, `URI="8-h`) || strings.Count(body, "\nshown-") != 1 {
			t.Errorf("built in:\n%s", body)
		}
	})
}

func TestMediaPlaylist(t *testing.T) {
	bubble(t, func(t *testing.T, s *setup) {
		m0, m1 := &hls.Map{URI: "https://o/init.mp4?secret", Ranged: true, Length: 5}, &hls.Map{URI: "next.mp4", Key: &channel.Key{Method: "AES-128", URI: "https://keys/init"}}
		k := &channel.Key{Method: "AES-128", URI: "https://keys/secret"}
		skd := &channel.Key{Method: "SAMPLE-AES", URI: "skd://asset", KeyFormat: "com.apple.streamingkeydelivery"}
		s.set(func() {
			s.playlists[4] = &Playlist{
				Revision: 1,
				Media: hls.Media{Target: 2 * time.Second, Sequence: 10, Segments: []hls.Segment{
					{URI: "https://o/10.m4s?secret", Map: m0, Duration: time.Second, Ranged: true, Offset: 5, Length: 9},
					{URI: "noext", Map: m0, Duration: time.Second, Key: k},
					{URI: "12.m4s", Map: m1, Duration: time.Second, Key: skd, Discontinuity: true},
					{URI: "13.aac", Duration: time.Second},
					{URI: "14", Duration: time.Second},
				}},
				IDs:   []segment.ID{{Rendition: 4, Sequence: 10}, {Rendition: 4, Sequence: 11}, {Rendition: 4, Sequence: 12}, {Rendition: 4, Sequence: 13}, {Rendition: 4, Sequence: 14}},
				Inits: []segment.ID{{Rendition: 4, Kind: segment.Init}, {Rendition: 4, Kind: segment.Init}, {Rendition: 4, Kind: segment.Init, Sequence: 1}, {}, {}},
				Keys:  []int{0, 3, -1, 0, 0}, InitKeys: []int{0, 0, 5, 0, 0},
			}
		})
		a := s.get(t, "4-p1.m3u8")
		body := string(a.body)
		if a.StatusCode != 200 || strings.Contains(body, "https:") || strings.Contains(body, "secret") || strings.Contains(body, "BYTERANGE") {
			t.Errorf("%s\n%s", a.Status, body)
		}
		at := 0
		for _, want := range []string{`URI="4/i0.mp4"`, "\n4/10.m4s\n", `URI="4/k3.key"`, "\n4/11-x.m4s\n", `URI="4/k5.key"`, `URI="4/i1.mp4"`, "\n4/12.m4s\n", "\n4/13.aac\n", "\n4/14-x.ts\n"} {
			i := strings.Index(body[at:], want)
			if i < 0 {
				t.Fatalf("%q missing, or out of order, in:\n%s", want, body)
			}
			at += i
		}
		if !strings.Contains(body, "#EXT-X-DISCONTINUITY\n") || !strings.Contains(body, `URI="skd://asset"`) || strings.Count(body, "i0.mp4") != 1 {
			t.Errorf("playlist:\n%s", body)
		}
		if got := s.playlists[4].Media.Segments[1]; got.URI != "noext" || got.Key.URI != "https://keys/secret" || got.Map != m0 {
			t.Errorf("the session's playlist was changed: %+v", got)
		}
		if a := s.do(t, http.MethodHead, s.url("4-p1.m3u8"), "Range", "bytes=0-"); a.StatusCode != 200 || a.ContentLength != int64(len(body)) || len(a.body) > 0 {
			t.Errorf("HEAD: %s, %d bytes", a.Status, a.ContentLength)
		}
		if a := s.get(t, "101-p1.m3u8"); a.StatusCode != 404 {
			t.Errorf("no such rendition: %s", a.Status)
		}
		s.set(func() { s.keys[3] = []byte("0123456789abcdef") })
		if a := s.get(t, "4/k3.key"); string(a.body) != "0123456789abcdef" || a.Header.Get("Content-Type") != typeKey {
			t.Errorf("key: %s %q", a.Status, a.body)
		}
		if a := s.get(t, "4/k4.key"); a.StatusCode != 404 {
			t.Errorf("no such key: %s", a.Status)
		}
	})
}

// TestHeld: when a playlist request is held, and for how long.
func TestHeld(t *testing.T) {
	bubble(t, func(t *testing.T, s *setup) {
		s.live(1, 3, false)
		poll := func(path string) (a answer, d time.Duration) {
			t.Helper()
			d = took(func() { a = s.get(t, path) })
			if a.err != nil || a.StatusCode != 200 {
				t.Fatalf("%s: %v %v", path, a.Status, a.err)
			}
			return a, d
		}
		if _, d := poll("0-p1.m3u8"); d != 0 {
			t.Errorf("first request held for %v", d)
		}
		if _, d := poll("0-p1.m3u8"); d != time.Second {
			t.Errorf("unchanged playlist held for %v", d)
		}
		if _, d := poll("0-p1.m3u8"); d != time.Second {
			t.Errorf("unchanged playlist held for %v the second time", d)
		}
		if _, d := poll("0-p2.m3u8"); d != 0 {
			t.Errorf("another player's first request held for %v", d)
		}
		// A segment that comes while a request is held ends the wait at once.
		time.AfterFunc(300*time.Millisecond, func() { s.live(2, 3, false) })
		if a, d := poll("0-p1.m3u8"); d != 300*time.Millisecond || !strings.Contains(string(a.body), "0/2.ts") {
			t.Errorf("after %v:\n%s", d, a.body)
		}
		// Player 2 does not have it yet.
		if a, d := poll("0-p2.m3u8"); d != 0 || !strings.Contains(string(a.body), "0/2.ts") {
			t.Errorf("after %v:\n%s", d, a.body)
		}
		// One that came between two requests as well.
		s.live(3, 3, false)
		if _, d := poll("0-p1.m3u8"); d != 0 {
			t.Errorf("changed playlist held for %v", d)
		}
		// A probe does not count as being given the playlist.
		s.live(4, 3, false)
		if d := took(func() { s.do(t, http.MethodHead, s.url("0-p1.m3u8")) }); d != 0 {
			t.Errorf("HEAD held for %v", d)
		}
		if _, d := poll("0-p1.m3u8"); d != 0 {
			t.Errorf("held for %v after HEAD", d)
		}
		// Short targets: half of it. No target: one second.
		for _, tt := range []struct{ target, want time.Duration }{
			{time.Second, 500 * time.Millisecond}, {0, time.Second}, {10 * time.Second, time.Second},
		} {
			s.set(func() {
				p := *s.playlists[0]
				p.Revision++
				p.Media.Target = tt.target
				s.playlists[0] = &p
			})
			poll("0-p1.m3u8")
			if _, d := poll("0-p1.m3u8"); d != tt.want {
				t.Errorf("target %v: held for %v", tt.target, d)
			}
		}
		// An error while it is held must not make a player spin.
		time.AfterFunc(100*time.Millisecond, func() { s.set(func() { s.err = errors.New("broken") }) })
		if _, d := poll("0-p1.m3u8"); d != time.Second {
			t.Errorf("held for %v when the session fails", d)
		}
		s.set(func() { s.err = nil })
		s.live(5, 3, true)
		poll("0-p1.m3u8")
		if _, d := poll("0-p1.m3u8"); d != 0 {
			t.Errorf("ended playlist held for %v", d)
		}
		if st := s.mount.Stats(); st.Held == 0 || st.Playlists < 10 || st.Failed > 0 {
			t.Errorf("stats %+v", st)
		}
	})
}

// TestAlign: a player that always asks late gets to ask as segments appear.
func TestAlign(t *testing.T) {
	bubble(t, func(t *testing.T, s *setup) {
		const segment = 2 * time.Second
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		begin := time.Now()
		go func() {
			for seq := uint64(1); ctx.Err() == nil; seq++ {
				s.live(seq, 6, false)
				time.Sleep(segment)
			}
		}()
		poll := func(path string) time.Duration { return took(func() { s.get(t, path) }) }
		after := func(d time.Duration) { time.Sleep(time.Until(begin.Add(d))) }
		after(5*segment + 1900*time.Millisecond)
		if d := poll("0-p1.m3u8"); d != 0 {
			t.Errorf("first request held for %v", d)
		}
		after(6*segment + 1900*time.Millisecond)
		if d := poll("0-p1.m3u8"); d != 100*time.Millisecond {
			t.Errorf("second request held for %v", d)
		}
		after(8*segment + 1900*time.Millisecond)
		if d := poll("0-p1.m3u8"); d != 0 {
			t.Errorf("held for %v again, so soon", d)
		}
		// Early in a segment there is nothing to wait for.
		after(10*segment + 400*time.Millisecond)
		poll("0-p2.m3u8")
		after(11*segment + 400*time.Millisecond)
		if d := poll("0-p2.m3u8"); d != 0 {
			t.Errorf("held for %v with the next segment far", d)
		}
		// One that is behind is not made to wait.
		after(13*segment + 1900*time.Millisecond)
		if d := poll("0-p2.m3u8"); d != 0 {
			t.Errorf("held for %v though two segments behind", d)
		}
		// Nor one for a segment that is overdue, or never comes, beyond the usual.
		after(14*segment + 1900*time.Millisecond)
		cancel()
		if d := poll("0-p2.m3u8"); d != segment*3/4 {
			t.Errorf("held for %v when nothing comes", d)
		}
		time.Sleep(time.Minute)
		s.live(100, 6, false)
		time.Sleep(segment + time.Millisecond)
		if d := poll("0-p2.m3u8"); d != 0 {
			t.Errorf("held for %v for an overdue segment", d)
		}
	})
}

// TestHeldSingle: without a multivariant playlist, players are their connections.
func TestHeldSingle(t *testing.T) {
	bubble(t, func(t *testing.T, s *setup) {
		s.set(func() { s.presentation = single() })
		s.live(1, 3, false)
		poll := func() time.Duration {
			return took(func() {
				if a := s.get(t, masterName); a.StatusCode != 200 || !strings.Contains(string(a.body), "\n0/1.ts\n") {
					t.Errorf("%v\n%s", a.Status, a.body)
				}
			})
		}
		if d := poll(); d != 0 {
			t.Errorf("first request held for %v", d)
		}
		if d := poll(); d != 0 {
			t.Errorf("second request, right after the first, held for %v", d)
		}
		time.Sleep(time.Second)
		if d := poll(); d != time.Second {
			t.Errorf("held for %v", d)
		}
		s.client.CloseIdleConnections()
		if d := poll(); d != 0 {
			t.Errorf("new connection held for %v", d)
		}
	})
}

// TestPlaylistAlways: what a player gets while the session knows nothing yet, and
// when it fails later.
func TestPlaylistAlways(t *testing.T) {
	bubble(t, func(t *testing.T, s *setup) {
		for _, path := range []string{masterName, "0-p1.m3u8"} {
			var a answer
			d := took(func() { a = s.get(t, path) })
			if a.StatusCode != 503 || a.Header.Get("Retry-After") != "1" || d != firstHold {
				t.Errorf("%s: %v after %v", path, a.Status, d)
			}
			time.AfterFunc(3*time.Second, func() {
				s.set(func() { s.presentation = single() })
				s.live(1, 3, false)
			})
			d = took(func() { a = s.get(t, path) })
			if a.StatusCode != 200 || d != 3*time.Second {
				t.Errorf("%s: %v after %v", path, a.Status, d)
			}
			s.set(func() { s.presentation, s.playlists = nil, map[uint16]*Playlist{} })
			s.mount.mu.Lock()
			s.mount.presentation, s.mount.playlists = nil, map[listKey]*written{}
			s.mount.mu.Unlock()
		}
		s.set(func() { s.presentation = single() })
		s.live(1, 3, false)
		for _, path := range []string{masterName, "0-p9.m3u8"} {
			s.get(t, path)
		}
		// From now on nothing makes them fail.
		for name, change := range map[string]func(){
			"error":       func() { s.err = errors.New("broken") },
			"unavailable": func() { s.err = fmt.Errorf("feed: %w", ErrUnavailable) },
			"forgotten":   func() { s.presentation, s.playlists = nil, map[uint16]*Playlist{} },
		} {
			s.set(change)
			for _, path := range []string{masterName, "0-p9.m3u8", "0-p10.m3u8"} {
				var a answer
				d := took(func() { a = s.get(t, path) })
				if a.StatusCode != 200 || !strings.Contains(string(a.body), "0/1.ts") || d > 3*time.Second {
					t.Errorf("%s, %s: %v after %v", name, path, a.Status, d)
				}
			}
			s.set(func() { s.err = nil })
		}
	})
}

func TestPlayersForgotten(t *testing.T) {
	bubble(t, func(t *testing.T, s *setup) {
		s.live(1, 3, false)
		for i := range 2 * maxPlayers {
			s.get(t, fmt.Sprintf("0-p%d.m3u8", i))
			time.Sleep(time.Millisecond)
		}
		if n := len(s.mount.players); n != maxPlayers {
			t.Errorf("%d players remembered", n)
		}
		if d := took(func() { s.get(t, fmt.Sprintf("0-p%d.m3u8", 2*maxPlayers-1)) }); d == 0 {
			t.Error("the newest player was forgotten")
		}
	})
}

// TestPlayerHangsUp: a held request ends with its player.
func TestPlayerHangsUp(t *testing.T) {
	bubble(t, func(t *testing.T, s *setup) {
		s.client.Timeout = time.Second
		if a := s.get(t, "0-p1.m3u8"); a.err == nil {
			t.Error("answered with nothing to say")
		}
		synctest.Wait()
		s.server.conns.mu.Lock()
		defer s.server.conns.mu.Unlock()
		if n := len(s.server.conns.all); n != 0 {
			t.Errorf("%d connections left", n)
		}
	})
}
