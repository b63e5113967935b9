package proxy

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
)

// desk is a panel that a test looks at.
type desk struct {
	mu     sync.Mutex
	pauses []bool
	err    error
}

func (d *desk) Status(context.Context) (Status, error) {
	return Status{Channel: `Reef "1" </script>`, Verified: "yes", FromPeers: 7, UploadCap: -1}, d.err
}

func (d *desk) PauseSharing(paused bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.pauses = append(d.pauses, paused)
}

// withPage mounts a second channel that has a page.
func withPage(t *testing.T) (*setup, *desk) {
	s, d := start(t, nil), &desk{}
	files := fstest.MapFS{}
	for _, name := range []string{"index.html", "main.js", "hls.mjs", "a.css", "i.svg", "secret", "secret.conf", "dir/x.js"} {
		files[name] = &fstest.MapFile{Data: []byte(name)}
	}
	m, err := s.server.Mount(s.fake, &Page{Files: files, Panel: d})
	if err != nil {
		t.Fatal(err)
	}
	s.mount = m
	return s, d
}

func TestPageFiles(t *testing.T) {
	s, _ := withPage(t)
	for path, want := range map[string]string{
		"": "index.html", "index.html": "index.html", "main.js": "main.js", "hls.mjs": "hls.mjs", "a.css": "a.css", "i.svg": "i.svg",
	} {
		a := s.do(t, "GET", s.mount.PageURL()+path)
		if a.StatusCode != 200 || string(a.body) != want || a.Header.Get("Content-Security-Policy") != pagePolicy || a.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%q: %s %q %v", path, a.Status, a.body, a.Header)
		}
	}
	// Browsers run a module only if it says that it is one, and tell their origin.
	for _, path := range []string{"main.js", "hls.mjs"} {
		if a := s.do(t, "HEAD", s.mount.PageURL()+path, "Origin", "http://"+s.server.Addr().String()); a.Header.Get("Content-Type") != "text/javascript; charset=utf-8" || len(a.body) > 0 {
			t.Errorf("%s: %v", path, a.Header)
		}
	}
	for _, path := range []string{"secret", "secret.conf", "dir/x.js", "dir", "dir/", "nothing.js", "./main.js", "../web/main.js", "x/../main.js", ".", ".."} {
		if a := s.do(t, "GET", s.mount.PageURL()+path); a.StatusCode == 200 && string(a.body) != "main.js" {
			t.Errorf("%q: %s %q", path, a.Status, a.body)
		}
	}
	if a := s.do(t, "GET", strings.TrimSuffix(s.mount.PageURL(), "/")); a.StatusCode != 404 {
		t.Errorf("without a slash relative URLs would lead elsewhere: %s", a.Status)
	}
}

func TestPageStatus(t *testing.T) {
	s, d := withPage(t)
	url := s.beside(fileStatus)
	a := s.do(t, "GET", url)
	var st Status
	if err := json.Unmarshal(a.body, &st); err != nil || st.FromPeers != 7 || st.UploadCap != -1 || a.Header.Get("Content-Type") != "application/json" {
		t.Errorf("%s %s %v", a.Status, a.body, err)
	}
	if a := s.do(t, "GET", url, "Sec-Fetch-Site", "cross-site"); a.StatusCode != 403 {
		t.Errorf("another site reads: %s", a.Status)
	}
	if a := s.do(t, "GET", url+"/x"); a.StatusCode != 404 {
		t.Error(a.Status)
	}
	d.err = ErrUnavailable
	if a := s.do(t, "GET", url); a.StatusCode != 503 {
		t.Error(a.Status)
	}
	plain := start(t, nil)
	if a := plain.do(t, "GET", plain.beside(fileStatus)); a.StatusCode != 404 {
		t.Errorf("status without a page: %s", a.Status)
	}
}

// beside is the URL of what lies beside the folder play.
func (s *setup) beside(name string) string {
	return strings.TrimSuffix(s.mount.URL(), "play/"+masterName) + name
}

func TestPageShare(t *testing.T) {
	s, d := withPage(t)
	own := "http://" + s.server.Addr().String()
	post := func(url, body string, header ...string) int {
		t.Helper()
		req, err := http.NewRequest("POST", url, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Origin", own)
		req.Header.Set("Content-Type", "application/json")
		for i := 0; i < len(header); i += 2 {
			req.Header.Del(header[i])
			switch {
			case header[i] == "Host":
				req.Host = header[i+1]
			case header[i+1] == "chunked":
				req.ContentLength, req.Body = -1, io.NopCloser(strings.NewReader(body))
			case header[i+1] != "":
				req.Header.Set(header[i], header[i+1])
			}
		}
		res, err := s.client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		return res.StatusCode
	}
	url := s.beside(fileShare)
	const pause = `{"paused":true}`
	for _, body := range []string{pause, ` { "paused" : false } ` + "\n"} {
		if code := post(url, body); code != 204 {
			t.Errorf("%s: %d", body, code)
		}
	}
	if code := post(url, pause, "Content-Type", "application/json; charset=utf-8", "Sec-Fetch-Site", "same-origin"); code != 204 {
		t.Errorf("as a browser says it: %d", code)
	}
	if want := []bool{true, false, true}; fmt.Sprint(d.pauses) != fmt.Sprint(want) {
		t.Errorf("the panel heard %v, want %v", d.pauses, want)
	}
	for name, test := range map[string]struct {
		body   string
		header []string
		code   int
	}{
		"no origin":         {pause, []string{"Origin", ""}, 403},
		"another's origin":  {pause, []string{"Origin", "http://evil.example"}, 403},
		"null origin":       {pause, []string{"Origin", "null"}, 403},
		"origin, other way": {pause, []string{"Origin", "https" + strings.TrimPrefix(own, "http")}, 403},
		"other port":        {pause, []string{"Origin", "http://127.0.0.1:1"}, 403},
		"rebound":           {pause, []string{"Host", "evil.example", "Origin", "http://evil.example"}, 403},
		"another name":      {pause, []string{"Origin", strings.Replace(own, "127.0.0.1", "localhost", 1)}, 403},
		"cross-site":        {pause, []string{"Sec-Fetch-Site", "cross-site"}, 403},
		"a form":            {pause, []string{"Content-Type", "text/plain"}, 415},
		"no type":           {pause, []string{"Content-Type", ""}, 415},
		"nothing":           {"", nil, 400},
		"chunks":            {pause, []string{"X", "chunked"}, 400},
		"too long":          {pause + strings.Repeat(" ", maxShare), nil, 400},
		"no answer":         {`{}`, nil, 400},
		"null":              {`{"paused":null}`, nil, 400},
		"a word":            {`{"paused":"yes"}`, nil, 400},
		"more":              {`{"paused":true,"cap":1}`, nil, 400},
		"twice":             {pause + pause, nil, 400},
		"not json":          {`paused=true`, nil, 400},
	} {
		if code := post(url, test.body, test.header...); code != test.code {
			t.Errorf("%s: %d, want %d", name, code, test.code)
		}
	}
	for name, u := range map[string]string{
		"wrong token": strings.Replace(url, s.mount.token, strings.Repeat("0", tokenLen), 1), "below play": s.url("share"), "below web": s.mount.PageURL() + "share",
		"below share": url + "/share",
	} {
		if code := post(u, pause); code != 404 {
			t.Errorf("%s: %d", name, code)
		}
	}
	if code := post(s.url(masterName), pause); code != 405 {
		t.Errorf("elsewhere: %d", code)
	}
	if a := s.do(t, "GET", url); a.StatusCode != 404 {
		t.Errorf("get: %s", a.Status)
	}
	if len(d.pauses) != 3 {
		t.Errorf("the panel heard %v", d.pauses)
	}
}

func TestRewindPlaylist(t *testing.T) {
	for top, in := range map[string]string{rewindName: "-h1-", autoName: "shown-1-"} {
		s, _ := withPage(t)
		for i := range uint64(10) {
			s.live(i, 100, false)
		}
		s.set(func() { s.presentation = single() })
		a := s.get(t, top)
		name := firstURI(string(a.body))
		if a.StatusCode != 200 || !strings.Contains(name, in) {
			t.Fatalf("%s: %s\n%s", top, a.Status, a.body)
		}
		if b := s.get(t, name); !strings.Contains(string(b.body), "#EXT-X-MEDIA-SEQUENCE:0\n") || strings.Count(string(b.body), "#EXTINF") != 10 {
			t.Errorf("%s does not begin with the oldest:\n%s", top, b.body)
		}
	}
}

// firstURI is the first line of a playlist that is no tag.
func firstURI(playlist string) string {
	for line := range strings.Lines(playlist) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			return line
		}
	}
	return ""
}

func FuzzPaused(f *testing.F) {
	for _, s := range []string{`{"paused":true}`, `{"paused":false} `, `{}`, `[`, `{"paused":null}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		paused, err := readPaused(strings.NewReader(s))
		var q map[string]any
		if err == nil && (json.Unmarshal([]byte(s), &q) != nil || len(s) > maxShare+1) {
			t.Errorf("%q read as %v", s, paused)
		}
	})
}
