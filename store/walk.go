package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
)

// This file reads a bbolt file without bbolt: with pread alone, every number
// checked against the file's bounds, every page visited at most once. A branch
// that makes no sense is left out and the rest used; whether the blocks are what
// they were is for their sums to say.
//
// A page is {id u64, flags u16, count u16, overflow u32}, then count elements of
// 16 bytes, then what they point to, relative to their own place. A meta page has
// {magic, version, page size, flags u32, root page u64, root sequence u64,
// freelist u64, high-water page u64, transaction u64, FNV-1a of these u64} after
// its head. Numbers are in the machine's order. A bucket is an element of flag 1
// whose value is {root page u64, sequence u64}, and if the root is 0 a page
// without overflow follows in the same value.
const (
	pageHead    = 16
	elementSize = 16
	bucketHead  = 16
	metaSum     = 56 // offset of the sum in the meta

	flagBranch = 0x01
	flagLeaf   = 0x02
	flagMeta   = 0x04

	boltMagic   = 0xED0CDAED
	boltVersion = 2

	// maxFile bounds what is looked at; a shard is below maxShard + maxAlloc, or
	// on Windows the size of its mapping.
	maxFile = 256 << 20
	// maxTreePages bounds a branch or index page with its overflow: a record has
	// at most 2 KiB.
	maxTreePages = 64
	maxDepth     = 16
)

var errFile = errors.New("not a sound shard file")

// walker reads one file.
type walker struct {
	r       io.ReaderAt
	size    int64
	pages   uint64   // in use by the file's own account, and there
	seen    []uint64 // bitmap of pages
	free    uint64   // the page of the freelist
	damaged int      // parts left out
}

// walkFile returns the runs in a shard file of size bytes, and how many bytes of
// it are in use. damaged counts parts that could not be used.
func walkFile(r io.ReaderAt, size int64) (runs []found, high int64, damaged int, err error) {
	if size < 4*pageSize || size > maxFile {
		return nil, 0, 0, fmt.Errorf("%w: %d bytes", errFile, size)
	}
	w := &walker{r: r, size: size}
	root, high, err := w.meta()
	if err != nil {
		return nil, 0, 0, err
	}
	w.pages = uint64(min(high, size) / pageSize)
	w.seen = make([]uint64, w.pages/64+1)
	if _, _, err := w.page(w.free, true); err != nil {
		w.damaged++
	}

	var index, data, footer []byte // values of the three buckets
	w.leaves(root, 0, func(e element) {
		switch {
		case e.flags != 1:
		case bytes.Equal(e.key, indexBucket):
			index = bytes.Clone(e.value)
		case bytes.Equal(e.key, dataBucket):
			data = bytes.Clone(e.value)
		case bytes.Equal(e.key, footerBucket):
			footer = bytes.Clone(e.value)
		}
	})
	if footer != nil {
		if runs, err := w.footer(footer); err == nil {
			return w.inBounds(runs), high, w.damaged, nil
		}
		w.damaged++
	}
	at := map[uint32]extent{}
	w.bucket(data, func(e element) {
		if len(e.key) != 4 || e.flags != 1 || len(e.value) < bucketHead {
			w.damaged++
			return
		}
		if x, err := w.extent(binary.NativeEndian.Uint64(e.value), valueKey); err == nil {
			at[binary.BigEndian.Uint32(e.key)] = x
		} else {
			w.damaged++
		}
	})
	w.bucket(index, func(e element) {
		r, err := w.run(e, at)
		if err != nil {
			w.damaged++
			return
		}
		runs = append(runs, r)
	})
	return w.inBounds(runs), high, w.damaged, nil
}

// run reads one record of the index.
func (w *walker) run(e element, at map[uint32]extent) (found, error) {
	if len(e.key) != 4 || e.flags != 0 {
		return found{}, errRecord
	}
	b, err := checkSum(e.value, e.key)
	if err != nil {
		return found{}, err
	}
	r, err := parseRecord(b)
	if err != nil {
		return found{}, err
	}
	r.serial = binary.BigEndian.Uint32(e.key)
	x, ok := at[r.serial]
	if !ok || x.size < r.bytes {
		return found{}, errRecord
	}
	r.off = x.off
	return r, nil
}

// inBounds leaves out runs that reach past the file's end.
func (w *walker) inBounds(runs []found) []found {
	kept := runs[:0]
	for _, r := range runs {
		if r.off >= 2*pageSize && r.off <= w.size-r.bytes {
			kept = append(kept, r)
		} else {
			w.damaged++
		}
	}
	return kept
}

// meta returns the newest sound root and the high-water mark in bytes.
func (w *walker) meta() (root uint64, high int64, err error) {
	ne := binary.NativeEndian
	newest, ok := uint64(0), false
	for id := range int64(2) {
		var p [pageHead + metaSum + 8]byte
		if _, err := w.r.ReadAt(p[:], id*pageSize); err != nil {
			return 0, 0, fmt.Errorf("%w: %w", errFile, err)
		}
		m := p[pageHead:]
		sum := fnv.New64a()
		sum.Write(m[:metaSum])
		if ne.Uint32(m) != boltMagic || ne.Uint32(m[4:]) != boltVersion || ne.Uint32(m[8:]) != pageSize ||
			ne.Uint64(m[metaSum:]) != sum.Sum64() || ne.Uint16(p[8:])&flagMeta == 0 {
			continue
		}
		r, pages, txid := ne.Uint64(m[16:]), ne.Uint64(m[40:]), ne.Uint64(m[48:])
		if pages > maxFile/pageSize || r >= pages || (ok && txid < newest) {
			continue
		}
		root, high, newest, ok = r, int64(pages)*pageSize, txid, true
		w.free = ne.Uint64(m[32:])
	}
	if !ok {
		return 0, 0, fmt.Errorf("%w: no sound meta page", errFile)
	}
	return root, high, nil
}

// sound reports whether bbolt may be let loose on a file that it has written: it
// believes what pages say of their own length, and a damaged one, of the freelist
// or the tree, can keep a commit busy for ever.
func sound(r io.ReaderAt, size int64) error {
	_, _, damaged, err := walkFile(r, size)
	if err == nil && damaged > 0 {
		err = fmt.Errorf("%w: %d parts damaged", errFile, damaged)
	}
	return err
}

// element is one key of a leaf, with its value's place in the page.
type element struct {
	flags      uint32
	key, value []byte
	off        int // of the value
}

// page reads page id, with its overflow unless only its head is wanted, and
// marks all of it as seen. size is its length with overflow.
func (w *walker) page(id uint64, head bool) (p []byte, size int64, err error) {
	var h [pageHead]byte
	if id < 2 || id >= w.pages {
		return nil, 0, errFile
	}
	if _, err := w.r.ReadAt(h[:], int64(id)*pageSize); err != nil {
		return nil, 0, err
	}
	ne := binary.NativeEndian
	n := uint64(ne.Uint32(h[12:])) + 1
	if ne.Uint64(h[:]) != id || n > w.pages-id || (!head && n > maxTreePages) {
		return nil, 0, errFile
	}
	for i := id; i < id+n; i++ {
		if w.seen[i/64]&(1<<(i%64)) != 0 {
			return nil, 0, errFile
		}
		w.seen[i/64] |= 1 << (i % 64)
	}
	size = int64(n) * pageSize
	p = make([]byte, pageSize)
	if !head {
		p = make([]byte, size)
	}
	_, err = w.r.ReadAt(p, int64(id)*pageSize)
	return p, size, err
}

// leaves calls fn for each key below a tree page.
func (w *walker) leaves(id uint64, depth int, fn func(element)) {
	p, size, err := w.page(id, false)
	if err != nil || depth > maxDepth {
		w.damaged++
		return
	}
	ne := binary.NativeEndian
	switch ne.Uint16(p[8:]) {
	case flagLeaf:
		w.elements(p, size, fn)
	case flagBranch:
		for i := range int(ne.Uint16(p[10:])) {
			if at := pageHead + i*elementSize; at+elementSize <= len(p) {
				w.leaves(ne.Uint64(p[at+8:]), depth+1, fn)
			}
		}
	default:
		w.damaged++
	}
}

// elements calls fn for each key of a leaf page of size bytes, of which at least
// the elements and keys are in p. A value that p has in part is cut.
func (w *walker) elements(p []byte, size int64, fn func(element)) {
	ne := binary.NativeEndian
	for i := range int(ne.Uint16(p[10:])) {
		at := pageHead + i*elementSize
		if at+elementSize > len(p) {
			w.damaged++
			return
		}
		key := int64(at) + int64(ne.Uint32(p[at+4:]))
		value := key + int64(ne.Uint32(p[at+8:]))
		end := value + int64(ne.Uint32(p[at+12:]))
		if value > int64(len(p)) || end > size {
			w.damaged++
			continue
		}
		fn(element{ne.Uint32(p[at:]), p[key:value], p[value:min(end, int64(len(p)))], int(value)})
	}
}

// bucket calls fn for each key of the bucket with the given header.
func (w *walker) bucket(header []byte, fn func(element)) {
	if len(header) < bucketHead {
		return // no such bucket
	}
	if root := binary.NativeEndian.Uint64(header); root != 0 {
		w.leaves(root, 0, fn)
		return
	}
	page := header[bucketHead:]
	if len(page) < pageHead || binary.NativeEndian.Uint16(page[8:]) != flagLeaf {
		w.damaged++
		return
	}
	w.elements(page, int64(len(page)), fn)
}

// extent is a value's place in the file.
type extent struct{ off, size int64 }

// extent finds the value of the only key of a bucket whose root is leaf page id.
func (w *walker) extent(id uint64, key []byte) (extent, error) {
	p, size, err := w.page(id, true)
	if err != nil {
		return extent{}, err
	}
	ne := binary.NativeEndian
	if ne.Uint16(p[8:]) != flagLeaf || ne.Uint16(p[10:]) != 1 {
		return extent{}, errFile
	}
	x, err := extent{}, errFile
	w.elements(p, size, func(e element) {
		if e.flags == 0 && bytes.Equal(e.key, key) {
			end := int64(e.off) + int64(ne.Uint32(p[pageHead+12:]))
			x, err = extent{int64(id)*pageSize + int64(e.off), end - int64(e.off)}, nil
		}
	})
	return x, err
}

// footer reads a sealed shard's list of runs.
func (w *walker) footer(header []byte) ([]found, error) {
	if len(header) < bucketHead {
		return nil, errFile
	}
	x, err := w.extent(binary.NativeEndian.Uint64(header), footerKey)
	if err != nil || x.size > maxFooter || x.off+x.size > w.size {
		return nil, errFile
	}
	b := make([]byte, x.size)
	if _, err := w.r.ReadAt(b, x.off); err != nil {
		return nil, err
	}
	return parseFooter(b)
}
