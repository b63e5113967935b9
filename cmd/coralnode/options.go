package main

import (
	"path/filepath"

	"coral/node/budget"
)

const (
	// defaultCache is about four hours of a 1 Mbit/s channel.
	defaultCache budget.Size = 2_000_000_000

	// publishPort is where a publisher listens unless told otherwise: links hold
	// it, so it must be the same after a restart. It spells CORAL on a telephone,
	// and lies below the ports that systems give to outgoing connections.
	publishPort = ":26725"

	// anyPort is where a viewer listens: nobody needs to know it beforehand.
	anyPort = ":0"
)

// commonOptions are the flags that all commands have that run a node.
type commonOptions struct {
	statsFile string
	bind      address
	bootstrap []string
	upnp      choice
	log       level
}

func newCommonOptions() commonOptions { return commonOptions{upnp: on, log: level{warnLevel}} }

func (o *commonOptions) register(f *flagSet) {
	f.add(text{&o.statsFile, maxPath}, option{
		name: "stats-file", value: "FILE", files: true,
		usage: "write counts as JSON here once a second and at exit, always whole",
	})
	f.add(&o.bind, option{
		name: "bind", value: "ADDRESS",
		usage: "every packet leaves from this address",
	})
	f.add(advertised{&o.bootstrap}, option{
		name: "dht-bootstrap", value: "HOST:PORT",
		usage: "a DHT node to start from, instead of the public ones; repeatable",
	})
	f.add(&o.upnp, option{
		name: "upnp", value: "on|off", choices: onOff,
		usage: "ask the router to let peers in (default: on)",
	})
	f.add(&o.log, option{
		name: "log", value: "LEVEL", choices: logLevels,
		usage: "what is logged to standard error: debug, info, warn (default) or error",
	})
}

// nodeOptions are the flags that watch and seed have in common.
type nodeOptions struct {
	share            choice
	listen           string
	upload, download rateValue
	cacheDir         string
	cacheSize        sizeValue
	dht              choice
	commonOptions
}

func newNodeOptions() *nodeOptions {
	return &nodeOptions{
		listen: anyPort, upload: rateValue{budget.Unlimited}, download: rateValue{budget.Unlimited},
		cacheSize: sizeValue{defaultCache}, dht: on, commonOptions: newCommonOptions(),
	}
}

func (o *nodeOptions) register(f *flagSet) {
	f.add(&o.share, option{
		name: "share", value: "on|off", choices: onOff,
		usage: "on: pass on to other viewers what you hold. off: not one packet to or from\na peer, tracker or DHT; the origin alone is asked. The first answer is remembered.",
	})
	f.add(hostPort{s: &o.listen}, option{
		name: "listen", value: "HOST:PORT",
		usage: "where peers connect, TCP and UDP (default: every address, a free port)",
	})
	f.add(&o.upload, option{
		name: "upload-limit", value: "RATE",
		usage: "cap on all that is sent, headers included: bits per second such as 800k or 5M,\n0 for nothing at all, or unlimited (default)",
	})
	f.add(&o.download, option{
		name: "download-limit", value: "RATE",
		usage: "cap on all that is received (default: unlimited)",
	})
	f.add(text{&o.cacheDir, maxPath}, option{
		name: "cache-dir", value: "DIR", files: true,
		usage: "where segments are kept (default: the user's cache folder)",
	})
	f.add(&o.cacheSize, option{
		name: "cache-size", value: "SIZE",
		usage: "cap on the cache: bytes such as 512MiB or 5GB; 0: memory only (default: " + defaultCache.String() + ")",
	})
	f.add(&o.dht, option{
		name: "dht", value: "on|off", choices: onOff,
		usage: "find peers of public channels through the DHT (default: on)",
	})
	o.commonOptions.register(f)
}

// config is the node that the flags ask for; share has been decided.
func (o *nodeOptions) config(env *environment, share bool) engineConfig {
	cfg := engineConfig{
		cacheDir: o.cacheDir, cacheSize: o.cacheSize.Size, listen: o.listen, bind: o.bind.Addr, share: share,
		upload: o.upload.Rate, download: o.download.Rate, dht: o.dht == on, upnp: o.upnp == on,
		bootstrap: o.bootstrap, agent: agent(), log: newLog(env.stderr, o.log),
	}
	if cfg.cacheDir == "" {
		cfg.cacheDir = filepath.Join(env.cache, "segments")
	}
	return cfg
}
