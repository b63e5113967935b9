package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"

	"coral/store/segment"
)

// What Coral's benchmarks are held against, where Go's own library is not the
// reference: the plainest way of doing the same.

// refSegment is a segment of 2 s at 4 Mbit/s.
const refSegment = 1 << 20

// speed runs a benchmark and gives its MB/s.
func speed(run func(b *testing.B)) (float64, error) {
	r := testing.Benchmark(run)
	if r.N == 0 {
		return 0, errors.New("benchmark failed")
	}
	return float64(r.Bytes) * float64(r.N) / r.T.Seconds() / 1e6, nil
}

// plainWrite writes segments to files of their own and has them on disk.
func plainWrite() (float64, error) {
	dir, err := os.MkdirTemp("", "coral-bench-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	data := make([]byte, refSegment)
	return speed(func(b *testing.B) {
		b.SetBytes(refSegment)
		for i := 0; b.Loop(); i++ {
			// A cache under a cap: a few hundred megabytes at most.
			f, err := os.Create(filepath.Join(dir, fmt.Sprint(i%256)))
			if err != nil {
				b.Fatal(err)
			}
			for off := 0; off < refSegment; off += segment.BlockSize {
				f.Write(data[off : off+segment.BlockSize])
			}
			if err := errors.Join(f.Sync(), f.Close()); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// plainRead reads a file block by block.
func plainRead() (float64, error) {
	dir, err := os.MkdirTemp("", "coral-bench-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	name := filepath.Join(dir, "segment")
	if err := os.WriteFile(name, make([]byte, refSegment), 0o600); err != nil {
		return 0, err
	}
	f, err := os.Open(name)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	buf := make([]byte, segment.BlockSize)
	return speed(func(b *testing.B) {
		b.SetBytes(segment.BlockSize)
		for i := int64(0); b.Loop(); i++ {
			if _, err := f.ReadAt(buf, i*segment.BlockSize%refSegment); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// socketCopy sends blocks over a TCP connection on loopback.
func socketCopy() (float64, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer ln.Close()
	received := make(chan int64, 1)
	go func() {
		c, err := ln.Accept()
		if err != nil {
			received <- 0
			return
		}
		defer c.Close()
		buf := make([]byte, segment.BlockSize)
		total := int64(0)
		for {
			n, err := io.ReadFull(c, buf)
			total += int64(n)
			if err != nil {
				received <- total
				return
			}
		}
	}()
	c, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		return 0, err
	}
	block := make([]byte, segment.BlockSize)
	v, err := speed(func(b *testing.B) {
		b.SetBytes(segment.BlockSize)
		for b.Loop() {
			if _, err := c.Write(block); err != nil {
				b.Fatal(err)
			}
		}
	})
	c.Close()
	<-received
	return v, err
}
