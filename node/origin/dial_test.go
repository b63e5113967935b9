package origin

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// world is addresses that answer after a while, or never (negative).
type world struct {
	after map[string]time.Duration
	mu    sync.Mutex
	open  int
	tried []string
}

type countedConn struct {
	net.Conn
	w    *world
	addr string
}

func (c *countedConn) Close() error { c.w.mu.Lock(); defer c.w.mu.Unlock(); c.w.open--; return nil }

func (w *world) dial(ctx context.Context, _, addr string) (net.Conn, error) {
	w.mu.Lock()
	w.tried = append(w.tried, addr)
	after, ok := w.after[addr]
	w.mu.Unlock()
	if !ok {
		return nil, errors.New("connection refused")
	}
	if after < 0 {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	time.Sleep(after) // deaf to ctx: it may answer when it is too late
	w.mu.Lock()
	defer w.mu.Unlock()
	w.open++
	return &countedConn{w: w, addr: addr}, nil
}

func TestRace(t *testing.T) {
	const v4, v4b, v6, v6b = "93.184.216.34", "93.184.216.35", "2606:4700::1", "2606:4700::2"
	for name, f := range map[string]struct {
		addrs []string
		after map[string]time.Duration
		want  string
		took  time.Duration
	}{
		"first":         {[]string{v6, v4}, map[string]time.Duration{"[" + v6 + "]:80": 100 * time.Millisecond}, "[" + v6 + "]:80", 100 * time.Millisecond},
		"dead v6":       {[]string{v6, v6b, v4}, map[string]time.Duration{"[" + v6 + "]:80": -1, v4 + ":80": 10 * time.Millisecond}, v4 + ":80", 260 * time.Millisecond},
		"refused":       {[]string{v6, v4, v4b}, map[string]time.Duration{v4b + ":80": 0}, v4b + ":80", 0},
		"late is shut":  {[]string{v4, v6}, map[string]time.Duration{v4 + ":80": 400 * time.Millisecond, "[" + v6 + "]:80": 10 * time.Millisecond}, "[" + v6 + "]:80", 260 * time.Millisecond},
		"all dead":      {[]string{v4, v6}, map[string]time.Duration{v4 + ":80": -1, "[" + v6 + "]:80": -1}, "", 5250 * time.Millisecond},
		"all refused":   {[]string{v4, v6}, nil, "", 0},
		"no address":    {nil, nil, "", 0},
		"private first": {[]string{"10.0.0.1", v4}, map[string]time.Duration{"10.0.0.1:80": 0, v4 + ":80": 0}, v4 + ":80", 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &world{after: f.after}
				d := newDialer(t.Context(), &Config{
					Dial: w.dial, Timeouts: Timeouts{Connect: DefaultConnect},
					Resolve: func(context.Context, string) (addrs []netip.Addr, _ error) {
						for _, a := range f.addrs {
							addrs = append(addrs, netip.MustParseAddr(a))
						}
						return addrs, nil
					},
				}, outside)
				begun := time.Now()
				conn, err := d.DialContext(t.Context(), "tcp", "origin.example:80")
				if took := time.Since(begun); took != f.took {
					t.Errorf("took %v, want %v", took, f.took)
				}
				got := ""
				if err == nil {
					got = conn.(*countedConn).addr
				}
				if got != f.want || (err != nil) != (f.want == "") {
					t.Errorf("%s, %v", got, err)
				}
				synctest.Wait()
				time.Sleep(time.Second) // for the late ones
				synctest.Wait()
				open := 0
				if conn != nil {
					open = 1
				}
				if w.open != open {
					t.Errorf("%d connections open", w.open)
				}
				if slices.ContainsFunc(w.tried, func(s string) bool { return strings.HasPrefix(s, "10.") }) {
					t.Errorf("dialled %v", w.tried)
				}
			})
		})
	}
}

func TestDialEndsWithClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{after: map[string]time.Duration{"93.184.216.34:80": -1}}
		c := New(Config{Dial: w.dial, Policy: Policy{Linked: []string{"http://93.184.216.34/"}}})
		time.AfterFunc(time.Second, c.Close)
		begun := time.Now()
		if _, err := c.Get(t.Context(), "http://93.184.216.34/", 0, -1); !errors.Is(err, ErrClosed) || time.Since(begun) != time.Second {
			t.Error(err, time.Since(begun))
		}
	})
}

func TestDialTimesOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{after: map[string]time.Duration{"93.184.216.34:80": -1}}
		c := New(Config{Dial: w.dial, Policy: Policy{Linked: []string{"http://93.184.216.34/"}}})
		defer c.Close()
		begun := time.Now()
		if _, err := c.Get(t.Context(), "http://93.184.216.34/", 0, -1); !errors.Is(err, ErrStalled) || time.Since(begun) != DefaultConnect {
			t.Error(err, time.Since(begun))
		}
	})
}

func TestInterleave(t *testing.T) {
	var in []netip.Addr
	for _, s := range []string{"2606::1", "2606::2", "2606::3", "1.1.1.1", "1.1.1.2"} {
		in = append(in, netip.MustParseAddr(s))
	}
	var got []string
	for _, a := range interleave(in) {
		got = append(got, a.String())
	}
	if s := strings.Join(got, " "); s != "2606::1 1.1.1.1 2606::2 1.1.1.2 2606::3" {
		t.Error(s)
	}
}
