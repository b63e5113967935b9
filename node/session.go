package node

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"coral/node/channel"
	"coral/node/origin"
	"coral/node/proxy"
	"coral/node/schedule"
	"coral/node/swarm"
	"coral/node/swarm/wire"
	"coral/store/segment"
)

// ErrClosed means that the session has ended.
var ErrClosed = errors.New("channel is closed")

// Session is one open channel: watched, seeded or published.
type Session struct {
	node   *Node
	log    *slog.Logger
	link   *channel.Link // never changed
	name   atomic.Pointer[string]
	role   wire.Role
	origin *origin.Client
	begun  time.Time

	ctx      context.Context // ends with run
	calls    chan func()
	results  chan fetched
	done     chan struct{} // nothing is answered any more
	ended    chan struct{} // all of it is over, goodbyes said
	life     context.Context
	end      context.CancelFunc // ends life, which ends run
	children sync.WaitGroup
	mount    *proxy.Mount // where players find it; nil: no players here
	panel    panel        // what the web player shows

	// Owned by the goroutine that runs run.

	desc       *channel.Descriptor // nil: a plain playlist, or not known yet
	key        segment.Channel
	swarm      *swarm.Swarm // nil: not sharing, or a plain playlist
	feed       *channel.Feed
	sched      *schedule.Scheduler
	acts       []schedule.Action
	events     []schedule.Event // that carrying out an action led to
	objects    map[segment.ID]*object
	fetches    map[schedule.Ticket]*fetch
	ownTickets schedule.Ticket // counts fetches that the scheduler did not ask for
	pinned     int             // the variant that PlayerURL gives, or Auto
	ladder     ladder
	viewings   []*viewing // those that are composed, and were asked for lately
	traffic    traffic
	inflow     inflow
	rewinds    bool // a player that can go back has asked
	shares     bool // the session's own switch; the node has one, too
	parted     parted
	peers      map[swarm.PeerID]*peer
	renditions map[uint16]*rendition
	direct     *direct // the origin's own playlists, where the feed does not serve
	watching   []uint16
	forwards   []forward
	present    chan struct{}     // closed and renewed when the presentation changes
	alias      map[uint16]uint16 // renditions that players know by another number
	earlyHaves []earlyHave
	keyBytes   map[string][]byte // by URL
	sent       map[uint64]upload // blocks queued to peers, by cookie
	cookie     uint64
	counts     counts
}

// rendition is what the session knows of one rendition.
type rendition struct {
	id       uint16
	revision uint64
	updated  time.Time        // when it became revision
	changed  chan struct{}    // closed and renewed with revision
	first    schedule.Instant // when its first verified entry came; 0: not yet
	newest   schedule.Instant // when its newest verified entry came
	asked    schedule.Instant // when a neighbour was last asked for its newest entries
	feedWait schedule.Instant // since when a player has waited for the feed; 0: none has
	sought   bool             // its playlist was asked for
	shown    uint64           // the newest segment that a playlist told players of,
	grew     schedule.Instant // and since when
	play     playback
	end      uint64   // what is fetched ahead of players ends before this segment; 0: with the newest
	keys     []string // URIs of keys that players were told of, by number
	wanted   []*object
	list     *proxy.Playlist  // as of revision; nil: to be made anew
	past     *proxy.Playlist  // list with all before it, for players that go back
	former   []former         // what came before list, see remember
	filled   uint64           // the oldest entry's index when more were asked for
	missing  uint64           // the entry that was last asked for because it is missing,
	missed   schedule.Instant // and when
	room     atomic.Int64     // bytes per second, 0: none; see roomFor
}

// instant is the scheduler's clock: nanoseconds since the session began, from 1.
func (s *Session) instant() schedule.Instant {
	return schedule.Instant(time.Since(s.begun)) + 1
}

// do runs f on the session's goroutine and waits for it.
func (s *Session) do(ctx context.Context, f func()) error {
	ran := make(chan struct{})
	select {
	case s.calls <- func() { f(); close(ran) }:
	case <-ctx.Done():
		return ctx.Err()
	case <-s.done:
		return ErrClosed
	}
	select {
	case <-ran:
		return nil
	case <-s.done:
		return ErrClosed
	}
}

// post is do without waiting for f to have run.
func (s *Session) post(f func()) {
	select {
	case s.calls <- f:
	case <-s.done:
	}
}

// Close ends the session, waits until the peers have been told, and may be
// called more than once. Who zaps opens the next channel first: the way to the
// peers then stays open.
func (s *Session) Close() {
	s.end()
	<-s.ended
}

// run owns the session until ctx ends, or Close is called.
func (s *Session) run(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer context.AfterFunc(s.life, cancel)()
	s.ctx = ctx
	s.node.enlist(s, true)
	defer func() {
		cancel()
		s.node.enlist(s, false)
		close(s.done)
		s.children.Wait()
		s.leave()
		s.origin.Close()
		s.end()
		close(s.ended)
	}()
	s.described(s.desc)
	s.follow()
	if s.role == wire.Viewer {
		_ = s.loadTop() // a player will ask for it; if it fails, that is told then
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		var events <-chan swarm.Event
		if s.swarm != nil {
			events = s.swarm.Events()
		}
		select {
		case <-ctx.Done():
			return
		case f := <-s.calls:
			f()
		case f := <-s.results:
			s.fetched(f)
		case ev := <-events:
			s.peerEvent(ev)
		case <-timer.C:
			s.tick()
		}
		timer.Reset(s.wait())
	}
}

// housekeeping is how often the session looks at what no event tells: players
// that left, feeds that fell silent.
const housekeeping = 500 * time.Millisecond

// wait is how long nothing need be done if no event comes.
func (s *Session) wait() time.Duration {
	next := s.counts.kept + schedule.Instant(housekeeping) // however many events come
	if s.sched != nil {
		next = min(next, s.sched.Next())
	}
	for _, f := range s.forwards {
		next = min(next, f.at)
	}
	return max(0, time.Duration(next-s.instant()))
}

// tick does what time alone brings about.
func (s *Session) tick() {
	now := s.instant()
	if s.sched != nil {
		s.step(schedule.Tick{})
	}
	s.forwardDue(now)
	if now-s.counts.kept >= schedule.Instant(housekeeping) {
		s.counts.kept = now
		s.keepHouse(now)
	}
}

// step gives the scheduler one event and carries out all that follows from it.
func (s *Session) step(ev schedule.Event) {
	if s.sched == nil {
		return
	}
	s.events = append(s.events, ev)
	if len(s.events) > 1 {
		return // within carry: the loop below takes it in turn
	}
	for i := 0; i < len(s.events); i++ {
		acts := s.sched.Step(s.instant(), s.events[i], s.acts[:0])
		for _, a := range acts {
			s.carry(a)
		}
		s.acts = acts[:0]
	}
	s.events = s.events[:0]
}
