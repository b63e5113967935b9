//go:build unix

package realtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// container is how an encoder packs a stream.
type container uint8

const (
	transport  container = iota // MPEG-TS: two variants with their audio
	fragmented                  // fMP4: two variants, one audio rendition of its own
	sizes                       // MPEG-TS, whose variants differ in size
)

// encode runs ffmpeg: a live stream of a test picture and a tone, in segments
// of one second, written to where (a folder, or the URL of an HTTP server).
// Small, so that a busy machine keeps up; a minute and a half, so that what is
// forgotten ends. A player finds the last eight segments; what is older stays,
// for comparison.
func encode(t *testing.T, where string, c container) *process {
	t.Helper()
	const size, rate = "320x180", "25"
	args := []string{
		"-nostdin", "-hide_banner", "-loglevel", "warning",
		"-re", "-f", "lavfi", "-i", "testsrc2=size=" + size + ":rate=" + rate,
		"-re", "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000",
		"-t", "90", "-map", "0:v", "-map", "0:v", "-map", "1:a",
	}
	streams, ext := "v:0,a:0,name:high v:1,a:1,name:low", "ts"
	switch c {
	case sizes:
		args = append(args, "-map", "1:a", "-s:v:1", "160x90")
	case transport:
		args = append(args, "-map", "1:a")
	case fragmented:
		streams, ext = "a:0,agroup:sound,default:yes,name:sound v:0,agroup:sound,name:high v:1,agroup:sound,name:low", "m4s"
		args = append(args, "-hls_segment_type", "fmp4", "-hls_fmp4_init_filename", "init-%v.mp4")
	}
	args = append(
		args, "-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-threads", "1",
		"-g", rate, "-keyint_min", rate, "-sc_threshold", "0", "-b:v:0", "500k", "-b:v:1", "150k", "-c:a", "aac", "-b:a", "64k",
	)
	flags := "independent_segments"
	if strings.HasPrefix(where, "http:") {
		args = append(args, "-method", "PUT")
	} else {
		flags += "+temp_file"
	}
	args = append(
		args, "-f", "hls", "-hls_time", "1", "-hls_list_size", "8", "-hls_flags", flags, "-var_stream_map", streams,
		"-master_pl_name", "main.m3u8", "-hls_segment_filename", where+"/%v-%d."+ext, where+"/%v.m3u8",
	)
	// ffmpeg writes init sections relative to the folder that it runs in, or to
	// the playlist's: both are the same here.
	dir := where
	if strings.HasPrefix(where, "http:") {
		dir = t.TempDir()
	}
	return start(t, dir, "ffmpeg", args...)
}

// live makes a live stream that an HTTP server serves. It returns once there is
// enough to play.
func live(t *testing.T, c container) (folder, url string) {
	t.Helper()
	folder = t.TempDir()
	encode(t, folder, c)
	server := httptest.NewServer(http.FileServer(http.Dir(folder)))
	t.Cleanup(server.Close)
	ready(t, folder)
	return folder, server.URL + "/main.m3u8"
}

// ready waits until a folder holds the first segments of a stream.
func ready(t *testing.T, folder string) {
	t.Helper()
	await(t, "ffmpeg's first segments", func() bool {
		names, _ := filepath.Glob(filepath.Join(folder, "low-2.*"))
		_, err := os.Stat(filepath.Join(folder, "main.m3u8"))
		return len(names) == 1 && err == nil
	})
}

// channel is a publisher and what it was started with.
type channel struct {
	dir, link string // folder; file
	args      []string
	publisher *process
}

// publish starts a publisher and waits for its link.
func publish(t *testing.T, source string, more ...string) *channel {
	t.Helper()
	c := &channel{dir: t.TempDir()}
	c.link = filepath.Join(c.dir, "link")
	addr := port(t)
	c.args = append([]string{
		"publish", source, "--name", "Real", "--state", filepath.Join(c.dir, "state"), "--listen", addr, "--advertise", addr,
		"--link-file", c.link, "--stats-file", filepath.Join(c.dir, "publisher.json"), "--dht", "off", "--upnp", "off",
	}, more...)
	c.run(t)
	return c
}

func (c *channel) run(t *testing.T) {
	t.Helper()
	_ = os.Remove(c.link)
	c.publisher = node(t, c.dir, c.args...)
	c.publisher.name = "publisher"
	c.reads(t, c.publisher, c.link)
}

// reads waits for a file that p writes whole.
func (c *channel) reads(t *testing.T, p *process, name string) string {
	t.Helper()
	var text string
	await(t, "the publisher's or viewer's "+filepath.Base(name), func() bool {
		if !p.running() {
			t.Fatalf("%s ended: %v", p.name, p.err)
		}
		b, err := os.ReadFile(name)
		text = strings.TrimSpace(string(b))
		return err == nil
	})
	return text
}

// viewer is a coralnode watch.
type viewer struct {
	*process
	url, stats string // URL; file
}

// watch starts viewers and waits until each knows all others and the publisher.
func (c *channel) watch(t *testing.T, n int) (all []*viewer) {
	t.Helper()
	for i := range n {
		path := func(kind string) string { return filepath.Join(c.dir, fmt.Sprintf("viewer%d.%s", i+1, kind)) }
		v := &viewer{stats: path("json")}
		v.process = node(
			t, c.dir, "watch", "@"+c.link, "--share", "on", "--listen", "127.0.0.1:0", "--upload-limit", "20M",
			"--dht", "off", "--upnp", "off", "--url-file", path("url"), "--stats-file", v.stats,
			"--cache-dir", path("cache"), "--cache-size", "64MiB",
		)
		v.name = fmt.Sprintf("viewer %d", i+1)
		v.url = c.reads(t, v.process, path("url"))
		all = append(all, v)
	}
	for _, v := range all {
		await(t, v.name+" to know everyone", func() bool { s := v.counts(t); return s.Peers.Connected >= n && s.Feed.Entries > 0 })
	}
	return all
}

// counts are the names of a statistics file that are looked at.
type counts struct {
	Verified bool
	Bytes    struct {
		Peers      int64 `json:"from_peers"`
		Origin     int64 `json:"from_origin"`
		Cache      int64 `json:"from_cache"`
		Unverified int64
		Duplicate  int64
		Given      int64 `json:"to_peers"`
	}
	Peers struct{ Connected, Banned int }
	Bad   int64 `json:"bad_blocks"`
	Feed  struct{ Entries, Rejected int64 }
}

func (c counts) String() string {
	return fmt.Sprintf("peers %d, origin %d, cache %d, duplicate %d, unverified %d, given %d bytes; %d entries, %d rejected; %d bad blocks; verified %v",
		c.Bytes.Peers, c.Bytes.Origin, c.Bytes.Cache, c.Bytes.Duplicate, c.Bytes.Unverified, c.Bytes.Given, c.Feed.Entries, c.Feed.Rejected, c.Bad, c.Verified)
}

// counts reads the statistics, which are written anew each second.
func (v *viewer) counts(t *testing.T) (c counts) {
	t.Helper()
	b, err := os.ReadFile(v.stats)
	if os.IsNotExist(err) {
		return c
	}
	if err == nil {
		err = json.Unmarshal(b, &c)
	}
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// settle ends viewers and returns their final counts, in which nothing may
// have gone wrong.
func settle(t *testing.T, viewers []*viewer) (all []counts) {
	t.Helper()
	for _, v := range viewers {
		v.stop(t)
		c := v.counts(t)
		t.Logf("%s: %v", v.name, c)
		if !c.Verified || c.Bad != 0 || c.Feed.Rejected != 0 || c.Peers.Banned != 0 {
			t.Errorf("%s: something was wrong: %v", v.name, c)
		}
		all = append(all, c)
	}
	return all
}

// carried checks that the swarm carried most of what the viewers got.
func carried(t *testing.T, all []counts) {
	t.Helper()
	var peers, origin int64
	for i, c := range all {
		if c.Bytes.Peers <= c.Bytes.Origin+c.Bytes.Unverified {
			t.Errorf("viewer %d got most from the origin: %v", i+1, c)
		}
		peers += c.Bytes.Peers
		origin += c.Bytes.Origin + c.Bytes.Unverified
	}
	if total := peers + origin; total > 0 {
		t.Logf("from peers: %d %% of %d bytes", peers*100/total, total)
	}
}
