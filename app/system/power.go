package system

import (
	"context"
	"time"
)

// Conditions are those of this machine that sharing may depend on. What cannot
// be found out is false: a system that says nothing is on mains and on a network
// that costs nothing.
type Conditions struct {
	Metered   bool // the network that leads out is paid for by volume, or the system guesses so
	OnBattery bool
}

// Watch calls f with the conditions found first and after each change until ctx
// ends, always on the same goroutine.
func Watch(ctx context.Context, f func(Conditions)) error {
	return watch(ctx, f)
}

// poll calls f with what read returns, first at once and then each time that
// wait returns true, if it differs from the time before.
func poll(ctx context.Context, wait func(context.Context) bool, read func() Conditions, f func(Conditions)) {
	var last Conditions
	for first := true; first || wait(ctx); first = false {
		if now := read(); (first || now != last) && ctx.Err() == nil {
			last = now
			f(now)
		}
	}
}

// pause waits and says whether ctx still goes on.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
