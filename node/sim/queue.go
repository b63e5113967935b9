package sim

import (
	"cmp"
	"slices"

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
	first                // the beginning of a block arrives
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
	list                 // the publisher has signed a segment
)

// event is something that will happen to node. The fields' meaning depends on
// the kind. There are millions at once: it is kept small.
type event struct {
	kind   kind
	reason uint8
	ttl    uint8
	round  uint8
	node   int32
	from   int32
	seq    int32 // a segment's
	block  int32
	count  int32
	num    uint64 // a claimant, a ticket or a due time
	news   *news
}

// news is what an announcement tells.
type news struct{ held, fetching segment.Bitmap }

// queue gives events in the order of their times, equal times in the order they
// were put. It is a wheel: an event waits unsorted in the slot of its time, and a
// slot is sorted when its turn comes. Later turns' events wait all together.
type queue struct {
	end   schedule.Instant // what is later never happens
	tick  int64            // the slot being emptied, counted from the beginning
	slots [wheelSlots]bag
	turns []bag
	parts []*chunk // what is in that slot
	order []uint64 // time within it << 32 | place in parts
	taken int      // of order
	soon  []timed  // what was put into that slot since, the last one first
	spare *chunk
}

const (
	tickBits   = 18 // a slot is 2^18 ns, a quarter of a millisecond
	wheelSlots = 4096
	chunkSize  = 20 // events: so many that a chunk fills Go's size class of 1024 bytes
)

type timed struct {
	at schedule.Instant
	ev event
}

// bag holds events in the order they were put.
type bag struct{ first, last *chunk }

type chunk struct {
	next   *chunk
	n      int
	events [chunkSize]timed
}

func (q *queue) put(at schedule.Instant, ev event) {
	tick := int64(at) >> tickBits
	turn := tick / wheelSlots
	switch {
	case at > q.end:
	case tick <= q.tick:
		i, _ := slices.BinarySearchFunc(q.soon, at, func(x timed, at schedule.Instant) int {
			return cmp.Compare(at, x.at)
		})
		q.soon = slices.Insert(q.soon, i, timed{at, ev})
	case turn == q.tick/wheelSlots:
		q.add(&q.slots[tick%wheelSlots], timed{at, ev})
	default:
		for int64(len(q.turns)) <= turn {
			q.turns = append(q.turns, bag{})
		}
		q.add(&q.turns[turn], timed{at, ev})
	}
}

// add puts an event into a bag of the queue's own, or of its owner's.
func (q *queue) add(b *bag, x timed) {
	c := b.last
	if c == nil || c.n == chunkSize {
		if c = q.spare; c != nil {
			q.spare = c.next
			c.next, c.n = nil, 0
		} else {
			c = &chunk{}
		}
		if b.last == nil {
			b.first = c
		} else {
			b.last.next = c
		}
		b.last = c
	}
	c.events[c.n] = x
	c.n++
}

// free takes a chunk back. Its events are let go: they may hold announcements.
func (q *queue) free(c *chunk) {
	clear(c.events[:c.n])
	c.next, q.spare = q.spare, c
}

// empty takes all events out of a bag.
func (q *queue) empty(b *bag, each func(timed)) {
	for c := b.first; c != nil; {
		for _, x := range c.events[:c.n] {
			each(x)
		}
		next := c.next
		q.free(c)
		c = next
	}
	*b = bag{}
}

// take gives the next event that is due by limit.
func (q *queue) take(limit schedule.Instant) (schedule.Instant, event, bool) {
	for {
		last := len(q.soon) - 1
		if q.taken < len(q.order) {
			x := q.order[q.taken]
			at := schedule.Instant(q.tick<<tickBits | int64(x>>32))
			if last < 0 || at <= q.soon[last].at {
				if at > limit {
					return 0, event{}, false
				}
				q.taken++
				i := uint32(x)
				return at, q.parts[i/chunkSize].events[i%chunkSize].ev, true
			}
		}
		if last >= 0 {
			x := q.soon[last]
			if x.at > limit {
				return 0, event{}, false
			}
			q.soon[last] = timed{}
			q.soon = q.soon[:last]
			return x.at, x.ev, true
		}
		if q.tick >= int64(min(limit, q.end))>>tickBits {
			return 0, event{}, false
		}
		q.turn()
	}
}

// turn goes on to the next slot.
func (q *queue) turn() {
	for _, c := range q.parts {
		q.free(c)
	}
	q.parts, q.order, q.taken = q.parts[:0], q.order[:0], 0
	q.tick++
	if t := q.tick / wheelSlots; q.tick%wheelSlots == 0 && t < int64(len(q.turns)) {
		q.empty(&q.turns[t], func(x timed) { q.add(&q.slots[int64(x.at)>>tickBits%wheelSlots], x) })
	}
	slot := &q.slots[q.tick%wheelSlots]
	for c := slot.first; c != nil; c = c.next {
		for i := range c.n {
			within := uint64(c.events[i].at) & (1<<tickBits - 1)
			q.order = append(q.order, within<<32|uint64(len(q.parts)*chunkSize+i))
		}
		q.parts = append(q.parts, c)
	}
	*slot = bag{}
	slices.Sort(q.order)
}
