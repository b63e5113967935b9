package origin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// maxRedirects is how many redirects one request may follow.
const maxRedirects = 5

// drainLimit is how much of an unwanted body is read so that its connection
// can be used again; more is not worth it.
const drainLimit = 4 << 10

// flight is one request and the reading of its body. A watchdog ends it when
// the server is silent; it runs only while something is awaited, so that a slow
// reader is not taken for a slow server.
type flight struct {
	c      *Client
	ctx    context.Context
	cancel context.CancelCauseFunc
	unhook func() bool
	dog    *time.Timer
	wide   bool // of a piece
}

func (c *Client) begin(ctx context.Context) *flight {
	f := &flight{c: c}
	f.ctx, f.cancel = context.WithCancelCause(ctx)
	f.unhook = context.AfterFunc(c.ctx, func() { f.cancel(ErrClosed) })
	f.dog = time.AfterFunc(time.Hour, func() { f.cancel(ErrStalled) })
	f.dog.Stop()
	return f
}

// end frees what the flight holds. Its body, if it has one, must be closed.
func (f *flight) end() {
	f.dog.Stop()
	f.unhook()
	f.cancel(context.Canceled)
}

// explain turns an error of the transport into the reason for it.
func (f *flight) explain(err error) error {
	if f.c.ctx.Err() != nil {
		return ErrClosed // whatever of it the transport noticed first
	}
	if cause := context.Cause(f.ctx); cause != nil {
		err = cause
	} else {
		err = plain(err)
	}
	if errors.Is(err, ErrStalled) {
		// What else waits for reuse may be as dead as this one: after the
		// machine slept, say, or changed networks.
		f.c.lan.closeIdle()
		f.c.wan.closeIdle()
	}
	return err
}

// send asks for u and follows redirects. It returns the final URL and an answer
// whose status the caller has to look at; the body is not yet watched.
func (f *flight) send(u *url.URL, header http.Header) (*http.Response, *url.URL, error) {
	var from *url.URL
	for range maxRedirects + 1 {
		pool, err := f.c.pool(u, from)
		if err != nil {
			return nil, u, err
		}
		transport := pool.usual
		if f.wide {
			transport = pool.wide
		}
		if err := context.Cause(f.ctx); err != nil {
			return nil, u, err
		}
		req := (&http.Request{Method: http.MethodGet, URL: u, Host: u.Host, Header: header.Clone()}).WithContext(f.ctx)
		f.c.requests.Add(1)
		// Name, connection, handshake and answer have limits of their own; this
		// one bounds their sum.
		f.dog.Reset(2*f.c.timeouts.Connect + f.c.timeouts.Stall)
		resp, err := transport.RoundTrip(req)
		f.dog.Stop()
		if err != nil {
			return nil, u, f.explain(err)
		}
		switch resp.StatusCode {
		case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther,
			http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		default:
			pool.spares.answered(u, resp)
			return resp, u, nil
		}
		f.drain(resp.Body)
		to, err := redirected(u, resp.Header.Get("Location"))
		if err != nil {
			return nil, u, err
		}
		from, u = u, to
	}
	return nil, u, ErrRedirects
}

// redirected resolves a Location header.
func redirected(from *url.URL, location string) (*url.URL, error) {
	if location == "" {
		return nil, fmt.Errorf("%w: redirect to nowhere", ErrRefused)
	}
	if len(location) > maxURL {
		return nil, fmt.Errorf("%w: redirect to a URL longer than %d bytes", ErrRefused, maxURL)
	}
	ref, err := url.Parse(location)
	if err != nil {
		return nil, fmt.Errorf("%w: redirect to what is not a URL", ErrRefused)
	}
	to := from.ResolveReference(ref)
	if err := check(to); err != nil {
		return nil, fmt.Errorf("redirected: %w", err)
	}
	return to, nil
}

// drain closes a body that nobody wants, reading a little of it first so that
// the connection lives on.
func (f *flight) drain(body io.ReadCloser) {
	f.dog.Reset(f.c.timeouts.Stall)
	n, _ := io.CopyN(io.Discard, body, drainLimit)
	f.dog.Stop()
	f.c.bytes.Add(n)
	body.Close()
}

// status makes an error of an answer that is none of what was hoped for.
func status(resp *http.Response) *StatusError {
	e := &StatusError{Code: resp.StatusCode}
	if s, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && s > 0 {
		e.RetryAfter = time.Duration(min(s, int(maxRetryAfter/time.Second))) * time.Second
	}
	return e
}

// maxRetryAfter bounds what a server can ask for: a live channel asks again
// sooner than any server would think proper.
const maxRetryAfter = time.Hour

func (c *Client) header() http.Header {
	// Without an Accept-Encoding any encoding is acceptable (RFC 9110 section
	// 12.5.3), so say that none is.
	return http.Header{"User-Agent": {c.userAgent}, "Accept": {"*/*"}, "Accept-Encoding": {"identity"}}
}
