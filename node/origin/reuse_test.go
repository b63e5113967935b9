package origin

import (
	"bytes"
	"crypto/tls"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestKeepAlive(t *testing.T) {
	data := content(200_000)
	h := func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/404":
			http.NotFound(w, r)
		case "/302":
			http.Redirect(w, r, "/a", http.StatusFound)
		default:
			http.ServeContent(w, r, "", time.Unix(1e9, 0), bytes.NewReader(data))
		}
	}
	c, base := serve(t, h)
	var reused, made atomic.Int64
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) {
		if i.Reused {
			reused.Add(1)
		} else {
			made.Add(1)
		}
	}})
	v := new(Validators)
	for range 5 {
		for _, path := range []string{"/a", "/404", "/302", "/range", "/exact"} {
			off, n := int64(0), int64(-1)
			if path == "/range" {
				off, n = 1000, 70_000
			}
			b, err := c.Get(ctx, base+path, off, n)
			if err != nil {
				continue
			}
			if path == "/exact" { // a reader that knows the length and does not wait for EOF
				io.ReadFull(b, make([]byte, b.Size))
			} else {
				io.ReadAll(b)
			}
			b.Close()
		}
		if _, _, _, err := c.Playlist(ctx, base+"/list", v); err != nil {
			t.Fatal(err)
		}
	}
	if made.Load() != 1 || reused.Load() < 30 {
		t.Errorf("%d connections made, %d reused", made.Load(), reused.Load())
	}
}

func TestHTTP2(t *testing.T) {
	data := content(100_000)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Proto", r.Proto)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
	}))
	s.EnableHTTP2 = true
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // of the handshake that is refused below
	s.StartTLS()
	defer s.Close()
	client := func(conf *tls.Config) *Client {
		c := New(Config{Policy: Policy{Typed: []string{s.URL}}, TLS: conf})
		t.Cleanup(c.Close)
		return c
	}
	c := client(s.Client().Transport.(*http.Transport).TLSClientConfig)
	var conns sync.Map
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
		GotConn: func(i httptrace.GotConnInfo) { conns.Store(i.Conn.LocalAddr().String(), true) },
	})
	var group sync.WaitGroup
	for i := range 3 * maxConns { // more at once than there may be connections
		group.Go(func() {
			off := int64(i * 100)
			b, err := c.Get(ctx, s.URL+"/a", off, 50_000)
			if err != nil {
				t.Error(err)
				return
			}
			defer b.Close()
			if got, err := io.ReadAll(b); err != nil || !bytes.Equal(got, data[off:off+50_000]) {
				t.Errorf("%d bytes, %v", len(got), err)
			}
		})
	}
	group.Wait()
	n := 0
	conns.Range(func(_, _ any) bool { n++; return true })
	if n > maxConns {
		t.Errorf("%d connections", n)
	}
	b, err := c.Get(t.Context(), s.URL, 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(b); err != nil {
		t.Error(err)
	}
	b.Close()
	// A certificate that nobody vouches for.
	if b, err := client(nil).Get(t.Context(), s.URL, 0, -1); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Error(b, err)
	}
}
