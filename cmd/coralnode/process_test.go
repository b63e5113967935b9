package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"coral/assets"
)

// process is a coralnode that runs.
type process struct {
	*exec.Cmd
	stdout, stderr bytes.Buffer
}

// launch runs the program as it is shipped, with a home of its own.
func launch(t *testing.T, program, home string, args ...string) *process {
	t.Helper()
	p := &process{Cmd: exec.CommandContext(t.Context(), program, args...)}
	p.Env = append(os.Environ(), "HOME="+home, "XDG_STATE_HOME="+home, "XDG_CACHE_HOME="+filepath.Join(home, "cache"))
	p.Stdout, p.Stderr = &p.stdout, &p.stderr
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	return p
}

// stop asks the process to end and wants it to end well.
func (p *process) stop(t *testing.T, with os.Signal) {
	t.Helper()
	p.Process.Signal(with)
	if err := p.Wait(); err != nil {
		t.Errorf("%v after %v: %s", err, with, p.stderr.String())
	}
}

// appears waits for a file that is written whole.
func appears(t *testing.T, p *process, name string) string {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if b, err := os.ReadFile(name); err == nil {
			return string(b)
		}
	}
	p.Process.Kill()
	p.Wait()
	t.Fatalf("no %s: %s", filepath.Base(name), p.stderr.String())
	return ""
}

func TestProcesses(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program and plays for some seconds")
	}
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no SIGTERM")
	}
	home := t.TempDir()
	program := filepath.Join(home, "coralnode")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	demo, err := assets.NewOrigin(time.Now().Add(-assets.Window * assets.SegmentDuration))
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(demo)
	defer srv.Close()
	source := srv.URL + assets.PlaylistPath
	path := func(name string) string { return filepath.Join(home, name) }

	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := ln.Addr().String()
	ln.Close()
	publish := []string{
		"publish", source, "--name=Process", "--state", path("pub"), "--listen", addr, "--advertise", addr,
		"--link-file", path("link"), "--stats-file", path("pub.json"), "--dht", "off", "--upnp", "off",
	}

	// The viewer waits for the link, which is not there yet.
	viewer := launch(t, program, home, "watch", "@"+path("link"), "--share", "on", "--listen", "127.0.0.1:0", "--dht", "off", "--upnp", "off",
		"--url-file", path("url"), "--stats-file", path("stats.json"), "--cache-dir", path("c"), "--cache-size", "64MiB")
	publisher := launch(t, program, home, publish...)
	link := appears(t, publisher, path("link"))
	url := appears(t, viewer, path("url"))
	if !strings.HasPrefix(url, "http://127.0.0.1:") {
		t.Errorf("URL %q", url)
	}
	if body := fetch(t, strings.TrimSpace(url)); !strings.HasPrefix(body, "#EXTM3U") {
		t.Errorf("the playlist is %q", body)
	}
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end) && counts(t, path("stats.json")).Feed.Entries == 0; {
		time.Sleep(100 * time.Millisecond)
	}
	viewer.stop(t, syscall.SIGTERM)
	publisher.stop(t, os.Interrupt)
	if viewer.stdout.String() != url || publisher.stdout.String() != link {
		t.Errorf("printed %q and %q; files hold %q and %q", viewer.stdout.String(), publisher.stdout.String(), url, link)
	}
	if s := counts(t, path("stats.json")); s.Channel != "Process" || s.Feed.Entries == 0 {
		t.Errorf("counts at exit: %+v", s)
	}

	// The same folder gives the same link, even after a kill.
	for range 2 {
		os.Remove(path("link"))
		again := launch(t, program, home, publish...)
		if got := appears(t, again, path("link")); got != link {
			t.Errorf("another link after a restart:\n%s%s", got, link)
		}
		again.Process.Kill()
		again.Wait()
	}

	// The choice was remembered; what cannot be done is one line and exit 1.
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for _, args := range [][]string{
		{"watch", "@" + path("link"), "--proxy", taken.Addr().String(), "--listen", "127.0.0.1:0", "--dht", "off", "--upnp", "off"},
		{"watch", "@" + path("link"), "--listen", taken.Addr().String(), "--dht", "off", "--upnp", "off"},
		{"publish", source, "--state", path("link"), "--listen", addr},
	} {
		p := launch(t, program, home, args...)
		p.Wait()
		if said := p.stderr.String(); p.ProcessState.ExitCode() != exitFailed || strings.Count(said, "\n") != 1 || !strings.HasPrefix(said, "coralnode: ") {
			t.Errorf("%q: exit %d: %s", args, p.ProcessState.ExitCode(), said)
		}
	}
}

// counts reads a stats-file, which is whole whenever it is read.
func counts(t *testing.T, name string) (s stats) {
	t.Helper()
	b, err := os.ReadFile(name)
	if os.IsNotExist(err) {
		return s // not yet
	}
	if err == nil {
		err = json.Unmarshal(b, &s)
	}
	if err != nil {
		t.Error(err)
	}
	return s
}

// fetch gets a playlist as a player does: again, if it is not there yet.
func fetch(t *testing.T, url string) string {
	t.Helper()
	var last string
	for range 50 {
		resp, err := http.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err == nil && resp.StatusCode == http.StatusOK {
			http.DefaultClient.CloseIdleConnections()
			return string(b)
		}
		last = fmt.Sprint(resp.Status, err)
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatalf("%s: %s", url, last)
	return ""
}
