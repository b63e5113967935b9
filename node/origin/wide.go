package origin

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"coral/store/segment"
)

// Where packets are lost one connection is slow however wide the line is: TCP takes
// each loss for a full queue, and where it has few packets under way it notices only
// after some hundred milliseconds of silence, then twice as many. A new connection
// may send ten packets at once (RFC 6928). So what is wanted is asked for in pieces
// of that size, several at a time, and a piece that stops coming is asked for once
// more on another connection, from where it stopped.
const (
	// pieceSize is what fits into ten packets, beside an answer's header.
	pieceSize = 12 << 10
	// maxPieces is how many pieces a Client asks for at a time, maxCopies how many
	// requests for one of them there may be, and maxWide how many connections.
	maxPieces = 8
	maxCopies = 4
	maxWide   = 16
	// silence is for how long an answer may pause, beside a round trip: about the least
	// that TCP's retransmission timer is set to.
	silence = 200 * time.Millisecond
	// firstTrip is taken for a round trip until one was measured.
	firstTrip = 200 * time.Millisecond
	// lossyFor is how long a way on which an answer has paused is taken for lossy.
	lossyFor = 20 * time.Second
	// maxFailures is how many requests for a piece may fail.
	maxFailures = 3
)

// patience is how long a server that has something to send is silent at most if
// nothing was lost.
func (c *Client) patience() time.Duration {
	if t := time.Duration(c.trip.Load()); t > 0 {
		return t + silence
	}
	return firstTrip + silence
}

// answered notes how long the beginning of an answer took; the least is about a
// round trip, and what the server has to think.
func (c *Client) answered(took time.Duration) {
	for {
		t := c.trip.Load()
		if t > 0 && t <= int64(took) || c.trip.CompareAndSwap(t, int64(took)) {
			return
		}
	}
}

func (c *Client) paused() { c.lossy.Store(time.Now().Add(lossyFor).UnixNano()) }

func (c *Client) isLossy() bool { return time.Now().UnixNano() < c.lossy.Load() }

// Wide is what GetWide returns. It belongs to one goroutine, which must close it.
type Wide struct {
	Size int64 // of the whole resource; -1: not told

	c      *Client
	ctx    context.Context
	cancel context.CancelFunc
	url    string
	at     int64 // where the next byte to read is
	end    int64 // -1: not known

	room   func() int64    // see GetWide
	body   *Body           // while one request will do
	lone   context.Context // its context, which watch ends when it is slow
	begun  time.Time       // when its answer began, and where
	from   int64
	watch  *time.Timer
	pieces chan *piece // then, in order
	piece  *piece
	work   sync.WaitGroup
}

// GetWide is Get where the server's line may have room for more: it begins with one
// request, and goes on with several when that pauses, or brings less than room() says.
// That is how many bytes per second are quick enough, 0 while there is no room. Where
// the way was found to lose packets lately it begins with several.
func (c *Client) GetWide(ctx context.Context, raw string, off, n int64, room func() int64) (*Wide, error) {
	w := &Wide{Size: -1, c: c, url: raw, at: off, end: -1, room: room, from: off}
	if n >= 0 {
		w.end = off + n
	}
	w.ctx, w.cancel = context.WithCancel(ctx)
	if err := w.begin(n); err != nil {
		w.Close()
		return nil, err
	}
	return w, nil
}

func (w *Wide) begin(n int64) error {
	c := w.c
	if c.isLossy() && w.may() && (n < 0 || n > pieceSize) {
		return w.spread()
	}
	lone, cancel := context.WithCancel(w.ctx)
	w.lone = lone
	patience := 2 * c.patience() // it may have to think before it answers
	w.watch = time.AfterFunc(time.Hour, func() {
		if w.may() {
			cancel()
		} else {
			w.watch.Reset(patience) // it may be known later
		}
	})
	w.watch.Reset(patience)
	body, err := c.Get(lone, w.url, w.at, n)
	if w.watch.Stop(); w.slow() {
		if body != nil {
			body.Close()
		}
		return w.spread()
	}
	if err != nil {
		return err
	}
	w.body, w.Size, w.begun = body, body.Size, time.Now()
	if w.end < 0 && w.Size >= 0 {
		w.end = w.Size
	}
	return nil
}

// may reports whether several requests may be made.
func (w *Wide) may() bool { return w.room() > 0 && !w.c.whole.Load() }

// slow reports whether the one request was given up because it was slow.
func (w *Wide) slow() bool {
	slow := w.lone.Err() != nil && w.ctx.Err() == nil
	if slow {
		w.c.paused()
	}
	return slow
}

// spread goes on with pieces.
func (w *Wide) spread() error {
	w.pieces = make(chan *piece, maxPieces)
	var first *piece
	if w.end < 0 {
		// Its answer says how much there is.
		first = newPiece(w.at, pieceSize)
		select {
		case w.c.pieces <- struct{}{}:
		case <-w.ctx.Done():
			return context.Cause(w.ctx)
		}
		first.fetch(w.ctx, w.c, w.url)
		<-w.c.pieces
		switch {
		case first.err != nil:
			return first.err
		case first.size < 0: // the rest would be taken for nothing
			w.c.whole.Store(true)
			return ErrRange
		}
		w.Size, w.end = first.size, first.size
		w.piece = first
	}
	next := w.at
	if first != nil {
		next += first.n
	}
	w.work.Go(func() {
		defer close(w.pieces)
		for at := next; at < w.end; at += pieceSize {
			select {
			case w.c.pieces <- struct{}{}:
			case <-w.ctx.Done():
				return
			}
			p := newPiece(at, min(pieceSize, w.end-at))
			w.work.Go(func() {
				defer func() { <-w.c.pieces }()
				p.fetch(w.ctx, w.c, w.url)
			})
			select {
			case w.pieces <- p:
			case <-w.ctx.Done():
				return
			}
		}
	})
	return nil
}

// Read implements io.Reader. Its errors are those of Body.
func (w *Wide) Read(b []byte) (int, error) {
	if w.body != nil {
		n, err := w.lead(b)
		if n > 0 || err != nil || w.body != nil {
			return n, err
		}
	}
	for {
		if p := w.piece; p != nil {
			<-p.done
			if p.err != nil {
				return 0, p.err
			}
			n := copy(b, p.data[w.at-p.at:p.n])
			w.at += int64(n)
			if n > 0 || len(b) == 0 {
				return n, nil
			}
		}
		var ok bool
		if w.piece, ok = <-w.pieces; !ok {
			if err := context.Cause(w.ctx); err != nil {
				return 0, err
			}
			return 0, io.EOF
		}
	}
}

// lead reads from the one request, until that is slow.
func (w *Wide) lead(b []byte) (int, error) {
	patience := w.c.patience()
	next := patience
	if room := w.room(); room > 0 {
		behind := time.Since(w.begun) - time.Duration(float64(w.at-w.from)/float64(room)*float64(time.Second))
		next = min(next, patience-behind)
	}
	w.watch.Reset(next)
	n, err := w.body.Read(b)
	w.at += int64(n)
	if w.watch.Stop(); !w.slow() {
		return n, err
	}
	w.body.Close()
	if w.body = nil; w.end < 0 {
		return n, ErrStalled
	}
	return n, w.spread()
}

// Close ends all requests.
func (w *Wide) Close() error {
	w.cancel()
	if w.body != nil {
		w.body.Close()
	}
	w.work.Wait()
	return nil
}

// piece is a part of a resource.
type piece struct {
	at, n int64
	done  chan struct{}
	err   error // once done
	size  int64 // of the whole resource

	mu   sync.Mutex
	data []byte // what has come, guarded by mu
}

func newPiece(at, n int64) *piece {
	return &piece{at: at, n: n, size: -1, done: make(chan struct{}), data: make([]byte, 0, n)}
}

// fetch gets p by one request after another, each beside those that have paused.
func (p *piece) fetch(ctx context.Context, c *Client, url string) {
	defer close(p.done)
	ctx, cancel := context.WithCancel(ctx)
	var attempts sync.WaitGroup
	defer attempts.Wait()
	defer cancel()
	moved := make(chan struct{}, 1)
	ended := make(chan error, maxCopies+maxFailures)
	running, failures := 0, 0
	start := func() {
		running++
		attempts.Go(func() { ended <- p.attempt(ctx, c, url, moved) })
	}
	start()
	timer := time.NewTimer(c.patience())
	defer timer.Stop()
	for {
		select {
		case <-moved:
			timer.Reset(c.patience())
		case <-timer.C:
			c.paused()
			if running < maxCopies {
				start()
			}
			timer.Reset(c.patience())
		case err := <-ended:
			running--
			if err == nil {
				return
			}
			if failures++; failures >= maxFailures || final(err) {
				p.err = err
				return
			}
			if running == 0 {
				start()
			}
		}
	}
}

// final reports whether to try again is of no use.
func final(err error) bool {
	var status *StatusError
	return errors.As(err, &status) || errors.Is(err, ErrRange) || errors.Is(err, ErrRefused) || errors.Is(err, ErrClosed) ||
		errors.Is(err, ErrTooLarge) || errors.Is(err, ErrEncoded) || errors.Is(err, context.Canceled)
}

// attempt asks for what has not come of p.
func (p *piece) attempt(ctx context.Context, c *Client, url string, moved chan<- struct{}) error {
	p.mu.Lock()
	at := int64(len(p.data))
	p.mu.Unlock()
	body, err := c.get(ctx, url, p.at+at, p.n-at, true)
	if err != nil {
		return err
	}
	defer body.Close()
	if !body.Ranged {
		c.whole.Store(true) // from now on
		return ErrRange
	}
	if body.Size > segment.MaxSize {
		return ErrTooLarge
	}
	p.mu.Lock()
	p.size = body.Size
	if p.size >= 0 {
		p.n = min(p.n, p.size-p.at)
	}
	n := p.n
	p.mu.Unlock()
	buf := make([]byte, 4<<10)
	for at < n {
		got, err := body.Read(buf)
		p.mu.Lock()
		if more := at + int64(got) - int64(len(p.data)); more > 0 {
			p.data = append(p.data, buf[int64(got)-more:got]...)
			select {
			case moved <- struct{}{}:
			default:
			}
		}
		p.mu.Unlock()
		if at += int64(got); at < n && err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return err
		}
	}
	return nil
}
