package mpv

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	"coral/player"
)

// How the playlist is asked for.
const (
	// fetchTimeout is longer than a proxy holds a request that waits for the
	// first segment, and shorter than a viewer waits for a word.
	fetchTimeout = 10 * time.Second
	// outOfStep is how much of the playlist's target duration the interval is: a
	// whole one would find each segment as late as the first (see
	// player.Timeline). minPoll and maxPoll bound it: positions are shown in
	// seconds, and playlists of long events are large.
	outOfStep = 0.9
	minPoll   = 500 * time.Millisecond
	maxPoll   = 6 * time.Second
)

// errRefused is what a server says of a URL that is wrong, now and later.
var errRefused = errors.New("the server does not know it")

// list is news of a stream's playlist.
type list struct {
	of       uint64 // the load that it was fetched for
	playlist player.Playlist
	err      error
	at       time.Time
}

// fetcher asks for playlists. It is the player's second reader besides ffmpeg.
type fetcher struct {
	client *http.Client
}

func newFetcher() *fetcher {
	return &fetcher{client: &http.Client{
		Timeout: fetchTimeout,
		Transport: &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			DialContext:         (&net.Dialer{Timeout: fetchTimeout}).DialContext,
			MaxIdleConnsPerHost: 1,
			IdleConnTimeout:     time.Minute,
		},
	}}
}

func (f *fetcher) close() { f.client.CloseIdleConnections() }

// media fetches the media playlist of link, by way of a multivariant playlist if
// link is one, and returns its own URL too.
func (f *fetcher) media(ctx context.Context, link string) (player.Playlist, string, error) {
	p, at, err := f.get(ctx, link)
	if err != nil || len(p.Variants) == 0 {
		return p, link, err
	}
	// All variants have one timeline; the first is the one to start with.
	next, err := at.Parse(p.Variants[0])
	if err != nil {
		return p, "", fmt.Errorf("read playlist: %w", err)
	}
	p, _, err = f.get(ctx, next.String())
	if err == nil && len(p.Variants) > 0 {
		err = fmt.Errorf("%w: its variants have variants", player.ErrNotPlaylist)
	}
	return p, next.String(), err
}

func (f *fetcher) get(ctx context.Context, link string) (player.Playlist, *url.URL, error) {
	var p player.Playlist
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, link, nil)
	if err != nil {
		return p, nil, fmt.Errorf("%w: %w", player.ErrNotPlaylist, err)
	}
	a, err := f.client.Do(r)
	if err != nil {
		// The URL holds the proxy's token: it is not for logs and screens.
		var inner *url.Error
		if errors.As(err, &inner) {
			err = inner.Err
		}
		return p, nil, fmt.Errorf("fetch playlist: %w", err)
	}
	defer a.Body.Close()
	switch {
	case a.StatusCode == http.StatusNotFound || a.StatusCode == http.StatusGone || a.StatusCode == http.StatusForbidden:
		return p, nil, fmt.Errorf("fetch playlist: %w (%s)", errRefused, a.Status)
	case a.StatusCode != http.StatusOK:
		return p, nil, fmt.Errorf("fetch playlist: the server answered %s", a.Status)
	}
	p, err = player.ParsePlaylist(a.Body)
	return p, a.Request.URL, err
}

// watch fetches link's playlist until ctx ends: the first at once, the others
// while it has no end, or for ever if again is true.
func (f *fetcher) watch(ctx context.Context, link string, of uint64, again bool, news chan<- list) {
	media := ""
	for {
		from := media
		if from == "" {
			from = link
		}
		p, found, err := f.media(ctx, from)
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			media = found
		} else {
			media = "" // it may have another name when it is back
		}
		select {
		case news <- list{of: of, playlist: p, err: err, at: time.Now()}:
		case <-ctx.Done():
			return
		}
		if errors.Is(err, player.ErrNotPlaylist) || err == nil && p.Ended && !again {
			return
		}
		wait := time.NewTimer(min(max(time.Duration(outOfStep*float64(p.Target)), minPoll), maxPoll))
		select {
		case <-wait.C:
		case <-ctx.Done():
			wait.Stop()
			return
		}
	}
}
