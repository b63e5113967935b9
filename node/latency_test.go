package node

import (
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"coral/node/budget"
	"coral/node/channel"
	"coral/node/hls"
	"coral/node/nodetest"
	"coral/node/proxy"
	"coral/store/segment"
)

// What is listed ends where players that begin three segments before it are at the
// wanted distance, and never shrinks.
func TestLatency(t *testing.T) {
	list := func(n int, kind channel.PlaylistType, ended bool) *proxy.Playlist {
		pl := &proxy.Playlist{Media: hls.Media{Type: kind, Ended: ended, Target: 2 * time.Second, HoldBack: 12 * time.Second}}
		for i := range n {
			pl.Media.Segments = append(pl.Media.Segments, hls.Segment{Sequence: uint64(i + 1), Duration: 2 * time.Second})
			pl.IDs = append(pl.IDs, segment.ID{Sequence: uint64(i + 1)})
			pl.Inits = append(pl.Inits, segment.ID{})
			pl.Keys, pl.InitKeys = append(pl.Keys, -1), append(pl.InitKeys, -1)
		}
		return pl
	}
	for _, c := range []struct {
		name     string
		latency  time.Duration
		pl       *proxy.Playlist
		shown    uint64
		want     int
		holdBack time.Duration
	}{
		{"none wanted", 0, list(8, channel.Live, false), 0, 8, 12 * time.Second},
		{"what players keep anyway", 6 * time.Second, list(8, channel.Live, false), 0, 8, 12 * time.Second},
		{"less than that", time.Second, list(8, channel.Live, false), 0, 8, 12 * time.Second},
		{"one more", 8 * time.Second, list(8, channel.Live, false), 0, 7, 10 * time.Second},
		{"nearly one more", 7500 * time.Millisecond, list(8, channel.Live, false), 0, 7, 10 * time.Second},
		{"three more", 12 * time.Second, list(8, channel.Live, false), 0, 5, 6 * time.Second},
		{"more than there is", time.Minute, list(8, channel.Live, false), 0, 3, 2 * time.Second},
		{"few", 12 * time.Second, list(2, channel.Live, false), 0, 2, 12 * time.Second},
		{"listed before", 12 * time.Second, list(8, channel.Live, false), 7, 7, 10 * time.Second},
		{"ended", 12 * time.Second, list(8, channel.Live, true), 0, 8, 12 * time.Second},
		{"event", 12 * time.Second, list(8, channel.Event, false), 0, 8, 12 * time.Second},
	} {
		s := &Session{node: &Node{cfg: Config{Latency: c.latency}}}
		s.keepBack(&rendition{shown: c.shown}, c.pl)
		m := &c.pl.Media
		if n := len(m.Segments); n != c.want || len(c.pl.IDs) != n || len(c.pl.Inits) != n || len(c.pl.Keys) != n || len(c.pl.InitKeys) != n || m.HoldBack != c.holdBack {
			t.Errorf("%s: %d segments, HOLD-BACK %v", c.name, n, m.HoldBack)
		}
	}
}

// Players of a low-latency source are told to keep the distance that it asks for,
// and nothing of parts; with a latency of their own they begin behind it.
func TestLowLatencyListed(t *testing.T) {
	t.Parallel()
	origin := nodetest.NewOrigin(nodetest.OriginConfig{Segment: time.Second, Window: 12, LowLatency: true, Single: true, Backlog: 14})
	link, err := channel.ParseLink(origin.Start(t))
	if err != nil {
		t.Fatal(err)
	}
	read := func(latency time.Duration) (segments int, list string) {
		cfg := Config{Download: budget.Unlimited, ProxyAddr: "127.0.0.1:0", Latency: latency, Log: slog.New(slog.NewTextHandler(t.Output(), nil))}
		list = text(t, http.DefaultClient, watch(t, open(t, cfg), link).URL())
		return strings.Count(list, "#EXTINF"), list
	}
	n, text := read(0)
	if n != 12 || !strings.Contains(text, "#EXT-X-SERVER-CONTROL:HOLD-BACK=12") || strings.Contains(text, "PART") || strings.Contains(text, "HINT") || strings.Contains(text, "SKIP") {
		t.Errorf("%d segments listed:\n%s", n, text)
	}
	if n, text := read(7 * time.Second); n != 8 || !strings.Contains(text, "#EXT-X-SERVER-CONTROL:HOLD-BACK=8") {
		t.Errorf("with a latency of 7 s: %d segments listed:\n%s", n, text)
	}
}
