package hls

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"coral/node/channel"
)

func TestWriteMedia(t *testing.T) {
	k := &channel.Key{Method: "AES-128", URI: "k0.key", IV: [16]byte{0: 0xab, 15: 9}}
	clear, secret := &Map{URI: "i0.mp4"}, &Map{URI: "i1.mp4", Ranged: true, Offset: 5, Length: 7, Key: k}
	m := &Media{
		Target: 4 * second, Type: channel.Event, Sequence: 100, DiscontinuitySequence: 3, IndependentSegments: true, Ended: true,
		Segments: []Segment{
			{URI: "100.m4s", Duration: 4004 * time.Millisecond, Map: clear, Key: k, ProgramDateTime: time.Date(2026, 1, 2, 4, 4, 5, 6e6, time.FixedZone("", 3600))},
			{URI: "101.m4s", Duration: 3999999999, Map: clear, Key: k, Ranged: true, Offset: 10, Length: 20},
			{URI: "102.m4s", Duration: 4 * second, Map: secret, Key: k, Discontinuity: true, Gap: true},
			{URI: "103.m4s", Duration: 100 * time.Microsecond, Map: secret},
		},
	}
	want := `#EXTM3U
#EXT-X-VERSION:8
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-PLAYLIST-TYPE:EVENT
#EXT-X-ALLOW-CACHE:NO
#EXT-X-MEDIA-SEQUENCE:100
#EXT-X-TARGETDURATION:4
#EXT-X-DISCONTINUITY-SEQUENCE:3
#EXT-X-PROGRAM-DATE-TIME:2026-01-02T03:04:05.006Z
#EXT-X-MAP:URI="i0.mp4"
#EXT-X-KEY:METHOD=AES-128,URI="k0.key",IV=0xab000000000000000000000000000009
#EXTINF:4.004,
100.m4s
#EXT-X-BYTERANGE:20@10
#EXTINF:3.999999999,
101.m4s
#EXT-X-DISCONTINUITY
#EXT-X-MAP:URI="i1.mp4",BYTERANGE="7@5"
#EXT-X-GAP
#EXTINF:4.000,
102.m4s
#EXT-X-KEY:METHOD=NONE
#EXTINF:0.0001,
103.m4s
#EXT-X-ENDLIST
`
	if got := string(WriteMedia(m)); got != want {
		t.Errorf("got\n%s", got)
	}
}

func TestWriteEmpty(t *testing.T) {
	for _, m := range []*Media{{}, {Ended: true}, {Sequence: 1 << 40, Target: second}} {
		checkMedia(t, func() *Media {
			_, m, err := Parse(WriteMedia(m))
			if err != nil {
				t.Fatal(err)
			}
			return m
		}())
	}
	if text := WriteMultivariant(&Multivariant{}); !bytes.HasPrefix(text, []byte("#EXTM3U\n")) {
		t.Errorf("%s", text)
	}
}

// What a signed record says is not yet fit for a line of text.
func TestWriteHostile(t *testing.T) {
	const evil = "x\"\n#EXT-X-ENDLIST\r\nhttp://evil.example/\x00,URI=\"file:///etc/passwd\"\n"
	text := WriteMedia(&Media{Segments: []Segment{
		{URI: evil, Map: &Map{URI: evil}, Key: &channel.Key{Method: evil, URI: evil, KeyFormat: evil, KeyFormatVersions: evil}, Duration: -1, Ranged: true, Offset: -1, Length: -1},
		{URI: "#EXT-X-ENDLIST"},
		{URI: ""},
		{URI: "d", Key: &channel.Key{Method: "NONE"}},
	}})
	_, m, err := Parse(text)
	if err != nil || len(m.Segments) != 4 || m.Ended {
		t.Fatalf("%v in\n%s", err, text)
	}
	checkMedia(t, m)
	if k := m.Segments[0].Key; k == nil || k.Method != "UNKNOWN" || m.Segments[3].Key == nil {
		t.Errorf("%s", text)
	}
	text = WriteMultivariant(&Multivariant{Renditions: []channel.Rendition{
		{Kind: channel.Variant, URI: evil, Name: evil, Codecs: evil, VideoRange: evil, Resolution: evil, AudioGroup: evil, Bandwidth: -1, AverageBandwidth: 1 << 50},
		{Kind: channel.Audio, URI: evil, Name: evil, Group: evil, Language: evil, Channels: evil, InstreamID: evil},
		{Kind: channel.Variant},
		{Kind: 200},
	}})
	mv, _, err := Parse(text)
	if err != nil || len(mv.Renditions) != 2 || mv.Renditions[0].VideoRange != "" || mv.Renditions[0].Resolution != "" {
		t.Fatalf("%+v, %v in\n%s", mv, err, text)
	}
	checkMultivariant(t, mv)
}

func FuzzParse(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.m3u8")
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	for _, s := range []string{
		"#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI=\"k\"\n#EXT-X-MAP:URI=\"m\",BYTERANGE=\"5\"\n#EXT-X-GAP\n#EXT-X-BYTERANGE:5@6\n#EXTINF:1,\na\n#EXT-X-KEY:METHOD=NONE\n#EXT-X-DISCONTINUITY\n#EXT-X-BYTERANGE:7\n#EXTINF:2.5\na\n",
		"#EXTM3U\n#EXT-X-DEFINE:NAME=\"a\",VALUE=\"b\"\n#EXT-X-STREAM-INF:BANDWIDTH=1,NAME=\"{$a}\"\n{$a}\n",
		"\ufeff#EXTM3U\r\n#EXTINF:1,\r\n\r\na\r\n", "#EXTM3U\n#EXT-X-PROGRAM-DATE-TIME:2020-01-01T00:00:00+0100\n#EXTINF:0.1,\n\xff",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		mv, m, err := Parse(body)
		switch {
		case err != nil:
			if mv != nil || m != nil {
				t.Fatal("both a playlist and an error")
			}
		case m != nil && mv == nil:
			checkMedia(t, m)
		case mv != nil && m == nil:
			checkMultivariant(t, mv)
		default:
			t.Fatal("not exactly one playlist")
		}
	})
}

// FuzzWrite has the writer write any model: what a player reads has as many
// segments, and says of them what was meant where it could be said.
func FuzzWrite(f *testing.F) {
	f.Add("a.ts", "i.mp4", "k.key", "AES-128", int64(4e9), int64(10), uint64(5), uint8(0xff))
	f.Add("\n#EXT-X-ENDLIST", "\"", "", "NONE", int64(-1), int64(-1), uint64(1<<63), uint8(3))
	f.Fuzz(func(t *testing.T, uri, section, keyURI, method string, duration, length int64, sequence uint64, flags uint8) {
		if len(uri)+len(section)+len(keyURI) > maxURI/4 { // invalid UTF-8 grows
			return
		}
		bit := func(i int) bool { return flags>>i&1 == 1 }
		duration = max(0, min(duration, int64(maxDuration)))
		k := &channel.Key{Method: method, URI: "x" + keyURI, IV: [16]byte{flags}}
		s := Segment{URI: uri, Duration: time.Duration(duration), Ranged: bit(0), Length: length % maxResource, Discontinuity: bit(1), Gap: bit(2)}
		other := s
		if bit(3) {
			s.Key = k
		}
		if bit(4) {
			s.Map = &Map{URI: "x" + section, Key: s.Key}
		}
		if bit(5) {
			other.Key = k
		}
		if bit(6) {
			other.Map = &Map{URI: "x" + section}
		}
		m := &Media{Sequence: sequence >> 2, Ended: bit(7), Segments: []Segment{s, other, s}}
		text := WriteMedia(m)
		_, got, err := Parse(text)
		if err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}
		if len(got.Segments) != 3 || got.Sequence != m.Sequence || got.Ended != m.Ended {
			t.Fatalf("%s\nfrom\n%s", show(got), text)
		}
		for i, s := range got.Segments {
			want := m.Segments[i]
			if s.Duration != want.Duration || s.Gap != want.Gap || s.Discontinuity != want.Discontinuity || (s.Key != nil) != (want.Key != nil) {
				t.Fatalf("%d: %s\nfrom\n%s", i, show(got), text)
			}
		}
		checkMedia(t, got)
	})
}

func TestDecimal(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0.000", 1: "0.000000001", 10 * second: "10.000", 1500 * time.Millisecond: "1.500", 2002002 * time.Microsecond: "2.002002", -5: "0.000",
	} {
		if got := decimal(d); got != want {
			t.Errorf("%d: %s", d, got)
		}
	}
}

// ffmpeg makes the streams and ffprobe reads what we write of their playlists:
// the same packets come out.
func TestFFprobe(t *testing.T) {
	ffmpeg, err1 := exec.LookPath("ffmpeg")
	ffprobe, err2 := exec.LookPath("ffprobe")
	if err1 != nil || err2 != nil {
		t.Skip("ffmpeg is not installed")
	}
	dir := t.TempDir()
	run := func(name string, args ...string) string {
		cmd := exec.Command(name, args...)
		cmd.Dir = dir
		var complaints bytes.Buffer
		cmd.Stderr = &complaints
		out, err := cmd.Output()
		if err != nil || complaints.Len() > 0 {
			t.Errorf("%s %v: %v\n%s", filepath.Base(name), args, err, &complaints)
		}
		return string(out)
	}
	packets := func(list string) string {
		return run(ffprobe, "-v", "error", "-allowed_extensions", "ALL", "-show_entries", "packet=stream_index,pts,size", "-of", "csv=p=0", list)
	}
	source := []string{"-v", "error", "-f", "lavfi", "-i", "testsrc=s=64x36:r=10", "-f", "lavfi", "-i", "sine", "-t", "3", "-c:v", "libx264", "-preset", "ultrafast", "-g", "10", "-c:a", "aac"}
	for name, args := range map[string][]string{
		"ts":          {"-hls_playlist_type", "vod"},
		"fmp4":        {"-hls_playlist_type", "vod", "-hls_segment_type", "fmp4", "-hls_fmp4_init_filename", "fmp4-init.mp4"},
		"ranges-ts":   {"-hls_playlist_type", "vod", "-hls_flags", "single_file+program_date_time"},
		"ranges-fmp4": {"-hls_playlist_type", "event", "-hls_segment_type", "fmp4", "-hls_flags", "single_file"},
		"aes":         {"-hls_list_size", "0", "-hls_enc", "1", "-hls_enc_key", "00112233445566778899aabbccddeeff", "-hls_enc_key_url", "aes.key"},
	} {
		run(ffmpeg, append(append(source[:len(source):len(source)], "-f", "hls", "-hls_time", "1"), append(args, name+".m3u8")...)...)
		if t.Failed() {
			t.FailNow()
		}
		text, err := os.ReadFile(filepath.Join(dir, name+".m3u8"))
		if err != nil {
			t.Fatal(err)
		}
		m := media(t, string(text))
		for i := range m.Segments {
			m.Segments[i].Sequence = 0 // not looked at
		}
		if err := os.WriteFile(filepath.Join(dir, name+"-ours.m3u8"), WriteMedia(m), 0o600); err != nil {
			t.Fatal(err)
		}
		want, got := packets(name+".m3u8"), packets(name+"-ours.m3u8")
		if n := strings.Count(want, "\n"); got != want || n < 100 {
			t.Errorf("%s: %d packets, %d of ours", name, n, strings.Count(got, "\n"))
		}
	}
	// And a multivariant playlist over two of them, with audio and a second group.
	mv := &Multivariant{IndependentSegments: true, Renditions: []channel.Rendition{
		{Kind: channel.Variant, URI: "ts-ours.m3u8", Bandwidth: 1000, Resolution: "64x36", AudioGroup: "a", FrameRate: 10, Codecs: "avc1.42c00a,mp4a.40.2"},
		{Kind: channel.Variant, URI: "fmp4-ours.m3u8", Bandwidth: 2000, AudioGroup: "b"},
		{Kind: channel.Audio, Group: "a", Name: "one", Language: "en", Default: true, Autoselect: true, URI: "ranges-ts-ours.m3u8"},
		{Kind: channel.Audio, Group: "b", Name: "two", URI: "ranges-fmp4-ours.m3u8"},
		{Kind: channel.Captions, Group: "c", Name: "cc", InstreamID: "CC1"},
	}}
	if err := os.WriteFile(filepath.Join(dir, "all.m3u8"), WriteMultivariant(mv), 0o600); err != nil {
		t.Fatal(err)
	}
	out := run(ffprobe, "-v", "error", "-show_entries", "program=program_id:program_tags=variant_bitrate", "-of", "csv=p=0", "all.m3u8")
	for _, b := range []int{1000, 2000} {
		if !strings.Contains(out, strconv.Itoa(b)) {
			t.Errorf("no variant of %d bit/s in %q", b, out)
		}
	}
	if reflect.DeepEqual(out, "") {
		t.Error("no program")
	}
}
