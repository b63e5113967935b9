package channel

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
	"slices"
	"time"

	"coral/store/segment"
)

const (
	// DefaultWindow is how much of a live rendition a feed holds: rewind for a
	// viewer, and what a joiner can be given.
	DefaultWindow = 10 * time.Minute
	// MaxEntries bounds one rendition's window: 18 hours of 4-second segments.
	MaxEntries = 16384
	// DefaultMaxBytes bounds the memory of all windows: 10 000 entries of
	// 4-second segments at 4 Mbit/s take 50 MiB, a live window below 1 MiB.
	DefaultMaxBytes = 64 << 20
	// maxInits bounds the init sections that a rendition's feed remembers
	// besides those that its window needs: an origin may return to an old one.
	maxInits = 64
	// maxDelegations bounds the signing keys that are remembered.
	maxDelegations = 128
	// overheadBytes is what an entry costs besides its record and digests.
	overheadBytes = 512
)

// FeedOptions may be left zero.
type FeedOptions struct {
	Window        time.Duration // total duration of the entries of a live rendition; default DefaultWindow
	WindowEntries int           // and their number; default MaxEntries
	MaxEntries    int           // per rendition, whatever its type; default MaxEntries
	MaxBytes      int           // all renditions together; default DefaultMaxBytes
}

// Feed is a viewer's view of a channel's signed feed: it verifies records, puts
// them in order and keeps the newest. One goroutine owns it. Entries,
// presentations and records that it returns are shared and must not be changed.
type Feed struct {
	ch   segment.Channel
	root ed25519.PublicKey
	opts FeedOptions

	delegations  []*delegation // in the order in which they came
	presentation *Presentation
	presented    signature
	chains       map[uint16]*chain
	byID         map[segment.ID]*item
	bytes        int
}

// signature is a verified record and what it stands on.
type signature struct {
	record []byte
	digest segment.Digest
	by     *delegation
}

// Update is what a record that was not known before brings. Neither
// Presentation nor Entry: it is a delegation.
type Update struct {
	Presentation *Presentation
	Entry        *Entry
	Record       []byte // to be passed on
}

// NewFeed returns the empty feed of a channel with the given root key.
func NewFeed(ch segment.Channel, root ed25519.PublicKey, opts FeedOptions) *Feed {
	if opts.Window <= 0 {
		opts.Window = DefaultWindow
	}
	if opts.MaxEntries <= 0 {
		opts.MaxEntries = MaxEntries
	}
	if opts.WindowEntries <= 0 {
		opts.WindowEntries = MaxEntries
	}
	if opts.MaxBytes <= 0 {
		opts.MaxBytes = DefaultMaxBytes
	}
	return &Feed{ch: ch, root: bytes.Clone(root), opts: opts, chains: map[uint16]*chain{}, byID: map[segment.ID]*item{}}
}

// Add takes one record, which it copies. It returns nil and no error for what
// is known already, or need not be passed on. Otherwise err is, in the sense of
// errors.Is, one of this package's Err values, and the feed is as before.
func (f *Feed) Add(rec []byte, now time.Time) (u *Update, err error) {
	if len(rec) <= trailerSize || len(rec) > MaxRecord {
		return nil, fmt.Errorf("record of %d bytes: %w", len(rec), ErrMalformed)
	}
	switch rec[0] {
	case typeDelegation:
		return f.addDelegation(rec, now)
	case typePresentation:
		return f.addPresentation(rec, now)
	case typeEntry:
		return f.addEntry(rec, now)
	}
	return nil, fmt.Errorf("record of type %d: %w", rec[0], ErrMalformed)
}

func (f *Feed) addDelegation(rec []byte, now time.Time) (*Update, error) {
	d, err := parseDelegation(body(rec))
	if err != nil {
		return nil, err
	}
	d.digest = RecordDigest(rec)
	same := slices.IndexFunc(f.delegations, func(o *delegation) bool { return o.serial == d.serial })
	if same >= 0 && f.delegations[same].digest == d.digest {
		return nil, nil
	}
	if !verify(rec, f.ch, f.root) {
		return nil, fmt.Errorf("delegation: %w", ErrForged)
	}
	d.record = bytes.Clone(rec)
	if same >= 0 {
		return nil, &EquivocationError{f.delegations[same].record, d.record}
	}
	if d.from.After(now.Add(ClockTolerance)) {
		return nil, fmt.Errorf("delegation from the future: %w", ErrStale)
	}
	f.delegations = append(f.delegations, d)
	f.forgetDelegation()
	if d.to.Add(ClockTolerance).Before(now) {
		return nil, nil // for old entries only: whoever needs it gets it with them
	}
	return &Update{Record: d.record}, nil
}

// forgetDelegation keeps delegations within their bound: the one that came
// first goes, but never one of the two with the highest serials. What it
// signed stays and still is handed on with it.
func (f *Feed) forgetDelegation() {
	if len(f.delegations) <= maxDelegations {
		return
	}
	newest := f.newestDelegations()
	i := slices.IndexFunc(f.delegations, func(d *delegation) bool { return !slices.Contains(newest, d) })
	f.delegations = slices.Delete(f.delegations, i, i+1)
}

// newestDelegations returns the two with the highest serials, rising.
func (f *Feed) newestDelegations() []*delegation {
	var top []*delegation
	for _, d := range f.delegations {
		i := 0
		for i < len(top) && top[i].serial < d.serial {
			i++
		}
		if top = slices.Insert(top, i, d); len(top) > 2 {
			top = top[1:]
		}
	}
	return top
}

// signer verifies rec and returns the delegation that covers it at t.
func (f *Feed) signer(rec []byte, t time.Time) (*delegation, error) {
	err := ErrUnknownKey
	for _, d := range f.delegations {
		if !names(rec, d.key) {
			continue
		}
		if err != ErrStale { // else it is verified: a key may be delegated again
			if !verify(rec, f.ch, d.key) {
				err = ErrForged
				continue
			}
		}
		err = ErrStale
		if !t.Before(d.from) && !t.After(d.to) && !f.retired(d, t) {
			return d, nil
		}
	}
	return nil, err
}

// retired reports whether a later delegation has taken d's place by t.
func (f *Feed) retired(d *delegation, t time.Time) bool {
	return slices.ContainsFunc(f.delegations, func(o *delegation) bool {
		return o.serial > d.serial && !bytes.Equal(o.key, d.key) && t.After(o.from.Add(Overlap))
	})
}

func (f *Feed) addPresentation(rec []byte, now time.Time) (*Update, error) {
	p, err := parsePresentation(body(rec))
	if err != nil {
		return nil, err
	}
	s := signature{digest: RecordDigest(rec)}
	old := f.presentation
	if old != nil && s.digest == f.presented.digest {
		return nil, nil
	}
	if p.Time.After(now.Add(ClockTolerance)) {
		return nil, fmt.Errorf("presentation from the future: %w", ErrStale)
	}
	if old != nil && p.Revision < old.Revision {
		return nil, fmt.Errorf("presentation: %w", ErrStale)
	}
	if s.by, err = f.signer(rec, p.Time); err != nil {
		return nil, fmt.Errorf("presentation: %w", err)
	}
	s.record = bytes.Clone(rec)
	if old != nil && p.Revision == old.Revision {
		return nil, &EquivocationError{f.presented.record, s.record}
	}
	if old != nil && p.Time.Before(old.Time) {
		return nil, fmt.Errorf("presentation's time runs backwards: %w", ErrBroken)
	}
	f.presentation, f.presented = p, s
	return &Update{Presentation: p, Record: s.record}, nil
}

// Presentation returns the newest presentation, or nil.
func (f *Feed) Presentation() *Presentation { return f.presentation }

// Entries returns the media entries and ends that are held of a rendition, in
// the chain's order; entries may be missing in between. The slice is good until
// the next Add. Init sections are not in it: ask Entry for the one that a media
// entry names.
func (f *Feed) Entries(rendition uint16) []*Entry {
	if c := f.chains[rendition]; c != nil {
		return c.entries
	}
	return nil
}

// Newest returns the entry of any kind with the highest Index, or nil.
func (f *Feed) Newest(rendition uint16) *Entry {
	if c := f.chains[rendition]; c != nil {
		return c.newest.entry
	}
	return nil
}

// Missing returns the Index of the first entry after the oldest that is held
// which is not, of an event or a recording: of those all is kept. False: there is
// none, as far as can be known; an event may have gone on.
func (f *Feed) Missing(rendition uint16) (index uint64, ok bool) {
	c := f.chains[rendition]
	if c == nil || len(c.items) == 0 || c.live() {
		return 0, false
	}
	index = c.items[0].entry.Index
	for c.byIndex[index] != nil {
		index++
	}
	newest := c.newest.entry
	return index, index < newest.Index || newest.Type == VOD && !newest.End
}

// Entry returns the entry that describes a segment or init section, or nil.
func (f *Feed) Entry(id segment.ID) *Entry {
	if it := f.byID[id]; it != nil {
		return it.entry
	}
	return nil
}
