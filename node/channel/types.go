package channel

import (
	"time"

	"coral/store/segment"
)

// RenditionKind says which playlist tag a rendition stands for.
type RenditionKind uint8

const (
	Variant   RenditionKind = iota // EXT-X-STREAM-INF
	Audio                          // EXT-X-MEDIA:TYPE=AUDIO
	Video                          // EXT-X-MEDIA:TYPE=VIDEO
	Subtitles                      // EXT-X-MEDIA:TYPE=SUBTITLES
	Captions                       // EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS: inside the variants' segments, never a URI
)

// Rendition is one line of the Multivariant Playlist. Strings are what the
// attributes of RFC 8216 hold, without quotes; empty or zero: not told.
type Rendition struct {
	ID   uint16 // given by the publisher, unique in a presentation
	Kind RenditionKind
	// Media is the ID of the rendition whose chain carries the segments: ID
	// itself, unless several lines name one Media Playlist.
	Media uint16
	// URI is the Media Playlist's, absolute or relative to the channel's
	// playlist. Empty where there is none: captions, a rendition that is muxed
	// into its variants, and the only rendition of a Single presentation.
	URI string

	Name, Group, Language, AssocLanguage string
	Characteristics, Channels            string
	InstreamID                           string
	Codecs, VideoRange                   string
	Resolution                           string // "1280x720"
	Bandwidth, AverageBandwidth          int64  // bits per second
	FrameRate                            float64
	AudioGroup, VideoGroup               string
	SubtitlesGroup, CaptionsGroup        string // CaptionsGroup "NONE": CLOSED-CAPTIONS=NONE
	Default, Autoselect, Forced          bool
}

// Presentation is what the Multivariant Playlist says; one is in force at a time.
type Presentation struct {
	Revision            uint64 // rises with each new one
	Time                time.Time
	Single              bool // the source is one Media Playlist, without a multivariant one
	IndependentSegments bool
	Renditions          []Rendition

	ext []byte // extensions of a later version, kept so that encoding is exact
}

// PlaylistType is how a rendition's playlist changes.
type PlaylistType uint8

const (
	Live  PlaylistType = iota // a sliding window
	Event                     // grows at its end only
	VOD                       // does not change
)

// Methods of encryption that an entry may name.
const (
	AES128       = "AES-128"
	SampleAES    = "SAMPLE-AES"
	SampleAESCTR = "SAMPLE-AES-CTR"
)

// Key is EXT-X-KEY. Only the reference travels in the feed: key bytes come from
// the origin and from nowhere else.
type Key struct {
	Method, URI                  string
	KeyFormat, KeyFormatVersions string // empty: not told
	IV                           [16]byte
}

// Entry is one signed link of a rendition's chain: a media segment, an init
// section, or the end of the playlist.
type Entry struct {
	Rendition uint16
	Kind      segment.Kind
	End       bool           // EXT-X-ENDLIST: only Rendition, Index, Prev, Time, Target, Type and WindowStart count
	Index     uint64         // position in the chain, from 0
	Prev      segment.Digest // RecordDigest of the entry before; zero at Index 0
	Time      time.Time      // when it was signed; never earlier than the entry before

	// Sequence is Coral's own number: rises strictly from one media entry of
	// the rendition to the next. Init sections are numbered from 0 on their own.
	Sequence uint64
	URI      string // absolute, or relative to the rendition's playlist
	// Ranged says that the bytes are the Size bytes from Offset of what URI names.
	Ranged bool
	Offset int64
	Size   int              // bytes, at most segment.MaxSize
	Blocks []segment.Digest // segment.Digests of the bytes
	Key    *Key             // nil: clear. Blocks are of the ciphertext

	// Media only.
	Duration              time.Duration
	ProgramDateTime       time.Time // zero: not told
	Discontinuity         bool
	DiscontinuitySequence uint64
	Init                  uint64 // number of the init section it needs, if HasInit
	HasInit               bool

	// The rendition's playlist at the origin, as it was when this was signed.
	Target      time.Duration
	Type        PlaylistType
	WindowStart uint64 // the first Sequence in it

	// Took is how long the bytes keep the origin's line busy, as the publisher found
	// when it read them; 0: not told.
	Took time.Duration

	ext []byte // extensions of a later version, kept so that encoding is exact
}

// ID names what the entry describes. An End describes nothing.
func (e *Entry) ID() segment.ID {
	return segment.ID{Rendition: e.Rendition, Kind: e.Kind, Sequence: e.Sequence}
}

// Root is the BEP 52 Merkle root over Blocks.
func (e *Entry) Root() segment.Digest { return segment.Root(e.Blocks) }
