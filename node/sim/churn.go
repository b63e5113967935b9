package sim

import (
	"slices"
	"time"

	"coral/node/schedule"
)

// A viewer's way in, counted in round trips.
const (
	// toPlaylist: connect to the origin, read the multivariant playlist, read the
	// media playlist.
	toPlaylist = 3
	// toPeer: connect, encryption (two), handshake, hello. The link names the
	// publisher's address.
	toPeer = 5
	// toTracker: connect, ask. It is with the publisher, and names the others.
	toTracker = 2
	// playlists is what a joiner reads from the origin before its first segment.
	playlists = 3000
	// mostNeighbours is how many connections a node holds.
	mostNeighbours = 60
)

// join brings a viewer in: it starts, reads the playlist from the origin or the
// feed from the first neighbours, and meets its neighbours meanwhile.
func (n *node) join() {
	w := n.w
	n.up, n.joinedAt = true, w.now
	n.oldest = max(0, w.newest-w.cfg.Window+1)
	n.known = n.oldest - 1
	n.player.init(n)
	started := w.now + schedule.Instant(w.cfg.Startup)
	ready := started + 2*toPlaylist*w.delay(n.link, w.origin.link)
	for k, i := range n.others() {
		m := w.nodes[i]
		at := started + 2*toPeer*w.delay(n.link, m.link)
		if i == publisher {
			k = 0
		} else {
			at += 2 * toTracker * w.delay(n.link, w.nodes[publisher].link)
		}
		at += schedule.Instant(max(k*meetEvery, (k-dialBurst)*dialEvery)) + schedule.Instant(w.rng.Int64N(int64(meetEvery)))
		w.put(at, event{kind: meet, node: int32(n.index), from: int32(i)})
		if i == publisher {
			// Its window of the feed comes right behind its hello; a player that has
			// read the origin's playlist waits for it.
			ready = max(ready, at+w.delay(n.link, m.link))
		}
	}
	if !n.group.Alone {
		n.place = int32(len(w.living))
		w.living = append(w.living, int32(n.index))
	}
	w.put(started, event{kind: scrape, node: int32(n.index)})
	w.put(ready, event{kind: begin, node: int32(n.index)})
}

// gather has all viewers there from the beginning, see Config.Warm.
func (w *world) gather() {
	for k := range w.cfg.Groups {
		g := &w.cfg.Groups[k]
		for range g.Count {
			n := w.make(g)
			n.up, n.joinedAt = true, 1
			n.player.init(n)
			n.player.warm()
			n.place = int32(len(w.living))
			w.living = append(w.living, int32(n.index))
		}
	}
	for _, n := range w.nodes[1:] {
		for _, i := range n.others() {
			n.meet(w.nodes[i])
		}
		n.scrape()
	}
}

// How fast a newcomer meets those whom the tracker named: ten are ready within a tenth
// of a second, as measured in the emulated network; after the first ten node/swarm
// dials ten a second.
const (
	meetEvery = int(8 * time.Millisecond)
	dialBurst = 10
	dialEvery = int(100 * time.Millisecond)
)

// begin takes the playlist from the origin, as far as it is signed.
func (n *node) begin() {
	w := n.w
	if !w.cfg.NoOrigin {
		w.egress += playlists
	}
	n.record(w.listed, -1)
	if n.group.Alone { // nobody tells it of new segments: RFC 8216 section 6.3.4
		w.put(w.now+schedule.Instant(w.cfg.Segment), event{kind: begin, node: int32(n.index)})
	}
}

// others chooses whom a newcomer connects to.
func (n *node) others() (all []int) {
	w := n.w
	if n.group.Alone {
		return nil
	}
	free := func(i int) bool {
		m := w.nodes[i]
		return i != n.index && !(m.group.NAT && n.group.NAT) && !slices.Contains(all, i)
	}
	if d := w.cfg.Degree; d > 0 && len(w.living) > (d+1)/2 {
		// Each viewer seeks half of its degree, and is found by as many. Of those
		// whom the tracker names some cannot be reached, hence more tries.
		for range 2 * d {
			if i := int(w.living[w.rng.IntN(len(w.living))]); free(i) && len(w.nodes[i].peers) < w.cfg.Degree*2 {
				if all = append(all, i); len(all) == (d+1)/2 {
					break
				}
			}
		}
	} else {
		for _, i := range w.living {
			if free(int(i)) {
				all = append(all, int(i))
			}
		}
		w.rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	}
	if p := w.nodes[publisher]; !p.muted && len(p.peers) < w.publisherDegree() {
		all = append(all, publisher)
	}
	return all
}

// scrape learns from the tracker how large the swarm is, more or less.
func (n *node) scrape() {
	if n.group.lies() {
		return
	}
	w := n.w
	w.put(w.now+schedule.Instant(10*time.Second), event{kind: scrape, node: int32(n.index)})
	size := len(w.living)
	if size > 30 {
		size = size * (50 + w.rng.IntN(100)) / 100
	}
	n.step(schedule.Estimate{N: size})
}

func (w *world) publisherDegree() int {
	if w.cfg.PublisherDegree > 0 {
		return w.cfg.PublisherDegree
	}
	return 50
}

// meet connects two nodes.
func (n *node) meet(m *node) {
	if !n.up || !m.up || m.muted || n.conn(m.index) != nil || len(n.peers) >= mostNeighbours || len(m.peers) >= mostNeighbours ||
		slices.Contains(n.banned, m.index) || slices.Contains(m.banned, n.index) {
		return
	}
	n.connect(m)
	m.connect(n)
	// Each hands on what it knows of the feed.
	for _, x := range [][2]*node{{n, m}, {m, n}} {
		if x[0].known > x[1].known && !x[1].publisher {
			n.w.put(n.w.now+n.w.delay(n.link, m.link), event{kind: record, node: int32(x[1].index), from: int32(x[0].index), block: int32(x[0].known)})
		}
	}
}

// onlyRendition is what all watch. Nobody writes to it.
var onlyRendition = []uint16{0}

func (n *node) connect(m *node) {
	n.peers, n.conns = append(n.peers, int32(m.index)), append(n.conns, 0)
	p := schedule.Peer(m.index)
	role := schedule.Viewer
	switch {
	case m.publisher:
		role = schedule.Publisher
	case m.group.Helper:
		role = schedule.Helper
	}
	uploads := m.link.Up > 0 && !m.group.Leech
	if n.group.lies() {
		for s := n.oldest; s <= n.known; s++ {
			n.learn(s)
		}
		return
	}
	n.step(schedule.Joined{Peer: p, Role: role, Key: m.key, Uploads: uploads})
	var watching []uint16
	if !m.publisher {
		watching = onlyRendition
	}
	n.step(schedule.Watching{Peer: p, Renditions: watching, Uploads: uploads})
	n.step(schedule.RTT{Peer: p, RTT: pathOf(n.link, m.link).rtt})
}

// leave takes a viewer out, politely or not. Where viewers come and go, another
// one comes in its place.
func (n *node) leave(polite bool) {
	w := n.w
	n.up, n.leftAt = false, w.now
	if last := len(w.living) - 1; !n.group.Alone {
		w.living[n.place] = w.living[last]
		w.nodes[w.living[n.place]].place = n.place
		w.living = w.living[:last]
	}
	w.origin.stop(n.index, 0)
	n.part(polite)
	if n.group.Stay > 0 {
		w.add(n.group, w.now+1)
	}
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
			at = n.w.now + n.w.delay(n.link, m.link)
		}
		n.w.put(at, event{kind: lost, node: p, from: int32(n.index)})
	}
}

// ban is what a forged block earns its sender.
func (n *node) ban(from int) {
	n.banned = append(n.banned, from)
	n.disconnect(from)
	m := n.w.nodes[from]
	n.w.put(n.w.now+n.w.delay(n.link, m.link), event{kind: lost, node: int32(from), from: int32(n.index)})
}

func (n *node) disconnect(from int) {
	i := slices.Index(n.peers, int32(from))
	if i < 0 {
		return
	}
	n.peers, n.conns = slices.Delete(n.peers, i, i+1), slices.Delete(n.conns, i, i+1)
	if n.group.lies() {
		return
	}
	n.step(schedule.Left{Peer: schedule.Peer(from)})
	// It is the tracker that brings another one.
	if w := n.w; !n.publisher && w.cfg.Degree > 0 && len(n.peers) < (w.cfg.Degree+1)/2 && len(w.living) > 1 {
		if m := w.nodes[w.living[w.rng.IntN(len(w.living))]]; m != n && !(m.group.NAT && n.group.NAT) {
			w.put(w.now+2*(toTracker+toPeer)*w.delay(n.link, m.link), event{kind: meet, node: int32(n.index), from: int32(m.index)})
		}
	}
}
