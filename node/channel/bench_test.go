package channel

import (
	"testing"
	"time"

	"coral/store/segment"
)

// longVOD signs a recording of n four-second segments at 4 Mbit/s.
func longVOD(t testing.TB, n int) *publisher {
	p := newPublisher(t)
	p.init(0, 0)
	blocks := make([]segment.Digest, segment.Blocks(2_000_000))
	for range n {
		p.media(0, func(e *Entry) {
			e.Type, e.Duration, e.Size, e.Blocks, e.HasInit = VOD, 4*time.Second, 2_000_000, blocks, true
		})
	}
	return p
}

// TestLongVOD: a long recording is held whole, costs no more the longer it is,
// and reaches a joiner in messages.
func TestLongVOD(t *testing.T) {
	const n = 10_000
	p := longVOD(t, n)
	f := NewFeed(chanID, public(rootKey), FeedOptions{})
	begin := time.Now()
	for _, rec := range p.recs {
		if u, err := f.Add(rec, p.now); u == nil || err != nil {
			t.Fatal(err)
		}
	}
	added := time.Since(begin)
	if len(f.Entries(0)) != n || f.bytes > DefaultMaxBytes {
		t.Fatalf("%d entries, %d bytes", len(f.Entries(0)), f.bytes)
	}
	begin = time.Now()
	calls, got := 0, 0
	for from, more := uint64(0), true; more; calls++ {
		var recs [][]byte
		recs, more = f.Snapshot(0, from, 48<<10)
		got += len(recs) - 2 // the delegation and the init section
		from = uint64(got) + 1
	}
	snapshot := time.Since(begin)
	if got != n {
		t.Errorf("%d entries in snapshots", got)
	}
	// Newest first, as a joiner that looks back gets them.
	const last = 2000
	back := NewFeed(chanID, public(rootKey), FeedOptions{})
	begin = time.Now()
	for k := range last + 1 {
		if _, err := back.Add(p.recs[(len(p.recs)-k)%len(p.recs)], p.now); err != nil {
			t.Fatal(err)
		}
	}
	if len(back.Entries(0)) != last {
		t.Errorf("%d entries backwards", len(back.Entries(0)))
	}
	t.Logf("%d entries, %d MiB: added in %v, %d backwards in %v; %d snapshots in %v", n, f.bytes>>20, added, last, time.Since(begin), calls, snapshot)
}

func BenchmarkFeedAdd(b *testing.B) {
	p := longVOD(b, 1000)
	f := NewFeed(chanID, public(rootKey), FeedOptions{})
	for i := 0; b.Loop(); i++ {
		if i%len(p.recs) == 0 {
			f = NewFeed(chanID, public(rootKey), FeedOptions{})
		}
		if _, err := f.Add(p.recs[i%len(p.recs)], p.now); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFeedKnown(b *testing.B) {
	p := longVOD(b, 1)
	f := NewFeed(chanID, public(rootKey), FeedOptions{})
	for b.Loop() {
		for _, rec := range p.recs {
			if _, err := f.Add(rec, p.now); err != nil {
				b.Fatal(err)
			}
		}
	}
}
