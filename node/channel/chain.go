package channel

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"time"

	"coral/store/segment"
)

// item is one entry that is held.
type item struct {
	signature
	entry *Entry
	// used is, of an init section, the highest Index known to have needed it.
	used uint64
}

func (it *item) cost() int {
	return len(it.record) + len(it.entry.Blocks)*len(segment.Digest{}) + overheadBytes
}

// length is how much of the window an entry takes.
func (it *item) length() time.Duration {
	if it.entry.End || it.entry.Kind != segment.Media {
		return 0
	}
	return it.entry.Duration
}

// chain is what is held of one rendition's chain.
type chain struct {
	items   []*item          // media and ends by Index
	entries []*Entry         // theirs
	byIndex map[uint64]*item // all, init sections too
	inits   []*item          // by Index
	needs   map[uint64]int   // init number: entries in items that need it
	newest  *item            // highest Index of any kind
	total   time.Duration    // of items
	bytes   int
}

// live reports whether the chain's window slides.
func (c *chain) live() bool { return c.newest.entry.Type == Live }

func (f *Feed) addEntry(rec []byte, now time.Time) (*Update, error) {
	e, err := parseEntry(body(rec))
	if err != nil {
		return nil, err
	}
	fail := func(err error) (*Update, error) {
		return nil, fmt.Errorf("entry %d of rendition %d: %w", e.Index, e.Rendition, err)
	}
	it := &item{entry: e, used: e.Index, signature: signature{digest: RecordDigest(rec)}}
	init := !e.End && e.Kind == segment.Init
	c := f.chains[e.Rendition]
	if c == nil {
		c = &chain{byIndex: map[uint64]*item{}, needs: map[uint64]int{}}
	}
	twin := c.byIndex[e.Index]
	if twin != nil && twin.digest == it.digest {
		return nil, nil
	}
	if e.Time.After(now.Add(ClockTolerance)) ||
		!init && e.Type == Live && e.Time.Before(now.Add(-f.opts.Window-ClockTolerance)) {
		return fail(ErrStale)
	}
	at, _ := slices.BinarySearchFunc(c.items, e.Index, func(it *item, index uint64) int { return cmp.Compare(it.entry.Index, index) })
	if twin == nil && !init && at == 0 && f.full(c, len(rec)) {
		return fail(ErrStale)
	}
	if it.by, err = f.signer(rec, e.Time); err != nil {
		return fail(err)
	}
	it.record = bytes.Clone(rec)
	if twin == nil && !e.End {
		twin = f.byID[e.ID()]
	}
	if twin != nil {
		return nil, &EquivocationError{twin.record, it.record}
	}
	if !c.links(it, at) {
		return fail(ErrBroken)
	}
	if len(c.byIndex) == 0 && len(f.chains) >= MaxRenditions {
		return fail(fmt.Errorf("more than %d renditions: %w", MaxRenditions, ErrBroken))
	}
	f.chains[e.Rendition] = c
	f.hold(c, it)
	if init {
		c.insertInit(it)
	} else {
		c.insert(it, at)
	}
	f.trim(c)
	if c.byIndex[e.Index] != it {
		return fail(ErrStale) // an init section that nothing needs, older than those kept
	}
	return &Update{Entry: e, Record: it.record}, nil
}

// full reports whether what is older than all of c's window is of no use.
func (f *Feed) full(c *chain, size int) bool {
	if len(c.items) == 0 {
		return false
	}
	return c.live() && (c.total >= f.opts.Window || len(c.items) >= f.opts.WindowEntries) ||
		len(c.items) >= f.opts.MaxEntries || f.bytes+2*size+overheadBytes > f.opts.MaxBytes
}

// links reports whether it fits between its neighbours, where at is its place
// in items: digests with those next to it, the rest with the next that are known.
func (c *chain) links(it *item, at int) bool {
	e := it.entry
	if before := c.byIndex[e.Index-1]; e.Index > 0 && before != nil && before.digest != e.Prev {
		return false
	}
	if after := c.byIndex[e.Index+1]; after != nil && after.entry.Prev != it.digest {
		return false
	}
	if at > 0 && c.entries[at-1].Time.After(e.Time) || at < len(c.items) && c.entries[at].Time.Before(e.Time) {
		return false
	}
	if e.End || e.Kind != segment.Media {
		return true
	}
	for _, b := range slices.Backward(c.entries[:at]) {
		if !b.End {
			if b.Sequence >= e.Sequence {
				return false
			}
			break
		}
	}
	for _, a := range c.entries[at:] {
		if !a.End {
			return a.Sequence > e.Sequence
		}
	}
	return true
}

// hold notes an entry of any kind.
func (f *Feed) hold(c *chain, it *item) {
	c.byIndex[it.entry.Index] = it
	if !it.entry.End {
		f.byID[it.entry.ID()] = it
	}
	if c.newest == nil || c.newest.entry.Index < it.entry.Index {
		c.newest = it
	}
	c.bytes += it.cost()
	f.bytes += it.cost()
}

// release is hold's opposite.
func (f *Feed) release(c *chain, it *item) {
	delete(c.byIndex, it.entry.Index)
	if !it.entry.End {
		delete(f.byID, it.entry.ID())
	}
	c.bytes -= it.cost()
	f.bytes -= it.cost()
}

func (c *chain) insert(it *item, at int) {
	c.items = slices.Insert(c.items, at, it)
	c.entries = slices.Insert(c.entries, at, it.entry)
	c.total += it.length()
	if e := it.entry; e.HasInit {
		c.needs[e.Init]++
		c.use(e.Init, e.Index)
	}
}

func (c *chain) insertInit(it *item) {
	at, _ := slices.BinarySearchFunc(c.inits, it.entry.Index, func(it *item, index uint64) int { return cmp.Compare(it.entry.Index, index) })
	c.inits = slices.Insert(c.inits, at, it)
}

// use notes that the entry at index needs init section n.
func (c *chain) use(n, index uint64) {
	for _, it := range c.inits {
		if it.entry.Sequence == n {
			it.used = max(it.used, index)
		}
	}
}

// trim brings c, and the feed as a whole, back within their bounds.
func (f *Feed) trim(c *chain) {
	for len(c.items) > 1 && (len(c.items) > f.opts.MaxEntries ||
		c.live() && (len(c.items) > f.opts.WindowEntries || c.total-c.items[0].length() >= f.opts.Window)) {
		f.dropOldest(c)
	}
	f.dropInits(c)
	for f.bytes > f.opts.MaxBytes {
		var most *chain
		for _, o := range f.chains { // the order makes no difference but between equals
			if len(o.items) > 1 && (most == nil || o.bytes > most.bytes || o.bytes == most.bytes && o.newest.entry.Rendition < most.newest.entry.Rendition) {
				most = o
			}
		}
		if most == nil {
			return
		}
		f.dropOldest(most)
		f.dropInits(most)
	}
}

// dropOldest forgets the first of c's window.
func (f *Feed) dropOldest(c *chain) {
	it := c.items[0]
	c.items[0], c.entries[0] = nil, nil // the arrays live on
	c.items, c.entries = c.items[1:], c.entries[1:]
	c.total -= it.length()
	if e := it.entry; e.HasInit {
		c.use(e.Init, e.Index)
		if c.needs[e.Init]--; c.needs[e.Init] == 0 {
			delete(c.needs, e.Init)
		}
	}
	f.release(c, it)
}

// dropInits forgets init sections that the window does not need, the longest
// unused first, down to maxInits of them.
func (f *Feed) dropInits(c *chain) {
	for spare := len(c.inits) - maxInits; spare > 0; spare-- {
		oldest := -1
		for i, it := range c.inits {
			if c.needs[it.entry.Sequence] == 0 && it != c.newest && (oldest < 0 || it.used < c.inits[oldest].used) {
				oldest = i
			}
		}
		if oldest < 0 {
			return
		}
		f.release(c, c.inits[oldest])
		c.inits = slices.Delete(c.inits, oldest, oldest+1)
	}
}
