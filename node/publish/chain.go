package publish

import (
	"bytes"
	"slices"
	"time"

	"coral/node/channel"
	"coral/store/segment"
)

const (
	// keepRecords is how long a live channel's records are kept to be offered
	// after a restart: as long as a feed keeps them.
	keepRecords = 10 * time.Minute
	// keepMarks is how many marks without a record are kept beyond that, to tell
	// a stale playlist, or a source that began anew, from what goes on.
	keepMarks = 2048
	// maxEntries bounds a chain of which all is kept (EVENT and VOD), as feeds do.
	maxEntries = channel.MaxEntries
	// slackLines is how many lines more than are kept a journal may have before
	// it is written anew.
	slackLines = 512
	// reuseInit is how long after its last use an init section's entry is
	// referred to again rather than announced anew: while that is the case,
	// every feed still has it.
	reuseInit = keepRecords / 2
	// oldestInit is how old such an entry may be: its signer's delegation must
	// still be kept (keyring.go).
	oldestInit = 30 * 24 * time.Hour
)

// chain is what was signed for one rendition, and what comes next. It belongs to
// one goroutine.
type chain struct {
	id       uint16
	journal  *journal
	marks    []*mark // oldest first
	bySource map[uint64]*mark
	initUsed map[uint64]time.Time // when an entry last referred to init section n
}

// beginChain makes the empty journal of a rendition that is about to get its
// number, unless there is one. From then on a missing journal is a damaged one.
func beginChain(d *disk, id uint16) error {
	j, _, _, err := openJournal(d, id)
	if err == nil {
		j.close()
	}
	return err
}

// openChain opens a chain that was begun.
func openChain(d *disk, id uint16) (c *chain, damaged bool, err error) {
	c = &chain{id: id, bySource: map[uint64]*mark{}, initUsed: map[uint64]time.Time{}}
	var marks []*mark
	missing := !haveJournal(d, id)
	if c.journal, marks, damaged, err = openJournal(d, id); err != nil {
		return nil, false, err
	}
	damaged = damaged || missing
	for _, m := range marks {
		c.note(m)
	}
	if damaged {
		m := c.follow()
		m.Jump = true
		m.Index += jump
		m.Next += jump
		m.Inits += jump
		m.Disc += jump
		m.Time = time.Time{}
		if h := c.head(); h != nil {
			m.Time = h.Time
		}
		c.note(&m)
		if err := c.journal.rewrite(c.marks); err != nil {
			return nil, false, err
		}
	}
	return c, damaged, nil
}

// head is the newest mark; nil: the chain has not begun.
func (c *chain) head() *mark {
	if len(c.marks) == 0 {
		return nil
	}
	return c.marks[len(c.marks)-1]
}

// follow returns the mark of the entry that follows the head, without what the
// entry itself says.
func (c *chain) follow() mark {
	h := c.head()
	if h == nil {
		return mark{}
	}
	return mark{
		Index: h.Index + 1, Run: h.Run, RunStart: h.RunStart, Shift: h.Shift, Next: h.Next,
		Disc: h.Disc, DiscShift: h.DiscShift, Inits: h.Inits, Type: h.Type, WindowStart: h.WindowStart, Media: h.Media,
	}
}

// prev is the digest that the next entry links to.
func (c *chain) prev() (d segment.Digest) {
	if h := c.head(); h != nil {
		copy(d[:], h.Digest) // none after a jump
	}
	return d
}

// now is when the next entry is signed: time does not run backwards in a chain,
// though it may in a clock.
func (c *chain) now(clock time.Time) time.Time {
	clock = clock.UTC().Truncate(time.Millisecond)
	if h := c.head(); h != nil && clock.Before(h.Time) {
		return h.Time
	}
	return clock
}

// append makes m the head. It must have been made from follow.
func (c *chain) append(m *mark) error {
	if err := c.journal.append(m); err != nil {
		return err
	}
	c.note(m)
	c.prune(m.Time)
	if c.journal.lines > len(c.marks)+slackLines {
		// The journal is whole as it is: failing to shorten it loses nothing.
		_ = c.journal.rewrite(c.marks)
	}
	return nil
}

// note takes a mark into memory.
func (c *chain) note(m *mark) {
	if h := c.head(); h != nil && h.Run != m.Run {
		clear(c.bySource) // numbers of the source mean something else now
	}
	c.marks = append(c.marks, m)
	if m.Kind == segment.Media && !m.End && !m.Jump {
		c.bySource[m.Source] = m
		if m.HasInit {
			c.initUsed[m.Init] = m.Time
		}
	}
	if m.Kind == segment.Init {
		c.initUsed[m.Sequence] = m.Time
	}
}

// prune forgets what is not offered any more.
func (c *chain) prune(now time.Time) {
	h := c.head()
	if h == nil {
		return
	}
	drop := max(0, len(c.marks)-maxEntries)
	if h.Type == channel.Live {
		old := 0
		for _, m := range c.marks {
			if now.Sub(m.Time) <= keepRecords {
				break
			}
			old++
			if m.Rec != nil && !(m.Kind == segment.Init && now.Sub(c.initUsed[m.Sequence]) <= keepRecords) {
				m.Rec = nil
			}
		}
		drop = max(drop, old-keepMarks)
	}
	// In steps, since each moves all that is kept; never the head.
	if drop = min(drop, len(c.marks)-1); drop < slackLines {
		return
	}
	var kept []*mark
	for _, m := range c.marks[:drop] {
		if m.Kind == segment.Init && now.Sub(c.initUsed[m.Sequence]) <= keepRecords {
			kept = append(kept, m)
			continue
		}
		if c.bySource[m.Source] == m {
			delete(c.bySource, m.Source)
		}
		if m.Kind == segment.Init {
			delete(c.initUsed, m.Sequence)
		}
	}
	c.marks = append(kept, c.marks[drop:]...)
}

// offered returns the marks whose records are still offered, oldest first.
func (c *chain) offered(now time.Time) []*mark {
	c.prune(now)
	return slices.DeleteFunc(slices.Clone(c.marks), func(m *mark) bool { return m.Rec == nil })
}

// initOf finds an init section that was announced and that entries may refer to.
func (c *chain) initOf(root segment.Digest, size int, now time.Time) *mark {
	for _, m := range slices.Backward(c.marks) {
		if m.Kind == segment.Init && m.Rec != nil && m.Size == size && bytes.Equal(m.Root, root[:]) {
			if now.Sub(m.Time) > oldestInit || c.head().Type == channel.Live && now.Sub(c.initUsed[m.Sequence]) > reuseInit {
				return nil
			}
			return m
		}
	}
	return nil
}

// record finds what was signed for a segment of the source in a run.
func (c *chain) record(run uint32, source uint64) *mark {
	if h := c.head(); h == nil || h.Run != run {
		return nil
	}
	return c.bySource[source]
}
