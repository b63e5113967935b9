//go:build unix

package realtest

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// decode starts ffmpeg as a player: it decodes some seconds of all variants,
// video and audio, and gives up at the first error.
func decode(t *testing.T, v *viewer, seconds int, more ...string) *process {
	t.Helper()
	args := append([]string{
		"-nostdin", "-hide_banner", "-nostats", "-loglevel", "warning", "-xerror", "-err_detect", "explode",
		"-i", v.variants().url, "-map", "0:v", "-map", "0:a", "-t", strconv.Itoa(seconds), "-progress", "pipe:1", "-f", "null",
	}, append(more, "-")...)
	p := start(t, t.TempDir(), "ffmpeg", args...)
	p.name = "ffmpeg at " + v.name
	return p
}

// complaint is what ffmpeg and mpv print of a stream that is not right. Of
// harmless they complain in live fMP4 from any server: they read the init
// section again after each reload of the playlist. And where the variant changes
// in MPEG-TS the packets' 4-bit counters do not go on, which FFmpeg's HLS demuxer,
// blind to EXT-X-DISCONTINUITY, takes for a loss: it marks a packet that is whole.
var complaint = regexp.MustCompile(`(?i)error|invalid|corrupt|missing|non-existing|discontinuity|concealing|non.?monoton|out of range|failed|skip|timestamp|too large|HTTP`)

var harmless = regexp.MustCompile(`Found duplicated MOOV Atom|Packet corrupt \(stream|corrupt input packet in stream`)

// complaints checks that a player printed none, but for lines that say how it goes.
func (p *process) complaints(t *testing.T, ordinary string) {
	t.Helper()
	for line := range strings.Lines(strings.ReplaceAll(p.out.String(), "\r", "\n")) {
		if !strings.Contains(line, ordinary) && !harmless.MatchString(line) && complaint.MatchString(line) {
			t.Errorf("%s: %s", p.name, strings.TrimSpace(line))
		}
	}
}

// decoded waits for such a player and checks that it had nothing to complain of
// and came to its end, with all pictures and all sound.
func decoded(t *testing.T, p *process, seconds int) {
	t.Helper()
	if err := p.wait(t); err != nil {
		t.Errorf("%s: %v", p.name, err)
	}
	p.complaints(t, "=")
	said := p.out.String()
	frame, at := last(said, "frame="), last(said, "out_time_us=")
	if frame < float64(25*seconds-5) || at < float64(seconds)*0.98e6 {
		t.Errorf("%s: %v pictures, %v s of %d", p.name, frame, at/1e6, seconds)
	}
	t.Logf("%s: %v pictures, %.2f s, no error", p.name, frame, at/1e6)
}

// last is the last number that follows a key.
func last(s, key string) float64 {
	i := strings.LastIndex(s, key)
	if i < 0 {
		return -1
	}
	word := strings.TrimSpace(s[i+len(key):])
	if end := strings.IndexAny(word, " \r\n"); end >= 0 {
		word = word[:end]
	}
	n, err := strconv.ParseFloat(word, 64)
	if err != nil {
		return -1
	}
	return n
}

// variants is v for a player that chooses a variant for itself, or takes all.
func (v *viewer) variants() *viewer {
	all := *v
	all.url = strings.Replace(v.url, "master.m3u8", "variants.m3u8", 1)
	return &all
}

// mpv starts mpv, without a window and without a sound card, for some seconds.
func mpv(t *testing.T, v *viewer, seconds int) *process {
	t.Helper()
	p := start(
		t, t.TempDir(), "mpv", "--no-config", "--vo=null", "--ao=null", "--ytdl=no", "--load-scripts=no",
		"--msg-level=all=warn,cplayer=v,statusline=status", "--length="+strconv.Itoa(seconds),
		"--term-status-msg=at=${=time-pos} lost=${decoder-frame-drop-count} apart=${=avsync} end", v.url,
	)
	p.name = "mpv at " + v.name
	return p
}

var position = regexp.MustCompile(`at=(-?[0-9][0-9.]*)`)

// played waits for mpv, and checks that picture and sound went on to the end.
func played(t *testing.T, p *process, seconds int) {
	t.Helper()
	if err := p.wait(t); err != nil {
		t.Errorf("%s: %v", p.name, err)
	}
	said := p.out.String()
	begin := position.FindStringSubmatch(said)
	if begin == nil {
		t.Fatalf("%s never played", p.name)
	}
	from, err := strconv.ParseFloat(begin[1], 64)
	if err != nil {
		t.Fatal(err)
	}
	at, lost, apart := last(said, "at="), last(said, "lost="), last(said, "apart=")
	// mpv says so when it has played all sound up to the length.
	sound := strings.Contains(said, "starting audio playback") && strings.Contains(said, "audio EOF reached")
	if at-from < float64(seconds)-0.5 || !sound || lost != 0 || math.Abs(apart) > 0.1 {
		t.Errorf("%s: picture from %v to %v, sound to the end: %v, %v pictures lost, %v s apart; wanted %d s", p.name, from, at, sound, lost, apart, seconds)
	}
	p.complaints(t, "[cplayer]")
	t.Logf("%s: picture for %.2f s, sound to the end, no error", p.name, at-from)
}

// probe lets ffprobe look at a channel, and checks that it sees what ffmpeg made.
func probe(t *testing.T, v *viewer, videos, audios int) {
	t.Helper()
	out, err := exec.Command("ffprobe", "-loglevel", "warning", "-show_streams", "-of", "json", v.url).Output()
	var seen struct {
		Streams []struct {
			Codec string `json:"codec_name"`
			Width int
			Rate  string `json:"sample_rate"`
		}
	}
	if err == nil {
		err = json.Unmarshal(out, &seen)
	}
	if err != nil {
		t.Errorf("ffprobe: %v", err)
	}
	got := map[string]int{}
	for _, s := range seen.Streams {
		got[fmt.Sprint(s.Codec, s.Width, s.Rate)]++
	}
	if len(got) != 2 || got["h264320"] != videos || got["aac048000"] != audios {
		t.Errorf("ffprobe saw %v, %d and %d wanted", got, videos, audios)
	}
}

// same fetches every segment and init section that the proxy lists, and checks
// that each is, byte for byte, a file that the encoder wrote.
func same(t *testing.T, v *viewer, folder string) {
	t.Helper()
	served := map[string][sha256.Size]byte{}
	for _, playlist := range listed(t, v.url) {
		for _, ref := range listed(t, playlist) {
			served[ref] = sha256.Sum256(get(t, ref))
		}
	}
	written := map[[sha256.Size]byte]bool{} // read afterwards: the encoder goes on
	names, err := filepath.Glob(filepath.Join(folder, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if b, err := os.ReadFile(name); err == nil { // a temporary file may be gone
			written[sha256.Sum256(b)] = true
		}
	}
	for ref, digest := range served {
		if !written[digest] {
			t.Errorf("%s serves other bytes than the encoder wrote: %s", v.name, ref)
		}
	}
	n := len(served)
	t.Logf("%s: %d segments and init sections are the encoder's", v.name, n)
	if n < 8 {
		t.Errorf("%s lists too little", v.name)
	}
}

var reference = regexp.MustCompile(`(?m)^([^#\s]\S*)|^#.*[:,]URI="([^"]+)"`)

// listed are the URLs in a playlist.
func listed(t *testing.T, at string) (all []string) {
	t.Helper()
	base, err := url.Parse(at)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range reference.FindAllStringSubmatch(string(get(t, at)), -1) {
		u, err := base.Parse(m[1] + m[2])
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, u.String())
	}
	return all
}

func get(t *testing.T, at string) []byte {
	t.Helper()
	resp, err := client.Get(at)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Errorf("%s: %s, %v", at, resp.Status, err)
	}
	return b
}

var client = &http.Client{Timeout: within}
