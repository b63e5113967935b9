package channel

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"coral/store/segment"
)

func TestFeedInOrder(t *testing.T) {
	p := newPublisher(t)
	p.present()
	p.init(0, 0)
	for range 5 {
		p.media(0, needs(0))
		p.media(1)
	}
	p.entry(Entry{End: true, Type: VOD})
	v := newViewer(t, p.now, FeedOptions{})
	for i, rec := range p.recs {
		u, err := v.add(rec)
		if err != nil || u == nil {
			t.Fatalf("record %d: %v, %v", i, u, err)
		}
		if u, err := v.add(rec); u != nil || err != nil {
			t.Fatalf("record %d again: %v, %v", i, u, err)
		}
	}
	if got := v.indices(0); !slices.Equal(got, []uint64{1, 2, 3, 4, 5, 6}) {
		t.Errorf("rendition 0: %v", got)
	}
	if n := v.f.Newest(0); !n.End || n.Index != 6 || n.Type != VOD {
		t.Errorf("newest: %+v", n)
	}
	e := v.f.Entry(segment.ID{Rendition: 0, Sequence: 2})
	if e == nil || e.URI != "0/2.ts" || e.Init != 0 || !e.HasInit || e.Root() != segment.Root(e.Blocks) {
		t.Errorf("entry: %+v", e)
	}
	if v.f.Entry(segment.ID{Kind: segment.Init}) == nil || v.f.Entry(segment.ID{Rendition: 9}) != nil {
		t.Error("init section")
	}
	if v.f.Newest(9) != nil || v.f.Entries(9) != nil || len(v.f.Presentation().Renditions) != 2 {
		t.Error("what is not there")
	}
}

// TestFeedAnyOrder: once the delegation is known, order does not matter, and
// forged, altered, cut off and repeated records between make no difference.
func TestFeedAnyOrder(t *testing.T) {
	p := newPublisher(t)
	p.present()
	for i := range 30 {
		if i%10 == 0 {
			p.init(0, uint64(i/10))
		}
		p.media(0, needs(uint64(i/10)))
		p.media(1, vod)
	}
	want := newViewer(t, p.now, FeedOptions{})
	want.take(p.recs...)
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 0))
		recs := slices.Clone(p.recs[1:])
		r.Shuffle(len(recs), func(i, j int) { recs[i], recs[j] = recs[j], recs[i] })
		v := newViewer(t, p.now, FeedOptions{})
		v.refuse(recs[0], ErrUnknownKey)
		v.take(p.recs[0])
		for _, rec := range recs {
			for range 3 {
				junk := bytes.Clone(recs[r.IntN(len(recs))])
				switch r.IntN(4) {
				case 0:
					junk = junk[:r.IntN(len(junk))]
				case 1:
					junk[r.IntN(len(junk))] ^= 1 << r.IntN(8)
				case 2:
					junk = append(junk, byte(r.Uint32()))
				case 3:
					copy(junk[len(junk)-ed25519.SignatureSize:], rec[len(rec)-ed25519.SignatureSize:])
				}
				if u, err := v.add(junk); u != nil && !bytes.Equal(junk, u.Record) {
					t.Fatalf("junk was taken: %v", err)
				} else if u != nil && !slices.ContainsFunc(p.recs, func(r []byte) bool { return bytes.Equal(r, junk) }) {
					t.Fatal("a record that nobody signed was taken")
				}
			}
			v.take(rec)
		}
		for _, rend := range []uint16{0, 1} {
			if !reflect.DeepEqual(v.f.Entries(rend), want.f.Entries(rend)) {
				t.Fatalf("seed %d: rendition %d differs", seed, rend)
			}
			if !reflect.DeepEqual(v.f.Newest(rend), want.f.Newest(rend)) {
				t.Fatalf("seed %d: newest of %d differs", seed, rend)
			}
		}
		if !reflect.DeepEqual(v.f.Presentation(), want.f.Presentation()) {
			t.Fatal("presentation differs")
		}
	}
}

// TestFeedAltered changes every byte of every kind of record.
func TestFeedAltered(t *testing.T) {
	p := newPublisher(t)
	p.present()
	p.init(0, 0)
	p.media(0, needs(0))
	v := newViewer(t, p.now, FeedOptions{})
	for _, rec := range p.recs {
		for i := range rec {
			for _, bit := range []byte{1, 0x80} {
				bad := bytes.Clone(rec)
				bad[i] ^= bit
				if u, err := v.add(bad); u != nil || err == nil {
					t.Fatalf("byte %d of a record of type %d changed: %v, %v", i, rec[0], u, err)
				}
			}
			if u, err := v.add(rec[:i]); u != nil || err == nil {
				t.Fatalf("cut off at %d: %v, %v", i, u, err)
			}
		}
		v.take(rec)
	}
	v.refuse(make([]byte, MaxRecord+1), ErrMalformed)
	v.refuse(nil, ErrMalformed)
}

func TestFeedForged(t *testing.T) {
	p := newPublisher(t)
	other := segment.Channel{9}
	e := &Entry{Time: epoch, URI: "x", Size: 1, Blocks: make([]segment.Digest, 1)}
	pr := &Presentation{Time: epoch, Revision: 1, Renditions: []Rendition{{URI: "x"}}}
	evil := keyOf("evil")
	v := newViewer(t, epoch, FeedOptions{})
	v.refuse(Delegate(evil, chanID, public(evil), 9, epoch, epoch), ErrForged)
	v.refuse(Delegate(liveKey, chanID, public(evil), 9, epoch, epoch), ErrForged)
	v.refuse(Delegate(rootKey, other, public(evil), 9, epoch, epoch), ErrForged)
	v.take(p.recs...)
	v.refuse(SignEntry(evil, chanID, e), ErrUnknownKey)
	v.refuse(SignEntry(rootKey, chanID, e), ErrUnknownKey) // the root signs delegations only
	v.refuse(SignEntry(liveKey, other, e), ErrForged)
	v.refuse(SignPresentation(evil, chanID, pr), ErrUnknownKey)
	v.refuse(SignPresentation(liveKey, other, pr), ErrForged)
	// Another's key ID in front of one's own signature.
	b := append(e.encode(), public(liveKey)[:keyIDSize]...)
	v.refuse(append(b, ed25519.Sign(evil, signed(chanID, b))...), ErrForged)
	if v.f.Newest(0) != nil || v.f.Presentation() != nil || len(v.f.chains) != 0 {
		t.Error("something was kept")
	}
	// What cannot be signed.
	if Delegate(rootKey, chanID, public(liveKey), 1, epoch, epoch.Add(MaxDelegation+1)) != nil ||
		Delegate(rootKey, chanID, public(liveKey), 1, epoch, epoch.Add(-1)) != nil ||
		SignEntry(liveKey, chanID, &Entry{}) != nil || SignPresentation(liveKey, chanID, &Presentation{}) != nil {
		t.Error("nonsense was signed")
	}
}

func TestFeedChain(t *testing.T) {
	p := newPublisher(t)
	var chain [][]byte
	for range 10 {
		chain = append(chain, p.media(0))
	}
	digest := func(i int) segment.Digest { return RecordDigest(chain[i]) }
	sign := func(index int, change func(*Entry)) []byte {
		e, err := parseEntry(body(chain[index]))
		if err != nil {
			t.Fatal(err)
		}
		change(e)
		rec := SignEntry(liveKey, chanID, e)
		if rec == nil {
			t.Fatal(e.Check())
		}
		return rec
	}
	with := func(known ...int) *viewer {
		v := newViewer(t, p.now, FeedOptions{})
		v.take(p.recs[0])
		for _, i := range known {
			v.take(chain[i])
		}
		return v
	}
	with(4).refuse(sign(5, func(e *Entry) { e.Prev = digest(3) }), ErrBroken)                    // not its predecessor
	with(4).refuse(sign(3, func(e *Entry) { e.URI = "other" }), ErrBroken)                       // not what its successor names
	with(2).refuse(sign(5, func(e *Entry) { e.Sequence = 2 }), ErrEquivocation)                  // a number given twice
	with(2, 8).refuse(sign(5, func(e *Entry) { e.Sequence = 9 }), ErrBroken)                     // sequence
	with(3, 8).refuse(sign(5, func(e *Entry) { e.Sequence = 1 }), ErrBroken)                     // sequence
	with(2).refuse(sign(5, func(e *Entry) { e.Time = epoch }), ErrBroken)                        // time backwards
	with(8).refuse(sign(5, func(e *Entry) { e.Time = p.now.Add(time.Second) }), ErrBroken)       // time of a later one
	with(2).refuse(sign(5, func(e *Entry) { e.Time = p.now.Add(ClockTolerance + 1) }), ErrStale) // the future
	with(2).take(sign(5, func(e *Entry) { e.Sequence = 100 }))                                   // nothing known next to it

	v := with(4)
	twin := sign(4, func(e *Entry) { e.Duration++ })
	_, err := v.add(twin)
	var proof *EquivocationError
	if !errors.As(err, &proof) || !bytes.Equal(proof.First, chain[4]) || !bytes.Equal(proof.Second, twin) {
		t.Fatalf("equivocation: %v", err)
	}
	// Signed again with another key it is the same.
	v.take(Delegate(rootKey, chanID, public(keyOf("b")), 2, epoch, epoch.Add(time.Hour)))
	e, _ := parseEntry(body(chain[4]))
	if u, err := v.add(SignEntry(keyOf("b"), chanID, e)); u != nil || err != nil {
		t.Fatalf("signed anew: %v, %v", u, err)
	}
}

func TestFeedPresentations(t *testing.T) {
	p := newPublisher(t)
	first, second := p.present(), p.present()
	v := newViewer(t, p.now, FeedOptions{})
	v.take(p.recs[0], second)
	v.refuse(first, ErrStale) // rolled back
	same := *v.f.Presentation()
	same.IndependentSegments = true
	v.refuse(SignPresentation(liveKey, chanID, &same), ErrEquivocation)
	same.Revision, same.Time = 9, epoch.Add(-time.Second)
	v.refuse(SignPresentation(liveKey, chanID, &same), ErrStale) // before the key was valid
	same.Time = p.now.Add(ClockTolerance + 1)
	v.refuse(SignPresentation(liveKey, chanID, &same), ErrStale)
	p.now = p.now.Add(time.Minute)
	third := p.present()
	v.take(third)
	same.Revision, same.Time = 10, p.now.Add(-1)
	v.refuse(SignPresentation(liveKey, chanID, &same), ErrBroken)
	if v.f.Presentation().Revision != 3 {
		t.Error("the newest is not in force")
	}
}

func TestFeedWindow(t *testing.T) {
	p := newPublisher(t)
	p.init(0, 0)
	var chain [][]byte
	for range 100 {
		chain = append(chain, p.media(0, needs(0)))
	}
	for _, opts := range []FeedOptions{{Window: 20 * time.Second}, {Window: time.Hour, WindowEntries: 10}} {
		v := newViewer(t, p.now, opts)
		v.take(p.recs...)
		if got := v.indices(0); len(got) != 10 || got[0] != 91 {
			t.Errorf("window: %v", got)
		}
		v.refuse(chain[89], ErrStale) // rolled back
		v.refuse(chain[0], ErrStale)
		if v.f.Entry(segment.ID{Kind: segment.Init}) == nil {
			t.Error("the init section that the window needs is gone")
		}
		if v.f.Entry(segment.ID{Sequence: 89}) != nil || v.f.Entry(segment.ID{Sequence: 90}) == nil {
			t.Error("by ID")
		}
	}
	// A record of long ago does not open a feed either; an init section does.
	late := newViewer(t, p.now.Add(ClockTolerance+20*time.Second), FeedOptions{Window: 20 * time.Second})
	late.take(p.recs[0], p.recs[1])
	late.refuse(chain[98], ErrStale)
	late.take(chain[99])

	// An hour's error of the viewer's clock does no harm.
	for _, wrong := range []time.Duration{-time.Hour, time.Hour} {
		newViewer(t, p.now.Add(wrong), FeedOptions{}).take(p.recs...)
	}
	newViewer(t, p.now.Add(-26*time.Hour), FeedOptions{}).refuse(p.recs[0], ErrStale)
}

// TestFeedEventKeepsAll: what is not live does not slide, but has its bounds.
func TestFeedEventKeepsAll(t *testing.T) {
	p := newPublisher(t)
	for range 50 {
		p.media(0, vod)
	}
	v := newViewer(t, p.now.Add(1000*time.Hour), FeedOptions{Window: time.Second, MaxEntries: 40})
	v.take(p.recs[:41]...)
	if got := v.indices(0); len(got) != 40 {
		t.Errorf("%d entries", len(got))
	}
	v.take(p.recs[41:]...)
	if got := v.indices(0); len(got) != 40 || got[0] != 10 {
		t.Errorf("past the bound: %v", got)
	}
	v.refuse(p.recs[10], ErrStale)

	// Bytes: the rendition that takes the most gives.
	for range 5 {
		p.media(1, vod)
	}
	cost := func(rec []byte) int { return len(rec) + 32 + overheadBytes }
	small := newViewer(t, p.now, FeedOptions{MaxBytes: 20 * cost(p.recs[20])})
	small.take(p.recs...)
	if a, b := small.indices(0), small.indices(1); len(b) != 5 || len(a) < 13 || len(a) > 15 || a[len(a)-1] != 49 || small.f.bytes > small.f.opts.MaxBytes {
		t.Errorf("%v %v, %d bytes", a, b, small.f.bytes)
	}
	small.refuse(p.recs[1], ErrStale)
}

func TestFeedMissing(t *testing.T) {
	for _, c := range []struct {
		name    string
		kind    PlaylistType
		known   []int
		end     bool
		missing uint64
		ok      bool
	}{
		{"live", Live, []int{0, 3}, false, 0, false},
		{"event", Event, []int{0, 1, 2}, false, 3, false},
		{"event with a gap", Event, []int{0, 1, 4}, false, 2, true},
		{"recording whose end is not known", VOD, []int{0, 1}, false, 2, true},
		{"recording", VOD, []int{0, 1, 2, 3, 4}, true, 6, false},
		{"recording with a gap", VOD, []int{0, 1, 3, 4}, true, 2, true},
	} {
		p := newPublisher(t)
		v := newViewer(t, p.now, FeedOptions{})
		v.take(p.recs...)
		var recs [][]byte
		for range 5 {
			recs = append(recs, p.media(0, func(e *Entry) { e.Type = c.kind }))
		}
		for _, i := range c.known {
			v.take(recs[i])
		}
		if c.end {
			v.take(p.entry(Entry{End: true, Type: c.kind}))
		}
		if index, ok := v.f.Missing(0); ok != c.ok || ok && index != c.missing {
			t.Errorf("%s: %d, %v", c.name, index, ok)
		}
	}
}

func TestFeedInits(t *testing.T) {
	p := newPublisher(t)
	for i := range uint64(3 * maxInits) {
		p.init(0, i)
		p.media(0, needs(i))
	}
	p.media(0, needs(1)) // back to an old one, which only the publisher has still
	v := newViewer(t, p.now, FeedOptions{Window: 10 * time.Second})
	v.take(p.recs...)
	if n := len(v.f.chains[0].inits); n != maxInits {
		t.Errorf("%d init sections", n)
	}
	if v.f.Entry(segment.ID{Kind: segment.Init, Sequence: 1}) != nil {
		t.Error("an init section that was long unused is held")
	}
	v.take(p.recs[3]) // asked for and got
	if v.f.Entry(segment.ID{Kind: segment.Init, Sequence: 1}) == nil {
		t.Error("an init section that is needed is not held")
	}
	v.refuse(p.recs[1], ErrStale)
	for i := range uint64(5) {
		if v.f.Entry(segment.ID{Kind: segment.Init, Sequence: 3*maxInits - 1 - i}) == nil {
			t.Errorf("init section %d is needed", 3*maxInits-1-i)
		}
	}
}

func TestFeedTooManyRenditions(t *testing.T) {
	p := newPublisher(t)
	v := newViewer(t, p.now, FeedOptions{})
	v.take(p.recs[0])
	for r := range uint16(MaxRenditions) {
		v.take(p.media(r))
	}
	v.refuse(p.media(MaxRenditions), ErrBroken)
}

// TestFeedRotation: keys come and go; a record counts by the key of its time.
func TestFeedRotation(t *testing.T) {
	p := newPublisher(t)
	v := newViewer(t, p.now, FeedOptions{})
	v.take(p.recs...)
	for i := range 2 * maxDelegations {
		p.now = p.now.Add(6 * time.Hour)
		v.now = p.now
		v.take(p.delegate(fmt.Sprint("key", i), uint64(i+2), p.now.Add(-time.Minute), p.now.Add(12*time.Hour)))
		v.take(p.media(0, vod))
	}
	last := v.f.Newest(0)
	sign := func(key string, after time.Duration) []byte {
		e := *last
		e.Index, e.Sequence, e.Prev, e.Time = last.Index+1, last.Sequence+1, RecordDigest(p.recs[len(p.recs)-1]), last.Time.Add(after)
		return SignEntry(keyOf(key), chanID, &e)
	}
	before := fmt.Sprint("key", 2*maxDelegations-2)
	v.now = p.now.Add(20 * time.Hour)
	v.refuse(sign(before, 2*time.Hour), ErrStale)  // retired by its successor
	v.refuse(sign(before, 13*time.Hour), ErrStale) // expired
	v.refuse(sign("key0", 0), ErrUnknownKey)       // forgotten
	v.take(sign(before, 30*time.Minute))           // overlap

	// Many keys or not: a joiner gets all of it.
	j := newViewer(t, v.now, FeedOptions{})
	for from, more := uint64(0), true; more; from = j.f.Newest(0).Index + 1 {
		var recs [][]byte
		recs, more = v.f.Snapshot(0, from, 2000)
		j.take(recs...)
	}
	if !reflect.DeepEqual(j.f.Entries(0), v.f.Entries(0)) || len(j.f.Entries(0)) != 2*maxDelegations+1 {
		t.Errorf("joiner has %d entries", len(j.f.Entries(0)))
	}
	// One serial, two delegations.
	v.refuse(Delegate(rootKey, chanID, public(keyOf("evil")), uint64(2*maxDelegations), v.now, v.now), ErrEquivocation)
	// The same key again, for longer.
	key := fmt.Sprint("key", 2*maxDelegations-1)
	v.take(Delegate(rootKey, chanID, public(keyOf(key)), 10000, last.Time.Add(10*time.Hour), last.Time.Add(34*time.Hour)))
	e := *v.f.Newest(0)
	e.Index, e.Sequence, e.Prev, e.Time = e.Index+1, e.Sequence+1, RecordDigest(sign(before, 30*time.Minute)), last.Time.Add(20*time.Hour)
	v.take(SignEntry(keyOf(key), chanID, &e))
}

// TestFeedOldDelegation: one that has expired is kept for what it signed, but
// it is no news.
func TestFeedOldDelegation(t *testing.T) {
	p := newPublisher(t)
	p.media(0, vod)
	v := newViewer(t, p.now.Add(100*24*time.Hour), FeedOptions{})
	if u, err := v.add(p.recs[0]); u != nil || err != nil {
		t.Fatalf("%v, %v", u, err)
	}
	v.take(p.recs[1])
}

func TestSnapshot(t *testing.T) {
	p := newPublisher(t)
	p.present()
	p.init(0, 0)
	p.init(0, 1)
	for i := range 200 {
		p.media(0, needs(uint64(i/190)))
		p.media(1)
	}
	p.init(0, 2) // not needed yet
	v := newViewer(t, p.now, FeedOptions{Window: 100 * time.Second})
	v.take(p.recs...)
	for _, size := range []int{0, 1000, 5000, 1 << 20} {
		j := newViewer(t, p.now, FeedOptions{Window: 100 * time.Second})
		j.take(v.f.Base()...)
		if j.f.Presentation() == nil {
			t.Fatal("no presentation in the base")
		}
		for _, r := range []uint16{0, 1} {
			calls := 0
			for from, more := uint64(0), true; more; calls++ {
				var recs [][]byte
				recs, more = v.f.Snapshot(r, from, size)
				total := 0
				for _, rec := range recs {
					total += len(rec)
				}
				if total > max(size, 2000) {
					t.Fatalf("%d bytes for %d", total, size)
				}
				j.take(recs...)
				es := j.f.Entries(r)
				from = es[len(es)-1].Index + 1
			}
			if !reflect.DeepEqual(j.f.Entries(r), v.f.Entries(r)) {
				t.Errorf("size %d: joiner has %v, not %v", size, j.indices(r), v.indices(r))
			}
			if size > 4000 && calls > 20 {
				t.Errorf("%d calls", calls)
			}
		}
		for n := range uint64(3) {
			if j.f.Entry(segment.ID{Kind: segment.Init, Sequence: n}) == nil && (size > 500 || n < 2) {
				t.Errorf("size %d: no init section %d", size, n)
			}
		}
	}
	// From the middle, and past the end.
	recs, more := v.f.Snapshot(1, 190, 1<<20)
	if n := len(recs); n != 2+10 || more {
		t.Errorf("%d records, %v", n, more)
	}
	if recs, more := v.f.Snapshot(1, 200, 1<<20); len(recs) != 2 || more {
		t.Errorf("%d records, %v", len(recs), more)
	}
	if recs, more := v.f.Snapshot(77, 0, 1<<20); len(recs) != 2 || more {
		t.Errorf("%d records, %v", len(recs), more)
	}
	empty := NewFeed(chanID, public(rootKey), FeedOptions{})
	if recs, more := empty.Snapshot(0, 0, 1); len(recs) != 0 || more || len(empty.Base()) != 0 {
		t.Error("an empty feed has a snapshot")
	}
}
