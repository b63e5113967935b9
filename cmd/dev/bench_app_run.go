package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"coral/cmd/dev/screen"
)

// viewer is a program that shows a picture.
type viewer struct {
	cmd   *exec.Cmd
	began time.Time
	done  chan struct{}
}

// launch starts a program on a screen.
func launch(s *screen.Screen, env []string, program string, args ...string) (*viewer, error) {
	v := &viewer{cmd: exec.Command(program, args...), began: time.Now(), done: make(chan struct{})}
	v.cmd.Env = append(append(os.Environ(), s.Env...), env...)
	if err := v.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		v.cmd.Wait()
		close(v.done)
	}()
	return v, nil
}

// end asks the program to end, and makes it.
func (v *viewer) end() {
	v.cmd.Process.Signal(os.Interrupt)
	select {
	case <-v.done:
	case <-time.After(endWithin):
		v.cmd.Process.Kill()
		<-v.done
	}
}

// settings are what every viewer of a bench has set; more are JSON's members with a
// comma after each.
func settings(more string) string {
	return `{"version": 1, ` + more + ` "bind": "127.0.0.1", "dht": false, "upnp": false}`
}

// app starts the desktop program with settings and folders of its own.
func (b *appBench) app(s *screen.Screen, settings string, args ...string) (v *viewer, home string, err error) {
	home, err = os.MkdirTemp(b.dir, "home-")
	if err != nil {
		return nil, "", err
	}
	file := filepath.Join(home, "config", "coral", "settings.json")
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return nil, "", err
	}
	if err := os.WriteFile(file, []byte(settings), 0o600); err != nil {
		return nil, "", err
	}
	v, err = launch(s, userFolders(home), b.coral, args...)
	return v, home, err
}

// window waits for a window of the program and returns its name.
func window(ctx context.Context, s *screen.Screen, title string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, startWithin)
	defer cancel()
	out, err := s.Do(ctx, "search", "--sync", "--onlyvisible", "--name", title)
	first, _, _ := strings.Cut(out, "\n")
	return first, err
}

// fillScreen makes the program's window as large as the screen.
func fillScreen(ctx context.Context, s *screen.Screen, size string) error {
	ctx, cancel := context.WithTimeout(ctx, startWithin)
	defer cancel()
	main, err := window(ctx, s, "Coral")
	if err != nil {
		return err
	}
	if _, err := s.Do(ctx, "mousemove", "640", "300", "windowfocus", "--sync", main, "key", "f"); err != nil {
		return err
	}
	for {
		if is, err := s.Do(ctx, "getwindowgeometry", main); err != nil || strings.Contains(is, size) {
			return err
		}
		if err := wait(ctx, 100*time.Millisecond); err != nil {
			return fmt.Errorf("full screen: %w", err)
		}
	}
}

// firstPicture is how long a program takes until a picture of the film is on the
// screen, counted from since.
func firstPicture(ctx context.Context, s *screen.Screen, since time.Time) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, startWithin)
	defer cancel()
	seen, err := s.Await(ctx, true)
	if err != nil {
		return 0, fmt.Errorf("no picture: %w", err)
	}
	return seen.At.Sub(since), nil
}

// processor is how much of the processors' time a process has used.
func processor(pid int) time.Duration {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(b), ") ") // the name may hold anything
	f := strings.Fields(rest)
	if len(f) < 13 {
		return 0
	}
	const tick = time.Second / 100 // USER_HZ
	user, _ := strconv.Atoi(f[11])
	system, _ := strconv.Atoi(f[12])
	return time.Duration(user+system) * tick
}

// memory is what a process holds of the machine's memory, in MiB.
func memory(pid int) float64 { return inMemory(pid, "VmRSS:") }

// inMemory is what the system calls that in a process's status, in MiB.
func inMemory(pid int, what string) float64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, what); ok {
			kib, _ := strconv.Atoi(strings.Fields(rest)[0])
			return float64(kib) / 1024
		}
	}
	return 0
}

// showing is what came to the screen in a span of time.
type showing struct {
	rate    float64       // pictures a second
	longest time.Duration // that one stood still
	cost    float64       // processor seconds of the program a second
	display float64       // and of the display
	seen    []screen.Seen
}

// observe looks at the screen and the program for a while.
func observe(ctx context.Context, s *screen.Screen, v *viewer, span time.Duration) (showing, error) {
	ctx, cancel := context.WithTimeout(ctx, span)
	defer cancel()
	pid, began := v.cmd.Process.Pid, time.Now()
	used, display := processor(pid), processor(s.Display())
	o := showing{seen: s.Watch(ctx)}
	took := time.Since(began)
	o.cost = (processor(pid) - used).Seconds() / took.Seconds()
	o.display = (processor(s.Display()) - display).Seconds() / took.Seconds()
	if len(o.seen) < 2 {
		return o, fmt.Errorf("%d pictures within %s", len(o.seen), span)
	}
	for i, p := range o.seen[1:] {
		o.longest = max(o.longest, p.At.Sub(o.seen[i].At))
	}
	o.longest = max(o.longest, time.Since(o.seen[len(o.seen)-1].At), o.seen[0].At.Sub(began))
	o.rate = float64(len(o.seen)-1) / o.seen[len(o.seen)-1].At.Sub(o.seen[0].At).Seconds()
	return o, nil
}
