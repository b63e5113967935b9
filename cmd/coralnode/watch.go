package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"
)

// mostLatency is as much as the app takes.
const mostLatency = 10 * time.Minute

const linkForms = "LINK is magnet:…, coral:…, an https playlist (.m3u8), a .torrent file or URL, or\n@FILE: a file that holds one of these, which is waited for."

func watchCommand() *command {
	o := newNodeOptions()
	proxy, urlFile, latency := "127.0.0.1:0", "", time.Duration(0)
	f := newFlagSet("watch")
	f.add(hostPort{s: &proxy, loopback: true}, option{
		name: "proxy", value: "HOST:PORT",
		usage: "where players on this machine connect (default: 127.0.0.1, a free port)",
	})
	f.add(text{&urlFile, maxPath}, option{
		name: "url-file", value: "FILE", files: true,
		usage: "write the playlist URL here once it can be asked for",
	})
	f.add(span{&latency, 0, mostLatency, "8s"}, option{
		name: "latency", value: "DURATION",
		usage: "how far behind the live edge players begin, to half a segment: 8s for instance.\nMore is steadier, less than three segments they do not (default: what the channel says)",
	})
	o.register(f)
	return &command{
		name: "watch", args: "LINK", min: 1, max: 1, flags: f,
		summary: "join a channel and print a localhost URL for any HLS player",
		detail:  linkForms + "\n\nThe URL is the first line of standard output. It works until the program is\nstopped with Ctrl-C or SIGTERM. The web player's page is\nbeside it: web/ instead of play/master.m3u8.",
		examples: "coralnode watch 'magnet:?xt=urn:btih:…' --share on\n" +
			"coralnode watch @/run/coral.link --share on --upload-limit 5M --url-file /tmp/url\n" +
			"mpv \"$(coralnode watch LINK --share off | head -n 1)\"",
		run: func(ctx context.Context, env *environment, args []string) error {
			if err := checkLink("watch", args[0]); err != nil {
				return err
			}
			share, err := decide(ctx, env, "watch", o.share)
			if err != nil {
				return ended(err)
			}
			cfg := o.config(env, share)
			cfg.proxy, cfg.latency = proxy, latency
			link, err := resolve(ctx, env, args[0], o.bind.Addr)
			if err != nil {
				return ended(err)
			}
			if !share && link.Playlist == "" && len(link.Origins) == 0 {
				return errors.New("the link names no server, and without sharing there is no one else to ask: say --share on")
			}
			return watch(ctx, env, cfg, link, o.statsFile, urlFile)
		},
	}
}

func watch(ctx context.Context, env *environment, cfg engineConfig, link *link, statsFile, urlFile string) error {
	if err := writable(statsFile, urlFile); err != nil {
		return err
	}
	if urlFile != "" {
		// Who waits for the file must not find the URL of a run before.
		if err := os.Remove(urlFile); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("write URL: %w", err)
		}
	}
	rep := newReport(env, statsFile)
	err := withEngine(ctx, env, cfg, func(ctx context.Context, e engine) error {
		s, err := e.Watch(ctx, link)
		if err != nil {
			return err
		}
		rep.add(s)
		fmt.Fprintln(env.stdout, s.URL())
		if env.draws { // for people, not for scripts
			fmt.Fprintln(env.stderr, "In a browser: "+s.WebURL())
		}
		if urlFile != "" {
			// The URL lets its reader in: it is for this user.
			if err := writeWhole(urlFile, []byte(s.URL()+"\n"), 0o600); err != nil {
				return fmt.Errorf("write URL: %w", err)
			}
		}
		return rep.run(ctx)
	})
	return rep.finish(err)
}

func seedCommand() *command {
	o := newNodeOptions()
	f := newFlagSet("seed")
	o.register(f)
	return &command{
		name: "seed", args: "LINK...", min: 1, max: -1, flags: f,
		summary: "help to carry channels: keep what the cache holds and serve it",
		detail:  linkForms + "\n\nA seed has no player: give it a place with upload to spare.",
		examples: "coralnode seed LINK --share on --upload-limit 50M --cache-size 20GB\n" +
			"coralnode seed @one.link @two.link --share on --listen :7000",
		run: func(ctx context.Context, env *environment, args []string) error {
			for _, a := range args {
				if err := checkLink("seed", a); err != nil {
					return err
				}
			}
			share, err := decide(ctx, env, "seed", o.share)
			if err != nil {
				return ended(err)
			}
			if !share {
				return usagef("seed", "a seed shares, and sharing is off: say --share on")
			}
			if o.upload.Rate == 0 {
				return usagef("seed", "a seed shares, and --upload-limit 0 forbids it")
			}
			return seed(ctx, env, o.config(env, share), args, o)
		},
	}
}

func seed(ctx context.Context, env *environment, cfg engineConfig, args []string, o *nodeOptions) error {
	if err := writable(o.statsFile); err != nil {
		return err
	}
	rep := newReport(env, o.statsFile)
	err := withEngine(ctx, env, cfg, func(ctx context.Context, e engine) error {
		for _, a := range args {
			link, err := resolve(ctx, env, a, o.bind.Addr)
			if err != nil {
				return err
			}
			s, err := e.Seed(ctx, link)
			if err != nil {
				return err
			}
			rep.add(s)
			fmt.Fprintln(env.stdout, "seeding "+oneLine(link.String()))
		}
		return rep.run(ctx)
	})
	return rep.finish(err)
}
