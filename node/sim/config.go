package sim

import (
	"time"

	"coral/node/schedule"
)

// Config describes one run. Rates are in bits per second; 0 means none.
type Config struct {
	Seed     uint64
	Duration time.Duration

	Rate    int64         // of the stream
	Segment time.Duration // playing time of a segment
	Window  int           // segments in the playlist; 0: 8
	Behind  int           // how many segments behind live players start; 0: 3

	Origin      Link          // its Up serves publisher and viewers
	Beside      bool          // the publisher runs beside the origin and reads without its Up
	Startup     time.Duration // from starting a viewer's program to its first packet
	NoOrigin    bool          // viewers may not use it
	OriginUntil time.Duration // it answers no viewer from then on; 0: always

	Publisher Link // Up is its upload cap; 0: it signs but serves nobody
	// PublisherUntil is when the publisher's peers lose it; 0: never. Its feed
	// goes on, as if another one signed: without a feed there is no channel.
	PublisherUntil time.Duration

	Groups []Group
	Spell  Spell
	// Warm: all viewers are there and know each other before the first segment, and
	// play it as if they had been playing. Joins are what costs most of the time.
	Warm   bool
	Degree int // neighbours per viewer; 0: everybody
	// PublisherDegree is how many viewers the publisher knows; 0: up to 50.
	PublisherDegree int

	// Second, if set, is called once in every simulated second; it returns false
	// to end the run there.
	Second func(now time.Duration) bool

	// Watch, if set, is given every step of every viewer (and, as node -1, of
	// the publisher): for traces and invariants.
	Watch func(node int, now schedule.Instant, ev schedule.Event, acts []schedule.Action)
}

// lies reports whether what g announces is not so.
func (g *Group) lies() bool { return g.Liar || g.Forger }

// Spell is a time in which whatever is sent takes longer to come: a network that is
// overloaded elsewhere, or machines that are.
type Spell struct{ From, To, Delay time.Duration }

// At is by how much longer what is sent at t takes. It stays in order.
func (s *Spell) At(t time.Duration) time.Duration {
	if t < s.From {
		return 0
	}
	return max(0, min(s.Delay, s.To+s.Delay-t))
}

// Link is how a host is connected.
type Link struct {
	Up, Down int64
	Cap      int64         // what its node may send, by a token bucket before Up; 0: all that Up carries
	Delay    time.Duration // one way, to the middle of the network
	Jitter   time.Duration // uniform, added per message
	Loss     float64       // share of packets lost, in each direction
}

// sends is how much a node at this end may send.
func (l *Link) sends() int64 {
	if l.Cap > 0 {
		return min(l.Cap, l.Up)
	}
	return l.Up
}

// Group is a number of viewers of one kind.
type Group struct {
	Count int
	Link
	Join, Every time.Duration // the first one joins at Join, the others Every apart
	// Leave is when they leave politely, Kill when they vanish; 0: never.
	Leave, Kill time.Duration
	// Stay is how long each stays at the mean, exponentially distributed; then it
	// leaves politely or (every other one) vanishes, and another one comes in its
	// place. 0: they stay.
	Stay   time.Duration
	Leech  bool // serves nobody
	Alone  bool // has no peers, as a viewer who does not share: plain HLS
	NAT    bool // two of these cannot connect
	Liar   bool // announces everything, serves nothing; its play is not counted
	Forger bool // a Liar that answers every request, with wrong bytes
	Helper bool // seeds without playing
}
