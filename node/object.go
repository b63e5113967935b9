package node

import (
	"context"
	"io"
	"sync"
	"time"

	"coral/node/channel"
	"coral/node/schedule"
	"coral/store"
	"coral/store/segment"
)

// object is one segment or init section that the session deals with. It is
// verified once its entry is known: its blocks then live in the store. Before
// that (the channel has no feed yet, or none at all) it holds what the origin
// sent in memory, for the player alone.
//
// The session's goroutine is the only writer; readers are the proxy's requests.
type object struct {
	id  segment.ID
	url string // where the origin has it; empty if it does not

	mu      sync.Mutex
	entry   *channel.Entry // nil: not verified
	key     store.Key      // valid if entry is set
	size    int            // bytes; -1: not known yet
	held    segment.Bitmap
	ram     [][]byte // blocks of an unverified object
	err     error    // why no more will come
	changed chan struct{}
	begun   time.Time // when its first block came
	sought  time.Time // when a block was first asked for

	contentType string // as the origin said it

	// Owned by the session's goroutine.

	known   schedule.Instant // when its entry came
	asked   schedule.Instant // when it was first wanted; 0: not yet
	moved   schedule.Instant // when its newest block came, or its first reader
	shown   bool             // a player has asked for it
	readers int
	fetch   schedule.Ticket // the origin fetch under way for an unverified object, or 0
	got     [3]int          // blocks by source
	whole   bool            // counted as complete
	unpin   func()
	wanted  bool
	due     schedule.Instant
}

// sources of a block, the index of object.got.
const (
	fromCache = iota
	fromPeers
	fromOrigin
)

func newObject(id segment.ID, url string) *object {
	return &object{id: id, url: url, size: -1, changed: make(chan struct{})}
}

// verify makes o a verified object. Blocks that the origin sent before are
// checked now: put takes those that are right, the others are forgotten.
func (o *object) verify(key store.Key, e *channel.Entry, held segment.Bitmap, put func(block int, data []byte)) (bad int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := segment.Blocks(e.Size)
	now := segment.NewBitmap(n)
	copy(now, held)
	for i, data := range o.ram {
		switch {
		case data == nil:
		case i < n && len(data) == segment.BlockLen(e.Size, i) && segment.BlockDigest(data) == e.Blocks[i]:
			put(i, data)
			now.Set(i)
		default:
			bad++
		}
	}
	o.entry, o.key, o.size, o.held, o.ram, o.err = e, key, e.Size, now, nil, nil
	o.signal()
	return bad
}

// add notes block i. A verified block must be in the store already; an
// unverified object keeps data, which the object then owns.
func (o *object) add(i int, data []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for len(o.held)*64 <= i {
		o.held = append(o.held, 0)
	}
	o.held.Set(i)
	if o.begun.IsZero() {
		o.begun = time.Now()
	}
	if o.entry == nil {
		for len(o.ram) <= i {
			o.ram = append(o.ram, nil)
		}
		o.ram[i] = data
	}
	o.signal()
}

// seek notes that a block is being asked for.
func (o *object) seek() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.sought.IsZero() {
		o.sought = time.Now()
	}
}

// setSize tells how long an unverified object is.
func (o *object) setSize(n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.size != n {
		o.size = n
		o.signal()
	}
}

// weight is what an unverified object holds in memory, in bytes.
func (o *object) weight() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.ram) * segment.BlockSize
}

// drop forgets block i, which the store has lost.
func (o *object) drop(i int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.held.Clear(i)
}

// fail ends the wait of every reader with err; nil: new ones may wait again.
func (o *object) fail(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.err = err
	o.signal()
}

func (o *object) signal() {
	close(o.changed)
	o.changed = make(chan struct{})
}

// complete reports whether every block is held.
func (o *object) complete() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.size >= 0 && o.held.Count() == segment.Blocks(o.size)
}

// reader is one player's view of an object. It implements proxy.Object.
type reader struct {
	s    *Session
	o    *object
	once sync.Once
	buf  []byte // the newest block read from the store
	at   int    // its number, if buf is not nil
}

// Size returns the length in bytes, or -1 while it is not known.
func (r *reader) Size() int64 {
	r.o.mu.Lock()
	defer r.o.mu.Unlock()
	return int64(r.o.size)
}

// ContentType returns what the origin said the bytes are, or "".
func (r *reader) ContentType() string {
	r.o.mu.Lock()
	defer r.o.mu.Unlock()
	return r.o.contentType
}

// ReadAt copies bytes from offset off into p, as many as the block there has,
// and waits for that block if need be. It returns io.EOF at the end.
func (r *reader) ReadAt(ctx context.Context, p []byte, off int64) (int, error) {
	o := r.o
	block, within := int(off/segment.BlockSize), int(off%segment.BlockSize)
	for {
		o.mu.Lock()
		size, held, err, changed, key := o.size, o.held.Has(block), o.err, o.changed, o.key
		verified := o.entry != nil
		var data []byte
		if held && !verified {
			data = o.ram[block]
		}
		o.mu.Unlock()
		switch {
		case size >= 0 && off >= int64(size):
			return 0, io.EOF
		case held && !verified:
			if within < len(data) {
				return copy(p, data[within:]), nil
			}
			if size < 0 { // the last block, and the end is not known to be here yet
				break
			}
			return 0, io.EOF
		case held:
			if r.buf == nil || r.at != block {
				buf := make([]byte, segment.BlockLen(size, block))
				if _, err := r.s.node.store.Read(key, block, buf); err != nil {
					r.buf = nil
					if err := r.s.do(ctx, func() { r.s.lost(o, block) }); err != nil {
						return 0, err
					}
					continue
				}
				r.buf, r.at = buf, block
			}
			return copy(p, r.buf[within:]), nil
		case err != nil:
			return 0, err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-r.s.done:
			return 0, ErrClosed
		}
	}
}

// Close ends the player's interest.
func (r *reader) Close() {
	r.once.Do(func() { r.s.post(func() { r.s.release(r.o) }) })
}
