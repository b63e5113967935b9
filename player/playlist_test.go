package player

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

const event = `#EXTM3U
#EXT-X-VERSION:3
#EXT-X-TARGETDURATION:4
#EXT-X-MEDIA-SEQUENCE:7
#EXT-X-PLAYLIST-TYPE:EVENT
#EXTINF:4.000,
a.ts
#EXT-X-DISCONTINUITY
#EXTINF:2.5,title, with a comma
#EXT-X-PROGRAM-DATE-TIME:2026-11-23T06:00:00Z
b.ts
`

func TestParsePlaylist(t *testing.T) {
	p, err := ParsePlaylist(strings.NewReader(event))
	if err != nil {
		t.Fatal(err)
	}
	if p.Target != 4*time.Second || p.First != 7 || !p.Event || p.Ended ||
		!slices.Equal(p.Segments, []time.Duration{4 * time.Second, 2500 * time.Millisecond}) {
		t.Errorf("%+v", p)
	}
	p, err = ParsePlaylist(strings.NewReader("\xef\xbb\xbf" + strings.ReplaceAll(event, "\n", "\r\n") + "#EXT-X-ENDLIST\r\n"))
	if err != nil || !p.Ended || len(p.Segments) != 2 {
		t.Errorf("with a byte order mark and CR LF: %+v, %v", p, err)
	}
	p, err = ParsePlaylist(strings.NewReader("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n# a comment\nlow.m3u8\n#EXT-X-STREAM-INF:BANDWIDTH=2\nhigh.m3u8\n"))
	if err != nil || !slices.Equal(p.Variants, []string{"low.m3u8", "high.m3u8"}) {
		t.Errorf("multivariant: %+v, %v", p, err)
	}
}

func TestParsePlaylistRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"nothing":  "",
		"a page":   "<html>#EXTM3U",
		"channels": "#EXTM3U\n#EXTINF:-1 tvg-logo=\"x\",One\nhttp://example.org/1.m3u8\n",
	} {
		if _, err := ParsePlaylist(strings.NewReader(text)); !errors.Is(err, ErrNotPlaylist) {
			t.Errorf("%s: %v", name, err)
		}
	}
	const head = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n"
	for name, text := range map[string]string{
		"negative sequence": head + "#EXT-X-MEDIA-SEQUENCE:-1\n",
		"huge sequence":     head + "#EXT-X-MEDIA-SEQUENCE:9223372036854775807\n",
		"long line":         head + "#" + strings.Repeat("x", maxLine+1),
		"too long":          head + strings.Repeat("#x\n", maxPlaylist/3+1),
	} {
		if _, err := ParsePlaylist(strings.NewReader(text)); err == nil || errors.Is(err, ErrNotPlaylist) {
			t.Errorf("%s: %v", name, err)
		}
	}
	p, err := ParsePlaylist(strings.NewReader(head + "#EXTINF:NaN,\na.ts\n#EXTINF:1e300,\nb.ts\n#EXTINF:-4,\nc.ts\n"))
	if err != nil || !slices.Equal(p.Segments, []time.Duration{0, 0, 0}) {
		t.Errorf("absurd durations: %+v, %v", p, err)
	}
}

func FuzzParsePlaylist(f *testing.F) {
	f.Add(event)
	f.Add("#EXTM3U\n#EXT-X-STREAM-INF:\nx\n")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ParsePlaylist(strings.NewReader(text))
		if err != nil {
			return
		}
		if len(p.Variants) == 0 && p.Target < minTarget {
			t.Errorf("target %v", p.Target)
		}
		now := time.Unix(0, 0)
		var line Timeline
		line.Merge(p, now)
		p.First += 2
		line.Merge(p, now)
		if i, start := line.Find(line.End()); line.Known() && (i >= len(p.Segments) || start > line.End()) {
			t.Errorf("segment %d at %v of %d to %v", i, start, len(p.Segments), line.End())
		}
		for i := 1; i < len(line.starts); i++ {
			if line.starts[i] < line.starts[i-1] {
				t.Errorf("time runs backwards at %d", i)
			}
		}
	})
}
