package publish

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"coral/node/origin"
)

// silence is how long the source may bring nothing, beside twice what it usually
// takes, until it is asked again, and then for twice as long. Where a line is too full
// TCP repeats a lost packet after 0.2 s, then 0.4 s and so on, be there ever so much
// room again; a new connection begins anew. In an emulated network a publisher waited
// for twelve seconds for 20 kB of a segment, and all its viewers for the segment.
const silence = time.Second

// errSilent is why a request was given up for another one.
var errSilent = fmt.Errorf("%w", origin.ErrStalled)

// usual is how long something takes when nothing is in its way. It may be used by many
// goroutines.
type usual struct{ took atomic.Int64 }

// note takes what it took this time: longer ones count an eighth.
func (u *usual) note(took time.Duration) {
	if t := u.took.Load(); t > 0 && int64(took) > t {
		took = time.Duration(t + (int64(took)-t)/8)
	}
	u.took.Store(int64(took))
}

// endless is longer than the client itself waits.
const endless = time.Hour

// patience is for how long the n-th request in a row may bring nothing; ok is false if
// it is the last one.
func (u *usual) patience(n int) (d time.Duration, ok bool) {
	if d = (silence + 2*time.Duration(u.took.Load())) << n; d < origin.DefaultStall {
		return d, true
	}
	return endless, false
}

// playlist implements source.
func (r *remote) playlist(ctx context.Context, ref string, v *origin.Validators) (body []byte, final string, same bool, err error) {
	for n := 0; ; n++ {
		patience, _ := r.lists.patience(n)
		try, cancel := context.WithTimeoutCause(ctx, patience, errSilent)
		begun := time.Now()
		body, final, same, err = r.client.Playlist(try, ref, v)
		cancel()
		if err == nil {
			r.lists.note(time.Since(begun))
		}
		if !errors.Is(err, errSilent) {
			return body, final, same, err
		}
	}
}

// steady reads a part of a resource. It belongs to one goroutine, which must close it.
type steady struct {
	r     *remote
	ctx   context.Context
	ref   string
	size  int64 // of the whole resource; -1: not told, 0: not asked yet
	at, n int64 // where the next byte is, and how many are left; n < 0: all there are

	body   *origin.Body
	cancel context.CancelCauseFunc // of body's request
	watch  *time.Timer             // calls it
	silent int                     // requests in a row that brought nothing
}

// read begins to read n bytes of ref from byte off on (n < 0: to the end).
func (r *remote) read(ctx context.Context, ref string, off, n int64) (*steady, error) {
	s := &steady{r: r, ctx: ctx, ref: ref, at: off, n: n}
	return s, s.ask()
}

// ask asks for what is left.
func (s *steady) ask() error {
	for {
		ctx, cancel := context.WithCancelCause(s.ctx)
		patience, ok := s.patience()
		watch, begun := time.AfterFunc(patience, func() { cancel(errSilent) }), time.Now()
		body, err := s.r.client.Get(ctx, s.ref, s.at, s.n)
		watch.Stop()
		switch {
		case err == nil && s.size != 0 && body.Size != s.size:
			err = fmt.Errorf("it changed while it was read: %d bytes, then %d", s.size, body.Size)
			body.Close()
		case err == nil:
			s.r.answers.note(time.Since(begun))
			if s.at > 0 && !body.Ranged {
				s.r.whole.Store(true)
			}
			s.Close()
			s.body, s.size, s.cancel, s.watch = body, body.Size, cancel, watch
			return nil
		}
		cancel(nil)
		if s.silent++; !ok || !errors.Is(err, errSilent) {
			return err
		}
	}
}

// patience is for how long nothing may come now; ok is false if s is not to ask again:
// without ranges all of it would have to come once more.
func (s *steady) patience() (d time.Duration, ok bool) {
	if s.body != nil && (s.size < 0 || s.r.whole.Load()) {
		return endless, false
	}
	return s.r.answers.patience(s.silent)
}

// Read implements io.Reader. Its errors are those of origin.Body.
func (s *steady) Read(p []byte) (int, error) {
	for {
		patience, ok := s.patience()
		s.watch.Reset(patience)
		n, err := s.body.Read(p)
		s.watch.Stop()
		s.at += int64(n)
		if s.n >= 0 {
			s.n -= int64(n)
		}
		if n > 0 {
			s.silent = 0
		}
		if !ok || !errors.Is(err, errSilent) {
			return n, err
		}
		s.silent++
		if err := s.ask(); err != nil || n > 0 {
			return n, err
		}
	}
}

// Close ends the request.
func (s *steady) Close() error {
	if s.body == nil {
		return nil
	}
	s.watch.Stop()
	err := s.body.Close()
	s.cancel(nil)
	return err
}
