package node

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"coral/node/budget"
	"coral/node/channel"
	"coral/node/origin"
	"coral/node/proxy"
	"coral/node/schedule"
	"coral/node/swarm"
	"coral/node/swarm/wire"
	"coral/store"
	"coral/store/segment"
)

// Config is what a node is made of. The zero value of a field is its default
// except where said.
type Config struct {
	CacheDir  string      // folder of the cache; "": memory only
	CacheSize budget.Size // cap on it; 0: memory only
	Listen    string      // where peers connect, HOST:PORT
	Bind      netip.Addr  // every packet leaves from here; zero: as the system routes
	Share     bool        // false: not one packet to a peer, tracker or DHT
	Upload    budget.Rate // caps, headers included; the zero value means none at all
	Download  budget.Rate
	DHT       bool
	Bootstrap []string // DHT nodes to start from, HOST:PORT; none: the public ones
	UPnP      bool
	Tracker   bool   // answer tracker requests for the channels open here
	ProxyAddr string // where players connect, loopback only; "": no proxy
	// Latency is how far from the live edge players shall play that begin by
	// themselves, by what they are told of the newest segments: three segments at
	// least, and to half a segment. 0: as the channel says.
	Latency time.Duration
	Web     fs.FS // the web player's page, for the proxy to serve; nil: none
	// Paused is called, on any goroutine, when somebody presses the page's button
	// to pause sharing (true) or to go on; nil: the node does it by itself, within
	// what Share allows.
	Paused func(bool)
	Agent  string // program and version
	Log    *slog.Logger
}

// cacheRAM bounds the blocks kept in memory: 48 s of 4 Mbit/s, which is more
// than what neighbours and players ask for again at once. The garbage collector
// doubles what this costs.
const cacheRAM = 24 << 20

// Node is Coral's engine. Its methods may be called from any goroutine.
type Node struct {
	cfg   Config
	log   *slog.Logger
	store *store.Store
	meter *swarm.Meter
	gate  *gate         // the way to peers
	past  history       // how good they were
	proxy *proxy.Server // nil: no players here

	starts chan func(context.Context) // children of Run
	done   chan struct{}

	blocklist atomic.Pointer[blocklist]
	paused    atomic.Bool // by the web player's button, if that is ours to do

	mu       sync.Mutex
	sessions map[*Session]swarm.Manner // that run
}

// Open makes a node. Nothing is sent before Watch, Seed or Publish; they work
// once Run runs. Close must follow if Run is never called.
func Open(cfg Config) (*Node, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	n := &Node{cfg: cfg, log: cfg.Log, starts: make(chan func(context.Context)), done: make(chan struct{}), sessions: map[*Session]swarm.Manner{}}
	var err error
	capacity := int64(cfg.CacheSize)
	if cfg.CacheDir == "" {
		capacity = 0
	}
	if n.store, err = store.Open(store.Options{Dir: cfg.CacheDir, Cap: capacity, RAM: cacheRAM, Log: cfg.Log}); err != nil {
		return nil, fmt.Errorf("open cache: %w", err)
	}
	n.meter = swarm.NewMeter(cfg.Upload, cfg.Download, cfg.Bind)
	n.gate = &gate{share: cfg.Share, upload: cfg.Upload != 0, cfg: swarm.Config{
		Memory: &swarm.Memory{},
		Listen: cfg.Listen, Bind: cfg.Bind, Upload: cfg.Upload, Download: cfg.Download,
		Meter: n.meter, DHT: cfg.DHT, DHTBootstrap: cfg.Bootstrap, UPnP: cfg.UPnP, Tracker: cfg.Tracker, Agent: cfg.Agent, Log: cfg.Log,
		Blocklist: n.blocked,
	}}
	if err := n.gate.listen(); err != nil {
		n.store.Close()
		return nil, err
	}
	if cfg.ProxyAddr != "" {
		if n.proxy, err = proxy.New(proxy.Config{Addr: cfg.ProxyAddr, Log: cfg.Log}); err != nil {
			n.Close()
			return nil, err
		}
	}
	return n, nil
}

// Close frees what Open took, if Run was never called.
func (n *Node) Close() error {
	var errs []error
	if n.proxy != nil {
		errs = append(errs, n.proxy.Close())
	}
	n.gate.close()
	errs = append(errs, n.store.Close())
	return errors.Join(errs...)
}

// Run works until ctx ends, then says goodbye to the peers, writes the cache
// out and returns.
func (n *Node) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var sessions, services sync.WaitGroup
	// What sessions stand on ends after them.
	base, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	serve := func(run func(context.Context) error) {
		services.Go(func() {
			if err := run(base); err != nil && base.Err() == nil {
				cancel(err)
			}
		})
	}
	n.gate.start(serve)
	if n.proxy != nil {
		serve(n.proxy.Run)
	}
	for ctx.Err() == nil {
		select {
		case start := <-n.starts:
			sessions.Go(func() { start(ctx) })
		case <-ctx.Done():
		}
	}
	close(n.done)
	sessions.Wait()
	stop()
	services.Wait()
	err := n.Close()
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		return cause
	}
	return err
}

// Watch opens a channel, or a plain playlist, for players: URL tells where.
func (n *Node) Watch(ctx context.Context, link *channel.Link) (*Session, error) {
	return n.watch(ctx, link, true)
}

// WatchOnly is Watch with the session's own switch for sharing off: whatever
// the node shares, this channel's peers, trackers and DHT hear nothing.
func (n *Node) WatchOnly(ctx context.Context, link *channel.Link) (*Session, error) {
	return n.watch(ctx, link, false)
}

func (n *Node) watch(ctx context.Context, link *channel.Link, share bool) (*Session, error) {
	if n.proxy == nil {
		return nil, errors.New("watch: this node has no proxy")
	}
	s := n.session(link, wire.Viewer)
	s.shares = share
	m, err := n.proxy.Mount(s, n.page(s))
	if err != nil {
		return nil, err
	}
	s.mount = m
	if err := n.start(ctx, s.run); err != nil {
		m.Close()
		return nil, err
	}
	return s, nil
}

// Seed opens a channel to keep and serve what it can of it.
func (n *Node) Seed(ctx context.Context, link *channel.Link) (*Session, error) {
	if link.Playlist != "" {
		return nil, errors.New("seed: a plain playlist has no swarm")
	}
	if err := n.gate.needs("seed"); err != nil {
		return nil, err
	}
	s := n.session(link, wire.Helper)
	if err := n.start(ctx, s.run); err != nil {
		return nil, err
	}
	return s, nil
}

// session makes a session that does not run yet.
func (n *Node) session(link *channel.Link, role wire.Role) *Session {
	policy := origin.Policy{Linked: link.Origins}
	top := slices.Clone(link.Origins) // the link is the caller's
	if link.Playlist != "" {
		policy.Typed, policy.AnyPublic = []string{link.Playlist}, true
		top = []string{link.Playlist}
	}
	s := &Session{
		node: n, log: n.log.With("channel", link.Name), link: link, role: role,
		origin: origin.New(origin.Config{Policy: policy, Dial: n.meter.Dial, UserAgent: n.cfg.Agent}),
		begun:  time.Now(), shares: true, pinned: Auto, calls: make(chan func()), results: make(chan fetched, 16), done: make(chan struct{}),
		objects: map[segment.ID]*object{}, fetches: map[schedule.Ticket]*fetch{}, peers: map[swarm.PeerID]*peer{},
		renditions: map[uint16]*rendition{}, alias: map[uint16]uint16{}, keyBytes: map[string][]byte{},
		sent: map[uint64]upload{}, present: make(chan struct{}),
		direct: &direct{top: top, lists: map[uint16]*directList{}},
		desc:   link.Descriptor, key: link.Channel, ended: make(chan struct{}),
	}
	s.life, s.end = context.WithCancel(context.Background())
	name := link.Name
	s.name.Store(&name)
	return s
}

// start has run run as a child of Run.
func (n *Node) start(ctx context.Context, run func(context.Context)) error {
	select {
	case n.starts <- run:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-n.done:
		return ErrClosed
	}
}

// PeerAddr is where peers connect; the zero value if they cannot.
func (n *Node) PeerAddr() netip.AddrPort {
	return n.gate.address()
}

// open lists the sessions that run.
func (n *Node) open() []*Session {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Collect(maps.Keys(n.sessions))
}

// enlist notes a session that begins to run, or (false) that ends.
func (n *Node) enlist(s *Session, runs bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if runs {
		n.sessions[s] = swarm.Background
	} else {
		delete(n.sessions, s)
	}
}

// CannotShare says why no peer can be met although sessions share, or nil: the port is
// taken, or the interface gone.
func (n *Node) CannotShare() error {
	n.gate.mu.Lock()
	defer n.gate.mu.Unlock()
	if !n.gate.isOpen() {
		return nil
	}
	return n.gate.failed
}

// Degraded says why the cache is kept in memory only, or nil.
func (n *Node) Degraded() error { return n.store.Degraded() }
