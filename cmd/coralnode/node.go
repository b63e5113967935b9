package main

import (
	"context"
	"os"
	"runtime"

	"coral/node"
	"coral/node/channel"
	"coral/node/publish"
	"coral/player/web"
)

// stats is what a session has done; its JSON is what --stats-file holds.
type stats = node.Stats

// openNode is the engine that the program runs with.
func openNode(cfg engineConfig) (engine, error) {
	if cfg.proxy != "" && os.Getenv("GOMAXPROCS") == "" {
		// A viewer has a few hundredths of one processor to do, in little pieces: a
		// second one would only be woken, each time, to find nothing to do.
		runtime.GOMAXPROCS(1)
	}
	n, err := node.Open(node.Config{
		CacheDir: cfg.cacheDir, CacheSize: cfg.cacheSize, Listen: cfg.listen, Bind: cfg.bind, Share: cfg.share,
		Upload: cfg.upload, Download: cfg.download, DHT: cfg.dht, UPnP: cfg.upnp, Bootstrap: cfg.bootstrap, Tracker: cfg.tracker,
		ProxyAddr: cfg.proxy, Latency: cfg.latency, Web: web.Files(), Agent: cfg.agent, Log: cfg.log,
	})
	if err != nil {
		return nil, err
	}
	return nodeEngine{n}, nil
}

// nodeEngine is a node.Node as an engine.
type nodeEngine struct{ *node.Node }

func (e nodeEngine) Watch(ctx context.Context, l *channel.Link) (session, error) {
	return e.Node.Watch(ctx, l)
}

func (e nodeEngine) Seed(ctx context.Context, l *channel.Link) (session, error) {
	return e.Node.Seed(ctx, l)
}

func (e nodeEngine) Publish(ctx context.Context, c publishConfig) (publication, error) {
	origin := publish.NoOrigin
	if len(c.origins) > 0 {
		origin = c.origins[0]
	}
	return e.Node.Publish(ctx, node.PublishConfig{
		Source: c.source, State: c.state, Name: c.name, Private: c.private, ViewerOrigin: origin,
		Advertise: c.advertise, Tracker: c.tracker, Dashboard: c.dashboard,
	})
}
