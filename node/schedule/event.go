package schedule

import (
	"math"
	"time"

	"coral/store/segment"
)

// Instant is a time in nanoseconds since some beginning of the driver's own.
type Instant int64

// Never is the instant that does not come.
const Never Instant = math.MaxInt64

// Peer is the driver's handle of one connected neighbour, not used again after
// Left.
type Peer uint32

// Ticket names one origin fetch. The scheduler counts its own from 1; tickets of
// adopted fetches are the driver's and must have the highest bit set.
type Ticket uint64

// Role says what a peer claims to be, in the wire's numbering. It guides
// politeness and rescue, never trust.
type Role uint8

const (
	Viewer    Role = iota // plays
	Helper                // seeds without playing
	Publisher             // signed the segments and so has them
)

// RefuseReason says why a block is not sent, in the wire's numbering.
type RefuseReason uint8

const (
	Busy       RefuseReason = iota // too much is queued already
	NotHeld                        // not held, or no longer
	NotSharing                     // nothing is served to anybody now
	Late                           // it could not be there in time
	Elsewhere                      // another has it or is being sent it, and there is time
)

// Event is something that happened: one of the types below, by value. Bitmaps in
// events are only read during Step; they stay the caller's.
type Event interface{ event() }

// Joined says that a peer is connected. Key is a hash of its proven identity, by
// which origin fetches are shared out.
type Joined struct {
	Peer    Peer
	Role    Role
	Key     uint64
	Uploads bool // false: it serves nobody
	Known   Standing
}

// Left says that a peer is gone, and what was asked of it will not come.
type Left struct{ Peer Peer }

// Watching says which renditions a peer watches now. Until the first one comes
// nothing is assumed.
type Watching struct {
	Peer       Peer
	Renditions []uint16
	Uploads    bool
}

// RTT is a measured round trip to a peer.
type RTT struct {
	Peer Peer
	RTT  time.Duration
}

// Known says that the signed entry of a segment is known, which is what makes
// its blocks verifiable. Knowing one again only updates Origin.
type Known struct {
	ID       segment.ID
	Size     int            // bytes
	Salt     uint64         // from the entry; nobody can know it beforehand
	Duration time.Duration  // playing time; 0 for init sections
	Live     bool           // it is played while others come to be
	Origin   bool           // it may be fetched from the origin
	Took     time.Duration  // for which its bytes keep the origin's line busy; 0: not told
	Held     segment.Bitmap // what the store has of it already
}

// Forget says that a segment has left the window: nothing about it matters now.
type Forget struct{ ID segment.ID }

// Want says that a segment is wanted whole by Due, or (Background) at leisure.
// Wanting it again changes Due.
type Want struct {
	ID         segment.ID
	Due        Instant
	Background bool
}

// Unwant takes a Want back.
type Unwant struct{ ID segment.ID }

// Have is what a peer says about a segment: which blocks it holds and which it
// is fetching from the origin. It replaces what it said before.
type Have struct {
	Peer           Peer
	ID             segment.ID
	Held, Fetching segment.Bitmap
}

// Arriving says that the beginning of a block that a peer sends is here.
type Arriving struct {
	Peer  Peer
	ID    segment.ID
	Block int
}

// Got says that a peer sent a block. OK: it verified and is stored.
type Got struct {
	Peer  Peer
	ID    segment.ID
	Block int
	OK    bool
}

// Refused says that a peer will not send a block that was asked of it.
type Refused struct {
	Peer   Peer
	ID     segment.ID
	Block  int
	Reason RefuseReason
}

// Fetched says that an origin fetch brought a block. OK: it verified and is
// stored.
type Fetched struct {
	Ticket Ticket
	Block  int
	OK     bool
}

// FetchEnded says that an origin fetch is over: done, stopped or Failed. The
// origin is then left alone for RetryAfter at least.
type FetchEnded struct {
	Ticket     Ticket
	Failed     bool
	RetryAfter time.Duration
}

// Adopted says that the driver has an origin fetch of these blocks under way
// that it began itself, before the entry was known.
type Adopted struct {
	Ticket       Ticket
	ID           segment.ID
	First, Count int
}

// Lost says that the store has lost a block.
type Lost struct {
	ID    segment.ID
	Block int
}

// Requested says that a peer asks for a block, which is of use to it until Due.
type Requested struct {
	Peer  Peer
	ID    segment.ID
	Block int
	Due   Instant
}

// Cancelled takes a Requested back.
type Cancelled struct {
	Peer  Peer
	ID    segment.ID
	Block int
}

// Sent says that the network has taken a block that a Send action handed out (or
// that it could not be sent): the slot is free. Every Send needs one, unless the
// peer has left.
type Sent struct {
	Peer  Peer
	ID    segment.ID
	Block int
}

// Claimed says that a peer told of a claim: Claimant fetches these blocks.
type Claimed struct {
	Peer         Peer
	ID           segment.ID
	Round, TTL   int
	First, Count int
	Claimant     uint64
}

// Estimate says how many viewers the channel is thought to have.
type Estimate struct{ N int }

// Configured changes what may be done from now on.
type Configured struct {
	Share  bool
	Origin bool
}

// Narrow says that our own line is what everything waits for, or is no longer:
// what is asked of another then comes no sooner, and takes the line twice.
type Narrow struct{ On bool }

// Tick says only that time has passed. Next says when one is due.
type Tick struct{}

func (Joined) event()     {}
func (Left) event()       {}
func (Watching) event()   {}
func (RTT) event()        {}
func (Known) event()      {}
func (Forget) event()     {}
func (Want) event()       {}
func (Unwant) event()     {}
func (Have) event()       {}
func (Arriving) event()   {}
func (Got) event()        {}
func (Refused) event()    {}
func (Fetched) event()    {}
func (FetchEnded) event() {}
func (Adopted) event()    {}
func (Lost) event()       {}
func (Requested) event()  {}
func (Cancelled) event()  {}
func (Sent) event()       {}
func (Claimed) event()    {}
func (Estimate) event()   {}
func (Configured) event() {}
func (Narrow) event()     {}
func (Tick) event()       {}
