package store

import (
	"os"
	"sync"
)

// maxOpen is how many shard files are kept open for reading: those of a cap of
// 7 GiB, and no worry for a system's limit. Others are opened again when read.
const maxOpen = 64

// files is the handles that shards are read with. They are not bbolt's, so that
// sealing a shard disturbs no reader.
type files struct {
	mu     sync.Mutex
	open   map[*shard]*handle
	uses   int64
	closed bool
}

type handle struct {
	f    *os.File
	refs int   // readers at work
	last int64 // files.uses at the last use
	dead bool  // to be closed by the last reader
}

func (fs *files) init() { fs.open = map[*shard]*handle{} }

// readAt fills p from a shard at off.
func (fs *files) readAt(sh *shard, p []byte, off int64) error {
	h, err := fs.acquire(sh)
	if err != nil {
		return err
	}
	defer fs.release(h)
	_, err = h.f.ReadAt(p, off)
	return err
}

func (fs *files) acquire(sh *shard) (*handle, error) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if fs.closed {
		return nil, ErrClosed
	}
	h := fs.open[sh]
	if h == nil {
		f, err := os.Open(sh.path)
		if err != nil {
			return nil, err
		}
		h = &handle{f: f}
		fs.open[sh] = h
		if len(fs.open) > maxOpen {
			fs.closeOldest(h)
		}
	}
	fs.uses++
	h.last = fs.uses
	h.refs++
	return h, nil
}

// closeOldest gives up the idle handle that was used longest ago.
func (fs *files) closeOldest(but *handle) {
	var oldest *shard
	for sh, h := range fs.open {
		if h != but && h.refs == 0 && (oldest == nil || h.last < fs.open[oldest].last) {
			oldest = sh
		}
	}
	if oldest != nil {
		fs.open[oldest].f.Close()
		delete(fs.open, oldest)
	}
}

func (fs *files) release(h *handle) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if h.refs--; h.refs == 0 && h.dead {
		h.f.Close()
	}
}

// drop closes a shard's handle, once its readers are done.
func (fs *files) drop(sh *shard) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if h := fs.open[sh]; h != nil {
		fs.retire(h)
		delete(fs.open, sh)
	}
}

func (fs *files) retire(h *handle) {
	if h.dead = true; h.refs == 0 {
		h.f.Close()
	}
}

func (fs *files) close() {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	fs.closed = true
	for _, h := range fs.open {
		fs.retire(h)
	}
	clear(fs.open)
}
