package settings

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"

	"coral/app/durable"
)

// ErrNotSaved is in the error of a Commit whose settings are in force, but will
// be forgotten when the program ends.
var ErrNotSaved = errors.New("settings could not be saved")

// Found says what was wrong with the file, for a notice.
type Found struct {
	durable.Found
	Reset []string // keys that have their default now, since their value could not be used
	Newer bool     // a newer version of Coral wrote the file
}

// Store keeps the settings and their file.
type Store struct {
	file  string
	found Found

	commit sync.Mutex // held for a whole Commit, so that they are told in order

	mu          sync.Mutex // guards what follows; never held while saving or telling
	now         Settings
	unknown     map[string]json.RawMessage
	saved       bool // the file holds now
	subscribers []*func(old, new Settings)
}

// Open reads the settings. It does not fail for what is in the file, or for a
// missing one: a damaged file is set aside, and Found tells. The error is that of
// a file that exists and cannot be read; even then the Store can be used, with
// the defaults.
func Open(file string) (*Store, error) {
	s := &Store{file: file, now: Default()}
	d := document{settings: Default(), version: Version}
	found, err := durable.Read(file, maxFile, func(b []byte) error {
		got, err := decode(b)
		if err == nil {
			d = got
		}
		return err
	})
	if err != nil {
		return s, fmt.Errorf("open settings: %w", err)
	}
	if found.Backup {
		d.askAgain() // the answer that was lost may have been no
	}
	s.now, s.unknown = d.settings, d.unknown
	s.found = Found{Found: found, Reset: d.reset, Newer: d.version > Version}
	return s, nil
}

// Found says what was wrong with the file when it was opened.
func (s *Store) Found() Found { return s.found }

// Get returns the settings in force.
func (s *Store) Get() Settings {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

// Commit puts settings in force: it checks them, saves them and tells the
// subscribers. Settings that cannot be are refused, and nothing changes. If only
// saving fails the settings are in force all the same (who lowers a cap on a full
// disk means it), and the error holds ErrNotSaved.
func (s *Store) Commit(next Settings) error {
	next.Version = Version
	if err := next.Validate(); err != nil {
		return err
	}
	s.commit.Lock()
	defer s.commit.Unlock()
	s.mu.Lock()
	old, unknown, done := s.now, s.unknown, s.saved && s.now == next
	s.mu.Unlock()
	if done {
		return nil
	}
	err := s.save(next, unknown)
	s.mu.Lock()
	s.now, s.saved = next, err == nil
	subscribers := slices.Clone(s.subscribers)
	s.mu.Unlock()
	if old != next {
		for _, tell := range subscribers {
			(*tell)(old, next)
		}
	}
	return err
}

func (s *Store) save(next Settings, unknown map[string]json.RawMessage) error {
	b, err := encode(next, unknown)
	if err == nil {
		err = durable.Write(s.file, b)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNotSaved, err)
	}
	return nil
}

// Subscribe has tell called after each Commit that changes something, in their
// order, on the committing goroutine. tell may call Get; it must not call Commit,
// and must not wait for who does. When cancel has returned it is not called any
// more, but by a Commit that is under way.
func (s *Store) Subscribe(tell func(old, new Settings)) (cancel func()) {
	mine := &tell
	s.mu.Lock()
	defer s.mu.Unlock()
	s.subscribers = append(s.subscribers, mine)
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.subscribers = slices.DeleteFunc(s.subscribers, func(p *func(old, new Settings)) bool { return p == mine })
	}
}
