package hls

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"coral/node/channel"
)

const second = time.Second

func media(t *testing.T, text string) *Media {
	t.Helper()
	mv, m, err := Parse([]byte(text))
	if err != nil || m == nil || mv != nil {
		t.Fatalf("%v, %v, %v in\n%s", mv, m, err, text)
	}
	checkMedia(t, m)
	return m
}

// checkMedia writes m, reads it again and compares.
func checkMedia(t *testing.T, m *Media) {
	t.Helper()
	text := WriteMedia(m)
	if long := m.Ended || m.Type != channel.Live; !long && bytes.Count(text, []byte("\n")) > maxLines {
		return // what was read was more compact
	}
	_, again, err := Parse(text)
	if err != nil {
		t.Fatalf("%v in what was written:\n%s", err, text)
	}
	if !reflect.DeepEqual(m, again) {
		t.Fatalf("wrote\n%s\nread   %s\nwanted %s", text, show(again), show(m))
	}
	if !bytes.Equal(text, WriteMedia(again)) {
		t.Fatal("writing is not stable")
	}
}

func checkMultivariant(t *testing.T, mv *Multivariant) {
	t.Helper()
	text := WriteMultivariant(mv)
	again, _, err := Parse(text)
	if err != nil {
		t.Fatalf("%v in what was written:\n%s", err, text)
	}
	if !reflect.DeepEqual(mv, again) {
		t.Fatalf("wrote\n%s\nread   %+v\nwanted %+v", text, again, mv)
	}
	if !bytes.Equal(text, WriteMultivariant(again)) {
		t.Fatal("writing is not stable")
	}
}

func show(m *Media) string {
	s := fmt.Sprintf("%+v", *m)
	for _, seg := range m.Segments {
		s += fmt.Sprintf("\n  %+v", seg)
		if seg.Map != nil {
			s += fmt.Sprintf(" map %+v", *seg.Map)
		}
		if seg.Key != nil {
			s += fmt.Sprintf(" key %+v", *seg.Key)
		}
	}
	return s
}

func testdata(t testing.TB, name string) string {
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestLive(t *testing.T) {
	m := media(t, testdata(t, "ffmpeg-live-ts.m3u8"))
	if m.Target != 2*second || m.Type != channel.Live || m.Ended || m.Sequence != 2 || len(m.Segments) != 4 {
		t.Fatalf("%+v", m)
	}
	date := time.Date(2026, 11, 23, 3, 23, 33, 919e6, time.UTC)
	for i, s := range m.Segments {
		want := Segment{
			Sequence: 2 + uint64(i), URI: fmt.Sprintf("l%d.ts", 2+i), Duration: 2 * second,
			ProgramDateTime: date.Add(time.Duration(i) * 2 * second),
		}
		if !reflect.DeepEqual(s, want) {
			t.Errorf("%+v", s)
		}
	}
}

func TestEvent(t *testing.T) {
	m := media(t, testdata(t, "ffmpeg-event-fmp4.m3u8"))
	if m.Type != channel.Event || !m.Ended || !m.IndependentSegments || len(m.Segments) != 6 {
		t.Fatalf("%+v", m)
	}
	for _, s := range m.Segments {
		if s.Map != m.Segments[0].Map || *s.Map != (Map{URI: "init.mp4"}) {
			t.Errorf("%+v", s)
		}
	}
}

func TestByteRanges(t *testing.T) {
	m := media(t, testdata(t, "ffmpeg-vod-ranges-fmp4.m3u8"))
	if m.Type != channel.VOD || *m.Segments[0].Map != (Map{URI: "l.m4s", Ranged: true, Length: 1361}) {
		t.Errorf("%+v", m)
	}
	at := int64(1361)
	for _, s := range m.Segments {
		if !s.Ranged || s.Offset != at {
			t.Errorf("%+v", s)
		}
		at += s.Length
	}
	media(t, testdata(t, "ffmpeg-vod-ranges-ts.m3u8"))

	m = media(t, `#EXTM3U
#EXT-X-TARGETDURATION:4
#EXT-X-MAP:URI="m",BYTERANGE="10"
#EXT-X-BYTERANGE:100@50
#EXTINF:4
a
#EXTINF:4,
#EXT-X-BYTERANGE:200
a
#EXTINF:4,
whole
#EXT-X-BYTERANGE:1@0
#EXTINF:4,
b`)
	want := []Segment{{Offset: 50, Length: 100, Ranged: true}, {Offset: 150, Length: 200, Ranged: true}, {}, {Length: 1, Ranged: true}}
	for i, s := range m.Segments {
		if s.Ranged != want[i].Ranged || s.Offset != want[i].Offset || s.Length != want[i].Length {
			t.Errorf("%d: %+v", i, s)
		}
	}
	if s := m.Segments[0]; !s.Map.Ranged || s.Map.Offset != 0 || s.Map.Length != 10 {
		t.Errorf("%+v", s.Map)
	}
}

func TestKeys(t *testing.T) {
	m := media(t, testdata(t, "ffmpeg-aes.m3u8"))
	for _, s := range m.Segments {
		if s.Key == nil || *s.Key != (channel.Key{Method: "AES-128", URI: "key.bin", IV: [16]byte{15: 7}}) {
			t.Errorf("%+v", s.Key)
		}
	}
	m = media(t, `#EXTM3U
#EXT-X-MEDIA-SEQUENCE:258
#EXTINF:1,
clear
#EXT-X-KEY:METHOD=AES-128,URI="k1"
#EXTINF:1,
a
#EXTINF:1,
b
#EXT-X-KEY:METHOD=AES-128,URI="k2",IV=0XFf
#EXTINF:1,
c
#EXTINF:1,
d
#EXT-X-KEY:METHOD=AES-128,URI="k2"
#EXTINF:1,
e
#EXT-X-KEY:METHOD=NONE
#EXTINF:1,
f
#EXT-X-KEY:METHOD=SAMPLE-AES,URI="skd://x",KEYFORMAT="com.apple.streamingkeydelivery",KEYFORMATVERSIONS="1"
#EXT-X-KEY:METHOD=SAMPLE-AES,URI="data:text/plain;base64,AAAA",KEYFORMAT="urn:uuid:edef8ba9-79d6-4ace-a3c8-27dcd51d21ed"
#EXTINF:1,
g
#EXT-X-KEY:METHOD=SAMPLE-AES,URI="k3",KEYFORMAT="identity"
#EXTINF:1,
h`)
	iv := func(b ...byte) (v [16]byte) { copy(v[16-len(b):], b); return v }
	for i, want := range []*channel.Key{
		nil,
		{Method: "AES-128", URI: "k1", IV: iv(1, 3)},
		{Method: "AES-128", URI: "k1", IV: iv(1, 4)},
		{Method: "AES-128", URI: "k2", IV: iv(0xff)},
		{Method: "AES-128", URI: "k2", IV: iv(0xff)},
		{Method: "AES-128", URI: "k2", IV: iv(1, 7)},
		nil,
		{Method: "SAMPLE-AES", URI: "skd://x", KeyFormat: "com.apple.streamingkeydelivery", KeyFormatVersions: "1", IV: iv(1, 9)},
		{Method: "SAMPLE-AES", URI: "k3", IV: iv(1, 10)},
	} {
		if got := m.Segments[i].Key; !reflect.DeepEqual(got, want) {
			t.Errorf("%d: %+v, want %+v", i, got, want)
		}
	}
}

// An init section is encrypted with the key in force where its tag stands.
func TestMaps(t *testing.T) {
	m := media(t, `#EXTM3U
#EXT-X-MAP:URI="i0"
#EXT-X-KEY:METHOD=AES-128,URI="k",IV=0x1
#EXTINF:1,
a
#EXT-X-MAP:URI="i1"
#EXTINF:1,
b
#EXT-X-KEY:METHOD=NONE
#EXT-X-MAP:URI="i2"
#EXT-X-KEY:METHOD=AES-128,URI="k",IV=0x1
#EXT-X-GAP
#EXTINF:1,
c
#EXT-X-MAP:URI="i2"
#EXTINF:1,
d
#EXT-X-DISCONTINUITY
#EXT-X-MAP:URI="i2"
#EXT-X-KEY:METHOD=NONE
#EXTINF:1,
e
`)
	k := &channel.Key{Method: "AES-128", URI: "k", IV: [16]byte{15: 1}}
	for i, want := range []struct{ section, key *channel.Key }{{nil, k}, {k, k}, {nil, k}, {k, k}, {k, nil}} {
		if s := m.Segments[i]; !reflect.DeepEqual(s.Map.Key, want.section) || !reflect.DeepEqual(s.Key, want.key) {
			t.Errorf("%d: section %+v, segment %+v", i, s.Map.Key, s.Key)
		}
	}
	if !m.Segments[2].Gap || m.Segments[3].Gap || m.Segments[3].Map != m.Segments[4].Map || m.Segments[2].Map == m.Segments[3].Map {
		t.Error(show(m))
	}
}

func TestDiscontinuities(t *testing.T) {
	m := media(t, testdata(t, "ffmpeg-append-discontinuity.m3u8"))
	if m.DiscontinuitySequence != 0 || m.Segments[0].DiscontinuitySequence != 1 || m.Segments[5].DiscontinuitySequence != 1 || m.Segments[6].DiscontinuitySequence != 2 {
		t.Error(show(m))
	}
	m = media(t, "#EXTM3U\n#EXT-X-DISCONTINUITY-SEQUENCE:41\n#EXTINF:1,\na\n#EXT-X-DISCONTINUITY\n#EXTINF:1,\nb\n#EXTINF:1,\nc\n")
	if m.DiscontinuitySequence != 41 || m.Segments[0].DiscontinuitySequence != 41 || m.Segments[2].DiscontinuitySequence != 42 || m.Segments[2].Discontinuity {
		t.Error(show(m))
	}
}

func TestDates(t *testing.T) {
	noon := time.Date(2024, 2, 29, 12, 0, 0, 0, time.UTC)
	for s, want := range map[string]time.Time{
		"2024-02-29T12:00:00Z":                noon,
		"2024-02-29t12:00:00z":                noon,
		"2024-02-29T12:00:00.123456789Z":      noon.Add(123456789),
		"2024-02-29T14:30:00.5+02:30":         noon.Add(second / 2),
		"2024-02-29T14:30:00.500+0230":        noon.Add(second / 2),
		"2024-02-29T10:00:00-02":              noon,
		"2024-02-29T12:00:00,25Z":             noon.Add(second / 4),
		"2024-02-29T12:00:00":                 noon,
		"2024-02-29 12:00:00.1":               noon.Add(second / 10),
		"2024-02-29 12:00:00Z":                noon,
		`"2024-02-29T12:00:00Z"`:              noon,
		"20240229T120000Z":                    noon,
		"yesterday":                           {},
		"":                                    {},
		"2023-02-29T12:00:00Z":                {},
		"9999-12-31T23:59:59-10:00":           {}, // year 10000
		"0000-01-01T00:00:00Z":                {},
		"2024-02-29T12:00:00.9999999999999Z":  noon.Add(999999999),
		"99999999999999999999-01-01T00:00:00": {},
	} {
		m := media(t, "#EXTM3U\n#EXT-X-PROGRAM-DATE-TIME:"+s+"\n#EXTINF:1,\na\n#EXTINF:1,\nb")
		if got := m.Segments[0].ProgramDateTime; !got.Equal(want) {
			t.Errorf("%q: %v", s, got)
		}
		if !m.Segments[1].ProgramDateTime.IsZero() {
			t.Errorf("%q holds for the next segment", s)
		}
	}
}

func TestLowLatencyIgnored(t *testing.T) {
	m := media(t, testdata(t, "ll-hls.m3u8"))
	if len(m.Segments) != 2 || m.Sequence != 266 || m.Segments[1].URI != "fileSequence267.mp4" || m.Target != 4*second || m.Segments[0].Duration != 4000080*time.Microsecond {
		t.Error(show(m))
	}
	m.HoldBack = 20 * second
	if again := media(t, string(WriteMedia(m))); again.HoldBack != 20*second {
		t.Errorf("HOLD-BACK of 20 s became %v", again.HoldBack)
	}
	m.HoldBack = 5 * second // less than three target durations is forbidden
	if again := media(t, string(WriteMedia(m))); again.HoldBack != 12*second {
		t.Errorf("HOLD-BACK of 5 s became %v", again.HoldBack)
	}
	m.HoldBack = 0
	if s := string(WriteMedia(m)); strings.Contains(s, "CONTROL") || strings.Contains(s, "PART") || strings.Contains(s, "HINT") || strings.Contains(s, "DATERANGE") {
		t.Error(s)
	}
}

// The forms of text that servers send.
func TestForms(t *testing.T) {
	plain := testdata(t, "ffmpeg-event-fmp4.m3u8")
	want := media(t, plain)
	for name, text := range map[string]string{
		"BOM":          "\ufeff" + plain,
		"CRLF":         strings.ReplaceAll(plain, "\n", "\r\n"),
		"BOM and CRLF": "\ufeff" + strings.ReplaceAll(plain, "\n", "\r\n"),
		"blank lines":  "\n \n" + strings.ReplaceAll(plain, "\n", "\n\n\t\n"),
		"comments":     strings.ReplaceAll(plain, "\n", "\n# a comment \x01\n#\n#EXT-X-NEW-TAG:A=1\n"),
		"no last end":  strings.TrimSuffix(plain, "\n"),
		"spaces":       strings.ReplaceAll(plain, "\n", "  \n  "),
		"header tag":   strings.Replace(plain, "#EXTM3U", "#EXTM3U x=1", 1),
		"titles":       strings.ReplaceAll(plain, "#EXTINF:2,", "#EXTINF: 2.0 , A title, with #EXT-X-ENDLIST"),
		"no commas":    strings.ReplaceAll(plain, "#EXTINF:2,", "#EXTINF:2"),
		"stray URI":    strings.Replace(plain, "#EXTINF:2,", "stray.ts\n#EXTINF:2,", 1),
		"lower case":   strings.Replace(plain, "TYPE:EVENT", "TYPE:event", 1),
		"no version":   strings.Replace(plain, "#EXT-X-VERSION:7\n", "", 1),
		"decimals":     strings.Replace(plain, "DURATION:2", "DURATION:1.1", 1),
	} {
		if got := media(t, text); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %s", name, show(got))
		}
	}
	// Invalid UTF-8 becomes valid.
	if m := media(t, "#EXTM3U\n#EXTINF:1,\n\xff.ts"); m.Segments[0].URI != "\uFFFD.ts" {
		t.Error(show(m))
	}
}

func TestVariables(t *testing.T) {
	m := media(t, "#EXTM3U\n#EXT-X-DEFINE:NAME=\"h\",VALUE=\"https://a.example\"\n#EXT-X-DEFINE:NAME=\"p\",VALUE=\"{$h}/b\"\n#EXT-X-MAP:URI=\"{$p}/i\"\n#EXTINF:1,\n{$p}/{$p}")
	if m.Segments[0].URI != "https://a.example/b/https://a.example/b" || m.Segments[0].Map.URI != "https://a.example/b/i" {
		t.Error(show(m))
	}
	if m := media(t, "#EXTM3U\n#EXTINF:1,\n{$p}"); m.Segments[0].URI != "{$p}" {
		t.Error(show(m))
	}
}

func TestDurations(t *testing.T) {
	for s, want := range map[string]time.Duration{
		"6": 6 * second, "6.006": 6006 * time.Millisecond, "5.990748299": 5990748299, "0": 0, "0.0000000004": 0, "1e1": 10 * second, "86400": maxDuration,
	} {
		if m := media(t, "#EXTM3U\n#EXTINF:"+s+",\na"); m.Segments[0].Duration != want {
			t.Errorf("%s: %v", s, m.Segments[0].Duration)
		}
	}
	// The target is what the origin says, if it can be true.
	for s, want := range map[string]time.Duration{
		"#EXT-X-TARGETDURATION:6\n#EXTINF:6.4,\na": 6 * second, "#EXT-X-TARGETDURATION:6\n#EXTINF:6.5,\na": 7 * second,
		"#EXTINF:3.2,\na": 3 * second, "#EXT-X-TARGETDURATION:0\n#EXTINF:0.2,\na": second, "#EXT-X-TARGETDURATION:10": 10 * second,
	} {
		if m := media(t, "#EXTM3U\n"+s); m.Target != want {
			t.Errorf("%q: %v", s, m.Target)
		}
	}
}
