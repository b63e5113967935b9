package system

import (
	"context"
	"sync"
	"time"
)

// awakeRetry is how soon a system that refused is asked again while it matters:
// a screen goes dark after minutes.
const awakeRetry = 30 * time.Second

// Awake keeps the screen on while something plays.
type Awake struct {
	reason  string
	changed chan struct{} // has room for one

	mu sync.Mutex
	on bool
}

// NewAwake makes one that lets the screen sleep until Set. Desktops show reason
// to those who ask why it stays on.
func NewAwake(reason string) *Awake {
	return &Awake{reason: reason, changed: make(chan struct{}, 1)}
}

// Set says what is wanted from now on, from any goroutine, at any rate.
func (a *Awake) Set(on bool) {
	a.mu.Lock()
	same := a.on == on
	a.on = on
	a.mu.Unlock()
	if same {
		return
	}
	select {
	case a.changed <- struct{}{}:
	default:
	}
}

func (a *Awake) wanted() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.on
}

// Run does what Set wants until ctx ends, then lets the screen sleep. Where the
// system cannot be asked it tries again and changes nothing meanwhile.
func (a *Awake) Run(ctx context.Context) error {
	return a.run(ctx, holdScreen, awakeRetry)
}

// hold is one wish that was granted. lost is closed when it ended without us.
type hold struct {
	release func()
	lost    <-chan struct{} // nil: cannot happen
}

func (a *Awake) run(ctx context.Context, take func(ctx context.Context, reason string) (*hold, error), retry time.Duration) error {
	var held *hold
	defer func() {
		if held != nil {
			held.release()
		}
	}()
	for {
		var again <-chan time.Time
		var lost <-chan struct{}
		switch on := a.wanted(); {
		case on && held == nil:
			h, err := take(ctx, a.reason)
			if err != nil {
				again = time.After(retry)
				break
			}
			held = h
		case !on && held != nil:
			held.release()
			held = nil
		}
		if held != nil {
			lost = held.lost
		}
		select {
		case <-ctx.Done():
			return nil
		case <-a.changed:
		case <-again:
		case <-lost:
			held.release()
			held = nil
			if !pause(ctx, min(retry, time.Second)) { // whoever restarts needs a moment
				return nil
			}
		}
	}
}
