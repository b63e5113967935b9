package library

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"coral/app/durable"
	"coral/app/settings"
)

// MaxChannels bounds the library: the largest lists that are handed round have
// about 10,000 channels.
const MaxChannels = 20_000

// saveAfter is how long what is gathered may wait to be written. It is what a
// program that is killed loses; disks that wear out are spared.
const saveAfter = 5 * time.Second

// The causes of an edit that changed nothing.
var (
	ErrUnknown = errors.New("no such channel")
	ErrFull    = errors.New("the library is full: forget some channels first")
)

// ErrNotSaved is in the error of an edit that is in force, but will be forgotten
// when the program ends.
var ErrNotSaved = errors.New("the library could not be saved")

// Found says what was wrong with a file, for a notice.
type Found struct {
	durable.Found
	Dropped int // channels that could not be used
}

// entry is a channel of the library.
type entry struct {
	Channel
	key    string // what a search looks at
	number int    // the order in which they came
}

func (e *entry) set(c Channel) { e.Channel, e.key = c, searchKey(c) }

// Library is the channels that the user knows.
type Library struct {
	folder  string
	found   Found
	posters posters
	logos   posters

	saving sync.Mutex // held while the file is written, so that the newest wins; taken before mu

	mu       sync.Mutex // guards what follows; never held while writing
	all      map[string]*entry
	number   int // the next
	revision uint64
	edits    uint64   // as revision, but only of what is in the file
	saved    uint64   // edits that the file holds
	order    []*entry // as shown; nil: to be sorted
	walk     walk
}

// Open reads the library in a folder, which is made when there is something to
// keep. It does not fail for what is in the files: Found tells. The error is that
// of a file that exists and cannot be read; even then the Library can be used,
// and is empty.
func Open(dir string) (*Library, error) {
	l := &Library{folder: dir, all: map[string]*entry{}, posters: posters{folder: filepath.Join(dir, "posters")}, logos: posters{folder: filepath.Join(dir, "logos")}}
	var list []Channel
	found, err := durable.Read(l.file(), maxLibraryFile, func(b []byte) error {
		got, dropped, err := decodeChannels(b)
		if err == nil {
			list, l.found.Dropped = got, dropped
		}
		return err
	})
	if err != nil {
		return l, fmt.Errorf("open library: %w", err)
	}
	l.found.Found = found
	for _, c := range list {
		if found.Backup && c.Consent == settings.Share {
			c.Consent = settings.Unasked // the answer that was lost may have been no
		}
		if l.all[c.ID] == nil {
			l.put(c)
		}
	}
	return l, nil
}

func (l *Library) file() string { return filepath.Join(l.folder, "channels.json") }

// Found says what was wrong with the file when it was opened.
func (l *Library) Found() Found { return l.found }

// put adds a channel; mu is held, and the channel is new.
func (l *Library) put(c Channel) {
	l.all[c.ID] = &entry{Channel: c, key: searchKey(c), number: l.number}
	l.number++
}

// Revision changes with every change of what List returns.
func (l *Library) Revision() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.revision
}

// Get returns a channel.
func (l *Library) Get(id string) (Channel, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e := l.all[id]; e != nil {
		return e.Channel, true
	}
	return Channel{}, false
}

// Add adds a channel by its Link, with Name, Group and Logo if they are known, or
// adds what they say to the channel that is there already. It returns the channel
// as it is now.
func (l *Library) Add(c Channel) (Channel, error) {
	c, err := given(c)
	if err != nil {
		return Channel{}, fmt.Errorf("add channel: %w", err)
	}
	err = l.edit("add", func() error {
		c, err = l.add(c, time.Now())
		return err
	})
	return c, err
}

// Import adds all channels of a list, and returns how many are new. It fails, and
// adds what there is room for, if they are too many.
func (l *Library) Import(list []Channel) (added int, err error) {
	now, before := time.Now(), 0
	var full error
	err = l.edit("import", func() error {
		before = len(l.all)
		for _, c := range list {
			if c, err := given(c); err == nil {
				if _, err := l.add(c, now); err != nil {
					full = fmt.Errorf("import channels: %w", err)
				}
			}
		}
		added = len(l.all) - before
		return nil
	})
	return added, errors.Join(full, err)
}

// add adds a channel that was made; mu is held.
func (l *Library) add(c Channel, now time.Time) (Channel, error) {
	if e := l.all[c.ID]; e != nil {
		if joined := join(e.Channel, c); joined != e.Channel {
			e.set(joined)
			l.changed()
		}
		return e.Channel, nil
	}
	if len(l.all) >= MaxChannels {
		return Channel{}, ErrFull
	}
	if c.Added.IsZero() {
		c.Added = now
	}
	l.put(c)
	l.changed()
	return c, nil
}

// changed notes that something in the file changed that Next goes by, too; mu is
// held.
func (l *Library) changed() {
	l.revision++
	l.edits++
	l.order, l.walk = nil, walk{}
}

// Update changes what the user may say of a channel: Name, Group, Favorite and
// Consent. An empty name is the channel's own again. The other fields are not
// taken over.
func (l *Library) Update(id string, change func(*Channel)) error {
	return l.edit("change", func() error {
		e := l.all[id]
		if e == nil {
			return ErrUnknown
		}
		c := e.Channel
		change(&c)
		next := e.Channel
		if c.Name != e.Name {
			next.named = c.Name
		}
		next.Group, next.Favorite, next.Consent = c.Group, c.Favorite, c.Consent
		next, err := made(next)
		if err != nil {
			return err
		}
		if next != e.Channel {
			e.set(next)
			l.changed()
		}
		return nil
	})
}

// Rename gives a channel the user's name for it; "" gives back its own.
func (l *Library) Rename(id, name string) error {
	return l.Update(id, func(c *Channel) { c.Name = name })
}

// SetFavorite puts a channel among the favourites, or not.
func (l *Library) SetFavorite(id string, on bool) error {
	return l.Update(id, func(c *Channel) { c.Favorite = on })
}

// SetConsent sets the channel's own answer; Unasked: as for all.
func (l *Library) SetConsent(id string, consent settings.Consent) error {
	return l.Update(id, func(c *Channel) { c.Consent = consent })
}

// Forget removes a channel and its pictures. The ledger has its own Forget.
func (l *Library) Forget(id string) error {
	err := l.edit("forget", func() error {
		if l.all[id] == nil {
			return ErrUnknown
		}
		delete(l.all, id)
		l.changed()
		return nil
	})
	if errors.Is(err, ErrUnknown) {
		return err
	}
	return errors.Join(err, l.posters.remove(id), l.logos.remove(id))
}

// Touch notes that a channel is watched. It is written some seconds later.
func (l *Library) Touch(id string, at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e := l.all[id]; e != nil && at.After(e.LastSeen) {
		e.LastSeen = at
		l.revision++
		l.edits++
		l.order = nil
	}
}

// edit changes the library, under mu, and saves it. what it does is for the error.
func (l *Library) edit(what string, change func() error) error {
	l.mu.Lock()
	err := change()
	l.mu.Unlock()
	if err != nil {
		return fmt.Errorf("%s channel: %w", what, err)
	}
	return l.Flush()
}

// Flush writes what is not yet written.
func (l *Library) Flush() error {
	l.saving.Lock()
	defer l.saving.Unlock()
	l.mu.Lock()
	edits, done := l.edits, l.edits == l.saved
	var list []Channel
	if !done {
		for _, e := range slices.SortedFunc(maps.Values(l.all), func(a, b *entry) int { return a.number - b.number }) {
			list = append(list, e.Channel)
		}
	}
	l.mu.Unlock()
	if done {
		return nil
	}
	b, err := encodeChannels(list)
	if err == nil {
		err = durable.Write(l.file(), b)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNotSaved, err)
	}
	l.mu.Lock()
	l.saved = edits
	l.mu.Unlock()
	return nil
}

// Run writes what is gathered, every few seconds, until ctx ends, and then once
// more. Its error is that of the last time; what could not be written before is
// tried again.
func (l *Library) Run(ctx context.Context) error { return flushUntil(ctx, l.Flush) }

// flushUntil calls flush every few seconds, and when ctx has ended.
func flushUntil(ctx context.Context, flush func() error) error {
	tick := time.NewTicker(saveAfter)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			_ = flush() // tried again
		case <-ctx.Done():
			return flush()
		}
	}
}

// remove removes a file that may not exist.
func remove(name string) error {
	if err := os.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}
