package schedule

import (
	"slices"
	"time"

	"coral/store/segment"
)

// block is what is known of one block beyond whether it is held.
type block struct {
	holders mask    // peers that announced it
	claimed mask    // peers that announced that they fetch it from the origin
	asked   mask    // peers it is asked of
	refused mask    // peers not to be asked again before object.retryAt
	given   mask    // peers that we sent it
	shown   mask    // peers that a super-seeder told of it
	since   Instant // what the super-seeder waits from, see seed.go
	stage   stage
	target  int8 // the slot it was last shown to
	news    bool // it is asked for, and a new holder is known
}

// claim is a neighbour's word that it fetches blocks of a segment.
type claim struct {
	slot   int8
	broken bool
	held   int32   // blocks it held when the claim was last believed
	until  Instant // when it is not believed any more
	at     Instant
}

// object is one segment or init section. Of these, too, a simulation has many
// millions, hence the order.
type object struct {
	id       segment.ID
	n        int // blocks
	salt     uint64
	duration time.Duration
	known    Instant
	size     int32
	live     bool
	origin   bool

	// Ours.

	wanted     bool
	background bool
	due        Instant
	wantedAt   Instant
	lack       segment.Bitmap // not held
	cover      segment.Bitmap // in an origin fetch of ours that has still to bring it
	nheld      int32
	first      bool // one of those that our player begins with, having just come
	awaited    bool // the player stood there when it was first wanted: a start, a seek

	// Origin suppression.

	viaOrigin bool // somebody was seen fetching it
	early     bool // we fetched it before anybody was seen to have it
	claims    []claim
	firstNew  Instant // when a peer first announced a block of it; 0: not yet
	lastNew   Instant // when one announced a block that nobody had announced
	reopened  Instant // when a claim on it was last given up
	stripes   []round // only in large swarms
	heard     []heard // only in large swarms, until it is complete

	// Peers'.

	blocks []block // nil while nothing but full is known of peers
	full   mask    // peers that hold it whole
	denied mask    // peers that said they do not have it though they should

	// Planning.

	next    Instant // when to look at it again if nothing happens
	retryAt Instant // when refusals are forgotten; Never: there are none
	// trustUntil is until when neighbours that hold blocks are left to send them,
	// after a fetch was given up in their favour.
	trustUntil Instant
	late       int32 // asks whose time-out has passed
	dirty      bool

	// Announcing and super-seeding.

	queued   bool // in Scheduler.flushes
	seeding  bool
	hides    bool // those to be told are to be told, too, if nothing is shown to them any more
	tell     mask // peers to be told
	flushAt  Instant
	seedNext Instant
}

// fits makes room for n blocks and clears what depends on them.
func (o *object) fits(n int) {
	o.n = n
	words := (n + 63) / 64
	for _, b := range []*segment.Bitmap{&o.lack, &o.cover} {
		*b = slices.Grow((*b)[:0], words)[:words]
		clear(*b)
	}
	for i := range n {
		o.lack.Set(i)
	}
}

// word returns the bits of word w that stand for blocks.
func (o *object) word(w int) uint64 {
	if r := o.n - w<<6; r < 64 {
		return 1<<r - 1
	}
	return ^uint64(0)
}

func (o *object) held(i int) bool { return !o.lack.Has(i) }

func (o *object) complete() bool { return int(o.nheld) == o.n }

func (o *object) bytes(i int) int { return segment.BlockLen(int(o.size), i) }

// holders returns who announced block i.
func (o *object) holders(i int) mask {
	if o.blocks == nil {
		return o.full
	}
	return o.blocks[i].holders
}

// replicas counts the copies of block i among peers, as far as known.
func (o *object) replicas(i int) int {
	if o.blocks == nil {
		return o.full.count()
	}
	return (o.blocks[i].holders | o.blocks[i].given).count()
}

// believed is the set of peers whose claims on o still count.
func (o *object) believed() (m mask) {
	for i := range o.claims {
		if !o.claims[i].broken {
			m |= only(o.claims[i].slot)
		}
	}
	return m
}

// expand makes room for what is known of each block.
func (s *Scheduler) expand(o *object) {
	if o.blocks != nil {
		return
	}
	if k := len(s.spare) - 1; k >= 0 && cap(s.spare[k]) >= o.n {
		o.blocks = s.spare[k][:o.n]
		s.spare = s.spare[:k]
		clear(o.blocks)
	} else {
		o.blocks = make([]block, o.n)
	}
	for i := range o.blocks {
		o.blocks[i].holders = o.full
	}
	s.expanded++
}

// collapse gives up what is known of each block of a segment that everybody has.
func (s *Scheduler) collapse(o *object) {
	if o.blocks == nil || !o.complete() || o.seeding || s.interested(o.id.Rendition)&^o.full != 0 {
		return
	}
	s.discard(o)
}

func (s *Scheduler) discard(o *object) {
	if o.blocks == nil {
		return
	}
	if len(s.spare) < 8 {
		s.spare = append(s.spare, o.blocks)
	}
	o.blocks = nil
	s.expanded--
}

// object returns the segment with this ID, or nil.
func (s *Scheduler) object(id segment.ID) *object {
	if s.last != nil && s.last.id == id {
		return s.last
	}
	i, ok := s.place(id)
	if !ok {
		return nil
	}
	s.last = s.objects[i]
	return s.last
}

// place is where the segment with this ID stands among objects, or belongs. They are
// no map because new ones come at the end, as a rule, and a map of nine takes four times
// as much, see TestSizes.
func (s *Scheduler) place(id segment.ID) (int, bool) {
	return slices.BinarySearchFunc(s.objects, id, func(o *object, id segment.ID) int { return o.id.Compare(id) })
}
