package node

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"coral/node/budget"
	"coral/node/channel"
	"coral/node/nodetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long tests wait for what should come within a second or two:
// the machine may be busy.
const patience = 20 * time.Second

// smooth reports whether a viewing went as it should, with room for a busy
// machine: the segments of tests are a fraction of a second long, and so is
// their window, out of which one falls when a node waits for the processor.
func smooth(r *nodetest.Report) bool {
	return !timed || r.Skipped <= 3 && r.Stalled() < 2*time.Second
}

// logTo shows a node's log with the test that it belongs to.
func logTo(t *testing.T, who string) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug})).With("node", who)
}

// sharing is a node's configuration for loopback: real peers, nothing of the
// Internet.
func sharing(t *testing.T, who string) Config {
	return Config{
		CacheDir: t.TempDir(), CacheSize: 64 << 20, Listen: "127.0.0.1:0", Share: true,
		Upload: budget.Unlimited, Download: budget.Unlimited, ProxyAddr: "127.0.0.1:0", Log: logTo(t, who),
	}
}

// running is a node that a test can end before it ends itself.
type running struct {
	*Node
	end func()
}

// run makes a node that runs until end is called or the test ends.
func run(t *testing.T, cfg Config) running {
	t.Helper()
	n, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- n.Run(ctx) }()
	end := sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("run: %v", err)
		}
	})
	t.Cleanup(end)
	return running{n, end}
}

// organise starts a node that publishes cfg and returns both.
func organise(t *testing.T, cfg PublishConfig) (running, *Publication) {
	t.Helper()
	if cfg.State == "" {
		cfg.State = t.TempDir()
	}
	if cfg.Name == "" {
		cfg.Name = "Reef"
	}
	c := sharing(t, "publisher")
	c.ProxyAddr = ""
	n := run(t, c)
	p, err := n.Publish(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return n, p
}

// linkOf returns a publication's link as a viewer reads it.
func linkOf(t *testing.T, p *Publication) *channel.Link {
	t.Helper()
	l, err := channel.ParseLink(p.Link().String())
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// view opens link in a new node.
func view(t *testing.T, who string, link *channel.Link) *Session {
	t.Helper()
	return watch(t, run(t, sharing(t, who)).Node, link)
}

// until waits for what the sessions' statistics say.
func until(t *testing.T, what string, s *Session, ok func(Stats) bool) Stats {
	t.Helper()
	for begun := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		st := s.Stats()
		if ok(st) {
			return st
		}
		if time.Since(begun) > patience {
			t.Fatalf("%s: not within %v: %+v", what, patience, st)
		}
	}
}

// fed waits until s can show the signed feed.
func fed(t *testing.T, s *Session) {
	t.Helper()
	until(t, "feed", s, func(st Stats) bool { return st.Verified && st.Feed.Entries > 0 })
}

// playAll plays the same in all sessions at once.
func playAll[S interface{ URL() string }](t *testing.T, cfg nodetest.PlayerConfig, sessions ...S) []*nodetest.Report {
	t.Helper()
	reports := make([]*nodetest.Report, len(sessions))
	var players sync.WaitGroup
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for i, s := range sessions {
		cfg := cfg
		cfg.URL = s.URL()
		players.Go(func() { reports[i] = nodetest.Play(ctx, cfg) })
	}
	players.Wait()
	for i, r := range reports {
		if r.Corrupt > 0 || r.Segments < cfg.Segments || cfg.Segments == 0 && !r.Ended {
			t.Fatalf("player %d: %v", i, r)
		}
	}
	return reports
}

// background plays s until the returned function is called, which gives the
// report.
func background(t *testing.T, s *Session, cfg nodetest.PlayerConfig) (stop func() *nodetest.Report) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan *nodetest.Report, 1)
	if cfg.URL == "" {
		cfg.URL = s.URL()
	}
	go func() { done <- nodetest.Play(ctx, cfg) }()
	t.Cleanup(cancel)
	return sync.OnceValue(func() *nodetest.Report {
		cancel()
		return <-done
	})
}

// ticker counts the right segments that a player showed, for others to wait for.
type ticker struct {
	mu   sync.Mutex
	last nodetest.Ident
	n    int
}

func (k *ticker) on(id nodetest.Ident, _ time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.last = id
	k.n++
}

func (k *ticker) seen() (nodetest.Ident, int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.last, k.n
}

// more waits until n more segments were shown and returns the newest.
func (k *ticker) more(t *testing.T, n int) nodetest.Ident {
	t.Helper()
	_, before := k.seen()
	for begun := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		last, now := k.seen()
		if now >= before+n {
			return last
		}
		if time.Since(begun) > patience {
			t.Fatalf("%d more segments: only %d within %v", n, now-before, patience)
		}
	}
}
