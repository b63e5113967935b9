package origin

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// MaxPlaylist bounds a playlist, unpacked: it holds a day's recording in
// segments of two seconds, at 90 bytes each.
const MaxPlaylist = 4 << 20

// Validators are what a server gave to ask again with. The zero value asks
// unconditionally. It belongs to one playlist and one goroutine.
type Validators struct{ ETag, LastModified string }

// Playlist fetches a playlist of at most MaxPlaylist bytes. With v, which may be
// nil, it asks only for what has changed, and notes in v what to ask with the
// next time; if nothing changed, notModified is set and body is nil. final is
// the URL that relative ones are relative to.
//
// Errors are as for Get.
func (c *Client) Playlist(ctx context.Context, raw string, v *Validators) (body []byte, final string, notModified bool, err error) {
	u, err := clean(raw)
	if err != nil {
		return nil, "", false, failed("get playlist", u, err)
	}
	f := c.begin(ctx)
	defer f.end()
	limit := time.AfterFunc(c.timeouts.Playlist, func() { f.cancel(fmt.Errorf("%w: playlist is not whole after %v", ErrStalled, c.timeouts.Playlist)) })
	defer limit.Stop()
	header := c.header()
	header.Set("Accept", "application/vnd.apple.mpegurl, application/x-mpegurl, */*;q=0.5")
	conditional := false
	if v != nil && v.ETag != "" {
		header.Set("If-None-Match", v.ETag)
		conditional = true
	}
	if v != nil && v.LastModified != "" {
		header.Set("If-Modified-Since", v.LastModified)
		conditional = true
	}
	resp, at, err := f.send(u, header)
	if err != nil {
		return nil, "", false, failed("get playlist", at, err)
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode == http.StatusNotModified && conditional:
		return nil, at.String(), true, nil
	case resp.StatusCode != http.StatusOK:
		f.drain(resp.Body)
		return nil, "", false, failed("get playlist", at, status(resp))
	}
	if body, err = f.whole(resp); err != nil {
		return nil, "", false, failed("get playlist", at, err)
	}
	if v != nil {
		v.note(resp.Header)
	}
	return body, at.String(), false, nil
}

// whole reads a playlist's body.
func (f *flight) whole(resp *http.Response) ([]byte, error) {
	if resp.ContentLength > MaxPlaylist {
		return nil, ErrTooLarge
	}
	in := &Body{flight: f, inner: resp.Body, left: MaxPlaylist, due: resp.ContentLength, open: true}
	var r io.Reader = in
	switch e := resp.Header.Get("Content-Encoding"); {
	case e == "" || strings.EqualFold(e, "identity"):
	case strings.EqualFold(e, "gzip") || strings.EqualFold(e, "x-gzip"):
		z, err := gzip.NewReader(in)
		if err != nil {
			return nil, unpacking(err)
		}
		defer z.Close()
		r = z
	default:
		return nil, ErrEncoded
	}
	body, err := io.ReadAll(io.LimitReader(r, MaxPlaylist+1))
	if err != nil {
		return nil, unpacking(err)
	}
	if len(body) > MaxPlaylist {
		return nil, ErrTooLarge
	}
	return body, nil
}

func unpacking(err error) error {
	if errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum) {
		return fmt.Errorf("%w: %w", ErrEncoded, err)
	}
	return err
}

// note keeps the validators of a playlist, unless it was modified within the
// second in which it was served: it may be modified again within it, and both
// Last-Modified and the ETags that common servers make of it and the size would
// then stay the same (RFC 9110 section 8.8.2.2).
func (v *Validators) note(h http.Header) {
	*v = Validators{}
	modified, err := http.ParseTime(h.Get("Last-Modified"))
	if err == nil {
		served, err := http.ParseTime(h.Get("Date"))
		if err != nil || served.Sub(modified) < time.Second {
			return
		}
		v.LastModified = bounded(h.Get("Last-Modified"))
	}
	v.ETag = bounded(h.Get("ETag"))
}

// bounded drops a validator of absurd length, which would be sent with every
// request. 1 KiB is many times what any server makes.
func bounded(s string) string {
	if len(s) > 1<<10 {
		return ""
	}
	return s
}
