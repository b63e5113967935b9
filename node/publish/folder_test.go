package publish

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"coral/node/channel"
	"coral/node/nodetest"
	"coral/node/origin"
)

// write puts a file into a folder as careful packagers do: whole at once.
func write(t testing.TB, dir, name string, data []byte) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path+".tmp", data, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".tmp", path); err != nil {
		t.Fatal(err)
	}
}

const masterText = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1000000\nv/index.m3u8\n"

// mediaText lists segments from first to last.
func mediaText(first, last int, more string) []byte {
	b := fmt.Appendf(nil, "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:%d\n", first)
	for i := first; i <= last; i++ {
		b = fmt.Appendf(b, "#EXTINF:0.300,\ns%d.ts\n", i)
	}
	return append(b, more...)
}

func segmentBytes(i int) []byte {
	return nodetest.Bytes(nodetest.TS, nodetest.Ident{Sequence: uint64(i)}, 188*(200+i%7))
}

// has waits until the segment's bytes are published, and checks them.
func (m *memory) has(seq int, want []byte) {
	m.t.Helper()
	m.until(fmt.Sprint("segment ", seq), func() bool { return m.feed.Newest(0) != nil && len(m.media(0)) > 0 && m.at(uint64(seq)) != nil })
	m.mu.Lock()
	defer m.mu.Unlock()
	if !bytes.Equal(m.at(uint64(seq)), want) {
		m.t.Errorf("segment %d: other bytes", seq)
	}
}

// at returns the bytes of a segment of rendition 0. mu must be held.
func (m *memory) at(seq uint64) []byte {
	for _, e := range m.media(0) {
		if e.Sequence == seq {
			return m.data[e.ID()]
		}
	}
	return nil
}

// A playlist that has no segment yet is what many a packager begins with.
func TestFolderBegunEmpty(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "v/index.m3u8", mediaText(1, 0, ""))
	write(t, dir, "stream.m3u8", []byte(masterText))
	var m *memory
	start(t, Config{Source: dir, State: t.TempDir()}, func(p *Publisher) Sink { m = newMemory(t, p); return m })
	m.until("presentation", func() bool { return len(m.revs) == 1 })
	pause(t, 3*pollLocal)
	write(t, dir, "v/s1.ts", segmentBytes(1))
	write(t, dir, "v/index.m3u8", mediaText(1, 1, ""))
	m.has(1, segmentBytes(1))
}

func TestFolderLive(t *testing.T) {
	dir := t.TempDir()
	var m *memory
	// The publisher comes first, and the packager writes the master last.
	r := start(t, Config{Source: dir, State: t.TempDir()}, func(p *Publisher) Sink { m = newMemory(t, p); return m })
	write(t, dir, "v/s1.ts", segmentBytes(1))
	write(t, dir, "v/index.m3u8", mediaText(1, 1, ""))
	pause(t, 100*time.Millisecond)
	write(t, dir, "stream.m3u8", []byte(masterText))
	m.has(1, segmentBytes(1))
	var slowest time.Duration
	for i := 2; i < 8; i++ {
		write(t, dir, fmt.Sprintf("v/s%d.ts", i), segmentBytes(i))
		begun := time.Now()
		write(t, dir, "v/index.m3u8", mediaText(max(1, i-3), i, ""))
		m.has(i, segmentBytes(i))
		slowest = max(slowest, time.Since(begun))
	}
	if slowest > 500*time.Millisecond {
		t.Errorf("a segment took %v", slowest)
	}
	if r.Descriptor().Origins != nil {
		t.Errorf("origins %v", r.Descriptor().Origins)
	}
	write(t, dir, "v/index.m3u8", mediaText(4, 7, "#EXT-X-ENDLIST\n"))
	m.until("end", func() bool { return m.ended(0) })
	if p := m.feed.Presentation(); p.Single || p.Renditions[0].URI != "v/index.m3u8" {
		t.Errorf("%+v", p)
	}
}

func TestFolderSlowWriter(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "index.m3u8", mediaText(1, 1, "#EXT-X-ENDLIST\n"))
	// Listed before it is whole, and written bit by bit.
	want := segmentBytes(1)
	f, err := os.Create(filepath.Join(dir, "s1.ts"))
	if err != nil {
		t.Fatal(err)
	}
	var m *memory
	start(t, Config{Source: dir, State: t.TempDir()}, func(p *Publisher) Sink { m = newMemory(t, p); return m })
	for i := 0; i < len(want); i += 5000 {
		f.Write(want[i:min(len(want), i+5000)])
		pause(t, 70*time.Millisecond)
	}
	f.Close()
	m.has(1, want)
	// A file that does look cut off is believed in the end.
	odd := append(bytes.Clone(segmentBytes(2)), 1, 2, 3)
	write(t, dir, "s2.ts", odd)
	write(t, dir, "index.m3u8", mediaText(1, 2, "#EXT-X-ENDLIST\n"))
	m.has(2, odd)
}

func TestCutOffPlaylist(t *testing.T) {
	dir := t.TempDir()
	for i := 1; i < 20; i++ {
		write(t, dir, fmt.Sprintf("s%d.ts", i), segmentBytes(i))
	}
	var m *memory
	start(t, Config{Source: dir, State: t.TempDir()}, func(p *Publisher) Sink { m = newMemory(t, p); return m })
	write(t, dir, "index.m3u8", mediaText(10, 11, ""))
	m.has(11, segmentBytes(11))
	// s12.ts cut to s1: a file that exists under the shorter name too.
	whole := mediaText(10, 12, "")
	write(t, dir, "s1", segmentBytes(1))
	for cut := 1; cut < len(whole); cut += 7 {
		write(t, dir, "index.m3u8", whole[:cut])
		pause(t, 5*time.Millisecond)
	}
	write(t, dir, "index.m3u8", whole[:len(whole)-5])
	pause(t, 20*time.Millisecond)
	write(t, dir, "index.m3u8", whole)
	m.has(12, segmentBytes(12))
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, e := range m.media(0) {
		if e.Discontinuity || e.URI != fmt.Sprintf("s%d.ts", e.Sequence) {
			t.Errorf("%+v", e)
		}
	}
}

func TestFolderKeepsInside(t *testing.T) {
	outside, dir := t.TempDir(), t.TempDir()
	write(t, outside, "secret.ts", segmentBytes(1))
	if err := os.Symlink(filepath.Join(outside, "secret.ts"), filepath.Join(dir, "link.ts")); err != nil {
		t.Skip(err)
	}
	if err := exec.Command("mkfifo", filepath.Join(dir, "pipe.ts")).Run(); err != nil {
		t.Log("no FIFO: ", err)
	}
	f, err := openFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer f.close()
	for _, uri := range []string{
		"../" + filepath.Base(outside) + "/secret.ts", filepath.Join(outside, "secret.ts"), "link.ts", "pipe.ts", "..%2f..%2fetc/passwd",
		"file:///etc/passwd", "http://127.0.0.1/x.ts", "//host/x.ts", "a/../../x.ts", "", ".", "..", "a%00b", `..\x`, "%zz",
	} {
		ref, err := f.resolve("v/index.m3u8", uri)
		if err == nil {
			_, _, err = f.get(context.Background(), ref, 0, -1, 1)
		}
		if err == nil {
			t.Errorf("%q was read", uri)
		}
	}
	for uri, want := range map[string]string{"s.ts": "v/s.ts", "../a/s.ts?x=1": "a/s.ts", "/s%20t.ts": "s t.ts", "./s.ts#f": "v/s.ts"} {
		if ref, err := f.resolve("v/index.m3u8", uri); err != nil || ref != want {
			t.Errorf("%q: %q %v", uri, ref, err)
		}
	}
	write(t, dir, "huge.m3u8", bytes.Repeat([]byte("#\n"), origin.MaxPlaylist))
	if _, _, _, err := f.playlist(context.Background(), "huge.m3u8", nil); !errors.Is(err, origin.ErrTooLarge) {
		t.Errorf("huge playlist: %v", err)
	}
}

func TestChoose(t *testing.T) {
	media := string(mediaText(1, 2, ""))
	long := time.Now().Add(-time.Hour)
	for name, c := range map[string]struct {
		files map[string]string
		old   bool
		want  string
	}{
		"nothing":              {nil, true, ""},
		"one media playlist":   {map[string]string{"x.m3u8": media}, true, "x.m3u8"},
		"too new to tell":      {map[string]string{"x.m3u8": media}, false, ""},
		"master by content":    {map[string]string{"a.m3u8": media, "zz.m3u8": masterText}, false, "zz.m3u8"},
		"master by name":       {map[string]string{"other.m3u8": masterText, "master.m3u8": masterText}, true, "master.m3u8"},
		"nearest to the top":   {map[string]string{"a/master.m3u8": masterText, "x.m3u8": masterText}, true, "x.m3u8"},
		"below":                {map[string]string{"a/b/index.m3u8": media}, true, "a/b/index.m3u8"},
		"not a playlist":       {map[string]string{"a.m3u8": "<html>", "b.m3u8": "#EXTM3U\n", "c.ts": media}, true, ""},
		"hidden":               {map[string]string{".a.m3u8": media, ".d/b.m3u8": media}, true, ""},
		"several, none better": {map[string]string{"v1.m3u8": media, "index.m3u8": media}, true, "index.m3u8"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for file, text := range c.files {
				write(t, dir, file, []byte(text))
				if c.old {
					os.Chtimes(filepath.Join(dir, file), long, long)
				}
			}
			f := chooser{fsys: os.DirFS(dir)}
			got, err := f.choose(time.Now())
			if got != c.want || (err == nil) != (c.want != "") {
				t.Errorf("%q %v, want %q", got, err, c.want)
			}
		})
	}
}

func TestRenditionsComeAndGo(t *testing.T) {
	dir := t.TempDir()
	list := func(names ...string) {
		text := "#EXTM3U\n"
		for _, n := range names {
			text += fmt.Sprintf("#EXT-X-STREAM-INF:BANDWIDTH=%d\n%s/index.m3u8\n", 1000*int(n[0]), n)
		}
		write(t, dir, "master.m3u8", []byte(text))
	}
	for _, v := range []string{"a", "b", "c"} {
		for i := 1; i < 12; i++ {
			write(t, dir, fmt.Sprintf("%s/s%d.ts", v, i), segmentBytes(i))
		}
		write(t, dir, v+"/index.m3u8", mediaText(1, 3, ""))
	}
	list("a", "b")
	var m *memory
	r := start(t, Config{Source: dir, State: t.TempDir()}, func(p *Publisher) Sink { m = newMemory(t, p); return m })
	ids := func() (s string) {
		p := m.feed.Presentation()
		if p == nil {
			return ""
		}
		for _, r := range p.Renditions {
			s += fmt.Sprintf("%d=%s ", r.ID, strings.TrimSuffix(r.URI, "/index.m3u8"))
		}
		return s
	}
	m.until("two", func() bool { return ids() == "0=a 1=b " && len(m.media(0)) == 3 && len(m.media(1)) == 3 })
	list("c", "b")
	r.nudge(true)
	m.until("another", func() bool { return ids() == "2=c 1=b " && len(m.media(2)) == 3 })
	write(t, dir, "a/index.m3u8", mediaText(2, 5, ""))
	write(t, dir, "b/index.m3u8", mediaText(2, 5, ""))
	m.until("b goes on", func() bool { return len(m.media(1)) == 5 })
	list("a", "b", "c")
	r.nudge(true)
	m.until("a is back", func() bool { return ids() == "0=a 1=b 2=c " && len(m.media(0)) == 5 })
	m.mu.Lock()
	defer m.mu.Unlock()
	for i, e := range m.media(0) {
		if e.Sequence != uint64(1+i) || e.Discontinuity {
			t.Errorf("%+v", e)
		}
	}
}

// TestFFmpegFolder runs where ffmpeg is.
func TestFFmpegFolder(t *testing.T) {
	t.Parallel()
	ffmpeg, err := exec.LookPath("ffmpeg")
	if err != nil || testing.Short() {
		t.Skip("no ffmpeg")
	}
	dir := t.TempDir()
	var m *memory
	start(t, Config{Source: dir, State: t.TempDir()}, func(p *Publisher) Sink { m = newMemory(t, p); return m })
	cmd := exec.Command(ffmpeg, "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=160x90:r=25", "-f", "lavfi", "-i", "sine=440",
		"-t", "8", "-map", "0:v", "-map", "1:a", "-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-c:a", "aac",
		"-f", "hls", "-hls_time", "1", "-hls_playlist_type", "event", "-hls_segment_type", "fmp4",
		"-master_pl_name", "master.m3u8", "-var_stream_map", "v:0,agroup:a a:0,agroup:a", "%v/index.m3u8")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Skipf("ffmpeg: %v %s", err, out)
	}
	m.until("ends", func() bool { return m.ended(0) && m.ended(1) })
	m.mu.Lock()
	defer m.mu.Unlock()
	for r := range uint16(2) {
		if list := m.media(r); len(list) < 7 || !list[0].HasInit || list[0].Type != channel.Event {
			t.Errorf("rendition %d: %d segments, %+v", r, len(list), list)
		}
	}
	for _, e := range m.entries {
		if !e.End {
			name := filepath.Join(dir, filepath.Dir(m.feed.Presentation().Renditions[e.Rendition].URI), e.URI)
			if want, err := os.ReadFile(name); err != nil || !bytes.Equal(want, m.data[e.ID()]) {
				t.Errorf("%v: %v", e.ID(), err)
			}
		}
	}
}
