package swarm

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/anacrolix/torrent"

	"coral/node/budget"
	"coral/node/swarm/meter"
	"coral/store/segment"
)

// Meter counts and caps bytes at the socket; see package meter.
type Meter = meter.Meter

// Manner says how much uploads give way; see package meter.
type Manner = meter.Manner

// The manners, from the most pressing on.
const (
	Steady     = meter.Steady
	Watching   = meter.Watching
	Background = meter.Background
)

// NewMeter returns a Meter to be shared by a Client and the origin's dialer.
func NewMeter(up, down budget.Rate, bind netip.Addr) *Meter { return meter.New(up, down, bind) }

// Config sets up a Client.
type Config struct {
	Listen           string     // HOST:PORT for TCP and UDP; "" is ":0"
	Bind             netip.Addr // if valid, every packet leaves from here
	Upload, Download budget.Rate
	Meter            *Meter   // if set, stands for Bind, Upload and Download
	Memory           *Memory  // of peers of channels left before; nil: its own
	DHT              bool     // may be used by Joins that ask for it
	DHTBootstrap     []string // HOST:PORT; none: the public routers
	UPnP             bool     // ask the router to forward the port
	PeerID           [20]byte // identity; zero: a fresh random one
	Agent            string   // program and version, told to peers and trackers
	Tracker          bool     // answer HTTP announces for joined channels
	Blocklist        func(netip.Addr) bool
	Log              *slog.Logger
}

var (
	// ErrNotSharing says that the upload cap is zero: no packet may go to a peer.
	ErrNotSharing = errors.New("sharing is off")
	// ErrClosed says that the Client or Swarm has been closed.
	ErrClosed = errors.New("swarm is closed")
	// ErrJoined says that the channel has been joined already.
	ErrJoined = errors.New("channel already joined")
)

// leaveWithin bounds what Close gives to goodbyes.
const leaveWithin = 2 * time.Second

// Client is this process's end of every swarm. Its methods may be called from
// any goroutine.
type Client struct {
	cfg   Config
	log   *slog.Logger
	meter *Meter
	id    [20]byte
	lib   *torrent.Client
	ln    *listener
	bans  bans
	reach reach
	nets  nets

	ctx    context.Context // ends when the Client closes
	cancel context.CancelFunc
	tasks  sync.WaitGroup

	peers   sync.Map       // *torrent.PeerConn → *peer
	tracker *trackerServer // nil: not asked for
	dht     dhtServer
	upnp    sync.Once

	// owned by mu
	mu     sync.Mutex
	swarms map[segment.Channel]*Swarm
	dials  map[string]*attempt
	closed bool
	done   chan struct{} // closed when Close has finished
}

// New returns a Client that listens but has not sent anything. Run must run for
// connections to be accepted; Close must follow if Run is never called.
func New(cfg Config) (*Client, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Agent == "" {
		cfg.Agent = "Coral"
	}
	if cfg.Memory == nil {
		cfg.Memory = &Memory{}
	}
	if cfg.Meter == nil {
		cfg.Meter = NewMeter(cfg.Upload, cfg.Download, cfg.Bind)
	}
	c := &Client{
		cfg: cfg, log: cfg.Log, meter: cfg.Meter, id: cfg.PeerID,
		swarms: make(map[segment.Channel]*Swarm), dials: make(map[string]*attempt), done: make(chan struct{}),
	}
	if c.id == [20]byte{} {
		copy(c.id[:], peerIDPrefix)
		if _, err := rand.Read(c.id[len(peerIDPrefix):]); err != nil {
			return nil, fmt.Errorf("make peer ID: %w", err)
		}
	}
	if cfg.Tracker {
		c.tracker = newTrackerServer(c)
	}
	ln, err := c.listen(cfg.Listen)
	if err != nil {
		return nil, fmt.Errorf("listen for peers: %w", err)
	}
	c.ln = ln
	if c.lib, err = torrent.NewClient(c.libraryConfig()); err != nil {
		ln.Close()
		return nil, fmt.Errorf("start the BitTorrent library: %w", err)
	}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	c.lib.AddListener(ln)
	c.lib.AddDialer(dialer{c})
	return c, nil
}

// Run accepts connections and keeps the accounts until ctx ends, then leaves
// every swarm and closes the Client.
func (c *Client) Run(ctx context.Context) error {
	c.spawn(func() { c.ln.serve(c.ctx) })
	c.spawn(func() { _ = c.meter.Run(c.ctx) })
	c.spawn(c.watchCaps)
	if c.tracker != nil {
		c.spawn(func() { c.tracker.run(c.ctx) })
	}
	select {
	case <-ctx.Done():
	case <-c.ctx.Done():
	}
	c.Close()
	return ctx.Err()
}

// spawn runs f as a child that Close waits for; not once closing has begun.
func (c *Client) spawn(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		c.tasks.Go(f)
	}
}

// watchCaps drops every connection when the upload cap becomes zero.
func (c *Client) watchCaps() {
	for {
		changed := c.meter.Changed()
		if !c.sharing() {
			for _, s := range c.joined() {
				s.dropAll("sharing was switched off")
			}
			c.ln.closeIdle()
		} else {
			for _, s := range c.joined() {
				s.kick()
			}
		}
		select {
		case <-changed:
		case <-c.ctx.Done():
			return
		}
	}
}

func (c *Client) sharing() bool {
	up, _ := c.meter.Caps()
	return up != 0
}

func (c *Client) joined() []*Swarm {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := make([]*Swarm, 0, len(c.swarms))
	for _, s := range c.swarms {
		out = append(out, s)
	}
	return out
}

func (c *Client) swarm(ch segment.Channel) *Swarm {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.swarms[ch]
}

// SetCaps changes the caps at once. An upload cap of zero closes every
// connection to a peer; raising it again lets the swarms dial anew.
func (c *Client) SetCaps(up, down budget.Rate) { c.meter.SetCaps(up, down) }

// Addr is where peers can connect: the port is the real one, the host may be
// unspecified.
func (c *Client) Addr() netip.AddrPort {
	a := c.ln.tcp.Addr().(*net.TCPAddr).AddrPort()
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}

// Meter returns the meter, whose Dial is for the origin's HTTP client.
func (c *Client) Meter() *Meter { return c.meter }

// Self is this node's identity, its BitTorrent peer ID.
func (c *Client) Self() [20]byte { return c.id }

// Close leaves every swarm and frees everything. It may be called more than
// once and waits until all is done.
func (c *Client) Close() error {
	c.mu.Lock()
	first := !c.closed
	c.closed = true
	c.mu.Unlock()
	if !first {
		<-c.done
		return nil
	}
	defer close(c.done)
	ctx, cancel := context.WithTimeout(context.Background(), leaveWithin)
	defer cancel()
	var leaving sync.WaitGroup
	for _, s := range c.joined() {
		leaving.Go(func() { s.Leave(ctx) })
	}
	leaving.Wait()
	c.cancel()
	c.ln.Close()
	c.dht.close()
	c.lib.Close()
	c.meter.Abort(meter.Peers) // those still shaking hands
	c.tasks.Wait()
	return nil
}

var _ io.Closer = (*Client)(nil)
