package proxy

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"coral/node/nodetest"
	"coral/store/segment"
)

var one = segment.ID{Sequence: 1}

func TestRanges(t *testing.T) { bubble(t, testRanges) }

func testRanges(t *testing.T, s *setup) {
	data := nodetest.Bytes(nodetest.TS, nodetest.Ident{}, 100_000)
	size := len(data)
	s.set(func() {
		s.objects[segment.ID{Sequence: 1}] = whole(data)
		s.objects[segment.ID{Sequence: 2}] = whole(nil)
		s.objects[segment.ID{Sequence: 3}] = whole(data[:1])
	})
	tests := []struct {
		seq      int
		rng      string
		status   int
		from, to int // of data
	}{
		{1, "", 200, 0, size},
		{1, "bytes=0-", 206, 0, size},
		{1, "bytes=0-0", 206, 0, 1},
		{1, "bytes=0-1", 206, 0, 2}, // AVPlayer's probe
		{1, "bytes=1-", 206, 1, size},
		{1, "bytes=40000-70000", 206, 40000, 70001},
		{1, "bytes=32767-32768", 206, 32767, 32769},
		{1, fmt.Sprintf("bytes=%d-", size-1), 206, size - 1, size},
		{1, fmt.Sprintf("bytes=%d-%d", size-1, size+1000), 206, size - 1, size},
		{1, "bytes=0-99999999999999999999", 206, 0, size},
		{1, "bytes=-1", 206, size - 1, size},
		{1, "bytes=-70000", 206, size - 70000, size},
		{1, "bytes=-999999", 206, 0, size},
		{1, fmt.Sprintf("bytes=%d-", size), 416, 0, 0},
		{1, "bytes=999999999999-", 416, 0, 0},
		{1, "bytes=-0", 416, 0, 0},
		{1, "bytes=5-2", 200, 0, size},
		{1, "bytes=0-1,3-4", 200, 0, size},
		{1, "chars=0-1", 200, 0, size},
		{2, "", 200, 0, 0},
		{2, "bytes=0-", 416, 0, 0},
		{2, "bytes=-1", 416, 0, 0},
		{3, "bytes=0-", 206, 0, 1},
		{3, "bytes=1-", 416, 0, 0},
	}
	for _, tt := range tests {
		for _, method := range []string{"GET", "HEAD"} {
			for _, known := range []bool{true, false} {
				s.set(func() {
					for _, b := range s.objects {
						b.sizeKnown = known
					}
				})
				if !known { // it is told later than any byte
					time.AfterFunc(time.Second, func() { s.set(func() { s.objects[segment.ID{Sequence: uint64(tt.seq)}].sizeKnown = true }) })
				}
				name := fmt.Sprintf("%s %d %q, size known %v", method, tt.seq, tt.rng, known)
				var header []string
				if tt.rng != "" {
					header = []string{"Range", tt.rng}
				}
				a := s.do(t, method, s.url(fmt.Sprintf("0/%d.ts", tt.seq)), header...)
				total := map[int]int{1: size, 2: 0, 3: 1}[tt.seq]
				// Before the size is known, all of it may be sent without a length.
				if !known && a.StatusCode == 200 && strings.HasPrefix(tt.rng, "bytes=0-") && a.ContentLength < 0 {
					if !bytes.Equal(a.body, data[tt.from:tt.to]) && method == "GET" {
						t.Errorf("%s: wrong body without length", name)
					}
					continue
				}
				if a.err != nil || a.StatusCode != tt.status {
					t.Errorf("%s: %v %v, want %d", name, a.Status, a.err, tt.status)
					continue
				}
				wantRange := ""
				switch tt.status {
				case 206:
					wantRange = fmt.Sprintf("bytes %d-%d/%d", tt.from, tt.to-1, total)
				case 416:
					wantRange = fmt.Sprintf("bytes */%d", total)
				}
				if got := a.Header.Get("Content-Range"); got != wantRange {
					t.Errorf("%s: Content-Range %q, want %q", name, got, wantRange)
				}
				if tt.status == 416 {
					continue
				}
				if method == "HEAD" {
					if a.ContentLength != int64(tt.to-tt.from) {
						t.Errorf("%s: Content-Length %d", name, a.ContentLength)
					}
					continue
				}
				if !bytes.Equal(a.body, data[tt.from:tt.to]) {
					t.Errorf("%s: wrong body of %d bytes", name, len(a.body))
				}
			}
		}
	}
	s.set(func() { s.objects[one].sizeKnown = true })
	if a := s.get(t, "0/1.ts", "Range", "bytes=5-9", "If-Range", `"etag"`); a.StatusCode != 200 || !bytes.Equal(a.body, data) {
		t.Errorf("If-Range: %s %v", a.Status, a.err)
	}
}

// TestStreaming: each byte is at the player as soon as it is at the session.
func TestStreaming(t *testing.T) {
	for _, known := range []bool{true, false} {
		bubble(t, func(t *testing.T, s *setup) {
			data := nodetest.Bytes(nodetest.TS, nodetest.Ident{}, 5*segment.BlockSize+777)
			s.set(func() { s.objects[one] = &blob{data: data, sizeKnown: known} })
			steps := []int{1, 100, segment.BlockSize, 3 * segment.BlockSize, 3*segment.BlockSize + 1, len(data) - 1, len(data)}
			answered := make(chan *http.Response)
			go func() {
				res, err := s.client.Get(s.url("0/1.ts"))
				if err != nil {
					t.Error(err)
					res = &http.Response{Body: http.NoBody}
				}
				answered <- res
			}()
			time.Sleep(30 * time.Second) // held until the first byte
			select {
			case <-answered:
				t.Fatal("answered without a byte")
			default:
			}
			s.set(func() { s.objects[one].come = steps[0] })
			res := <-answered
			defer res.Body.Close()
			if known != (res.ContentLength == int64(len(data))) {
				t.Errorf("size known %v: Content-Length %d", known, res.ContentLength)
			}
			at := 0
			for _, step := range steps {
				s.set(func() {
					s.objects[one].come = step
					s.objects[one].sizeKnown = known || step == len(data)
				})
				buf := make([]byte, step-at)
				d := took(func() {
					if _, err := io.ReadFull(res.Body, buf); err != nil {
						t.Fatal(err)
					}
				})
				if d != 0 || !bytes.Equal(buf, data[at:step]) {
					t.Errorf("bytes %d to %d: after %v", at, step, d)
				}
				at = step
				time.Sleep(10 * time.Second)
			}
			if n, err := res.Body.Read(make([]byte, 1)); n > 0 || err != io.EOF {
				t.Errorf("after the end: %d, %v", n, err)
			}
		})
	}
}

// TestBrokenOff: an error before the first byte has a status, one after it cuts
// the connection; a player never takes a part for the whole.
func TestBrokenOff(t *testing.T) {
	errs := map[error]int{
		fmt.Errorf("gone: %w", ErrNotFound):    404,
		fmt.Errorf("busy: %w", ErrUnavailable): 503,
		errors.New("odd"):                      503,
		io.ErrUnexpectedEOF:                    503,
	}
	for err, status := range errs {
		for _, known := range []bool{true, false} {
			bubble(t, func(t *testing.T, s *setup) {
				s.set(func() { s.objects[one] = &blob{data: make([]byte, 100_000), sizeKnown: known, err: err} })
				for _, rng := range []string{"", "bytes=0-", "bytes=-5", "bytes=50-60"} {
					a := s.get(t, "0/1.ts", "Range", rng)
					if a.StatusCode != status || (a.Header.Get("Retry-After") == "1") != (status == 503) || a.Header.Get("Content-Range") != "" {
						t.Errorf("%v, %q: %s %v", err, rng, a.Status, a.Header)
					}
				}
				s.set(func() { s.objects[one].come = 40_000 })
				a := s.get(t, "0/1.ts")
				if a.StatusCode != 200 || a.err == nil || len(a.body) > 40_000 {
					t.Errorf("%v, size known %v: %s, %d bytes, %v", err, known, a.Status, len(a.body), a.err)
				}
				if st := s.mount.Stats(); st.Aborted != 1 || st.Failed != 4 {
					t.Errorf("stats %+v", st)
				}
			})
		}
	}
	bubble(t, func(t *testing.T, s *setup) {
		for err, status := range errs {
			s.set(func() { s.err = err })
			if a := s.get(t, "0/1.ts"); a.StatusCode != status {
				t.Errorf("open: %v: %s", err, a.Status)
			}
		}
	})
}

// TestPatience: a session that never delivers and never fails.
func TestPatience(t *testing.T) {
	bubble(t, func(t *testing.T, s *setup) {
		s.set(func() { s.objects[one] = &blob{data: make([]byte, 100), sizeKnown: true} })
		var a answer
		if d := took(func() { a = s.get(t, "0/1.ts") }); d != patience || a.StatusCode != 503 {
			t.Errorf("%s after %v", a.Status, d)
		}
		s.set(func() { s.objects[one].come = 50 })
		if d := took(func() { a = s.get(t, "0/1.ts") }); d != patience || a.StatusCode != 200 || a.err == nil {
			t.Errorf("%s, %v after %v", a.Status, a.err, d)
		}
	})
}

// TestSlowPlayer: one that reads slowly gets everything, one that stops reading
// is cut off, and neither makes the proxy read ahead.
func TestSlowPlayer(t *testing.T) {
	bubble(t, func(t *testing.T, s *setup) {
		data := nodetest.Bytes(nodetest.TS, nodetest.Ident{}, 2<<20)
		s.set(func() { s.objects[one] = whole(data) })
		res, err := s.client.Get(s.url("0/1.ts"))
		if err != nil {
			t.Fatal(err)
		}
		var got bytes.Buffer
		for {
			n, err := io.CopyN(&got, res.Body, 64<<10)
			time.Sleep(time.Minute)
			if n == 0 {
				if err != io.EOF {
					t.Error(err)
				}
				break
			}
		}
		res.Body.Close()
		if !bytes.Equal(got.Bytes(), data) {
			t.Errorf("slow player got %d bytes", got.Len())
		}

		before := s.mount.Stats().Bytes
		res, err = s.client.Get(s.url("0/1.ts"))
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		time.Sleep(writeStall + time.Second)
		synctest.Wait()
		if n := s.mount.Stats().Bytes - before; n > 200<<10 {
			t.Errorf("%d bytes read for a player that takes none", n)
		}
		s.mu.Lock()
		if s.opened != s.closed {
			t.Error("stalled player's object is still open")
		}
		s.mu.Unlock()
		if b, err := io.ReadAll(res.Body); err == nil {
			t.Errorf("stalled player took %d bytes for the whole", len(b))
		}
		// A pause shorter than that is survived.
		res2, err := s.client.Get(s.url("0/1.ts"))
		if err != nil {
			t.Fatal(err)
		}
		defer res2.Body.Close()
		time.Sleep(writeStall - time.Second)
		if b, err := io.ReadAll(res2.Body); err != nil || !bytes.Equal(b, data) {
			t.Errorf("after a pause: %d bytes, %v", len(b), err)
		}
	})
}

// TestHangUp: when the player goes, so does the interest in the segment.
func TestHangUp(t *testing.T) {
	bubble(t, func(t *testing.T, s *setup) {
		s.set(func() { s.objects[one] = &blob{data: make([]byte, 1<<20), come: 1000, sizeKnown: true} })
		res, err := s.client.Get(s.url("0/1.ts"))
		if err != nil {
			t.Fatal(err)
		}
		io.CopyN(io.Discard, res.Body, 1000)
		res.Body.Close()
		synctest.Wait()
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.opened != 1 || s.closed != 1 {
			t.Errorf("%d opened, %d closed", s.opened, s.closed)
		}
	})
}

func TestHead(t *testing.T) {
	bubble(t, func(t *testing.T, s *setup) {
		s.set(func() { s.objects[one] = &blob{data: make([]byte, 1234), sizeKnown: true} })
		var a answer
		if d := took(func() { a = s.do(t, "HEAD", s.url("0/1.ts")) }); d != 0 || a.StatusCode != 200 || a.ContentLength != 1234 || a.Header.Get("Accept-Ranges") != "bytes" {
			t.Errorf("%s %v after %v", a.Status, a.Header, d)
		}
		if a = s.do(t, "HEAD", s.url("0/2.ts")); a.StatusCode != 404 || len(a.body) > 0 {
			t.Errorf("%s", a.Status)
		}
		time.AfterFunc(time.Second, func() { s.set(func() { s.objects[one].sizeKnown = true }) })
		s.set(func() { s.objects[one].sizeKnown = false })
		if d := took(func() { a = s.do(t, "HEAD", s.url("0/1.ts")) }); d != time.Second || a.ContentLength != 1234 {
			t.Errorf("%s %v after %v", a.Status, a.Header, d)
		}
		if n := s.mount.Stats().Segments; n != 0 {
			t.Errorf("%d segments counted", n)
		}
	})
}

// TestGuessedType: what the origin's URI does not tell is sniffed, and nothing
// that a browser would run gets through.
func TestGuessedType(t *testing.T) {
	s := start(t, nil)
	aac := append([]byte{0xff, 0xf1, 0x50}, make([]byte, 500)...)
	s.set(func() { b := whole(aac); b.said = "text/html"; s.objects[one] = b })
	for path, want := range map[string]string{"0/1-x.ts": "audio/aac", "0/1.ts": "video/mp2t", "0/1-x.m4s": "audio/aac", "0/1.aac": "audio/aac"} {
		if a := s.get(t, path); a.Header.Get("Content-Type") != want {
			t.Errorf("%s: %s", path, a.Header.Get("Content-Type"))
		}
	}
	if a := s.get(t, "0/1-x.ts", "Range", "bytes=100-"); a.Header.Get("Content-Type") != "video/mp2t" {
		t.Errorf("from the middle: %s", a.Header.Get("Content-Type"))
	}
}

// TestNoBuffering: a response costs one block of memory, whatever its size.
func TestNoBuffering(t *testing.T) {
	s := start(t, nil)
	data := make([]byte, 16<<20)
	s.set(func() { s.objects[one] = whole(data) })
	n := testing.AllocsPerRun(3, func() {
		res, err := s.client.Get(s.url("0/1.ts"))
		if err != nil {
			t.Fatal(err)
		}
		if k, _ := io.Copy(io.Discard, res.Body); k != int64(len(data)) || res.Header.Get("Content-Length") != strconv.Itoa(len(data)) {
			t.Fatalf("%d bytes", k)
		}
		res.Body.Close()
	})
	// The fake session allocates a little for each of 512 reads; copies of the
	// body would show as thousands.
	if n > 2500 {
		t.Errorf("%.0f allocations", n)
	}
	if strings.Contains(s.mount.URL(), " ") {
		t.Error(s.mount.URL())
	}
}
