package swarm

import (
	"testing"

	"coral/node/swarm/wire"
	"coral/store/segment"
)

// BenchmarkBlocks sends blocks one after another, as the scheduler does: the
// next when the last has been taken by the kernel.
func BenchmarkBlocks(b *testing.B) {
	x, y, px, _ := pair(b, Config{}, Config{}, JoinConfig{}, JoinConfig{}, testDescriptor(nil))
	m := &wire.Block{ID: segment.ID{Sequence: 1}, Data: make([]byte, segment.BlockSize)}
	done := make(chan struct{})
	n := b.N
	go func() {
		defer close(done)
		for got := 0; got < n; {
			if r, ok := (<-y.Events()).(Received); ok {
				if _, ok := r.Msg.(*wire.Block); ok {
					got++
				}
			}
		}
	}()
	b.SetBytes(segment.BlockSize)
	b.ReportAllocs()
	b.ResetTimer()
	for range n {
		x.SendBlock(px, m, 1)
		await[Sent](b, x, nil)
	}
	<-done
}

// BenchmarkRequest measures a request and its block, one at a time.
func BenchmarkRequest(b *testing.B) {
	x, y, px, py := pair(b, Config{}, Config{}, JoinConfig{}, JoinConfig{}, testDescriptor(nil))
	m := &wire.Block{ID: segment.ID{Sequence: 1}, Data: make([]byte, segment.BlockSize)}
	stop := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case ev := <-x.Events():
				if r, ok := ev.(Received); ok {
					if _, ok := r.Msg.(*wire.Request); ok {
						x.SendBlock(px, m, 1)
					}
				}
			case <-stop:
				return
			}
		}
	}()
	b.SetBytes(segment.BlockSize)
	b.ResetTimer()
	for range b.N {
		y.Send(py, &wire.Request{ID: m.ID})
		await(b, y, func(r Received) bool { _, ok := r.Msg.(*wire.Block); return ok })
	}
	close(stop)
	<-done
}
