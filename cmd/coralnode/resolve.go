package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path"
	"strings"
	"time"

	"coral/node/channel"
	"coral/node/origin"
)

// link is what a LINK argument stands for.
type link = channel.Link

const (
	// maxLinkFile bounds a file that holds a link, or is a .torrent: those of
	// channels have a few kilobytes, those of long recordings some hundreds.
	maxLinkFile = 1 << 20

	// lookAgain is how often a file that is waited for is looked for.
	lookAgain = 100 * time.Millisecond

	// settle is how long a file that holds no link yet may still be written.
	settle = 2 * time.Second

	// fetchWithin bounds the download of a .torrent.
	fetchWithin = 30 * time.Second

	torrentExt = ".torrent"
)

// checkLink finds mistakes in a LINK argument before anything is started.
func checkLink(command, arg string) error {
	switch {
	case arg == "" || arg == "@":
		return usagef(command, "LINK is empty")
	case strings.HasPrefix(arg, "@"), isTorrent(arg):
		return nil
	case hasScheme(arg):
		if _, err := channel.ParseLink(arg); err != nil {
			return usagef(command, "%v", err)
		}
		return nil
	}
	return usagef(command, "%q is no link: write magnet:…, coral:…, https://….m3u8, a .torrent, or @FILE", short(arg))
}

func short(s string) string {
	const most = 60
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}

func isURL(s string) bool {
	l := strings.ToLower(s[:min(len(s), 8)])
	return strings.HasPrefix(l, "http://") || strings.HasPrefix(l, "https://")
}

func hasScheme(s string) bool {
	l := strings.ToLower(s[:min(len(s), 8)])
	return isURL(s) || strings.HasPrefix(l, "magnet:") || strings.HasPrefix(l, "coral:")
}

// isTorrent reports whether s names a .torrent, as a URL or a file.
func isTorrent(s string) bool {
	if isURL(s) {
		u, err := url.Parse(s)
		return err == nil && strings.EqualFold(path.Ext(u.Path), torrentExt)
	}
	return !hasScheme(s) && strings.EqualFold(path.Ext(s), torrentExt)
}

// resolve finds the link that arg, which checkLink has passed, stands for.
// Requests leave from bind if it is valid.
func resolve(ctx context.Context, env *environment, arg string, bind netip.Addr) (*link, error) {
	name, file := strings.CutPrefix(arg, "@")
	if !file {
		return follow(ctx, arg, bind)
	}
	if env.draws {
		if _, err := os.Stat(name); err != nil {
			fmt.Fprintf(env.stderr, "waiting for %s\n", oneLine(name))
		}
	}
	return await(ctx, name, bind)
}

// follow reads what is not waited for.
func follow(ctx context.Context, arg string, bind netip.Addr) (*link, error) {
	switch {
	case !isTorrent(arg):
		return channel.ParseLink(arg)
	case isURL(arg):
		b, err := download(ctx, arg, bind)
		if err != nil {
			return nil, err
		}
		return parseTorrent(b)
	default:
		b, err := readBounded(ctx, arg, maxLinkFile)
		if err != nil {
			return nil, fmt.Errorf("read link: %w", err)
		}
		return parseTorrent(b)
	}
}

// parseTorrent reads a .torrent file that must be a channel's.
func parseTorrent(b []byte) (*link, error) {
	l, err := channel.ParseTorrent(b)
	if err == nil && l.Descriptor == nil {
		err = fmt.Errorf("read torrent: %w", channel.ErrNotChannel)
	}
	if err != nil {
		return nil, err
	}
	return l, nil
}

// await waits for a file that holds a link: one line of text, or a .torrent.
// Who writes it in pieces is given some time to finish.
func await(ctx context.Context, name string, bind netip.Addr) (*link, error) {
	tick := time.NewTicker(lookAgain)
	defer tick.Stop()
	var seen []byte
	since := time.Now()
	for {
		b, err := readBounded(ctx, name, maxLinkFile)
		switch {
		case err != nil && ctx.Err() != nil:
			return nil, ctx.Err()
		case errors.Is(err, os.ErrNotExist):
		case err != nil:
			return nil, fmt.Errorf("read link: %w", err)
		case len(bytes.TrimSpace(b)) == 0: // created, not yet written
		default:
			s := string(bytes.TrimSpace(b))
			if isTorrent(s) && !strings.ContainsAny(s, "\r\n") {
				return follow(ctx, s, bind)
			}
			link, err := parseFile(b, s)
			if err == nil {
				return link, nil
			}
			if !bytes.Equal(b, seen) {
				seen, since = b, time.Now()
			} else if time.Since(since) >= settle {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// parseFile reads a file's bytes b, which are s without the space around it.
func parseFile(b []byte, s string) (*link, error) {
	if !hasScheme(s) {
		if b[0] == 'd' { // a bencoded dictionary; no link begins so
			return parseTorrent(b)
		}
		return nil, fmt.Errorf("holds no link: %q", short(s))
	}
	return channel.ParseLink(s)
}

// download gets a .torrent that the user named.
func download(ctx context.Context, raw string, bind netip.Addr) ([]byte, error) {
	if err := checkURL(raw); err != nil {
		return nil, fmt.Errorf("get link: %s: %w", short(raw), err)
	}
	ctx, cancel := context.WithTimeout(ctx, fetchWithin)
	defer cancel()
	cfg := origin.Config{Policy: origin.Policy{Typed: []string{raw}}, UserAgent: agent()}
	if bind.IsValid() {
		d := &net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(bind, 0))}
		cfg.Dial = d.DialContext
	}
	c := origin.New(cfg)
	defer c.Close()
	body, err := c.Get(ctx, raw, 0, -1)
	if err != nil {
		return nil, fmt.Errorf("get link: %w", err)
	}
	defer body.Close()
	b, err := io.ReadAll(io.LimitReader(body, maxLinkFile+1))
	if err != nil {
		return nil, fmt.Errorf("get link: %w", err)
	}
	if len(b) > maxLinkFile {
		return nil, fmt.Errorf("get link: %s is larger than %d bytes", short(raw), maxLinkFile)
	}
	return b, nil
}
