package publish

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"coral/node/channel"
	"coral/node/hls"
	"coral/node/nodetest"
	"coral/store/segment"
)

func contextOf(t testing.TB) (context.Context, context.CancelFunc) {
	t.Helper()
	return context.WithCancel(context.Background())
}

// playlistOf lists segments first to last by name; dated gives them dates.
func playlistOf(first, last int, name string, dated bool) *hls.Media {
	m := &hls.Media{Target: 2 * time.Second, Sequence: uint64(first)}
	for i := first; i <= last; i++ {
		s := hls.Segment{Sequence: uint64(i), URI: fmt.Sprintf(name, i), Duration: 2 * time.Second}
		if dated {
			s.ProgramDateTime = time.Unix(1_800_000_000+int64(2*i), 0)
		}
		m.Segments = append(m.Segments, s)
	}
	return m
}

func TestJudge(t *testing.T) {
	later := playlistOf(10, 15, "s%d.ts", true)
	for i := range later.Segments {
		later.Segments[i].ProgramDateTime = later.Segments[i].ProgramDateTime.Add(time.Hour)
	}
	for name, c := range map[string]struct {
		m    *hls.Media
		want verdict
	}{
		"the same":            {playlistOf(10, 15, "s%d.ts", true), onward},
		"one more":            {playlistOf(11, 16, "s%d.ts", true), onward},
		"all new":             {playlistOf(50, 55, "s%d.ts", true), onward},
		"undated":             {playlistOf(10, 16, "s%d.ts", false), onward},
		"another token":       {playlistOf(10, 16, "/t/x/s%d.ts?token=z", true), onward},
		"stale":               {playlistOf(9, 14, "s%d.ts", true), behind},
		"other names":         {playlistOf(10, 16, "x%d.ts", true), other},
		"other names, lower":  {playlistOf(8, 11, "x%d.ts", true), other},
		"same names, later":   {later, other},
		"far lower":           {playlistOf(0, 3, "s%d.ts", true), lower},
		"far lower and other": {playlistOf(0, 3, "x%d.ts", false), lower},
	} {
		r := &rendition{chain: &chain{}, planned: map[uint64]*job{}}
		for _, s := range playlistOf(10, 15, "s%d.ts", true).Segments {
			at := sightOf(&s)
			r.planned[s.Sequence] = &job{sight: at}
			r.newest = &at
		}
		if got := r.judge(c.m); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestContent(t *testing.T) {
	ts := nodetest.Bytes(nodetest.TS, nodetest.Ident{}, 188*10)
	mp4 := nodetest.Bytes(nodetest.FMP4, nodetest.Ident{}, 3000)
	for name, c := range map[string]struct {
		data      []byte
		encrypted bool
		want      bool
	}{
		"TS": {ts, false, false}, "TS cut": {ts[:1000], false, true}, "TS cut at a packet": {ts[:188*9], false, false},
		"MP4": {mp4, false, false}, "MP4 cut": {mp4[:2999], false, true}, "MP4 cut in a header": {mp4[:20], false, true},
		"empty": {nil, false, true}, "text": {[]byte("WEBVTT\n"), false, false},
		"encrypted": {make([]byte, 160), true, false}, "encrypted, cut": {make([]byte, 161), true, true},
		"64-bit box": {append([]byte("\x00\x00\x00\x01mdat\x00\x00\x00\x00\x00\x00\x00\x14"), 1, 2, 3, 4), false, false},
		"bad size":   {[]byte("\x00\x00\x00\x07moof"), false, true},
	} {
		if got := cutOff(c.data, c.encrypted); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	for text, want := range map[string]bool{"<!DOCTYPE html>": true, " \n<HTML>": true, "#EXTM3U\n": true, "WEBVTT": false, "": false, "<tt xml": false} {
		if foreign([]byte(text)) != want {
			t.Errorf("%q", text)
		}
	}
}

func FuzzContent(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x01mdat\x00\x00\x00\x00\x00\x00\x00\x14"))
	f.Add(bytes.Repeat([]byte{0x47}, 376))
	f.Fuzz(func(t *testing.T, data []byte) {
		cutOff(data, false)
		foreign(data)
		parseLine(data)
	})
}

func TestPublicURI(t *testing.T) {
	const top, base = "https://o.example/live/v/index.m3u8", "https://edge.example/x/v/index.m3u8"
	for name, c := range map[string]struct {
		reach              reachability
		nominal, base, uri string
		want               string
	}{
		"as it is":               {sameServer, top, top, "s.ts?t=1", "s.ts?t=1"},
		"redirected":             {sameServer, top, base, "s.ts", "https://edge.example/x/v/s.ts"},
		"absolute":               {sameServer, top, base, "https://o.example/s.ts", "https://o.example/s.ts"},
		"a folder":               {sameServer, top, "v/index.m3u8", "s.ts", "s.ts"},
		"mirror":                 {otherServer, top, base, "s.ts", "s.ts"},
		"mirror of absolute":     {otherServer, top, base, "https://edge.example/x/v/a/s%20x.ts?q", "a/s%20x.ts?q"},
		"mirror of rooted":       {otherServer, top, base, "/x/v/s.ts", "s.ts"},
		"mirror of another tree": {otherServer, top, base, "https://other.example/s.ts", "https://other.example/s.ts"},
		"mirror, odd name":       {otherServer, top, base, "/x/v/a:b.ts", "./a:b.ts"},
		"nobody":                 {noServer, "", base, "s.ts", "s.ts"},
		"nobody, absolute":       {noServer, "", base, "https://other.example/q/s.ts?secret", "./s.ts"},
	} {
		p := &Publisher{reach: c.reach}
		if got := p.publicURI(c.nominal, c.base, c.uri); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	p := &Publisher{reach: noServer}
	for uri, want := range map[string]string{"k.key": "https://edge.example/x/v/k.key", "skd://x": "skd://x"} {
		if got := p.publicKeyURI("", base, uri); got != want {
			t.Errorf("key %q: %q", uri, got)
		}
	}
}

func TestNumber(t *testing.T) {
	of := func(refs ...string) (list []line) {
		media := map[string]uint16{}
		for i, ref := range refs {
			l := line{ref: ref}
			l.ID, l.URI, l.Bandwidth = uint16(i), ref, 1000
			if _, ok := media[ref]; !ok {
				media[ref] = uint16(i)
			}
			l.Media = media[ref]
			list = append(list, l)
		}
		return list
	}
	var rows []row
	step := func(want string, list []line) {
		t.Helper()
		var err error
		if rows, err = number(rows, list); err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, l := range list {
			got += fmt.Sprintf("%d/%d ", l.ID, l.Media)
		}
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	step("0/0 1/1 ", of("http://a/1", "http://a/2"))
	step("1/1 0/0 ", of("http://a/2?t", "http://a/1"))
	list := of("http://a/3", "http://a/1")
	list[0].Bandwidth = 9
	step("2/2 0/0 ", list)
	step("0/0 1/0 ", of("http://a/1", "http://a/1"))
	audio := of("", "")
	audio[0].Kind, audio[1].Kind, audio[1].Name = channel.Captions, channel.Captions, "b"
	step("3/3 4/4 ", audio)
}

// flaky is a hand-made origin.
type flaky struct {
	mu    sync.Mutex
	files map[string][]byte
	serve func(w http.ResponseWriter, r *http.Request) bool
}

func (f *flaky) set(path string, data []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.files[path] = data
}

func (f *flaky) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	data, ok := f.files[r.URL.Path]
	serve := f.serve
	f.mu.Unlock()
	if serve != nil && serve(w, r) {
		return
	}
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Write(data)
}

func TestHostileSource(t *testing.T) {
	t.Parallel()
	f := &flaky{files: map[string][]byte{}}
	s := httptest.NewServer(f)
	defer s.Close()
	for i := range 30 {
		f.set(fmt.Sprintf("/s%d.ts", i), segmentBytes(i))
	}
	inside := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t.Errorf("another private server was asked: %s", r.URL)
	}))
	defer inside.Close()
	pages := 0
	f.serve = func(w http.ResponseWriter, r *http.Request) bool {
		switch r.URL.Path {
		case "/huge.ts":
			w.Header().Set("Content-Length", fmt.Sprint(int64(segment.MaxSize)*1000))
			io.CopyN(w, zeros{}, 1<<20)
			return true
		case "/endless.ts":
			io.CopyN(w, zeros{}, segment.MaxSize+10)
			return true
		case "/s3.ts":
			if pages++; pages < 3 { // a page first
				io.WriteString(w, "<!DOCTYPE html><title>busy</title>")
				return true
			}
		case "/moved.ts":
			http.Redirect(w, r, inside.URL+"/x.ts", http.StatusFound)
			return true
		}
		return false
	}
	var m *memory
	f.set("/index.m3u8", []byte("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:1\n#EXTINF:1,\ns1.ts\n"))
	p := start(t, Config{Source: s.URL + "/index.m3u8", State: t.TempDir()}, func(p *Publisher) Sink { m = newMemory(t, p); return m })
	m.has(1, segmentBytes(1))
	for _, bad := range []string{"", "<html>", "#EXTM3U\n", "#EXTM3U\n#EXTINF:1,\n", strings.Repeat("#EXTM3U\n", 1<<20), "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nindex.m3u8\n"} {
		f.set("/index.m3u8", []byte(bad))
		pause(t, 50*time.Millisecond)
	}
	f.set("/index.m3u8", fmt.Appendf(nil, "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:1\n#EXTINF:1,\ns1.ts\n"+
		"#EXTINF:1,\nfile:///etc/passwd\n#EXTINF:1,\ns3.ts\n#EXTINF:1,\nhuge.ts\n#EXTINF:1,\nendless.ts\n#EXTINF:1,\nmoved.ts\n"+
		"#EXTINF:1,\n%s/private.ts\n#EXTINF:1,\nmissing.ts\n#EXT-X-GAP\n#EXTINF:1,\ngap.ts\n#EXTINF:1,\ns10.ts\n", inside.URL))
	m.has(3, segmentBytes(3))
	m.has(10, segmentBytes(10))
	p.stop()
	for _, e := range m.media(0) {
		if e.Sequence != 1 && e.Sequence != 3 && e.Sequence != 10 {
			t.Errorf("%+v", e)
		}
	}
	if st := p.Stats(); st.SegmentsSkipped != 7 || st.SourceErrors == 0 || st.LastError == "" || st.SegmentsSigned != 3 {
		t.Errorf("%+v", st)
	}
}

// TestSameNamesAgain is an encoder that begins anew with the same numbers and
// names, and dates nothing: only the bytes tell.
func TestSameNamesAgain(t *testing.T) {
	for _, restarted := range []bool{false, true} {
		t.Run(fmt.Sprintf("publisher restarted %v", restarted), func(t *testing.T) {
			t.Parallel()
			f := &flaky{files: map[string][]byte{}}
			s := httptest.NewServer(f)
			defer s.Close()
			for i := range 20 {
				f.set(fmt.Sprintf("/s%d.ts", i), segmentBytes(i))
			}
			f.set("/index.m3u8", mediaText(0, 5, ""))
			var m *memory
			cfg := Config{Source: s.URL + "/index.m3u8", State: t.TempDir()}
			r := start(t, cfg, func(p *Publisher) Sink { m = newMemory(t, p); return m })
			m.has(5, segmentBytes(5))
			// A stale answer changes nothing, however long it is given.
			f.set("/index.m3u8", mediaText(0, 3, ""))
			pause(t, 600*time.Millisecond)
			f.set("/index.m3u8", mediaText(1, 6, ""))
			m.has(6, segmentBytes(6))
			if restarted {
				r.stop()
			}
			for i := range 20 {
				f.set(fmt.Sprintf("/s%d.ts", i), segmentBytes(i+100))
			}
			last := 2
			if restarted {
				last = 9 // it has passed the old end meanwhile
			}
			f.set("/index.m3u8", mediaText(0, last, ""))
			if restarted {
				start(t, cfg, func(p *Publisher) Sink { return m })
			}
			m.has(7, segmentBytes(100))
			m.has(9, segmentBytes(102))
			m.mu.Lock()
			defer m.mu.Unlock()
			for _, e := range m.media(0) {
				if e.Discontinuity != (e.Sequence == 7) {
					t.Errorf("%+v", e)
				}
			}
		})
	}
}

func TestStats(t *testing.T) {
	p := &Publisher{}
	p.SetAudience(func() Audience { return Audience{Viewers: 2, Watching: map[uint16]int{1: 2}, Sent: 50} })
	p.signed(&rendition{id: 1}, &channel.Entry{Size: 100, Sequence: 4}, 30*time.Millisecond, time.Now())
	p.signed(&rendition{id: 2}, &channel.Entry{Size: 100}, 40*time.Millisecond, time.Now())
	s := p.Stats()
	if s.Consumed != 200 || s.Offload() != 0.75 || s.LagMS != 40 || len(s.Renditions) != 2 || s.Renditions[0].Sequence != 4 || s.Audience.Viewers != 2 {
		t.Errorf("%+v", s)
	}
}
