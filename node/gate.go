package node

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"

	"coral/node/swarm"
)

var errNotSharing = errors.New("sharing is off")

// gate is the only way from a node to its peers: whether it is open, and the
// one swarm.Client (listener, DHT node, port mapping) behind it. The client is
// opened by who goes in first and closed when the last one has come out, so that
// nothing listens or answers while nobody shares. Its methods may be called from
// any goroutine and do not wait for the network.
type gate struct {
	cfg   swarm.Config
	serve func(run func(context.Context) error) // runs a client; set before sessions run

	mu      sync.Mutex
	share   bool // what SetSharing said last
	upload  bool // the upload cap lets anything out
	client  *swarm.Client
	users   int
	closing chan struct{} // the client before is being closed; closed when it is
	closers sync.WaitGroup
	addr    netip.AddrPort // where the first client listened, and later ones try to
	failed  error          // why there is no client although there should be
}

// set opens or shuts the gate. Those inside are not thrown out: sessions follow
// when they are told.
func (g *gate) set(change func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	change()
	if !g.isOpen() && g.users == 0 {
		g.shut()
	}
}

func (g *gate) isOpen() bool { return g.share && g.upload }

// open reports whether sessions may go in.
func (g *gate) open() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.isOpen()
}

// listen opens the client ahead of the first session, if sharing is on: so that
// an address that cannot be had is known at once, and the port is.
func (g *gate) listen() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.isOpen() || g.client != nil {
		return nil
	}
	return g.connect()
}

// start has clients served from now on.
func (g *gate) start(serve func(run func(context.Context) error)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.serve = serve
	if g.client != nil {
		serve(g.client.Run)
	}
}

// enter gives the client to a session, which must leave again. If wait is not
// nil, the client before is just being closed: ask again when wait is closed.
func (g *gate) enter() (c *swarm.Client, wait <-chan struct{}, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case !g.isOpen():
		return nil, nil, errNotSharing
	case g.closing != nil:
		return nil, g.closing, nil
	case g.client == nil:
		if err := g.connect(); err != nil {
			return nil, nil, err
		}
	}
	g.users++
	return g.client, nil, nil
}

// leave is enter's end.
func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.users--; g.users == 0 {
		g.shut()
	}
}

// connect makes the client. mu is held.
func (g *gate) connect() error {
	cfg := g.cfg
	if g.addr.IsValid() {
		cfg.Listen = g.addr.String() // what others were told, and the router forwards
	}
	c, err := swarm.New(cfg)
	if err != nil && cfg.Listen != g.cfg.Listen {
		c, err = swarm.New(g.cfg) // somebody else has taken that port meanwhile
	}
	g.failed = err
	if err != nil {
		return err
	}
	// The identity stays: it ranks this node among its neighbours.
	g.client, g.addr, g.cfg.PeerID = c, c.Addr(), c.Self()
	if g.serve != nil {
		g.serve(c.Run)
	}
	return nil
}

// shut closes the client, without waiting. mu is held.
func (g *gate) shut() {
	c := g.client
	if c == nil {
		return
	}
	closed := make(chan struct{})
	g.client, g.closing = nil, closed
	g.closers.Go(func() {
		c.Close()
		g.mu.Lock()
		g.closing = nil
		g.mu.Unlock()
		close(closed)
	})
}

// close ends all, and waits. Nobody may enter any more.
func (g *gate) close() {
	g.mu.Lock()
	g.share = false
	g.shut()
	g.mu.Unlock()
	g.closers.Wait()
}

// current is the client, or nil if there is none.
func (g *gate) current() *swarm.Client {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.client
}

// address is where peers connect, if they can.
func (g *gate) address() netip.AddrPort {
	if c := g.current(); c != nil {
		return c.Addr()
	}
	return netip.AddrPort{}
}

// needs says whether what only works with peers can begin.
func (g *gate) needs(what string) error {
	if !g.open() {
		return fmt.Errorf("%s: %w", what, errNotSharing)
	}
	return nil
}
