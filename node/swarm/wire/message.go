package wire

import "coral/store/segment"

const (
	// Version is the version of the protocol that this package speaks.
	Version = 1
	// Extension is the BEP 10 name of the messages.
	Extension = "coral_hls"
	// MaxMessage bounds one message. anacrolix/torrent closes a connection on an
	// extension message of more than 65,534 bytes; the rest is kept for framing.
	MaxMessage = 60 << 10
	// MaxRenditions bounds the renditions that one peer may say it watches: as
	// many as a playlist may hold.
	MaxRenditions = 64
	// MaxAgent bounds a hello's agent text.
	MaxAgent = 64
	// MaxRecords bounds the records of one message; a record is never below some
	// hundred bytes, so a full message stays under it.
	MaxRecords = 512
)

// Role says what a peer is in its channel. It is a claim, not a proof: it only
// guides politeness (whom to super-seed to, whom not to ask).
type Role uint8

const (
	Viewer    Role = iota // plays
	Helper                // seeds without playing
	Publisher             // signs the feed and has every segment first
)

func (r Role) String() string {
	switch r {
	case Viewer:
		return "viewer"
	case Helper:
		return "helper"
	case Publisher:
		return "publisher"
	}
	return "unknown"
}

// RefuseReason says why a block was not sent.
type RefuseReason uint8

const (
	Busy       RefuseReason = iota // too much is queued already
	NotHeld                        // not held, or no longer
	NotSharing                     // the user does not share now
	Late                           // it could not be there in time
	Elsewhere                      // another has it or is being sent it, and there is time
)

func (r RefuseReason) String() string {
	switch r {
	case Busy:
		return "busy"
	case NotHeld:
		return "not held"
	case NotSharing:
		return "not sharing"
	case Late:
		return "late"
	case Elsewhere:
		return "elsewhere"
	}
	return "unknown"
}

// Message is one of the types below, always by pointer.
type Message interface {
	kind() byte
	append(dst []byte) []byte
}

// Hello opens a connection, once in each direction; nothing else may come
// before it.
type Hello struct {
	Version    uint16
	Role       Role
	Nonce      [16]byte // fresh per connection
	Auth       [32]byte // private channels: proof of the secret; else zero
	Uploads    bool     // false: this peer asks, but serves nobody
	Renditions []uint16 // what it watches now; first the variant that it goes on with
	Agent      string   // program and version, for the organiser's statistics
}

// Watching says that what the hello said has changed.
type Watching struct {
	Uploads    bool
	Renditions []uint16
}

// Records carries signed feed records, verbatim.
type Records struct{ Records [][]byte }

// Window asks for feed records: with All the base and every rendition's window,
// else those of one Rendition from chain position From on.
type Window struct {
	All       bool
	Rendition uint16
	From      uint64
}

// Have is the full state of one segment at the sender. It replaces what was said
// about it before; two empty sets take it back.
type Have struct {
	ID       segment.ID
	Blocks   uint16 // how many blocks the segment has
	Held     segment.Bitmap
	Fetching segment.Bitmap // being fetched from the origin: a claim, so that others need not
}

// Request asks for one block.
type Request struct {
	ID    segment.ID
	Block uint16
	Due   uint32 // milliseconds from now until the asker needs it
}

// Cancel takes a Request back.
type Cancel struct {
	ID    segment.ID
	Block uint16
}

// Block answers a Request.
type Block struct {
	ID    segment.ID
	Block uint16
	Data  []byte
}

// Refuse answers a Request that will not be served.
type Refuse struct {
	ID     segment.ID
	Block  uint16
	Reason RefuseReason
}

// Claim says that Claimant fetches Count blocks from First on from the origin,
// so that others need not.
type Claim struct {
	ID           segment.ID
	Round, TTL   uint8
	First, Count uint16
	Claimant     uint64
}

// Ping asks for a Pong with the same token.
type Ping struct{ Token uint64 }

// Pong answers a Ping.
type Pong struct{ Token uint64 }

// Bye says that the sender leaves now: its blocks are gone, nothing will come.
type Bye struct{}
