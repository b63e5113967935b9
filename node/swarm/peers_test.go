package swarm

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"coral/node/budget"
	"coral/node/channel"
	"coral/node/swarm/wire"
	"coral/store/segment"
)

func TestPrivate(t *testing.T) {
	t.Parallel()
	secret := bytes.Repeat([]byte{7}, 32)
	d := testDescriptor(secret)
	x, y, px, py := pair(t, Config{}, Config{}, JoinConfig{Secret: secret}, JoinConfig{Secret: secret}, d)
	data := bytes.Repeat([]byte("private"), 1000)
	for range 3 { // the counter moves on
		x.SendBlock(px, &wire.Block{Data: data}, 1)
		b := await(t, y, func(r Received) bool { return r.Peer == py }).Msg.(*wire.Block)
		if !bytes.Equal(b.Data, data) {
			t.Error("the block came otherwise than it was sent")
		}
	}
	y.Send(py, &wire.Window{All: true})
	await(t, x, func(r Received) bool { return r.Peer == px })

	// Who knows the info-hash but not the secret gets no further than the hello.
	spy := start(t, Config{})
	if _, err := spy.Join(JoinConfig{Link: testLink(d, x.c), Secret: []byte("guess")}); err == nil {
		t.Error("joined with a wrong secret")
	}
	l := testLink(d, x.c)
	l.Descriptor = nil
	z := join(t, spy, JoinConfig{Link: l, Secret: []byte("guess")})
	select {
	case ev := <-z.Events():
		t.Errorf("without the secret: %#v", ev)
	case ev := <-x.Events():
		if _, ok := ev.(Joined); ok {
			t.Errorf("let in: %#v", ev)
		}
	case <-time.After(300 * time.Millisecond):
	}
}

func TestMisbehaviourBans(t *testing.T) {
	t.Parallel()
	for name, do := range map[string]func(p *peer) error{
		"malformed": func(p *peer) error { return p.pc.WriteExtendedMessage(extension, []byte{6}) },
		"second hello": func(p *peer) error {
			return p.pc.WriteExtendedMessage(extension, wire.Append(nil, &wire.Hello{Version: 1}))
		},
		"flood": func(p *peer) error {
			m := wire.Append(nil, &wire.Ping{})
			for range 3 * controlBurst {
				if err := p.pc.WriteExtendedMessage(extension, m); err != nil {
					return nil
				}
			}
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x, y, px, py := pair(t, Config{}, Config{}, JoinConfig{}, JoinConfig{}, testDescriptor(nil))
			drain(t, y)
			if err := do(y.peer(py)); err != nil {
				t.Fatal(err)
			}
			if l := await[Left](t, x, nil); l.Peer != px {
				t.Errorf("got %+v", l)
			}
			if x.Banned() != 1 {
				t.Errorf("%d banned", x.Banned())
			}
			// It comes back and is not let in.
			y.AddPeers([]string{x.c.Addr().String()}, FromLink)
			select {
			case ev := <-x.Events():
				t.Errorf("after the ban: %#v", ev)
			case <-time.After(50 * time.Millisecond):
			}
		})
	}
}

// Who says a thousand times that it listens elsewhere does not fill the book with
// addresses that cannot be forgotten.
func TestListensEverywhere(t *testing.T) {
	t.Parallel()
	x, y, px, py := pair(t, Config{}, Config{}, JoinConfig{}, JoinConfig{}, testDescriptor(nil))
	p := y.peer(py)
	for port := range 2 * maxBook {
		m := fmt.Appendf(make([]byte, frameHead), "d1:md9:coral_hlsi%dee1:pi%dee", number(withoutPEX), 2000+port)
		binary.BigEndian.PutUint32(m, uint32(len(m)-4))
		m[4] = 20 // extended, and with it 0, the handshake
		if err := p.stream.send(m); err != nil {
			t.Fatal(err)
		}
	}
	y.Send(py, &wire.Cancel{})
	await(t, x, func(r Received) bool { return r.Peer == px })
	if n := x.Known(); n > maxListen {
		t.Errorf("one connection occupies %d addresses", n)
	}
}

func TestUnknownMessageIsPassedOver(t *testing.T) {
	t.Parallel()
	x, y, px, py := pair(t, Config{}, Config{}, JoinConfig{}, JoinConfig{}, testDescriptor(nil))
	if err := y.peer(py).pc.WriteExtendedMessage(extension, []byte{200, 1, 2}); err != nil {
		t.Fatal(err)
	}
	y.Send(py, &wire.Cancel{})
	await(t, x, func(r Received) bool { return r.Peer == px })
}

func TestBanByConsumer(t *testing.T) {
	t.Parallel()
	x, y, px, _ := pair(t, Config{}, Config{}, JoinConfig{}, JoinConfig{}, testDescriptor(nil))
	x.Ban(px, BanFor, "sent a bad block")
	if l := await[Left](t, x, nil); l.Reason != "sent a bad block" || x.Banned() != 1 {
		t.Errorf("got %+v, %d banned", l, x.Banned())
	}
	await[Left](t, y, nil)
}

// pipe forwards TCP connections, each way later by delay, until it is told to
// swallow everything.
type pipe struct {
	ln    net.Listener
	delay time.Duration
	mu    sync.Mutex
	mute  bool
	conns []net.Conn
}

func newPipe(t *testing.T, to string, delay time.Duration) *pipe {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &pipe{ln: ln, delay: delay}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			a, err := ln.Accept()
			if err != nil {
				return
			}
			b, err := net.Dial("tcp", to)
			if err != nil {
				a.Close()
				continue
			}
			p.mu.Lock()
			p.conns = append(p.conns, a, b)
			p.mu.Unlock()
			wg.Go(func() { p.copy(a, b) })
			wg.Go(func() { p.copy(b, a) })
		}
	})
	t.Cleanup(func() {
		ln.Close()
		p.mu.Lock()
		for _, c := range p.conns {
			c.Close()
		}
		p.mu.Unlock()
		wg.Wait()
	})
	return p
}

func (p *pipe) copy(dst, src net.Conn) {
	type parcel struct {
		due  time.Time
		data []byte
	}
	road := make(chan parcel, 1000)
	var wg sync.WaitGroup
	wg.Go(func() {
		defer dst.Close()
		for parcel := range road {
			time.Sleep(time.Until(parcel.due))
			p.mu.Lock()
			mute := p.mute
			p.mu.Unlock()
			if !mute {
				_, _ = dst.Write(parcel.data)
			}
		}
	})
	defer wg.Wait()
	defer close(road)
	for {
		b := make([]byte, 16<<10)
		n, err := src.Read(b)
		if err != nil {
			return
		}
		road <- parcel{time.Now().Add(p.delay), b[:n]}
	}
}

// Joining costs a handful of round trips, none of them spent waiting for timers.
func TestJoinRoundTrips(t *testing.T) {
	t.Parallel()
	const oneWay = 50 * time.Millisecond
	// What counts is how few it can be: a busy machine adds to it now and then.
	for attempt := 1; ; attempt++ {
		trips := joinThrough(t, oneWay)
		t.Logf("joined after %.1f round trips and the TCP handshake's", trips)
		if trips <= 6 {
			return
		}
		if attempt == 5 {
			t.Fatalf("joining took %.1f round trips", trips)
		}
	}
}

// joinThrough joins two nodes through a line with the given delay, and returns
// how many round trips that took.
func joinThrough(t *testing.T, oneWay time.Duration) float64 {
	d := testDescriptor(nil)
	ca, cb := start(t, Config{}), start(t, Config{})
	p := newPipe(t, ca.Addr().String(), oneWay)
	x := join(t, ca, JoinConfig{Link: testLink(d)})
	l := testLink(d)
	l.Peers = []string{p.ln.Addr().String()}
	began := time.Now()
	y := join(t, cb, JoinConfig{Link: l})
	await[Joined](t, y, nil)
	trips := float64(time.Since(began)) / float64(2*oneWay)
	await[Joined](t, x, nil)
	if r := await[RTT](t, y, nil).RTT; r < 2*oneWay {
		t.Errorf("measured a round trip of %v", r)
	}
	return trips
}

// A peer whose machine dies sends no goodbye: silence is all there is.
func TestSilentPeerIsNoticed(t *testing.T) {
	t.Parallel()
	d := testDescriptor(nil)
	ca, cb := start(t, Config{}), start(t, Config{})
	p := newPipe(t, ca.Addr().String(), 0)
	x := join(t, ca, JoinConfig{Link: testLink(d)})
	l := testLink(d)
	l.Peers = []string{p.ln.Addr().String()}
	y := join(t, cb, JoinConfig{Link: l})
	await[Joined](t, x, nil)
	await[Joined](t, y, nil)
	p.mu.Lock()
	p.mute = true
	p.mu.Unlock()
	began := time.Now()
	await[Left](t, x, nil)
	if took := time.Since(began); took < leftAfter-time.Second || took > leftAfter+2*time.Second {
		t.Errorf("noticed after %v", took)
	}
	await[Left](t, y, nil)
}

// A consumer that falls behind makes its peers slow down; nothing is lost and
// memory stays bounded.
func TestBackpressure(t *testing.T) {
	t.Parallel()
	x, y, px, py := pair(t, Config{}, Config{}, JoinConfig{}, JoinConfig{}, testDescriptor(nil))
	const blocks = 500 // 16 MB
	m := &wire.Block{Data: make([]byte, segment.BlockSize)}
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		for i := range blocks {
			x.SendBlock(px, m, uint64(i))
			await(t, x, func(s Sent) bool { return s.Cookie == uint64(i) })
		}
	}()
	p := y.peer(py)
	for deadline := time.Now().Add(testWithin); p.conn.LastRead().Before(time.Now().Add(-20 * time.Millisecond)); {
		if time.Now().After(deadline) {
			t.Fatal("reading never paused")
		}
		time.Sleep(time.Millisecond)
	}
	for range blocks {
		await(t, y, func(r Received) bool { _, ok := r.Msg.(*wire.Block); return ok })
	}
	<-sent
}

func TestControlOvertakesBlocks(t *testing.T) {
	t.Parallel()
	x, y, px, _ := pair(t, Config{Upload: 2_000_000}, Config{}, JoinConfig{}, JoinConfig{}, testDescriptor(nil))
	for i := range 8 {
		x.SendBlock(px, &wire.Block{Block: uint16(i), Data: make([]byte, segment.BlockSize)}, 0)
	}
	x.Send(px, &wire.Bye{})
	n := 0
	for {
		ev := <-y.Events()
		if _, ok := ev.(Left); ok {
			break
		}
		if r, ok := ev.(Received); ok {
			if _, ok := r.Msg.(*wire.Block); ok {
				n++
			}
		}
	}
	if n > 2 {
		t.Errorf("%d blocks came before the control message", n)
	}
}

func TestPlaintextIsRefused(t *testing.T) {
	t.Parallel()
	c := start(t, Config{})
	d := testDescriptor(nil)
	drain(t, join(t, c, JoinConfig{Link: testLink(d)}))
	nc, err := net.Dial("tcp", c.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	ch := d.Channel()
	hs := append([]byte("\x13BitTorrent protocol\x00\x00\x00\x00\x00\x10\x00\x05"), ch[:]...)
	hs = append(hs, "-XX0000-abcdefghijkl"...)
	if _, err := nc.Write(hs); err != nil {
		t.Fatal(err)
	}
	_ = nc.SetReadDeadline(time.Now().Add(testWithin))
	got, _ := io.ReadAll(nc)
	if bytes.Contains(got, []byte("BitTorrent")) {
		t.Error("a plaintext handshake was answered")
	}
}

func TestSharingOff(t *testing.T) {
	t.Parallel()
	d := testDescriptor(nil)
	off, err := New(Config{Listen: "127.0.0.1:0", Upload: 0, Download: budget.Unlimited})
	if err != nil {
		t.Fatal(err)
	}
	defer off.Close()
	if _, err := off.Join(JoinConfig{Link: testLink(d)}); !errors.Is(err, ErrNotSharing) {
		t.Errorf("Join with no upload: %v", err)
	}

	x, y, _, _ := pair(t, Config{}, Config{}, JoinConfig{}, JoinConfig{}, d)
	x.c.SetCaps(0, budget.Unlimited)
	await[Left](t, x, nil)
	await[Left](t, y, nil)
	before := x.c.Meter().Stats().SentPeers
	select {
	case ev := <-x.Events():
		t.Errorf("while sharing is off: %#v", ev)
	case <-time.After(300 * time.Millisecond):
	}
	if after := x.c.Meter().Stats().SentPeers; after != before {
		t.Errorf("%d bytes left while sharing was off", after-before)
	}
	x.c.SetCaps(budget.Unlimited, budget.Unlimited)
	await[Joined](t, y, nil)
}

func TestJoinTwiceAndAgain(t *testing.T) {
	t.Parallel()
	c := start(t, Config{})
	d := testDescriptor(nil)
	s := join(t, c, JoinConfig{Link: testLink(d)})
	if _, err := c.Join(JoinConfig{Link: testLink(d)}); !errors.Is(err, ErrJoined) {
		t.Errorf("second join: %v", err)
	}
	other := &channel.Descriptor{Name: "Other", Root: d.Root}
	if _, err := c.Join(JoinConfig{Link: testLink(d), Descriptor: other}); err == nil {
		t.Error("joined with another channel's descriptor")
	}
	join(t, c, JoinConfig{Link: testLink(other)}).Leave(context.Background())
	s.Leave(context.Background())
	join(t, c, JoinConfig{Link: testLink(d)})
}

// Everyone dials everyone at the same moment: one connection per pair remains.
func TestMesh(t *testing.T) {
	t.Parallel()
	const n = 8
	d := testDescriptor(nil)
	var clients []*Client
	for range n {
		clients = append(clients, start(t, Config{}))
	}
	var swarms []*Swarm
	for _, c := range clients {
		swarms = append(swarms, join(t, c, JoinConfig{Link: testLink(d, clients...)}))
	}
	for _, s := range swarms {
		drain(t, s)
	}
	full := func() bool {
		for _, s := range swarms {
			s.mu.Lock()
			ids := map[[20]byte]bool{}
			for p := range s.peers {
				ids[p.ident] = true
			}
			ok := len(s.byID) == n-1 && len(s.peers) == n-1 && len(ids) == n-1
			s.mu.Unlock()
			if !ok {
				return false
			}
		}
		return true
	}
	began := time.Now()
	for !full() {
		if time.Since(began) > testWithin {
			for i, s := range swarms {
				s.mu.Lock()
				t.Logf("%d: %d joined of %d connections", i, len(s.byID), len(s.peers))
				s.mu.Unlock()
			}
			t.Fatal("no full mesh")
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Logf("full mesh of %d after %v", n, time.Since(began))
	for i, s := range swarms {
		if k := s.Known(); k != n-1 {
			t.Errorf("node %d knows %d addresses besides its own", i, k)
		}
	}
}
