package system

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// screen counts who holds it.
type screen struct {
	held, taken atomic.Int32
	refuse      atomic.Bool
	lost        chan struct{}
}

func (s *screen) take(context.Context, string) (*hold, error) {
	if s.refuse.Load() {
		return nil, errors.New("no")
	}
	s.held.Add(1)
	s.taken.Add(1)
	return &hold{lost: s.lost, release: func() { s.held.Add(-1) }}, nil
}

func TestAwake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, s := NewAwake("playing"), &screen{lost: make(chan struct{})}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- a.run(ctx, s.take, time.Minute) }()
		expect := func(what string, held, taken int32) {
			t.Helper()
			synctest.Wait()
			if s.held.Load() != held || s.taken.Load() != taken {
				t.Fatalf("%s: held %d times, taken %d, want %d, %d", what, s.held.Load(), s.taken.Load(), held, taken)
			}
		}
		expect("at first", 0, 0)
		for range 100 {
			a.Set(true)
		}
		expect("on", 1, 1)
		a.Set(false)
		expect("off", 0, 1)
		s.refuse.Store(true)
		a.Set(true)
		expect("refused", 0, 1)
		s.refuse.Store(false)
		time.Sleep(time.Minute)
		expect("tried again", 1, 2)
		s.lost <- struct{}{}
		expect("lost", 0, 2)
		time.Sleep(time.Second)
		expect("taken back", 1, 3)
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		expect("ended", 0, 3)
	})
}
