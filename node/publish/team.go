package publish

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// team is the renditions that are being published. It belongs to Run's
// goroutine.
type team struct {
	p   *Publisher
	ctx context.Context
	wg  *sync.WaitGroup
	at  map[uint16]*member
	// offered are the renditions whose records of before were handed on.
	offered map[uint16]bool
}

// member is one rendition's goroutine.
type member struct {
	ref    string
	cancel context.CancelFunc
	done   chan struct{}
	// failing is since when the playlist cannot be read, in Unix nanoseconds; 0:
	// it can.
	failing *atomic.Int64
}

// align starts and stops renditions so that those in list are published.
func (t *team) align(list []line, top string, single bool) error {
	wanted := map[uint16]bool{}
	for _, l := range list {
		wanted[l.ID] = true
	}
	for id, m := range t.at {
		if !wanted[id] {
			t.p.log.Info("rendition left the source", "rendition", id)
			t.stop(id, m)
		}
	}
	for _, l := range list {
		m := t.at[l.ID]
		if m != nil && m.ref == l.ref {
			continue
		}
		if m != nil {
			if withoutQuery(m.ref) == withoutQuery(l.ref) && m.failing.Load() == 0 {
				continue // a new token, and the old one still works
			}
			t.stop(l.ID, m)
		}
		if err := t.start(l, top, single); err != nil {
			return err
		}
	}
	return nil
}

// offer hands on the records of before the program was started anew: joiners
// need them though the source may not answer yet.
func (t *team) offer() error {
	if t.p.presented.Presentation == nil {
		return nil
	}
	for _, l := range t.p.presented.Presentation.Renditions {
		for _, row := range t.p.presented.Rows {
			if row.ID != l.ID || !row.Own || l.Media != l.ID {
				continue
			}
			r, err := t.p.newRendition(l.ID, row.Ref, "")
			if err != nil {
				return err
			}
			r.offerRecords(t.ctx)
			r.chain.journal.close()
			t.offered[l.ID] = true
		}
	}
	return nil
}

func (t *team) start(l line, top string, single bool) error {
	nominal := t.p.nominalTop(top)
	if !single {
		if abs, err := resolveURL(nominal, l.URI); err == nil {
			nominal = abs
		}
	}
	r, err := t.p.newRendition(l.ID, l.ref, nominal)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(t.ctx)
	m := &member{ref: l.ref, cancel: cancel, done: make(chan struct{}), failing: &r.failing}
	t.at[l.ID] = m
	offered := t.offered[l.ID]
	t.offered[l.ID] = true
	t.wg.Go(func() {
		defer close(m.done)
		if !offered {
			r.offerRecords(ctx)
		}
		r.publish(ctx)
	})
	return nil
}

// stop ends a rendition's goroutine and waits for it: its journal has one owner.
func (t *team) stop(id uint16, m *member) {
	m.cancel()
	<-m.done
	delete(t.at, id)
}

func (t *team) stopAll() {
	for id, m := range t.at {
		t.stop(id, m)
	}
}

// failing reports whether some rendition's playlist could not be read for d.
func (t *team) failing(d time.Duration) bool {
	for _, m := range t.at {
		if since := m.failing.Load(); since != 0 && time.Since(time.Unix(0, since)) >= d {
			return true
		}
	}
	return false
}
