package node

import (
	"net"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"coral/node/budget"
	"coral/node/channel"
	"coral/node/nodetest"
	"coral/node/schedule"
)

// quietAfter is how long after a switch bytes may still go, with room for a
// busy machine.
const quietAfter = time.Second

// silent checks that no byte goes between s and any peer for a while.
func silent(t *testing.T, s *Session) {
	t.Helper()
	before := s.Stats()
	time.Sleep(500 * time.Millisecond)
	if now := s.Stats(); now.SentWire != before.SentWire || now.ReceivedWire != before.ReceivedWire {
		t.Errorf("%d bytes sent and %d received while sharing was off", now.SentWire-before.SentWire, now.ReceivedWire-before.ReceivedWire)
	}
}

// refused checks that nobody listens at addr.
func refused(t *testing.T, addr netip.AddrPort) {
	t.Helper()
	if c, err := net.Dial("tcp", addr.String()); err == nil {
		c.Close()
		t.Errorf("%v still listens", addr)
	}
}

// knock is a listener that counts who comes.
func knock(t *testing.T) (addr string, n *atomic.Int64) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n = new(atomic.Int64)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			n.Add(1)
			c.Close()
		}
	}()
	t.Cleanup(func() { l.Close(); <-done })
	return l.Addr().String(), n
}

// Sharing is switched off and on while a viewer watches: nothing goes to peers
// in between, the picture does not stop, and the accounts stay true.
func TestSwitchSharing(t *testing.T) {
	for name, c := range map[string]struct {
		set func(*Node, *Session, bool)
	}{
		"session": {func(_ *Node, s *Session, on bool) { s.SetSharing(on) }},
		"node":    {func(n *Node, _ *Session, on bool) { n.SetSharing(on) }},
		"cap": {func(n *Node, _ *Session, on bool) {
			up := budget.Unlimited
			if !on {
				up = 0
			}
			n.SetCaps(up, budget.Unlimited)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			origin := nodetest.NewOrigin(nodetest.OriginConfig{Segment: 300 * time.Millisecond, Backlog: 8, Window: 8})
			_, p := organise(t, PublishConfig{Source: origin.Start(t)})
			n := run(t, sharing(t, "x"))
			s := watch(t, n.Node, linkOf(t, p))
			fed(t, s)
			var k ticker
			stop := background(t, s, nodetest.PlayerConfig{OnSegment: k.on})
			k.more(t, 3)
			at := n.PeerAddr()
			before := until(t, "connected", s, func(st Stats) bool { return st.Peers.Connected > 0 && st.SentWire > 0 })

			c.set(n.Node, s, false)
			time.Sleep(quietAfter)
			off := s.Stats()
			if off.Sharing || off.Peers.Connected != 0 || off.SentWire < before.SentWire {
				t.Errorf("after switching off: %+v", off)
			}
			if a := p.audience(); a.Viewers != 0 {
				t.Errorf("the publisher still sees %d viewers", a.Viewers)
			}
			silent(t, s)
			refused(t, at)
			if n.PeerAddr().IsValid() {
				t.Errorf("peers may connect to %v", n.PeerAddr())
			}
			k.more(t, 6)

			c.set(n.Node, s, true)
			until(t, "peers again", s, func(st Stats) bool {
				return st.Verified && st.Bytes.FromPeers > off.Bytes.FromPeers && st.SentWire > off.SentWire && st.ReceivedWire > off.ReceivedWire
			})
			if n.PeerAddr() != at {
				t.Errorf("listens at %v, before at %v", n.PeerAddr(), at)
			}
			k.more(t, 3)
			if r := stop(); r.Corrupt > 0 || !smooth(r) {
				t.Errorf("played %v", r)
			}
		})
	}
}

// Switching to and fro faster than goodbyes are said ends where it should.
func TestSwitchSharingFast(t *testing.T) {
	t.Parallel()
	origin := nodetest.NewOrigin(nodetest.OriginConfig{Segment: 300 * time.Millisecond, Backlog: 6})
	_, p := organise(t, PublishConfig{Source: origin.Start(t)})
	n := run(t, sharing(t, "x"))
	s := watch(t, n.Node, linkOf(t, p))
	fed(t, s)
	for i := range 20 {
		n.SetSharing(i%2 == 1)
		if i%3 == 0 {
			s.SetSharing(i%2 == 1)
			s.SetSharing(true)
		}
	}
	until(t, "joined again", s, func(st Stats) bool { return st.Sharing && st.Peers.Connected == 1 })
	for i := range 21 {
		n.SetSharing(i%2 == 1)
	}
	until(t, "left", s, func(st Stats) bool { return !st.Sharing && st.Peers.Connected == 0 })
	time.Sleep(quietAfter)
	silent(t, s)
}

// Nothing is sent before sharing is allowed, neither by a node that may not nor
// by a session that may not on a node that may.
func TestNothingBeforeConsent(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		share bool
		open  func(*Node, *channel.Link) (*Session, error)
		set   func(*Node, *Session)
	}{
		"node":    {false, func(n *Node, l *channel.Link) (*Session, error) { return n.Watch(t.Context(), l) }, func(n *Node, _ *Session) { n.SetSharing(true) }},
		"session": {true, func(n *Node, l *channel.Link) (*Session, error) { return n.WatchOnly(t.Context(), l) }, func(_ *Node, s *Session) { s.SetSharing(true) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			origin := nodetest.NewOrigin(nodetest.OriginConfig{Segment: 300 * time.Millisecond, Backlog: 6})
			_, p := organise(t, PublishConfig{Source: origin.Start(t)})
			door, knocks := knock(t)
			tracker, asked := knock(t)
			link := linkOf(t, p)
			link.Peers = append(link.Peers, door)
			link.Trackers = []string{"http://" + tracker + "/announce"}
			cfg := sharing(t, "x")
			cfg.Share = c.share
			n := run(t, cfg)
			s, err := c.open(n.Node, link)
			if err != nil {
				t.Fatal(err)
			}
			r := playAll(t, nodetest.PlayerConfig{Segments: 5}, s)[0]
			st := s.Stats()
			if knocks.Load()+asked.Load() != 0 || st.Sharing || st.SentWire != 0 || p.audience().Viewers != 0 {
				t.Errorf("before: %d connections to a peer, %d to a tracker, %+v", knocks.Load(), asked.Load(), st)
			}
			if !smooth(r) {
				t.Errorf("played %v", r)
			}
			if !c.share && n.PeerAddr().IsValid() {
				t.Errorf("listens at %v", n.PeerAddr())
			}
			c.set(n.Node, s)
			until(t, "shares", s, func(st Stats) bool {
				return st.Peers.Connected == 1 && knocks.Load() > 0 && asked.Load() > 0
			})
			fed(t, s)
		})
	}
}

// A session that is closed says goodbye; the node goes on.
func TestCloseSession(t *testing.T) {
	t.Parallel()
	origin := nodetest.NewOrigin(nodetest.OriginConfig{Segment: 300 * time.Millisecond, Backlog: 6})
	_, p := organise(t, PublishConfig{Source: origin.Start(t)})
	n := run(t, sharing(t, "x"))
	for range 3 {
		s := watch(t, n.Node, linkOf(t, p))
		fed(t, s)
		stop := background(t, s, nodetest.PlayerConfig{})
		s.Close()
		s.Close()
		stop()
		select {
		case <-s.Done():
		default:
			t.Error("not done")
		}
		if n.PeerAddr().IsValid() {
			t.Errorf("nobody shares, and peers may connect to %v", n.PeerAddr())
		}
		if len(n.open()) != 0 {
			t.Error("still listed")
		}
	}
	p.Close()
	if err := p.do(t.Context(), func() {}); err != ErrClosed {
		t.Errorf("a closed publication answers: %v", err)
	}
}

// Blocked addresses are neither dialed nor let in, from the moment they are set.
func TestBlocklist(t *testing.T) {
	t.Parallel()
	origin := nodetest.NewOrigin(nodetest.OriginConfig{Segment: 300 * time.Millisecond, Backlog: 6})
	pub, p := organise(t, PublishConfig{Source: origin.Start(t)})
	n := run(t, sharing(t, "x"))
	s := watch(t, n.Node, linkOf(t, p))
	until(t, "connected", s, func(st Stats) bool { return st.Peers.Connected == 1 })
	loopback := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	n.SetBlocklist(loopback)
	off := until(t, "dropped", s, func(st Stats) bool { return st.Peers.Connected == 0 })
	n.SetBlocklist(nil)
	until(t, "connected again", s, func(st Stats) bool { return st.Peers.Connected == 1 && st.SentWire > off.SentWire })
	pub.SetBlocklist(loopback) // now the other side refuses
	until(t, "dropped", s, func(st Stats) bool { return st.Peers.Connected == 0 })
	time.Sleep(1500 * time.Millisecond) // a redial or two
	if st := s.Stats(); st.Peers.Connected != 0 {
		t.Errorf("let in: %+v", st.Peers)
	}
}

func TestBlocklistRanges(t *testing.T) {
	var ps []netip.Prefix
	for _, p := range []string{
		"10.0.0.0/8", "10.1.0.0/16", "192.0.2.128/25", "192.0.2.0/25", "203.0.113.7/32",
		"2001:db8::/32", "::ffff:198.51.100.0/120", "255.255.255.255/32",
	} {
		ps = append(ps, netip.MustParsePrefix(p))
	}
	l := newBlocklist(append(ps, netip.Prefix{}))
	for a, want := range map[string]bool{
		"10.0.0.0": true, "10.255.255.255": true, "10.1.2.3": true, "9.255.255.255": false, "11.0.0.0": false,
		"192.0.2.0": true, "192.0.2.127": true, "192.0.2.255": true, "192.0.3.0": false,
		"203.0.113.7": true, "203.0.113.8": false, "::ffff:10.0.0.1": true, "198.51.100.255": true, "198.51.101.0": false,
		"2001:db8:ffff::1": true, "2001:db9::": false, "::": false, "0.0.0.0": false, "255.255.255.255": true,
	} {
		if got := l.has(netip.MustParseAddr(a)); got != want {
			t.Errorf("%s blocked: %v", a, got)
		}
	}
	if newBlocklist(nil).has(netip.MustParseAddr("10.0.0.1")) {
		t.Error("an empty list blocks")
	}
	if all := newBlocklist([]netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")}); !all.has(netip.MustParseAddr("1.2.3.4")) || all.has(netip.MustParseAddr("::1")) {
		t.Error("all of IPv4 is not all of IPv4")
	}
}

// A cap that is lowered or raised while blocks are being sent holds on the wire
// after a second. The viewer has the swarm alone: its demand is above any cap here,
// and when the cap is raised nothing else can make good what it lacks.
func TestCapsLive(t *testing.T) {
	t.Parallel()
	const upload budget.Rate = 400_000
	origin := nodetest.NewOrigin(nodetest.OriginConfig{Segment: 300 * time.Millisecond, Backlog: 8, Window: 8, Bitrates: []int{4e6}})
	n, p := organise(t, PublishConfig{Source: origin.Start(t), ViewerOrigin: "none"})
	s := view(t, "x", linkOf(t, p))
	fed(t, s)
	var k ticker
	background(t, s, nodetest.PlayerConfig{OnSegment: k.on})
	k.more(t, 4)
	over := func() int64 {
		time.Sleep(time.Second)
		before := p.Stats().SentWire
		time.Sleep(2 * time.Second)
		return p.Stats().SentWire - before
	}
	n.SetCaps(upload, budget.Unlimited)
	if got, most := over(), int64(upload)/8*2*12/10; got > most {
		t.Errorf("%d bytes sent in 2 s, at most %d would do", got, most)
	}
	n.SetCaps(budget.Unlimited, budget.Unlimited)
	until(t, "the publisher sends more", p.Session, func(Stats) bool { return over() > int64(upload)/8*2*2 })
	k.more(t, 2)
}

// A player that was held up until its segment had left the window gets it still,
// or, if nobody has it any more, is told so and goes on with the next.
func TestHeldUp(t *testing.T) {
	t.Parallel()
	for _, gone := range []bool{false, true} {
		t.Run(map[bool]string{false: "kept", true: "gone"}[gone], func(t *testing.T) {
			t.Parallel()
			origin := nodetest.NewOrigin(nodetest.OriginConfig{Segment: 300 * time.Millisecond, Backlog: 8, Window: 8, Bitrates: []int{4e6}})
			n, p := organise(t, PublishConfig{Source: origin.Start(t), ViewerOrigin: "none"})
			s := view(t, "x", linkOf(t, p))
			fed(t, s)
			var k ticker
			stop := background(t, s, nodetest.PlayerConfig{OnSegment: k.on})
			k.more(t, 4)
			n.SetCaps(100_000, budget.Unlimited) // a fortieth of the stream
			left := func() bool {
				last, _ := k.seen()
				out := false
				if err := s.do(t.Context(), func() {
					for id, o := range s.objects {
						out = out || id.Sequence > last.Sequence && o.readers > 0 && o.moved > 0 && id.Sequence+2 < s.feed.Newest(0).WindowStart
					}
				}); err != nil {
					t.Fatal(err)
				}
				return out
			}
			until(t, "a player waits for what has left", s, func(Stats) bool { return left() })
			if gone {
				n.ClearCache()
			}
			n.SetCaps(budget.Unlimited, budget.Unlimited)
			k.more(t, 4)
			if r := stop(); r.Corrupt != 0 || gone != (r.Failed > 0) {
				t.Errorf("segments gone: %v, and the player saw: %v", gone, r)
			}
		})
	}
}

// A port that is taken is told, and costs the neighbours, not the picture; they are
// met once it is free.
func TestCannotShare(t *testing.T) {
	t.Parallel()
	origin := nodetest.NewOrigin(nodetest.OriginConfig{Segment: 300 * time.Millisecond, Backlog: 6})
	_, p := organise(t, PublishConfig{Source: origin.Start(t)})
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	cfg := sharing(t, "x")
	cfg.Listen, cfg.Share = taken.Addr().String(), false // as the app does, until it was asked
	n := run(t, cfg)
	s := watch(t, n.Node, linkOf(t, p))
	if err := n.CannotShare(); err != nil {
		t.Errorf("it need not share, and cannot: %v", err)
	}
	n.SetSharing(true)
	for begun := time.Now(); n.CannotShare() == nil; time.Sleep(10 * time.Millisecond) {
		if time.Since(begun) > patience {
			t.Fatal("nothing is told")
		}
	}
	var k ticker
	stop := background(t, s, nodetest.PlayerConfig{OnSegment: k.on})
	k.more(t, 3)
	if r := stop(); r.Corrupt != 0 || r.Failed != 0 {
		t.Errorf("the player saw: %v", r)
	}
	taken.Close()
	for begun := time.Now(); n.CannotShare() != nil || s.Stats().Peers.Connected == 0; time.Sleep(10 * time.Millisecond) {
		if time.Since(begun) > rejoinAfter+patience {
			t.Fatalf("the port is free: %v, %d peers", n.CannotShare(), s.Stats().Peers.Connected)
		}
	}
}

// counted counts who connects.
type counted struct {
	net.Listener
	n atomic.Int32
}

func (l *counted) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err == nil {
		l.n.Add(1)
	}
	return c, err
}

// Who shares has connections to the origin in reserve, of which a first segment is
// fetched by several; who does not opens none that it does not need.
func TestReserve(t *testing.T) {
	t.Parallel()
	for name, share := range map[string]bool{"sharing": true, "not sharing": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			at := &counted{Listener: l}
			origin := nodetest.NewOrigin(live)
			_, p := organise(t, PublishConfig{Source: origin.Start(t)})
			link := linkOf(t, p)
			link.Origins = []string{origin.StartOn(t, at)}
			cfg := sharing(t, "x")
			cfg.Share = share
			s := watch(t, run(t, cfg).Node, link)
			playAll(t, nodetest.PlayerConfig{Segments: 3}, s)
			for begun := time.Now(); share && at.n.Load() < schedule.StartLanes; time.Sleep(10 * time.Millisecond) {
				if time.Since(begun) > patience { // they are opened beside the playing
					t.Fatalf("%d connections", at.n.Load())
				}
			}
			if n := at.n.Load(); !share && n >= schedule.StartLanes {
				t.Errorf("%d connections", n)
			}
		})
	}
}
