package node

import (
	"bytes"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"coral/node/channel"
	"coral/node/nodetest"
)

// Every shape of HLS goes through the swarm with each byte right, and most of
// them come from the other viewers and the publisher.
func TestFormats(t *testing.T) {
	const segment = 300 * time.Millisecond
	for name, c := range map[string]struct {
		origin nodetest.OriginConfig
		player nodetest.PlayerConfig
	}{
		"ts":            {nodetest.OriginConfig{Backlog: 6}, nodetest.PlayerConfig{Segments: 15, Range: true}},
		"fmp4":          {nodetest.OriginConfig{Format: nodetest.FMP4, Backlog: 6, DiscontinuityEvery: 4}, nodetest.PlayerConfig{Segments: 15}},
		"ranged":        {nodetest.OriginConfig{Ranged: 4, Backlog: 8, Window: 8}, nodetest.PlayerConfig{Segments: 15}},
		"aes":           {nodetest.OriginConfig{KeyEvery: 3, Backlog: 6}, nodetest.PlayerConfig{Segments: 15}},
		"aes with iv":   {nodetest.OriginConfig{KeyEvery: 3, ExplicitIV: true, Format: nodetest.FMP4, Backlog: 6}, nodetest.PlayerConfig{Segments: 15}},
		"variants":      {nodetest.OriginConfig{Bitrates: []int{2e6, 8e5}, Backlog: 6}, nodetest.PlayerConfig{Segments: 15, Variant: 1}},
		"audio":         {nodetest.OriginConfig{Audio: []string{"en", "de"}, Backlog: 6}, nodetest.PlayerConfig{Segments: 15, Group: "AUDIO", Alternative: 1}},
		"subtitles":     {nodetest.OriginConfig{Audio: []string{"en"}, Subtitles: []string{"en"}, Backlog: 6}, nodetest.PlayerConfig{Segments: 15, Group: "SUBTITLES"}},
		"vod":           {nodetest.OriginConfig{Type: nodetest.VOD, Length: 12}, nodetest.PlayerConfig{}},
		"event":         {nodetest.OriginConfig{Type: nodetest.Event, Length: 16, Backlog: 6}, nodetest.PlayerConfig{}},
		"low latency":   {nodetest.OriginConfig{LowLatency: true, Format: nodetest.FMP4, Backlog: 6}, nodetest.PlayerConfig{Segments: 15}},
		"single":        {nodetest.OriginConfig{Single: true, Backlog: 6}, nodetest.PlayerConfig{Segments: 15}},
		"without dates": {nodetest.OriginConfig{NoDateTime: true, Extension: "-", Backlog: 6}, nodetest.PlayerConfig{Segments: 15}},
		"from nothing":  {nodetest.OriginConfig{FirstSequence: 1 << 33}, nodetest.PlayerConfig{Segments: 14}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.origin.Segment = segment
			origin := nodetest.NewOrigin(c.origin)
			_, p := organise(t, PublishConfig{Source: origin.Start(t)})
			x, y := view(t, "x", linkOf(t, p)), view(t, "y", linkOf(t, p))
			fed(t, x)
			fed(t, y)
			urls := []at{{x, x.URL()}, {y, y.URL()}}
			if c.player.Variant > 0 { // that a player chooses for itself
				for i := range urls {
					urls[i].url = strings.Replace(urls[i].url, "master.m3u8", "variants.m3u8", 1)
				}
			}
			playAll(t, c.player, urls...)
			for _, s := range []*Session{x, y} {
				st := s.Stats()
				if !st.Verified || st.BadBlocks != 0 || st.Feed.Rejected != 0 {
					t.Errorf("stats %+v", st)
				}
				if timed && st.Bytes.FromPeers <= 2*(st.Bytes.FromOrigin+st.Bytes.Unverified) {
					t.Errorf("%d bytes from peers, %d and %d from the origin", st.Bytes.FromPeers, st.Bytes.FromOrigin, st.Bytes.Unverified)
				}
			}
		})
	}
}

// An encoder that was restarted, with lower sequence numbers, is followed.
func TestSourceRestarts(t *testing.T) {
	t.Parallel()
	origin := nodetest.NewOrigin(nodetest.OriginConfig{Segment: 300 * time.Millisecond, Backlog: 6, FirstSequence: 1000})
	_, p := organise(t, PublishConfig{Source: origin.Start(t)})
	x, y := view(t, "x", linkOf(t, p)), view(t, "y", linkOf(t, p))
	var kx, ky ticker
	stopX := background(t, x, nodetest.PlayerConfig{OnSegment: kx.on})
	stopY := background(t, y, nodetest.PlayerConfig{OnSegment: ky.on})
	kx.more(t, 4)
	origin.Restart(3)
	for _, k := range []*ticker{&kx, &ky} {
		for k.more(t, 1).Epoch == 0 {
		}
		k.more(t, 4)
	}
	for _, r := range []*nodetest.Report{stopX(), stopY()} {
		if r.Corrupt > 0 || !smooth(r) {
			t.Errorf("played %v", r)
		}
		if i := slices.IndexFunc(r.Idents, func(id nodetest.Ident) bool { return id.Epoch == 1 }); r.Idents[i].Sequence != 3 {
			t.Errorf("the new run begins at %+v", r.Idents[i])
		}
	}
}

// A viewer that has the channel's name only asks a peer what it is.
func TestLinks(t *testing.T) {
	origin := nodetest.NewOrigin(nodetest.OriginConfig{Segment: 300 * time.Millisecond, Backlog: 6})
	_, p := organise(t, PublishConfig{Source: origin.Start(t)})
	for name, link := range map[string]func() *channel.Link{
		"name only": func() *channel.Link {
			l := linkOf(t, p)
			return &channel.Link{Channel: l.Channel, Peers: l.Peers}
		},
		"name and text": func() *channel.Link {
			l := linkOf(t, p)
			l.Descriptor, l.Name, l.Origins = nil, "Something else", nil
			l, err := channel.ParseLink(l.String())
			if err != nil {
				t.Fatal(err)
			}
			return l
		},
		"coral": func() *channel.Link {
			l, err := channel.ParseLink(p.Link().URI())
			if err != nil {
				t.Fatal(err)
			}
			return l
		},
		"torrent": func() *channel.Link {
			b, err := p.Link().Torrent()
			if err != nil {
				t.Fatal(err)
			}
			l, err := channel.ParseTorrent(b)
			if err != nil {
				t.Fatal(err)
			}
			l.Peers = p.Link().Peers // a torrent file names trackers only
			return l
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := view(t, "x", link())
			playAll(t, nodetest.PlayerConfig{Segments: 5}, s)
			st := until(t, "feed", s, func(st Stats) bool { return st.Verified })
			if st.Channel != "Reef" || s.Name() != "Reef" {
				t.Errorf("called %q", st.Channel)
			}
		})
	}
}

// A private channel plays for those who have its whole link, and for no one else.
func TestPrivateChannel(t *testing.T) {
	t.Parallel()
	origin := nodetest.NewOrigin(nodetest.OriginConfig{Segment: 300 * time.Millisecond, Backlog: 6})
	_, p := organise(t, PublishConfig{Source: origin.Start(t), Private: true, ViewerOrigin: "none"})
	link := linkOf(t, p)
	if !link.Descriptor.Private || len(link.Secret) == 0 {
		t.Fatalf("link %+v", link)
	}
	x, y := view(t, "x", link), view(t, "y", linkOf(t, p))
	spied := linkOf(t, p)
	spied.Secret = nil
	spy := view(t, "spy", spied)
	named := view(t, "named", &channel.Link{Channel: link.Channel, Peers: link.Peers})
	playAll(t, nodetest.PlayerConfig{Segments: 8}, x, y)
	for _, s := range []*Session{spy, named} {
		if st := s.Stats(); st.Peers.Connected != 0 || st.Feed.Entries != 0 {
			t.Errorf("without the secret: %+v", st)
		}
	}
}

// A private channel stays private, and its link a secret, where the publisher is
// started anew without a word of that.
func TestPrivateStays(t *testing.T) {
	t.Parallel()
	state, source := t.TempDir(), nodetest.NewOrigin(nodetest.OriginConfig{Backlog: 2}).Start(t)
	n, p := organise(t, PublishConfig{Source: source, State: state, Private: true})
	was := linkOf(t, p)
	n.end()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	_, p = organise(t, PublishConfig{Source: source, State: state, Tracker: true, Dashboard: l.Addr().String()})
	if link := linkOf(t, p); link.Channel != was.Channel || !bytes.Equal(link.Secret, was.Secret) || len(link.Trackers) > 0 {
		t.Errorf("%s became %s", was, link)
	}
	if text := fetchText(t, "http://"+l.Addr().String()+"/api/stats"); strings.Contains(text, "secret") {
		t.Errorf("the dashboard tells %s", text)
	}
}

// A node that was full of a channel serves it without its publisher, and a
// helper keeps what nobody watches.
func TestHelper(t *testing.T) {
	t.Parallel()
	origin := nodetest.NewOrigin(nodetest.OriginConfig{Segment: 300 * time.Millisecond, Type: nodetest.VOD, Length: 10})
	n, p := organise(t, PublishConfig{Source: origin.Start(t), ViewerOrigin: "none"})
	cfg := sharing(t, "helper")
	cfg.ProxyAddr = ""
	helper := run(t, cfg)
	h, err := helper.Seed(t.Context(), linkOf(t, p))
	if err != nil {
		t.Fatal(err)
	}
	var size int64
	for i := range uint64(10) {
		size += int64(len(origin.Bytes(nodetest.Ident{Sequence: i})))
	}
	until(t, "the whole recording", h, func(st Stats) bool {
		return st.Bytes.FromPeers >= size && st.Feed.Entries == 10+1 // and its end
	})
	n.end()
	link := linkOf(t, p)
	link.Peers = []string{helper.PeerAddr().String()}
	s := view(t, "x", link)
	playAll(t, nodetest.PlayerConfig{}, s)
	if st := s.Stats(); !st.Verified || st.Bytes.FromPeers != size {
		t.Errorf("of %d bytes: %+v", size, st)
	}
}
