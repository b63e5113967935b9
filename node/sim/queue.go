package sim

import (
	"coral/node/schedule"
	"coral/store/segment"
)

type kind uint8

const (
	tick     kind = iota // a scheduler's timer
	appear               // a segment is ready at the origin
	notice               // the publisher has it
	record               // a feed record arrives
	have                 // messages between peers
	request              //
	withdraw             //
	refuse               //
	reach                // a block has come as far as the receiver's downlink
	data                 //
	claim                //
	sent                 // a block has left the uplink
	get                  // a request arrives at the origin
	halt                 // the origin hears that a download was given up
	part                 // the origin's uplink has sent a piece
	body                 // a block of an origin answer arrives
	join                 // a viewer appears
	begin                // a viewer has read the playlist
	meet                 // two nodes are connected
	leave                //
	kill                 //
	lost                 // a node notices that a neighbour is gone
	mute                 // the publisher falls silent
	scrape               // a node asks the tracker how many there are
	play                 // a player looks at its playhead
)

// event is something that will happen to node. The fields' meaning depends on
// the kind.
type event struct {
	kind     kind
	reason   uint8
	ttl      uint8
	node     int32
	from     int32
	block    int32
	count    int32
	round    int32
	id       segment.ID
	due      schedule.Instant
	claimant uint64
	a, b     segment.Bitmap
}

// queue is a 4-ary heap of events, equal times in the order they were put.
type queue struct {
	heap  []slot
	pool  []event
	spare []int32
	seq   uint64
}

type slot struct {
	at  schedule.Instant
	seq uint64
	ev  int32
}

func (s slot) before(t slot) bool { return s.at < t.at || s.at == t.at && s.seq < t.seq }

func (q *queue) put(at schedule.Instant, ev event) {
	var i int32
	if n := len(q.spare); n > 0 {
		i = q.spare[n-1]
		q.spare = q.spare[:n-1]
		q.pool[i] = ev
	} else {
		i = int32(len(q.pool))
		q.pool = append(q.pool, ev)
	}
	q.seq++
	s := slot{at, q.seq, i}
	q.heap = append(q.heap, s)
	k := len(q.heap) - 1
	for k > 0 {
		up := (k - 1) / 4
		if !s.before(q.heap[up]) {
			break
		}
		q.heap[k] = q.heap[up]
		k = up
	}
	q.heap[k] = s
}

func (q *queue) take() (schedule.Instant, event, bool) {
	if len(q.heap) == 0 {
		return 0, event{}, false
	}
	top := q.heap[0]
	ev := q.pool[top.ev]
	q.pool[top.ev] = event{}
	q.spare = append(q.spare, top.ev)
	n := len(q.heap) - 1
	s := q.heap[n]
	q.heap = q.heap[:n]
	if n > 0 {
		k := 0
		for {
			least := 4*k + 1
			if least >= n {
				break
			}
			for c := least + 1; c < min(4*k+5, n); c++ {
				if q.heap[c].before(q.heap[least]) {
					least = c
				}
			}
			if !q.heap[least].before(s) {
				break
			}
			q.heap[k] = q.heap[least]
			k = least
		}
		q.heap[k] = s
	}
	return top.at, ev, true
}
