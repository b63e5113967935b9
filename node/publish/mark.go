package publish

import (
	"net/url"
	"path"
	"time"

	"coral/node/channel"
	"coral/node/hls"
	"coral/store/segment"
)

// sight is what a segment looks like in the source's playlist: enough to tell
// whether two playlists speak of the same segment.
type sight struct {
	Source   uint64        `json:"source"` // Media Sequence Number at the source
	URI      string        `json:"uri,omitempty"`
	Ranged   bool          `json:"ranged,omitempty"`
	Offset   int64         `json:"offset,omitempty"`
	Duration time.Duration `json:"duration,omitempty"`
	DateTime time.Time     `json:"datetime,omitzero"`
}

func sightOf(s *hls.Segment) sight {
	return sight{Source: s.Sequence, URI: s.URI, Ranged: s.Ranged, Offset: s.Offset, Duration: s.Duration, DateTime: s.ProgramDateTime}
}

// sameDateTime is how far two dates of one segment may be apart: packagers
// that count them from durations correct them by some frames.
const sameDateTime = time.Second

// same reports whether two sights with one Source are of the same segment. Only
// the last element of the path counts: what comes before it may hold a session,
// what comes after it a token.
func (a *sight) same(b *sight) bool {
	if base(a.URI) != base(b.URI) || a.Ranged != b.Ranged || a.Offset != b.Offset {
		return false
	}
	if a.DateTime.IsZero() || b.DateTime.IsZero() {
		return true
	}
	return a.DateTime.Sub(b.DateTime).Abs() <= max(sameDateTime, a.Duration/2)
}

// surely reports whether two sights, which are the same, cannot be two segments
// of one name.
func (a *sight) surely(b *sight) bool {
	return !a.DateTime.IsZero() && a.DateTime.Equal(b.DateTime)
}

func base(uri string) string {
	if u, err := url.Parse(uri); err == nil {
		uri = u.Path
	}
	return path.Base(uri)
}

// mark is one entry of a chain as it is remembered: what was signed, and what it
// was at the source. The newest mark is the chain's head; all that the next
// entry depends on is in it.
type mark struct {
	sight
	Index    uint64       `json:"index"`
	Kind     segment.Kind `json:"kind,omitempty"`
	End      bool         `json:"end,omitempty"`
	Sequence uint64       `json:"sequence"` // Coral's
	Init     uint64       `json:"init,omitempty"`
	HasInit  bool         `json:"hasInit,omitempty"`
	Size     int          `json:"size,omitempty"`
	Root     []byte       `json:"root,omitempty"`
	Time     time.Time    `json:"time"`
	Digest   []byte       `json:"digest"`        // of the record
	Rec      []byte       `json:"rec,omitempty"` // the record, as long as it is offered
	// Jump says that the chain was lost from here on, and goes on at a place
	// that it cannot have reached (journal.go).
	Jump bool `json:"jump,omitempty"`

	handed bool // its bytes went to the sink since the program was started

	// What follows holds for the chain after this entry.

	Run         uint32               `json:"run,omitempty"`   // how often the source began anew
	RunStart    uint64               `json:"runStart"`        // the run's first Sequence
	Shift       uint64               `json:"shift,omitempty"` // Sequence less Source
	Next        uint64               `json:"next"`            // the least Sequence that may come
	Disc        uint64               `json:"disc,omitempty"`  // discontinuity sequence
	DiscShift   int64                `json:"discShift,omitempty"`
	Inits       uint64               `json:"inits,omitempty"` // init sections so far
	Type        channel.PlaylistType `json:"type,omitempty"`
	WindowStart uint64               `json:"windowStart"`
	Media       bool                 `json:"media,omitempty"` // there was a media segment
}

// id names what the mark's entry announced.
func (m *mark) id(rendition uint16) segment.ID {
	return segment.ID{Rendition: rendition, Kind: m.Kind, Sequence: m.Sequence}
}
