package node

import (
	"context"
	"crypto/ed25519"
	"net"
	"sync"
	"testing"
	"time"

	"coral/node/budget"
	"coral/node/channel"
	"coral/node/nodetest"
	"coral/node/swarm"
	"coral/node/swarm/wire"
	"coral/store/segment"
)

// intrude joins link's swarm as a peer that has the swarm's protocol right and
// everything else wrong: joined and received say how. They run on one goroutine.
func intrude(t *testing.T, link *channel.Link, joined func(*swarm.Swarm, swarm.PeerID), received func(*swarm.Swarm, swarm.Received)) {
	t.Helper()
	c, err := swarm.New(swarm.Config{Listen: "127.0.0.1:0", Upload: budget.Unlimited, Download: budget.Unlimited, Log: logTo(t, "hostile")})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var tasks sync.WaitGroup
	tasks.Go(func() { c.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		tasks.Wait()
	})
	s, err := c.Join(swarm.JoinConfig{Link: link, Role: wire.Helper})
	if err != nil {
		t.Fatal(err)
	}
	tasks.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case ev := <-s.Events():
				switch ev := ev.(type) {
				case swarm.Joined:
					if joined != nil {
						joined(s, ev.Peer)
					}
				case swarm.Received:
					if received != nil {
						received(s, ev)
					}
				}
			}
		}
	})
}

// A peer that forges, lies or talks nonsense is banned, and viewers play on.
func TestHostilePeer(t *testing.T) {
	t.Parallel()
	_, forger, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	forged := channel.SignPresentation(forger, segment.Channel{}, &channel.Presentation{Revision: 99, Time: time.Now(), Single: true, Renditions: []channel.Rendition{{}}})
	altered := func(rec []byte) []byte {
		b := append([]byte(nil), rec...)
		b[len(b)/2] ^= 1
		return b
	}
	for name, c := range map[string]struct {
		joined   func(*swarm.Swarm, swarm.PeerID)
		received func(*swarm.Swarm, swarm.Received)
	}{
		"garbage for records": {joined: func(s *swarm.Swarm, to swarm.PeerID) {
			for i := range 5 {
				s.Send(to, &wire.Records{Records: [][]byte{make([]byte, 100+i)}})
			}
		}},
		"altered records": {
			joined: func(s *swarm.Swarm, to swarm.PeerID) { s.Send(to, &wire.Window{All: true}) },
			received: func(s *swarm.Swarm, r swarm.Received) {
				if m, ok := r.Msg.(*wire.Records); ok {
					for _, rec := range m.Records {
						s.Send(r.Peer, &wire.Records{Records: [][]byte{altered(rec), forged}})
					}
				}
			},
		},
		"bad blocks": {
			joined: func(s *swarm.Swarm, to swarm.PeerID) { s.Send(to, &wire.Window{All: true}) },
			received: func(s *swarm.Swarm, r swarm.Received) {
				// It says that it has whatever others have, and sends zeroes.
				switch m := r.Msg.(type) {
				case *wire.Have:
					s.Send(r.Peer, &wire.Have{ID: m.ID, Blocks: m.Blocks, Held: segment.FullBitmap(int(m.Blocks))})
					for i := range m.Blocks {
						s.SendBlock(r.Peer, &wire.Block{ID: m.ID, Block: i, Data: make([]byte, segment.BlockSize)}, uint64(i))
					}
				case *wire.Request:
					s.SendBlock(r.Peer, &wire.Block{ID: m.ID, Block: m.Block, Data: make([]byte, 100)}, 1)
				}
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, p := organise(t, PublishConfig{Source: nodetest.NewOrigin(live).Start(t), ViewerOrigin: "none"})
			n := run(t, sharing(t, "x"))
			s := watch(t, n.Node, linkOf(t, p))
			until(t, "the window", s, func(st Stats) bool { return st.Feed.Entries >= int64(live.Backlog) })
			var k ticker
			stop := background(t, s, nodetest.PlayerConfig{Behind: behind, OnSegment: k.on})
			link := linkOf(t, p) // of which it has the name; it knows the viewer, not the publisher
			link.Peers = []string{n.PeerAddr().String()}
			intrude(t, link, c.joined, c.received)
			st := until(t, "ban", s, func(st Stats) bool { return st.Peers.Banned > 0 })
			if name == "bad blocks" && st.BadBlocks == 0 || name != "bad blocks" && st.Feed.Rejected == 0 {
				t.Errorf("stats %+v", st)
			}
			k.more(t, 5)
			if r := stop(); r.Corrupt > 0 || !smooth(r) {
				t.Errorf("played %v", r)
			}
			st = s.Stats()
			if st.Peers.Connected != 1 || st.Peers.Banned != 1 || st.Feed.Rejected > recordStrikes || st.BadBlocks > 1 {
				t.Errorf("stats %+v", st)
			}
		})
	}
}

// A peer that asks and asks, for what there is and what there is not, gets what
// a viewer would, and hinders nobody.
func TestGreedyPeer(t *testing.T) {
	t.Parallel()
	origin := nodetest.NewOrigin(live)
	_, p := organise(t, PublishConfig{Source: origin.Start(t), ViewerOrigin: "none"})
	n := run(t, sharing(t, "x"))
	s := watch(t, n.Node, linkOf(t, p))
	fed(t, s)
	ask := func(s *swarm.Swarm, to swarm.PeerID, id segment.ID) {
		for i := range 200 {
			s.Send(to, &wire.Request{ID: id, Block: uint16(i)})
		}
		s.Send(to, &wire.Window{All: true})
		s.Send(to, &wire.Have{ID: segment.ID{Rendition: 77, Sequence: id.Sequence}, Blocks: 8, Held: segment.FullBitmap(8)})
		s.Send(to, &wire.Claim{ID: id, Count: 100, Claimant: 1})
	}
	link := linkOf(t, p)
	link.Peers = append(link.Peers, n.PeerAddr().String())
	intrude(t, link, func(s *swarm.Swarm, to swarm.PeerID) { ask(s, to, segment.ID{}) }, func(s *swarm.Swarm, r swarm.Received) {
		if m, ok := r.Msg.(*wire.Have); ok {
			ask(s, r.Peer, m.ID)
		}
	})
	r := playAll(t, nodetest.PlayerConfig{Segments: 20}, s)[0]
	if !smooth(r) {
		t.Errorf("played %v", r)
	}
}

// Whatever is written to the port that peers connect to, nothing falls over.
func TestNoise(t *testing.T) {
	t.Parallel()
	origin := nodetest.NewOrigin(live)
	n, p := organise(t, PublishConfig{Source: origin.Start(t), ViewerOrigin: "none"})
	s := view(t, "x", linkOf(t, p))
	for _, noise := range []string{
		"", "GET / HTTP/1.1\r\n\r\n", "GET /announce?info_hash=%ff HTTP/1.1\r\nHost: x\r\n\r\n", "\x13BitTorrent protocol",
		"\x13BitTorrent protocol\x00\x00\x00\x00\x00\x10\x00\x00" + string(p.Link().Channel[:]) + "-XX0000-abcdefghijkl", string(make([]byte, 4096)),
	} {
		c, err := net.Dial("tcp", n.PeerAddr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := c.Write([]byte(noise)); err != nil {
			t.Fatal(err)
		}
	}
	playAll(t, nodetest.PlayerConfig{Segments: 12}, s)
}
