package webvtt

import (
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

const sec = time.Second

func TestParse(t *testing.T) {
	for name, c := range map[string]struct {
		in   string
		want []Cue
	}{
		"empty":       {"WEBVTT", nil},
		"one":         {"WEBVTT\n\n00:01.000 --> 00:02.500\nHello\n", []Cue{{sec, 2500 * time.Millisecond, "Hello"}}},
		"hours, name": {"WEBVTT - a title\nKind: captions\n\nintro 7\n01:00:01.000 --> 01:00:02.000 align:start line:0%\nHello\nyou\n", []Cue{{time.Hour + sec, time.Hour + 2*sec, "Hello\nyou"}}},
		"bom, CRLF":   {"\ufeffWEBVTT\r\n\r\n00:01.000 --> 00:02.000\r\na\r\nb\r\n\r\n00:02.000 --> 00:03.000\r\nc", []Cue{{sec, 2 * sec, "a\nb"}, {2 * sec, 3 * sec, "c"}}},
		"CR":          {"WEBVTT\r\r00:01.000 --> 00:02.000\ra\r", []Cue{{sec, 2 * sec, "a"}}},
		"skipped": {
			"WEBVTT\n\nSTYLE\n::cue { color: red }\n\nREGION\nid:x\n\nNOTE\nnot --> this\nnor this\n\nNOTE 00:01.000\n00:01.000 --> 00:02.000\nno\n\n00:01.000 --> 00:02.000\na\n",
			[]Cue{{sec, 2 * sec, "a"}},
		},
		"tags":            {"WEBVTT\n\n00:01.000 --> 00:02.000\n<v Ann><i>Hi</i> &amp; <c.red>bye</c> 1 &lt; 2<00:01.500> x&nbsp;y<b\n", []Cue{{sec, 2 * sec, "Hi & bye 1 < 2 x\u00a0y"}}},
		"only tags":       {"WEBVTT\n\n00:01.000 --> 00:02.000\n<i></i>\n", nil},
		"wrong times":     {"WEBVTT\n\n00:02.000 --> 00:01.000\na\n\n00:01 --> 00:02\nb\n\n00:61.000 --> 00:62.000\nc\n\n-1:00.000 --> 00:02.000\nd\n\n00:01.000 --> 00:02.000\ne\n", []Cue{{sec, 2 * sec, "e"}}},
		"no blank lines":  {"WEBVTT\n00:01.000 --> 00:02.000\na\n00:02.000 --> 00:03.000\nb\n", []Cue{{sec, 2 * sec, "a"}, {2 * sec, 3 * sec, "b"}}},
		"no line feed":    {"WEBVTT\n\n00:01.000 --> 00:02.000\na", []Cue{{sec, 2 * sec, "a"}}},
		"name, no cue":    {"WEBVTT\n\nname\ntext\n\n00:01.000 --> 00:02.000\na", []Cue{{sec, 2 * sec, "a"}}},
		"control":         {"WEBVTT\n\n00:01.000 --> 00:02.000\na\x00\x1bb\xff\n", []Cue{{sec, 2 * sec, "ab\ufffd"}}},
		"a year's stamps": {"WEBVTT\n\n8760:00:00.000 --> 8760:00:01.000\na\n", []Cue{{8760 * time.Hour, 8760*time.Hour + sec, "a"}}},
	} {
		f, err := Parse([]byte(c.in))
		if err != nil || !reflect.DeepEqual(f.Cues, c.want) {
			t.Errorf("%s: %+v, %v; want %+v", name, f, err, c.want)
		}
	}
	for _, in := range []string{"", "WEBVT", "WEBVTTX\n", "\n\nWEBVTT", "#EXTM3U", strings.Repeat("x", MaxBytes+1)} {
		if f, err := Parse([]byte(in)); err == nil {
			t.Errorf("%.20q: %+v", in, f)
		}
	}
}

func TestTimestampMap(t *testing.T) {
	for in, want := range map[string]time.Duration{
		"X-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:900000":      15 * sec, // 10 s, and the cue's 5
		"X-TIMESTAMP-MAP=MPEGTS:900000,LOCAL:00:00:00.000":      15 * sec,
		"X-TIMESTAMP-MAP=MPEGTS:900000, LOCAL:00:03.000":        12 * sec,
		"X-TIMESTAMP-MAP=LOCAL:00:00:10.000,MPEGTS:0":           Wrap - 5*sec,
		"X-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:8589844592":  5*sec - 90000*sec/90000, // a second before the wrap
		"X-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:17179959184": 5*sec + 90000*sec/90000, // twice 2^33, and a second
		"X-TIMESTAMP-MAP=LOCAL:00:00:00.000":                    5 * sec,
		"X-TIMESTAMP-MAP=LOCAL:now,MPEGTS:900000":               5 * sec,
		"X-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:-1":          5 * sec,
		"Other: header": 5 * sec,
		"X-TIMESTAMP-MAP=LOCAL:00:00:04.000,MPEGTS:360000,MORE:no": 5 * sec,
	} {
		f, err := Parse([]byte("WEBVTT\n" + in + "\n\n00:05.000 --> 00:06.000\na\n"))
		if err != nil || len(f.Cues) != 1 {
			t.Fatalf("%s: %+v, %v", in, f, err)
		}
		got := f.PTS(f.Cues[0].Start)
		if d := got - want; d < -time.Microsecond || d > time.Microsecond {
			t.Errorf("%s: %v, want %v", in, got, want)
		}
	}
}

func TestShown(t *testing.T) {
	for _, c := range []struct {
		now, start, end time.Duration
		want            bool
	}{
		{5 * sec, 5 * sec, 6 * sec, true},
		{6 * sec, 5 * sec, 6 * sec, false},
		{4 * sec, 5 * sec, 6 * sec, false},
		{Wrap + 5*sec, 5 * sec, 6 * sec, true}, // a player that counts on
		{0, Wrap - sec, sec, true},             // over the wrap
		{Wrap - sec/2, Wrap - sec, sec, true},
		{2 * sec, Wrap - sec, sec, false},
	} {
		if got := Shown(c.now, c.start, c.end); got != c.want {
			t.Errorf("at %v, from %v to %v: %v", c.now, c.start, c.end, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"WEBVTT\n\n00:01.000 --> 00:02.000\nHello\n", "\ufeffWEBVTT x\r\nX-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:900000\r\n\r\nid\r\n00:01.000 --> 00:02.000 line:1\r\n<v A>x</v> &lt;\r\n",
		"WEBVTT\n\nNOTE\n-->\n\nSTYLE\n\n-->\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := Parse(b)
		if err != nil {
			return
		}
		if len(v.Cues) > maxCues {
			t.Fatalf("%d cues", len(v.Cues))
		}
		for _, c := range v.Cues {
			if c.Start < 0 || c.Start >= c.End || c.Text == "" || len(c.Text) > maxText || !utf8.ValidString(c.Text) || strings.ContainsAny(c.Text, "\r\x00") {
				t.Fatalf("cue %+v", c)
			}
			if p := v.PTS(c.Start); p < 0 || p >= Wrap {
				t.Fatalf("PTS %v", p)
			}
		}
	})
}
