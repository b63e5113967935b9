//go:build unix

package realtest

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestRecordings: what ffmpeg writes in all manners is played to its end by two
// viewers, with as many pictures and sounds as from the server itself.
func TestRecordings(t *testing.T) {
	needs(t, "ffmpeg", "ffprobe")
	t.Parallel()
	const seconds = "8"
	for name, args := range map[string][]string{
		"MPEG-TS":               nil,
		"fMP4":                  {"-hls_segment_type", "fmp4"},
		"byte ranges":           {"-hls_flags", "single_file"},
		"byte ranges of fMP4":   {"-hls_flags", "single_file", "-hls_segment_type", "fmp4"},
		"encrypted":             {"-hls_key_info_file", "key.info"},
		"event":                 {"-hls_playlist_type", "event"},
		"after a discontinuity": {"-hls_flags", "append_list+discont_start"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			for file, text := range map[string]string{"key": "sixteen bytes :)", "key.info": "key\nkey\n"} {
				if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			encode := func() {
				p := start(t, dir, "ffmpeg", append(append([]string{
					"-nostdin", "-hide_banner", "-loglevel", "warning",
					"-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25", "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000",
					"-t", seconds, "-c:v", "libx264", "-preset", "ultrafast", "-threads", "1", "-g", "25", "-b:v", "300k", "-c:a", "aac",
					"-f", "hls", "-hls_time", "1", "-hls_list_size", "0", "-hls_playlist_type", "vod",
				}, args...), "index.m3u8")...)
				if err := p.wait(t); err != nil {
					t.Fatal(err)
				}
			}
			encode()
			if slices.Contains(args, "append_list+discont_start") {
				encode() // once more, behind what is there
			}
			server := httptest.NewServer(http.FileServer(http.Dir(dir)))
			t.Cleanup(server.Close)
			url := server.URL + "/index.m3u8"
			want := frames(t, url)
			t.Logf("from the server: %s", want)
			viewers := publish(t, url).watch(t, 2)
			for _, v := range viewers {
				if got := frames(t, v.url); got != want {
					t.Errorf("%s read %q, from the server %q", v.name, got, want)
				}
			}
			carried(t, settle(t, viewers))
		})
	}
}

// frames counts what there is of each stream, and wants no complaint.
func frames(t *testing.T, url string) string {
	t.Helper()
	var said strings.Builder
	cmd := exec.Command("ffprobe", "-v", "error", "-count_frames", "-show_entries", "stream=codec_type,nb_read_frames", "-of", "csv=p=0", url)
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil || said.Len() > 0 {
		t.Errorf("ffprobe: %v: %s", err, said.String())
	}
	lines := strings.Fields(string(out))
	slices.Sort(lines)
	return strings.Join(slices.Compact(lines), " ")
}
