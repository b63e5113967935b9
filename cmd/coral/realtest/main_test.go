//go:build linux

// Package realtest tries the built desktop program as a user would: on a display
// (Xvfb) with a window manager, with libmpv, keyboard and mouse, on a channel that
// a publisher and two helpers carry, each a process of its own. What is not
// installed skips the tests; go run ./cmd/dev test installs it.
package realtest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"coral/assets"
)

// within bounds each wait: far more than it takes on a busy machine.
const within = 60 * time.Second

var built string // folder of the programs

var build = sync.OnceValue(func() error {
	for _, b := range []struct {
		name string
		env  []string
	}{
		{"coralnode", []string{"CGO_ENABLED=0"}},
		{"coral", []string{"CGO_ENABLED=1", "GOFLAGS=-tags=migrated_fynedo,no_emoji"}},
	} {
		cmd := exec.Command("go", "build", "-o", filepath.Join(built, b.name), "coral/cmd/"+b.name)
		cmd.Env = append(os.Environ(), b.env...)
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("build %s: %w\n%s", b.name, err, out)
		}
	}
	return nil
})

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "coral-real-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		built = dir
		return m.Run()
	}())
}

// needs skips the test where something is not installed, and builds the programs.
func needs(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("plays for some seconds")
	}
	for _, p := range []string{"gcc", "pkg-config", "Xvfb", "openbox", "xdotool", "import"} {
		if _, err := exec.LookPath(p); err != nil {
			t.Skipf("%s is not installed: go run ./cmd/dev test installs it", p)
		}
	}
	for _, f := range []string{"/usr/include/GL/gl.h", "/usr/include/X11/Xcursor/Xcursor.h", "/usr/include/X11/extensions/xf86vmode.h", "/usr/lib/*/libmpv.so.*"} {
		if found, _ := filepath.Glob(f); len(found) == 0 {
			t.Skipf("%s is missing: go run ./cmd/dev test installs it", f)
		}
	}
	if err := build(); err != nil {
		t.Fatal(err)
	}
}

// process is a program that runs until the test's end.
type process struct {
	cmd  *exec.Cmd
	mu   sync.Mutex
	out  bytes.Buffer
	done chan struct{}
	err  error // once done is closed
}

func (p *process) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.Write(b)
}

func (p *process) said() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.String()
}

func start(t *testing.T, env []string, name string, args ...string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(name, args...), done: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Stdout, p.cmd.Stderr = p, p
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	p.cmd.WaitDelay = time.Second
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	t.Cleanup(func() {
		if t.Failed() { // a Go program says where it stands
			p.cmd.Process.Signal(syscall.SIGQUIT)
			select {
			case <-p.done:
			case <-time.After(5 * time.Second):
			}
		}
		syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
		<-p.done
		if t.Failed() {
			t.Logf("%s said:\n%s", filepath.Base(name), p.said())
		}
	})
	return p
}

// ends waits for p's end.
func (p *process) ends(t *testing.T) error {
	t.Helper()
	select {
	case <-p.done:
		return p.err
	case <-time.After(within):
		t.Fatalf("%s does not end", p.cmd.Path)
		return nil
	}
}

// eventually waits until ok.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(within); !ok(); time.Sleep(200 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not within %v", what, within)
		}
	}
}

// screen is a display in memory with a window manager.
type screen struct {
	name string
	env  []string
}

func newScreen(t *testing.T, size string) *screen {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cmd := exec.Command("Xvfb", "-displayfd", "3", "-screen", "0", size+"x24", "-nolisten", "tcp")
	cmd.ExtraFiles = []*os.File{w}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	line, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		t.Fatal("Xvfb does not start")
	}
	s := &screen{name: ":" + strings.TrimSpace(line)}
	s.env = []string{"DISPLAY=" + s.name, "WAYLAND_DISPLAY=", "LANG=en_US.UTF-8", "LC_ALL=", "LANGUAGE=en", "DBUS_SESSION_BUS_ADDRESS=disabled:", "FYNE_SCALE=1"}
	start(t, s.env, "openbox")
	return s
}

// show keeps what the screen showed when the test failed: call it once the last
// program runs, since what began last is ended first.
func (s *screen) show(t *testing.T) {
	t.Cleanup(func() {
		if !t.Failed() {
			return
		}
		name := filepath.Join(os.TempDir(), "coral-"+t.Name()+".png")
		cmd := exec.Command("import", "-window", "root", name)
		cmd.Env = append(os.Environ(), s.env...)
		t.Log("the screen at the end:", name, cmd.Run())
	})
}

// do uses keyboard and mouse.
func (s *screen) do(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.Command("xdotool", args...)
	cmd.Env = append(os.Environ(), s.env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("xdotool %v: %v %s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// fullScreen fills the screen, whose size is given, and leaves again at once.
//
// openbox grows the window first and then its frame, and on a busy machine stops
// between the two, for ever, whatever the program asks for: that is not judged.
func (s *screen) fullScreen(t *testing.T, window, size string) {
	t.Helper()
	large := func() bool { return strings.Contains(s.do(t, "getwindowgeometry", window), size) }
	stuck := func() bool {
		return large() && !strings.Contains(s.do(t, "getwindowgeometry", window), "Position: 0,0")
	}
	s.do(t, "key", "f")
	eventually(t, "full screen", large)
	for range 10 {
		if !stuck() {
			break
		}
		time.Sleep(time.Second)
	}
	for tries := 0; large(); tries++ {
		if stuck() && tries > 40 {
			t.Log("openbox left the window's frame behind")
			return
		}
		if tries%40 == 0 { // while the window changes, the window manager may keep a key
			s.do(t, "key", "f")
		}
		if tries == 200 {
			t.Fatal("full screen is not left")
		}
		time.Sleep(250 * time.Millisecond)
	}
}

// answer chooses one of the two answers about sharing, once they are there.
func (s *screen) answer(t *testing.T, home, key, want string) {
	t.Helper()
	eventually(t, "an answer", func() bool {
		b, err := os.ReadFile(filepath.Join(home, "config/coral/settings.json"))
		if err == nil && strings.Contains(string(b), fmt.Sprintf(`"share": %q`, want)) {
			return true
		}
		s.do(t, "key", key)
		s.do(t, "key", "Return")
		time.Sleep(time.Second)
		return false
	})
}

// picture is what is on the screen.
func (s *screen) picture(t *testing.T) image.Image {
	t.Helper()
	cmd := exec.Command("import", "-window", "root", "png:-")
	cmd.Env = append(os.Environ(), s.env...)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(out))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// differ is which part of the middle of two pictures is not the same.
func differ(a, b image.Image) float64 {
	r := a.Bounds()
	dx, dy := r.Dx()/4, r.Dy()/3
	n, all := 0, 0
	for y := r.Min.Y + dy; y < r.Max.Y-dy; y += 2 {
		for x := r.Min.X + dx; x < r.Max.X-dx; x += 2 {
			all++
			if a.At(x, y) != b.At(x, y) {
				n++
			}
		}
	}
	return float64(n) / float64(all)
}

// channel is a live channel with a publisher and two helpers.
type channel struct {
	link   string
	helper string // the stats file of one of the helpers
}

func newChannel(t *testing.T) *channel {
	t.Helper()
	origin, err := assets.NewOrigin(time.Now().Add(-assets.Window * assets.SegmentDuration))
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: origin}
	go srv.Serve(ln)
	t.Cleanup(func() { srv.Close() })
	dir := t.TempDir()
	node := filepath.Join(built, "coralnode")
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := free.Addr().String()
	free.Close()
	linkFile := filepath.Join(dir, "link")
	start(t, nil, node, "publish", "http://"+ln.Addr().String()+assets.PlaylistPath, "--name", "Reef", "--state", filepath.Join(dir, "pub"),
		"--listen", at, "--advertise", at, "--link-file", linkFile, "--dht", "off", "--upnp", "off")
	c := &channel{helper: filepath.Join(dir, "stats1.json")}
	eventually(t, "link", func() bool {
		b, err := os.ReadFile(linkFile)
		c.link = strings.TrimSpace(string(b))
		return err == nil
	})
	for i := range 2 {
		start(t, nil, node, "seed", c.link, "--share", "on", "--listen", "127.0.0.1:0", "--dht", "off", "--upnp", "off",
			"--cache-dir", filepath.Join(dir, fmt.Sprint("cache", i)), "--stats-file", filepath.Join(dir, fmt.Sprintf("stats%d.json", i)))
	}
	eventually(t, "helpers", func() bool { return c.connected() == 2 })
	return c
}

// connected is how many peers the helper has.
func (c *channel) connected() int {
	var s struct{ Peers struct{ Connected int } }
	b, err := os.ReadFile(c.helper)
	if err != nil || json.Unmarshal(b, &s) != nil {
		return -1
	}
	return s.Peers.Connected
}

// home is where a program keeps the user's files.
func home(t *testing.T) (dir string, env []string) {
	dir = t.TempDir()
	return dir, []string{
		"HOME=" + dir, "XDG_CONFIG_HOME=" + dir + "/config", "XDG_DATA_HOME=" + dir + "/data",
		"XDG_STATE_HOME=" + dir + "/state", "XDG_CACHE_HOME=" + dir + "/cache",
	}
}
