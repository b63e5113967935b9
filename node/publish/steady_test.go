package publish

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"coral/node/origin"
	"coral/store/segment"
)

// hanging sends so many bytes of its first answers, and then nothing.
type hanging struct {
	blob
	hangs int32
	after int
	asked atomic.Int32
}

func (h *hanging) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h.asked.Add(1) <= h.hangs {
		w = &hangingWriter{w, r.Context(), h.after}
	}
	h.blob.ServeHTTP(w, r)
}

type hangingWriter struct {
	http.ResponseWriter
	ctx  context.Context
	left int
}

func (h *hangingWriter) Write(p []byte) (int, error) {
	if h.left >= len(p) {
		h.left -= len(p)
		return h.ResponseWriter.Write(p)
	}
	if h.left > 0 {
		_, _ = h.ResponseWriter.Write(p[:h.left])
		h.ResponseWriter.(http.Flusher).Flush()
	}
	<-h.ctx.Done()
	return 0, h.ctx.Err()
}

// What stops coming is asked for again, from where it stopped.
func TestSteady(t *testing.T) {
	data := make([]byte, 6*segment.BlockSize+777)
	rng := rand.NewChaCha8([32]byte{2})
	rng.Read(data)
	for _, c := range []struct {
		name  string
		hangs int32
		after int
		off   int64
		lanes int
		asked int32
		plain bool
	}{
		{name: "in the middle", hangs: 1, after: 100_000, lanes: 1, asked: 2},
		{name: "from within", hangs: 1, after: 50_000, off: 1234, lanes: 1, asked: 2},
		{name: "at the beginning", hangs: 1, lanes: 1, asked: 2},
		{name: "twice", hangs: 2, after: 30_000, lanes: 1, asked: 3},
		{name: "one of several", hangs: 1, after: 30_000, lanes: 4, asked: 4},
		{name: "all of several", hangs: 4, after: 1000, lanes: 4, asked: 7},
		{name: "without ranges", hangs: 2, after: 100_000, lanes: 1, plain: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := &hanging{blob: blob{data: data, plain: c.plain}, hangs: c.hangs, after: c.after}
			r, url := serve(t, h)
			body, _, err := r.get(t.Context(), url+"/a.ts", c.off, -1, c.lanes)
			if err != nil {
				t.Fatal(err)
			}
			defer body.Close()
			got, err := io.ReadAll(body)
			if c.plain {
				if !errors.Is(err, origin.ErrStalled) {
					t.Errorf("%d bytes, %v", len(got), err)
				}
				return
			}
			if err != nil || !bytes.Equal(got, data[c.off:]) {
				t.Errorf("%d bytes of %d, %v", len(got), len(data)-int(c.off), err)
			}
			if n := h.asked.Load(); n != c.asked {
				t.Errorf("asked %d times, want %d", n, c.asked)
			}
		})
	}
}

// A playlist that does not come is asked for again.
func TestSteadyPlaylist(t *testing.T) {
	h := &hanging{blob: blob{data: []byte("#EXTM3U\n")}, hangs: 1, after: 4}
	r, url := serve(t, h)
	body, _, _, err := r.playlist(t.Context(), url+"/index.m3u8", nil)
	if err != nil || string(body) != "#EXTM3U\n" || h.asked.Load() != 2 {
		t.Errorf("%q after %d requests, %v", body, h.asked.Load(), err)
	}
}

// A source that takes long to answer is given the time.
func TestPatience(t *testing.T) {
	var u usual
	if d, ok := u.patience(0); d != silence || !ok {
		t.Errorf("%v, %t at first", d, ok)
	}
	if d, ok := u.patience(3); d != endless || ok {
		t.Errorf("%v, %t at last", d, ok)
	}
	u.note(2 * time.Second)
	if d, ok := u.patience(0); d != endless || ok {
		t.Errorf("%v, %t of a slow one", d, ok)
	}
	u.note(100 * time.Millisecond)
	u.note(900 * time.Millisecond) // once
	if d, _ := u.patience(0); d != silence+400*time.Millisecond {
		t.Errorf("%v of a quick one", d)
	}
}
