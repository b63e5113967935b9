package meter

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"coral/node/budget"
)

func TestMain(m *testing.M) {
	if inNamespace() {
		m.Run()
		return
	}
	goleak.VerifyTestMain(m)
}

// pair returns both ends of a loopback connection, each under its own meter.
func pair(t testing.TB, a, b *Meter) (x, y *Conn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	x, err = a.DialPeer(t.Context(), "tcp", ln.Addr().String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	nc, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	y = b.Wrap(nc.(*net.TCPConn), Peers)
	t.Cleanup(func() { x.Close(); y.Close() })
	return x, y
}

func run(t testing.TB, ms ...*Meter) {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	for _, m := range ms {
		wg.Go(func() { _ = m.Run(ctx) })
	}
	t.Cleanup(func() { cancel(); wg.Wait() })
}

// pump writes to x for d, in writes of size bytes, and reads all of it from y.
// It returns the payload that arrived.
func pump(x, y *Conn, size int, d time.Duration) (n int64) {
	var wg sync.WaitGroup
	wg.Go(func() {
		b := make([]byte, 64<<10)
		for {
			k, err := y.Read(b)
			n += int64(k)
			if err != nil {
				return
			}
		}
	})
	b := make([]byte, size)
	for end := time.Now().Add(d); time.Now().Before(end); {
		if _, err := x.Write(b); err != nil {
			break
		}
	}
	x.Close()
	wg.Wait()
	return n
}

// What failed is no connection: an interface that holds a nil pointer would be one.
func TestFailedDial(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	m := New(budget.Unlimited, budget.Unlimited, netip.Addr{})
	if c, err := m.Dial(ctx, "tcp", "127.0.0.1:9"); c != nil || err == nil {
		t.Errorf("%v, %v", c, err)
	}
}

func TestUploadCap(t *testing.T) {
	t.Parallel()
	const rate, long = 4_000_000, 1500 * time.Millisecond
	up, free := New(rate, budget.Unlimited, netip.Addr{}), New(budget.Unlimited, budget.Unlimited, netip.Addr{})
	run(t, up, free)
	// Two connections share it.
	var wg sync.WaitGroup
	began := time.Now()
	for range 2 {
		x, y := pair(t, up, free)
		wg.Go(func() { pump(x, y, 32<<10, long) })
	}
	wg.Wait()
	took := time.Since(began)
	sent := up.Stats().SentPeers
	allowed := float64(rate)/8*took.Seconds() + float64(rate)/8*burst.Seconds()
	if f := float64(sent) / allowed; f > 1.0 || f < 0.8 {
		t.Errorf("%d bytes in %v: %.3f of what the cap allows", sent, took, f)
	} else {
		t.Logf("%.3f of what the cap allows", f)
	}
}

func TestDownloadCap(t *testing.T) {
	t.Parallel()
	const rate, long = 8_000_000, 1500 * time.Millisecond
	down, free := New(budget.Unlimited, rate, netip.Addr{}), New(budget.Unlimited, budget.Unlimited, netip.Addr{})
	run(t, down, free)
	x, y := pair(t, free, down)
	began := time.Now()
	pump(x, y, 32<<10, long)
	took := time.Since(began)
	got := down.Stats().ReceivedPeers
	allowed := float64(rate) / 8 * (took + burst).Seconds()
	if f := float64(got) / allowed; f > 1.02 || f < 0.7 {
		t.Errorf("%d bytes in %v: %.3f of what the cap allows", got, took, f)
	} else {
		t.Logf("%.3f of what the cap allows", f)
	}
}

func TestCapsChangeLive(t *testing.T) {
	t.Parallel()
	m, free := New(8_000, budget.Unlimited, netip.Addr{}), New(budget.Unlimited, budget.Unlimited, netip.Addr{})
	x, y := pair(t, m, free)
	wrote := make(chan error, 1)
	go func() {
		_, err := x.Write(make([]byte, 256<<10)) // minutes at 1 kB/s
		wrote <- err
	}()
	go io.Copy(io.Discard, y)
	select {
	case err := <-wrote:
		t.Fatalf("the cap did not hold: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	m.SetCaps(budget.Unlimited, budget.Unlimited)
	if err := <-wrote; err != nil {
		t.Fatal(err)
	}
	m.SetCaps(8_000, budget.Unlimited)
	go func() {
		_, err := x.Write(make([]byte, 256<<10))
		wrote <- err
	}()
	time.Sleep(10 * time.Millisecond)
	m.SetCaps(0, budget.Unlimited)
	if err := <-wrote; !errors.Is(err, ErrNothing) {
		t.Errorf("with no upload: %v", err)
	}
	if _, err := m.DialPeer(t.Context(), "tcp", x.RemoteAddr().String(), nil); !errors.Is(err, ErrNothing) {
		t.Errorf("dial with no upload: %v", err)
	}
}

func TestCloseEndsAWait(t *testing.T) {
	t.Parallel()
	m, free := New(8_000, budget.Unlimited, netip.Addr{}), New(budget.Unlimited, budget.Unlimited, netip.Addr{})
	x, _ := pair(t, m, free)
	wrote := make(chan error, 1)
	go func() {
		_, err := x.Write(make([]byte, 256<<10))
		wrote <- err
	}()
	time.Sleep(10 * time.Millisecond)
	x.Close()
	if err := <-wrote; err == nil {
		t.Error("a closed connection took 256 KiB")
	}
}

// Control messages leave at once while data waits, but not without end.
func TestSmallWritesOvertake(t *testing.T) {
	t.Parallel()
	const rate = 800_000 // 100 kB/s
	m, free := New(rate, budget.Unlimited, netip.Addr{}), New(budget.Unlimited, budget.Unlimited, netip.Addr{})
	x, y := pair(t, m, free)
	data, _ := pair(t, m, free)
	go io.Copy(io.Discard, y)
	if _, err := data.Write(make([]byte, 20<<10)); err != nil { // beyond the burst
		t.Fatal(err)
	}
	began := time.Now()
	if _, err := x.Write(make([]byte, 100)); err != nil {
		t.Fatal(err)
	}
	if d := time.Since(began); d > 30*time.Millisecond {
		t.Errorf("a control message waited %v", d)
	}
	for range 400 { // 60 kB: 0.6 s of the cap
		if _, err := x.Write(make([]byte, 100)); err != nil {
			t.Fatal(err)
		}
	}
	if d := time.Since(began); d < 200*time.Millisecond {
		t.Errorf("60 kB of control messages took %v", d)
	}
}

func TestOriginIsChargedButDoesNotWait(t *testing.T) {
	t.Parallel()
	m := New(8_000, budget.Unlimited, netip.Addr{})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	go func() {
		if c, err := ln.Accept(); err == nil {
			io.Copy(c, c)
			c.Close()
		}
	}()
	c, err := m.Dial(t.Context(), "tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	began := time.Now()
	if _, err := c.Write(make([]byte, 100<<10)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(c, make([]byte, 100<<10)); err != nil {
		t.Fatal(err)
	}
	if d := time.Since(began); d > time.Second {
		t.Errorf("a request waited %v", d)
	}
	if s := m.Stats(); s.SentOrigin < 100<<10 || s.ReceivedOrigin < 100<<10 || s.SentPeers != 0 {
		t.Errorf("counted %+v", s)
	}
	if m.takeUp(0) < time.Second {
		t.Error("nothing was charged")
	}
}

func TestPacketsAreCountedAndDropped(t *testing.T) {
	t.Parallel()
	m := New(80_000, budget.Unlimited, netip.Addr{})
	open := func() net.PacketConn {
		pc, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { pc.Close() })
		return m.WrapPacket(pc)
	}
	a, b := open(), open()
	for range 100 { // 100 kB at 10 kB/s
		if _, err := a.WriteTo(make([]byte, 972), b.LocalAddr()); err != nil {
			t.Fatal(err)
		}
	}
	if s := m.Stats().SentPeers; s < 2000 || s > 10000 {
		t.Errorf("%d bytes of datagrams sent at once", s)
	}
	buf := make([]byte, 2000)
	if n, _, err := b.ReadFrom(buf); n != 972 || err != nil {
		t.Error(n, err)
	}
	if s := m.Stats().ReceivedPeers; s != 1000 {
		t.Errorf("%d bytes received", s)
	}
}

// Pieces follow whichever is less, the cap or what the household leaves.
func TestPieces(t *testing.T) {
	for _, c := range []struct {
		up, polite budget.Rate
		want       int64
	}{
		{budget.Unlimited, budget.Unlimited, 0},
		{1e6, budget.Unlimited, minPiece},
		{8e6, budget.Unlimited, 10_000},
		{8e6, 1e6, minPiece},
		{budget.Unlimited, 8e6, 10_000},
		{100e6, budget.Unlimited, maxPiece},
	} {
		m := New(budget.Unlimited, budget.Unlimited, netip.Addr{})
		m.polite.SetRate(time.Now(), c.polite)
		m.SetCaps(c.up, budget.Unlimited)
		if got := m.piece.Load(); got != c.want {
			t.Errorf("cap %v, polite %v: pieces of %d, want %d", c.up, c.polite, got, c.want)
		}
	}
}
