package channel

import (
	"cmp"
	"slices"
)

// Base returns what a joiner needs before any entry: the delegations in force
// and the presentation with its own.
func (f *Feed) Base() [][]byte {
	s := f.base()
	return s.records
}

// Snapshot returns records of a rendition, in an order in which another feed
// takes them: the base, with the delegations that the rest needs; then the init
// sections that it needs; then entries from fromIndex on. It stops before
// maxBytes, but not before the first entry. If there are more, they are had from
// the Index after the highest that was given.
func (f *Feed) Snapshot(rendition uint16, fromIndex uint64, maxBytes int) (recs [][]byte, more bool) {
	s := f.base()
	c := f.chains[rendition]
	if c == nil {
		return s.records, false
	}
	byIndex := func(it *item, index uint64) int { return cmp.Compare(it.entry.Index, index) }
	first, _ := slices.BinarySearchFunc(c.items, fromIndex, byIndex)
	var inits []*item
	var entries [][]byte
	for i, it := range c.items[first:] {
		// What comes with this entry, and is not there yet.
		var with []*item
		need := func(o *item) {
			if !slices.Contains(inits, o) {
				with = append(with, o)
			}
		}
		if it.entry.HasInit {
			if k := slices.IndexFunc(c.inits, func(o *item) bool { return o.entry.Sequence == it.entry.Init }); k >= 0 {
				need(c.inits[k])
			}
		}
		size := s.size + s.missing(it, with...) + len(it.record)
		for _, o := range with {
			size += len(o.record)
		}
		if i > 0 && size > maxBytes {
			more = true
			break
		}
		for _, o := range with {
			s.delegate(o.by)
			inits = append(inits, o)
		}
		s.delegate(it.by)
		s.size = size
		entries = append(entries, it.record)
	}
	if !more { // sections that are announced ahead of their first use
		at, _ := slices.BinarySearchFunc(c.inits, fromIndex, byIndex)
		for _, it := range c.inits[at:] {
			if slices.Contains(inits, it) {
				continue
			}
			size := s.size + s.missing(it) + len(it.record)
			if more = size > maxBytes && len(inits)+len(entries) > 0; more {
				break
			}
			s.delegate(it.by)
			s.size = size
			inits = append(inits, it)
		}
	}
	recs = slices.Grow(s.records, len(inits)+len(entries))
	slices.SortFunc(inits, func(a, b *item) int { return cmp.Compare(a.entry.Index, b.entry.Index) })
	for _, it := range inits {
		recs = append(recs, it.record)
	}
	return append(recs, entries...), more
}

// snapshot gathers records, delegations first.
type snapshot struct {
	records     [][]byte
	delegations []*delegation
	size        int
}

func (f *Feed) base() *snapshot {
	s := &snapshot{}
	for _, d := range f.newestDelegations() {
		s.delegate(d)
	}
	if f.presentation != nil {
		s.delegate(f.presented.by)
		s.records = append(s.records, f.presented.record)
	}
	for _, r := range s.records {
		s.size += len(r)
	}
	return s
}

// delegate adds a delegation before all that is not one.
func (s *snapshot) delegate(d *delegation) {
	if !slices.Contains(s.delegations, d) {
		s.records = slices.Insert(s.records, len(s.delegations), d.record)
		s.delegations = append(s.delegations, d)
	}
}

// missing is the size of the delegations that it and with would add.
func (s *snapshot) missing(it *item, with ...*item) (size int) {
	if !slices.Contains(s.delegations, it.by) {
		size += len(it.by.record)
	}
	for _, o := range with {
		if o.by != it.by && !slices.Contains(s.delegations, o.by) {
			size += len(o.by.record)
		}
	}
	return size
}
