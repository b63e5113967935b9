package node

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"coral/node/channel"
	"coral/node/nodetest"
	"coral/node/proxy"
)

// idOf finds the first rendition of a kind.
func idOf(t *testing.T, s *Session, kind channel.RenditionKind) int {
	t.Helper()
	for begun := time.Now(); time.Since(begun) < patience; time.Sleep(10 * time.Millisecond) {
		for _, r := range s.Renditions() {
			if r.Kind == kind {
				return r.ID
			}
		}
	}
	t.Fatal("no such rendition")
	return 0
}

// Cues come with the times that the picture has, each once.
func TestCaptions(t *testing.T) {
	t.Parallel()
	files := map[string]string{
		"/top.m3u8":  "#EXTM3U\n#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID=\"s\",NAME=\"English\",LANGUAGE=\"en\",URI=\"s.m3u8\"\n#EXT-X-STREAM-INF:BANDWIDTH=1000,SUBTITLES=\"s\"\nv.m3u8\n",
		"/v.m3u8":    "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-PLAYLIST-TYPE:VOD\n#EXTINF:2,\nv.ts\n#EXT-X-ENDLIST\n",
		"/s.m3u8":    "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n#EXT-X-PLAYLIST-TYPE:VOD\n",
		"/s1.vtt":    "WEBVTT\nX-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:900000\n\n00:00.500 --> 00:02.500\n<i>one</i>\n",
		"/s2.vtt":    "WEBVTT\nX-TIMESTAMP-MAP=LOCAL:00:00:02.000,MPEGTS:1080000\n\n00:00.500 --> 00:02.500\none\n\n00:03.000 --> 00:04.000\ntwo\n",
		"/s3.vtt":    "not subtitles",
		"/s4.vtt":    "\ufeffWEBVTT\r\nX-TIMESTAMP-MAP=MPEGTS:1260000,LOCAL:00:00:04.000\r\n\r\n00:05.000 --> 00:06.000\r\nthree\r\nlines\r\n",
		"/other.ts":  "",
		"/empty.vtt": "WEBVTT\n",
	}
	for _, n := range []string{"s1", "s2", "s3", "s4", "missing", "empty"} {
		files["/s.m3u8"] += fmt.Sprintf("#EXTINF:2,\n%s.vtt\n", n)
	}
	files["/s.m3u8"] += "#EXT-X-ENDLIST\n"
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, ok := files[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		http.ServeContent(w, r, r.URL.Path, time.Time{}, strings.NewReader(body))
	}))
	t.Cleanup(srv.Close)
	link, err := channel.ParseLink(srv.URL + "/top.m3u8")
	if err != nil {
		t.Fatal(err)
	}
	s := view(t, "x", link)
	fetchText(t, s.URL()) // players make the playlist known
	id := idOf(t, s, channel.Subtitles)
	read := func(behind time.Duration) (got []Caption) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		if err := s.Captions(ctx, id, behind, func(c []Caption) { got = append(got, c...) }); err != nil {
			t.Fatal(err)
		}
		return got
	}
	ms := time.Millisecond
	want := []Caption{{10500 * ms, 12500 * ms, "one"}, {13000 * ms, 14000 * ms, "two"}, {15000 * ms, 16000 * ms, "three\nlines"}}
	if got := read(time.Hour); !reflect.DeepEqual(got, want) {
		t.Errorf("from the beginning: %+v", got)
	}
	if got := read(0); !reflect.DeepEqual(got, want[2:]) {
		t.Errorf("the last segments: %+v", got)
	}
	if !want[0].At(11*time.Second) || want[0].At(13*time.Second) {
		t.Error("shown at the wrong time")
	}
	if err := s.Captions(t.Context(), idOf(t, s, channel.Variant), 0, nil); !errors.Is(err, proxy.ErrNotFound) {
		t.Errorf("a variant's subtitles: %v", err)
	}
}

// Live subtitles come through the swarm as they are published.
func TestCaptionsLive(t *testing.T) {
	t.Parallel()
	origin := nodetest.NewOrigin(nodetest.OriginConfig{Segment: 300 * time.Millisecond, Subtitles: []string{"en"}, Backlog: 6})
	_, p := organise(t, PublishConfig{Source: origin.Start(t), ViewerOrigin: "none"})
	s := view(t, "x", linkOf(t, p))
	fed(t, s)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	n := 0
	err := s.Captions(ctx, idOf(t, s, channel.Subtitles), 0, func(c []Caption) {
		if n += len(c); n >= 7 {
			cancel()
		}
	})
	if err != context.Canceled || n < 7 {
		t.Errorf("%d cues, %v", n, err)
	}
	if st := s.Stats(); st.Bytes.FromPeers == 0 || !st.Verified {
		t.Errorf("stats %+v", st)
	}
	id := idOf(t, s, channel.Subtitles)
	s.Close()
	if err := s.Captions(t.Context(), id, 0, func([]Caption) {}); !errors.Is(err, ErrClosed) {
		t.Errorf("of a session that has ended: %v", err)
	}
}
