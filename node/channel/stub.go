package channel

import (
	"crypto/ed25519"
	"errors"
	"time"

	"coral/store/segment"
)

const MaxRecord = 48 << 10

var errStub = errors.New("channel: being written")

type Descriptor struct {
	Name       string
	Root       ed25519.PublicKey
	Origins    []string
	Private    bool
	SecretHash [32]byte
}

func (d *Descriptor) Check() error               { return errStub }
func (d *Descriptor) Info() []byte               { return nil }
func (d *Descriptor) Payload() []byte            { return nil }
func (d *Descriptor) Channel() segment.Channel   { return segment.Channel{} }
func (d *Descriptor) Link() *Link                { return nil }
func ParseInfo(info []byte) (*Descriptor, error) { return nil, errStub }
func NewSecret() ([]byte, error)                 { return nil, errStub }
func SecretHash(secret []byte) [32]byte          { return [32]byte{} }

type Link struct {
	Channel                  segment.Channel
	Descriptor               *Descriptor
	Name                     string
	Trackers, Peers, Origins []string
	Secret                   []byte
	Playlist                 string
}

func ParseLink(s string) (*Link, error)    { return nil, errStub }
func (l *Link) String() string             { return "" }
func (l *Link) URI() string                { return "" }
func ParseTorrent(b []byte) (*Link, error) { return nil, errStub }
func (l *Link) Torrent() ([]byte, error)   { return nil, errStub }

func NewRoot() (ed25519.PrivateKey, error) { return nil, errStub }
func Delegate(root ed25519.PrivateKey, ch segment.Channel, signing ed25519.PublicKey, serial uint64, from, to time.Time) []byte {
	return nil
}
func SignPresentation(key ed25519.PrivateKey, ch segment.Channel, p *Presentation) []byte { return nil }
func SignEntry(key ed25519.PrivateKey, ch segment.Channel, e *Entry) []byte               { return nil }
func RecordDigest(rec []byte) segment.Digest                                              { return segment.Digest{} }
func (p *Presentation) Check() error                                                      { return errStub }
func (e *Entry) Check() error                                                             { return errStub }

// Signer is the publisher's side of a feed: root key, signing key, chain heads.
type Signer struct{}

func NewSigner(root ed25519.PrivateKey, ch segment.Channel) *Signer { return &Signer{} }

// Use signs with a key that was delegated elsewhere (the root stays offline).
func (s *Signer) Use(key ed25519.PrivateKey, delegation []byte) error { return errStub }

// Resume takes a record that was signed before a restart.
func (s *Signer) Resume(rec []byte) error { return errStub }

// Delegation makes a new signing key and returns its delegation if the current is about to expire; else nil.
func (s *Signer) Delegation(now time.Time) ([]byte, error) { return nil, errStub }

// Presentation sets p.Revision and p.Time and signs.
func (s *Signer) Presentation(now time.Time, p *Presentation) ([]byte, error) { return nil, errStub }

// Entry sets e.Index, e.Prev and e.Time and signs.
func (s *Signer) Entry(now time.Time, e *Entry) ([]byte, error) { return nil, errStub }

type FeedOptions struct {
	Window   time.Duration
	MaxBytes int
}
type Update struct {
	Presentation *Presentation
	Entry        *Entry
	Record       []byte
}
type Feed struct{}

func NewFeed(ch segment.Channel, root ed25519.PublicKey, opts FeedOptions) *Feed { return &Feed{} }
func (f *Feed) Add(rec []byte, now time.Time) (*Update, error)                   { return nil, errStub }
func (f *Feed) Presentation() *Presentation                                      { return nil }
func (f *Feed) Entries(rendition uint16) []*Entry                                { return nil }
func (f *Feed) Newest(rendition uint16) *Entry                                   { return nil }
func (f *Feed) Entry(id segment.ID) *Entry                                       { return nil }
func (f *Feed) Snapshot(rendition uint16, fromIndex uint64, maxBytes int) (recs [][]byte, more bool) {
	return nil, false
}
func (f *Feed) Base() [][]byte { return nil }
