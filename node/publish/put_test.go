package publish

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"coral/node/origin"
	"coral/store/segment"
)

func TestPut(t *testing.T) {
	state := t.TempDir()
	var m *memory
	p := start(t, Config{Source: "put://127.0.0.1:0/in", State: state}, func(p *Publisher) Sink { m = newMemory(t, p); return m })
	client := &http.Client{}
	defer client.CloseIdleConnections()
	send := func(method, path string, body io.Reader, change func(*http.Request)) int {
		t.Helper()
		r, err := http.NewRequest(method, "http://"+p.Addr().String()+path, body)
		if err != nil {
			t.Fatal(err)
		}
		if change != nil {
			change(r)
		}
		resp, err := client.Do(r)
		if err != nil {
			if method == http.MethodPut && body != nil {
				return -1 // cut before all was sent
			}
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	put := func(path string, data []byte) int { return send(http.MethodPut, path, bytes.NewReader(data), nil) }
	for i := 1; i < 5; i++ {
		if code := put(fmt.Sprintf("/in/v/s%d.ts", i), segmentBytes(i)); code != 204 {
			t.Fatal(code)
		}
		put("/in/v/index.m3u8", mediaText(1, i, ""))
		send(http.MethodPost, "/in/main.m3u8", strings.NewReader(masterText), nil)
		m.has(i, segmentBytes(i))
	}
	if code := send(http.MethodDelete, "/in/v/s1.ts", nil, nil); code != 204 {
		t.Error(code)
	}
	if code := send(http.MethodDelete, "/in/v/s1.ts", nil, nil); code != 404 {
		t.Error(code)
	}
	for name, c := range map[string]struct {
		method, path string
		body         io.Reader
		change       func(*http.Request)
		want         int
	}{
		"traversal":      {"PUT", "/in/../../x.ts", strings.NewReader("x"), nil, 400},
		"escaped":        {"PUT", "/in/..%2f..%2fx.ts", strings.NewReader("x"), nil, 400},
		"hidden":         {"PUT", "/in/.incoming/1", strings.NewReader("x"), nil, 400},
		"backslash":      {"PUT", `/in/a%5cb`, strings.NewReader("x"), nil, 400},
		"zero":           {"PUT", "/in/a%00", strings.NewReader("x"), nil, 400},
		"outside":        {"PUT", "/x.ts", strings.NewReader("x"), nil, 400},
		"folder":         {"PUT", "/in/", strings.NewReader("x"), nil, 400},
		"deep":           {"PUT", "/in/" + strings.Repeat("a/", 20) + "x", strings.NewReader("x"), nil, 400},
		"long":           {"PUT", "/in/" + strings.Repeat("a", 600), strings.NewReader("x"), nil, 400},
		"reading":        {"GET", "/in/main.m3u8", nil, nil, 405},
		"a web page":     {"POST", "/in/a.ts", strings.NewReader("x"), func(r *http.Request) { r.Header.Set("Origin", "http://evil.example") }, 403},
		"another name":   {"POST", "/in/a.ts", strings.NewReader("x"), func(r *http.Request) { r.Host = "evil.example" }, 403},
		"on a folder":    {"PUT", "/in/v", strings.NewReader("x"), nil, 500},
		"huge":           {"PUT", "/in/h.ts", io.LimitReader(zeros{}, segment.MaxSize+1), nil, 413},
		"huge playlist":  {"PUT", "/in/h.m3u8", io.LimitReader(zeros{}, origin.MaxPlaylist+1), nil, 413},
		"says it's huge": {"PUT", "/in/h2.ts", strings.NewReader("x"), func(r *http.Request) { r.ContentLength = 1 << 40 }, 413},
	} {
		if code := send(c.method, c.path, c.body, c.change); code != c.want && !(c.want == 413 && code == -1) {
			t.Errorf("%s: %d, want %d", name, code, c.want)
		}
	}
	p.stop()
	var names []string
	filepath.WalkDir(filepath.Join(state, inboxDir), func(path string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			names = append(names, filepath.Base(path))
		}
		return err
	})
	if got := strings.Join(names, " "); got != "main.m3u8 index.m3u8 s2.ts s3.ts s4.ts" {
		t.Errorf("inbox holds %s", got)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

func TestPutAddress(t *testing.T) {
	for _, source := range []string{"put://:8080/", "put://example.org:80/", "put://127.0.0.1/", "put://127.0.0.1:1/?x", "put://u@127.0.0.1:1/", "ftp://x/", "put://"} {
		if p, err := Open(Config{Source: source, State: t.TempDir()}); err == nil {
			p.Close()
			t.Errorf("%s was opened", source)
		} else if strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", source, err)
		}
	}
}

func TestInboxIsBounded(t *testing.T) {
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	root.Mkdir(halfDir, 0o700)
	b, err := openInbox(root)
	if err != nil {
		t.Fatal(err)
	}
	b.maxBytes, b.maxFiles = 1000, 5
	for i := range 40 {
		name := fmt.Sprintf("d%d/s%d.ts", i%3, i)
		if err := b.store(b.turn(), name, bytes.NewReader(make([]byte, 150))); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			b.store(b.turn(), "index.m3u8", bytes.NewReader(make([]byte, 100)))
		}
		if b.bytes > 1000 || len(b.files) > 5 {
			t.Fatalf("%d bytes in %d files", b.bytes, len(b.files))
		}
	}
	if _, err := root.Stat("index.m3u8"); err != nil {
		t.Error("the playlist had to go")
	}
	if err := b.store(b.turn(), "more.m3u8", bytes.NewReader(make([]byte, 2000))); !errors.Is(err, errInboxFull) {
		t.Errorf("%v", err)
	}
	early, late := b.turn(), b.turn()
	b.store(late, "index.m3u8", strings.NewReader("late"))
	b.store(early, "index.m3u8", strings.NewReader("early"))
	if got, err := root.ReadFile("index.m3u8"); string(got) != "late" {
		t.Errorf("%s %v: what was sent first came last", got, err)
	}
	again, err := openInbox(root)
	if err != nil || again.bytes != b.bytes && again.bytes != 100 || len(again.files) != len(b.files) {
		t.Errorf("%v %+v %+v", err, again, b)
	}
}

func TestFFmpegPut(t *testing.T) {
	t.Parallel()
	ffmpeg, err := exec.LookPath("ffmpeg")
	if err != nil || testing.Short() {
		t.Skip("no ffmpeg")
	}
	var m *memory
	p := start(t, Config{Source: "put://127.0.0.1:0/", State: t.TempDir()}, func(p *Publisher) Sink { m = newMemory(t, p); return m })
	// The window holds the whole stream: ffmpeg on a busy machine hands in several
	// segments at once, and what leaves the window unseen is nobody's to publish.
	out, err := exec.Command(ffmpeg, "-v", "error", "-re", "-f", "lavfi", "-i", "testsrc2=s=160x90:r=25", "-t", "4", "-c:v", "libx264",
		"-preset", "ultrafast", "-g", "12", "-f", "hls", "-hls_time", "0.5", "-hls_list_size", "12", "-hls_flags", "delete_segments",
		"-method", "PUT", "http://"+p.Addr().String()+"/live/index.m3u8").CombinedOutput()
	if err != nil {
		t.Skipf("ffmpeg: %v %s", err, out)
	}
	m.until("ends", func() bool { return m.ended(0) })
	m.mu.Lock()
	defer m.mu.Unlock()
	list := m.media(0)
	for i, e := range list {
		if e.Sequence != uint64(i) || len(m.data[e.ID()])%188 != 0 {
			t.Errorf("%+v", e)
		}
	}
	if len(list) < 7 {
		t.Errorf("%d segments", len(list))
	}
}
