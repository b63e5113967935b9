package swarm

import (
	"context"
	"net/netip"
	"slices"
	"testing"
	"time"

	"coral/store/segment"
)

// The peers that were good are dialed first when a channel is joined again, for
// an hour; of channels and peers only so many are remembered.
func TestMemory(t *testing.T) {
	b := newBook(nil)
	for i := range 40 {
		b.add(public(i), FromTracker, t0)
	}
	for i := range 30 { // the higher the number, the longer it was connected
		b.connected(public(i), t0.Add(-time.Duration(i)*time.Minute))
	}
	b.gone(public(29), true, t0)  // turned us away
	b.gone(public(28), false, t0) // was there until now
	b.gone(public(27), false, t0.Add(-time.Hour))
	b.isSelf(public(26))
	good := b.good(t0)
	if len(good) != 27 || good[0] != public(28) || good[1] != public(25) {
		t.Fatalf("good: %v", good)
	}
	var m Memory
	ch := func(i int) segment.Channel { return segment.Channel{byte(i)} }
	for i := range memoryChannels + 1 {
		m.keep(ch(i), good, t0.Add(time.Duration(i)*time.Minute))
	}
	if got := m.recall(ch(0), t0.Add(time.Hour/2)); got != nil {
		t.Errorf("the oldest channel is remembered: %v", got)
	}
	if got := m.recall(ch(1), t0.Add(memoryFor+2*time.Minute)); got != nil {
		t.Errorf("remembered after more than an hour: %v", got)
	}
	again := newBook(nil)
	for i := range 200 {
		again.add(public(100+i), FromTracker, t0)
	}
	recalled := m.recall(ch(2), t0.Add(memoryFor))
	if len(recalled) != memoryPeers {
		t.Fatalf("%d peers are remembered", len(recalled))
	}
	for _, a := range recalled {
		again.recall(a, t0)
	}
	dial, _ := again.due(0, t0)
	for _, a := range dial {
		if !slices.Contains(recalled, a) {
			t.Errorf("%v is dialed before those that were good", a)
		}
	}
	if m.recall(ch(2), t0) != nil {
		t.Error("recalled twice")
	}
}

// Of many addresses the near ones are dialed first, as long as they are no more
// than 70 % of what is wanted, or all there is.
func TestBookPrefersNear(t *testing.T) {
	home := testAddr("192.168.1.20:1").Addr()
	for name, far := range map[string]int{"near and far": 40, "all near": 0} {
		b := newBook([]netip.Addr{home})
		for i := range far {
			b.add(public(i), FromTracker, t0)
		}
		for i := range 60 {
			b.add(netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 168, 1, byte(100 + i)}), 7000), FromTracker, t0)
		}
		near, total := 0, 0
		for now := t0; total < wantPeers && now.Before(t0.Add(time.Minute)); now = now.Add(100 * time.Millisecond) {
			dial, _ := b.due(total, now)
			for _, a := range dial {
				if total < maxNear && far > 0 && !b.near(a.Addr()) {
					t.Fatalf("%s: %v is dialed before those nearby", name, a)
				}
				b.done(a, true, now)
				b.connected(a, now)
				if total++; b.near(a.Addr()) {
					near++
				}
			}
		}
		want := wantPeers
		if far > 0 {
			want = maxNear
		}
		if near != want || total != wantPeers {
			t.Errorf("%s: %d of %d are near", name, near, total)
		}
	}
}

// Who comes back finds its peers, though nothing but its memory names them.
func TestRejoin(t *testing.T) {
	d := testDescriptor(nil)
	var m Memory
	ca, cb := start(t, Config{}), start(t, Config{Memory: &m})
	x := join(t, ca, JoinConfig{Link: testLink(d)})
	y := join(t, cb, JoinConfig{Link: testLink(d, ca)})
	await[Joined](t, x, nil)
	await[Joined](t, y, nil)
	drain(t, x)
	ctx, cancel := context.WithTimeout(t.Context(), testWithin)
	defer cancel()
	y.Leave(ctx)
	drain(t, y)
	// A new client, where nobody looks for it.
	await[Joined](t, join(t, start(t, Config{Memory: &m}), JoinConfig{Link: testLink(d)}), nil)
}
