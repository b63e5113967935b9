package origin

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// Requests made at once after the first answer, each of which waits for all others,
// find connections that are open.
func TestSpares(t *testing.T) {
	const count = 5
	var opened, asked atomic.Int32
	all := make(chan struct{})
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/list" {
			return
		}
		if asked.Add(1) == count+1 {
			close(all)
		}
		<-all
	}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	c := New(Config{Policy: Policy{Typed: []string{s.URL}}})
	t.Cleanup(c.Close)
	c.Spare(count)
	for range 2 { // the second answer is no reason for more
		if _, _, _, err := c.Playlist(t.Context(), s.URL+"/list", nil); err != nil {
			t.Fatal(err)
		}
	}
	var group sync.WaitGroup
	for range count + 1 {
		group.Go(func() {
			b, err := c.Get(t.Context(), s.URL+"/a", 0, -1)
			if err != nil {
				t.Error(err)
				return
			}
			defer b.Close()
			_, _ = io.ReadAll(b)
		})
	}
	group.Wait()
	if n := opened.Load(); n != 1+count {
		t.Errorf("%d connections", n)
	}
}

func TestSparesInTime(t *testing.T) {
	const addr = "93.184.216.34:80"
	const trip = 100 * time.Millisecond
	u := &url.URL{Scheme: "http", Host: "93.184.216.34"}
	synctest.Test(t, func(t *testing.T) {
		w := &world{after: map[string]time.Duration{addr: trip}}
		closed, end := context.WithCancel(t.Context())
		cfg := &Config{Dial: w.dial, Timeouts: Timeouts{Connect: time.Second}}
		s := &spares{dialer: newDialer(closed, cfg, outside), ready: make(map[string][]<-chan net.Conn)}
		dial := func(tried, open int, takes time.Duration) {
			t.Helper()
			begun := time.Now()
			if _, err := s.DialContext(t.Context(), "tcp", addr); err != nil {
				t.Fatal(err)
			}
			took := time.Since(begun)
			synctest.Wait()
			w.mu.Lock()
			defer w.mu.Unlock()
			if took != takes || len(w.tried) != tried || w.open != open {
				t.Errorf("took %v, %d dialled, %d open; want %v, %d, %d", took, len(w.tried), w.open, takes, tried, open)
			}
		}
		answer := &http.Response{StatusCode: http.StatusOK, ProtoMajor: 1}
		s.count.Store(4)
		s.answered(u, &http.Response{StatusCode: http.StatusServiceUnavailable, ProtoMajor: 1})
		synctest.Wait()
		if len(w.tried) > 0 {
			t.Errorf("%d connections to a server that is overloaded", len(w.tried))
		}
		s.answered(u, answer)
		s.answered(u, answer)
		time.Sleep(trip / 4)
		dial(4, 4, trip*3/4) // one that is in the making
		time.Sleep(spareFor / 2)
		dial(4, 4, 0)
		time.Sleep(spareFor)
		dial(5, 3, trip) // the two that nobody wanted are gone
		end()

		// What could not be connected is dialled anew, by who needs it.
		closed, end = context.WithCancel(t.Context())
		defer end()
		s.closed, s.ready = closed, make(map[string][]<-chan net.Conn)
		w.after = nil
		s.answered(u, answer)
		synctest.Wait()
		w.after = map[string]time.Duration{addr: trip}
		dial(5+4+1, 4, trip)

		// What is open when the Client is closed is closed, too.
		s.ready = make(map[string][]<-chan net.Conn)
		s.answered(u, answer)
		time.Sleep(trip)
		end()
		synctest.Wait()
		if w.open != 4 {
			t.Errorf("%d open", w.open)
		}

		// One connection carries everything, or but one request.
		for _, answer := range []*http.Response{{ProtoMajor: 2}, {ProtoMajor: 1, Close: true}} {
			s.ready = make(map[string][]<-chan net.Conn)
			s.answered(u, answer)
			if len(s.ready[addr]) > 0 {
				t.Errorf("spare connections after %+v", answer)
			}
		}
	})
}
