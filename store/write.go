package store

import (
	"errors"
	"time"
)

const (
	// retryDelay passes after the second failed commit in a row before the third.
	retryDelay = time.Second
	// recheckDelay passes before a full disk, or a cap full of pins, is looked at
	// again.
	recheckDelay = 10 * time.Second
	// maxFailures in a row make the store give the disk up.
	maxFailures = 3
)

// errPinned says that the cap has no room beside what is pinned.
var errPinned = errors.New("all that could be evicted is pinned")

// write is the writer: it commits groups when they are due, until Close. It
// sleeps without a timer while nothing is staged.
func (s *Store) write() {
	defer s.done.Done()
	timer := time.NewTimer(time.Hour)
	timer.Stop()
	defer timer.Stop()
	for {
		var due <-chan time.Time
		if at, ok := s.next(); ok {
			timer.Reset(time.Until(at)) // at once, if that has passed
			due = timer.C
		}
		select {
		case <-s.stop:
			return
		case <-s.wake:
		case <-due:
			s.writing.Lock()
			s.commit(false)
			s.writing.Unlock()
		}
	}
}

// Flush writes all that is staged and returns when it is on disk, or when the
// disk does not take it.
func (s *Store) Flush() {
	s.writing.Lock()
	defer s.writing.Unlock()
	for s.commit(true) {
	}
}

// commit writes one group: what is due, or the oldest of all that is staged. It
// reports whether something was written. writing is held.
func (s *Store) commit(all bool) bool {
	begin := time.Now()
	group := s.collect(all)
	if len(group) == 0 {
		return false
	}
	if err := s.prepare(group); err != nil {
		s.failed(err)
		return false
	}
	places, err := s.active.append(group)
	if err != nil {
		s.abandon()
		s.failed(err)
		return false
	}
	s.failures = 0
	a := s.active
	size := a.fileSize()

	s.mu.Lock()
	defer s.mu.Unlock()
	a.sh.used.Store(s.clock.Add(1))
	a.sh.size = size
	s.commits++
	for i, p := range group {
		g, err := s.addRun(p.key, p.size, places[i].run(a.sh, p))
		if err != nil {
			continue // cannot be: one key, one size
		}
		for _, b := range p.blocks {
			if g.staged(b) != nil {
				s.markClean(g, b)
			}
		}
		g.firstDirty = begin // of what has come meanwhile
	}
	s.hold = time.Time{}
	s.release()
	if s.low != nil {
		s.low = nil
		s.log.Info("cache writes to disk again")
	}
	return true
}

// prepare makes room on disk and an active shard that the group fits in.
func (s *Store) prepare(group []pending) error {
	need := fileBytes(group)
	if err := s.space(need); err != nil {
		return err
	}
	s.mu.RLock()
	geom := s.geom
	vanished := s.active != nil && s.active.sh.gone
	s.mu.RUnlock()
	if vanished {
		s.abandon()
	}
	if s.active != nil && s.active.high+need > geom.shard {
		s.seal()
	}
	if !s.trim(need, false) {
		return errPinned
	}
	if s.active != nil {
		return nil
	}
	a, err := s.create(geom)
	if err != nil {
		return err
	}
	s.active = a
	return nil
}

// failed takes note of a commit that did not happen; what was staged stays so.
func (s *Store) failed(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.release()
	switch {
	case errors.Is(err, errPinned):
		s.hold = time.Now().Add(recheckDelay)
		return
	case errors.Is(err, ErrLowSpace):
		s.hold = time.Now().Add(recheckDelay)
		if s.low == nil {
			s.low = err
			s.log.Warn("cache stops writing to disk", "cause", err)
		}
		return
	}
	// At once into a new file: damage may be limited to the old one.
	s.hold = time.Now().Add(time.Duration(s.failures) * retryDelay)
	if s.failures++; s.failures < maxFailures {
		s.log.Warn("cache write failed", "cause", err)
		return
	}
	s.mode, s.fault = diskFailed, err
	s.log.Error("cache gives the disk up and goes on in memory", "cause", err)
}

// release lets those in waitForDisk look again. mu is held.
func (s *Store) release() {
	s.stalled = false
	close(s.drained)
	s.drained = make(chan struct{})
}
