package sim

import (
	"time"

	"coral/node/schedule"
	"coral/store/segment"
)

// source is how the publisher reads.
type source struct {
	lanes   schedule.Lanes
	line    schedule.Line
	reading map[int]*reading
}

// notice is the publisher's discovery of a segment, which it downloads unless it
// runs beside the origin.
func (n *node) notice(seq int) {
	w := n.w
	if w.cfg.Beside {
		n.publish(seq)
		return
	}
	blocks := segment.Blocks(w.size())
	k := min(n.lanes.Count(), blocks)
	n.reading[seq] = &reading{since: w.now, left: blocks, lanes: k, sharing: n.underWay() + 1}
	for i := range k {
		first, end := blocks*i/k, blocks*(i+1)/k
		w.put(w.now+w.delay(n.link, w.origin.link), event{kind: get, node: int32(n.index), seq: int32(seq), block: int32(first), count: int32(end - first)})
	}
}

// reading is a segment that the publisher downloads.
type reading struct {
	since, half schedule.Instant // when it began, and when half of it was there
	left, lanes int              // blocks, requests
	sharing     int              // readings under way when it began
}

// underWay is how many segments are being read.
func (n *node) underWay() (k int) {
	for _, r := range n.reading {
		if r.left > 0 {
			k++
		}
	}
	return k
}

// read takes one block of it.
func (n *node) read(seq int) {
	w, r := n.w, n.reading[seq]
	blocks := segment.Blocks(w.size())
	switch r.left--; {
	case r.left == 0:
		whole := time.Duration(w.now - r.since)
		n.lanes.Took(whole, w.cfg.Segment)
		m := schedule.Reading{Bytes: w.size(), Plays: w.cfg.Segment, Took: whole, Sharing: min(r.sharing, n.underWay()+1)}
		if r.lanes == 1 && r.half > 0 {
			m.Second = time.Duration(w.now - r.half)
		}
		n.line.Read(w.now, m)
		w.took[seq] = n.line.Takes(w.size())
	case r.left == blocks/2:
		r.half = w.now
	}
	// Segments are signed in order.
	for r := n.reading[n.known+1]; r != nil && r.left == 0; r = n.reading[n.known+1] {
		delete(n.reading, n.known+1)
		n.publish(n.known + 1)
	}
}

// publish signs a segment and tells the neighbours.
func (n *node) publish(seq int) {
	w := n.w
	n.known = seq
	w.signed[seq] = w.now
	w.put(w.now, event{kind: list, block: int32(seq)})
	n.forgetOld()
	w.egress += int64(len(n.peers)) * keepAlive * int64(w.cfg.Segment/time.Second)
	n.step(schedule.Known{ID: id(seq), Size: w.size(), Salt: w.salts[seq], Duration: w.cfg.Segment, Took: w.took[seq], Live: true, Held: segment.FullBitmap(segment.Blocks(w.size()))})
	n.passOn(seq, -1)
}
