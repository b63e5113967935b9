package publish

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"strings"
	"sync/atomic"

	"coral/node/origin"
)

// source is where playlists and segments come from. A ref names a resource of
// it: an absolute URL, or a path below a folder. It may be used by many
// goroutines.
type source interface {
	// top returns the ref of the channel's playlist.
	top(ctx context.Context) (ref string, err error)
	// playlist is as origin.Client.Playlist.
	playlist(ctx context.Context, ref string, v *origin.Validators) (body []byte, final string, same bool, err error)
	// get returns n bytes from byte off on (n < 0: to the end), by up to so many
	// requests at once. Size is how many there are; -1: not known.
	get(ctx context.Context, ref string, off, n int64, lanes int) (r io.ReadCloser, size int64, err error)
	// resolve makes a URI of the playlist at base a ref.
	resolve(base, uri string) (ref string, err error)
	// changed is closed when something changed since the call; nil: not known.
	changed() <-chan struct{}
	// local reports whether asking costs nobody anything.
	local() bool
	// run does what the source has to do in the background, until ctx ends.
	run(ctx context.Context) error
	close() error
}

var (
	errNoPlaylist = errors.New("no playlist there yet")
	errOutside    = errors.New("outside the source's folder")
)

// openSource opens what the organiser named. Its error is one that trying again
// does not help.
func openSource(cfg *Config, d *disk) (source, error) {
	scheme, _, ok := strings.Cut(cfg.Source, "://")
	switch {
	case !ok:
		return opened(openFolder(cfg.Source))
	case isURL(cfg.Source):
		return opened(openRemote(cfg))
	case strings.EqualFold(scheme, "put"):
		return opened(openPut(cfg, filepath.Join(d.path, inboxDir)))
	}
	return nil, fmt.Errorf("open source %s: want an http(s) URL, a folder or put://HOST:PORT/", cfg.Source)
}

// opened keeps a nil pointer out of the interface.
func opened[S source](s S, err error) (source, error) {
	if err != nil {
		return nil, err
	}
	return s, nil
}

// isURL reports whether a source is one that viewers may be able to ask too.
func isURL(source string) bool {
	s := strings.ToLower(source)
	return strings.HasPrefix(s, "http://") || strings.HasPrefix(s, "https://")
}

// remote is an HTTP server.
type remote struct {
	client *origin.Client
	url    string
	whole  atomic.Bool // the server does not know ranges

	lists, answers usual // of a playlist, and until a segment begins to come
}

func openRemote(cfg *Config) (*remote, error) {
	c := origin.New(origin.Config{
		// The organiser vouches for the source, wherever it leads.
		Policy: origin.Policy{Typed: []string{cfg.Source}, AnyPublic: true},
		Dial:   cfg.Dial, UserAgent: cfg.UserAgent,
	})
	if _, err := c.Allow(cfg.Source); err != nil {
		c.Close()
		return nil, fmt.Errorf("open source: %w", err)
	}
	return &remote{client: c, url: cfg.Source}, nil
}

func (r *remote) top(context.Context) (string, error) { return r.url, nil }

func (r *remote) get(ctx context.Context, ref string, off, n int64, lanes int) (io.ReadCloser, int64, error) {
	if lanes > 1 && !r.whole.Load() {
		l, size, err := r.split(ctx, ref, off, n, lanes)
		if err != nil {
			return nil, 0, err
		}
		if l != nil {
			return l, size, nil
		}
		r.whole.Store(true)
	}
	b, err := r.read(ctx, ref, off, n)
	if err != nil {
		return nil, 0, err
	}
	size := b.size
	if size >= 0 {
		size = max(0, size-off)
	}
	if n >= 0 && (size < 0 || size > n) {
		size = n
	}
	return b, size, nil
}

func (r *remote) resolve(base, uri string) (string, error) { return resolveURL(base, uri) }
func (r *remote) changed() <-chan struct{}                 { return nil }
func (r *remote) local() bool                              { return false }

func (r *remote) run(ctx context.Context) error {
	<-ctx.Done()
	return nil
}

func (r *remote) close() error {
	r.client.Close()
	return nil
}

// resolveURL makes uri absolute; it must lead to http or https.
func resolveURL(base, uri string) (string, error) {
	b, err := url.Parse(base)
	if err != nil {
		return "", fmt.Errorf("resolve %.80q: %w", uri, err)
	}
	u, err := b.Parse(uri)
	if err != nil {
		return "", fmt.Errorf("resolve %.80q: not a URL", uri)
	}
	if u.Scheme != "http" && u.Scheme != "https" {
		return "", fmt.Errorf("resolve %.80q: neither http nor https", uri)
	}
	return u.String(), nil
}
