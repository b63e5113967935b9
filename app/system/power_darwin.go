package system

import (
	"bytes"
	"context"
	"os/exec"
	"time"
)

const (
	// powerPeriod is how soon a change shows; each look starts a small program.
	powerPeriod = 30 * time.Second
	pmsetTime   = 5 * time.Second
)

// watch knows batteries only. Whether a network is "expensive" macOS tells to
// Network.framework's blocks, which need cgo.
func watch(ctx context.Context, f func(Conditions)) error {
	poll(ctx, func(ctx context.Context) bool { return pause(ctx, powerPeriod) }, func() Conditions {
		ctx, cancel := context.WithTimeout(ctx, pmsetTime)
		defer cancel()
		out, _ := exec.CommandContext(ctx, "/usr/bin/pmset", "-g", "batt").Output()
		return Conditions{OnBattery: bytes.Contains(out, []byte("'Battery Power'"))}
	}, f)
	return nil
}
