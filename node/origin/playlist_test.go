package origin

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

const list = "#EXTM3U\n#EXT-X-TARGETDURATION:6\n"

func TestPlaylistConditional(t *testing.T) {
	var etag, modified, date, asked string
	c, base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked = r.Header.Get("If-None-Match") + "|" + r.Header.Get("If-Modified-Since")
		for k, v := range map[string]string{"ETag": etag, "Last-Modified": modified, "Date": date} {
			if v != "" {
				w.Header().Set(k, v)
			}
		}
		if r.URL.Path == "/moved" {
			http.Redirect(w, r, "/there/b.m3u8?x=1#frag", http.StatusFound)
			return
		}
		if etag != "" && r.Header.Get("If-None-Match") == etag || r.URL.Path == "/always304" {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		io.WriteString(w, list)
	})
	at := func(s int) string { return time.Unix(1_700_000_000+int64(s), 0).UTC().Format(http.TimeFormat) }
	get := func(path string, v *Validators, changed bool, header string) {
		t.Helper()
		body, final, same, err := c.Playlist(t.Context(), base+path, v)
		if err != nil || same == changed || changed != (string(body) == list) || !strings.HasPrefix(final, base) {
			t.Errorf("%q %s %v %v", body, final, same, err)
		}
		if asked != header {
			t.Errorf("asked with %s, want %s", asked, header)
		}
	}
	v := new(Validators)
	etag = `W/"1"`
	get("/a.m3u8", v, true, "|")
	get("/a.m3u8", v, false, etag+"|")
	get("/a.m3u8", v, false, etag+"|") // what was noted stays
	old := etag
	etag = `"2"`
	get("/a.m3u8", v, true, old+"|")
	get("/a.m3u8", nil, true, "|")
	// Modified in the second in which it was served: not to be relied on.
	modified, date = at(0), at(0)
	get("/a.m3u8", new(Validators), true, "|")
	*v = Validators{}
	get("/a.m3u8", v, true, "|")
	get("/a.m3u8", v, true, "|")
	date = at(1)
	get("/a.m3u8", v, true, "|")
	get("/a.m3u8", v, false, `"2"|`+at(0))
	// Absurd validators are not kept.
	etag = strconv.Quote(big(5000))
	get("/a.m3u8", v, true, `"2"|`+at(0))
	if v.ETag != "" {
		t.Error("kept")
	}
	// A 304 that was not asked for is an error.
	if _, _, _, err := c.Playlist(t.Context(), base+"/always304", nil); !same(err, &StatusError{Code: 304}) {
		t.Error(err)
	}
	// Relative URLs are relative to where a redirect ended.
	if _, final, _, err := c.Playlist(t.Context(), base+"/moved", nil); err != nil || final != base+"/there/b.m3u8?x=1" {
		t.Error(final, err)
	}
}

func TestPlaylistBounds(t *testing.T) {
	zip := func(data []byte) []byte {
		var buf bytes.Buffer
		z := gzip.NewWriter(&buf)
		z.Write(data)
		z.Close()
		return buf.Bytes()
	}
	bomb := zip(make([]byte, 64<<20))
	good := zip([]byte(list))
	pages := map[string]struct {
		encoding string
		body     []byte
		want     error
	}{
		"/plain":     {"", []byte(list), nil},
		"/gzip":      {"gzip", good, nil},
		"/xgzip":     {"X-GZIP", good, nil},
		"/bomb":      {"gzip", bomb, ErrTooLarge},
		"/nogzip":    {"gzip", []byte(list), ErrEncoded},
		"/corrupt":   {"gzip", append(good[:len(good)-8:len(good)-8], 1, 2, 3, 4, 5, 6, 7, 8), ErrEncoded},
		"/cut":       {"gzip", good[:len(good)-4], io.ErrUnexpectedEOF},
		"/br":        {"br", good, ErrEncoded},
		"/twice":     {"gzip, gzip", good, ErrEncoded},
		"/large":     {"", bytes.Repeat([]byte("#"), MaxPlaylist+1), ErrTooLarge},
		"/unlimited": {"", bytes.Repeat([]byte("#"), MaxPlaylist+1), ErrTooLarge},
		"/max":       {"", bytes.Repeat([]byte("#"), MaxPlaylist), nil},
	}
	_, base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		p := pages[r.URL.Path]
		if p.encoding != "" {
			w.Header().Set("Content-Encoding", p.encoding)
		}
		if r.URL.Path != "/unlimited" {
			w.Header().Set("Content-Length", strconv.Itoa(len(p.body)))
		}
		w.Write(p.body)
	})
	// Time enough to unpack a bomb on a busy machine: it is its size that counts.
	c := New(Config{Policy: Policy{Typed: []string{base}}, Timeouts: Timeouts{Playlist: time.Minute}})
	t.Cleanup(c.Close)
	for path, p := range pages {
		body, _, _, err := c.Playlist(t.Context(), base+path, nil)
		if !errors.Is(err, p.want) {
			t.Errorf("%s: %v, want %v", path, err, p.want)
		}
		if err == nil && p.encoding != "" && string(body) != list {
			t.Errorf("%s: %q", path, body)
		}
	}
	if _, _, _, err := c.Playlist(t.Context(), base+"/gone", nil); err != nil {
		t.Error(err) // an empty body is hls's to refuse
	}
}
