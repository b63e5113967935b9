package main

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"time"

	"coral/node/budget"
	"coral/node/channel"
)

// engine is what the commands need of a node; see node.Node. Run works until
// its context ends; the other methods may be called while it does.
type engine interface {
	Run(ctx context.Context) error
	Watch(ctx context.Context, link *channel.Link) (session, error)
	Seed(ctx context.Context, link *channel.Link) (session, error)
	Publish(ctx context.Context, cfg publishConfig) (publication, error)
}

// session is a channel that is watched or seeded. Stats may be called after the
// engine has ended.
type session interface {
	URL() string    // for players; empty when seeding
	WebURL() string // the web player's page; empty when seeding
	Stats() stats
}

// publication is a channel that is published. Link is what to hand out; peers
// can join once Publish has returned.
type publication interface {
	Link() *channel.Link
	Stats() stats
	Failed() <-chan error // gives what ended publishing before the engine ended
}

// engineConfig is what the flags say of the node itself.
type engineConfig struct {
	cacheDir         string // "": memory only
	cacheSize        budget.Size
	listen           string // for peers, HOST:PORT
	bind             netip.Addr
	share            bool
	upload, download budget.Rate
	dht, upnp        bool
	tracker          bool
	bootstrap        []string // DHT nodes, HOST:PORT; none: the public ones
	proxy            string   // for players, HOST:PORT; "": none
	latency          time.Duration
	agent            string
	log              *slog.Logger
}

// publishConfig is what the flags say of a channel.
type publishConfig struct {
	source    string // URL, folder or put://HOST:PORT/
	kind      sourceKind
	name      string
	state     string // folder
	advertise []string
	// origins are where viewers may fetch from: none or one playlist URL.
	origins      []string
	private      bool
	dht, tracker bool
	dashboard    string // HOST:PORT; "": none
}

// withEngine opens an engine and runs it beside use, until use returns. An
// engine that ends early ends use's context.
func withEngine(ctx context.Context, env *environment, cfg engineConfig, use func(context.Context, engine) error) error {
	e, err := env.open(cfg)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan error, 1)
	go func() {
		done <- e.Run(ctx)
		cancel()
	}()
	err = use(ctx, e)
	cancel()
	if ran := <-done; ran != nil && !errors.Is(ran, context.Canceled) {
		return ran // why use was cancelled, if it was
	}
	return ended(err)
}

// ended turns the end that a signal asked for into success.
func ended(err error) error {
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}
