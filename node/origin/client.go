package origin

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// DefaultConnect is how long one address may take to connect, and the TLS
	// handshake. Three SYNs (at 0, 1 and 3 s) fit.
	DefaultConnect = 5 * time.Second
	// DefaultStall is how long the server may be silent, before its answer and
	// within it. A segment that stalls longer is lost for live playback.
	DefaultStall = 5 * time.Second
	// DefaultPlaylist bounds a whole playlist request, which a server could
	// otherwise draw out byte by byte.
	DefaultPlaylist = 10 * time.Second

	// idleTimeout is how long a connection waits for reuse: longer than the
	// longest usual target duration.
	idleTimeout = 60 * time.Second
	// maxIdle is how many connections per host wait for reuse: a node fetches
	// few segments and playlists at a time.
	maxIdle = 8
	// maxConns bounds connections per host, so that one viewer is no burden.
	maxConns = 16
	// maxHeader bounds an answer's header.
	maxHeader = 64 << 10
)

// Config is what a Client needs. The zero value can reach nothing.
type Config struct {
	Policy Policy
	// Dial connects to an IP address and port, which have been checked. Nil:
	// straight. It is where traffic is metered and bound to an interface.
	Dial DialFunc
	// Resolve returns a host's addresses. Nil: the system's resolver.
	Resolve func(ctx context.Context, host string) ([]netip.Addr, error)
	// TLS is cloned. Nil: the system's roots.
	TLS       *tls.Config
	UserAgent string // empty: "Coral"
	Timeouts  Timeouts
}

// Timeouts are how long is waited. Zero: the defaults above.
type Timeouts struct{ Connect, Stall, Playlist time.Duration }

// Stats counts what a Client did.
type Stats struct {
	Requests int64 // sent, those that were redirected included
	Bytes    int64 // of bodies, as they came
}

// Client fetches from a channel's origin.
type Client struct {
	userAgent string
	timeouts  Timeouts
	// The pools are apart, so that a request that must stay outside never finds
	// a connection that was opened into the user's network.
	lan, wan pool
	ctx      context.Context // ends with Close
	close    context.CancelFunc

	requests, bytes atomic.Int64

	// What is known of the way, see Wide.

	trip   atomic.Int64  // the shortest time in which an answer began
	lossy  atomic.Int64  // until when it is taken to lose packets, in Unix nanoseconds
	whole  atomic.Bool   // the server does not know ranges
	pieces chan struct{} // one for each piece that is asked for

	mu    sync.RWMutex
	hosts hosts // guarded by mu
}

// New returns a Client that reaches what cfg.Policy allows.
func New(cfg Config) *Client {
	set := func(d *time.Duration, def time.Duration) {
		if *d <= 0 {
			*d = def
		}
	}
	set(&cfg.Timeouts.Connect, DefaultConnect)
	set(&cfg.Timeouts.Stall, DefaultStall)
	set(&cfg.Timeouts.Playlist, DefaultPlaylist)
	if cfg.UserAgent == "" {
		cfg.UserAgent = "Coral"
	}
	c := &Client{userAgent: cfg.UserAgent, timeouts: cfg.Timeouts, hosts: newHosts(cfg.Policy), pieces: make(chan struct{}, maxPieces)}
	c.ctx, c.close = context.WithCancel(context.Background())
	c.lan, c.wan = newPool(c.ctx, &cfg, anywhere), newPool(c.ctx, &cfg, outside)
	return c
}

// pool is the connections to servers within some reach.
type pool struct {
	usual  *http.Transport
	wide   *http.Transport // for pieces: each request has a connection of its own
	spares *spares         // for usual
}

func newPool(closed context.Context, cfg *Config, r reach) pool {
	d := newDialer(closed, cfg, r)
	p := pool{newTransport(cfg), newTransport(cfg), &spares{dialer: d, ready: make(map[string][]<-chan net.Conn)}}
	p.usual.DialContext = p.spares.DialContext
	d.again = true
	p.wide.DialContext = d.DialContext
	p.wide.MaxConnsPerHost = maxWide
	p.wide.ForceAttemptHTTP2 = false
	return p
}

func (p *pool) closeIdle() {
	p.usual.CloseIdleConnections()
	p.wide.CloseIdleConnections()
}

func newTransport(cfg *Config) *http.Transport {
	t := &http.Transport{
		DisableCompression:     true, // a segment's bytes must be the publisher's
		ForceAttemptHTTP2:      true, // which setting DialContext turns off
		TLSHandshakeTimeout:    cfg.Timeouts.Connect,
		ResponseHeaderTimeout:  cfg.Timeouts.Stall,
		IdleConnTimeout:        idleTimeout,
		MaxIdleConnsPerHost:    maxIdle,
		MaxConnsPerHost:        maxConns,
		MaxResponseHeaderBytes: maxHeader,
		// One HTTP/2 connection carries everything: a dead one must be noticed.
		HTTP2: &http.HTTP2Config{SendPingTimeout: cfg.Timeouts.Stall, PingTimeout: cfg.Timeouts.Stall},
	}
	if cfg.TLS != nil {
		t.TLSClientConfig = cfg.TLS.Clone()
	} else {
		t.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	return t
}

// Close ends all requests, those whose Body is being read included, and closes
// the connections. It may be called more than once.
func (c *Client) Close() {
	c.close()
	c.lan.closeIdle()
	c.wan.closeIdle()
}

// Hosts adds the hosts of urls, which a verified record names, to those that
// requests may go to, if their addresses are public.
func (c *Client) Hosts(urls ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.hosts.add(urls, outside)
}

// Linked adds URLs to Policy.Linked: those of a descriptor that came late.
func (c *Client) Linked(urls ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.hosts.add(urls, quietly)
}

// Spare has n connections opened to a server once it has answered for the first time,
// for requests that will be made at once right afterwards.
func (c *Client) Spare(n int) {
	c.lan.spares.count.Store(int32(n))
	c.wan.spares.count.Store(int32(n))
}

// Allow checks raw as far as that is possible without resolving its host, and
// returns it parsed, without fragment. Its error is ErrRefused.
func (c *Client) Allow(raw string) (*url.URL, error) {
	u, err := clean(raw)
	if err != nil {
		return nil, failed("allow", u, err)
	}
	if _, err := c.pool(u, nil); err != nil {
		return nil, failed("allow", u, err)
	}
	return u, nil
}

// pool returns the connections that may carry a request for u, to which from
// redirected (nil: nothing did).
func (c *Client) pool(u, from *url.URL) (*pool, error) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	r, err := c.hosts.judge(u, from)
	switch {
	case err != nil:
		return nil, err
	case r == outside:
		return &c.wan, nil
	}
	return &c.lan, nil
}

// Stats returns the counts so far.
func (c *Client) Stats() Stats {
	return Stats{Requests: c.requests.Load(), Bytes: c.bytes.Load()}
}
