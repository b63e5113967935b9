package sim

import (
	"time"

	"coral/node/schedule"
)

// player is a model of an HLS player: it starts some segments behind live, needs
// each segment whole when the one before has been played, and stands still when
// it is not there.
type player struct {
	n       *node
	at      int              // the segment at the playhead
	begin   schedule.Instant // when it began, or should begin, to play
	whole   lately
	startup time.Duration
	stalled time.Duration
	stalls  int32
	played  int32
	first   int32
	started bool // a first segment has been chosen
	playing bool
	late    bool // the segment at the playhead was not there in time
}

func (p *player) init(n *node) {
	*p = player{n: n, startup: -1}
}

// warm has it play the first segment as if it had played those before: as far behind
// as who came some time ago.
func (p *player) warm() {
	w := p.n.w
	p.started, p.startup = true, 0
	p.begin = schedule.Instant(w.cfg.Behind-1)*schedule.Instant(w.cfg.Segment) + schedule.Instant(w.rng.Int64N(int64(w.cfg.Segment)))
}

func (p *player) due(seq int) schedule.Instant {
	return p.begin + schedule.Instant(seq-p.at)*schedule.Instant(p.n.w.cfg.Segment)
}

// play moves the playhead and says what is wanted.
func (n *node) play() {
	p, w := &n.player, n.w
	if n.publisher || n.group.lies() || n.group.Helper || !n.up || n.known < 0 {
		return
	}
	if !p.started {
		if n.known < n.oldest {
			return
		}
		p.started = true
		p.at = max(n.oldest, n.known-w.cfg.Behind+1)
		p.first, p.begin = int32(p.at), w.now
	}
	for p.playing {
		end := p.begin + schedule.Instant(w.cfg.Segment)
		if w.now < end {
			break
		}
		p.played++
		p.at++
		p.begin = end
		n.step(schedule.Unwant{ID: id(p.at - 1)})
		if p.at <= n.oldest { // out of the window: jump
			p.at = n.oldest
		}
		if !p.whole.has(p.at) {
			p.playing, p.late = false, true
			p.stalls++
			w.stalled = append(w.stalled, Stall{Node: n.index, Segment: p.at, At: time.Duration(end)})
			break
		}
		w.put(p.begin+schedule.Instant(w.cfg.Segment), event{kind: play, node: int32(n.index)})
	}
	n.want()
}

// want tells the scheduler what is needed when.
func (n *node) want() {
	p, w := &n.player, n.w
	for s := p.at; s <= n.known; s++ {
		if p.whole.has(s) {
			continue
		}
		due := p.due(s)
		if time.Duration(due-w.now) > 30*time.Second {
			break
		}
		w.needed[s] = true
		n.step(schedule.Want{ID: id(s), Due: due})
	}
}

// whole takes a complete segment.
func (n *node) whole(seq int) {
	p, w := &n.player, n.w
	if n.publisher || n.group.Helper || n.group.lies() {
		return
	}
	p.whole.add(seq)
	if seq >= int(p.first) && w.born[seq] > n.joinedAt {
		w.readies = append(w.readies, ready{int32(n.index), int32(seq), time.Duration(w.now - w.born[seq])})
	}
	if p.started && !p.playing && seq == p.at {
		if p.startup < 0 {
			p.startup = time.Duration(w.now - n.joinedAt)
			p.begin = w.now
		} else if p.late {
			p.stalled += time.Duration(w.now - p.begin)
			p.begin, p.late = w.now, false
		}
		p.begin = max(p.begin, w.now) // later where the swarm began warm
		p.playing = true
		w.put(p.begin+schedule.Instant(w.cfg.Segment), event{kind: play, node: int32(n.index)})
		w.put(w.now, event{kind: play, node: int32(n.index)}) // new due times, after this step
	}
}

// lately is a set of segments that forgets what is 64 segments older than its
// newest one.
type lately struct {
	newest int
	bits   uint64 // bit k: newest - k
}

func (l *lately) add(seq int) {
	if seq > l.newest {
		l.bits <<= uint(seq - l.newest)
		l.newest = seq
	}
	l.bits |= 1 << uint(l.newest-seq)
}

func (l *lately) has(seq int) bool {
	return seq <= l.newest && l.bits>>uint(l.newest-seq)&1 != 0
}
