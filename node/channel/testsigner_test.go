package channel

import (
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"coral/store/segment"
)

// signingLife is how long the signing keys that a Signer makes are valid, of
// which the last Overlap is for their successors to become known.
const signingLife = 12 * time.Hour

// Signer is a small publisher for tests.
// Signer is the publisher's side of a feed: it keeps the signing key fresh and
// continues the chains. It is owned by one goroutine.
//
// Before a record leaves the process it must be where a restart finds it:
// Resume must be given the newest record of each kind that anyone may have
// seen, or the publisher contradicts itself.
type Signer struct {
	ch     segment.Channel
	root   ed25519.PrivateKey // nil: stays offline
	key    ed25519.PrivateKey // nil: none yet
	serial uint64
	// from and to are when key is valid.
	from, to time.Time

	last     time.Time // no record is older
	revision uint64
	heads    map[uint16]*head
}

// head is where a rendition's chain goes on.
type head struct {
	index    uint64 // of the next entry
	prev     segment.Digest
	sequence uint64 // the lowest that the next media entry may have
}

// NewSigner returns a Signer that delegates to itself with root, or, if root is
// nil, one that waits for Use.
func NewSigner(root ed25519.PrivateKey, ch segment.Channel) *Signer {
	return &Signer{ch: ch, root: root, heads: map[uint16]*head{}}
}

// Use makes s sign with a key that was delegated elsewhere.
func (s *Signer) Use(key ed25519.PrivateKey, delegation []byte) error {
	if len(key) != ed25519.PrivateKeySize || len(delegation) <= trailerSize {
		return fmt.Errorf("use signing key: %w", ErrMalformed)
	}
	d, err := parseDelegation(body(delegation))
	if err != nil {
		return fmt.Errorf("use signing key: %w", err)
	}
	if !d.key.Equal(key.Public()) {
		return errors.New("use signing key: the delegation is another key's")
	}
	if d.serial < s.serial {
		return fmt.Errorf("use signing key: %w", ErrStale)
	}
	s.key, s.serial, s.from, s.to = key, d.serial, d.from, d.to
	return nil
}

// Resume takes one of this channel's own records from before a restart, in any
// order: the newest delegation, the newest presentation, and of each rendition
// the newest entry and the newest media entry. It does not verify signatures.
func (s *Signer) Resume(rec []byte) error {
	if err := s.resume(rec); err != nil {
		return fmt.Errorf("resume feed: %w", err)
	}
	return nil
}

func (s *Signer) resume(rec []byte) error {
	if len(rec) <= trailerSize {
		return ErrMalformed
	}
	switch rec[0] {
	case typeDelegation:
		d, err := parseDelegation(body(rec))
		if err != nil {
			return err
		}
		s.serial = max(s.serial, d.serial)
	case typePresentation:
		p, err := parsePresentation(body(rec))
		if err != nil {
			return err
		}
		s.revision = max(s.revision, p.Revision)
		s.moment(p.Time)
	case typeEntry:
		e, err := parseEntry(body(rec))
		if err != nil {
			return err
		}
		s.moment(e.Time)
		s.advance(e, RecordDigest(rec))
	default:
		return ErrMalformed
	}
	return nil
}

// advance moves the head of e's chain past e.
func (s *Signer) advance(e *Entry, digest segment.Digest) {
	h := s.heads[e.Rendition]
	if h == nil {
		h = &head{}
		s.heads[e.Rendition] = h
	}
	if e.Index >= h.index {
		h.index, h.prev = e.Index+1, digest
	}
	if !e.End && e.Kind == segment.Media {
		h.sequence = max(h.sequence, e.Sequence+1)
	}
}

// moment is the time of a record that is signed now: the clock may be set back,
// the feed's time is not.
func (s *Signer) moment(now time.Time) time.Time {
	if s.last.Before(now) {
		s.last = now
	}
	return s.last
}

// Delegation makes sure that there is a signing key for the next hour at least.
// It returns the delegation of a new key, which must reach viewers before what
// the key signs, or nil if the key stays.
func (s *Signer) Delegation(now time.Time) ([]byte, error) {
	t := s.moment(now)
	if s.key != nil && t.Before(s.to.Add(-Overlap)) {
		return nil, nil
	}
	if s.root == nil {
		if s.key != nil && !t.After(s.to) {
			return nil, nil
		}
		return nil, errors.New("delegate: no signing key is valid and the root key is not here")
	}
	public, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("delegate: %w", err)
	}
	// The time makes serials rise even where the newest was not resumed.
	serial := max(s.serial+1, uint64(max(t.UnixMilli(), 0)))
	to := t.Add(signingLife)
	rec := Delegate(s.root, s.ch, public, serial, t, to)
	if rec == nil {
		return nil, errors.New("delegate: time out of range")
	}
	s.key, s.serial, s.from, s.to = key, serial, t, to
	return rec, nil
}

// Presentation sets p's Revision and Time and signs it.
func (s *Signer) Presentation(now time.Time, p *Presentation) ([]byte, error) {
	t, err := s.ready(now)
	if err != nil {
		return nil, fmt.Errorf("sign presentation: %w", err)
	}
	p.Revision, p.Time = s.revision+1, t
	if err := p.Check(); err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	rec := SignPresentation(s.key, s.ch, p)
	if rec == nil {
		return nil, fmt.Errorf("sign presentation: longer than %d bytes", MaxRecord)
	}
	s.revision++
	return rec, nil
}

// Entry sets e's Index, Prev and Time, signs it, and advances the chain.
func (s *Signer) Entry(now time.Time, e *Entry) ([]byte, error) {
	t, err := s.ready(now)
	if err != nil {
		return nil, fmt.Errorf("sign entry: %w", err)
	}
	e.Index, e.Prev, e.Time = 0, segment.Digest{}, t
	if h := s.heads[e.Rendition]; h != nil {
		e.Index, e.Prev = h.index, h.prev
		if !e.End && e.Kind == segment.Media && e.Sequence < h.sequence {
			return nil, fmt.Errorf("sign entry: sequence %d of rendition %d does not rise", e.Sequence, e.Rendition)
		}
	}
	if err := e.Check(); err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	rec := SignEntry(s.key, s.ch, e)
	if rec == nil {
		return nil, fmt.Errorf("sign entry: longer than %d bytes", MaxRecord)
	}
	s.advance(e, RecordDigest(rec))
	return rec, nil
}

// ready returns the time to sign at, or why nothing can be signed.
func (s *Signer) ready(now time.Time) (time.Time, error) {
	t := s.moment(now)
	if s.key == nil || t.Before(s.from) || t.After(s.to) {
		return t, errors.New("no signing key is valid now: call Delegation or Use first")
	}
	return t, nil
}

// Next returns the Index of the next entry of a rendition, and the lowest
// Sequence that a media entry of it may have.
func (s *Signer) Next(rendition uint16) (index, sequence uint64) {
	if h := s.heads[rendition]; h != nil {
		return h.index, h.sequence
	}
	return 0, 0
}
