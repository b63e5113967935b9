//go:build linux

package realtest

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A first viewer is asked before anything goes to a peer, sees moving pictures,
// pauses, pauses sharing, fills the screen, leaves; what was answered and opened
// is remembered.
func TestFirstVisit(t *testing.T) {
	needs(t)
	c := newChannel(t)
	s := newScreen(t, "1280x800")
	dir, env := home(t)
	env = slices.Concat(s.env, env)
	app := start(t, env, filepath.Join(built, "coral"), c.link)
	s.show(t)
	window := s.do(t, "search", "--sync", "--onlyvisible", "--name", "Coral")
	window, _, _ = strings.Cut(window, "\n")

	time.Sleep(4 * time.Second)
	if n := c.connected(); n != 2 {
		t.Fatalf("%d peers before the question was answered", n-2)
	}
	s.answer(t, dir, "Left", "on")
	eventually(t, "peers after the answer", func() bool { return c.connected() == 3 })

	moving := func() bool {
		a := s.picture(t)
		time.Sleep(700 * time.Millisecond)
		return differ(a, s.picture(t)) > 0.05
	}
	eventually(t, "a moving picture", moving)
	s.do(t, "key", "space")
	eventually(t, "a picture that stands still", func() bool { return !moving() })
	s.do(t, "key", "space")
	eventually(t, "a picture that moves again", moving)

	s.do(t, "key", "s")
	eventually(t, "sharing paused", func() bool { return c.connected() == 2 })
	if !moving() { // a busy machine may stand still for a look
		if !moving() {
			t.Error("no picture while sharing is paused")
		}
	}
	s.do(t, "key", "s")
	eventually(t, "sharing again", func() bool { return c.connected() == 3 })

	s.fullScreen(t, window, "1280x800")

	// A second program hands its link over and ends.
	second := start(t, env, filepath.Join(built, "coral"), c.link)
	if err := second.ends(t); err != nil {
		t.Errorf("second program: %v %s", err, second.said())
	}
	app.cmd.Process.Signal(syscall.SIGTERM)
	if err := app.ends(t); err != nil {
		t.Errorf("it ended with %v", err)
	}
	eventually(t, "a goodbye", func() bool { return c.connected() == 2 })
	for file, want := range map[string]string{"config/coral/settings.json": `"share": "on"`, "data/coral/library/channels.json": "Reef"} {
		b, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil || !strings.Contains(string(b), want) {
			t.Errorf("%s: %v\n%s", file, err, b)
		}
	}
	if log, err := os.ReadFile(filepath.Join(dir, "state/coral/coral.log")); err != nil || strings.Contains(string(log), "127.0.0.1") || strings.Contains(string(log), "magnet:") {
		t.Errorf("log: %v\n%s", err, log)
	}
}

// Who only watches sends nothing to peers, and sees the same.
func TestWatchOnly(t *testing.T) {
	needs(t)
	c := newChannel(t)
	s := newScreen(t, "800x600")
	dir, env := home(t)
	shot := filepath.Join(t.TempDir(), "shot.png")
	start(t, slices.Concat(s.env, env), filepath.Join(built, "coral"), "--screenshot", shot, c.link)
	s.show(t)
	s.do(t, "search", "--sync", "--onlyvisible", "--name", "Coral")
	s.answer(t, dir, "Right", "off")
	eventually(t, "a screenshot once it plays", func() bool {
		info, err := os.Stat(shot)
		return err == nil && info.Size() > 10_000
	})
	for range 10 {
		if n := c.connected(); n != 2 {
			t.Fatalf("%d peers, though only watching", n-2)
		}
		time.Sleep(500 * time.Millisecond)
	}
}
