package sim

import (
	"slices"
	"time"

	"coral/node/schedule"
	"coral/store/segment"
)

// node drives one Scheduler: the publisher's or a viewer's. Small fields stand
// together, for there may be a million.
type node struct {
	w         *shard
	index     int
	group     *Group
	link      *Link
	publisher bool
	up        bool
	muted     bool  // gone for its peers
	place     int32 // in world.living
	key       uint64
	sched     *schedule.Scheduler
	tickAt    schedule.Instant
	peers     []int32            // neighbours, in order of arrival
	conns     []schedule.Instant // to each of them: when losses let the next block go
	joinedAt  schedule.Instant
	leftAt    schedule.Instant
	banned    []int // sent bytes that did not verify

	upFree, downFree schedule.Instant
	capFree          schedule.Instant // when the cap has been paid for all that was sent
	known            int              // newest segment whose record came; -1: none
	oldest           int              // that is remembered
	held             []uint64         // which blocks of each segment, from oldest on
	fetches          []schedule.Ticket
	player           player

	early    []event // announcements that came before the record
	uploaded int64

	*source // the publisher's
}

// quiet is how long after a neighbour was killed its silence is noticed.
const quiet = 4 * time.Second

func (n *node) init(cfg schedule.Config) {
	n.key = n.w.rng.Uint64()
	cfg.Self = n.key
	n.sched = schedule.New(cfg)
	n.known = -1
}

// step feeds one event and carries out what follows.
func (n *node) step(ev schedule.Event) {
	acts := n.sched.Step(n.w.now, ev, n.w.acts[:0])
	n.w.steps++
	if n.w.cfg.Watch != nil {
		n.w.cfg.Watch(n.index-1, n.w.now, ev, acts)
	}
	for _, a := range acts {
		n.carry(a)
	}
	n.w.acts = acts[:0]
	if t := n.sched.Next(); t < n.tickAt {
		n.tickAt = t
		n.w.put(t, event{kind: tick, node: int32(n.index)})
	}
}

func (n *node) tick() {
	if n.w.now < n.tickAt {
		return // an earlier one took its place
	}
	n.tickAt = schedule.Never
	n.step(schedule.Tick{})
}

// send puts a message to a neighbour on its way.
func (n *node) send(to schedule.Peer, bytes int, ev event) {
	m := n.w.nodes[to]
	ev.node, ev.from = int32(to), int32(n.index)
	n.w.control += int64(bytes + wire)
	if n.publisher {
		n.w.egress += int64(bytes + wire)
	}
	n.spend(bytes + wire)
	n.w.put(n.w.now+n.w.delay(n.link, m.link), ev)
}

// burst is how much of a cap may be sent at once, as node/swarm/meter has it.
const burst = 100 * time.Millisecond

// spend returns when the uplink has carried that many bytes, beside what keeps
// connections alive.
func (n *node) spend(bytes int) schedule.Instant {
	beside := func(rate int64) int64 { return max(rate-int64(len(n.peers))*keepAlive*8, rate/2) }
	if n.link.Cap > 0 { // what is not paid for does not begin to leave
		paid := spend(n.w.now-schedule.Instant(burst), &n.capFree, bytes, beside(n.link.Cap))
		n.upFree = max(n.upFree, paid-schedule.Instant(int64(bytes)*8*int64(time.Second)/n.link.Up))
	}
	return spend(n.w.now, &n.upFree, bytes, beside(n.link.Up))
}

func (n *node) carry(a schedule.Action) {
	w := n.w
	if n.muted {
		return
	}
	switch a := a.(type) {
	case schedule.Ask:
		n.send(a.Peer, 12, event{kind: request, seq: int32(a.ID.Sequence), block: int32(a.Block), num: uint64(a.Due)})
	case schedule.Withdraw:
		n.send(a.Peer, 8, event{kind: withdraw, seq: int32(a.ID.Sequence), block: int32(a.Block)})
	case schedule.Announce:
		n.send(a.Peer, 12+8*len(a.Held), event{kind: have, seq: int32(a.ID.Sequence), news: &news{a.Held, a.Fetching}})
	case schedule.Claim:
		for _, p := range a.Peers {
			n.send(p, 24, event{kind: claim, seq: int32(a.ID.Sequence), round: uint8(a.Round), ttl: uint8(a.TTL), block: int32(a.First), count: int32(a.Count), num: a.Claimant})
		}
	case schedule.Refuse:
		n.send(a.Peer, 9, event{kind: refuse, seq: int32(a.ID.Sequence), block: int32(a.Block), reason: uint8(a.Reason)})
	case schedule.Send:
		at := n.upload(w.nodes[a.Peer], int32(a.ID.Sequence), a.Block, 0)
		w.put(at, event{kind: sent, node: int32(n.index), from: int32(a.Peer), seq: int32(a.ID.Sequence), block: int32(a.Block)})
	case schedule.Fetch:
		w.put(w.now+w.delay(n.link, w.origin.link), event{kind: get, node: int32(n.index), seq: int32(a.ID.Sequence), block: int32(a.First), count: int32(a.Count), num: uint64(a.Ticket)})
		n.fetches = append(n.fetches, a.Ticket)
	case schedule.StopFetch:
		// Never before the request itself.
		d := n.link.Delay + n.link.Jitter + w.origin.link.Delay + w.origin.link.Jitter + w.cfg.Spell.At(time.Duration(w.now))
		w.put(w.now+schedule.Instant(d), event{kind: halt, node: int32(n.index), num: uint64(a.Ticket)})
		if n.ended(a.Ticket) {
			// FetchEnded comes as an event of its own, like the driver's.
			w.put(w.now, event{kind: body, node: int32(n.index), block: -1, num: uint64(a.Ticket)})
		}
	case schedule.Suspect:
		w.suspects++
	case schedule.Drop:
		n.ban(int(a.Peer))
	}
}

// sent has a block on the wire.
func (n *node) sent(ev *event) {
	w := n.w
	size := segment.BlockLen(w.size(), int(ev.block))
	n.uploaded += int64(size)
	if n.publisher {
		w.publisherBytes += int64(size)
		w.egress += int64(framed(size))
		w.served[ev.seq] += int64(size)
		w.pubServed[ev.seq] += int64(size)
	}
	n.step(schedule.Sent{Peer: schedule.Peer(ev.from), ID: id(int(ev.seq)), Block: int(ev.block)})
}

// upload puts a block on its way to a neighbour. It returns when the network has
// taken it: when the cap allows and the connection has little left to send.
// forged: 1 if its bytes are wrong.
func (n *node) upload(to *node, seq int32, block int, forged uint8) schedule.Instant {
	w, size := n.w, segment.BlockLen(n.w.size(), block)
	begins := max(w.now, n.upFree)
	taken := n.spend(framed(size))
	free := n.conn(to.index)
	if free == nil || taken == schedule.Never {
		return taken
	}
	path := pathOf(n.link, to.link)
	taken = max(taken, *free-path.lasts(notSent))
	at := path.carry(taken, free, size) + w.delay(n.link, to.link)
	w.put(min(begins+w.delay(n.link, to.link), at), event{kind: first, node: int32(to.index), from: int32(n.index), seq: seq, block: int32(block)})
	w.put(at, event{kind: reach, node: int32(to.index), from: int32(n.index), seq: seq, block: int32(block), reason: forged})
	return taken
}

// reach has a block at the node's downlink, where it stands behind others.
func (n *node) reach(ev *event) {
	size := framed(segment.BlockLen(n.w.size(), int(ev.block)))
	at := spend(n.w.now, &n.downFree, size, n.link.Down)
	got := *ev
	if ev.from == fromOrigin {
		got.kind = body
	} else {
		got.kind = data
		n.spend(acks(size))
	}
	n.w.put(at, got)
}

// conn is the connection to a node, or nil.
func (n *node) conn(node int) *schedule.Instant {
	if k := slices.Index(n.peers, int32(node)); k >= 0 {
		return &n.conns[k]
	}
	return nil
}

// message takes what a neighbour sent.
func (n *node) message(ev *event) {
	if n.muted || n.conn(int(ev.from)) == nil {
		return
	}
	if n.group.lies() {
		if n.group.Forger && ev.kind == request {
			n.upload(n.w.nodes[ev.from], ev.seq, int(ev.block), 1)
		}
		return
	}
	if ev.kind != data && ev.kind != first {
		n.spend(ack)
		if n.publisher {
			n.w.egress += ack
		}
	}
	p := schedule.Peer(ev.from)
	switch ev.kind {
	case have:
		if int(ev.seq) > n.known && len(n.early) < 512 {
			n.early = append(n.early, *ev) // before the record
			return
		}
		n.announced(ev)
	case request:
		n.step(schedule.Requested{Peer: p, ID: id(int(ev.seq)), Block: int(ev.block), Due: schedule.Instant(ev.num)})
	case withdraw:
		n.step(schedule.Cancelled{Peer: p, ID: id(int(ev.seq)), Block: int(ev.block)})
	case refuse:
		n.step(schedule.Refused{Peer: p, ID: id(int(ev.seq)), Block: int(ev.block), Reason: schedule.RefuseReason(ev.reason)})
	case claim:
		n.step(schedule.Claimed{Peer: p, ID: id(int(ev.seq)), Round: int(ev.round), TTL: int(ev.ttl), First: int(ev.block), Count: int(ev.count), Claimant: ev.num})
	case first:
		n.step(schedule.Arriving{Peer: p, ID: id(int(ev.seq)), Block: int(ev.block)})
	case data:
		if ev.reason != 0 {
			n.w.forged++
			n.step(schedule.Got{Peer: p, ID: id(int(ev.seq)), Block: int(ev.block)})
			n.ban(int(ev.from))
			return
		}
		n.keep(int(ev.seq), int(ev.block))
		n.step(schedule.Got{Peer: p, ID: id(int(ev.seq)), Block: int(ev.block), OK: true})
	}
}

func (n *node) announced(ev *event) {
	n.step(schedule.Have{Peer: schedule.Peer(ev.from), ID: id(int(ev.seq)), Held: ev.news.held, Fetching: ev.news.fetching})
}

// body takes one block of the origin's answer, or (block -1) its end.
func (n *node) body(ev *event) {
	t := schedule.Ticket(ev.num)
	if ev.block < 0 {
		n.step(schedule.FetchEnded{Ticket: t})
		return
	}
	if n.publisher {
		n.read(int(ev.seq))
		return
	}
	if !slices.Contains(n.fetches, t) {
		return // stopped
	}
	n.keep(int(ev.seq), int(ev.block))
	n.step(schedule.Fetched{Ticket: t, Block: int(ev.block), OK: true})
	if ev.count == 0 && n.ended(t) {
		n.step(schedule.FetchEnded{Ticket: t})
	}
}

// ended takes a ticket back, if its fetch was under way.
func (n *node) ended(t schedule.Ticket) bool {
	k := slices.Index(n.fetches, t)
	if k >= 0 {
		n.fetches = slices.Delete(n.fetches, k, k+1)
	}
	return k >= 0
}

// keep stores block i of segment seq.
func (n *node) keep(seq, i int) {
	k, words := seq-n.oldest, n.w.words()
	if k < 0 { // forgotten
		return
	}
	for len(n.held) < (k+1)*words {
		n.held = append(n.held, 0)
	}
	if b := segment.Bitmap(n.held[k*words : (k+1)*words]); !b.Has(i) {
		b.Set(i)
		if b.Count() == segment.Blocks(n.w.size()) {
			n.whole(seq)
		}
	}
}

// words is how many words a segment's blocks take.
func (w *world) words() int { return (segment.Blocks(w.size()) + 63) / 64 }

// passOn hands a record to the neighbours: two at once, the others a moment later. What
// all have from the publisher is not passed on at once.
func (n *node) passOn(seq, from int) {
	w := n.w
	for i, p := range n.peers {
		if int(p) == from || p == publisher {
			continue
		}
		m := w.nodes[p]
		at := w.now + w.delay(n.link, m.link)
		switch {
		case n.publisher:
			w.egress += recordSize
		case i < 2 && (from != publisher || len(w.living) > toldAll):
			w.control += recordSize
			n.spend(recordSize)
		default: // most have it by then, and are only told that it is there
			at += schedule.Instant(120 * time.Millisecond)
			w.control += told + wire
			n.spend(told + wire)
		}
		if m.w != w || m.known < seq { // else it changes nothing there
			w.put(at, event{kind: record, node: p, from: int32(n.index), block: int32(seq)})
		}
	}
}

const (
	// recordSize is a feed record with its digests, on the wire.
	recordSize = 800
	told       = 20 // that there is one
	toldAll    = 50 // viewers, up to which the publisher is everybody's neighbour
)

// record takes a feed record.
func (n *node) record(seq, from int) {
	if seq <= n.known {
		return
	}
	// Records between come along: a peer asks for what it lacks.
	for s := max(n.known+1, n.oldest); s <= seq; s++ {
		n.learn(s)
	}
	n.known = seq
	n.forgetOld()
	n.passOn(seq, from)
	n.play()
}

// learn makes a segment known to the scheduler.
func (n *node) learn(seq int) {
	w := n.w
	if n.group.lies() {
		full := &news{held: segment.FullBitmap(segment.Blocks(w.size()))}
		for _, p := range n.peers {
			n.send(schedule.Peer(p), 20, event{kind: have, seq: int32(seq), news: full})
		}
		return
	}
	n.step(schedule.Known{ID: id(seq), Size: w.size(), Salt: w.salts[seq], Duration: w.cfg.Segment, Took: w.took[seq], Live: true, Origin: !w.cfg.NoOrigin})
	keep := n.early[:0]
	for _, ev := range n.early {
		if int(ev.seq) != seq {
			keep = append(keep, ev)
		} else if n.conn(int(ev.from)) != nil {
			n.announced(&ev)
		}
	}
	n.early = keep
	if n.group.Helper {
		n.step(schedule.Want{ID: id(seq), Background: true})
	}
}

// forgetOld drops what has left the window.
func (n *node) forgetOld() {
	for n.oldest <= n.known-n.w.cfg.Window-4 {
		n.step(schedule.Forget{ID: id(n.oldest)})
		// In place: cut off at the front it would be made anew for ever.
		n.held = slices.Delete(n.held, 0, min(n.w.words(), len(n.held)))
		n.oldest++
	}
}
