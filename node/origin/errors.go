package origin

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"path"
	"time"
)

var (
	// ErrRefused says that policy forbids a URL or the address it leads to.
	// Trying again is of no use.
	ErrRefused = errors.New("refused")
	// ErrStalled says that the server was silent for too long. It is a timeout
	// in the sense of net.Error.
	ErrStalled error = stalled{}
	// ErrTooLarge says that a body is larger than what a segment or playlist
	// may be.
	ErrTooLarge = errors.New("too large")
	// ErrEncoded says that a body came compressed, which was not asked for.
	ErrEncoded = errors.New("unasked-for content encoding")
	// ErrRange says that the server did not serve the range that was asked for.
	ErrRange = errors.New("range not served")
	// ErrRedirects says that a request was redirected too often.
	ErrRedirects = errors.New("too many redirects")
	// ErrClosed says that the Client was closed.
	ErrClosed = errors.New("origin client is closed")
)

type stalled struct{}

func (stalled) Error() string   { return "server is silent" }
func (stalled) Timeout() bool   { return true }
func (stalled) Temporary() bool { return true }

// StatusError is an answer that is not a success.
type StatusError struct {
	Code       int
	RetryAfter time.Duration // what the server asked for, in seconds; 0: nothing
}

func (e *StatusError) Error() string { return fmt.Sprintf("status %d", e.Code) }

// failed gives err the operation and the URL. The query stays out, since it may
// hold a token, and so do the folders, where some CDNs put one.
func failed(op string, u *url.URL, err error) error {
	return fmt.Errorf("origin %s %s: %w", op, redact(u), err)
}

func redact(u *url.URL) string {
	if u == nil || u.Host == "" {
		return "URL"
	}
	base := path.Base(u.Path)
	if base == "." || base == "/" {
		base = ""
	}
	if path.Dir("/"+u.Path) != "/" {
		base = "…/" + base
	}
	return u.Scheme + "://" + u.Host + "/" + base
}

// plain strips the url.Error that carries the whole URL, and names timeouts of
// the transport what they are.
func plain(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() && !errors.Is(err, ErrStalled) {
		return fmt.Errorf("%w: %w", ErrStalled, err)
	}
	return err
}
