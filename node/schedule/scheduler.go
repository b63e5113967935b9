package schedule

// Config is what a Scheduler is told once. The zero value neither shares nor
// uses the origin.
type Config struct {
	Seed      uint64 // of everything that chance decides
	Self      uint64 // hash of our own identity, as others see it in Joined.Key
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
	Asks         int64 // blocks asked of peers
	Copies       int64 // of these, while another copy was already on its way
	Withdrawals  int64
	Fetches      int64 // origin requests
	Stopped      int64 // origin requests ended early
	Claims       int64
	FromPeers    int64 // bytes that were new
	FromOrigin   int64 // bytes that were new
	Duplicates   int64 // bytes that were held already
	Announces    int64
	Sends        int64
	Refusals     int64
	Suspects     int64
	Bad          int64 // blocks that did not verify
	Queued       int   // requests of peers waiting now
	Asked        int   // blocks asked of peers and not answered now
	Peers        int
	UrgentBlocks int64 // blocks asked or fetched in the urgent window
}

// Scheduler is the state of one channel at one node.
type Scheduler struct {
	cfg   Config
	stats Stats
}

// New returns a Scheduler that knows no peer and no segment.
func New(cfg Config) *Scheduler { return &Scheduler{cfg: cfg} }

// Step applies ev, which happened at now, and appends to acts what must be done.
// now never decreases. Step does not block and does not fail.
func (s *Scheduler) Step(now Instant, ev Event, acts []Action) []Action { return acts }

// Next is when Step wants a Tick if nothing happens before, or Never.
func (s *Scheduler) Next() Instant { return Never }

// Stats returns the counters.
func (s *Scheduler) Stats() Stats { return s.stats }
