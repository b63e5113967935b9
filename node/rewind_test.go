package node

import (
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"coral/node/channel"
	"coral/node/nodetest"
	"coral/node/proxy"
	"coral/store/segment"
)

// fetchText gets a playlist.
func fetchText(t *testing.T, url string) string {
	t.Helper()
	c := http.Client{Transport: &http.Transport{}, Timeout: patience}
	defer c.CloseIdleConnections()
	res, err := c.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != 200 {
		t.Fatalf("get %s: %v, %v", url, res.Status, err)
	}
	return string(b)
}

// mediaText gets the media playlist that a player would play.
func mediaText(t *testing.T, url string) string {
	t.Helper()
	for line := range strings.Lines(fetchText(t, url)) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			return fetchText(t, url[:strings.LastIndexByte(url, '/')+1]+line)
		}
	}
	t.Fatal("no media playlist")
	return ""
}

func segments(text string) int { return strings.Count(text, "#EXTINF") }

// A viewer goes back in what it has watched, long after the origin has dropped
// it and with nobody there to ask.
func TestRewindInCache(t *testing.T) {
	t.Parallel()
	origin := nodetest.NewOrigin(nodetest.OriginConfig{Segment: 300 * time.Millisecond, Backlog: 5, Window: 4})
	pub, p := organise(t, PublishConfig{Source: origin.Start(t)})
	s := view(t, "x", linkOf(t, p))
	fed(t, s)
	var k ticker
	stop := background(t, s, nodetest.PlayerConfig{OnSegment: k.on})
	first := k.more(t, 1)
	k.more(t, 15)
	if d := s.Picture().Back; d < 4*time.Second {
		t.Errorf("only %v back", d)
	}
	live := mediaText(t, s.URL())
	pub.end() // nobody can help
	until(t, "alone", s, func(st Stats) bool { return st.Peers.Connected == 0 })
	text := mediaText(t, s.PlayerURLAt(time.Hour))
	if !strings.Contains(text, "#EXT-X-PLAYLIST-TYPE:EVENT") || segments(text) < 16 || segments(text) <= segments(live) {
		t.Errorf("%d segments, live %d:\n%s", segments(text), segments(live), text)
	}
	r := playAll(t, nodetest.PlayerConfig{URL: "", Segments: 8, Behind: 1000}, at{s, s.PlayerURLAt(time.Hour)})[0]
	if r.Idents[0].Sequence > first.Sequence {
		t.Errorf("begins with %+v, watched from %+v", r.Idents[0], first)
	}
	if n := r.Idents[0].Sequence; n+7 != r.Idents[7].Sequence || !smooth(r) {
		t.Errorf("played %v: %+v", r, r.Idents)
	}
	if edge := mediaText(t, s.PlayerURL()); segments(edge) != 3 {
		t.Errorf("near the edge %d segments:\n%s", segments(edge), edge)
	}
	if r := stop(); r.Corrupt > 0 {
		t.Errorf("played %v", r)
	}
}

// Who joined late and wants to go back when all others have gone just cannot.
func TestRewindAlone(t *testing.T) {
	t.Parallel()
	const segment = 200 * time.Millisecond
	origin := nodetest.NewOrigin(nodetest.OriginConfig{Segment: segment, Backlog: joinEntries + 10, Window: joinEntries + 20})
	pub, p := organise(t, PublishConfig{Source: origin.Start(t)})
	until(t, "backlog", p.Session, func(st Stats) bool { return st.Feed.Entries > joinEntries+10 })
	s := view(t, "x", linkOf(t, p))
	fed(t, s)
	var k ticker
	stop := background(t, s, nodetest.PlayerConfig{OnSegment: k.on})
	k.more(t, 1)
	pub.end()
	until(t, "alone", s, func(st Stats) bool { return st.Peers.Connected == 0 })
	s.PlayerURL()
	k.more(t, int(backfillEvery/segment)+2)
	if r := stop(); r.Corrupt > 0 {
		t.Errorf("played %v", r)
	}
}

// at is a session whose player opens another URL.
type at struct {
	*Session
	url string
}

func (a at) URL() string { return a.url }

// Who joins late goes back in what the others hold.
func TestRewindFromPeers(t *testing.T) {
	t.Parallel()
	origin := nodetest.NewOrigin(nodetest.OriginConfig{Segment: 200 * time.Millisecond, Backlog: 5, Window: 4})
	_, p := organise(t, PublishConfig{Source: origin.Start(t)})
	x := view(t, "x", linkOf(t, p))
	fed(t, x)
	var k ticker
	background(t, x, nodetest.PlayerConfig{OnSegment: k.on})
	k.more(t, joinEntries+20)
	y := view(t, "y", linkOf(t, p))
	fed(t, y)
	y.PlayerURL() // somebody may want to go back
	background(t, y, nodetest.PlayerConfig{})
	for begun := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		if d := y.Picture().Back; d > (joinEntries+10)*200*time.Millisecond {
			break
		} else if time.Since(begun) > patience {
			t.Fatalf("only %v back", d)
		}
	}
	before := y.Stats().Bytes.FromPeers
	r := playAll(t, nodetest.PlayerConfig{Segments: 5, Behind: 1000}, at{y, y.PlayerURLAt(time.Hour)})[0]
	if got := y.Stats().Bytes.FromPeers - before; got == 0 {
		t.Error("nothing came from peers")
	}
	if r.Corrupt > 0 || r.Idents[0].Sequence+4 != r.Idents[4].Sequence {
		t.Errorf("played %v: %+v", r, r.Idents)
	}
}

// What is gone everywhere is said to be gone, at once and where it was: a player
// that has been told of it keeps its place.
func TestRewindGone(t *testing.T) {
	t.Parallel()
	origin := nodetest.NewOrigin(nodetest.OriginConfig{Segment: 300 * time.Millisecond, Backlog: 5, Window: 12})
	pub, p := organise(t, PublishConfig{Source: origin.Start(t)})
	n := run(t, sharing(t, "x"))
	s := watch(t, n.Node, linkOf(t, p))
	fed(t, s)
	var k ticker
	background(t, s, nodetest.PlayerConfig{OnSegment: k.on})
	k.more(t, 20)
	url := s.PlayerURLAt(6 * time.Second)
	var media string
	for line := range strings.Lines(fetchText(t, url)) {
		if line[0] != '#' {
			media = url[:strings.LastIndexByte(url, '/')+1] + strings.TrimSpace(line)
		}
	}
	whole := fetchText(t, media)
	if strings.Contains(whole, "EXT-X-GAP") || segments(whole) < 18 {
		t.Fatalf("before:\n%s", whole)
	}
	pub.end()
	until(t, "alone", s, func(st Stats) bool { return st.Peers.Connected == 0 })
	if err := n.ClearChannel(s.Link().Channel); err != nil {
		t.Fatal(err)
	}
	var gone string
	for begun := time.Now(); !strings.Contains(gone, "EXT-X-GAP") && time.Since(begun) < patience; {
		gone = fetchText(t, media)
	}
	sequence := regexp.MustCompile(`MEDIA-SEQUENCE:(\d+)`)
	if sequence.FindString(gone) != sequence.FindString(whole) || !strings.Contains(gone, "EXT-X-GAP") || segments(gone) < segments(whole) {
		t.Errorf("before:\n%s\nafter:\n%s", whole, gone)
	}
	r := s.renditions[0]
	var seq uint64
	if err := s.do(t.Context(), func() { seq = r.past.Media.Sequence }); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	if _, err := s.Open(t.Context(), segment.ID{Sequence: seq}); err != proxy.ErrNotFound || time.Since(begun) > time.Second {
		t.Errorf("what is gone: %v after %v", err, time.Since(begun))
	}
	if d := s.Picture().Back; d > 5*time.Second {
		t.Errorf("%v back, over a gap", d)
	}
	k.more(t, 3) // and the picture goes on
}

// The player's URL has one variant, the pinned one, with its sound.
func TestPinned(t *testing.T) {
	t.Parallel()
	origin := nodetest.NewOrigin(nodetest.OriginConfig{
		Segment: 300 * time.Millisecond, Backlog: 6, Bitrates: []int{2e6, 8e5, 4e5}, Audio: []string{"en", "de"}, Subtitles: []string{"en"},
	})
	_, p := organise(t, PublishConfig{Source: origin.Start(t)})
	s := view(t, "x", linkOf(t, p))
	fed(t, s)
	var variants []RenditionInfo
	kinds := map[channel.RenditionKind]int{}
	for _, r := range s.Renditions() {
		kinds[r.Kind]++
		if r.Kind == channel.Variant {
			variants = append(variants, r)
		}
	}
	if len(variants) != 3 || kinds[channel.Audio] != 2 || kinds[channel.Subtitles] != 1 {
		t.Fatalf("renditions %+v", s.Renditions())
	}
	if v := variants[0]; v.Bandwidth < 2e6 || !v.Chosen || variants[1].Chosen {
		t.Errorf("variants %+v", variants)
	}
	for _, v := range variants {
		s.Pin(v.ID)
		text := fetchText(t, s.PlayerURL())
		if strings.Count(text, "#EXT-X-STREAM-INF") != 1 || strings.Count(text, "TYPE=AUDIO") != 2 || strings.Contains(text, "SUBTITLES") {
			t.Errorf("variant %d pinned:\n%s", v.ID, text)
		}
		if text := mediaText(t, s.PlayerURL()); !regexp.MustCompile(`(?m)^` + strconv.Itoa(v.ID) + `/\d+\.ts$`).MatchString(text) {
			t.Errorf("variant %d pinned:\n%s", v.ID, text)
		}
	}
	r := playAll(t, nodetest.PlayerConfig{Segments: 5}, at{s, s.PlayerURL()})[0]
	if r.Corrupt > 0 || !smooth(r) {
		t.Errorf("played %v", r)
	}
	s.Pin(Auto) // goes on from there
	if !s.Renditions()[2].Chosen {
		t.Errorf("renditions %+v", s.Renditions())
	}
}

// A plain playlist without variants has a player's URL, too.
func TestPlayerURLSingle(t *testing.T) {
	t.Parallel()
	origin := nodetest.NewOrigin(nodetest.OriginConfig{Segment: 300 * time.Millisecond, Backlog: 6, Single: true})
	url := origin.Start(t)
	link, err := channel.ParseLink(url)
	if err != nil {
		t.Fatal(err)
	}
	s := view(t, "x", link)
	r := playAll(t, nodetest.PlayerConfig{Segments: 5}, at{s, s.PlayerURL()})[0]
	if r.Corrupt > 0 || !smooth(r) {
		t.Errorf("played %v", r)
	}
	if pic := s.Picture(); pic.Verified != NobodySigns || pic.FromOrigin == 0 || pic.FromPeers != 0 {
		t.Errorf("picture %+v", pic)
	}
}
