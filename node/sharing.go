package node

import (
	"context"
	"slices"
	"time"

	"coral/node/budget"
	"coral/node/schedule"
	"coral/node/swarm"
)

// partWithin bounds the goodbyes when sharing is switched off: a second after
// the click nothing may be sent any more, the closing of sockets included.
const partWithin = 700 * time.Millisecond

// SetSharing switches sharing for all sessions. Off: peers are told goodbye,
// every connection is closed, trackers and DHT are left, the listener is closed;
// after a second at most not one packet goes to any of them. On: the sessions
// whose own switch is on join again. It does not wait, and playback goes on.
func (n *Node) SetSharing(on bool) {
	n.gate.set(func() { n.gate.share = on })
	n.follow()
}

// SetCaps changes the caps at once. An upload cap of zero is SetSharing(false)
// until it is raised.
func (n *Node) SetCaps(up, down budget.Rate) {
	n.meter.SetCaps(up, down)
	n.gate.set(func() { n.gate.upload = up != 0 })
	n.follow()
}

// follow has every session look at the switches again.
func (n *Node) follow() {
	for _, s := range n.open() {
		s.post(s.follow)
	}
}

// SetSharing switches sharing for this session alone. It shares while both its
// own switch and the node's are on. See Node.SetSharing.
func (s *Session) SetSharing(on bool) {
	s.post(func() {
		s.shares = on
		s.follow()
	})
}

// parted is a swarm that is being left, and what those before were worth.
type parted struct {
	now            *swarm.Swarm // nil: none
	waiting        bool         // to join, until the client before is closed or the address may be free
	failed         error        // why it could not be joined when that was tried last
	sent, received int64        // wire bytes of the swarms that have been left
	control        int64
	banned         int
}

// follow makes the session's part in its swarm what the switches say.
func (s *Session) follow() {
	switch {
	case s.link.Playlist != "" || s.ctx.Err() != nil:
	case s.shares && s.node.gate.open():
		s.join()
	default:
		s.part()
	}
}

// part leaves the swarm and goes on without it.
func (s *Session) part() {
	sw := s.swarm
	if sw == nil {
		return
	}
	// Still with the swarm at hand: the scheduler may move what it asked of one
	// peer to the next before it hears that that is gone, too.
	gone := make([]swarm.PeerID, 0, len(s.peers))
	for pid := range s.peers {
		s.noteHistory(pid)
		gone = append(gone, pid)
	}
	slices.Sort(gone)
	clear(s.peers)
	s.forgetPast()
	clear(s.sent)
	for _, pid := range gone {
		s.step(schedule.Left{Peer: schedule.Peer(pid)})
	}
	s.forwards, s.earlyHaves, s.watching = nil, nil, nil
	s.counts.size = 0
	s.swarm, s.parted.now = nil, sw
	for _, r := range s.renditions {
		r.wake() // players that wait for the feed: the origin's own playlist is next
	}
	s.children.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), partWithin)
		sw.Leave(ctx)
		cancel()
		s.node.gate.leave()
		s.post(func() {
			s.settle(sw)
			s.parted.now = nil
			s.follow()
		})
	})
}

// settle adds what went to and from the peers of a swarm that has been left.
func (s *Session) settle(sw *swarm.Swarm) {
	sent, received := sw.Wire()
	s.parted.sent += sent
	s.parted.received += received
	s.parted.control += sw.Control()
	s.parted.banned = sw.Banned()
}

// wire returns the bytes to and from peers so far, headers included, and those
// of messages that carried no block.
func (s *Session) wire() (sent, received, control int64) {
	sent, received, control = s.parted.sent, s.parted.received, s.parted.control
	for _, sw := range []*swarm.Swarm{s.swarm, s.parted.now} {
		if sw != nil {
			up, down := sw.Wire()
			sent, received, control = sent+up, received+down, control+sw.Control()
		}
	}
	return sent, received, control
}
