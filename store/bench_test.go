package store_test

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"coral/store"
	"coral/store/segment"
	"coral/store/storetest"
)

const (
	benchSize = 64 * segment.BlockSize // 2 MiB, 6 s of 2.8 Mbit/s
	benchCap  = 256 << 20
)

// plain is a cache of one file a segment: what the store is compared with. It
// keeps the cap by removing the oldest, and checks nothing.
type plain struct {
	dir  string
	keep int
}

func (p plain) put(i int, data []byte) error {
	name := filepath.Join(p.dir, fmt.Sprint(i))
	f, err := os.Create(name + ".tmp")
	if err != nil {
		return err
	}
	if _, err := f.Write(data); err != nil {
		return err
	}
	if err := errors.Join(f.Sync(), f.Close(), os.Rename(name+".tmp", name)); err != nil {
		return err
	}
	if err := os.Remove(filepath.Join(p.dir, fmt.Sprint(i-p.keep))); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// BenchmarkStorePut writes whole segments through to disk, as fast as the disk
// takes them; BenchmarkPlainPut is the same with a synced file each.
func BenchmarkStorePut(b *testing.B) {
	s, err := store.OpenWith(store.Options{Dir: b.TempDir(), Cap: benchCap}, store.Hooks{})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	data := storetest.Content(storetest.Key(1, 1), benchSize, 0)
	b.SetBytes(benchSize)
	for i := range b.N {
		k := storetest.Key(1, i)
		for block := range segment.Blocks(benchSize) {
			if err := s.Put(k, benchSize, block, data); err != nil {
				b.Fatal(err)
			}
		}
	}
	s.Flush()
	b.StopTimer()
	if st := s.Stats(); st.Dropped > 0 {
		b.Logf("%d MiB dropped", st.Dropped>>20)
	}
}

func BenchmarkPlainPut(b *testing.B) {
	p := plain{b.TempDir(), benchCap / benchSize}
	data := make([]byte, benchSize)
	b.SetBytes(benchSize)
	for i := range b.N {
		if err := p.put(i, data); err != nil {
			b.Fatal(err)
		}
	}
}

const benchSegments = 64 // 128 MiB, all in the page cache

func benchRead(b *testing.B, ram int64) {
	s, err := store.OpenWith(store.Options{Dir: b.TempDir(), Cap: benchCap, RAM: ram}, store.Hooks{})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	for i := range benchSegments {
		if err := storetest.Fill(s, storetest.Key(1, i), benchSize); err != nil {
			b.Fatal(err)
		}
		s.Flush()
	}
	b.SetBytes(segment.BlockSize)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		buf := make([]byte, segment.BlockSize)
		for pb.Next() {
			if _, err := s.Read(storetest.Key(1, rand.IntN(benchSegments)), rand.IntN(segment.Blocks(benchSize)), buf); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

// BenchmarkStoreRead reads random blocks from sealed shards, BenchmarkStoreReadRAM
// recent ones; BenchmarkPlainRead does the same from open files, unchecked.
func BenchmarkStoreRead(b *testing.B)    { benchRead(b, store.MinRAM) }
func BenchmarkStoreReadRAM(b *testing.B) { benchRead(b, 2*benchSegments*benchSize) }

func BenchmarkPlainRead(b *testing.B) {
	p := plain{b.TempDir(), benchSegments + 1}
	files := make([]*os.File, benchSegments)
	for i := range files {
		if err := p.put(i, make([]byte, benchSize)); err != nil {
			b.Fatal(err)
		}
		f, err := os.Open(filepath.Join(p.dir, fmt.Sprint(i)))
		if err != nil {
			b.Fatal(err)
		}
		defer f.Close()
		files[i] = f
	}
	b.SetBytes(segment.BlockSize)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		buf := make([]byte, segment.BlockSize)
		for pb.Next() {
			if _, err := files[rand.IntN(len(files))].ReadAt(buf, rand.Int64N(benchSize/segment.BlockSize)*segment.BlockSize); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

// BenchmarkStorePutBlock is what one Put costs its caller.
func BenchmarkStorePutBlock(b *testing.B) {
	s, err := store.OpenWith(store.Options{RAM: 32 << 20}, store.Hooks{})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	data := make([]byte, segment.BlockSize)
	b.SetBytes(segment.BlockSize)
	b.ReportAllocs()
	for i := range b.N {
		if err := s.Put(storetest.Key(1, i/64), benchSize, i%64, data); err != nil {
			b.Fatal(err)
		}
	}
}
