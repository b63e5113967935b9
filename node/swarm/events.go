package swarm

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"coral/node/swarm/wire"
	"coral/store/segment"
)

// PeerID is the local handle of one connection's remote end. It is never used
// again, even for the same node.
type PeerID uint32

// PeerInfo is what is known of a peer when it joins.
type PeerInfo struct {
	ID      [20]byte       // its BitTorrent peer ID: its identity for this session
	Addr    netip.AddrPort // the remote end of the connection
	Inbound bool
	RTT     time.Duration // as TCP has measured it so far; 0: not known
	Hello   wire.Hello
}

// Event is one of Joined, Left, Received, Sent, RTT and Sized, by value.
type Event interface{ event() }

// Joined says that a peer's hello has come, and ours is sent before all else.
type Joined struct {
	Peer PeerID
	Info PeerInfo
}

// Left says that a peer that had joined is gone.
type Left struct {
	Peer   PeerID
	Reason string
}

// Received is a message from a peer that has joined. The consumer owns Msg and
// all it refers to.
type Received struct {
	Peer PeerID
	Msg  wire.Message
	At   time.Time // when it was read
	size int
	from *peer
}

// Arriving says that the beginning of a block has come from a peer. It does not come
// for every block: not for small ones, and not on private channels.
type Arriving struct {
	Peer  PeerID
	ID    segment.ID
	Block uint16
}

// Sent says that the block given with Cookie, Bytes of data, has been taken by
// the kernel. Blocks queued to a peer that leaves get no Sent.
type Sent struct {
	Peer   PeerID
	Bytes  int
	Cookie uint64
}

// RTT is one measured round trip.
type RTT struct {
	Peer PeerID
	RTT  time.Duration
}

// Sized says that a tracker has told how many nodes there are, see Swarm.Size.
type Sized struct{}

func (Joined) event()   {}
func (Left) event()     {}
func (Received) event() {}
func (Arriving) event() {}
func (Sent) event()     {}
func (RTT) event()      {}
func (Sized) event()    {}

// eventBuffer is how many events wait for the consumer before the pump has to
// help: nearly always all there are.
const eventBuffer = 64

// queue takes events without ever blocking and hands them on in order. Its
// length is bounded by what its producers may have outstanding: the meter stops
// reading a connection of which too much waits here.
type queue struct {
	wake chan struct{}
	out  chan Event

	// owned by mu
	mu      sync.Mutex
	pending []Event // for which out had no room
	pumping bool    // run has some that come before pending
}

func newQueue() *queue {
	return &queue{wake: make(chan struct{}, 1), out: make(chan Event, eventBuffer)}
}

func (q *queue) push(ev Event) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.pumping && len(q.pending) == 0 {
		select {
		case q.out <- ev:
			return
		default:
		}
	}
	if r, ok := ev.(Received); ok {
		r.from.conn.Backlog(r.size)
	}
	q.pending = append(q.pending, ev)
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// run moves to out what it had no room for, until ctx ends.
func (q *queue) run(ctx context.Context) {
	var batch []Event
	for {
		q.mu.Lock()
		batch, q.pending = q.pending, batch[:0]
		q.pumping = len(batch) > 0
		q.mu.Unlock()
		for i, ev := range batch {
			select {
			case q.out <- ev:
			case <-ctx.Done():
				return
			}
			if r, ok := ev.(Received); ok {
				r.from.conn.Backlog(-r.size)
			}
			batch[i] = nil
		}
		if len(batch) > 0 {
			continue
		}
		select {
		case <-q.wake:
		case <-ctx.Done():
			return
		}
	}
}
