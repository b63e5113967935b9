package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"coral/assets"
)

// The reader plays without a picture: it asks for what a player would, when a
// player would, and throws it away.

const (
	// maxList and maxSegment bound what is read of a playlist and a segment.
	maxList    = 1 << 20
	maxSegment = 16 << 20
	// behindLive is where a player starts: RFC 8216 section 6.3.3 says three
	// target durations before the end at the least.
	behindLive = 3
)

// read reads until ctx ends. Trouble is met as a player meets it: it tries again.
func read(ctx context.Context, playlist string) {
	r := &reader{}
	for ctx.Err() == nil {
		r.round(ctx, playlist)
		select {
		case <-time.After(assets.SegmentDuration / 2):
		case <-ctx.Done():
		}
	}
	http.DefaultClient.CloseIdleConnections()
}

type reader struct {
	media string // the first variant's playlist; empty: not known yet
	last  string // the newest segment read
}

// round reads the playlist once, and the segments that are new.
func (r *reader) round(ctx context.Context, playlist string) error {
	if r.media == "" {
		uris, media, err := list(ctx, playlist)
		if err != nil {
			return err
		}
		switch {
		case media:
			r.media = playlist
		case len(uris) == 0:
			return errors.New("no variant")
		default:
			r.media = uris[0]
		}
	}
	uris, _, err := list(ctx, r.media)
	if err != nil {
		return err
	}
	if i := slices.Index(uris, r.last); i >= 0 {
		uris = uris[i+1:]
	} else if len(uris) > behindLive { // the beginning, or fallen behind
		uris = uris[len(uris)-behindLive:]
	}
	for _, u := range uris {
		if _, err := get(ctx, u, maxSegment); err != nil {
			return err // asked for again in the next round
		}
		r.last = u
	}
	return nil
}

// list gives a playlist's URIs, and whether it is a Media Playlist.
func list(ctx context.Context, u string) (uris []string, media bool, err error) {
	b, err := get(ctx, u, maxList)
	if err != nil {
		return nil, false, err
	}
	base, err := url.Parse(u)
	if err != nil {
		return nil, false, err
	}
	for line := range strings.Lines(string(b)) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "#EXTINF") {
			media = true
		}
		if line == "" || line[0] == '#' {
			continue
		}
		ref, err := base.Parse(line)
		if err != nil {
			return nil, false, err
		}
		uris = append(uris, ref.String())
	}
	return uris, media, nil
}

func get(ctx context.Context, u string, most int64) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u, nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("get %s: %s", u, resp.Status)
	}
	return io.ReadAll(io.LimitReader(resp.Body, most))
}
