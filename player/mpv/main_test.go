package mpv

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"

	"coral/player"
)

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "coral-mpv")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	clips.dir = dir
	// Tests with the real library mostly wait for time to pass.
	flag.Parse()
	if err := flag.Set("test.parallel", "16"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	os.RemoveAll(dir)
	if code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// real makes a player of the real libmpv, or of the one that LIBMPV_PATH names.
func real(t testing.TB) *Player {
	t.Helper()
	if err := Available(); err != nil {
		t.Skip(err)
	}
	return run(t, Options{Volume: 0, Muted: true})
}

// run opens a player and works for it until the test is over.
func run(t testing.TB, o Options) *Player {
	t.Helper()
	level := slog.LevelInfo
	if testing.Verbose() {
		level = slog.LevelDebug
	}
	o.Log = slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: level}))
	o.audio = "null" // sound servers that are looked for and not there block, many at once
	p, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- p.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
	})
	p.Frames().SetSize(320, 180)
	return p
}

// await waits until the state is as wanted.
func await(t testing.TB, p *Player, what string, within time.Duration, ok func(s player.State) bool) player.State {
	t.Helper()
	late := time.After(within)
	for {
		s := p.State()
		if ok(s) {
			return s
		}
		select {
		case <-p.Changed():
		case <-late:
			t.Fatalf("%s: not within %v: %+v", what, within, s)
		}
	}
}

func moving(s player.State) bool { return s.Phase == player.Playing && s.Position > 0 }

func at(want, slack time.Duration) func(player.State) bool {
	return func(s player.State) bool {
		return s.Phase == player.Playing && s.Position > want-slack && s.Position < want+slack
	}
}
