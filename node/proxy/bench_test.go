package proxy

import (
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"coral/store/segment"
)

// benchSize is a segment of 6 s at 8 Mbit/s.
const benchSize = 6 << 20

// memory is a session whose one segment is all there.
type memory struct {
	Channel
	data []byte
}

func (m memory) Name() string                                     { return "bench" }
func (m memory) Open(context.Context, segment.ID) (Object, error) { return m, nil }
func (m memory) Size() int64                                      { return int64(len(m.data)) }
func (m memory) ContentType() string                              { return "" }
func (m memory) Close()                                           {}

func (m memory) ReadAt(_ context.Context, p []byte, off int64) (int, error) {
	if off >= int64(len(m.data)) {
		return 0, io.EOF
	}
	return copy(p, m.data[off:]), nil
}

// BenchmarkProxy is what a player gets from the proxy when all blocks are there;
// BenchmarkNetHTTP is the same bytes from net/http's file server, which lets the
// kernel copy the file to the socket (sendfile).
func BenchmarkProxy(b *testing.B) {
	s, err := New(Config{})
	if err != nil {
		b.Fatal(err)
	}
	m, err := s.Mount(memory{data: make([]byte, benchSize)}, nil)
	if err != nil {
		b.Fatal(err)
	}
	done := make(chan error)
	go func() { done <- s.Run(context.Background()) }()
	u := m.URL()
	fetch(b, u[:len(u)-len(masterName)]+"0/1.ts")
	s.Close()
	<-done
}

func BenchmarkNetHTTP(b *testing.B) {
	dir := b.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "1.ts"), make([]byte, benchSize), 0o600); err != nil {
		b.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	s := &http.Server{Handler: http.FileServer(http.Dir(dir))}
	done := make(chan error)
	go func() { done <- s.Serve(l) }()
	fetch(b, "http://"+l.Addr().String()+"/1.ts")
	s.Close()
	<-done
}

func fetch(b *testing.B, url string) {
	c := &http.Client{Transport: &http.Transport{DisableCompression: true, ReadBufferSize: 64 << 10}}
	defer c.CloseIdleConnections()
	b.SetBytes(benchSize)
	b.ReportAllocs()
	for b.Loop() {
		res, err := c.Get(url)
		if err != nil {
			b.Fatal(err)
		}
		n, err := io.Copy(io.Discard, res.Body)
		res.Body.Close()
		if err != nil || n != benchSize {
			b.Fatalf("%d bytes, %v", n, err)
		}
	}
}
