package origin

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// spareFor is how long a spare connection is kept for a request to come. A player
	// asks for the first segment as soon as it has read the playlists.
	spareFor = 2 * time.Second
	// maxSpared is to how many servers there are spare connections: to those of the
	// playlist and of the segments.
	maxSpared = 2
)

// spares dials, and opens connections before they are asked for. The transport has
// one from the playlist when several requests are made for the first segment; the
// others would each wait a round trip for theirs.
type spares struct {
	dialer
	count atomic.Int32 // to one server

	mu    sync.Mutex
	ready map[string][]<-chan net.Conn // guarded by mu; each brings a connection, or is closed
}

// answered opens the spare connections to u's server once it has answered with resp,
// unless one connection carries all requests there. A server that fails, for it has too
// much to do perhaps, is not given more.
func (s *spares) answered(u *url.URL, resp *http.Response) {
	if resp.StatusCode >= http.StatusBadRequest {
		return
	}
	addr := hostPort(u)
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, known := s.ready[addr]; known || len(s.ready) == maxSpared {
		return
	}
	s.ready[addr] = nil
	if resp.ProtoMajor > 1 || resp.Close {
		return
	}
	for range s.count.Load() {
		s.ready[addr] = append(s.ready[addr], s.open(addr))
	}
}

func (s *spares) open(addr string) <-chan net.Conn {
	ready := make(chan net.Conn)
	go func() {
		defer close(ready)
		conn, err := s.dialer.DialContext(s.closed, "tcp", addr)
		if err != nil {
			return // a request that needs one finds out itself
		}
		unwanted := time.NewTimer(spareFor)
		defer unwanted.Stop()
		select {
		case ready <- conn:
			return
		case <-unwanted.C:
		case <-s.closed.Done():
		}
		conn.Close()
	}()
	return ready
}

// DialContext returns a spare connection to addr, or makes one.
func (s *spares) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	for spare := s.take(addr); spare != nil; spare = s.take(addr) {
		select {
		case conn, ok := <-spare:
			if ok {
				return conn, nil
			}
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return s.dialer.DialContext(ctx, network, addr)
}

// take returns a spare connection to addr, which may be in the making, or nil.
func (s *spares) take(addr string) <-chan net.Conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	ready := s.ready[addr]
	if len(ready) == 0 {
		return nil
	}
	s.ready[addr] = ready[1:]
	return ready[0]
}
