package nodetest

import (
	"bytes"
	"maps"
	"net/http"
	"time"
)

// Kind is what a request asked for.
type Kind uint8

const (
	Other Kind = iota
	Master
	Media
	Segment
	Init
	Key
	kinds
)

func (k Kind) String() string {
	return [...]string{"other", "master", "media", "segment", "init", "key"}[k]
}

// Faults is what is wrong with an origin. The zero value: nothing.
type Faults struct {
	// Status answers everything with this status, or only the kinds in Only.
	Status int
	Only   []Kind
	// Delay is waited before each answer.
	Delay time.Duration
	// Rate bounds the bytes per second of each segment's body.
	Rate int
	// Stale freezes the media playlists as they are.
	Stale bool
	// Corrupt says which segments have one byte changed, in their last third.
	Corrupt func(Ident) bool
	// Truncate says which segments break off in the middle.
	Truncate func(Ident) bool
	// Hang accepts requests and does not answer until faults change.
	Hang bool
	// Gone cuts each connection without an answer.
	Gone bool
	// NoRange ignores Range headers.
	NoRange bool
}

// Set replaces the faults. Hanging and slowed requests go on by the new ones.
func (o *Origin) Set(f Faults) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if f.Stale && !o.faults.Stale {
		o.staleAt = time.Now()
	}
	o.faults = f
	close(o.changed)
	o.changed = make(chan struct{})
}

func (o *Origin) trouble() (Faults, <-chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.faults, o.changed
}

// Counts is what was asked of an origin.
type Counts struct {
	Requests [kinds]int   // by Kind
	Bytes    [kinds]int64 // of bodies, by Kind
	Ranges   int          // requests with a Range header
	// Copies counts the answers begun for each segment and init section.
	Copies map[Ident]int
}

// Total is the number of requests of all kinds.
func (c *Counts) Total() int {
	n := 0
	for _, r := range c.Requests {
		n += r
	}
	return n
}

// Counts returns a copy of the counts so far.
func (o *Origin) Counts() Counts {
	o.mu.Lock()
	defer o.mu.Unlock()
	c := o.counts
	c.Copies = maps.Clone(c.Copies)
	return c
}

// response answers one request with the faults of its time.
type response struct {
	http.ResponseWriter
	o    *Origin
	r    *http.Request
	kind Kind
}

func (w *response) notFound() {
	w.serve("", Ident{}, func() []byte { return nil })
}

// serve answers with what body returns once the faults allow it; nil is a 404.
func (w *response) serve(contentType string, id Ident, body func() []byte) {
	o := w.o
	o.mu.Lock()
	o.counts.Requests[w.kind]++
	if w.r.Header.Get("Range") != "" {
		o.counts.Ranges++
	}
	o.mu.Unlock()
	f, ok := w.pass()
	if !ok {
		return
	}
	b := body()
	if b == nil {
		http.NotFound(w, w.r)
		return
	}
	if w.kind == Segment || w.kind == Init {
		o.mu.Lock()
		o.counts.Copies[id]++
		o.mu.Unlock()
		if f.Corrupt != nil && f.Corrupt(id) {
			b[len(b)-len(b)/4] ^= 1
		}
	}
	if contentType == "" {
		contentType = map[Format]string{TS: "video/mp2t", FMP4: "video/mp4", WebVTT: "text/vtt"}[o.format(id.Rendition)]
	}
	w.Header().Set("Content-Type", contentType)
	if f.NoRange {
		w.r.Header.Del("Range")
	}
	out := &slowed{response: w, truncateAt: -1}
	if f.Truncate != nil && w.kind == Segment && f.Truncate(id) {
		out.truncateAt = len(b) / 2
	}
	http.ServeContent(out, w.r, "", time.Time{}, bytes.NewReader(b))
}

// pass waits, fails or cuts the request as the faults say, and returns them. ok
// is false if it has answered.
func (w *response) pass() (f Faults, ok bool) {
	var waited bool
	for {
		f, changed := w.o.trouble()
		switch {
		case f.Gone:
			panic(http.ErrAbortHandler)
		case f.Status != 0 && f.hits(w.kind):
			http.Error(w, http.StatusText(f.Status), f.Status)
			return f, false
		case f.Hang:
			select {
			case <-changed:
			case <-w.r.Context().Done():
				panic(http.ErrAbortHandler)
			}
			continue
		case f.Delay > 0 && !waited:
			waited = true
			select {
			case <-time.After(f.Delay):
			case <-w.r.Context().Done():
				panic(http.ErrAbortHandler)
			}
			continue
		}
		return f, true
	}
}

func (f *Faults) hits(k Kind) bool {
	for _, only := range f.Only {
		if only == k {
			return true
		}
	}
	return len(f.Only) == 0
}

// slowed writes a body at the rate of the faults of the moment.
type slowed struct {
	*response
	truncateAt int // -1: never
	n          int
}

func (w *slowed) Write(p []byte) (int, error) {
	written := 0
	for written < len(p) {
		f, changed := w.o.trouble()
		if f.Gone {
			panic(http.ErrAbortHandler)
		}
		piece := p[written:]
		var wait <-chan time.Time
		if f.Rate > 0 && w.kind == Segment {
			const step = 20 * time.Millisecond
			piece = piece[:min(len(piece), max(1, int(int64(f.Rate)*int64(step)/int64(time.Second))))]
			wait = time.After(time.Duration(len(piece)) * time.Second / time.Duration(f.Rate))
		}
		if w.truncateAt >= 0 && w.n+len(piece) > w.truncateAt {
			panic(http.ErrAbortHandler)
		}
		n, err := w.response.Write(piece)
		written += n
		w.n += n
		w.o.mu.Lock()
		w.o.counts.Bytes[w.kind] += int64(n)
		w.o.mu.Unlock()
		if err != nil {
			return written, err
		}
		if wait != nil {
			http.NewResponseController(w.ResponseWriter).Flush()
			select {
			case <-wait:
			case <-changed:
			case <-w.r.Context().Done():
				return written, w.r.Context().Err()
			}
		}
	}
	return written, nil
}
