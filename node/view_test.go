package node

import (
	"slices"
	"testing"
	"time"

	"coral/node/nodetest"
	"coral/node/schedule"
)

// The details of a viewing: who is connected, who gave what lately.
func TestPicture(t *testing.T) {
	t.Parallel()
	origin := nodetest.NewOrigin(nodetest.OriginConfig{Segment: 300 * time.Millisecond, Backlog: 6})
	_, p := organise(t, PublishConfig{Source: origin.Start(t)})
	n := run(t, sharing(t, "x"))
	x, y := watch(t, n.Node, linkOf(t, p)), view(t, "y", linkOf(t, p))
	fed(t, x)
	fed(t, y)
	if pic := x.Picture(); pic.Verified != NothingShown || pic.FromPeers != 0 {
		t.Errorf("before: %+v", pic)
	}
	playAll(t, nodetest.PlayerConfig{Segments: 8}, x, y)
	until(t, "two peers", x, func(st Stats) bool { return st.Peers.Connected == 2 })
	// The channel goes on while it is looked at: what is shown lies between.
	before, pic, st := x.Stats().Bytes, x.Picture(), x.Stats()
	for _, c := range [][3]int64{
		{before.FromPeers, pic.FromPeers, st.Bytes.FromPeers},
		{before.FromOrigin + before.Unverified, pic.FromOrigin, st.Bytes.FromOrigin + st.Bytes.Unverified},
		{before.ToPeers, pic.ToPeers, st.Bytes.ToPeers},
	} {
		if !slices.IsSorted(c[:]) {
			t.Errorf("%+v before %+v, then %+v", before, pic, st)
		}
	}
	if pic.Verified != AllVerified || pic.Givers == 0 || pic.Givers > 2 || (pic.ToPeers > 0) != (pic.Takers > 0) {
		t.Errorf("picture %+v", pic)
	}
	var publishers int
	peers := x.Peers()
	for _, peer := range peers {
		if peer.Publisher() {
			publishers++
		}
		if peer.ID == 0 || peer.RTT <= 0 || peer.Received == 0 {
			t.Errorf("peer %+v", peer)
		}
	}
	// Of the session: a peer that had to connect again counts from then on.
	if len(peers) != 2 || publishers != 1 || st.ReceivedWire < st.Bytes.FromPeers {
		t.Errorf("peers %+v, %d bytes from peers, %d on the wire", peers, st.Bytes.FromPeers, st.ReceivedWire)
	}
	if r := n.Reachability(); r != ReachUnknown {
		t.Errorf("reachable from this machine alone, and called %v", r)
	}
}

// What is older than the span is not counted any more.
func TestTrafficLately(t *testing.T) {
	s := &Session{}
	second := schedule.Instant(time.Second)
	for i := range schedule.Instant(100) {
		s.counts.bytes[fromPeers] += 10
		if i < 50 {
			noted(&s.traffic.gave, 7, i*second)
		}
		s.sampleTraffic(i * second)
	}
	if n := len(s.traffic.samples); n != 31 {
		t.Errorf("%d samples", n)
	}
	if old := s.traffic.samples[0]; old.at != 69*second || old.peers != 700 {
		t.Errorf("oldest %+v", old)
	}
	if len(s.traffic.gave) != 0 {
		t.Error("a peer of 50 s ago counts")
	}
}

// The cache can be resized and cleared while it is played from.
func TestClearCache(t *testing.T) {
	t.Parallel()
	origin := nodetest.NewOrigin(nodetest.OriginConfig{Segment: 300 * time.Millisecond, Backlog: 6})
	_, p := organise(t, PublishConfig{Source: origin.Start(t)})
	n := run(t, sharing(t, "x"))
	s := watch(t, n.Node, linkOf(t, p))
	fed(t, s)
	var k ticker
	stop := background(t, s, nodetest.PlayerConfig{OnSegment: k.on})
	k.more(t, 8)
	held := func() int { return len(n.store.Keys(s.key)) }
	for begun := time.Now(); n.CacheUsed() == 0; time.Sleep(10 * time.Millisecond) {
		if time.Since(begun) > patience {
			t.Fatal("nothing on disk")
		}
	}
	before := held()
	if err := n.ClearCache(); err != nil {
		t.Fatal(err)
	}
	if now := held(); now >= before {
		t.Errorf("%d segments of %d left", now, before)
	}
	k.more(t, 3)
	n.SetCacheSize(0)
	if used := n.CacheUsed(); used != 0 {
		t.Errorf("%d bytes on disk under a cap of none", used)
	}
	k.more(t, 3)
	n.SetCacheSize(64 << 20)
	if err := n.ClearChannel(s.key); err != nil {
		t.Fatal(err)
	}
	k.more(t, 3)
	if r := stop(); r.Corrupt > 0 || !smooth(r) {
		t.Errorf("played %v", r)
	}
	if st := s.Stats(); st.BadBlocks != 0 || !st.Verified {
		t.Errorf("stats %+v", st)
	}
}
