package channel

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"testing"
	"time"

	"coral/store/segment"
)

// keyOf makes a fixed key.
func keyOf(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte(name))
	return ed25519.NewKeyFromSeed(seed[:])
}

func public(key ed25519.PrivateKey) ed25519.PublicKey { return key.Public().(ed25519.PublicKey) }

var (
	epoch   = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	rootKey = keyOf("root")
	liveKey = keyOf("signing")
	chanID  = segment.Channel{1, 2, 3}
)

// publisher signs a feed with fixed keys.
type publisher struct {
	t    testing.TB
	s    *Signer
	now  time.Time
	recs [][]byte // all, in the order of signing
}

func newPublisher(t testing.TB) *publisher {
	p := &publisher{t: t, s: NewSigner(nil, chanID), now: epoch}
	p.delegate("signing", 1, epoch, epoch.Add(MaxDelegation))
	return p
}

func (p *publisher) delegate(key string, serial uint64, from, to time.Time) []byte {
	p.t.Helper()
	rec := Delegate(rootKey, chanID, public(keyOf(key)), serial, from, to)
	if err := p.s.Use(keyOf(key), rec); err != nil {
		p.t.Fatal(err)
	}
	p.recs = append(p.recs, rec)
	return rec
}

func (p *publisher) present() []byte {
	p.t.Helper()
	rec, err := p.s.Presentation(p.now, &Presentation{Renditions: []Rendition{{URI: "v.m3u8", Bandwidth: 1e6}, {ID: 1, Media: 1, URI: "w.m3u8"}}})
	return p.sign(rec, err)
}

func (p *publisher) sign(rec []byte, err error) []byte {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
	p.recs = append(p.recs, rec)
	return rec
}

func (p *publisher) entry(e Entry) []byte {
	p.t.Helper()
	rec, err := p.s.Entry(p.now, &e)
	return p.sign(rec, err)
}

// media signs the next two-second segment of rendition r.
func (p *publisher) media(r uint16, change ...func(*Entry)) []byte {
	p.t.Helper()
	_, seq := p.s.Next(r)
	data := fmt.Append(nil, r, seq)
	e := Entry{
		Rendition: r, Sequence: seq, URI: fmt.Sprintf("%d/%d.ts", r, seq), Duration: 2 * time.Second, Target: 2 * time.Second,
		Size: len(data), Blocks: segment.Digests(data),
	}
	for _, c := range change {
		c(&e)
	}
	p.now = p.now.Add(e.Duration)
	return p.entry(e)
}

func (p *publisher) init(r uint16, n uint64) []byte {
	p.t.Helper()
	data := fmt.Append(nil, "init", r, n)
	return p.entry(Entry{
		Rendition: r, Kind: segment.Init, Sequence: n, URI: fmt.Sprintf("%d/init%d.mp4", r, n), Target: 2 * time.Second,
		Size: len(data), Blocks: segment.Digests(data),
	})
}

func needs(n uint64) func(*Entry) { return func(e *Entry) { e.HasInit, e.Init = true, n } }

func vod(e *Entry) { e.Type = VOD }

// viewer is a feed with a clock, whose invariants are checked at each step.
type viewer struct {
	t   testing.TB
	f   *Feed
	now time.Time
}

func newViewer(t testing.TB, now time.Time, opts FeedOptions) *viewer {
	return &viewer{t, NewFeed(chanID, public(rootKey), opts), now}
}

func (v *viewer) add(rec []byte) (*Update, error) {
	v.t.Helper()
	in := bytes.Clone(rec)
	u, err := v.f.Add(in, v.now)
	clear(in) // Add has copied it
	v.invariants()
	if err != nil {
		if u != nil {
			v.t.Fatal("an update and an error")
		}
		known := false
		for _, e := range []error{ErrForged, ErrStale, ErrEquivocation, ErrBroken, ErrUnknownKey, ErrMalformed} {
			known = known || errors.Is(err, e)
		}
		if !known {
			v.t.Fatalf("unnamed error: %v", err)
		}
	}
	if u != nil && !bytes.Equal(u.Record, rec) {
		v.t.Fatal("the update's record is another")
	}
	return u, err
}

// take adds records that must all be taken, or be known.
func (v *viewer) take(recs ...[]byte) {
	v.t.Helper()
	for i, rec := range recs {
		if _, err := v.add(rec); err != nil {
			v.t.Fatalf("record %d of %d: %v", i, len(recs), err)
		}
	}
}

// refuse adds a record that must be refused.
func (v *viewer) refuse(rec []byte, want error) {
	v.t.Helper()
	if u, err := v.add(rec); u != nil || !errors.Is(err, want) {
		v.t.Fatalf("got %v, %v, want %v", u, err, want)
	}
}

// indices lists the chain positions held of a rendition.
func (v *viewer) indices(r uint16) (is []uint64) {
	for _, e := range v.f.Entries(r) {
		is = append(is, e.Index)
	}
	return is
}

// invariants checks that what the feed keeps twice agrees.
func (v *viewer) invariants() {
	v.t.Helper()
	f, all, ids := v.f, 0, 0
	for r, c := range f.chains {
		size, total, n := 0, time.Duration(0), map[uint64]int{}
		if len(c.items) != len(c.entries) || len(c.byIndex) != len(c.items)+len(c.inits) || c.newest == nil {
			v.t.Fatalf("rendition %d: %d items, %d entries, %d inits, %d by index", r, len(c.items), len(c.entries), len(c.inits), len(c.byIndex))
		}
		check := func(it *item) {
			if size += it.cost(); c.byIndex[it.entry.Index] != it || c.newest.entry.Index < it.entry.Index {
				v.t.Fatalf("rendition %d: entry %d is not where it should be", r, it.entry.Index)
			}
			if !it.entry.End {
				if ids++; f.byID[it.entry.ID()] != it {
					v.t.Fatalf("rendition %d: %v is another", r, it.entry.ID())
				}
			}
			if before := c.byIndex[it.entry.Index-1]; before != nil && it.entry.Prev != before.digest {
				v.t.Fatalf("rendition %d: entry %d does not link", r, it.entry.Index)
			}
		}
		for i, it := range c.items {
			check(it)
			if total += it.length(); it.entry.HasInit {
				n[it.entry.Init]++
			}
			if i > 0 && c.entries[i-1].Index >= c.entries[i].Index || c.entries[i] != it.entry {
				v.t.Fatalf("rendition %d: out of order at %d", r, i)
			}
		}
		for _, it := range c.inits {
			check(it)
		}
		if size != c.bytes || total != c.total || len(n) != len(c.needs) {
			v.t.Fatalf("rendition %d: %d bytes, %v; counted %d, %v", r, c.bytes, c.total, size, total)
		}
		for init, count := range n {
			if c.needs[init] != count {
				v.t.Fatalf("rendition %d: init %d needed %d times, counted %d", r, init, c.needs[init], count)
			}
		}
		all += size
	}
	if all != f.bytes || ids != len(f.byID) || len(f.delegations) > maxDelegations {
		v.t.Fatalf("%d bytes, counted %d; %d IDs, counted %d", f.bytes, all, len(f.byID), ids)
	}
}
