package swarm

import (
	"math/rand/v2"
	"net/netip"
	"net/url"
	"testing"
	"time"
)

var t0 = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func public(i int) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{8, byte(i >> 8), byte(i), 1}), 7000)
}

func TestBookDialsAtOnceThenSlowly(t *testing.T) {
	b := newBook(nil)
	for i := range 30 {
		b.add(public(i), FromPEX, t0)
	}
	b.add(testAddr("9.9.9.9:700"), FromLink, t0)
	dial, next := b.due(0, t0)
	if len(dial) != dialBurst || dial[0] != testAddr("9.9.9.9:700") {
		t.Fatalf("first: %v", dial)
	}
	if next.Sub(t0) > time.Second/dialsPerSecond {
		t.Errorf("next at %v", next.Sub(t0))
	}
	for _, a := range dial {
		b.done(a, false, t0)
	}
	total := 0
	for now := t0; now.Before(t0.Add(900 * time.Millisecond)); now = now.Add(50 * time.Millisecond) {
		dial, _ = b.due(0, now)
		total += len(dial)
		for _, a := range dial {
			b.done(a, false, now)
		}
	}
	if total > dialsPerSecond {
		t.Errorf("%d dials in 0.9 s", total)
	}
}

func TestBookLimitsPerNetworkAndPeers(t *testing.T) {
	b := newBook(nil)
	for i := range 5 {
		b.add(netip.AddrPortFrom(netip.AddrFrom4([4]byte{8, 8, 8, byte(i)}), 7000), FromTracker, t0)
		b.add(netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 77, 0, byte(i)}), 7000), FromTracker, t0)
	}
	dial, _ := b.due(0, t0)
	if len(dial) != 5+dialsPerNet {
		t.Errorf("dials %v", dial)
	}
	if dial, _ := b.due(wantPeers, t0.Add(time.Minute)); len(dial) != 0 {
		t.Errorf("dials %v with enough peers", dial)
	}
}

func TestBookRetriesAndForgets(t *testing.T) {
	b := newBook(nil)
	linked, gossip := public(1), public(2)
	b.add(linked, FromLink, t0)
	b.add(gossip, FromPEX, t0)
	now := t0
	tries := map[netip.AddrPort]int{}
	for range 4000 {
		dial, _ := b.due(0, now)
		for _, a := range dial {
			tries[a]++
			b.done(a, false, now)
		}
		now = now.Add(250 * time.Millisecond)
	}
	if tries[gossip] != maxFails || b.entries[gossip] != nil {
		t.Errorf("gossip tried %d times", tries[gossip])
	}
	if n := tries[linked]; n < 40 || n > 70 { // 1000 s at up to 20 s each
		t.Errorf("the link's peer tried %d times", n)
	}
	// One that worked is dialed again soon after it is lost.
	dial, _ := b.due(0, now.Add(time.Minute))
	now = now.Add(time.Minute)
	if len(dial) != 1 {
		t.Fatal(dial)
	}
	b.done(linked, true, now)
	b.connected(linked, now)
	if dial, _ := b.due(1, now.Add(time.Hour)); len(dial) != 0 {
		t.Errorf("dials a connected address: %v", dial)
	}
	now = now.Add(time.Hour)
	b.gone(linked, false, now)
	if dial, _ := b.due(0, now.Add(redial)); len(dial) != 1 {
		t.Error("a lost peer is not dialed again")
	}
}

// A publisher that is started anew, again and again, is found within seconds, and
// one that turns us away is not bothered.
func TestBookMissesPublisher(t *testing.T) {
	b := newBook(nil)
	linked, now := public(1), t0
	b.add(linked, FromLink, now)
	dials := func(length time.Duration) (n int) {
		for end := now.Add(length); now.Before(end); now = now.Add(250 * time.Millisecond) {
			dial, _ := b.due(0, now)
			for _, a := range dial {
				n++
				b.done(a, false, now)
			}
		}
		return n
	}
	visit := func(length time.Duration) {
		t.Helper()
		for begun := now; len(b.entries) > 0; now = now.Add(100 * time.Millisecond) {
			if dial, _ := b.due(0, now); len(dial) > 0 {
				if wait := now.Sub(begun); wait > retryMissed+100*time.Millisecond {
					t.Errorf("found after %v", wait)
				}
				break
			}
		}
		b.done(linked, true, now)
		b.connected(linked, now)
		now = now.Add(length)
		b.gone(linked, false, now)
	}
	for range 5 {
		visit(6 * time.Second)
		dials(3 * time.Second)
	}
	visit(time.Second) // less than heldFor, but it was there a moment before
	if n := dials(missedFor); n < 20 {
		t.Errorf("%d dials while it is missed", n)
	}
	if n := dials(10 * time.Minute); n > 40 {
		t.Errorf("%d dials in the ten minutes after that", n)
	}
	for range 10 {
		now = now.Add(retryLinked)
		dial, _ := b.due(0, now)
		if len(dial) != 1 {
			t.Fatal(dial)
		}
		b.done(linked, true, now)
		b.connected(linked, now)
		b.gone(linked, false, now) // it is full
	}
	if n := dials(10 * time.Minute); n > 40 {
		t.Errorf("%d dials of a publisher that is full", n)
	}
}

func TestBookKnowsItself(t *testing.T) {
	b := newBook(nil)
	b.add(public(1), FromLink, t0)
	b.isSelf(public(1))
	if dial, _ := b.due(0, t0); len(dial) != 0 || b.known() != 0 {
		t.Errorf("dials itself: %v", dial)
	}
}

// A random walk: the bounds hold whatever happens.
func TestBookWalk(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	b := newBook(nil)
	now := t0
	var dialing []netip.AddrPort
	open := map[netip.AddrPort]int{}
	for range 20000 {
		now = now.Add(time.Duration(rng.IntN(300)) * time.Millisecond)
		a := public(rng.IntN(3 * maxBook))
		switch rng.IntN(7) {
		case 0, 1:
			b.add(a, Source(rng.IntN(4)), now)
		case 2:
			d, _ := b.due(len(open), now)
			dialing = append(dialing, d...)
		case 3:
			if len(dialing) > 0 {
				a, dialing = dialing[0], dialing[1:]
				ok := rng.IntN(2) == 0
				b.done(a, ok, now)
				if ok {
					b.connected(a, now)
					open[a]++
				}
			}
		case 4:
			for a, n := range open {
				b.gone(a, rng.IntN(5) == 0, now)
				if open[a]--; n == 1 {
					delete(open, a)
				}
				break
			}
		case 5:
			b.forget(a)
		case 6: // who is being dialed comes by itself, and goes, again and again
			if len(dialing) > 0 {
				b.connected(dialing[0], now)
				b.gone(dialing[0], rng.IntN(2) == 0, now)
			}
		}
		count := 0
		for _, e := range b.entries {
			if e.dialing {
				count++
			}
		}
		if count != b.dialing || count != len(dialing) || count > maxDialing || len(b.entries) > maxBook {
			t.Fatalf("%d dialing, counted %d, given out %d; %d entries", count, b.dialing, len(dialing), len(b.entries))
		}
	}
}

func TestAcceptable(t *testing.T) {
	for _, c := range []struct {
		addr      string
		source    Source
		fromLocal bool
		want      bool
	}{
		{"8.8.8.8:7000", FromPEX, false, true},
		{"8.8.8.8:80", FromPEX, false, false},
		{"8.8.8.8:80", FromLink, false, true},
		{"8.8.8.8:0", FromLink, false, false},
		{"10.77.0.2:7000", FromPEX, false, false},
		{"10.77.0.2:7000", FromPEX, true, true},
		{"10.77.0.2:7000", FromLink, true, true},
		{"127.0.0.1:7000", FromTracker, false, false},
		{"100.64.1.1:7000", FromDHT, false, false},
		{"[::ffff:192.168.1.1]:7000", FromDHT, false, false},
		{"0.0.0.0:7000", FromLink, true, false},
		{"224.0.0.1:7000", FromTracker, true, false},
		{"255.255.255.255:7000", FromTracker, true, false},
		{"[2001:db8::1]:7000", FromPEX, false, true},
		{"[fe80::1]:7000", FromPEX, false, false},
	} {
		if got := acceptable(testAddr(c.addr), c.source, c.fromLocal); got != c.want {
			t.Errorf("%s from %d (local %v): %v", c.addr, c.source, c.fromLocal, got)
		}
	}
}

func TestNets(t *testing.T) {
	var n nets
	a := netip.MustParseAddr("8.8.8.1")
	for range maxPerNet {
		if !n.enter(a, maxPerNet) {
			t.Fatal("refused")
		}
	}
	if n.enter(netip.MustParseAddr("8.8.8.200"), maxPerNet) {
		t.Error("a fourth of one /24")
	}
	if !n.enter(netip.MustParseAddr("8.8.9.1"), maxPerNet) {
		t.Error("the next /24")
	}
	n.leave(a)
	if !n.enter(netip.MustParseAddr("::ffff:8.8.8.200"), maxPerNet) {
		t.Error("after one left")
	}
	for range 100 {
		if !n.enter(netip.MustParseAddr("10.77.1.1"), maxPerNet) {
			t.Fatal("a private range is limited")
		}
	}
}

func TestBans(t *testing.T) {
	var b bans
	id := identity{[20]byte{1}, household(testAddr("8.8.8.8:1").Addr())}
	b.add(id, []netip.AddrPort{testAddr("8.8.8.8:1"), testAddr("127.0.0.1:5")}, t0.Add(BanFor))
	for addr, want := range map[string]bool{"8.8.8.8:2": true, "127.0.0.1:5": true, "127.0.0.1:6": false, "8.8.8.9:1": false} {
		if b.address(testAddr(addr), t0) != want {
			t.Errorf("%s", addr)
		}
	}
	if !b.has(id, t0) || b.count(t0) != 1 {
		t.Error("identity")
	}
	if b.has(identity{id.id, household(testAddr("9.9.9.9:1").Addr())}, t0) {
		t.Error("who was impersonated is banned")
	}
	b.add(identity{id: [20]byte{3}}, []netip.AddrPort{testAddr("8.8.8.8:1")}, t0.Add(time.Minute))
	if later := t0.Add(time.Hour); !b.address(testAddr("8.8.8.8:2"), later) || b.count(later) != 1 {
		t.Error("a short ban ended a long one")
	}
	if later := t0.Add(BanFor + time.Second); b.has(id, later) || b.count(later) != 0 || b.address(testAddr("8.8.8.8:2"), later) {
		t.Error("bans do not end")
	}
	for i := range 2 * maxBans {
		b.add(identity{id: [20]byte{2, byte(i), byte(i >> 8)}}, nil, t0.Add(BanFor+time.Duration(i)*time.Second))
	}
	if len(b.until) > maxBans {
		t.Errorf("%d bans", len(b.until))
	}
}

func TestLocalTracker(t *testing.T) {
	for _, c := range []struct {
		url, addr string
		want      bool
	}{
		{"http://10.77.0.2:7000/announce", "10.77.0.2:7000", true},
		{"http://nas.lan/announce", "nas.lan:80", true},
		{"http://192.168.1.1/reboot", "192.168.1.1:80", false},
		{"http://192.168.1.1/announce?cmd=reboot", "192.168.1.1:80", false},
		{"https://tracker.example/announce", "192.168.1.1:80", false}, // redirected
	} {
		u, err := url.Parse(c.url)
		if err != nil {
			t.Fatal(err)
		}
		if got := mayBeLocal(u, c.addr); got != c.want {
			t.Errorf("%s as %s: %v", c.url, c.addr, got)
		}
	}
}

func TestSeal(t *testing.T) {
	a, b := [20]byte{1}, [20]byte{2}
	na, nb := [16]byte{3}, [16]byte{4}
	out, err := newSealer([]byte("secret"), a, b, na, nb)
	if err != nil {
		t.Fatal(err)
	}
	in, _ := newSealer([]byte("secret"), a, b, na, nb)
	one, two := out.seal([]byte("one")), out.seal([]byte("two"))
	if got, err := in.open(one); err != nil || string(got) != "one" {
		t.Errorf("%q, %v", got, err)
	}
	if got, err := in.open(two); err != nil || string(got) != "two" {
		t.Errorf("%q, %v", got, err)
	}
	replay := out.seal([]byte("x"))
	kept := append([]byte(nil), replay...)
	if _, err := in.open(replay); err != nil {
		t.Error(err)
	}
	if _, err := in.open(kept); err == nil {
		t.Error("a message was taken twice")
	}
	reflected, _ := newSealer([]byte("secret"), b, a, nb, na)
	if _, err := reflected.open(out.seal([]byte("y"))); err == nil {
		t.Error("a reflected message opened")
	}
	if authenticate([]byte("s"), a, b, na) == authenticate([]byte("s"), b, a, na) ||
		authenticate([]byte("s"), a, b, na) == authenticate([]byte("t"), a, b, na) {
		t.Error("proofs do not differ")
	}
}
