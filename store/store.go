package store

import (
	"bytes"
	"cmp"
	"container/list"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"log/slog"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"coral/store/segment"
)

const (
	// DefaultRAM is Options.RAM when zero: about 100 s of one 5 Mbit/s rendition,
	// which is what a live viewer and those around him read again.
	DefaultRAM = 64 << 20
	// MinRAM is the least RAM that is used, so that a group of blocks fits.
	MinRAM = 1 << 20
	// MinCap is the least cap worth a file; below it the store keeps to RAM.
	MinCap = 4 << 20

	// openPatience is how long Open waits for the index of what is on disk.
	// Usually milliseconds do; a cold hard disk must not delay the program.
	openPatience = 300 * time.Millisecond
	// putPatience is how long one Put waits for a disk that is slower than the
	// network before unwritten blocks are dropped instead.
	putPatience = 250 * time.Millisecond
)

var (
	// ErrMiss says that the block is not held: never was, was evicted, or was
	// found damaged.
	ErrMiss = errors.New("store: block not held")
	// ErrClosed says that the store has been closed.
	ErrClosed = errors.New("store: closed")
	// ErrLocked is Degraded's cause when another process uses the folder.
	ErrLocked = errors.New("another process uses the cache folder")
	// ErrLowSpace is Degraded's cause when the disk is nearly full.
	ErrLowSpace = errors.New("too little free disk space")
)

// Key names a segment's bytes. The root is part of it: two versions of one
// sequence number never mix.
type Key struct {
	Channel segment.Channel
	ID      segment.ID
	Root    segment.Digest
}

func (k Key) String() string {
	return fmt.Sprintf("%.4x %v %.4x", k.Channel[:], k.ID, k.Root[:])
}

// Compare orders keys by channel, ID and root.
func (k Key) Compare(o Key) int {
	return cmp.Or(bytes.Compare(k.Channel[:], o.Channel[:]), k.ID.Compare(o.ID), bytes.Compare(k.Root[:], o.Root[:]))
}

// Options configure a store.
type Options struct {
	Dir string       // the folder for shard files; made if absent
	Cap int64        // bytes on disk, files' tails included; below MinCap: RAM only
	RAM int64        // bytes of blocks in RAM, written or not; 0: DefaultRAM
	Log *slog.Logger // may be nil
}

// Stats is a moment's view of a store.
type Stats struct {
	Disk     int64 // bytes of files
	RAM      int64 // bytes of blocks readable from RAM
	Staged   int64 // bytes of blocks in RAM that are not on disk yet
	Cap      int64 // as set
	Segments int   // held whole or in part
	Shards   int   // files
	Commits  int64 // groups written since Open
	Damaged  int64 // blocks that failed their check since Open
	Dropped  int64 // bytes of blocks dropped since Open because the disk was too slow
}

// system is what the store asks of the operating system, for tests to break.
type system struct {
	open func(name string, flag int, perm os.FileMode) (*os.File, error)
	free func(dir string) (free, total int64, err error)

	patience time.Duration // how long a Put waits for the disk
}

// Store is a cache of verified blocks. Make one with Open.
type Store struct {
	dir      string
	ramLimit int64
	log      *slog.Logger
	sys      system
	files    files
	clock    atomic.Int64 // ticks at every use of a shard
	damaged  atomic.Int64

	// Owned by writing.
	writing  sync.Mutex
	active   *active
	failures int // commits that failed in a row
	lock     *os.File
	nextID   uint64

	// Owned by mu.
	mu      sync.RWMutex
	segs    map[Key]*seg
	order   *list.List // of *seg that have blocks in RAM, least recently put first
	ram     int64      // charged for blocks in RAM
	dirty   int64      // the unwritten part of ram
	shards  []*shard   // by rising id; the active one is last
	trash   []*shard   // evicted files that are not removed yet
	cap     int64
	geom    geometry
	mode    mode
	fault   error     // why mode is diskFailed
	hold    time.Time // no commit before
	low     error     // why commits are held, if the user should know
	stalled bool      // a Put waited in vain; none waits until a commit is done
	drained chan struct{}
	closed  bool
	commits int64
	dropped int64

	wake   chan struct{}
	stop   chan struct{}
	loaded chan struct{}
	done   sync.WaitGroup
}

// mode is whether the store writes to disk.
type mode uint8

const (
	diskOff    mode = iota // not wanted
	diskOn                 // yes
	diskFailed             // wanted, given up
)

// Open opens the cache in o.Dir and starts the goroutine that writes. It fails
// only for options that make no sense: trouble with the disk leaves the store in
// RAM alone, and Degraded says why. What earlier runs left is indexed in the
// background; Open waits briefly for it.
func Open(o Options) (*Store, error) {
	return open(o, system{open: os.OpenFile, free: freeSpace, patience: putPatience})
}

func open(o Options, sys system) (*Store, error) {
	switch {
	case o.Cap < 0 || o.RAM < 0:
		return nil, fmt.Errorf("open store: negative cap %d or RAM %d", o.Cap, o.RAM)
	case o.Cap >= MinCap && o.Dir == "":
		return nil, errors.New("open store: a cap on disk without a folder")
	}
	if o.RAM == 0 {
		o.RAM = DefaultRAM
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s := &Store{
		dir: o.Dir, ramLimit: max(o.RAM, MinRAM), log: o.Log, sys: sys,
		segs: map[Key]*seg{}, order: list.New(), cap: o.Cap,
		drained: make(chan struct{}), wake: make(chan struct{}, 1),
		stop: make(chan struct{}), loaded: make(chan struct{}),
	}
	s.files.init()
	s.writing.Lock()
	s.setMode(o.Cap)
	s.writing.Unlock()

	s.done.Add(2)
	go s.write()
	go func() {
		defer s.done.Done()
		defer close(s.loaded)
		s.load()
	}()
	patience := time.NewTimer(openPatience)
	defer patience.Stop()
	select {
	case <-s.loaded:
	case <-patience.C:
	}
	return s, nil
}

// Close writes what is staged, seals the active shard and stops. Pins need not
// be released before.
func (s *Store) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	s.mu.Unlock()
	close(s.stop)
	s.done.Wait()

	s.writing.Lock()
	defer s.writing.Unlock()
	for s.commit(true) {
	}
	s.seal()
	s.files.close()
	s.unlock()
	return nil
}

// Put stores block number block of a segment of size bytes. The caller has
// verified data, and keeps it: Put copies. A block that is held already is left
// as it is. Put writes to RAM; it waits, briefly, only when the disk has fallen
// behind by all of Options.RAM.
func (s *Store) Put(k Key, size, block int, data []byte) error {
	if size < 0 || size > segment.MaxSize || block < 0 || block >= segment.Blocks(size) ||
		len(data) != segment.BlockLen(size, block) {
		return fmt.Errorf("put %v: block %d of %d bytes in a segment of %d", k, block, len(data), size)
	}
	s.mu.RLock()
	g := s.segs[k]
	held := g != nil && g.size == size && g.held.Has(block)
	closed := s.closed
	s.mu.RUnlock()
	if closed {
		return ErrClosed
	}
	if held {
		return nil
	}
	own := append([]byte(nil), data...)
	sum := crc32.Checksum(own, castagnoli)

	s.mu.Lock()
	defer s.mu.Unlock()
	s.waitForDisk(charge(len(own)))
	if s.closed {
		return ErrClosed
	}
	g, err := s.seg(k, size)
	if err != nil {
		return err
	}
	if !g.held.Has(block) {
		s.stage(g, block, own, sum, time.Now())
	}
	return nil
}

// Has returns which blocks of a segment are held, or nil if none is. The bitmap
// is the caller's.
func (s *Store) Has(k Key) segment.Bitmap {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if g := s.segs[k]; g != nil && !g.held.Empty() {
		return g.held.Clone()
	}
	return nil
}

// Read copies a block into dst, which must have room for it, and returns its
// length. The error is ErrMiss if the block is not held or fails its check, and
// then Has does not show it any more.
func (s *Store) Read(k Key, block int, dst []byte) (int, error) {
	// Each turn that does not return forgets one place that the block was at.
	for {
		s.mu.RLock()
		g := s.segs[k]
		if s.closed {
			s.mu.RUnlock()
			return 0, ErrClosed
		}
		if g == nil || block < 0 || !g.held.Has(block) {
			s.mu.RUnlock()
			return 0, ErrMiss
		}
		n := segment.BlockLen(g.size, block)
		staged := g.staged(block)
		var at place
		if staged == nil {
			at = g.find(block)
		}
		s.mu.RUnlock()
		if len(dst) < n {
			return 0, fmt.Errorf("read %v: block %d has %d bytes, room for %d: %w", k, block, n, len(dst), io.ErrShortBuffer)
		}
		if staged != nil { // blocks in RAM are never changed, so no lock is needed
			return copy(dst, staged), nil
		}
		if at.sh == nil {
			return 0, ErrMiss
		}
		at.sh.used.Store(s.clock.Add(1))
		err := s.files.readAt(at.sh, dst[:n], at.off)
		if err == nil && crc32.Checksum(dst[:n], castagnoli) == at.sum {
			return n, nil
		}
		if errors.Is(err, ErrClosed) {
			return 0, ErrClosed
		}
		clear(dst[:n]) // no unchecked byte leaves, not even beside an error
		s.forget(k, block, at, err)
	}
}

// Keys returns what is held of a channel, whole or in part, in Compare's order.
// It waits until what earlier runs left is indexed.
func (s *Store) Keys(ch segment.Channel) []Key {
	select {
	case <-s.loaded:
	case <-s.stop:
	}
	s.mu.RLock()
	var keys []Key
	for k, g := range s.segs {
		if k.Channel == ch && !g.held.Empty() {
			keys = append(keys, k)
		}
	}
	s.mu.RUnlock()
	slices.SortFunc(keys, Key.Compare)
	return keys
}

// Size returns the length of a held segment, whole or in part, or -1.
func (s *Store) Size(k Key) int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if g := s.segs[k]; g != nil && !g.held.Empty() {
		return g.size
	}
	return -1
}

// Pin keeps a segment, held already or put later, from eviction as long as the
// bounds allow: RAM and the cap are never exceeded for a pin. Pins nest; unpin
// may be called more than once, from anywhere.
func (s *Store) Pin(k Key) (unpin func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.segs[k]
	if g == nil {
		g = &seg{key: k, size: -1}
		s.segs[k] = g
	}
	g.pins++
	return sync.OnceFunc(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		g.pins--
		s.tidy(g)
	})
}

// Stats returns figures of the moment.
func (s *Store) Stats() Stats {
	s.mu.RLock()
	defer s.mu.RUnlock()
	st := Stats{
		RAM: s.ram, Staged: s.dirty, Cap: s.cap, Disk: s.diskBytes(), Shards: len(s.shards) + len(s.trash),
		Commits: s.commits, Damaged: s.damaged.Load(), Dropped: s.dropped,
	}
	for _, g := range s.segs {
		if !g.held.Empty() {
			st.Segments++
		}
	}
	return st
}

// Degraded says why the store does not write to disk although it should, or
// returns nil.
func (s *Store) Degraded() error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.mode == diskFailed {
		return s.fault
	}
	return s.low
}
