package node

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"coral/node/channel"
	"coral/node/nodetest"
)

var (
	mediaSequence         = regexp.MustCompile(`#EXT-X-MEDIA-SEQUENCE:(\d+)`)
	discontinuitySequence = regexp.MustCompile(`#EXT-X-DISCONTINUITY-SEQUENCE:(\d+)`)
)

// listing is what a playlist says of each segment, by sequence number.
type listing map[int]struct {
	uri    string
	breaks int // its discontinuity sequence number
}

// read adds a playlist to what was listed before. What was is never changed.
func (l listing) read(t *testing.T, text string) {
	t.Helper()
	number := func(re *regexp.Regexp) (n int) {
		if m := re.FindStringSubmatch(text); m != nil {
			n, _ = strconv.Atoi(m[1])
		}
		return n
	}
	seq, breaks := number(mediaSequence), number(discontinuitySequence)
	for line := range strings.Lines(text) {
		switch line = strings.TrimSpace(line); {
		case line == "#EXT-X-DISCONTINUITY":
			breaks++
		case line != "" && line[0] != '#':
			g := l[seq]
			if g.uri == "" {
				g.uri, g.breaks = line, breaks
				l[seq] = g
			}
			if g.uri != line || g.breaks != breaks {
				t.Errorf("segment %d was %+v, and is now %s, after %d discontinuities in\n%s", seq, g, line, breaks, text)
			}
			seq++
		}
	}
}

// of is the rendition that segment n is of.
func (l listing) of(n int) string {
	r, _, _ := strings.Cut(l[n].uri, "/")
	return r
}

// mediaURL is the media playlist behind a multivariant one.
func mediaURL(t *testing.T, url string) string {
	t.Helper()
	for line := range strings.Lines(fetchText(t, url)) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			return url[:strings.LastIndexByte(url, '/')+1] + line
		}
	}
	t.Fatal("no media playlist")
	return ""
}

// A player that plays goes from variant to variant without loading anything
// again: numbers go on, each change is marked, what was told stays, and only what
// is shown is fetched.
func TestChangeVariant(t *testing.T) {
	for name, c := range map[string]nodetest.OriginConfig{
		"by number": {NoDateTime: true},
		"by date":   {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.Segment, c.Backlog, c.Window, c.Bitrates = 300*time.Millisecond, 12, 12, []int{2e6, 8e5, 4e5}
			c.DiscontinuityEvery = 5
			origin := nodetest.NewOrigin(c)
			_, p := organise(t, PublishConfig{Source: origin.Start(t)})
			s := view(t, "x", linkOf(t, p))
			fed(t, s)
			s.Pin(1)
			url := s.PlayerURL()
			grows, slides := mediaURL(t, url), mediaURL(t, s.URL())
			past, window := listing{}, listing{}
			look := func() {
				past.read(t, fetchText(t, grows))
				window.read(t, fetchText(t, slides))
			}
			var k ticker
			stop := background(t, s, nodetest.PlayerConfig{URL: url, OnSegment: k.on})
			for _, to := range []int{1, 0, 2, 1} {
				s.Pin(to)
				for begun := time.Now(); k.more(t, 1).Rendition != to; look() {
					if time.Since(begun) > patience {
						t.Fatalf("variant %d is not shown", to)
					}
				}
				for range 5 {
					k.more(t, 1)
					look()
				}
			}
			r := stop()
			if r.Corrupt > 0 || !smooth(r) {
				t.Errorf("played %v", r)
			}
			for name, l := range map[string]listing{"all": past, "the window": window} {
				first := slices.Min(slices.Collect(maps.Keys(l)))
				changes := 0
				for n := first + 1; n < first+len(l); n++ {
					switch was, is := l[n-1], l[n]; {
					case is.uri == "" || is.breaks < was.breaks || is.breaks > was.breaks+1:
						t.Errorf("%s: segment %d is %+v after %+v", name, n, is, was)
					case l.of(n) != l.of(n-1):
						if changes++; is.breaks != was.breaks+1 {
							t.Errorf("%s: segment %d: no discontinuity", name, n)
						}
					}
				}
				if changes != 3 {
					t.Errorf("%s: %d changes: %v", name, changes, l)
				}
			}
			shown, st := int64(0), s.Stats()
			for _, id := range r.Idents {
				shown += int64(len(origin.Bytes(id)))
			}
			if got := st.Bytes.FromPeers + st.Bytes.FromOrigin + st.Bytes.Unverified; timed && got > shown*13/10 {
				t.Errorf("%d bytes were fetched, %d shown", got, shown)
			}
		})
	}
}

// With a slow origin the quality falls in time, and rises again with it.
func TestLadderFollowsLine(t *testing.T) {
	if !timed {
		t.Skip("is about time")
	}
	t.Parallel()
	origin := nodetest.NewOrigin(nodetest.OriginConfig{Segment: time.Second, Backlog: 6, Bitrates: []int{2e6, 4e5}})
	link, err := channel.ParseLink(origin.Start(t))
	if err != nil {
		t.Fatal(err)
	}
	s := view(t, "x", link)
	var k ticker
	stop := background(t, s, nodetest.PlayerConfig{OnSegment: k.on})
	shows := func(variant int) {
		t.Helper()
		for begun := time.Now(); k.more(t, 1).Rendition != variant; {
			if time.Since(begun) > 2*patience {
				t.Fatalf("variant %d is not shown", variant)
			}
		}
	}
	shows(0)
	k.more(t, 5)
	origin.Set(nodetest.Faults{Rate: 180_000}) // 1.44 Mbit/s
	shows(1)
	k.more(t, 3)
	origin.Set(nodetest.Faults{})
	shows(0)
	k.more(t, 3)
	r := stop()
	t.Log(r)
	if r.Corrupt > 0 || !smooth(r) || len(r.Stalls) > 0 {
		t.Errorf("played %v", r)
	}
	changes := 0
	for i, id := range r.Idents[1:] {
		if id.Rendition != r.Idents[i].Rendition {
			changes++
		}
	}
	if changes != 2 {
		t.Errorf("%d changes: %v", changes, r.Idents)
	}
}
