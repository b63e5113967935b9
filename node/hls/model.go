package hls

import (
	"time"

	"coral/node/channel"
)

// Multivariant is a Multivariant Playlist.
type Multivariant struct {
	IndependentSegments bool
	// Renditions holds the variants in their order, then the other renditions in
	// theirs. URIs are as written in the playlist; empty: the rendition has no
	// playlist of its own. Parse numbers them from 0; Media is the number of the
	// first of the same URI.
	Renditions []channel.Rendition
}

// Media is a Media Playlist.
type Media struct {
	Target time.Duration // EXT-X-TARGETDURATION, whole seconds, at least that of the longest segment rounded
	Type   channel.PlaylistType
	// Sequence is the Media Sequence Number of the first segment, or of the one
	// to come if there is none.
	Sequence uint64
	// DiscontinuitySequence is EXT-X-DISCONTINUITY-SEQUENCE: discontinuities
	// before the first segment's own.
	DiscontinuitySequence uint64
	Segments              []Segment
	Ended                 bool // EXT-X-ENDLIST; with a Type of Live: a sliding window that slides no more
	IndependentSegments   bool
	// HoldBack is how far from the end players shall begin, EXT-X-SERVER-CONTROL's
	// HOLD-BACK: three target durations at least. 0: not told.
	HoldBack time.Duration
}

// Segment is one Media Segment.
type Segment struct {
	Sequence uint64 // rises by one from Media.Sequence; WriteMedia does not look at it
	URI      string
	// Ranged says that the segment is the Length bytes from Offset of the
	// resource at URI. Length is 0 where it is not.
	Ranged          bool
	Offset, Length  int64
	Duration        time.Duration
	ProgramDateTime time.Time // UTC; zero: not told
	Discontinuity   bool      // EXT-X-DISCONTINUITY stands before it
	// DiscontinuitySequence counts the discontinuities up to this segment, its
	// own included; WriteMedia does not look at it.
	DiscontinuitySequence uint64
	Map                   *Map         // nil: needs no init section; shared by the segments it applies to
	Key                   *channel.Key // nil: clear. The IV is always filled in, from Sequence where none was given
	Gap                   bool         // EXT-X-GAP: it does not exist, and must not be asked for
}

// Before is the EXT-X-DISCONTINUITY-SEQUENCE of a playlist that begins with s:
// the discontinuities before its own, whose tag is still there.
func (s *Segment) Before() uint64 {
	if s.Discontinuity && s.DiscontinuitySequence > 0 {
		return s.DiscontinuitySequence - 1
	}
	return s.DiscontinuitySequence
}

// Map is an EXT-X-MAP: where the init section is. Ranged, Offset and Length
// are as for a Segment.
type Map struct {
	URI            string
	Ranged         bool
	Offset, Length int64
	// Key is the key in force where the EXT-X-MAP stands: the section itself is
	// encrypted with it, if its method is AES-128. Nil: clear.
	Key *channel.Key
}
