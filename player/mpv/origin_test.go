package mpv

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// clip is a film in segments, made by ffmpeg once.
type clip struct {
	dir   string
	count int
	each  time.Duration
}

// clips are made once for all tests.
var clips struct {
	sync.Mutex
	dir  string
	made map[string]clip
}

// film returns a clip of n segments of a second each; its first picture has the
// time stamp 1.4 s, as ffmpeg does it.
func film(t testing.TB, size string, n int) clip {
	t.Helper()
	clips.Lock()
	defer clips.Unlock()
	key := fmt.Sprint(size, n)
	if c, ok := clips.made[key]; ok {
		return c
	}
	tool, err := exec.LookPath("ffmpeg")
	if err != nil {
		t.Skip("ffmpeg is not installed")
	}
	c := clip{dir: filepath.Join(clips.dir, key), count: n, each: time.Second}
	if err := os.MkdirAll(c.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(tool, "-v", "error",
		"-f", "lavfi", "-i", "testsrc2=s="+size+":r=30", "-f", "lavfi", "-i", "sine=440", "-f", "lavfi", "-i", "sine=880",
		"-map", "0", "-map", "1", "-map", "2", "-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=deu",
		"-t", strconv.Itoa(n), "-c:v", "libx264", "-preset", "ultrafast", "-g", "30", "-keyint_min", "30", "-sc_threshold", "0",
		"-c:a", "aac", "-f", "hls", "-hls_time", "1", "-hls_list_size", "0",
		"-hls_segment_filename", filepath.Join(c.dir, "%d.ts"), filepath.Join(c.dir, "all.m3u8")).CombinedOutput()
	if err != nil {
		t.Fatalf("make a film: %v\n%s", err, out)
	}
	if clips.made == nil {
		clips.made = map[string]clip{}
	}
	clips.made[key] = c
	return c
}

// origin serves a clip over HTTP as a live channel that loops, with a
// discontinuity at each turn.
type origin struct {
	clip    clip
	address string
	began   time.Time
	window  int  // segments in the playlist; 0: EVENT, all
	loop    bool // else it ends with the clip

	failing atomic.Bool  // playlists answer 500
	frozen  atomic.Int64 // playlists stay as they were with so many segments; 0: they do not
	over    atomic.Bool  // the end is listed
	asked   atomic.Int64 // for segments
	server  *http.Server
}

func serve(t testing.TB, o *origin, alreadyLive time.Duration) *origin {
	t.Helper()
	o.began = time.Now().Add(-alreadyLive)
	o.listen(t, "127.0.0.1:0")
	t.Cleanup(o.refuse)
	return o
}

// refuse makes connecting fail, until listen.
func (o *origin) refuse() { o.server.Close() }

func (o *origin) again(t testing.TB) { o.listen(t, o.address) }

func (o *origin) listen(t testing.TB, address string) {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	o.address = l.Addr().String()
	o.server = &http.Server{Handler: o}
	go o.server.Serve(l)
}

func (o *origin) url(name string) string { return "http://" + o.address + "/" + name }

// segments is how many there are now.
func (o *origin) segments() int {
	if n := o.frozen.Load(); n > 0 {
		return int(n)
	}
	n := int(time.Since(o.began) / o.clip.each)
	if !o.loop {
		n = min(n, o.clip.count)
	}
	return n
}

func (o *origin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Path, "/")
	switch {
	case name == "live.m3u8" || name == "film.m3u8":
		if o.failing.Load() {
			http.Error(w, "no", http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/vnd.apple.mpegurl")
		w.Write(o.playlist(name == "film.m3u8"))
	case name == "master.m3u8":
		fmt.Fprint(w, "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1000000\nlive.m3u8\n")
	case strings.HasSuffix(name, ".ts"):
		n, err := strconv.Atoi(strings.TrimSuffix(name, ".ts"))
		if err != nil {
			http.NotFound(w, r)
			return
		}
		o.asked.Add(1)
		http.ServeFile(w, r, filepath.Join(o.clip.dir, strconv.Itoa(n%o.clip.count)+".ts"))
	default:
		http.NotFound(w, r)
	}
}

func (o *origin) playlist(whole bool) []byte {
	var b bytes.Buffer
	n, first := o.segments(), 0
	if whole {
		n = o.clip.count
	} else if o.window > 0 {
		first = max(0, n-o.window)
	}
	fmt.Fprintf(&b, "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:%d\n", first)
	switch {
	case whole:
		b.WriteString("#EXT-X-PLAYLIST-TYPE:VOD\n")
	case o.window == 0:
		b.WriteString("#EXT-X-PLAYLIST-TYPE:EVENT\n")
	}
	for i := first; i < n; i++ {
		if i > 0 && i%o.clip.count == 0 {
			b.WriteString("#EXT-X-DISCONTINUITY\n")
		}
		fmt.Fprintf(&b, "#EXTINF:1.000,\n%d.ts\n", i)
	}
	if whole || o.over.Load() || !o.loop && n == o.clip.count {
		b.WriteString("#EXT-X-ENDLIST\n")
	}
	return b.Bytes()
}
