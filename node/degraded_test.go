package node

import (
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"coral/node/nodetest"
)

// live is the channel that the tests of trouble play. Its target duration is a
// second, the least that playlists can say: the window and what players keep
// (behind) are several of those, as with longer segments.
var live = nodetest.OriginConfig{Segment: 300 * time.Millisecond, Window: 20, Backlog: 20}

const behind = 10

// closedPort is an address of this machine where nobody listens.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// again starts a publisher that was ended: same folders, same address.
func again(t *testing.T, at, cache string, cfg PublishConfig) (running, *Publication) {
	t.Helper()
	c := sharing(t, "publisher")
	c.ProxyAddr, c.Listen, c.CacheDir = "", at, cache
	n := run(t, c)
	p, err := n.Publish(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return n, p
}

// A viewer without any peer plays what the origin has, as without Coral.
func TestNoPeers(t *testing.T) {
	t.Parallel()
	origin := nodetest.NewOrigin(live)
	n, p := organise(t, PublishConfig{Source: origin.Start(t)})
	n.end()
	s := view(t, "x", linkOf(t, p))
	r := playAll(t, nodetest.PlayerConfig{Segments: 7}, s)[0]
	if st := s.Stats(); st.Peers.Connected != 0 || st.Bytes.FromPeers != 0 || st.Bytes.Unverified == 0 || st.Verified {
		t.Errorf("stats %+v", st)
	}
	if r.Startup > 2*time.Second {
		t.Errorf("played %v", r)
	}
}

// With sharing off, whether so said or by an upload limit of nothing, not one
// packet goes to a peer, a tracker or a DHT node.
func TestSharingOff(t *testing.T) {
	t.Parallel()
	for name, off := range map[string]func(*Config){
		"share off": func(c *Config) { c.Share = false },
		"upload 0":  func(c *Config) { c.Upload = 0 },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			u, err := net.ListenPacket("udp", l.Addr().String())
			if err != nil {
				l.Close()
				t.Fatal(err)
			}
			var touched atomic.Int32
			ended := make(chan struct{}, 2)
			go func() {
				defer func() { ended <- struct{}{} }()
				for {
					c, err := l.Accept()
					if err != nil {
						return
					}
					touched.Add(1)
					c.Close()
				}
			}()
			go func() {
				defer func() { ended <- struct{}{} }()
				for {
					if _, _, err := u.ReadFrom(make([]byte, 2048)); err != nil {
						return
					}
					touched.Add(1)
				}
			}()
			t.Cleanup(func() {
				l.Close()
				u.Close()
				<-ended
				<-ended
			})
			origin := nodetest.NewOrigin(live)
			n, p := organise(t, PublishConfig{Source: origin.Start(t)})
			n.end()
			link := linkOf(t, p)
			addr := l.Addr().String()
			link.Peers, link.Trackers = []string{addr}, []string{"http://" + addr + "/announce", "udp://" + addr}
			cfg := sharing(t, "x")
			cfg.DHT, cfg.Bootstrap = true, []string{addr}
			off(&cfg)
			v := run(t, cfg)
			s := watch(t, v.Node, link)
			playAll(t, nodetest.PlayerConfig{Segments: 8}, s)
			st := s.Stats()
			if st.Sharing || st.SentWire != 0 || st.ReceivedWire != 0 || v.PeerAddr().IsValid() {
				t.Errorf("at %v: %+v", v.PeerAddr(), st)
			}
			v.end()
			if n := touched.Load(); n != 0 {
				t.Errorf("%d connections or packets", n)
			}
			if _, err := n.Seed(t.Context(), link); err == nil {
				t.Error("a helper began on an ended node")
			}
		})
	}
}

// Viewers of a channel that names no origin have the swarm alone; one that does
// not share is told why it sees nothing.
func TestSwarmOnly(t *testing.T) {
	t.Parallel()
	origin := nodetest.NewOrigin(live)
	_, p := organise(t, PublishConfig{Source: origin.Start(t), ViewerOrigin: "none"})
	x, y := view(t, "x", linkOf(t, p)), view(t, "y", linkOf(t, p))
	playAll(t, nodetest.PlayerConfig{Segments: 7}, x, y)
	for _, s := range []*Session{x, y} {
		if st := s.Stats(); st.Bytes.FromOrigin+st.Bytes.Unverified != 0 || st.OriginRequests != 0 || !st.Verified {
			t.Errorf("stats %+v", st)
		}
	}
	if c := origin.Counts(); c.Requests[nodetest.Segment] > 20+10+10 {
		t.Errorf("the source was asked for %d segments", c.Requests[nodetest.Segment])
	}
	cfg := sharing(t, "alone")
	cfg.Share = false
	s := watch(t, run(t, cfg).Node, linkOf(t, p))
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Get(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("without sharing and origin: %s", res.Status)
	}
}

// The organiser's node goes and comes back: viewers go on from the origin's own
// playlists and each other, then the same chain goes on.
func TestPublisherGoneAndBack(t *testing.T) {
	t.Parallel()
	origin := nodetest.NewOrigin(live)
	cfg := PublishConfig{Source: origin.Start(t), State: t.TempDir(), Name: "Reef"}
	cache := t.TempDir()
	n, p := again(t, "127.0.0.1:0", cache, cfg)
	at, link := n.PeerAddr().String(), p.Link().String()
	x, y := view(t, "x", linkOf(t, p)), view(t, "y", linkOf(t, p))
	for _, s := range []*Session{x, y} {
		until(t, "the window", s, func(st Stats) bool { return st.Feed.Entries >= int64(live.Backlog) })
	}
	var kx, ky ticker
	stopX := background(t, x, nodetest.PlayerConfig{Behind: behind, OnSegment: kx.on})
	stopY := background(t, y, nodetest.PlayerConfig{Behind: behind, OnSegment: ky.on})
	kx.more(t, 12)
	ky.more(t, 1)
	n.end()
	until(t, "unverified", x, func(st Stats) bool { return !st.Verified })
	until(t, "unverified", y, func(st Stats) bool { return !st.Verified })
	kx.more(t, 4)
	ky.more(t, 1)
	before := x.Stats()
	_, p = again(t, at, cache, cfg)
	if l := p.Link().String(); l != link {
		t.Errorf("link %s became %s", link, l)
	}
	for _, s := range []*Session{x, y} {
		until(t, "verified again", s, func(st Stats) bool {
			return st.Verified && st.Feed.Entries > before.Feed.Entries && st.Bytes.FromPeers > before.Bytes.FromPeers
		})
	}
	kx.more(t, 4)
	ky.more(t, 1)
	for _, r := range []*nodetest.Report{stopX(), stopY()} {
		if r.Corrupt > 0 || !smooth(r) {
			t.Errorf("played %v", r)
		}
	}
	for _, s := range []*Session{x, y} {
		if st := s.Stats(); st.Feed.Rejected != 0 || st.BadBlocks != 0 {
			t.Errorf("stats %+v", st)
		}
	}
}

// The feed comes only when a player already plays from the origin.
func TestFeedLate(t *testing.T) {
	t.Parallel()
	origin := nodetest.NewOrigin(live)
	cfg := PublishConfig{Source: origin.Start(t), State: t.TempDir(), Name: "Reef"}
	cache := t.TempDir()
	n, p := again(t, "127.0.0.1:0", cache, cfg)
	at := n.PeerAddr().String()
	n.end()
	s := view(t, "x", linkOf(t, p))
	var k ticker
	stop := background(t, s, nodetest.PlayerConfig{Behind: behind, OnSegment: k.on, Range: true})
	k.more(t, 3)
	if st := s.Stats(); st.Verified || st.Feed.Entries != 0 {
		t.Fatalf("stats %+v", st)
	}
	again(t, at, cache, cfg)
	until(t, "feed", s, func(st Stats) bool { return st.Verified && st.Bytes.FromPeers > 0 })
	k.more(t, 4)
	if r := stop(); r.Corrupt > 0 || r.Skipped > 0 || r.Failed > 0 {
		t.Errorf("played %v", r)
	}
}

// Whatever is wrong with the origin that viewers are told of, the swarm plays.
func TestOriginTrouble(t *testing.T) {
	t.Parallel()
	all := func(nodetest.Ident) bool { return true }
	for name, f := range map[string]nodetest.Faults{
		"gone":      {Gone: true},
		"5xx":       {Status: 503},
		"forbidden": {Status: 403, Only: []nodetest.Kind{nodetest.Segment}},
		"slow":      {Delay: time.Second, Rate: 20_000},
		"hangs":     {Hang: true},
		"stale":     {Stale: true},
		"lying":     {Corrupt: all},
		"cut off":   {Truncate: all},
		"no ranges": {NoRange: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			source, told := nodetest.NewOrigin(live), nodetest.NewOrigin(live) // same bytes
			_, p := organise(t, PublishConfig{Source: source.Start(t), ViewerOrigin: told.Start(t)})
			x, y := view(t, "x", linkOf(t, p)), view(t, "y", linkOf(t, p))
			for _, s := range []*Session{x, y} {
				until(t, "the window", s, func(st Stats) bool { return st.Feed.Entries >= int64(live.Backlog) })
			}
			told.Set(f)
			for _, r := range playAll(t, nodetest.PlayerConfig{Segments: 16, Behind: behind}, x, y) {
				if !smooth(r) {
					t.Errorf("played %v", r)
				}
			}
			for _, s := range []*Session{x, y} {
				if st := s.Stats(); !st.Verified || timed && st.Bytes.FromPeers < st.Bytes.FromOrigin {
					t.Errorf("stats %+v", st)
				}
			}
		})
	}
}

// What a lying origin sends is refused, and had from a peer as soon as one has it.
func TestLyingOrigin(t *testing.T) {
	t.Parallel()
	vod := nodetest.OriginConfig{Segment: 300 * time.Millisecond, Type: nodetest.VOD, Length: 8}
	source, told := nodetest.NewOrigin(vod), nodetest.NewOrigin(vod)
	told.Set(nodetest.Faults{Corrupt: func(id nodetest.Ident) bool { return id.Sequence == 2 }})
	cfg := PublishConfig{Source: source.Start(t), ViewerOrigin: told.Start(t), State: t.TempDir(), Name: "Reef"}
	cache := t.TempDir()
	n, p := again(t, "127.0.0.1:0", cache, cfg)
	at := n.PeerAddr().String()
	s := view(t, "x", linkOf(t, p))
	until(t, "whole feed", s, func(st Stats) bool { return st.Feed.Entries > 8 })
	n.end()
	until(t, "publisher gone", s, func(st Stats) bool { return st.Peers.Connected == 0 })
	var k ticker
	stop := background(t, s, nodetest.PlayerConfig{OnSegment: k.on})
	st := until(t, "refused blocks", s, func(st Stats) bool { return st.BadBlocks > 0 })
	if _, shown := k.seen(); shown > 2 || st.Bytes.FromOrigin == 0 || st.Bytes.Unverified != 0 {
		t.Errorf("%d segments shown, %+v", shown, st)
	}
	again(t, at, cache, cfg)
	if _, shown := k.seen(); shown < 8 {
		k.more(t, 8-shown)
	}
	st = s.Stats()
	if r := stop(); r.Corrupt > 0 || st.Bytes.FromPeers == 0 {
		t.Errorf("played %v, %+v", r, st)
	}
}

// A cache that cannot be written is kept in memory, and everything goes on.
func TestCacheUnwritable(t *testing.T) {
	t.Parallel()
	origin := nodetest.NewOrigin(live)
	_, p := organise(t, PublishConfig{Source: origin.Start(t)})
	file := filepath.Join(t.TempDir(), "cache")
	if err := os.WriteFile(file, []byte("in its place"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := sharing(t, "x")
	cfg.CacheDir = file
	n := run(t, cfg)
	if n.Degraded() == nil {
		t.Error("a file is a cache folder")
	}
	cfg = sharing(t, "y")
	cfg.CacheDir, cfg.CacheSize = "", 0
	m := run(t, cfg)
	playAll(t, nodetest.PlayerConfig{Segments: 7}, watch(t, n.Node, linkOf(t, p)), watch(t, m.Node, linkOf(t, p)))
	if b, err := os.ReadFile(file); err != nil || string(b) != "in its place" {
		t.Errorf("%q, %v", b, err)
	}
}

// What was seen once is not fetched again by the next run.
func TestCacheSurvives(t *testing.T) {
	t.Parallel()
	origin := nodetest.NewOrigin(nodetest.OriginConfig{Segment: 300 * time.Millisecond, Type: nodetest.VOD, Length: 8})
	_, p := organise(t, PublishConfig{Source: origin.Start(t), ViewerOrigin: "none"})
	// Until its end is known it is live, and players begin near the edge.
	until(t, "the whole recording", p.Session, func(st Stats) bool { return st.Feed.Entries == 8+1 })
	cfg := sharing(t, "x")
	n := run(t, cfg)
	s := watch(t, n.Node, linkOf(t, p))
	playAll(t, nodetest.PlayerConfig{}, s)
	st := s.Stats()
	n.end()
	s = watch(t, run(t, cfg).Node, linkOf(t, p))
	playAll(t, nodetest.PlayerConfig{}, s)
	if again := s.Stats(); again.Bytes.FromCache != st.Bytes.FromPeers || again.Bytes.FromPeers != 0 {
		t.Errorf("first %+v, then %+v", st.Bytes, again.Bytes)
	}
}

// A link whose names lead nowhere ends in an answer, not in silence.
func TestOriginNever(t *testing.T) {
	t.Parallel()
	origin := nodetest.NewOrigin(live)
	n, p := organise(t, PublishConfig{Source: origin.Start(t), ViewerOrigin: "http://" + closedPort(t) + "/x.m3u8"})
	n.end()
	cfg := sharing(t, "x")
	cfg.Share = false
	s := watch(t, run(t, cfg).Node, linkOf(t, p))
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Get(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body := make([]byte, 1000)
	k, _ := res.Body.Read(body)
	if res.StatusCode != http.StatusServiceUnavailable || strings.Count(strings.TrimSpace(string(body[:k])), "\n") > 0 {
		t.Errorf("%s: %q", res.Status, body[:k])
	}
}
