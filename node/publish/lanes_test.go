package publish

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"coral/store/segment"
)

// blob serves bytes, by ranges if it knows them, and counts requests.
type blob struct {
	data     []byte
	plain    bool // knows no ranges
	changing bool // says another size each time
	cut      bool // breaks off in the middle of any range but the first
	requests atomic.Int32
}

func (b *blob) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n := b.requests.Add(1)
	data := b.data
	if b.changing {
		data = append(bytes.Clone(data), make([]byte, n)...)
	}
	if b.plain {
		r.Header.Del("Range")
	}
	if b.cut && n > 1 {
		w = &cutWriter{w, 1000}
	}
	http.ServeContent(w, r, "a.ts", time.Time{}, bytes.NewReader(data))
}

// cutWriter breaks the connection after left bytes.
type cutWriter struct {
	http.ResponseWriter
	left int
}

func (c *cutWriter) Write(p []byte) (int, error) {
	if c.left -= len(p); c.left < 0 {
		panic(http.ErrAbortHandler)
	}
	return c.ResponseWriter.Write(p)
}

// serve returns who reads from a server, and its URL.
func serve(t *testing.T, h http.Handler) (*remote, string) {
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	r, err := openRemote(&Config{Source: server.URL + "/index.m3u8"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.close() })
	return r, server.URL
}

// What several requests bring is what one would have brought.
func TestSplit(t *testing.T) {
	data := make([]byte, 11*segment.BlockSize+777)
	rng := rand.NewChaCha8([32]byte{1})
	rng.Read(data)
	for _, c := range []struct {
		name     string
		blob     *blob
		off, n   int64
		lanes    int
		requests int32
		fails    bool
	}{
		{name: "one", n: -1, lanes: 1, requests: 1},
		// The first asks for two blocks, and no other one for less.
		{name: "eight", n: -1, lanes: 8, requests: 1 + 4},
		{name: "three", n: -1, lanes: 3, requests: 3},
		{name: "byte range", off: 5, n: 6*segment.BlockSize + 1, lanes: 8, requests: 1 + 2},
		{name: "to the end from within", off: 4 * segment.BlockSize, n: -1, lanes: 8, requests: 1 + 2},
		{name: "small", off: 10, n: 100, lanes: 8, requests: 1},
		{name: "a range beyond the end", off: 10 * segment.BlockSize, n: 3 * segment.BlockSize, lanes: 8, requests: 1},
		{name: "no ranges", blob: &blob{plain: true}, n: -1, lanes: 8, requests: 2},
		{name: "changing", blob: &blob{changing: true}, n: -1, lanes: 8, requests: 1 + 4, fails: true},
		{name: "cut off", blob: &blob{cut: true}, n: -1, lanes: 8, fails: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.blob == nil {
				c.blob = &blob{}
			}
			c.blob.data = data
			r, url := serve(t, c.blob)
			body, size, err := r.get(context.Background(), url+"/a.ts", c.off, c.n, c.lanes)
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(body)
			body.Close()
			if c.fails {
				if err == nil {
					t.Fatal("no error")
				}
				return
			}
			want := data[c.off:]
			if c.n >= 0 {
				want = want[:min(c.n, int64(len(want)))]
			}
			if err != nil || !bytes.Equal(got, want) {
				t.Fatalf("%d bytes of %d, %v", len(got), len(want), err)
			}
			if size != int64(len(want)) {
				t.Errorf("size %d, want %d", size, len(want))
			}
			if n := c.blob.requests.Load(); n != c.requests {
				t.Errorf("%d requests, want %d", n, c.requests)
			}
			if c.blob.plain { // it is not tried again
				body, _, err := r.get(context.Background(), url+"/a.ts", 0, -1, c.lanes)
				if err != nil {
					t.Fatal(err)
				}
				body.Close()
				if n := c.blob.requests.Load(); n != c.requests+1 {
					t.Errorf("%d requests the second time, want 1", n-c.requests)
				}
			}
		})
	}
}

// Closing before the end ends all requests.
func TestSplitClosed(t *testing.T) {
	b := &blob{data: make([]byte, 8<<20)}
	r, url := serve(t, b)
	body, _, err := r.get(context.Background(), url+"/a.ts", 0, -1, 8)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(body, make([]byte, 10)); err != nil {
		t.Fatal(err)
	}
	body.Close()
}
