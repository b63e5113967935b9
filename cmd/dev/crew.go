package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
)

// windowName is the child that may end: somebody closed the window.
const windowName = "window"

// crew are the demo's child processes. One that ends early ends the demo.
type crew struct {
	env      []string
	cancel   context.CancelCauseFunc // ends the demo, with the reason
	services sync.WaitGroup
}

// start starts a child that ends with ctx. What it says on standard error is
// shown under its name; its standard output is not needed.
func (c *crew) start(ctx context.Context, name, program string, args ...string) {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = c.env
	cmd.Cancel = func() error {
		if runtime.GOOS == "windows" { // which cannot ask
			return cmd.Process.Kill()
		}
		return cmd.Process.Signal(os.Interrupt)
	}
	cmd.WaitDelay = endWithin
	stderr, w := io.Pipe()
	cmd.Stderr = w
	said := make(chan string, 1)
	c.services.Go(func() {
		last := ""
		lines := bufio.NewScanner(stderr)
		for lines.Scan() {
			last = lines.Text()
			fmt.Fprintf(os.Stderr, "%s: %s\n", name, last)
		}
		io.Copy(io.Discard, stderr) // a line too long must not stop the child
		said <- last
	})
	c.services.Go(func() {
		err := cmd.Run()
		w.Close()
		last := <-said
		switch {
		case ctx.Err() != nil: // it was asked to
		case err == nil && name == windowName:
			c.cancel(errClosed)
		case last != "":
			c.cancel(fmt.Errorf("the %s ended: %s", name, last))
		default:
			c.cancel(fmt.Errorf("the %s ended: %w", name, errors.Join(err, errEarly)))
		}
	})
}

// userFolders has programs keep what is a user's below a folder.
func userFolders(dir string) []string {
	return []string{
		"XDG_STATE_HOME=" + filepath.Join(dir, "state"), "XDG_CACHE_HOME=" + filepath.Join(dir, "cache"),
		"XDG_CONFIG_HOME=" + filepath.Join(dir, "config"), "XDG_DATA_HOME=" + filepath.Join(dir, "data"),
	}
}

// publish starts a publisher of an origin's playlist and the helpers; all that they
// keep is below dir. It returns the channel's link.
func (c *crew) publish(ctx context.Context, dir, coralnode, source string) (link string, err error) {
	port, err := freePort()
	if err != nil {
		return "", err
	}
	at := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	file := filepath.Join(dir, "link")
	c.start(ctx, "publisher", coralnode, "publish", source, "--name", "Coral demo", "--state", filepath.Join(dir, "publisher"),
		"--listen", at, "--advertise", at, "--link-file", file, "--dht", "off", "--upnp", "off")
	if err := waitFor(ctx, file); err != nil {
		return "", err
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	link = strings.TrimSpace(string(b))
	for i := range helpers {
		name := fmt.Sprintf("helper %d", i+1)
		c.start(ctx, name, coralnode, append([]string{"seed", "--cache-dir", filepath.Join(dir, fmt.Sprintf("helper%d", i+1))}, peer(link)...)...)
	}
	return link, nil
}

// peer is what every node of a demo is called with.
func peer(link string) []string {
	return []string{link, "--share", "on", "--listen", "127.0.0.1:0", "--dht", "off", "--upnp", "off", "--cache-size", "64MiB"}
}

var (
	errEarly  = errors.New("too early")
	errClosed = errors.New("the window was closed")
)

// end waits until all children have ended, which they do with their context.
func (c *crew) end() { c.services.Wait() }

// why turns the end of a wait into what made the demo end: nil if somebody
// asked for it.
func (c *crew) why(err error) error {
	if errors.Is(err, errClosed) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return nil
	}
	return err
}
