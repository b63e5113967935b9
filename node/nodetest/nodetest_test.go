package nodetest

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestBytesCheck(t *testing.T) {
	for _, f := range []Format{TS, FMP4, WebVTT} {
		for _, id := range []Ident{{}, {Epoch: 3, Rendition: 12, Sequence: 1 << 40}, {Init: true}} {
			b := Bytes(f, id, Size(id, 400_000, 1))
			got, err := Check(b)
			if err != nil || got != id {
				t.Fatalf("format %d: Check = %+v, %v; want %+v", f, got, err, id)
			}
			for _, i := range []int{0, len(b) / 2, len(b) - 1} {
				b[i] ^= 1
				if _, err := Check(b); err == nil {
					t.Errorf("format %d: changed byte %d not noticed", f, i)
				}
				b[i] ^= 1
			}
			if _, err := Check(b[:len(b)-1]); err == nil {
				t.Errorf("format %d: missing byte not noticed", f)
			}
		}
	}
	if _, err := Check(nil); err == nil {
		t.Error("nothing passes for a segment")
	}
}

func TestEncryptDecrypt(t *testing.T) {
	for n := range 40 {
		plain := make([]byte, n)
		got, err := Decrypt(Encrypt(plain, keyBytes(1), sequenceIV(7)), keyBytes(1), sequenceIV(7))
		if err != nil || len(got) != n {
			t.Fatalf("%d bytes came back as %d: %v", n, len(got), err)
		}
	}
}

// bubble runs f with an origin on a network in memory.
func bubble(t *testing.T, cfg OriginConfig, f func(t *testing.T, o *Origin, url string, c *http.Client)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		n := NewNet()
		l, err := n.Listen("127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		o := NewOrigin(cfg)
		url := o.StartOn(t, l)
		c := n.Client()
		t.Cleanup(c.CloseIdleConnections)
		f(t, o, url, c)
	})
}

func TestPlayEveryShape(t *testing.T) {
	two := []int{200_000, 400_000}
	tests := map[string]struct {
		origin OriginConfig
		player PlayerConfig
	}{
		"live":           {},
		"backlog":        {origin: OriginConfig{Backlog: 10}},
		"second variant": {OriginConfig{Bitrates: two}, PlayerConfig{Variant: 1, Range: true}},
		"audio":          {OriginConfig{Audio: []string{"en", "de"}}, PlayerConfig{Group: "AUDIO", Alternative: 1}},
		"subtitles":      {OriginConfig{Subtitles: []string{"en"}}, PlayerConfig{Group: "SUBTITLES"}},
		"single":         {origin: OriginConfig{Single: true, FirstSequence: 1 << 33}},
		"fmp4":           {origin: OriginConfig{Format: FMP4, DiscontinuityEvery: 3}},
		"aes":            {origin: OriginConfig{KeyEvery: 3}},
		"aes iv fmp4":    {origin: OriginConfig{KeyEvery: 3, ExplicitIV: true, Format: FMP4}},
		"ranges":         {origin: OriginConfig{Ranged: 4, Backlog: 3}},
		"ranges aes":     {origin: OriginConfig{Ranged: 4, KeyEvery: 2}},
		"event":          {origin: OriginConfig{Type: Event, Length: 12}},
		"vod":            {origin: OriginConfig{Type: VOD, Length: 12}},
		"live that ends": {origin: OriginConfig{Length: 12}},
		"no dates":       {origin: OriginConfig{NoDateTime: true, Extension: "-"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if tt.origin.Bitrates == nil {
				tt.origin.Bitrates = []int{100_000}
			}
			bubble(t, tt.origin, func(t *testing.T, o *Origin, url string, c *http.Client) {
				tt.player.URL, tt.player.Client, tt.player.Segments = url, c, 10
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				r := Play(ctx, tt.player)
				if r.Segments < 9 || r.Corrupt > 0 || len(r.Stalls) > 0 || r.Skipped > 0 {
					t.Error(r)
				}
				if dated := len(r.Ready) > 0; dated == tt.origin.NoDateTime {
					t.Errorf("%d segments had a date", len(r.Ready))
				}
				if n := len(r.Idents); n != r.Segments {
					t.Errorf("%d right segments of %d", n, r.Segments)
				}
				if got := o.Counts(); got.Requests[Segment] != r.Segments || got.Bytes[Segment] != r.Bytes {
					t.Errorf("origin counted %v requests, %v bytes; player %v", got.Requests, got.Bytes, r)
				}
			})
		})
	}
}

func TestPlayThroughFaults(t *testing.T) {
	tests := map[string]struct {
		fault                           Faults
		for_                            time.Duration
		stalls, corrupt, failed, finish bool
	}{
		"5xx briefly":  {fault: Faults{Status: 503}, for_: 3 * time.Second, failed: true, finish: true},
		"5xx segments": {fault: Faults{Status: 500, Only: []Kind{Segment}}, for_: 20 * time.Second, stalls: true, failed: true, finish: true},
		"slow":         {fault: Faults{Rate: 6_000}, for_: 30 * time.Second, stalls: true, finish: true},
		"stale":        {fault: Faults{Stale: true}, for_: 20 * time.Second, stalls: true, finish: true},
		"hang":         {fault: Faults{Hang: true}, for_: 20 * time.Second, stalls: true, finish: true},
		"gone":         {fault: Faults{Gone: true}, for_: 20 * time.Second, stalls: true, failed: true, finish: true},
		"delay":        {fault: Faults{Delay: 300 * time.Millisecond}, for_: 20 * time.Second, finish: true},
		"corrupt":      {fault: Faults{Corrupt: func(id Ident) bool { return id.Sequence%2 == 0 }}, for_: 10 * time.Second, corrupt: true, finish: true},
		"truncate":     {fault: Faults{Truncate: func(Ident) bool { return true }}, for_: 20 * time.Second, stalls: true, failed: true, finish: true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, OriginConfig{Backlog: 6, Bitrates: []int{100_000}}, func(t *testing.T, o *Origin, url string, c *http.Client) {
				ctx, cancel := context.WithTimeout(t.Context(), 80*time.Second)
				defer cancel()
				time.AfterFunc(10*time.Second, func() { o.Set(tt.fault) })
				time.AfterFunc(10*time.Second+tt.for_, func() { o.Set(Faults{}) })
				r := Play(ctx, PlayerConfig{URL: url, Client: c})
				if (len(r.Stalls) > 0) != tt.stalls || (r.Corrupt > 0) != tt.corrupt || (r.Failed > 0) != tt.failed {
					t.Error(r)
				}
				if n, _ := o.Newest(0); tt.finish && r.Idents[len(r.Idents)-1].Sequence+2 < n.Sequence {
					t.Errorf("stopped at %+v of %+v: %v", r.Idents[len(r.Idents)-1], n, r)
				}
				want := 80*time.Second - r.Startup
				if sum := r.Played + r.Stalled(); sum > want || sum < want-time.Second {
					t.Errorf("played %v and stalled %v in %v", r.Played, r.Stalled(), want)
				}
			})
		})
	}
}

func TestRestart(t *testing.T) {
	bubble(t, OriginConfig{Backlog: 6, FirstSequence: 100}, func(t *testing.T, o *Origin, url string, c *http.Client) {
		get := func(path string) (int, string) {
			res, err := c.Get(strings.TrimSuffix(url, "/live/master.m3u8") + path)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			b, err := io.ReadAll(res.Body)
			if err != nil {
				t.Fatal(err)
			}
			return res.StatusCode, string(b)
		}
		o.Restart(0)
		time.Sleep(time.Second)
		if _, b := get("/live/0/index.m3u8"); !strings.Contains(b, "#EXT-X-MEDIA-SEQUENCE:100\n") {
			t.Errorf("before the first new segment: %s", b)
		}
		time.Sleep(time.Second)
		if _, b := get("/live/0/index.m3u8"); !strings.Contains(b, "#EXT-X-MEDIA-SEQUENCE:0\n") || strings.Count(b, "#EXTINF") != 1 {
			t.Errorf("after the first new segment: %s", b)
		}
		_, b := get("/live/0/0.ts")
		if id, err := Check([]byte(b)); err != nil || id.Epoch != 1 {
			t.Errorf("segment 0 is %+v, %v", id, err)
		}
		if code, _ := get("/live/0/1.ts"); code != 404 {
			t.Errorf("segment of the future: %d", code)
		}
	})
}

func TestNet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := NewNet()
		l, err := n.Listen("127.0.0.1:80")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := n.Listen("127.0.0.1:80"); err == nil {
			t.Error("address given twice")
		}
		if _, err := n.DialContext(t.Context(), "tcp", "127.0.0.1:81"); err == nil {
			t.Error("connected to nobody")
		}
		go func() {
			c, err := l.Accept()
			if err != nil {
				t.Error(err)
				return
			}
			io.Copy(c, c)
			c.Close()
		}()
		c, err := n.DialContext(t.Context(), "tcp", "127.0.0.1:80")
		if err != nil {
			t.Fatal(err)
		}
		c.SetReadDeadline(time.Now().Add(time.Second))
		start := time.Now()
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != time.Second {
			t.Errorf("read: %v after %v", err, time.Since(start))
		}
		c.SetDeadline(time.Time{})
		sent := Bytes(TS, Ident{}, 300<<10)
		go c.Write(sent)
		got := make([]byte, len(sent))
		if _, err := io.ReadFull(c, got); err != nil || string(got) != string(sent) {
			t.Errorf("echo differs: %v", err)
		}
		c.Close()
		if _, err := c.Write([]byte{1}); err == nil {
			t.Error("wrote to a closed connection")
		}
		l.Close()
		if _, err := n.DialContext(t.Context(), "tcp", "127.0.0.1:80"); err == nil {
			t.Error("connected to a closed listener")
		}

		a, b := NewConnPair(l.Addr(), l.Addr())
		a.SetWriteDeadline(time.Now().Add(time.Second))
		if k, err := a.Write(make([]byte, pipeBuffer+1)); !errors.Is(err, os.ErrDeadlineExceeded) || k != pipeBuffer {
			t.Errorf("write to one who does not read: %d, %v", k, err)
		}
		a.Close()
		if k, err := io.Copy(io.Discard, b); err != nil || k != pipeBuffer {
			t.Errorf("the rest: %d, %v", k, err)
		}
		b.Close()
	})
}

func TestStartOnLoopback(t *testing.T) {
	o := NewOrigin(OriginConfig{Backlog: 6, Segment: time.Second, Bitrates: []int{300_000}})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if r := Play(ctx, PlayerConfig{URL: o.Start(t), Segments: 3}); r.Segments != 3 || r.Corrupt > 0 {
		t.Error(r)
	}
}
