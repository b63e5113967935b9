package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// tool is a program or a library that a test or the demo uses.
type tool struct {
	program string // or a pattern of files: what has a slash
	pkg     string // Debian's name
	what    string
}

// there reports whether t is installed.
func (t tool) there() bool {
	if !strings.Contains(t.program, "/") {
		return have(t.program)
	}
	found, _ := filepath.Glob(t.program)
	return len(found) > 0
}

// name is what to call t.
func (t tool) name() string { return strings.TrimSuffix(filepath.Base(t.program), "*") }

// players are the real programs that Coral is tried with.
var players = []tool{
	{"ffmpeg", "ffmpeg", "makes and decodes real streams"},
	{"ffprobe", "ffmpeg", "looks into them"},
	{"mpv", "mpv", "plays through the proxy"},
	{"transmission-cli", "transmission-cli", "joins a swarm as an ordinary BitTorrent program"},
}

// builders are what the window is built with on Linux, and shown with.
var builders = []tool{
	{"gcc", "gcc libc6-dev", "builds the window"},
	{"pkg-config", "pkg-config", "builds the window"},
	{"/usr/include/GL/gl.h", "libgl-dev", "builds the window"},
	{"/usr/include/X11/Xlib.h", "libx11-dev", "builds the window"},
	{"/usr/include/X11/Xcursor/Xcursor.h", "libxcursor-dev", "builds the window"},
	{"/usr/include/X11/extensions/Xrandr.h", "libxrandr-dev", "builds the window"},
	{"/usr/include/X11/extensions/Xinerama.h", "libxinerama-dev", "builds the window"},
	{"/usr/include/X11/extensions/XInput2.h", "libxi-dev", "builds the window"},
	{"/usr/include/X11/extensions/xf86vmode.h", "libxxf86vm-dev", "builds the window"},
	{"/usr/lib/*/dri/*_dri.so", "libgl1-mesa-dri", "draws the window"},
	{"/usr/lib/*/libmpv.so.2*", "libmpv2", "plays the picture"},
}

// screens are what the window is tried with where there is no display.
var screens = []tool{
	{"Xvfb", "xvfb", "is a display in memory"},
	{"openbox", "openbox", "manages the windows on it"},
	{"xdotool", "xdotool", "uses keyboard and mouse on it"},
	{"import", "imagemagick", "takes pictures of it"},
	{"chromium", "chromium", "shows the web player"},
	{"dbus-daemon", "dbus", "carries the desktop's messages"},
}

var compiler = tool{"gcc", "gcc libc6-dev", "is needed by the race detector"}

// install brings what is missing where the system's packages can be installed
// without a question, and says what stays missing. It never fails: tests that
// need a tool skip themselves, and the demo does without a window.
func install(ctx context.Context, tools []tool) {
	var missing []tool
	var pkgs []string
	for _, t := range tools {
		if t.there() {
			continue
		}
		missing = append(missing, t)
		for p := range strings.FieldsSeq(t.pkg) {
			if !slices.Contains(pkgs, p) {
				pkgs = append(pkgs, p)
			}
		}
	}
	if len(missing) == 0 {
		return
	}
	step("installing %s", strings.Join(pkgs, " "))
	if become, ok := packager(ctx); !ok {
		fmt.Println("not possible here: no apt-get, or neither root nor sudo without a password")
	} else {
		apt := func(args ...string) error {
			words := append(append(become, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q"), args...)
			return stream(ctx, "", nil, words[0], words[1:]...)
		}
		err := apt("update")
		if err == nil {
			err = apt(append([]string{"install", "-y", "--no-install-recommends"}, pkgs...)...)
		}
		if err != nil {
			fmt.Println("not installed:", err)
		}
	}
	for _, t := range missing {
		if !t.there() {
			fmt.Printf("%s is missing, which %s\n", t.name(), t.what)
		}
	}
}

// packager says what to put before apt-get, if packages can be installed.
func packager(ctx context.Context) (become []string, ok bool) {
	if runtime.GOOS != "linux" || !have("apt-get") {
		return nil, false
	}
	if os.Geteuid() == 0 {
		return nil, true
	}
	if have("sudo") && exec.CommandContext(ctx, "sudo", "-n", "true").Run() == nil {
		return []string{"sudo", "-n"}, true
	}
	return nil, false
}
