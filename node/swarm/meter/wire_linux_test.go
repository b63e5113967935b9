package meter

import (
	"bufio"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"coral/node/budget"
)

// namespaceVar marks the copy of the test binary that has a network of its own.
const namespaceVar = "CORAL_TEST_NETNS"

func inNamespace() bool { return os.Getenv(namespaceVar) != "" }

// TestWireAccounting compares the meter with the interface's own counters, in a
// network namespace in which nothing else speaks.
func TestWireAccounting(t *testing.T) {
	if !inNamespace() {
		cmd := exec.Command(os.Args[0], "-test.run=^TestWireAccounting$", "-test.v")
		cmd.Env = append(os.Environ(), namespaceVar+"=1")
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
		if os.Getuid() != 0 {
			cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
			cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
			cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
		}
		out, err := cmd.CombinedOutput()
		if err != nil && len(out) == 0 {
			t.Skip("no network namespace can be had:", err)
		}
		t.Logf("%s", out)
		if err != nil {
			t.Error(err)
		}
		return
	}
	if err := setUpLoopback(); err != nil {
		t.Skip("cannot set up the namespace:", err)
	}
	const rate, long = 4_000_000, 10 * time.Second // the span that a cap is promised for
	a, b := New(rate, budget.Unlimited, netip.Addr{}), New(budget.Unlimited, budget.Unlimited, netip.Addr{})
	run(t, a, b)
	var wg sync.WaitGroup
	before, beforePackets := loopbackCounters(t)
	began := time.Now()
	for _, size := range []int{32 << 10, 200} {
		x, y := pair(t, a, b)
		wg.Go(func() { pump(x, y, size, long) })
	}
	wg.Wait()
	took := time.Since(began)
	time.Sleep(50 * time.Millisecond) // the last acknowledgements
	after, afterPackets := loopbackCounters(t)
	sa, sb := a.Stats(), b.Stats()
	wire := after - before // the loopback device counts IP packets, without link headers
	counted := sa.SentPeers + sb.SentPeers
	t.Logf("wire %d in %d packets, counted %d (%.4f), of which %d one way; %.3f of the cap",
		wire, afterPackets-beforePackets, counted, float64(counted)/float64(wire), sa.SentPeers, float64(sa.SentPeers)*8/rate/took.Seconds())
	if f := float64(counted) / float64(wire); f < 0.995 || f > 1.005 {
		t.Errorf("counted %.4f of what was on the wire", f)
	}
	if f := float64(sa.ReceivedPeers+sb.ReceivedPeers) / float64(wire); f < 0.99 || f > 1.01 {
		t.Errorf("counted %.4f of what was received", f)
	}
	if f := float64(sa.SentPeers) / (rate / 8 * took.Seconds()); f > 1.02 {
		t.Errorf("%.3f of the cap", f)
	}
}

// setUpLoopback brings lo up with real packets: 1500 bytes, no offloading.
func setUpLoopback() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	ifr, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	ifr.SetUint32(1500)
	if err := unix.IoctlIfreq(fd, unix.SIOCSIFMTU, ifr); err != nil {
		return fmt.Errorf("set MTU: %w", err)
	}
	ifr.SetUint16(unix.IFF_UP | unix.IFF_LOOPBACK | unix.IFF_RUNNING)
	if err := unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, ifr); err != nil {
		return fmt.Errorf("bring up: %w", err)
	}
	for _, feature := range []uint32{unix.ETHTOOL_STSO, unix.ETHTOOL_SGSO, unix.ETHTOOL_SGRO} {
		value := struct{ cmd, data uint32 }{feature, 0}
		var req struct {
			name [unix.IFNAMSIZ]byte
			data uintptr
			_    [16]byte
		}
		copy(req.name[:], "lo")
		req.data = uintptr(unsafe.Pointer(&value))
		if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.SIOCETHTOOL, uintptr(unsafe.Pointer(&req))); errno != 0 {
			return fmt.Errorf("switch offloading off: %w", errno)
		}
	}
	return nil
}

func loopbackCounters(t *testing.T) (bytes, packets int64) {
	f, err := os.Open("/proc/self/net/dev")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		name, rest, _ := strings.Cut(strings.TrimSpace(s.Text()), ":")
		if name != "lo" {
			continue
		}
		for i, w := range strings.Fields(rest) {
			switch i {
			case 8:
				fmt.Sscan(w, &bytes)
			case 9:
				fmt.Sscan(w, &packets)
			}
		}
		return bytes, packets
	}
	t.Fatal("no loopback interface")
	return 0, 0
}

// A read that expects much is not woken for a little, but by the end it is; and
// what comes meanwhile counts as a sign of life.
func TestExpect(t *testing.T) {
	a, b := New(budget.Unlimited, budget.Unlimited, netip.Addr{}), New(budget.Unlimited, budget.Unlimited, netip.Addr{})
	x, y := pair(t, a, b)
	buf, read := make([]byte, 64<<10), make(chan int)
	go func() {
		for {
			n, err := y.Read(buf)
			if n == 5000 || n == 100 {
				y.Expect(15_000)
			} else {
				y.Expect(100) // not worth waiting for
			}
			read <- n
			if err != nil {
				return
			}
		}
	}()
	write := func(n int) {
		t.Helper()
		if _, err := x.Write(make([]byte, n)); err != nil {
			t.Fatal(err)
		}
	}
	write(5000)
	if n := <-read; n != 5000 {
		t.Fatalf("the first read has %d bytes", n)
	}
	time.Sleep(50 * time.Millisecond) // until the next read waits
	heard := y.LastRead()
	for range 2 {
		write(5000)
		select {
		case n := <-read:
			t.Fatalf("woken for %d bytes", n)
		case <-time.After(50 * time.Millisecond):
		}
	}
	b.reconcile()
	if !y.LastRead().After(heard) {
		t.Error("silent, though bytes came")
	}
	write(5000)
	if n := <-read; n != 15_000 {
		t.Errorf("the rest has %d bytes", n)
	}
	write(100)
	if n := <-read; n != 100 {
		t.Errorf("a little, expecting as much: %d bytes", n)
	}
	write(100)
	time.Sleep(50 * time.Millisecond)
	x.Close()
	if n := <-read; n != 100 {
		t.Errorf("%d bytes before the end", n)
	}
	if n := <-read; n != 0 {
		t.Errorf("%d bytes at the end", n)
	}
}
