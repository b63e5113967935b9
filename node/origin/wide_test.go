package origin

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// lossy is a server behind a way that loses packets: some of its answers stop.
type lossy struct {
	data []byte
	// stops reports how much of the n-th answer comes before it stops; -1: all.
	stops func(n int) int
	plain bool          // does not know ranges
	pace  time.Duration // from one part of an answer to the next

	mu     sync.Mutex
	ranges []string
}

func (l *lossy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	stop := l.stops(len(l.ranges))
	l.ranges = append(l.ranges, r.Header.Get("Range"))
	l.mu.Unlock()
	if l.plain {
		r.Header.Del("Range")
	}
	http.ServeContent(&stopping{w, r, stop, l.pace}, r, "", time.Time{}, bytes.NewReader(l.data))
}

// asked is the ranges asked for, so far.
func (l *lossy) asked() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ranges
}

// stopping is an answer that comes to a halt until the client gives up.
type stopping struct {
	http.ResponseWriter
	r    *http.Request
	left int // -1: it does not
	pace time.Duration
}

func (s *stopping) Write(b []byte) (int, error) {
	time.Sleep(s.pace)
	if s.left < 0 || len(b) < s.left {
		if s.left >= 0 {
			s.left -= len(b)
		}
		return s.ResponseWriter.Write(b)
	}
	n, _ := s.ResponseWriter.Write(b[:s.left])
	s.ResponseWriter.(http.Flusher).Flush()
	<-s.r.Context().Done()
	return n, s.r.Context().Err()
}

func never(int) int { return -1 }

// pipes is a network that leads to one server. It works within a bubble of synctest.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (p pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}
func (p pipes) Addr() net.Addr { return &net.TCPAddr{} }
func (p pipes) Close() error   { close(p.closed); return nil }

func (p pipes) dial(context.Context, string, string) (net.Conn, error) {
	here, there := net.Pipe()
	select {
	case p.conns <- there:
		return here, nil
	case <-p.closed: // dialed for a request that had another connection before
		return nil, net.ErrClosed
	}
}

// bubble runs f in a bubble, with a client of a server that h makes.
func bubble(t *testing.T, h http.Handler, f func(t *testing.T, c *Client, url string)) {
	synctest.Test(t, func(t *testing.T) {
		const url = "http://93.184.216.34/a"
		p := pipes{make(chan net.Conn), make(chan struct{})}
		server := &http.Server{Handler: h}
		go server.Serve(p)
		c := New(Config{Dial: p.dial, Policy: Policy{Linked: []string{url}}})
		f(t, c, url)
		c.Close()
		server.Close()
		synctest.Wait()
	})
}

func readWide(c *Client, url string, off, n int64) ([]byte, error) {
	w, err := c.GetWide(context.Background(), url, off, n, func() int64 { return 1 })
	if err != nil {
		return nil, err
	}
	defer w.Close()
	return io.ReadAll(w)
}

// Where nothing is lost one request is enough.
func TestWideIsOneRequest(t *testing.T) {
	l := &lossy{data: content(300_000), stops: never}
	bubble(t, l, func(t *testing.T, c *Client, url string) {
		for k, r := range [][2]int64{{0, -1}, {0, 300_000}, {1000, 200_000}, {299_000, -1}} {
			end := r[0] + r[1]
			if r[1] < 0 {
				end = int64(len(l.data))
			}
			if got, err := readWide(c, url, r[0], r[1]); err != nil || !bytes.Equal(got, l.data[r[0]:end]) {
				t.Errorf("%v: %d bytes, %v", r, len(got), err)
			}
			if n := len(l.asked()); n != k+1 {
				t.Errorf("%v: %d requests", r, n-k)
			}
		}
	})
}

// What pauses is asked for once more, in pieces, from where it stopped; the next
// time it is asked for in pieces from the beginning.
func TestWideGoesOn(t *testing.T) {
	l := &lossy{data: content(200_000), stops: func(n int) int {
		if n%4 == 0 {
			return 5000
		}
		return -1
	}}
	bubble(t, l, func(t *testing.T, c *Client, url string) {
		for k, r := range [][2]int64{{0, -1}, {0, -1}, {1000, 150_000}, {190_000, 5000}} {
			before := len(l.asked())
			end := r[0] + r[1]
			if r[1] < 0 {
				end = int64(len(l.data))
			}
			if got, err := readWide(c, url, r[0], r[1]); err != nil || !bytes.Equal(got, l.data[r[0]:end]) {
				t.Fatalf("%v: %d bytes, %v", r, len(got), err)
			}
			asked := l.asked()[before:]
			if pieces := (end-r[0])/pieceSize + 1; int64(len(asked)) < pieces || int64(len(asked)) > 2*pieces {
				t.Errorf("%v: asked for %v", r, asked)
			}
			if k == 1 && asked[0] != fmt.Sprintf("bytes=0-%d", pieceSize-1) {
				t.Errorf("began with %q", asked[0])
			}
		}
	})
}

// What comes steadily but too slowly is asked for in pieces, too.
func TestWideIsInTime(t *testing.T) {
	l := &lossy{data: content(200_000), stops: never, pace: 300 * time.Millisecond}
	bubble(t, l, func(t *testing.T, c *Client, url string) {
		w, err := c.GetWide(context.Background(), url, 0, -1, func() int64 { return 200_000 })
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		got, err := io.ReadAll(w)
		if err != nil || !bytes.Equal(got, l.data) {
			t.Errorf("%d bytes, %v", len(got), err)
		}
		if n := len(l.asked()); n < 2 {
			t.Errorf("%d requests", n)
		}
	})
}

// A server that does not know ranges is found out once, and then asked plainly.
func TestWideWithoutRanges(t *testing.T) {
	l := &lossy{data: content(100_000), plain: true, stops: func(n int) int {
		if n == 0 {
			return 5000
		}
		return -1
	}}
	bubble(t, l, func(t *testing.T, c *Client, url string) {
		if _, err := readWide(c, url, 0, -1); !errors.Is(err, ErrRange) {
			t.Error(err)
		}
		synctest.Wait() // requests that were given up may still come
		before := len(l.asked())
		if got, err := readWide(c, url, 0, -1); err != nil || !bytes.Equal(got, l.data) || len(l.asked()) != before+1 {
			t.Errorf("%d bytes, %v, %d requests", len(got), err, len(l.asked())-before)
		}
	})
}

// What a server does not tell the size of is not taken for ended after its first piece.
func TestWideOfUnknownSize(t *testing.T) {
	data := content(100_000)
	c, base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		var first, last int
		if n, _ := fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-%d", &first, &last); n < 2 {
			w.Write(data)
			return
		}
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/*", first, last))
		w.WriteHeader(http.StatusPartialContent)
		w.Write(data[first : last+1])
	})
	c.paused()
	if got, err := readWide(c, base+"/a", 0, -1); !errors.Is(err, ErrRange) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if got, err := readWide(c, base+"/a", 0, -1); err != nil || !bytes.Equal(got, data) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

func TestWideFails(t *testing.T) {
	l := &lossy{data: content(100_000), stops: never}
	c, base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/a" {
			http.NotFound(w, r)
			return
		}
		l.ServeHTTP(w, r)
	})
	var status *StatusError
	if _, err := readWide(c, base+"/b", 0, -1); !errors.As(err, &status) {
		t.Error(err)
	}
	c.paused()
	if _, err := readWide(c, base+"/b", 0, -1); !errors.As(err, &status) {
		t.Error(err)
	}
	if _, err := readWide(c, base+"/b", 0, 50_000); !errors.As(err, &status) {
		t.Error(err)
	}
	// Ended half-way.
	ctx, cancel := context.WithCancel(context.Background())
	w, err := c.GetWide(ctx, base+"/a", 0, -1, func() int64 { return 1 })
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	cancel()
	if _, err := io.ReadAll(w); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
