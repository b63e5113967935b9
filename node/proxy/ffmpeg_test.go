package proxy

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"coral/node/channel"
	"coral/node/hls"
	"coral/store/segment"
)

// packaged is what ffmpeg made of a test picture and tone: a rendition's
// segments, as files.
type packaged struct {
	init     []byte
	segments [][]byte
	duration []time.Duration
	ext      string
}

// pack runs ffmpeg with output options and returns the rendition it made.
func pack(t *testing.T, ctx context.Context, fmp4 bool, options ...string) *packaged {
	t.Helper()
	dir := t.TempDir()
	args := []string{
		"-v", "error", "-nostdin", "-f", "lavfi", "-i", "testsrc=size=160x90:rate=25", "-f", "lavfi", "-i", "sine=sample_rate=44100",
		"-t", "5", "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "25", "-c:a", "aac",
	}
	args = append(args, options...)
	args = append(args, "-f", "hls", "-hls_time", "1", "-hls_list_size", "0")
	p := &packaged{ext: ".ts"}
	if fmp4 {
		p.ext = ".m4s"
		args = append(args, "-hls_segment_type", "fmp4", "-hls_fmp4_init_filename", "init.mp4")
	}
	args = append(args, "-hls_segment_filename", filepath.Join(dir, "%d"+p.ext), filepath.Join(dir, "list.m3u8"))
	if out, err := exec.CommandContext(ctx, "ffmpeg", args...).CombinedOutput(); err != nil {
		t.Fatalf("ffmpeg: %v\n%s", err, out)
	}
	read := func(name string) []byte {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	if fmp4 {
		p.init = read("init.mp4")
	}
	for line := range strings.Lines(string(read("list.m3u8"))) {
		if v, ok := strings.CutPrefix(strings.TrimSpace(line), "#EXTINF:"); ok {
			s, err := strconv.ParseFloat(strings.TrimSuffix(v, ","), 64)
			if err != nil {
				t.Fatal(err)
			}
			p.duration = append(p.duration, time.Duration(s*float64(time.Second)))
			p.segments = append(p.segments, read(strconv.Itoa(len(p.segments))+p.ext))
		}
	}
	return p
}

// publish puts segment n of p into rendition's playlist; its bytes come in parts,
// like blocks from peers do.
func (s *setup) publish(rendition uint16, p *packaged, n int) {
	id := segment.ID{Rendition: rendition, Sequence: uint64(n)}
	init := segment.ID{Rendition: rendition, Kind: segment.Init}
	b := &blob{data: p.segments[n], sizeKnown: true}
	s.set(func() {
		s.objects[id] = b
		next := &Playlist{Revision: 1, Media: hls.Media{Target: 2 * time.Second}}
		if old := s.playlists[rendition]; old != nil {
			next.Revision = old.Revision + 1
			next.Media.Segments = append(next.Media.Segments, old.Media.Segments...)
			next.IDs = append(next.IDs, old.IDs...)
		}
		seg := hls.Segment{Sequence: uint64(n), URI: "x" + p.ext, Duration: p.duration[n]}
		if p.init != nil {
			s.objects[init] = whole(p.init)
			seg.Map = &hls.Map{URI: "init.mp4"}
		}
		next.Media.Segments = append(next.Media.Segments, seg)
		next.IDs = append(next.IDs, id)
		next.Inits = make([]segment.ID, len(next.IDs))
		for i := range next.Inits {
			next.Inits[i] = init
		}
		next.Media.Ended = n == len(p.segments)-1
		s.playlists[rendition] = next
	})
	go func() {
		for come := 0; come < len(b.data); {
			time.Sleep(2 * time.Millisecond)
			come = min(len(b.data), come+segment.BlockSize)
			s.set(func() { b.come = come })
		}
	}()
}

// TestFFmpeg lets a real demuxer and decoder play live channels from the proxy.
func TestFFmpeg(t *testing.T) {
	for _, tool := range []string{"ffmpeg", "ffprobe"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("needs %s", tool)
		}
	}
	if testing.Short() {
		t.Skip("takes seconds")
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	tests := map[string]struct {
		presentation *channel.Presentation
		renditions   []*packaged
	}{
		"ts, no multivariant playlist": {single(), []*packaged{pack(t, ctx, false)}},
		"fmp4, audio apart": {
			&channel.Presentation{Renditions: []channel.Rendition{
				{URI: "v", Bandwidth: 100000, Resolution: "160x90", AudioGroup: "a"},
				{ID: 1, Media: 1, Kind: channel.Audio, URI: "a", Group: "a", Name: "tone", Default: true, Autoselect: true},
			}},
			[]*packaged{pack(t, ctx, true, "-an"), pack(t, ctx, true, "-vn")},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := start(t, nil)
			s.set(func() { s.presentation = tt.presentation })
			for r, p := range tt.renditions {
				s.publish(uint16(r), p, 0)
			}
			done := make(chan struct{})
			defer func() { <-done }()
			go func() {
				defer close(done)
				for n, more := 1, true; more; n++ {
					time.Sleep(200 * time.Millisecond)
					more = false
					for r, p := range tt.renditions {
						if n < len(p.segments) {
							s.publish(uint16(r), p, n)
							more = true
						}
					}
				}
			}()
			// Every problem of the decoders is an error; what they decoded is counted.
			cmd := exec.CommandContext(ctx, "ffmpeg", "-nostdin", "-v", "error", "-xerror", "-live_start_index", "0",
				"-i", s.mount.URL(), "-map", "0:v", "-map", "0:a", "-f", "framecrc", "-")
			var problems bytes.Buffer
			cmd.Stderr = &problems
			out, err := cmd.Output()
			if err != nil || problems.Len() > 0 {
				t.Fatalf("ffmpeg: %v\n%s", err, problems.String())
			}
			frames := make(map[byte]int)
			for line := range strings.Lines(string(out)) {
				if line[0] != '#' {
					frames[line[0]]++
				}
			}
			if frames['0'] < 124 || frames['1'] < 200 {
				t.Errorf("%d pictures and %d frames of sound decoded, want 125 and 216", frames['0'], frames['1'])
			}
			<-done
			probe, err := exec.CommandContext(ctx, "ffprobe", "-v", "error", "-show_entries", "stream=codec_name", "-of", "csv=p=0", s.mount.URL()).CombinedOutput()
			if err != nil || !strings.Contains(string(probe), "h264") || !strings.Contains(string(probe), "aac") {
				t.Errorf("ffprobe: %v\n%s", err, probe)
			}
			if st := s.mount.Stats(); st.Aborted+st.Failed > 0 {
				t.Errorf("stats %+v", st)
			}
		})
	}
}
