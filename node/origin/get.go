package origin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"coral/store/segment"
)

// maxSkip bounds how much is thrown away from a server that ignores ranges to
// get at the one asked for.
const maxSkip = segment.MaxSize

// Body is (a part of) a resource, read as it arrives. It belongs to one
// goroutine, which must close it.
type Body struct {
	Size        int64  // of the whole resource; -1: not told
	Offset      int64  // of the first byte that Read returns, within the resource
	ContentType string // as the server said it
	Ranged      bool   // the server sent the range that was asked for, not everything

	flight *flight
	inner  io.ReadCloser
	left   int64 // bytes that Read may still return
	due    int64 // bytes that the server has still promised; -1: not told
	open   bool  // left is only the bound on what a segment may be
}

// Get asks for n bytes of a resource from byte off (n < 0: to the end) and
// returns once the answer begins. A server that ignores the range costs time:
// the bytes before off are read and dropped. Read returns io.EOF at the end of
// the range or of the resource, whichever comes first, and
// io.ErrUnexpectedEOF where the server breaks off.
//
// Errors, of Read too, are ErrRefused, ErrStalled, ErrTooLarge (more than
// segment.MaxSize), ErrEncoded, ErrRange, ErrRedirects, ErrClosed, a
// *StatusError, ctx's, or the network's.
func (c *Client) Get(ctx context.Context, raw string, off, n int64) (*Body, error) {
	return c.get(ctx, raw, off, n, false)
}

func (c *Client) get(ctx context.Context, raw string, off, n int64, wide bool) (*Body, error) {
	u, err := clean(raw)
	if err != nil {
		return nil, failed("get", u, err)
	}
	if off < 0 || off > maxOffset {
		return nil, failed("get", u, fmt.Errorf("%w: bad offset", ErrRange))
	}
	if n > segment.MaxSize {
		return nil, failed("get", u, fmt.Errorf("range: %w", ErrTooLarge))
	}
	if n == 0 {
		return &Body{Size: -1, Offset: off}, nil
	}
	header := c.header()
	ranged := off > 0 || n > 0
	switch {
	case n > 0:
		header.Set("Range", fmt.Sprintf("bytes=%d-%d", off, off+n-1))
	case off > 0:
		header.Set("Range", fmt.Sprintf("bytes=%d-", off))
	}
	f := c.begin(ctx)
	f.wide = wide
	begun := time.Now()
	resp, final, err := f.send(u, header)
	if err != nil {
		f.end()
		return nil, failed("get", final, err)
	}
	c.answered(time.Since(begun))
	b := &Body{Size: -1, Offset: off, ContentType: resp.Header.Get("Content-Type"), flight: f, inner: resp.Body, left: n, due: resp.ContentLength}
	if n < 0 {
		b.left, b.open = segment.MaxSize, true
	}
	if err := b.accept(resp, ranged); err != nil {
		if errors.As(err, new(*StatusError)) {
			f.drain(b.inner)
		}
		b.Close()
		return nil, failed("get", final, err)
	}
	return b, nil
}

// maxOffset bounds offsets into a resource so that sums do not overflow: 1 PiB.
const maxOffset = 1 << 50

// accept looks at the answer's header and brings the body to the first byte
// asked for.
func (b *Body) accept(resp *http.Response, ranged bool) error {
	if e := resp.Header.Get("Content-Encoding"); e != "" && !strings.EqualFold(e, "identity") {
		return ErrEncoded
	}
	switch {
	case resp.StatusCode == http.StatusOK:
		b.Size = resp.ContentLength
		if err := b.skip(b.Offset); err != nil {
			return err
		}
	case resp.StatusCode == http.StatusPartialContent && ranged:
		first, last, size, ok := contentRange(resp.Header.Get("Content-Range"))
		if !ok || first > b.Offset || last < b.Offset {
			return fmt.Errorf("%w: bad Content-Range", ErrRange)
		}
		b.Size, b.due, b.Ranged = size, last-first+1, true
		if err := b.skip(b.Offset - first); err != nil {
			return err
		}
	default:
		return status(resp)
	}
	if b.open && b.due > b.left {
		return ErrTooLarge
	}
	return nil
}

// skip reads and drops n bytes.
func (b *Body) skip(n int64) error {
	if n == 0 {
		return nil
	}
	if n > maxSkip || b.due >= 0 && n >= b.due {
		return ErrRange
	}
	left := b.left
	b.left = n
	_, err := io.CopyN(io.Discard, b, n)
	b.left = left
	if errors.Is(err, io.EOF) {
		return ErrRange // the resource ends before off
	}
	return err
}

// contentRange parses "bytes first-last/size"; size is -1 if it says "*".
func contentRange(s string) (first, last, size int64, ok bool) {
	s, ok = strings.CutPrefix(strings.TrimSpace(s), "bytes ")
	span, total, ok2 := strings.Cut(s, "/")
	from, to, ok3 := strings.Cut(span, "-")
	if !ok || !ok2 || !ok3 {
		return 0, 0, 0, false
	}
	first, err1 := strconv.ParseInt(strings.TrimSpace(from), 10, 64)
	last, err2 := strconv.ParseInt(strings.TrimSpace(to), 10, 64)
	size = -1
	var err3 error
	if total = strings.TrimSpace(total); total != "*" {
		size, err3 = strconv.ParseInt(total, 10, 64)
		if err3 == nil && (size <= last) {
			return 0, 0, 0, false
		}
	}
	ok = err1 == nil && err2 == nil && err3 == nil && first >= 0 && first <= last && last <= maxOffset
	return first, last, size, ok
}

// Read implements io.Reader.
func (b *Body) Read(p []byte) (int, error) {
	if b.inner == nil || b.left == 0 && !b.open {
		return 0, io.EOF
	}
	if b.left == 0 { // one byte more than a segment may have is one too many
		p = p[:min(len(p), 1)]
	} else {
		p = p[:min(int64(len(p)), b.left)]
	}
	f := b.flight
	f.dog.Reset(f.c.timeouts.Stall)
	n, err := b.inner.Read(p)
	f.dog.Stop()
	f.c.bytes.Add(int64(n))
	if b.left == 0 && n > 0 {
		return 0, ErrTooLarge
	}
	b.left -= int64(n)
	if b.due >= 0 {
		b.due -= int64(n)
	}
	switch {
	case err == io.EOF:
		if b.due > 0 && b.left > 0 {
			err = io.ErrUnexpectedEOF
		}
	case err != nil:
		err = f.explain(err)
	}
	return n, err
}

// Close gives the connection back if all has been read, and cuts it otherwise.
func (b *Body) Close() error {
	if b.inner == nil {
		return nil
	}
	err := b.inner.Close()
	b.flight.end()
	b.inner = nil
	return err
}
