package swarm

import (
	"context"
	"crypto/ed25519"
	"net/netip"
	"testing"
	"time"

	"go.uber.org/goleak"

	"coral/node/budget"
	"coral/node/channel"
	"coral/node/swarm/wire"
	"coral/store/segment"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// testWithin bounds everything that is waited for.
const testWithin = 10 * time.Second

func testDescriptor(secret []byte) *channel.Descriptor {
	d := &channel.Descriptor{Name: "Test", Root: ed25519.NewKeyFromSeed(make([]byte, 32)).Public().(ed25519.PublicKey)}
	if secret != nil {
		d.Private = true
		d.SecretHash = channel.SecretHash(secret)
	}
	return d
}

func testLink(d *channel.Descriptor, peers ...*Client) *channel.Link {
	l := &channel.Link{Channel: d.Channel(), Descriptor: d, Name: d.Name}
	for _, p := range peers {
		l.Peers = append(l.Peers, p.Addr().String())
	}
	return l
}

// start runs a client on loopback until the test ends.
func start(t testing.TB, cfg Config) *Client {
	t.Helper()
	if cfg.Listen == "" {
		cfg.Listen = "127.0.0.1:0"
	}
	if cfg.Upload == 0 {
		cfg.Upload = budget.Unlimited
	}
	if cfg.Download == 0 {
		cfg.Download = budget.Unlimited
	}
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); c.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	return c
}

func join(t testing.TB, c *Client, cfg JoinConfig) *Swarm {
	t.Helper()
	s, err := c.Join(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// await returns the first event of type E that fits, passing over others.
func await[E Event](t testing.TB, s *Swarm, fits func(E) bool) E {
	t.Helper()
	timeout := time.NewTimer(testWithin)
	defer timeout.Stop()
	for {
		select {
		case ev := <-s.Events():
			if e, ok := ev.(E); ok && (fits == nil || fits(e)) {
				return e
			}
		case <-timeout.C:
			var e E
			t.Fatalf("no %T in time", e)
		}
	}
}

// drain consumes a swarm's events until the test ends.
func drain(t testing.TB, s *Swarm) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-s.Events():
			case <-ctx.Done():
				return
			}
		}
	}()
	t.Cleanup(func() { cancel(); <-done })
}

// pair returns two nodes that have joined each other.
func pair(t testing.TB, a, b Config, ja, jb JoinConfig, d *channel.Descriptor) (x, y *Swarm, px, py PeerID) {
	t.Helper()
	ca, cb := start(t, a), start(t, b)
	ja.Link, jb.Link = testLink(d), testLink(d, ca)
	x = join(t, ca, ja)
	y = join(t, cb, jb)
	px = await[Joined](t, x, nil).Peer
	py = await[Joined](t, y, nil).Peer
	return x, y, px, py
}

func TestTwoNodesTalk(t *testing.T) {
	d := testDescriptor(nil)
	began := time.Now()
	x, y, px, py := pair(t, Config{Agent: "one"}, Config{Agent: "two"}, JoinConfig{Role: wire.Publisher, Watching: []uint16{1}}, JoinConfig{}, d)
	t.Logf("both joined after %v", time.Since(began))

	x.Send(px, &wire.Window{Rendition: 7, From: 9})
	got := await(t, y, func(r Received) bool { return r.Peer == py })
	if w, ok := got.Msg.(*wire.Window); !ok || w.Rendition != 7 || w.From != 9 {
		t.Errorf("got %#v", got.Msg)
	}
	data := make([]byte, segment.BlockSize)
	data[5] = 5
	y.SendBlock(py, &wire.Block{ID: segment.ID{Sequence: 3}, Block: 2, Data: data}, 77)
	if s := await[Sent](t, y, nil); s.Cookie != 77 || s.Peer != py || s.Bytes != len(data) {
		t.Errorf("got %+v", s)
	}
	b := await(t, x, func(r Received) bool { _, ok := r.Msg.(*wire.Block); return ok }).Msg.(*wire.Block)
	if b.ID.Sequence != 3 || b.Block != 2 || b.Data[5] != 5 || len(b.Data) != len(data) {
		t.Errorf("got block %v %d", b.ID, b.Block)
	}
	y.SetWatching([]uint16{4, 5})
	w := await(t, x, func(r Received) bool { _, ok := r.Msg.(*wire.Watching); return ok }).Msg.(*wire.Watching)
	if len(w.Renditions) != 2 || !w.Uploads {
		t.Errorf("got %+v", w)
	}
	if r := await[RTT](t, y, nil); r.RTT <= 0 || r.RTT > time.Second {
		t.Errorf("round trip %v", r.RTT)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	y.Leave(ctx)
	if l := await[Left](t, x, nil); l.Peer != px || l.Reason != "said goodbye" {
		t.Errorf("got %+v", l)
	}
}

func TestHelloAndInfo(t *testing.T) {
	d := testDescriptor(nil)
	ca, cb := start(t, Config{Agent: "one"}), start(t, Config{Agent: "two"})
	x := join(t, ca, JoinConfig{Link: testLink(d), Role: wire.Publisher, Watching: []uint16{1}})
	y := join(t, cb, JoinConfig{Link: testLink(d, ca), ReceiveOnly: true})
	atX, atY := await[Joined](t, x, nil), await[Joined](t, y, nil)
	if i := atX.Info; !i.Inbound || i.ID != cb.Self() || i.Hello.Uploads || i.Hello.Agent != "two" || i.Hello.Role != wire.Viewer {
		t.Errorf("at the publisher: %+v", i)
	}
	if i := atY.Info; i.Inbound || i.ID != ca.Self() || !i.Hello.Uploads || i.Hello.Role != wire.Publisher || i.Addr != ca.Addr() ||
		len(i.Hello.Renditions) != 1 {
		t.Errorf("at the viewer: %+v", i)
	}
	if x.Known() != 1 || y.Known() != 1 {
		t.Errorf("known %d, %d", x.Known(), y.Known())
	}
}

func testAddr(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }
