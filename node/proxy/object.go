package proxy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// copySize is the only memory a response takes: one block.
const copySize = 32 << 10

var buffers = sync.Pool{New: func() any { return new([copySize]byte) }}

// reader reads an object with a bound on how long each read may wait.
type reader struct {
	Object
	ctx   context.Context
	timer *time.Timer // ends ctx when a read has waited for patience
}

func newReader(ctx context.Context, open func(context.Context) (Object, error)) (*reader, context.CancelFunc, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	r := &reader{ctx: ctx, timer: time.AfterFunc(patience, func() { cancel(context.DeadlineExceeded) })}
	obj, err := open(ctx)
	end := func() {
		r.timer.Stop()
		cancel(nil)
		if r.Object != nil {
			r.Object.Close()
		}
	}
	if err != nil {
		err = r.cause(err)
		end()
		return nil, nil, err
	}
	r.Object = obj
	return r, end, nil
}

func (r *reader) readAt(p []byte, off int64) (int, error) {
	r.timer.Reset(patience)
	n, err := r.ReadAt(r.ctx, p, off)
	r.timer.Stop() // the time that the player takes for these bytes is not the session's
	if n > 0 {
		return n, nil
	}
	if err == nil {
		return 0, io.ErrNoProgress
	}
	return 0, r.cause(err)
}

// cause replaces the error of a context that ended for lack of patience by
// DeadlineExceeded.
func (r *reader) cause(err error) error {
	if errors.Is(err, context.Canceled) && r.ctx.Err() != nil {
		return context.Cause(r.ctx)
	}
	return err
}

// waitSize waits until the size is known.
func (r *reader) waitSize() (int64, error) {
	if size := r.Size(); size >= 0 {
		return size, nil
	}
	var one [1]byte
	if _, err := r.readAt(one[:], math.MaxInt64-1); !errors.Is(err, io.EOF) {
		if err == nil {
			err = errors.New("read segment: bytes past the largest size")
		}
		return 0, err
	}
	if size := r.Size(); size >= 0 {
		return size, nil
	}
	return 0, errors.New("read segment: end without a size")
}

// serveObject sends a segment or init section while its bytes arrive. The header
// waits for the first byte, so that a failure until then has a status; later the
// connection is cut, which every player takes for what it is.
func (m *Mount) serveObject(w http.ResponseWriter, r *http.Request, rt route) {
	src, end, err := newReader(r.Context(), func(ctx context.Context) (Object, error) {
		return m.channel.Open(ctx, rt.id)
	})
	if err != nil {
		m.fail(w, r, err)
		return
	}
	defer end()
	buf := buffers.Get().(*[copySize]byte)
	defer buffers.Put(buf)

	rng := parseRange(r.Header)
	size := src.Size()
	if rng.needsSize() || r.Method == http.MethodHead && size < 0 {
		if size, err = src.waitSize(); err != nil {
			m.fail(w, r, err)
			return
		}
	}
	var from int64
	var head []byte
	if size < 0 || size > 0 && r.Method != http.MethodHead {
		if size >= 0 {
			var ok bool
			if from, _, ok = rng.resolve(size); !ok {
				m.unsatisfiable(w, size)
				return
			}
		}
		n, err := src.readAt(buf[:], from)
		if err != nil && !(errors.Is(err, io.EOF) && size < 0) {
			m.fail(w, r, err)
			return
		}
		head = buf[:n]
		size = src.Size() // with the first byte, or the end, it is usually told
	}
	to, ok := m.objectHeader(w, r, rt, src, rng, size, head)
	if !ok || r.Method == http.MethodHead {
		return
	}
	m.stats.segments.Add(1)
	m.stream(w, src, buf, head, from, to)
}

// objectHeader sends the status line and header. size may be -1, in which case
// the range is none, or all of it. to is where the body ends, -1 at the end of
// the object; ok is false if there is no body because the range is wrong.
func (m *Mount) objectHeader(w http.ResponseWriter, r *http.Request, rt route, src *reader, rng byteRange, size int64, head []byte) (to int64, ok bool) {
	h := w.Header()
	status := http.StatusOK
	to = -1
	if size >= 0 {
		var from int64
		if from, to, ok = rng.resolve(size); !ok {
			m.unsatisfiable(w, size)
			return 0, false
		}
		if rng.kind != rangeNone {
			status = http.StatusPartialContent
			h.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, to-1, size))
		}
		if from > 0 {
			head = nil // the middle of a segment tells nothing of its kind
		}
		h.Set("Content-Length", strconv.FormatInt(to-from, 10))
	}
	h.Set("Accept-Ranges", "bytes")
	h.Set("Content-Type", contentType(rt.ext, rt.guessed, src.ContentType(), head))
	extend(w)
	w.WriteHeader(status)
	return to, true
}

func (m *Mount) unsatisfiable(w http.ResponseWriter, size int64) {
	w.Header().Set("Content-Range", fmt.Sprintf("bytes */%d", size))
	fail(w, http.StatusRequestedRangeNotSatisfiable)
}

// stream writes head, which begins at from, and then what follows up to to (-1:
// the end).
func (m *Mount) stream(w http.ResponseWriter, src *reader, buf *[copySize]byte, head []byte, from, to int64) {
	for off := from; ; {
		if to >= 0 && int64(len(head)) > to-off {
			head = head[:to-off]
		}
		if len(head) > 0 {
			extend(w)
			n, err := w.Write(head)
			m.stats.bytes.Add(int64(n))
			if err != nil {
				panic(http.ErrAbortHandler) // the player has gone or stopped reading
			}
			off += int64(n)
		}
		if off == to {
			return
		}
		want := buf[:]
		if to >= 0 && to-off < copySize {
			want = buf[:to-off]
		}
		// What has been written so far must not wait in a buffer for what has not
		// come. Whole buffers pass through, so this costs a small write only at
		// the end of what is there.
		if len(head) < copySize {
			http.NewResponseController(w).Flush()
		}
		n, err := src.readAt(want, off)
		if errors.Is(err, io.EOF) && to < 0 {
			return
		}
		if err != nil {
			m.stats.aborted.Add(1)
			m.server.log.Debug("segment broken off", "channel", m.channel.Name(), "err", err)
			panic(http.ErrAbortHandler)
		}
		head = want[:n]
	}
}
