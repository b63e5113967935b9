//go:build unix

// Package realtest tries the shipped coralnode with other people's programs:
// ffmpeg makes live streams, ffmpeg and mpv play them through the proxy, and
// Transmission joins a swarm by its link. Each program is a process of its own
// and everything stays on 127.0.0.1. A program that is not installed skips the
// tests that need it; go run ./cmd/dev test installs them.
package realtest

import (
	"bytes"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// within bounds each wait: far more than it takes on a machine that is busy
// with other tests.
const within = 45 * time.Second

// built is where the program lies once program has built it.
var built string

var program = sync.OnceValues(func() (string, error) {
	name, began := filepath.Join(built, "coralnode"), time.Now()
	cmd := exec.Command("go", "build", "-o", name, "coral/cmd/coralnode")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build coralnode: %w\n%s", err, out)
	}
	fmt.Printf("built in %v\n", time.Since(began))
	return name, nil
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
		// The tests wait most of their time: a live stream takes as long as it takes.
		if err := flag.Set("test.parallel", "4"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return m.Run()
	}())
}

// needs skips a test where a program is not installed.
func needs(t *testing.T, programs ...string) {
	t.Helper()
	if testing.Short() {
		t.Skip("plays for some seconds")
	}
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			t.Skipf("%s is not installed: go run ./cmd/dev test installs it", p)
		}
	}
}

// process is a program that runs, with all that it started, until the test's end.
type process struct {
	name string
	cmd  *exec.Cmd
	out  output // standard output and standard error
	done chan struct{}
	err  error // once done is closed
}

// output may be read while it is written.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// start runs a program in dir. Its HOME is a folder of the test.
func start(t *testing.T, dir, name string, args ...string) *process {
	t.Helper()
	p := &process{name: filepath.Base(name), cmd: exec.Command(name, args...), done: make(chan struct{})}
	p.cmd.Dir = dir
	p.cmd.Env = append(os.Environ(), "HOME="+dir, "XDG_STATE_HOME="+dir, "XDG_CACHE_HOME="+dir, "XDG_CONFIG_HOME="+dir)
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.out
	p.cmd.SysProcAttr = ownGroup()
	p.cmd.WaitDelay = time.Second
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("%s said:\n%s", p.name, tail(p.out.String()))
		}
	})
	return p
}

func node(t *testing.T, dir string, args ...string) *process {
	t.Helper()
	name, err := program()
	if err != nil {
		t.Fatal(err)
	}
	return start(t, dir, name, args...)
}

// kill ends the process and its children at once, as the kernel's kill -9.
func (p *process) kill() {
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	<-p.done
}

// stop asks the process to end, and wants it to end well.
func (p *process) stop(t *testing.T) {
	t.Helper()
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	if err := p.wait(t); err != nil {
		t.Errorf("%s after SIGTERM: %v", p.name, err)
	}
}

// wait waits for the process to end by itself.
func (p *process) wait(t *testing.T) error {
	t.Helper()
	await(t, p.name+" to end", func() bool { return !p.running() })
	return p.err
}

func (p *process) running() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// await waits until a condition holds.
func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(within); !holds(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited %v for %s", within, what)
		}
	}
}

// port is one that was free a moment ago, for what must be known beforehand.
func port(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// tail is the end of what a program said.
func tail(s string) string {
	const most = 3000
	s = strings.TrimSpace(strings.ReplaceAll(s, "\r", "\n"))
	return s[max(0, len(s)-most):]
}
