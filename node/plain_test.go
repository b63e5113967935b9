package node

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"coral/node/budget"
	"coral/node/channel"
	"coral/node/nodetest"
)

// play plays url for n segments and wants all of them right.
func play(t *testing.T, cfg nodetest.PlayerConfig, within time.Duration) *nodetest.Report {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	r := nodetest.Play(ctx, cfg)
	if r.Corrupt > 0 || cfg.Segments > 0 && r.Segments < cfg.Segments {
		t.Fatalf("played %v", r)
	}
	return r
}

// open makes a node that runs until the test ends.
func open(t *testing.T, cfg Config) *Node {
	t.Helper()
	n, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- n.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("run: %v", err)
		}
	})
	return n
}

func watch(t *testing.T, n *Node, link *channel.Link) *Session {
	t.Helper()
	s, err := n.Watch(t.Context(), link)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A playlist that is no channel plays as it would without Coral.
func TestPlainPlaylist(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]nodetest.OriginConfig{
		"live":     {Segment: 200 * time.Millisecond, Bitrates: []int{4e6, 1e6}, Backlog: 6},
		"single":   {Segment: 200 * time.Millisecond, Single: true, Backlog: 6},
		"fmp4":     {Segment: 200 * time.Millisecond, Format: nodetest.FMP4, Backlog: 6, DiscontinuityEvery: 4},
		"ranged":   {Segment: 200 * time.Millisecond, Ranged: 4, Backlog: 8},
		"aes":      {Segment: 200 * time.Millisecond, KeyEvery: 3, Backlog: 6},
		"vod":      {Segment: 200 * time.Millisecond, Type: nodetest.VOD, Length: 12},
		"event":    {Segment: 200 * time.Millisecond, Type: nodetest.Event, Length: 14, Backlog: 6},
		"low":      {Segment: 200 * time.Millisecond, LowLatency: true, Backlog: 6},
		"subtitle": {Segment: 200 * time.Millisecond, Audio: []string{"en"}, Subtitles: []string{"en"}, Backlog: 6},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			origin := nodetest.NewOrigin(cfg)
			link, err := channel.ParseLink(origin.Start(t))
			if err != nil {
				t.Fatal(err)
			}
			n := open(t, Config{Download: budget.Unlimited, ProxyAddr: "127.0.0.1:0", Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
			s := watch(t, n, link)
			play(t, nodetest.PlayerConfig{URL: s.URL(), Segments: 8, Range: true}, 20*time.Second)
			if st := s.Stats(); st.Verified || st.Bytes.Unverified == 0 || st.StartupMS == 0 {
				t.Errorf("stats %+v", st)
			}
		})
	}
}
