package proxy

import (
	"strings"
	"testing"
	"time"

	"coral/node/channel"
	"coral/node/hls"
	"coral/store/segment"
)

// past returns a playlist of segments first to last, 2 s each.
func past(first, last uint64, gaps ...uint64) *hls.Media {
	m := &hls.Media{Target: 2 * time.Second, Sequence: first}
	for seq := first; seq <= last; seq++ {
		g := hls.Segment{Sequence: seq, Duration: 2 * time.Second}
		for _, n := range gaps {
			g.Gap = g.Gap || n == seq
		}
		m.Segments = append(m.Segments, g)
	}
	return m
}

func TestBegin(t *testing.T) {
	for name, c := range map[string]struct {
		m      *hls.Media
		behind time.Duration
		want   uint64
	}{
		"edge":             {past(100, 120), 0, 118},
		"near the edge":    {past(100, 120), 3 * time.Second, 118},
		"back":             {past(100, 120), 20 * time.Second, 111},
		"between":          {past(100, 120), 19 * time.Second, 111},
		"all":              {past(100, 120), time.Hour, 100},
		"short":            {past(100, 101), 0, 100},
		"not over a gap":   {past(100, 120, 105, 112), time.Hour, 113},
		"gap at the edge":  {past(100, 120, 119), 0, 120},
		"ended: the start": {&hls.Media{Sequence: 5, Ended: true, Segments: past(5, 9).Segments}, 0, 5},
	} {
		if got := begin(c.m, c.behind); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

// A player that goes back gets a playlist that begins where it does and keeps
// its beginning, while the channel's own goes on sliding.
func TestHistory(t *testing.T) {
	bubble(t, func(t *testing.T, s *setup) {
		s.set(func() {
			s.presentation = &channel.Presentation{Renditions: []channel.Rendition{{URI: "x.m3u8", Bandwidth: 1000}}}
		})
		for seq := range uint64(10) {
			s.live(seq, 100, false)
		}
		view := func(behind time.Duration) string {
			u := s.mount.PlayerURL(behind)
			return u[strings.LastIndexByte(u, '/')+1:]
		}
		edge := view(0)
		media := func(text string) string {
			t.Helper()
			for line := range strings.Lines(text) {
				if line = strings.TrimSpace(line); strings.HasPrefix(line, "shown-") {
					return line
				}
			}
			t.Fatalf("no media playlist in\n%s", text)
			return ""
		}
		first := media(string(s.get(t, edge).body))
		shows := func(path string, sequence, last string, want ...string) {
			t.Helper()
			a := s.get(t, path)
			text := string(a.body)
			if a.StatusCode != 200 || !strings.Contains(text, "#EXT-X-MEDIA-SEQUENCE:"+sequence+"\n") || !strings.HasSuffix(strings.TrimSpace(text), last) {
				t.Errorf("%s: %v, want segments %s to %s:\n%s", path, a.Status, sequence, last, text)
			}
			for _, w := range want {
				if !strings.Contains(text, w) {
					t.Errorf("%s: no %s in\n%s", path, w, text)
				}
			}
		}
		shows(first, "7", "0/9.ts", "#EXT-X-PLAYLIST-TYPE:EVENT")
		back := media(string(s.get(t, view(12*time.Second)).body))
		shows(back, "4", "0/9.ts", "#EXT-X-PLAYLIST-TYPE:EVENT")
		for seq := uint64(10); seq < 14; seq++ {
			s.live(seq, 100, false)
		}
		shows(first, "7", "0/13.ts", "#EXT-X-PLAYLIST-TYPE:EVENT")
		shows(back, "4", "0/13.ts", "#EXT-X-PLAYLIST-TYPE:EVENT")
		shows(media(string(s.get(t, view(0)).body)), "11", "0/13.ts") // who comes later begins later
		again := media(string(s.get(t, edge).body))
		if again == first {
			t.Error("two players were given the same URLs")
		}
		shows(again, "7", "0/13.ts", "#EXT-X-PLAYLIST-TYPE:EVENT") // but not who opens the same URL again
		for range 2 * maxViews {
			time.Sleep(time.Second)
			view(0)
			s.get(t, first)
			s.get(t, back)
		}
		shows(first, "7", "0/13.ts")
		if len(s.mount.views) > maxViews {
			t.Errorf("%d viewings are remembered", len(s.mount.views))
		}

		// What falls out at the far end cannot be shown any more, and is not.
		s.live(14, 9, false)
		shows(back, "6", "0/14.ts")
		if text := string(s.get(t, back).body); strings.Contains(text, "EVENT") {
			t.Errorf("says that nothing is ever taken away:\n%s", text)
		}
		shows(first, "7", "0/14.ts", "#EXT-X-PLAYLIST-TYPE:EVENT")
		s.live(15, 9, true)
		shows(first, "7", "#EXT-X-ENDLIST")
	})
}

// All that is parallel to the segments is cut with them, and the original is left.
func TestCut(t *testing.T) {
	pl := &Playlist{Media: *past(10, 14), Keys: []int{0, 1, 2, 3, 4}}
	for _, g := range pl.Media.Segments {
		pl.IDs = append(pl.IDs, segment.ID{Sequence: g.Sequence})
	}
	out := cut(pl, 12)
	if len(out.IDs) != 3 || out.IDs[0].Sequence != 12 || out.Keys[0] != 2 || out.Inits != nil || out.Media.Sequence != 12 || out.Media.Type != channel.Event {
		t.Errorf("%+v", out)
	}
	if len(pl.Media.Segments) != 5 || pl.Media.Type != channel.Live {
		t.Errorf("the original was changed: %+v", pl)
	}
	if out := cut(pl, 99); len(out.IDs) != 1 {
		t.Errorf("beyond the end: %+v", out)
	}
}
