package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"time"
	"unsafe"

	"go.etcd.io/bbolt"
)

const (
	pageSize = 4096 // 16 and 64 KiB pages waste more (measured)

	// A shard is a 32nd of the cap, so that evicting one loses little, within:
	minShard = 28 << 20  // three groups
	maxShard = 120 << 20 // below the 128 MiB that bbolt maps, on Windows as file
	// maxGroup is the payload of one commit: large enough to make bbolt's pages
	// and two fsyncs cheap, small enough to be soon done.
	maxGroup = 8 << 20
	// maxAlloc is by how much bbolt grows the file ahead.
	maxAlloc = 4 << 20

	// minValue keeps a run's bucket out of its parent's page: bbolt stores buckets
	// below a quarter page inline, and moves them when the parent is rewritten.
	minValue = pageSize / 2
	// groupPages covers the pages that each commit rewrites beside the runs: the
	// tails and branches of the buckets, the freelist, the root.
	groupPages = 32
	// recordBytes is what one run costs in the buckets' leaves, block sums apart.
	recordBytes = 256

	lockPatience = time.Second // for bbolt's own lock, which is always free
)

var (
	indexBucket  = []byte("i")      // run serial → record
	dataBucket   = []byte("d")      // run serial → bucket with one key
	footerBucket = []byte("f")      // written when the shard is sealed
	valueKey     = []byte("v")      // in a run's bucket: the run's bytes
	footerKey    = []byte("footer") // all records with their offsets
)

// geometry is how a cap is cut into files.
type geometry struct {
	shard, group, alloc, mmap int64
}

func geometryOf(cap int64) geometry {
	shard := min(min(max(cap/32, minShard), maxShard), cap/4) &^ (pageSize - 1)
	g := geometry{shard: shard, group: min(maxGroup, shard/2), alloc: min(maxAlloc, shard/16)}
	for g.mmap = 1 << 15; g.mmap < shard+g.alloc; g.mmap <<= 1 {
	}
	return g
}

// fileBytes bounds by how much a group's commit, and the footer that will list
// it, grow a shard.
func fileBytes(group []pending) int64 {
	n, records := int64(groupPages*pageSize), int64(0)
	for _, p := range group {
		n += (int64(max(p.bytes, minValue)) + 2*pageSize) &^ (pageSize - 1)
		records += recordBytes + int64(len(p.blocks))*entrySize
	}
	return n + 3*records // in its leaf, split half full, and in the footer
}

// shard is one file. Its fields are owned by Store.mu, but for used.
type shard struct {
	id      uint64
	path    string
	size    int64 // of the file
	segs    map[*seg]struct{}
	gone    bool // evicted
	damaged int
	used    atomic.Int64 // Store.clock at its last use
}

// active is the shard that bbolt writes. Owned by Store.writing.
type active struct {
	sh     *shard
	db     *bbolt.DB
	file   *os.File // bbolt's own, to close it when bbolt cannot
	geom   geometry
	high   int64 // bytes in use, by bbolt's high-water mark
	serial uint32
	footer []byte // of all runs so far
	broken bool   // bbolt panicked or faulted: its locks may be held
}

// spot is where a run was written.
type spot struct {
	serial uint32
	off    int64
}

func (at spot) run(sh *shard, p pending) run {
	return run{sh: sh, serial: at.serial, off: at.off, entries: p.entries()}
}

// safely runs fn such that neither a panic nor a memory fault in it, as from a
// mapped file that lost its tail, ends the process. broken tells such an end
// from an error.
func safely(fn func() error) (broken bool, err error) {
	old := debug.SetPanicOnFault(true)
	defer debug.SetPanicOnFault(old)
	defer func() {
		if r := recover(); r != nil {
			broken, err = true, fmt.Errorf("panic: %v", r)
		}
	}()
	return false, fn()
}

// create makes a new shard, known to the index from now on.
func (s *Store) create(geom geometry) (*active, error) {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return nil, fmt.Errorf("create shard: %w", err)
	}
	id := s.nextID
	s.nextID++
	sh := &shard{id: id, path: s.shardPath(id), segs: map[*seg]struct{}{}}
	a := &active{sh: sh, geom: geom}
	var err error
	a.broken, err = safely(func() (err error) {
		a.db, err = bbolt.Open(sh.path, 0o600, &bbolt.Options{
			Timeout: lockPatience, FreelistType: bbolt.FreelistMapType,
			PageSize: pageSize, InitialMmapSize: int(geom.mmap),
			OpenFile: func(name string, flag int, perm os.FileMode) (*os.File, error) {
				f, err := s.sys.open(name, flag|os.O_EXCL, perm)
				a.file = f
				return f, err
			},
		})
		return err
	})
	if err != nil {
		if a.file != nil {
			a.file.Close()
		}
		if !errors.Is(err, fs.ErrExist) {
			os.Remove(sh.path)
		}
		return nil, fmt.Errorf("create shard: %w", err)
	}
	a.db.AllocSize = int(geom.alloc)
	a.high = 4 * pageSize
	sh.used.Store(s.clock.Add(1))
	size := a.fileSize()
	s.mu.Lock()
	sh.size = size
	s.shards = append(s.shards, sh)
	s.mu.Unlock()
	return a, nil
}

func (s *Store) shardPath(id uint64) string {
	return filepath.Join(s.dir, fmt.Sprintf("%016x%s", id, shardSuffix))
}

// fileSize is the file's length as the cap counts it.
func (a *active) fileSize() int64 {
	if info, err := os.Stat(a.sh.path); err == nil {
		return info.Size()
	}
	return a.high
}

// sizeWith bounds the file's length after need more bytes.
func (a *active) sizeWith(need int64) int64 {
	if runtime.GOOS == "windows" { // where the file is as long as its mapping
		return max(a.geom.mmap, a.high+need+a.geom.alloc)
	}
	return max(a.sh.size, a.high+need+a.geom.alloc)
}

// append commits a group and returns where each run lies. After an error the
// handle must be abandoned.
func (a *active) append(group []pending) (at []spot, err error) {
	if a.serial > 0 {
		if err := sound(a.file, a.fileSize()); err != nil {
			return nil, fmt.Errorf("commit to shard: %w", err)
		}
	}
	first := a.serial
	records := make([][]byte, len(group))
	a.broken, err = safely(func() error {
		return a.db.Update(func(tx *bbolt.Tx) error {
			index, err := tx.CreateBucketIfNotExists(indexBucket)
			if err != nil {
				return err
			}
			data, err := tx.CreateBucketIfNotExists(dataBucket)
			if err != nil {
				return err
			}
			index.FillPercent, data.FillPercent = 1, 1 // serials only rise
			for i, p := range group {
				key := serialKey(first + uint32(i))
				records[i] = appendRecord(nil, p)
				if err := index.Put(key, appendSum(records[i], key)); err != nil {
					return err
				}
				one, err := data.CreateBucket(key)
				if err != nil {
					return err
				}
				if err := one.Put(valueKey, p.value()); err != nil {
					return err
				}
			}
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("commit to shard: %w", err)
	}
	a.serial += uint32(len(group))
	a.broken, err = safely(func() error {
		return a.db.View(func(tx *bbolt.Tx) error {
			base := a.db.Info().Data
			for i := range group {
				one := tx.Bucket(dataBucket).Bucket(serialKey(first + uint32(i)))
				v := one.Get(valueKey)
				at = append(at, spot{first + uint32(i), int64(uintptr(unsafe.Pointer(&v[0])) - base)})
			}
			a.high = tx.Size()
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("locate runs in shard: %w", err)
	}
	for i, s := range at {
		a.footer = appendFooterRun(a.footer, s, records[i])
	}
	return at, nil
}

func serialKey(n uint32) []byte { return binary.BigEndian.AppendUint32(nil, n) }

// seal writes the footer and closes the active shard; it stays, to be read.
// writing is held.
func (s *Store) seal() {
	a := s.active
	if a == nil {
		return
	}
	var err error
	a.broken, err = safely(func() error {
		err := a.db.Update(func(tx *bbolt.Tx) error {
			f, err := tx.CreateBucketIfNotExists(footerBucket)
			if err != nil {
				return err
			}
			return f.Put(footerKey, sealFooter(a.footer))
		})
		if err != nil {
			return err
		}
		err = a.db.View(func(tx *bbolt.Tx) error { a.high = tx.Size(); return nil })
		if err != nil {
			return err
		}
		return a.db.Close()
	})
	if err != nil {
		s.log.Warn("cache file not sealed", "file", a.sh.path, "cause", err)
		s.abandon()
		return
	}
	s.active = nil
	// The tail that bbolt allocated ahead. If it cannot be cut it counts as used.
	_ = os.Truncate(a.sh.path, a.high)
	size := a.fileSize()
	s.mu.Lock()
	a.sh.size = size
	s.mu.Unlock()
}

// abandon gives up the active shard's handle after an error. What was committed
// stays readable. bbolt is closed only if it ended in an orderly way: after a
// panic in a transaction its locks are held, and Close would block for ever; then
// its mapping is lost until the process ends. writing is held.
func (s *Store) abandon() {
	a := s.active
	if a == nil {
		return
	}
	s.active = nil
	if !a.broken {
		if broken, err := safely(a.db.Close); err != nil && !broken {
			s.log.Debug("cache file not closed", "file", a.sh.path, "cause", err)
		}
	}
	a.file.Close() // gives up the lock on the file; closing twice does no harm
	size := a.fileSize()
	s.mu.Lock()
	a.sh.size = size
	empty := len(a.sh.segs) == 0
	if empty {
		s.detach(a.sh)
	}
	s.mu.Unlock()
	if empty {
		s.sweep()
	}
}
