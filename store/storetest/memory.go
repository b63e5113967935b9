package storetest

import (
	"fmt"
	"io"
	"slices"
	"sync"

	"coral/store"
	"coral/store/segment"
)

// Store is what the users of a store need, and what Run tests. *store.Store and
// *Memory are such.
type Store interface {
	Put(k store.Key, size, block int, data []byte) error
	Has(k store.Key) segment.Bitmap
	Read(k store.Key, block int, dst []byte) (int, error)
	Keys(ch segment.Channel) []store.Key
	Size(k store.Key) int
	Pin(k store.Key) (unpin func())
	SetCap(n int64)
	Clear(ch *segment.Channel) error
	Stats() store.Stats
	Degraded() error
	Close() error
}

// Memory is a store in memory: plain maps, evicted by whole segments. Tests may
// damage it with Lose.
type Memory struct {
	limit int64

	mu     sync.Mutex
	segs   map[store.Key]*memorySeg
	puts   int64
	bytes  int64
	closed bool
}

type memorySeg struct {
	size   int
	held   segment.Bitmap
	blocks [][]byte
	bytes  int64
	last   int64 // Memory.puts at its last Put
	pins   int
}

// NewMemory returns a store that keeps at most limit bytes; 0 is store.DefaultRAM.
func NewMemory(limit int64) *Memory {
	if limit == 0 {
		limit = store.DefaultRAM
	}
	return &Memory{limit: limit, segs: map[store.Key]*memorySeg{}}
}

// Put implements Store.
func (m *Memory) Put(k store.Key, size, block int, data []byte) error {
	if size < 0 || size > segment.MaxSize || block < 0 || block >= segment.Blocks(size) || len(data) != segment.BlockLen(size, block) {
		return fmt.Errorf("put %v: block %d of %d bytes in a segment of %d", k, block, len(data), size)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return store.ErrClosed
	}
	g := m.at(k)
	if g.blocks == nil {
		g.size, g.held, g.blocks = size, segment.NewBitmap(segment.Blocks(size)), make([][]byte, segment.Blocks(size))
	}
	if g.size != size {
		return fmt.Errorf("put %v: %d bytes, was %d", k, size, g.size)
	}
	if g.held.Has(block) {
		return nil
	}
	g.held.Set(block)
	g.blocks[block] = append([]byte{}, data...)
	g.bytes += int64(len(data))
	m.bytes += int64(len(data))
	m.puts++
	g.last = m.puts
	m.evict(g)
	return nil
}

func (m *Memory) at(k store.Key) *memorySeg {
	g := m.segs[k]
	if g == nil {
		g = &memorySeg{}
		m.segs[k] = g
	}
	return g
}

// evict makes room: the segments put longest ago go, the pinned last, and never
// keep.
func (m *Memory) evict(keep *memorySeg) {
	for m.bytes > m.limit {
		var victim *memorySeg
		for _, g := range m.segs {
			if g == keep || g.bytes == 0 {
				continue
			}
			if victim == nil || (g.pins > 0) == (victim.pins > 0) && g.last < victim.last || g.pins == 0 && victim.pins > 0 {
				victim = g
			}
		}
		if victim == nil {
			return
		}
		m.drop(victim)
	}
}

func (m *Memory) drop(g *memorySeg) {
	m.bytes -= g.bytes
	g.bytes, g.held, g.blocks = 0, nil, nil
	for k, o := range m.segs {
		if o == g && g.pins == 0 {
			delete(m.segs, k)
		}
	}
}

// Has implements Store.
func (m *Memory) Has(k store.Key) segment.Bitmap {
	m.mu.Lock()
	defer m.mu.Unlock()
	if g := m.segs[k]; g != nil && !g.held.Empty() {
		return g.held.Clone()
	}
	return nil
}

// Read implements Store.
func (m *Memory) Read(k store.Key, block int, dst []byte) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	g := m.segs[k]
	switch {
	case m.closed:
		return 0, store.ErrClosed
	case g == nil || block < 0 || !g.held.Has(block):
		return 0, store.ErrMiss
	case len(dst) < len(g.blocks[block]):
		return 0, io.ErrShortBuffer
	}
	return copy(dst, g.blocks[block]), nil
}

// Keys implements Store.
func (m *Memory) Keys(ch segment.Channel) []store.Key {
	m.mu.Lock()
	defer m.mu.Unlock()
	var keys []store.Key
	for k, g := range m.segs {
		if k.Channel == ch && !g.held.Empty() {
			keys = append(keys, k)
		}
	}
	slices.SortFunc(keys, store.Key.Compare)
	return keys
}

// Size implements Store.
func (m *Memory) Size(k store.Key) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	if g := m.segs[k]; g != nil && !g.held.Empty() {
		return g.size
	}
	return -1
}

// Pin implements Store.
func (m *Memory) Pin(k store.Key) (unpin func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	g := m.at(k)
	g.pins++
	return sync.OnceFunc(func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		if g.pins--; g.pins == 0 && g.blocks == nil && m.segs[k] == g {
			delete(m.segs, k)
		}
	})
}

// SetCap implements Store; there is no disk to cap.
func (m *Memory) SetCap(int64) {}

// Clear implements Store.
func (m *Memory) Clear(ch *segment.Channel) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return store.ErrClosed
	}
	for k, g := range m.segs {
		if ch == nil || k.Channel == *ch {
			m.drop(g)
		}
	}
	return nil
}

// Lose makes the store forget a block, as if it had been found damaged.
func (m *Memory) Lose(k store.Key, block int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if g := m.segs[k]; g != nil && g.held.Has(block) {
		g.held.Clear(block)
		g.bytes -= int64(len(g.blocks[block]))
		m.bytes -= int64(len(g.blocks[block]))
		g.blocks[block] = nil
	}
}

// Stats implements Store.
func (m *Memory) Stats() store.Stats {
	m.mu.Lock()
	defer m.mu.Unlock()
	st := store.Stats{RAM: m.bytes, Staged: m.bytes}
	for _, g := range m.segs {
		if !g.held.Empty() {
			st.Segments++
		}
	}
	return st
}

// Degraded implements Store.
func (m *Memory) Degraded() error { return nil }

// Close implements Store.
func (m *Memory) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	return nil
}
