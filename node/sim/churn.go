package sim

import (
	"slices"
	"time"

	"coral/node/schedule"
)

// join brings a viewer in: it reads the playlist from the origin or the feed
// from the first neighbours, and meets its neighbours within a moment.
func (n *node) join() {
	w := n.w
	n.up, n.joinedAt, w.lastJoin = true, w.now, w.now
	n.oldest = max(0, w.newest-w.cfg.Window+1)
	n.known = n.oldest - 1
	n.player.init(n)
	// The tracker names peers, each of which takes some round trips to meet.
	var others []int
	for i, m := range w.nodes {
		if m != n && m.up && i != publisher {
			others = append(others, i)
		}
	}
	w.rng.Shuffle(len(others), func(i, j int) { others[i], others[j] = others[j], others[i] })
	if d := w.cfg.Degree; d > 0 && len(others) > (d+1)/2 {
		// Each viewer seeks half of its degree, and is found by as many.
		others = others[:(d+1)/2]
	}
	if p := w.nodes[publisher]; p.up && !p.muted && len(p.peers) < w.publisherDegree() {
		others = append(others, publisher)
	}
	for _, i := range others {
		m := w.nodes[i]
		if m.group.NAT && n.group.NAT {
			continue
		}
		at := w.now + 4*w.delay(&n.link, &m.link) + schedule.Instant(w.rng.Int64N(int64(200*time.Millisecond)))
		w.q.put(at, event{kind: meet, node: int32(n.index), from: int32(i)})
	}
	n.scrape()
	// The feed: one peer's window comes with the first connection; until then
	// the origin's own playlist says as much as the publisher has signed.
	at := w.now + 2*w.delay(&n.link, &w.origin.link)
	w.q.put(at, event{kind: record, node: int32(n.index), from: -1, block: int32(w.nodes[publisher].known)})
}

// scrape learns from the tracker how large the swarm is, more or less.
func (n *node) scrape() {
	if n.group.Liar {
		return
	}
	w := n.w
	w.q.put(w.now+schedule.Instant(10*time.Second), event{kind: scrape, node: int32(n.index)})
	n.step(schedule.Estimate{N: w.alive() * (50 + w.rng.IntN(100)) / 100})
}

// alive is how many viewers are there.
func (w *world) alive() (size int) {
	for _, m := range w.nodes[1:] {
		if m.up {
			size++
		}
	}
	return size
}

func (w *world) publisherDegree() int {
	if w.cfg.PublisherDegree > 0 {
		return w.cfg.PublisherDegree
	}
	return 50
}

// meet connects two nodes.
func (n *node) meet(m *node) {
	if !n.up || !m.up || slices.Contains(n.peers, m.index) || len(n.peers) >= 60 || len(m.peers) >= 60 {
		return
	}
	n.connect(m)
	m.connect(n)
	// Each hands on what it knows of the feed.
	for _, x := range [][2]*node{{n, m}, {m, n}} {
		if x[0].known > x[1].known && !x[1].publisher {
			n.w.q.put(n.w.now+n.w.delay(&n.link, &m.link), event{kind: record, node: int32(x[1].index), from: int32(x[0].index), block: int32(x[0].known)})
		}
	}
}

func (n *node) connect(m *node) {
	n.peers = append(n.peers, m.index)
	p := schedule.Peer(m.index)
	role := schedule.Viewer
	switch {
	case m.publisher:
		role = schedule.Publisher
	case m.group.Helper:
		role = schedule.Helper
	}
	uploads := m.link.Up > 0 && !m.group.Leech
	if n.group.Liar {
		for s := n.oldest; s <= n.known; s++ {
			n.learn(s)
		}
		return
	}
	n.step(schedule.Joined{Peer: p, Role: role, Key: m.key, Uploads: uploads})
	var watching []uint16
	if !m.publisher {
		watching = []uint16{0}
	}
	n.step(schedule.Watching{Peer: p, Renditions: watching, Uploads: uploads})
	n.step(schedule.RTT{Peer: p, RTT: 2 * (n.link.Delay + m.link.Delay)})
}

// leave takes a node out, politely or not.
func (n *node) leave(polite bool) {
	n.up = false
	n.w.origin.stop(n.index, 0)
	n.part(polite)
}

// mute is what becomes of a publisher that is killed, but for its feed.
func (n *node) mute() {
	n.muted = true
	n.part(false)
}

// part has the neighbours find out that the node is gone.
func (n *node) part(polite bool) {
	for _, p := range n.peers {
		m := n.w.nodes[p]
		at := n.w.now + schedule.Instant(quiet)
		if polite {
			at = n.w.now + n.w.delay(&n.link, &m.link)
		}
		n.w.q.put(at, event{kind: lost, node: int32(p), from: int32(n.index)})
	}
}

func (n *node) disconnect(from int) {
	i := slices.Index(n.peers, from)
	if i < 0 {
		return
	}
	n.peers = slices.Delete(n.peers, i, i+1)
	if !n.group.Liar {
		n.step(schedule.Left{Peer: schedule.Peer(from)})
	}
}
