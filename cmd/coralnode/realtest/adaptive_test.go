//go:build unix

package realtest

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// line serves a folder's segments over a line of so many bytes a second.
type line struct {
	files http.Handler

	mu    sync.Mutex
	rate  int       // 0: no limit
	free  time.Time // when the line can take more
	asked []string  // segments, in order
}

func (l *line) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if path.Ext(r.URL.Path) != ".ts" {
		l.files.ServeHTTP(w, r)
		return
	}
	l.mu.Lock()
	l.asked = append(l.asked, path.Base(r.URL.Path))
	l.mu.Unlock()
	l.files.ServeHTTP(&narrow{w, l}, r)
}

// narrow is a response that takes its time.
type narrow struct {
	http.ResponseWriter
	l *line
}

func (c *narrow) Write(b []byte) (n int, err error) {
	const piece = 2 << 10
	for err == nil && n < len(b) {
		part := b[n:min(len(b), n+piece)]
		c.l.mu.Lock()
		now := time.Now()
		if c.l.free.Before(now) {
			c.l.free = now
		}
		if c.l.rate > 0 {
			c.l.free = c.l.free.Add(time.Duration(len(part)) * time.Second / time.Duration(c.l.rate))
		}
		wait := c.l.free.Sub(now)
		c.l.mu.Unlock()
		time.Sleep(wait)
		var m int
		m, err = c.ResponseWriter.Write(part)
		n += m
	}
	return n, err
}

func (l *line) limit(rate int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rate = rate
}

// shows waits until the newest segments that were asked for are of a variant.
func (l *line) shows(t *testing.T, variant string) {
	t.Helper()
	await(t, "the variant "+variant, func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		const several = 3
		if len(l.asked) < several {
			return false
		}
		for _, name := range l.asked[len(l.asked)-several:] {
			if !strings.HasPrefix(name, variant+"-") {
				return false
			}
		}
		return true
	})
}

// TestAdaptive: as the line to the origin narrows and widens, ffmpeg and mpv are
// shown one size of picture and the other, without a stop and without an error.
func TestAdaptive(t *testing.T) {
	needs(t, "ffmpeg", "mpv")
	t.Parallel()
	folder := t.TempDir()
	encode(t, folder, sizes)
	l := &line{files: http.FileServer(http.Dir(folder))}
	server := httptest.NewServer(l)
	t.Cleanup(server.Close)
	ready(t, folder)
	const seconds = 40
	v := plain(t, server.URL+"/main.m3u8")
	pictures := filepath.Join(t.TempDir(), "pictures")
	ffmpeg := start(
		t, t.TempDir(), "ffmpeg", "-nostdin", "-hide_banner", "-nostats", "-loglevel", "warning", "-i", v.url,
		"-t", strconv.Itoa(seconds), "-progress", "pipe:1", "-autoscale", "0", "-f", "framecrc", pictures,
	)
	mpv := mpv(t, v, seconds)
	l.shows(t, "high")
	l.limit(45_000)
	l.shows(t, "low")
	l.limit(0)
	l.shows(t, "high")
	decoded(t, ffmpeg, seconds)
	played(t, mpv, seconds)
	v.stop(t)
	b, err := os.ReadFile(pictures)
	if err != nil {
		t.Fatal(err)
	}
	changes, size := -1, "" // a raw picture's bytes tell its size
	for _, m := range regexp.MustCompile(`(?m)^0,.*, +(\d+), 0x\w+$`).FindAllStringSubmatch(string(b), -1) {
		if m[1] != size {
			changes, size = changes+1, m[1]
		}
	}
	if whole := strconv.Itoa(320 * 180 * 3 / 2); changes != 2 || size != whole {
		t.Errorf("the picture changed its size %d times, to %s bytes at last, of %s", changes, size, whole)
	}
}

// plain starts a viewer of a playlist that nobody publishes.
func plain(t *testing.T, playlist string) *viewer {
	t.Helper()
	dir := t.TempDir()
	url := dir + "/url"
	v := &viewer{stats: dir + "/stats"}
	v.process = node(t, dir, "watch", playlist, "--share", "off", "--url-file", url, "--stats-file", v.stats, "--cache-dir", dir+"/cache")
	v.name = "viewer"
	c := &channel{dir: dir}
	v.url = c.reads(t, v.process, url)
	return v
}
