package origin

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"coral/store/segment"
)

func content(n int) []byte {
	data := make([]byte, n)
	r := rand.NewChaCha8([32]byte{1})
	r.Read(data)
	return data
}

func TestGet(t *testing.T) {
	data := content(300_000)
	var sent atomic.Value
	c, base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		sent.Store(r.Header.Clone())
		w.Header().Set("Content-Type", "video/mp2t")
		if r.URL.Path == "/norange" {
			w.Header().Set("Content-Length", strconv.Itoa(len(data)))
			w.Write(data)
			return
		}
		if r.URL.Path == "/chunked" {
			for i := 0; i < len(data); i += 50_000 {
				w.Write(data[i:min(len(data), i+50_000)])
				w.(http.Flusher).Flush()
			}
			return
		}
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
	})
	size := int64(len(data))
	for _, f := range []struct {
		path   string
		off, n int64
		size   int64
		want   []byte
		rng    string
		end    error
	}{
		{"/a", 0, -1, size, data, "", nil},
		{"/a", 0, 1000, size, data[:1000], "bytes=0-999", nil},
		{"/a", 1000, 5000, size, data[1000:6000], "bytes=1000-5999", nil},
		{"/a", 299_999, -1, size, data[299_999:], "bytes=299999-", nil},
		{"/a", 299_000, 5000, size, data[299_000:], "bytes=299000-303999", nil},
		{"/a", 0, 0, -1, nil, "", nil},
		{"/norange", 0, -1, size, data, "", nil},
		{"/norange", 70_000, 5000, size, data[70_000:75_000], "bytes=70000-74999", nil},
		{"/norange", 70_000, -1, size, data[70_000:], "bytes=70000-", nil},
		{"/chunked", 0, -1, -1, data, "", nil},
		{"/chunked", 70_000, 5000, -1, data[70_000:75_000], "bytes=70000-74999", nil},
		{"/chunked", 299_000, 5000, -1, data[299_000:], "bytes=299000-303999", nil},
	} {
		name := fmt.Sprintf("%s %d %d", f.path, f.off, f.n)
		sent.Store(http.Header{})
		b, err := c.Get(t.Context(), base+f.path, f.off, f.n)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got, err := io.ReadAll(b)
		b.Close()
		if err != f.end || !bytes.Equal(got, f.want) || b.Size != f.size || b.Offset != f.off {
			t.Errorf("%s: %d bytes of %d from %d, %v", name, len(got), b.Size, b.Offset, err)
		}
		h := sent.Load().(http.Header)
		if h.Get("Range") != f.rng {
			t.Errorf("%s: asked for %q", name, h.Get("Range"))
		}
		if f.n != 0 && (h.Get("Accept-Encoding") != "identity" || h.Get("User-Agent") != "Coral" || len(h) > 4 || b.ContentType != "video/mp2t") {
			t.Errorf("%s: header %v, content type %q", name, h, b.ContentType)
		}
	}
	for _, f := range []struct {
		path   string
		off, n int64
		want   error
	}{
		{"/a", size, 10, &StatusError{Code: 416}},
		{"/norange", size, 10, ErrRange},
		{"/chunked", size + 1, 10, ErrRange},
		{"/norange", maxSkip + 1, 10, ErrRange},
		{"/a", -1, 10, ErrRange},
		{"/a", maxOffset + 1, 10, ErrRange},
		{"/a", 0, segment.MaxSize + 1, ErrTooLarge},
	} {
		b, err := c.Get(t.Context(), base+f.path, f.off, f.n)
		if err == nil {
			b.Close()
		}
		if !same(err, f.want) {
			t.Errorf("%s %d %d: %v, want %v", f.path, f.off, f.n, err, f.want)
		}
	}
	if s := c.Stats(); s.Requests < 15 || s.Bytes < 3*size {
		t.Errorf("%+v", s)
	}
}

// same is errors.Is, with statuses compared by code.
func same(err, want error) bool {
	var s, w *StatusError
	if errors.As(want, &w) {
		return errors.As(err, &s) && s.Code == w.Code
	}
	return errors.Is(err, want)
}

// Servers that answer ranges wrongly: never are other bytes returned than those
// asked for.
func TestWrongRanges(t *testing.T) {
	data := content(1000)
	var header string
	var body []byte
	c, base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if header != "" {
			w.Header().Set("Content-Range", header)
		}
		w.WriteHeader(http.StatusPartialContent)
		w.Write(body)
	})
	for _, f := range []struct {
		header string
		body   []byte
		want   []byte
		err    error // of Get, or of reading
	}{
		{"bytes 100-199/1000", data[100:200], data[100:200], nil},
		{"bytes 100-199/*", data[100:200], data[100:200], nil},
		{" bytes 100 - 199 / 1000", data[100:200], data[100:200], nil},
		{"bytes 50-199/1000", data[50:200], data[100:200], nil},                   // began earlier
		{"bytes 100-149/1000", data[100:150], data[100:150], nil},                 // less
		{"bytes 100-999/1000", data[100:], data[100:200], nil},                    // more
		{"bytes 100-199/1000", data[100:150], data[100:150], io.ErrUnexpectedEOF}, // less than it says
		{"bytes 101-199/1000", data[101:200], nil, ErrRange},
		{"bytes 0-99/1000", data[:100], nil, ErrRange},
		{"bytes 199-100/1000", data, nil, ErrRange},
		{"bytes 100-199/150", data, nil, ErrRange},
		{"bytes -5-199/1000", data, nil, ErrRange},
		{"bytes 100-99999999999999999999/1000", data, nil, ErrRange},
		{"items 100-199/1000", data, nil, ErrRange},
		{"bytes */1000", data, nil, ErrRange},
		{"", data, nil, ErrRange},
	} {
		header, body = f.header, f.body
		b, err := c.Get(t.Context(), base, 100, 100)
		var got []byte
		if err == nil {
			got, err = io.ReadAll(b)
			b.Close()
		}
		if !errors.Is(err, f.err) || !bytes.Equal(got, f.want) {
			t.Errorf("%q: %d bytes, %v", f.header, len(got), err)
		}
	}
	// A 206 that nobody asked for.
	header = "bytes 0-99/1000"
	if _, err := c.Get(t.Context(), base, 0, -1); !same(err, &StatusError{Code: 206}) {
		t.Error(err)
	}
}

func TestStatus(t *testing.T) {
	c, base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		code, _ := strconv.Atoi(r.URL.Path[1:])
		w.Header().Set("Retry-After", r.URL.Query().Get("after"))
		w.WriteHeader(code)
		io.WriteString(w, "sorry")
	})
	for _, code := range []int{201, 204, 300, 304, 400, 401, 403, 404, 410, 429, 500, 502, 503, 599} {
		for after, want := range map[string]time.Duration{"": 0, "3": 3 * time.Second, "-1": 0, "999999999999": maxRetryAfter, "soon": 0} {
			_, err := c.Get(t.Context(), fmt.Sprintf("%s/%d?after=%s", base, code, after), 0, -1)
			var s *StatusError
			if !errors.As(err, &s) || s.Code != code || s.RetryAfter != want {
				t.Errorf("%d, retry after %q: %v %+v", code, after, err, s)
			}
		}
	}
}

func TestOversized(t *testing.T) {
	c, base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/told" {
			w.Header().Set("Content-Length", strconv.Itoa(segment.MaxSize+1))
			return
		}
		n := segment.MaxSize
		if r.URL.Path == "/over" {
			n++
		}
		buf := make([]byte, 1<<20)
		for n > 0 {
			k, err := w.Write(buf[:min(n, len(buf))])
			if err != nil {
				return
			}
			n -= k
		}
	})
	if _, err := c.Get(t.Context(), base+"/told", 0, -1); !errors.Is(err, ErrTooLarge) {
		t.Error(err)
	}
	for path, want := range map[string]error{"/full": nil, "/over": ErrTooLarge} {
		b, err := c.Get(t.Context(), base+path, 0, -1)
		if err != nil {
			t.Fatal(err)
		}
		n, err := io.Copy(io.Discard, b)
		b.Close()
		if n != segment.MaxSize || !errors.Is(err, want) {
			t.Errorf("%s: %d bytes, %v", path, n, err)
		}
	}
}

func TestEncodedSegment(t *testing.T) {
	c, base := serve(t, func(w http.ResponseWriter, r *http.Request) { w.Header().Set("Content-Encoding", r.URL.Path[1:]) })
	for e, want := range map[string]error{"gzip": ErrEncoded, "br": ErrEncoded, "identity": nil, "Identity": nil} {
		b, err := c.Get(t.Context(), base+"/"+e, 0, -1)
		if err == nil {
			b.Close()
		}
		if !errors.Is(err, want) {
			t.Errorf("%s: %v", e, err)
		}
	}
}

func TestTruncated(t *testing.T) {
	c, base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		conn, rw, _ := w.(http.Hijacker).Hijack()
		defer conn.Close()
		switch r.URL.Path {
		case "/length":
			io.WriteString(rw, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
		case "/chunked":
			io.WriteString(rw, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nhalf")
		case "/header":
			io.WriteString(rw, "HTTP/1.1 200 OK\r\nContent-")
		case "/garbage":
			io.WriteString(rw, "SSH-2.0-OpenSSH_9.2\r\n")
		case "/bigheader":
			io.WriteString(rw, "HTTP/1.1 200 OK\r\nX: "+big(2*maxHeader)+"\r\n\r\n")
		}
		rw.Flush()
	})
	for _, path := range []string{"/length", "/chunked", "/header", "/garbage", "/bigheader", "/nothing"} {
		b, err := c.Get(t.Context(), base+path, 0, -1)
		if err == nil {
			_, err = io.ReadAll(b)
			b.Close()
			if !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("%s: %v", path, err)
			}
		} else if path == "/length" || path == "/chunked" || errors.Is(err, ErrStalled) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestStalls(t *testing.T) {
	release := make(chan struct{})
	var releaseOnce sync.Once
	t.Cleanup(func() { releaseOnce.Do(func() { close(release) }) })
	c, base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/body":
			w.Write(content(1000))
			w.(http.Flusher).Flush()
		case "/redirect":
			w.Header().Set("Location", "/body")
			w.WriteHeader(302)
			w.Write(content(10))
			w.(http.Flusher).Flush()
		}
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})
	t.Cleanup(func() { releaseOnce.Do(func() { close(release) }) })
	stalledIn := func(what string, f func() error) {
		t.Helper()
		begun := time.Now()
		err := f()
		var timeout net.Error
		if !errors.Is(err, ErrStalled) || !errors.As(err, &timeout) || !timeout.Timeout() {
			t.Errorf("%s: %v", what, err)
		}
		if d := time.Since(begun); d < 140*time.Millisecond || d > 3*time.Second {
			t.Errorf("%s: after %v", what, d)
		}
	}
	stalledIn("header", func() error { _, err := c.Get(t.Context(), base+"/header", 0, -1); return err })
	stalledIn("playlist", func() error { _, _, _, err := c.Playlist(t.Context(), base+"/body", nil); return err })
	b, err := c.Get(t.Context(), base+"/body", 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(b, make([]byte, 1000)); err != nil {
		t.Fatal(err)
	}
	stalledIn("body", func() error { _, err := b.Read(make([]byte, 10)); return err })
	b.Close()
	stalledIn("redirect", func() error {
		b, err := c.Get(t.Context(), base+"/redirect", 0, -1)
		if err != nil {
			return err
		}
		defer b.Close()
		_, err = io.ReadAll(b)
		return err
	})

	// The caller's own limits are not the server's fault.
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := c.Get(ctx, base+"/header", 0, -1); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, ErrStalled) {
		t.Error(err)
	}
	ctx, cancel = context.WithCancel(t.Context())
	b, err = c.Get(ctx, base+"/body", 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := io.ReadAll(b); !errors.Is(err, context.Canceled) || errors.Is(err, ErrStalled) {
		t.Error(err)
	}
	b.Close()

	// And Close ends what is under way.
	b, err = c.Get(t.Context(), base+"/body", 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	io.ReadFull(b, make([]byte, 1000))
	c.Close()
	if _, err := b.Read(make([]byte, 1)); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	b.Close()
	if _, err := c.Get(t.Context(), base, 0, -1); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
}

// A reader that takes its time is not a server that stalls; a body that drips
// is not a stall either, but a playlist that drips is.
func TestSlow(t *testing.T) {
	c, base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		for range 40 {
			if _, err := w.Write(content(100)); err != nil {
				return
			}
			w.(http.Flusher).Flush()
			select {
			case <-time.After(50 * time.Millisecond):
			case <-r.Context().Done():
				return
			}
		}
	})
	if _, _, _, err := c.Playlist(t.Context(), base, nil); !errors.Is(err, ErrStalled) {
		t.Errorf("dripping playlist: %v", err)
	}
	b, err := c.Get(t.Context(), base, 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	io.ReadFull(b, make([]byte, 100))
	time.Sleep(300 * time.Millisecond) // twice the limit
	if n, err := io.Copy(io.Discard, b); n != 900 || err != nil {
		t.Errorf("%d bytes, %v", n, err)
	}
}
