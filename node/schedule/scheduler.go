package schedule

import (
	"time"

	"coral/store/segment"
)

// Config is what a Scheduler is told once. The zero value neither shares nor
// uses the origin.
type Config struct {
	Self      uint64 // hash of our own identity, as others see it in Joined.Key; seeds what chance decides
	SuperSeed bool   // a publisher: show each block to one neighbour first
	Share     bool   // announce and serve what is held
	Origin    bool   // the origin may be asked
	Slots     int    // blocks handed to the network at once; 0: DefaultSlots
}

// DefaultSlots is how many blocks are sent at once: few, because blocks sent one
// after another spread faster than blocks sent side by side, but more than one,
// so that a slow receiver does not idle the uplink.
const DefaultSlots = 3

// Stats counts what a Scheduler decided and saw. Blocks and bytes are verified.
type Stats struct {
	Asks        int64 // blocks asked of peers
	Copies      int64 // of these, while another copy was already on its way
	Withdrawals int64
	Fetches     int64 // origin requests
	Stopped     int64 // origin requests ended early
	Claims      int64
	FromPeers   int64 // bytes that were new
	FromOrigin  int64 // bytes that were new
	Duplicates  int64 // bytes that were held already
	Announces   int64
	Sends       int64
	Refusals    int64
	Timeouts    int64
	Suspects    int64
	Bad         int64 // blocks that did not verify
	Alone       int64 // times that the origin was taken to alone, see gate
	Queued      int   // requests of peers waiting now
	Asked       int   // blocks asked of peers and not answered now
	Peers       int
}

// Scheduler is the state of one channel at one node.
type Scheduler struct {
	cfg   Config
	stats Stats

	// Valid during a Step.

	now  Instant
	acts []Action

	// Peers.

	peers      []*peer // by slot, as many as there ever were at once
	ids        []Peer  // of peers, side by side: looked up for every event
	present    mask    // connected
	watchers   mask    // of present: viewers
	usable     mask    // may be asked: serve, are not suspect
	publishers mask    // of usable
	crowd      crowd
	estimate   int // viewers of the channel; 0: not told
	// meeting is until when neighbours are expected to turn up and to say what
	// they hold.
	meeting Instant

	// Segments.

	objects  []*object // in the order of their IDs
	last     *object
	order    []*object // as they became known
	wants    []*object // wanted and not complete, by due time
	spare    [][]block
	pool     []*object
	expanded int

	// Planning.

	begun    Instant
	met      Instant // when the first peer was met
	learned  Instant // when the first segment became known
	awaited  Instant // when the first one that a player stood there for was wanted,
	begins   Instant // and when it was whole
	wake     Instant // no later than the next timer
	again    bool    // planning was cut short
	dirty    bool    // some want is dirty, or a pipeline has room again
	freed    bool    // a pipeline has room again
	narrow   bool    // our own line is what everything waits for
	rush     bool    // something earlier is late: what is planned comes second
	plan     plan
	inFlight int   // copies asked beyond the first
	credit   int64 // bytes of duplicates that may still come

	// Announcing.

	flushes  []*object
	greeting mask // newcomers that have not been told everything

	// Origin.

	fetches   []*fetch
	spareJobs []*fetch
	ticket    Ticket
	origin    originModel
	seeded    seedModel
	claimants []claimant
	gate      gate

	// Uploads.

	idle    bool // a slot or a request has turned up
	queue   []request
	sending []sending
	uplink  uplinkModel

	// Super-seeding.

	seeds []*object
	shown int // blocks shown and not sent yet
	// seedTime is the virtual time of the last neighbour chosen.
	seedTime time.Duration
}

// New returns a Scheduler that knows no peer and no segment.
func New(cfg Config) *Scheduler {
	if cfg.Slots <= 0 {
		cfg.Slots = DefaultSlots
	}
	return &Scheduler{
		cfg:     cfg,
		wake:    Never,
		begun:   Never,
		met:     Never,
		learned: Never,
		awaited: Never,
		begins:  Never,
		origin:  newOriginModel(),
		seeded:  newSeedModel(),
		uplink:  uplinkModel{service: firstService},
		credit:  dupFloor * segment.BlockSize,
	}
}

// Step applies ev, which happened at now, and appends to acts what must be done.
// now never decreases. Step does not block and does not fail.
func (s *Scheduler) Step(now Instant, ev Event, acts []Action) []Action {
	s.now, s.acts = now, acts
	if _, idle := ev.(Tick); !idle && s.begun == Never {
		s.begun, s.meeting = now, now+Instant(joinGrace)
	}
	if len(s.fetches) == 0 {
		s.origin.age(now)
	}
	s.apply(ev)
	for range maxPlans {
		if now >= s.wake {
			s.timers()
		}
		if s.dirty {
			s.planAll()
		}
	}
	if s.dirty {
		s.dirty, s.again = false, true
		s.at(now + Instant(time.Millisecond))
	}
	s.serve()
	s.flush()
	acts, s.acts = s.acts, nil
	if s.wake <= now {
		// Whatever asked for it has had its turn: never make the driver spin.
		s.wake = now + Instant(time.Millisecond)
	}
	return acts
}

// maxPlans is how often one Step looks at timers and plans, since one thing leads
// to another: moving a request to another peer makes room for more.
const maxPlans = 3

// Next is when Step wants a Tick if nothing happens before, or Never.
func (s *Scheduler) Next() Instant { return s.wake }

// Stats returns the counters.
func (s *Scheduler) Stats() Stats {
	st := s.stats
	st.Queued = len(s.queue)
	st.Peers = s.present.count()
	for m := s.present; m != 0; m &= m - 1 {
		st.Asked += len(s.peers[m.first()].asks)
	}
	return st
}

func (s *Scheduler) act(a Action) { s.acts = append(s.acts, a) }

// at asks for a look at the timers at t.
func (s *Scheduler) at(t Instant) { s.wake = min(s.wake, t) }

// timers does what is due and finds out anew when the next thing is.
func (s *Scheduler) timers() {
	s.wake = Never
	s.dirty, s.again = s.dirty || s.again, false
	for m := s.present; m != 0; m &= m - 1 {
		s.peerTimers(s.peers[m.first()])
	}
	for _, o := range s.wants {
		if o.next <= s.now {
			o.dirty, s.dirty = true, true
		} else {
			s.at(o.next)
		}
	}
	for _, o := range s.flushes {
		if o.flushAt > s.now { // else flush does it at the end of this Step
			s.at(o.flushAt)
		}
	}
	s.seedTimers()
	s.uploadTimers()
	if s.greeting != 0 {
		s.greetAll()
	}
}

// hash mixes its arguments into one number that looks random: all the chance
// there is, so that looking twice changes nothing.
func hash(a, b, c uint64) uint64 {
	x := a ^ b*0x9e3779b97f4a7c15 ^ c*0xc2b2ae3d27d4eb4f
	for range 2 {
		x ^= x >> 30
		x *= 0xbf58476d1ce4e5b9
		x ^= x >> 27
		x *= 0x94d049bb133111eb
		x ^= x >> 31
		x += b + c<<32
	}
	return x ^ x>>29
}
