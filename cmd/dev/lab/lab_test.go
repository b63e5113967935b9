package lab

import (
	"context"
	"io"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"go.uber.org/goleak"

	"coral/node/sim"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestLane(t *testing.T) {
	var l lane
	begun := time.Now()
	for i := range 30 { // 1250 bytes take 10 ms
		left, ok := l.admit(1_000_000, begun, 1250)
		if want := i <= 20; ok != want {
			t.Fatalf("packet %d: %t, but the queue holds 200 ms", i, ok)
		}
		if want := time.Duration(i+1) * 10 * time.Millisecond; ok && left.Sub(begun) != want {
			t.Errorf("packet %d left after %v, not %v", i, left.Sub(begun), want)
		}
	}
	later := begun.Add(time.Second)
	if left, ok := l.admit(1_000_000, later, 1250); !ok || left.Sub(later) != 10*time.Millisecond {
		t.Error("an idle line is not free")
	}
	if left, ok := l.admit(0, begun, 1250); !ok || left != begun {
		t.Error("a line without a limit takes time")
	}
}

// packet is an IPv4 packet of a size to a host, as far as the network looks at it.
func packet(to *Host, size int, number byte) []byte {
	p := make([]byte, size)
	p[0] = 4 << 4
	copy(p[16:20], to.Addr.AsSlice())
	p[size-1] = number
	return p
}

func TestOrderAndCounts(t *testing.T) {
	n := New(1)
	from := n.add(sim.Link{Up: 8_000_000, Delay: 10 * time.Millisecond, Jitter: 50 * time.Millisecond})
	to := n.add(sim.Link{Down: 4_000_000, Delay: 20 * time.Millisecond})
	for i := range 100 {
		from.send(packet(to, 1000, byte(i)), n.begun)
	}
	from.send(packet(&Host{Addr: netip.MustParseAddr("192.0.2.1")}, 1000, 0), n.begun)
	now, got := n.begun, 0
	for {
		_, p, wait := n.next(now)
		if p == nil && wait == time.Hour {
			break
		}
		if now = now.Add(wait); p == nil {
			continue
		}
		if earliest := 30*time.Millisecond + time.Duration(got+1)*2*time.Millisecond; now.Sub(n.begun) < earliest {
			t.Errorf("packet %d came after %v, before %v", got, now.Sub(n.begun), earliest)
		}
		if int(p[999]) != got {
			t.Fatalf("packet %d came in place of %d", p[999], got)
		}
		got++
	}
	if got != 100 || from.SentTo(to) != 100_000 || from.Busiest(10) != 100_000 {
		t.Errorf("%d packets came; sent %d, at most %d", got, from.SentTo(to), from.Busiest(10))
	}
}

func TestLossAndCut(t *testing.T) {
	n := New(1)
	from, to := n.add(sim.Link{Loss: 0.1}), n.add(sim.Link{Loss: 0.1})
	arrived := func() (got int) {
		for range 10_000 {
			from.send(packet(to, 100, 0), n.begun)
			if _, p, _ := n.next(n.begun); p != nil {
				got++
			}
		}
		return got
	}
	if got := arrived(); got < 7900 || got > 8300 {
		t.Errorf("%d of 10000 came, not some 8100", got)
	}
	to.Cut()
	if got := arrived(); got > 0 {
		t.Errorf("%d came to a host that was cut off", got)
	}
}

func TestSetDown(t *testing.T) {
	n := New(1)
	from, to := n.add(sim.Link{}), n.add(sim.Link{Down: 10_000_000})
	for _, rate := range []int64{10_000_000, 1_000_000, 10_000_000} {
		to.SetDown(rate)
		from.send(packet(to, 1250, 0), n.begun)
		_, _, took := n.next(n.begun)
		if want := time.Duration(10_000_000_000_000 / rate); took != want {
			t.Errorf("a packet takes %v at %d, not %v", took, rate, want)
		}
		n.queue, to.down = nil, lane{}
	}
}

// TestHosts sends real bytes over real TCP.
func TestHosts(t *testing.T) {
	if err := Usable(); err != nil {
		t.Skip(err)
	}
	n := New(1)
	defer n.Close()
	line := sim.Link{Up: 4_000_000, Down: 40_000_000, Delay: 20 * time.Millisecond}
	from, err := n.Host(line)
	if err != nil {
		t.Fatal(err)
	}
	to, err := n.Host(line)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- n.Run(ctx) }()
	defer func() { cancel(); <-ended }()

	const size = 1 << 20
	l, err := to.Listen(ctx, 80)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	received := make(chan int64, 1)
	go func() {
		defer close(received)
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		bytes, _ := io.Copy(io.Discard, c)
		received <- bytes
	}()
	begun := time.Now()
	c, err := from.Dial(ctx, "tcp", netip.AddrPortFrom(to.Addr, 80).String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if took := time.Since(begun); took < 80*time.Millisecond || took > time.Second {
		t.Errorf("there and back took %v, not some 80 ms", took)
	}
	b := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{}).Read(b)
	if _, err := c.Write(b); err != nil {
		t.Fatal(err)
	}
	c.Close()
	if got := <-received; got != size {
		t.Errorf("%d bytes came", got)
	}
	// 4 Mbit/s are 1 MiB in 2.1 s, without headers and the window's opening.
	if took := time.Since(begun); took < 2*time.Second || took > 6*time.Second {
		t.Errorf("1 MiB took %v", took)
	}
	if sent := from.SentTo(to); sent < size || sent > size*5/4 {
		t.Errorf("%d bytes sent", sent)
	}
}
