package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
)

// tool is a program that some tests use; without it they are skipped.
type tool struct {
	program string
	pkg     string // Debian's name
	what    string
}

// players are the real programs that Coral is tried with.
var players = []tool{
	{"ffmpeg", "ffmpeg", "makes and decodes real streams"},
	{"ffprobe", "ffmpeg", "looks into them"},
	{"mpv", "mpv", "plays through the proxy"},
	{"transmission-cli", "transmission-cli", "joins a swarm as an ordinary BitTorrent program"},
}

var compiler = tool{"gcc", "gcc libc6-dev", "is needed by the race detector"}

// install brings what is missing where the system's packages can be installed
// without a question, and says what stays missing. It never fails: the tests
// that need a tool skip themselves.
func install(ctx context.Context, tools []tool) {
	var missing []tool
	var pkgs []string
	for _, t := range tools {
		if have(t.program) {
			continue
		}
		missing = append(missing, t)
		for p := range strings.FieldsSeq(t.pkg) {
			if len(pkgs) == 0 || pkgs[len(pkgs)-1] != p {
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
		if !have(t.program) {
			fmt.Printf("without %s, which %s, its tests are skipped\n", t.program, t.what)
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
