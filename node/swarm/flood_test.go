package swarm

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"
)

// TestSilentConnections: who opens connections without end and says nothing, or
// begins a handshake and goes no further, keeps no peer out.
func TestSilentConnections(t *testing.T) {
	d := testDescriptor(nil)
	ca, cb := start(t, Config{}), start(t, Config{})
	x := join(t, ca, JoinConfig{Link: testLink(d)})
	ctx, cancel := context.WithCancel(context.Background())
	var attack sync.WaitGroup
	defer attack.Wait()
	defer cancel()
	full := make(chan struct{})
	attack.Go(func() {
		var held []net.Conn
		defer func() {
			for _, c := range held {
				c.Close()
			}
		}()
		for n := 0; ctx.Err() == nil; n++ {
			// It may be closed at once, which is as well.
			if c, err := net.Dial("tcp", ca.Addr().String()); err == nil {
				if held = append(held, c); n%2 == 0 {
					_, _ = c.Write(make([]byte, 50))
				}
			}
			if len(held) > 4*maxHandshaking {
				held[0].Close()
				held = held[1:]
			}
			if n == 2*maxHandshaking {
				close(full)
			}
			if n > 2*maxHandshaking {
				select {
				case <-time.After(5 * time.Millisecond):
				case <-ctx.Done():
				}
			}
		}
	})
	<-full
	y := join(t, cb, JoinConfig{Link: testLink(d, ca)})
	await[Joined](t, y, nil)
	await[Joined](t, x, nil)
}

// TestWhoMakesRoom: it is the oldest of the network that has most.
func TestWhoMakesRoom(t *testing.T) {
	var all []*inbound
	for _, a := range []string{"192.0.2.1:1", "198.51.100.1:1", "198.51.100.2:1", "10.0.0.1:1", "10.0.0.2:1", "10.0.0.3:1"} {
		all = append(all, &inbound{addr: netip.MustParseAddrPort(a)})
	}
	if got := oldestOfMost(all); got != all[1] {
		t.Errorf("of a crowd from one network: %v", got.addr)
	}
	if got := oldestOfMost(all[3:]); got != all[3] {
		t.Errorf("of a household: %v", got.addr)
	}
}
