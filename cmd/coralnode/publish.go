package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"coral/node/budget"
)

// sourceKind is where a publisher finds its HLS.
type sourceKind uint8

const (
	sourceURL    sourceKind = iota // a playlist
	sourceFolder                   // that a packager writes
	sourcePut                      // an address that an encoder sends to by HTTP PUT
)

// maxName bounds a channel's name: it is part of every link.
const maxName = 128

type publishOptions struct {
	name, state, listen string
	advertise           []string
	linkFile            string
	upload              rateValue
	dht, tracker        choice
	private             bool
	viewerOrigin        string
	dashboard           string
	commonOptions
}

func publishCommand() *command {
	o := &publishOptions{listen: publishPort, upload: rateValue{budget.Unlimited}, commonOptions: newCommonOptions()}
	f := newFlagSet("publish")
	f.add(text{&o.name, maxName}, option{
		name: "name", value: "TEXT",
		usage: "the channel's name (default: from SOURCE)",
	})
	f.add(text{&o.state, maxPath}, option{
		name: "state", value: "DIR", files: true,
		usage: "identity and history; the same folder gives the same link after a restart\n(default: one for each SOURCE in the user's state folder)",
	})
	f.add(hostPort{s: &o.listen}, option{
		name: "listen", value: "HOST:PORT",
		usage: "where peers connect, TCP and UDP (default: " + publishPort + ")",
	})
	f.add(advertised{&o.advertise}, option{
		name: "advertise", value: "HOST:PORT",
		usage: "what the link says instead, as others reach it; repeatable",
	})
	f.add(text{&o.linkFile, maxPath}, option{
		name: "link-file", value: "FILE", files: true,
		usage: "write the link here once peers can join",
	})
	f.add(&o.upload, option{
		name: "upload-limit", value: "RATE",
		usage: "cap on all that is sent to peers, headers included: bits per second such as\n5M, or unlimited (default)",
	})
	f.add(&o.dht, option{
		name: "dht", value: "on|off", choices: onOff,
		usage: "let viewers find each other through the DHT (default: on for a public channel)",
	})
	f.add(&o.tracker, option{
		name: "tracker", value: "on|off", choices: onOff,
		usage: "run a tracker at the address of --listen (default: on for a public channel)",
	})
	f.toggle(&o.private, "private", "only who has the link can find or read the swarm")
	f.add(viewerOrigin{&o.viewerOrigin}, option{
		name: "viewer-origin", value: "URL|none", choices: []string{noOrigin},
		usage: "where viewers may fetch from (default: SOURCE if it is a URL);\nnone: viewers have the swarm only",
	})
	f.add(hostPort{s: &o.dashboard}, option{
		name: "dashboard", value: "HOST:PORT",
		usage: "the organiser's page: counts as JSON at /api/stats, for Prometheus at /metrics",
	})
	o.commonOptions.register(f)
	return &command{
		name: "publish", args: "SOURCE", min: 1, max: 1, flags: f,
		summary: "sign a live HLS source and print the link to hand out",
		detail: "SOURCE is an HLS URL (http or https), a folder that a packager writes, or\nput://HOST:PORT/ to accept HTTP PUT from an encoder.\n\n" +
			"The link is the first line of standard output. Viewers fetch segments from each\nother and, where they must, from SOURCE; nothing about SOURCE has to change.",
		examples: "coralnode publish https://live.example.org/event.m3u8 --name 'Our event'\n" +
			"coralnode publish /var/www/hls --viewer-origin https://live.example.org/event.m3u8\n" +
			"coralnode publish put://127.0.0.1:8080/ --private --upload-limit 20M",
		run: func(ctx context.Context, env *environment, args []string) error {
			cfg, err := o.channel(env, args[0])
			if err != nil {
				return err
			}
			return o.run(ctx, env, cfg)
		},
	}
}

// channel checks what belongs together and fills in the defaults.
func (o *publishOptions) channel(env *environment, source string) (cfg publishConfig, err error) {
	usage := func(format string, args ...any) (publishConfig, error) {
		return cfg, usagef("publish", format, args...)
	}
	cfg = publishConfig{
		source: source, name: o.name, state: o.state, advertise: o.advertise, private: o.private, dashboard: o.dashboard,
		dht: o.dht == on, tracker: o.tracker == on,
	}
	if cfg.kind, err = readSource(source); err != nil {
		return usage("%q: %v", short(source), err)
	}
	if o.private && o.dht == on {
		return usage("a private channel is not announced in the DHT: leave out --dht on")
	}
	if !o.private { // the defaults are on
		cfg.dht, cfg.tracker = o.dht != off, o.tracker != off
	}
	if o.upload.Rate == 0 {
		return usage("--upload-limit 0 would let nobody hear of a segment")
	}
	switch {
	case o.viewerOrigin == noOrigin:
	case o.viewerOrigin != "":
		cfg.origins = []string{o.viewerOrigin}
	case cfg.kind == sourceURL:
		cfg.origins = []string{source}
	}
	if cfg.kind == sourceFolder {
		// A folder's identity must not depend on where the program was started.
		if cfg.source, err = filepath.Abs(source); err != nil {
			return cfg, fmt.Errorf("find folder: %w", err)
		}
	}
	if cfg.name == "" {
		cfg.name = nameOf(cfg)
	}
	if cfg.state == "" {
		id := sha256.Sum256([]byte(cfg.source))
		cfg.state = filepath.Join(env.state, "publish", hex.EncodeToString(id[:8]))
	}
	return cfg, nil
}

// readSource says what a SOURCE argument is.
func readSource(s string) (sourceKind, error) {
	switch {
	case isURL(s):
		return sourceURL, checkURL(s)
	case strings.HasPrefix(s, "put://"):
		u, err := url.Parse(s)
		if err != nil || u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.User != nil {
			return sourcePut, fmt.Errorf("write put://HOST:PORT/")
		}
		if _, _, err := splitHostPort(u.Host); err != nil {
			return sourcePut, err
		}
		return sourcePut, nil
	}
	info, err := os.Stat(s)
	switch {
	case err != nil:
		return sourceFolder, fmt.Errorf("is neither an http or https URL, nor put://HOST:PORT/, nor a folder")
	case !info.IsDir():
		return sourceFolder, fmt.Errorf("is a file: name the folder that holds the playlist")
	}
	return sourceFolder, nil
}

// nameOf makes a name for people from a source: its host, or its folder.
func nameOf(cfg publishConfig) string {
	name := "Live"
	switch cfg.kind {
	case sourceURL:
		if u, err := url.Parse(cfg.source); err == nil {
			name = u.Hostname()
		}
	case sourceFolder:
		name = filepath.Base(cfg.source)
	}
	if len(name) > maxName {
		name = strings.ToValidUTF8(name[:maxName], "")
	}
	return name
}

func (o *publishOptions) run(ctx context.Context, env *environment, cfg publishConfig) error {
	if err := writable(o.statsFile, o.linkFile); err != nil {
		return err
	}
	rep := newReport(env, o.statsFile)
	rep.line = givenLine
	node := engineConfig{
		listen: o.listen, bind: o.bind.Addr, share: true, upload: o.upload.Rate, download: budget.Unlimited,
		dht: cfg.dht, upnp: o.upnp == on, tracker: cfg.tracker, bootstrap: o.bootstrap,
		agent: agent(), log: newLog(env.stderr, o.log),
	}
	err := withEngine(ctx, env, node, func(ctx context.Context, e engine) error {
		p, err := e.Publish(ctx, cfg)
		if err != nil {
			return err
		}
		rep.add(p)
		rep.broken = p.Failed()
		link := p.Link().String()
		fmt.Fprintln(env.stdout, link)
		if o.linkFile != "" {
			if err := writeWhole(o.linkFile, []byte(link+"\n"), linkMode(p.Link())); err != nil {
				return fmt.Errorf("write link: %w", err)
			}
		}
		if env.draws {
			showCode(env.stderr, link)
			fmt.Fprintf(env.stderr, "identity and history: %s\n", oneLine(cfg.state))
		}
		return rep.run(ctx)
	})
	return rep.finish(err)
}
