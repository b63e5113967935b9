package node

import (
	"context"
	"errors"
	"io"
	"time"

	"coral/node/channel"
	"coral/node/origin"
	"coral/node/schedule"
	"coral/store/segment"
)

// fetch is an origin request under way for some blocks of an object.
type fetch struct {
	o      *object
	cancel context.CancelFunc
	next   int // the block that comes next
	end    int // one past the last, -1: to the end
}

// fetched is what an origin request says to the session's goroutine: one block,
// or that it has ended.
type fetched struct {
	ticket schedule.Ticket
	block  int
	data   []byte // owned by the receiver
	size   int    // of the whole object, -1: not told
	end    bool
	err    error
}

// startFetch asks the origin for count blocks of o from block first (count < 0:
// all), whose first byte is byte base of the resource at o.url.
func (s *Session) startFetch(t schedule.Ticket, o *object, base int64, first, count int) {
	o.seek()
	ctx, cancel := context.WithCancel(s.ctx)
	f := &fetch{o: o, cancel: cancel, next: first, end: -1}
	off, n := base+int64(first)*segment.BlockSize, int64(-1)
	if o.size >= 0 {
		last := min(int64(o.size), int64(first+count)*segment.BlockSize)
		if count < 0 {
			last = int64(o.size)
		}
		n = last - int64(first)*segment.BlockSize
		f.end = first + segment.Blocks(int(n))
	}
	s.fetches[t] = f
	s.log.Debug("asked of the origin", "id", o.id.String(), "first", first, "count", count, "verified", o.entry != nil)
	url := o.url
	whole := base == 0 && first == 0 && (n < 0 || n == int64(o.size))
	if whole && o.entry != nil && !o.entry.Ranged {
		off, n = 0, -1 // a plain request: what every cache between here and the origin knows best
	}
	limit, room := o.size, s.rendition(o.id.Rendition).room.Load
	s.children.Go(func() {
		defer cancel()
		err := s.readOrigin(ctx, t, url, off, n, first, limit, room)
		s.deliver(ctx, fetched{ticket: t, end: true, size: -1, err: err})
	})
}

// noteRoom notes how fast segments of r shall come from the origin, if its line has
// room for all viewers to fetch all of them. Then it is the way there that is slow, if
// anything is.
func (s *Session) noteRoom(r *rendition) {
	if s.feed != nil {
		r.room.Store(roomFor(s.feed.Newest(r.id), s.counts.size))
	}
}

// roomFor is how fast segments like e shall come then, in bytes per second; else 0.
func roomFor(e *channel.Entry, viewers int) int64 {
	if e == nil || !schedule.Room(e.Took, e.Duration, viewers) {
		return 0
	}
	return int64(schedule.QuickEnough * float64(e.Size) / e.Duration.Seconds())
}

// readOrigin reads one response block by block.
func (s *Session) readOrigin(ctx context.Context, t schedule.Ticket, url string, off, n int64, first, size int, room func() int64) error {
	body, err := s.origin.GetWide(ctx, url, off, n, room)
	if err != nil {
		return err
	}
	defer body.Close()
	// total is the object's size if it is known, left what is still to come.
	total, left := int64(size), int64(segment.MaxSize)
	if total < 0 && n < 0 && body.Size >= 0 {
		if total = body.Size; total > segment.MaxSize {
			return errTooLarge
		}
	}
	switch {
	case n >= 0:
		left = n
	case total >= 0:
		left = total
	}
	for block := first; ; block++ {
		buf := make([]byte, min(segment.BlockSize, left))
		got, err := io.ReadFull(body, buf)
		left -= int64(got)
		if short := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF); short && total < 0 {
			total, left = int64(block-first)*segment.BlockSize+int64(got), 0 // the end, which nobody had told
		} else if short {
			return io.ErrUnexpectedEOF
		} else if err != nil {
			return err
		}
		if err := s.deliver(ctx, fetched{ticket: t, block: block, data: buf[:got], size: int(total)}); err != nil {
			return err
		}
		if left == 0 {
			break
		}
	}
	if total < 0 {
		return errTooLarge
	}
	return nil
}

var errTooLarge = errors.New("segment is larger than 32 MiB")

// deliver hands f to the session's goroutine. It gives up when the session ends,
// not when the fetch is cancelled: the end of a fetch is always told.
func (s *Session) deliver(ctx context.Context, f fetched) error {
	select {
	case s.results <- f:
		return ctx.Err()
	case <-s.done:
		return ErrClosed
	}
}

// retryAfter is how long the origin is left alone after err.
func retryAfter(err error) time.Duration {
	var status *origin.StatusError
	switch {
	case errors.As(err, &status) && status.Code == 404:
		return 500 * time.Millisecond // perhaps not there yet
	case errors.As(err, &status):
		return time.Second
	}
	return 300 * time.Millisecond
}
