package system

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
)

// holdScreen has a child that asserts it, and that ends with us even if we are
// killed: it watches our process.
func holdScreen(context.Context, string) (*hold, error) {
	cmd := exec.Command("/usr/bin/caffeinate", "-d", "-i", "-w", strconv.Itoa(os.Getpid()))
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("keep the screen on: %w", err)
	}
	lost := make(chan struct{})
	go func() { _ = cmd.Wait(); close(lost) }()
	return &hold{lost: lost, release: func() { _ = cmd.Process.Kill(); <-lost }}, nil
}
