package proxy

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// headerTimeout is how long a connection may take to send a request's header.
	headerTimeout = 5 * time.Second
	// idleTimeout outlasts the longest sensible target duration, so that a
	// player keeps its connection between polls.
	idleTimeout = 90 * time.Second
	// writeStall is how long a player may take no byte at all of what we send. A
	// paused player does that on purpose when its buffers are full; a segment's
	// worth of kernel buffer and two minutes cover a coffee, not a dead player.
	writeStall = 2 * time.Minute
	// maxHeader bounds a request's header: browsers send about 1 KiB.
	maxHeader = 8 << 10
	// maxMounts bounds the channels open at a time, all of whose tokens every
	// request is compared with.
	maxMounts = 64
	// tokenLen is the length of a token's text: 128 bits in hex.
	tokenLen = 32
)

// Config says where to listen.
type Config struct {
	// Addr is HOST:PORT; default 127.0.0.1:0. HOST is a loopback address or
	// localhost unless Remote is set.
	Addr string
	// Remote allows other addresses: whoever has a channel's URL can then watch
	// through this machine. Only ever from an explicit choice of the user.
	Remote bool
	// Listener, if not nil, is used instead of opening Addr. Its address must
	// satisfy the same rules.
	Listener net.Listener
	// Log gets what goes wrong, without paths: they hold tokens. May be nil.
	Log *slog.Logger
}

// Server is the listener that all channels' mounts share.
type Server struct {
	log      *slog.Logger
	guard    *guard
	listener net.Listener
	http     *http.Server
	conns    conns
	rejected atomic.Int64
	lastConn atomic.Uint64 // numbers connections, see connKey
	done     chan struct{} // closed by Close
	close    sync.Once

	mu     sync.Mutex
	mounts []*Mount
}

// connKey is the context key of a connection's number (uint64).
type connKey struct{}

// New opens the listener. Nothing is answered before Run.
func New(cfg Config) (*Server, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Addr == "" {
		cfg.Addr = "127.0.0.1:0"
	}
	l := cfg.Listener
	if l == nil {
		addr, err := listenAddr(cfg.Addr, cfg.Remote)
		if err != nil {
			return nil, fmt.Errorf("open proxy: %w", err)
		}
		if l, err = net.Listen("tcp", addr); err != nil {
			return nil, fmt.Errorf("open proxy: %w", err)
		}
	} else if _, err := listenAddr(l.Addr().String(), cfg.Remote); err != nil {
		return nil, fmt.Errorf("open proxy: %w", err)
	}
	g, err := newGuard(l.Addr(), cfg.Remote)
	if err != nil {
		l.Close()
		return nil, fmt.Errorf("open proxy: %w", err)
	}
	s := &Server{log: cfg.Log, guard: g, listener: l, done: make(chan struct{})}
	s.conns.all = make(map[net.Conn]connState)
	s.http = &http.Server{
		Handler:           s,
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		ConnState:         s.conns.hook,
		ConnContext: func(ctx context.Context, _ net.Conn) context.Context {
			return context.WithValue(ctx, connKey{}, s.lastConn.Add(1))
		},
		ErrorLog:                     slog.NewLogLogger(cfg.Log.Handler(), slog.LevelDebug),
		DisableGeneralOptionsHandler: true, // our guard answers OPTIONS * as well
	}
	return s, nil
}

// Addr is where the server listens.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// Run answers requests until ctx ends or Close is called, then ends those under
// way and returns once all handlers and connections are done.
func (s *Server) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s.http.BaseContext = func(net.Listener) context.Context { return ctx }
	stop := context.AfterFunc(ctx, func() { s.Close() })
	defer stop()
	err := s.http.Serve(s.listener)
	cancel() // held requests end
	s.http.Close()
	s.conns.open.Wait()
	select {
	case <-s.done:
		return nil
	default:
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("serve proxy: %w", err)
}

// Close closes the listener and ends Run. It may be called at any time, and more
// than once; its error is always nil.
func (s *Server) Close() error {
	s.close.Do(func() {
		close(s.done)
		s.listener.Close() // http.Server knows it only from Serve on
		s.http.Close()
	})
	return nil
}

// Rejected counts the requests that were refused before a mount saw them.
func (s *Server) Rejected() int64 { return s.rejected.Load() }

// Mount puts a channel behind a fresh token. page, if not nil, is the web player
// below /TOKEN/web/.
func (s *Server) Mount(ch Channel, page *Page) (*Mount, error) {
	var token [tokenLen / 2]byte
	rand.Read(token[:])
	m := newMount(ch, hex.EncodeToString(token[:]), page)
	m.server = s
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.mounts) >= maxMounts {
		return nil, fmt.Errorf("mount channel: %d are open already", maxMounts)
	}
	s.mounts = append(s.mounts, m)
	return m, nil
}

func (s *Server) unmount(m *Mount) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, o := range s.mounts {
		if o == m {
			s.mounts = append(s.mounts[:i:i], s.mounts[i+1:]...)
			return
		}
	}
}

// mount returns the mount whose token this is, or nil. All are compared, each in
// constant time, so that the time tells nothing of how much of a guess was right.
func (s *Server) mount(token string) *Mount {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found *Mount
	for _, m := range s.mounts {
		if subtle.ConstantTimeCompare([]byte(m.token), []byte(token)) == 1 {
			found = m
		}
	}
	return found
}

// ServeHTTP is the way in of every request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Referrer-Policy", "no-referrer") // the token is in our URLs
	h.Set("Cache-Control", "no-store")      // a browser's cache is a history of what was watched
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	extend(w)
	if status := s.guard.check(r); status != 0 {
		s.rejected.Add(1)
		// A body that was announced may never come: do not wait for it.
		http.NewResponseController(w).SetReadDeadline(time.Now().Add(time.Second))
		h.Set("Connection", "close")
		if status == http.StatusMethodNotAllowed {
			h.Set("Allow", "GET, HEAD")
		}
		fail(w, status)
		return
	}
	token, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	m := s.mount(token)
	if m == nil || r.URL.RawPath != "" { // nothing of ours needs unusual escapes
		s.rejected.Add(1)
		fail(w, http.StatusNotFound)
		return
	}
	m.serve(w, r, rest)
}

// extend gives the player writeStall from now to take the next bytes.
func extend(w http.ResponseWriter) {
	http.NewResponseController(w).SetWriteDeadline(time.Now().Add(writeStall))
}

// fail answers with a status and nothing that tells one failure from another.
func fail(w http.ResponseWriter, status int) {
	h := w.Header()
	h.Del("Content-Length")
	h.Set("Content-Type", "text/plain; charset=utf-8")
	if status == http.StatusServiceUnavailable {
		h.Set("Retry-After", "1")
	}
	extend(w)
	w.WriteHeader(status)
	// The reason phrase only: nothing of the request is echoed.
	w.Write([]byte(http.StatusText(status) + "\n"))
}
