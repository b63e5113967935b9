package node

import (
	"context"
	"slices"
	"time"

	"coral/node/schedule"
	"coral/node/swarm"
	"coral/node/swarm/wire"
)

// lately is the span that a Picture is about: long enough for every segment in
// a player's buffer, short enough to follow what changes.
const lately = 30 * time.Second

// Picture is where what is shown came from in the last 30 seconds, and how the
// channel stands.
type Picture struct {
	// Bytes of segments in that time. What came straight from the origin's own
	// playlist is FromOrigin; what a player reads again is FromCache.
	FromPeers, FromOrigin, FromCache, ToPeers int64

	Givers, Takers int // peers that sent us, or were sent, a block in that time
	Verified       Verified
	FeedLag        time.Duration // from signing at the publisher to arrival here, by both clocks
	Back           time.Duration // how far before the newest segment PlayerURLAt can begin
}

// Verified says what is known of the bytes that are shown.
type Verified uint8

// The answers.
const (
	NothingShown Verified = iota // not yet
	AllVerified                  // each byte against the organiser's signature
	NotVerified                  // the origin's own playlist plays: the feed is silent or behind, or may not be had
	NobodySigns                  // a plain playlist
)

// traffic remembers what happened lately. Owned by the session's goroutine.
type traffic struct {
	again      int64 // bytes of segments that were whole when a player asked again
	samples    []sample
	gave, took map[swarm.PeerID]schedule.Instant // when last
}

// sample is the running totals of one moment.
type sample struct {
	at                         schedule.Instant
	peers, origin, cache, sent int64
}

func (s *Session) sample(now schedule.Instant) sample {
	c := &s.counts
	return sample{now, c.bytes[fromPeers], c.bytes[fromOrigin] + c.unverified, c.bytes[fromCache] + s.traffic.again, c.toPeers}
}

// sampleTraffic is done in housekeeping.
func (s *Session) sampleTraffic(now schedule.Instant) {
	t := &s.traffic
	old := func(at schedule.Instant) bool { return now-at > schedule.Instant(lately) }
	t.samples = append(t.samples, s.sample(now))
	keep := slices.IndexFunc(t.samples, func(p sample) bool { return !old(p.at) })
	t.samples = slices.Delete(t.samples, 0, keep)
	for _, m := range []map[swarm.PeerID]schedule.Instant{t.gave, t.took} {
		for id, at := range m {
			if old(at) {
				delete(m, id)
			}
		}
	}
}

// noted marks that something was exchanged with a peer.
func noted(m *map[swarm.PeerID]schedule.Instant, id swarm.PeerID, now schedule.Instant) {
	if *m == nil {
		*m = make(map[swarm.PeerID]schedule.Instant)
	}
	(*m)[id] = now
}

// Picture returns what is true now; once a second is often enough.
func (s *Session) Picture() (p Picture) {
	_ = s.do(context.Background(), func() {
		now := s.sample(s.instant())
		since := sample{} // the session's beginning, if that is not so long ago
		if t := s.traffic.samples; len(t) > 0 && now.at > schedule.Instant(lately) {
			since = t[0]
		}
		p.FromPeers, p.FromOrigin = now.peers-since.peers, now.origin-since.origin
		p.FromCache, p.ToPeers = now.cache-since.cache, now.sent-since.sent
		p.Givers, p.Takers = len(s.traffic.gave), len(s.traffic.took)
		p.FeedLag = s.counts.lag
		switch {
		case s.link.Playlist != "":
			p.Verified = NobodySigns
		case s.counts.startup == 0:
		case s.showsVerified():
			p.Verified = AllVerified
		default:
			p.Verified = NotVerified
		}
		// The shortest way back of what plays: picture and sound go together.
		first := true
		for _, r := range s.renditions {
			if !r.play.active() {
				continue
			}
			if d := s.back(r); first || d < p.Back {
				p.Back, first = d, false
			}
		}
	})
	return p
}

// PeerInfo is one connected peer, without its address.
type PeerInfo struct {
	ID             uint32 // good for as long as the peer is connected, and not used again
	Role           wire.Role
	RTT            time.Duration // smoothed; 0: not measured yet
	Sent, Received int64         // bytes on the wire since it connected, headers included
}

// Publisher reports whether the peer says that it publishes the channel.
func (p PeerInfo) Publisher() bool { return p.Role == wire.Publisher }

// Peers lists who is connected, by ID.
func (s *Session) Peers() (out []PeerInfo) {
	_ = s.do(context.Background(), func() {
		for _, id := range s.peerIDs() {
			info := PeerInfo{ID: uint32(id), Role: s.peers[id].hello.Role, RTT: s.swarm.RTT(id)}
			info.Sent, info.Received = s.swarm.PeerWire(id)
			out = append(out, info)
		}
	})
	return out
}

// Reachability says whether others can connect to this machine. A later one is
// surer than those before it.
type Reachability uint8

// The answers. That others cannot is nothing that a node can see: only that
// after some minutes with peers nobody has.
const (
	ReachUnknown  Reachability = iota
	ReachMapped                // the router says that it forwards the port
	ReachIncoming              // somebody from outside has connected
)

// Reachability returns what was found out since sharing was last switched on.
func (n *Node) Reachability() Reachability {
	c := n.gate.current()
	if c == nil {
		return ReachUnknown
	}
	switch c.Reach() {
	case swarm.ReachIncoming:
		return ReachIncoming
	case swarm.ReachMapped:
		return ReachMapped
	}
	return ReachUnknown
}
