package schedule

import "coral/store/segment"

// Action is something to be done: one of the types below, by value. Slices in
// actions belong to the receiver.
type Action interface{ action() }

// Ask asks a peer for a block, which is of use until Due.
type Ask struct {
	Peer  Peer
	ID    segment.ID
	Block int
	Due   Instant
}

// Withdraw takes an Ask back.
type Withdraw struct {
	Peer  Peer
	ID    segment.ID
	Block int
}

// Fetch fetches Count blocks from block First on from the origin with one
// request. It is answered by Fetched for each block, then FetchEnded.
type Fetch struct {
	Ticket       Ticket
	ID           segment.ID
	First, Count int
}

// StopFetch ends a fetch early. FetchEnded still follows.
type StopFetch struct{ Ticket Ticket }

// Announce tells a peer the whole state of a segment here: it replaces what it
// was told before.
type Announce struct {
	Peer           Peer
	ID             segment.ID
	Held, Fetching segment.Bitmap
}

// Claim tells peers that Claimant fetches these blocks from the origin.
type Claim struct {
	Peers        []Peer
	ID           segment.ID
	Round, TTL   int
	First, Count int
	Claimant     uint64
}

// Send sends a block to a peer. It is answered by Sent.
type Send struct {
	Peer  Peer
	ID    segment.ID
	Block int
}

// Refuse tells a peer that a block it asked for will not come from here.
type Refuse struct {
	Peer   Peer
	ID     segment.ID
	Block  int
	Reason RefuseReason
}

// Suspect says that a peer does not answer; its work has been moved already.
type Suspect struct {
	Peer Peer
	Why  string
}

// Drop says that a peer is to be disconnected, and not to come back soon.
type Drop struct {
	Peer Peer
	Why  string
}

func (Ask) action()       {}
func (Withdraw) action()  {}
func (Fetch) action()     {}
func (StopFetch) action() {}
func (Announce) action()  {}
func (Claim) action()     {}
func (Send) action()      {}
func (Refuse) action()    {}
func (Suspect) action()   {}
func (Drop) action()      {}
