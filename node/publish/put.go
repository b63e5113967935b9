package publish

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"coral/node/origin"
	"coral/store/segment"
)

const (
	// inboxDir is where what an encoder PUTs is kept, below the state folder.
	inboxDir = "inbox"
	// halfDir is where it is until it is whole, within the inbox.
	halfDir = ".incoming"
	// inboxBytes and inboxFiles bound the inbox. The oldest segments make room:
	// what was signed is held by the sink. Ten minutes of 20 Mbit/s are 1.5 GB.
	inboxBytes = 2 << 30
	inboxFiles = 8192
	// putIdle is how long an encoder may be silent within a request. One that
	// sends a segment while it encodes it is, for up to a segment's length.
	putIdle = time.Minute
	// putConns bounds connections: an encoder has a few for each rendition.
	putConns = 64
	// maxPath and maxElements bound a name.
	maxPath     = 512
	maxElements = 8
)

// put receives a channel by HTTP from an encoder (ffmpeg -method PUT, and
// others) into a folder. It asks for no password: who can connect can write, so
// it listens at the address that was given and no other, and web pages are kept
// out. What was received becomes visible whole or not at all.
type put struct {
	folder
	prefix   string // of the path, with slashes around it
	listener net.Listener
	guard    *guard
	box      *inbox

	mu     sync.Mutex
	change chan struct{}
}

func openPut(cfg *Config, dir string) (_ *put, err error) {
	u, err := url.Parse(cfg.Source)
	if err != nil || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return nil, fmt.Errorf("open source %s: want put://HOST:PORT/", cfg.Source)
	}
	host, port, err := net.SplitHostPort(u.Host)
	if err != nil || port == "" {
		return nil, fmt.Errorf("open source %s: want put://HOST:PORT/", cfg.Source)
	}
	if host == "localhost" {
		host = "127.0.0.1"
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return nil, fmt.Errorf("open source %s: HOST must be an IP address of this machine (127.0.0.1 for this machine only)", cfg.Source)
	}
	p := &put{change: make(chan struct{}), prefix: path.Clean("/"+u.Path) + "/"}
	if p.prefix == "//" {
		p.prefix = "/"
	}
	if err := os.MkdirAll(filepath.Join(dir, halfDir), 0o700); err != nil {
		return nil, fmt.Errorf("open source: %w", err)
	}
	f, err := openFolder(dir)
	if err != nil {
		return nil, err
	}
	p.root, p.chosen.fsys = f.root, f.chosen.fsys
	if p.box, err = openInbox(p.root); err != nil {
		p.root.Close()
		return nil, err
	}
	if p.listener, err = net.Listen("tcp", net.JoinHostPort(ip.String(), port)); err != nil {
		p.root.Close()
		return nil, fmt.Errorf("open source: %w", err)
	}
	p.guard = newGuard(p.listener.Addr())
	return p, nil
}

// Addr is where the encoder connects.
func (p *put) Addr() net.Addr { return p.listener.Addr() }

func (p *put) changed() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.change
}

func (p *put) run(ctx context.Context) error {
	s := &http.Server{
		Handler: p, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 5 * putIdle, MaxHeaderBytes: 16 << 10,
		ErrorLog: quietLog(),
		// Called in the order in which connections are made, as no handler is.
		ConnContext: func(ctx context.Context, _ net.Conn) context.Context {
			first := p.box.turn()
			return context.WithValue(ctx, firstTurn{}, &first)
		},
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve(limitConns(p.listener, putConns)) }()
	select {
	case err := <-done:
		return fmt.Errorf("receive: %w", err)
	case <-ctx.Done():
		s.Close()
		<-done
		return nil
	}
}

func (p *put) close() error {
	p.listener.Close()
	return p.root.Close()
}

func (p *put) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	code, err := p.serve(w, r)
	if err != nil {
		w.Header().Set("Connection", "close") // the rest of the body is not read
		http.Error(w, err.Error(), code)
		return
	}
	w.WriteHeader(code)
}

func (p *put) serve(w http.ResponseWriter, r *http.Request) (code int, err error) {
	if !p.guard.pass(r) {
		return http.StatusForbidden, errors.New("not for web pages, nor under another name")
	}
	name, err := p.name(r.URL.Path)
	if err != nil {
		return http.StatusBadRequest, err
	}
	switch r.Method {
	case http.MethodPut, http.MethodPost:
		err = p.receive(w, r, name)
	case http.MethodDelete:
		if err = p.box.remove(name); errors.Is(err, fs.ErrNotExist) {
			return http.StatusNotFound, errors.New("no such file")
		}
	default:
		w.Header().Set("Allow", "PUT, POST, DELETE")
		return http.StatusMethodNotAllowed, errors.New("PUT, POST or DELETE")
	}
	var limit *http.MaxBytesError
	switch {
	case errors.As(err, &limit):
		return http.StatusRequestEntityTooLarge, errors.New("larger than a segment or playlist may be")
	case errors.Is(err, errInboxFull):
		return http.StatusInsufficientStorage, err
	case err != nil:
		return http.StatusInternalServerError, errors.New("not stored")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.change)
	p.change = make(chan struct{})
	return http.StatusNoContent, nil
}

// name checks a path and makes it one within the inbox.
func (p *put) name(raw string) (string, error) {
	name, ok := strings.CutPrefix(raw, p.prefix)
	bad := errors.New("bad path")
	if !ok || len(name) > maxPath || !fs.ValidPath(name) || name == "." || strings.Count(name, "/") >= maxElements {
		return "", bad
	}
	for i := range len(name) {
		// What some file system takes for something else, and control characters.
		if c := name[i]; c < ' ' || c == 0x7f || strings.IndexByte(`\:*?"<>|`, c) >= 0 {
			return "", bad
		}
	}
	for e := range strings.SplitSeq(name, "/") {
		if e[0] == '.' || strings.TrimRight(e, ". ") != e || !filepath.IsLocal(e) {
			return "", bad
		}
	}
	return name, nil
}

// receive stores a body under a name.
func (p *put) receive(w http.ResponseWriter, r *http.Request, name string) error {
	limit := int64(segment.MaxSize)
	if ext := strings.ToLower(path.Ext(name)); ext == ".m3u8" || ext == ".m3u" {
		limit = origin.MaxPlaylist
	}
	if r.ContentLength > limit {
		return &http.MaxBytesError{Limit: limit}
	}
	body := &patient{r: http.MaxBytesReader(w, r.Body, limit), c: http.NewResponseController(w)}
	return p.box.store(p.turn(r), name, body)
}

// firstTurn is the key of a connection's turn: that of its first request.
type firstTurn struct{}

// turn returns r's place among all requests. A connection has one at a time.
func (p *put) turn(r *http.Request) uint64 {
	first, _ := r.Context().Value(firstTurn{}).(*uint64)
	if first == nil || *first == 0 {
		return p.box.turn()
	}
	turn := *first
	*first = 0
	return turn
}

// patient gives each read of a body its time.
type patient struct {
	r io.Reader
	c *http.ResponseController
}

func (p *patient) Read(b []byte) (int, error) {
	p.c.SetReadDeadline(time.Now().Add(putIdle)) // not possible with every server; then without
	return p.r.Read(b)
}
