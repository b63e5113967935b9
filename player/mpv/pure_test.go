package mpv

import (
	"image"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestFit(t *testing.T) {
	for name, c := range map[string]struct {
		source, widget image.Point
		highest        int
		want           image.Point
	}{
		"same":          {image.Pt(1280, 720), image.Pt(1280, 720), 0, image.Pt(1280, 720)},
		"smaller":       {image.Pt(1920, 1080), image.Pt(1280, 720), 0, image.Pt(1280, 720)},
		"tall widget":   {image.Pt(1920, 1080), image.Pt(800, 600), 0, image.Pt(800, 450)},
		"wide widget":   {image.Pt(1920, 1080), image.Pt(1000, 450), 0, image.Pt(800, 450)},
		"small source":  {image.Pt(640, 360), image.Pt(1920, 1080), 0, image.Pt(640, 360)},
		"capped":        {image.Pt(1920, 1080), image.Pt(1920, 1080), 720, image.Pt(1280, 720)},
		"upright":       {image.Pt(1080, 1920), image.Pt(1280, 720), 0, image.Pt(405, 720)},
		"no video":      {image.Point{}, image.Pt(1280, 720), 0, image.Point{}},
		"no widget":     {image.Pt(1280, 720), image.Point{}, 0, image.Point{}},
		"a line":        {image.Pt(8000, 1), image.Pt(100, 100), 0, image.Pt(100, 1)},
		"huge":          {image.Pt(1<<20, 1<<20), image.Pt(maxSide, maxSide), 0, image.Pt(maxSide, maxSide)},
		"cap of a line": {image.Pt(1280, 720), image.Pt(1280, 720), 1, image.Pt(2, 1)},
	} {
		if got := fit(c.source, c.widget, c.highest); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// Audio and video tell of the same discontinuity; the next one is another.
func TestMarks(t *testing.T) {
	const s = time.Second
	var marks []mark
	marks = addMark(marks, 1*s, 41*s)
	marks = addMark(marks, 1100*time.Millisecond, 41050*time.Millisecond)
	// The second turn: mpv already adds 40 s to what it reads.
	marks = addMark(marks, 41*s, 81*s)
	marks = addMark(marks, 41*s, 81*s)
	if len(marks) != 2 {
		t.Fatalf("%v", marks)
	}
	for at, want := range map[time.Duration]time.Duration{30 * s: 30 * s, 42 * s: 2 * s, 80 * s: 40 * s, 83 * s: 3 * s} {
		if got := original(marks, at); got != want {
			t.Errorf("at %v: %v, want %v", at, got, want)
		}
	}
}

func TestHint(t *testing.T) {
	for name, c := range map[string]struct{ system, release, want string }{
		"debian":  {"linux", "NAME=\"Debian GNU/Linux\"\nID=debian\n", "apt install libmpv2"},
		"mint":    {"linux", "ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n", "apt install libmpv2"},
		"fedora":  {"linux", "ID=fedora\n", "dnf install"},
		"suse":    {"linux", "ID=\"opensuse-leap\"\nID_LIKE=\"suse opensuse\"\n", "zypper"},
		"unknown": {"linux", "", "package manager"},
		"mac":     {"darwin", "", "brew install mpv"},
		"windows": {"windows", "", "libmpv-2.dll"},
	} {
		if got := hint(c.system, c.release); !strings.Contains(got, c.want) || strings.Contains(got, "\n") {
			t.Errorf("%s: %q", name, got)
		}
	}
	if InstallHint() == "" {
		t.Error("no hint for this system")
	}
}

func TestCandidates(t *testing.T) {
	for system, want := range map[string]string{"linux": "libmpv.so.2", "darwin": "/opt/homebrew/lib/libmpv.2.dylib", "windows": "libmpv-2.dll"} {
		if got := candidates(system, "/opt/coral"); !slices.Contains(got, want) || !strings.HasPrefix(got[0], "/opt/coral") {
			t.Errorf("%s: %v", system, got)
		}
	}
}
