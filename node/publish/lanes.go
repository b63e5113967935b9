package publish

import (
	"context"
	"io"
	"sync"

	"coral/node/origin"
	"coral/store/segment"
)

const (
	// firstLane is what the first of several requests asks for: its answer says
	// how much there is.
	firstLane = 2 * segment.BlockSize
	// minLane is what another one must at least bring to be worth it.
	minLane = 2 * segment.BlockSize
)

// lanes reads a resource by several requests at once. Its bytes come in order.
type lanes struct {
	cancel context.CancelFunc
	work   sync.WaitGroup
	first  *steady
	rest   []*lane
	next   []byte // of rest[0], if it is there
}

// lane is one part of it.
type lane struct {
	done chan struct{}
	data []byte
	err  error
}

// split gets n bytes of ref from byte off on (n < 0: to the end) by several
// requests. It returns nil if the server does not know ranges.
func (r *remote) split(ctx context.Context, ref string, off, n int64, count int) (*lanes, int64, error) {
	ctx, cancel := context.WithCancel(ctx)
	want := int64(firstLane)
	if n >= 0 {
		want = min(want, n)
	}
	first, err := r.read(ctx, ref, off, want)
	if err != nil {
		cancel()
		return nil, 0, err
	}
	if !first.body.Ranged || first.size < 0 {
		first.Close()
		cancel()
		return nil, 0, nil
	}
	size := first.size - off
	if n >= 0 {
		size = min(size, n)
	}
	l := &lanes{cancel: cancel, first: first}
	if size > segment.MaxSize {
		l.Close()
		return nil, 0, origin.ErrTooLarge
	}
	left := max(0, size-want)
	k := min(int64(count-1), max(1, left/minLane))
	for i := range k {
		a, b := left*i/k, left*(i+1)/k
		if a == b {
			continue
		}
		part := &lane{done: make(chan struct{})}
		l.rest = append(l.rest, part)
		l.work.Go(func() {
			defer close(part.done)
			part.data, part.err = r.part(ctx, ref, off+want+a, b-a, first.size)
		})
	}
	return l, size, nil
}

// part gets n bytes from byte off on of a resource of size bytes.
func (r *remote) part(ctx context.Context, ref string, off, n, size int64) ([]byte, error) {
	b := &steady{r: r, ctx: ctx, ref: ref, size: size, at: off, n: n}
	defer b.Close()
	if err := b.ask(); err != nil {
		return nil, err
	}
	data, err := io.ReadAll(b)
	if err == nil && int64(len(data)) < n {
		err = io.ErrUnexpectedEOF
	}
	return data, err
}

// Read implements io.Reader.
func (l *lanes) Read(p []byte) (int, error) {
	for {
		if l.first != nil {
			n, err := l.first.Read(p)
			if err == io.EOF {
				l.first.Close()
				l.first, err = nil, nil
			}
			if n > 0 || err != nil {
				return n, err
			}
		}
		if len(l.next) > 0 {
			n := copy(p, l.next)
			l.next = l.next[n:]
			return n, nil
		}
		if len(l.rest) == 0 {
			return 0, io.EOF
		}
		part := l.rest[0]
		<-part.done
		if part.err != nil {
			return 0, part.err
		}
		l.next, l.rest = part.data, l.rest[1:]
	}
}

// Close ends all requests.
func (l *lanes) Close() error {
	l.cancel()
	if l.first != nil {
		l.first.Close()
		l.first = nil
	}
	l.work.Wait()
	return nil
}
