package main

import (
	"errors"
	"io"
	"net"
	"testing"

	"coral/store/segment"
)

// What Coral's benchmarks are held against, where the package does not have it
// itself: the plainest way of doing the same.

// speed runs a benchmark and gives its MB/s.
func speed(run func(b *testing.B)) (float64, error) {
	r := testing.Benchmark(run)
	if r.N == 0 {
		return 0, errors.New("benchmark failed")
	}
	return float64(r.Bytes) * float64(r.N) / r.T.Seconds() / 1e6, nil
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
