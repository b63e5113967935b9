package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
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
