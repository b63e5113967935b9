package assets

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func get(t *testing.T, h http.Handler, method, path string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(method, path, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func mustOrigin(t *testing.T, epoch time.Time) *Origin {
	t.Helper()
	o, err := NewOrigin(epoch)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestClipIsSmallAndWhole(t *testing.T) {
	total := 0
	err := fs.WalkDir(Demo(), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		total += int(info.Size())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if total == 0 || total > 1536<<10 {
		t.Errorf("the clip has %d bytes, want at most 1.5 MiB", total)
	}
	init, _ := fs.ReadFile(Demo(), "init.mp4")
	i := bytes.Index(init, []byte("avcC"))
	if i < 0 {
		t.Fatal("no avcC box in init.mp4")
	}
	// avcC: version, then the three bytes that RFC 6381 writes in hexadecimal.
	if want := fmt.Sprintf("avc1.%X", init[i+5:i+8]); !strings.HasPrefix(codecs, want+",") {
		t.Errorf("codecs is %q, the clip has %s", codecs, want)
	}
}

func TestTimesRunOnFromLoopToLoop(t *testing.T) {
	o := mustOrigin(t, time.Now())
	n := int64(len(o.clip))
	if n != 12 {
		t.Fatalf("clip has %d segments", n)
	}
	var last [2]uint64
	for seq := range 3 * n {
		b := o.segment(seq)
		c := o.clip[seq%n]
		if got := binary.BigEndian.Uint32(b[c.number:]); got != uint32(seq)+1 {
			t.Errorf("segment %d: fragment number %d", seq, got)
		}
		if len(c.times) != 2 {
			t.Fatalf("segment %d has %d tracks", seq, len(c.times))
		}
		for i, at := range c.times {
			now := binary.BigEndian.Uint64(b[at.offset:])
			// Sound frames (1024 samples) do not divide two seconds.
			if step := float64(now-last[i]) / float64(at.scale); seq > 0 && (step < 1.97 || step > 2.03) {
				t.Errorf("segment %d track %d starts %.3f s after the one before", seq, i, step)
			}
			last[i] = now
		}
	}
	if !bytes.Equal(o.segment(0), o.segment(0)) || bytes.Equal(o.segment(0), o.segment(n)) {
		t.Error("a segment's bytes must be a function of its number")
	}
}

func TestOriginIsLive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := mustOrigin(t, time.Now())
		list := func() string {
			w := get(t, o, "GET", mediaPath)
			if w.Code != 200 || w.Header().Get("Content-Type") != playlistType {
				t.Fatalf("playlist: %d %v", w.Code, w.Header())
			}
			return w.Body.String()
		}
		if s := list(); strings.Contains(s, "#EXTINF") {
			t.Errorf("segments before any is complete:\n%s", s)
		}
		time.Sleep(SegmentDuration)
		if s := list(); strings.Count(s, "#EXTINF") != 1 || !strings.Contains(s, "\n0.m4s\n") {
			t.Errorf("after one segment:\n%s", s)
		}
		time.Sleep(19 * SegmentDuration)
		s := list()
		if strings.Count(s, "#EXTINF") != Window || !strings.Contains(s, "#EXT-X-MEDIA-SEQUENCE:14\n") || !strings.HasSuffix(s, "\n19.m4s\n") {
			t.Errorf("after twenty segments:\n%s", s)
		}
		if strings.Contains(s, "DISCONTINUITY") {
			t.Error("the stream has no discontinuity")
		}
		for path, want := range map[string]int{
			PlaylistPath: 200, initPath: 200, "/video/19.m4s": 200, "/video/2.m4s": 200,
			"/video/20.m4s": 404, "/video/1.m4s": 404, "/video/-1.m4s": 404, "/video/x.m4s": 404,
			"/video/99999999999999999999.m4s": 404, "/19.m4s": 404, "/video/19": 404, "/": 404,
		} {
			if w := get(t, o, "GET", path); w.Code != want {
				t.Errorf("%s: %d, want %d", path, w.Code, want)
			}
		}
		if w := get(t, o, "POST", PlaylistPath); w.Code != 405 {
			t.Errorf("POST: %d", w.Code)
		}
		whole := get(t, o, "GET", "/video/19.m4s").Body.Bytes()
		part := get(t, o, "GET", "/video/19.m4s", "Range", "bytes=100-199")
		if part.Code != 206 || !bytes.Equal(part.Body.Bytes(), whole[100:200]) {
			t.Errorf("range: %d, %d bytes", part.Code, part.Body.Len())
		}
		if w := get(t, o, "HEAD", "/video/19.m4s"); w.Code != 200 || w.Body.Len() != 0 {
			t.Errorf("HEAD: %d, %d bytes", w.Code, w.Body.Len())
		}
	})
}
