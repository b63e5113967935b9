package node

import (
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"coral/node/nodetest"
)

// text loads a playlist as players do.
func text(t *testing.T, client *http.Client, u string) string {
	t.Helper()
	res, err := client.Get(u)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if res.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s", u, res.Status)
	}
	return string(b)
}

// newest is the number of the last segment in a media playlist.
func newest(t *testing.T, playlist string) int {
	t.Helper()
	_, rest, _ := strings.Cut(playlist, "#EXT-X-MEDIA-SEQUENCE:")
	line, _, _ := strings.Cut(rest, "\n")
	first, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatalf("%v in %s", err, playlist)
	}
	return first + strings.Count(playlist, "#EXTINF") - 1
}

// While a publisher that was away catches up, players are not taken back to
// what they have seen of the origin's own playlist already.
func TestPlaylistsNeverGoBack(t *testing.T) {
	t.Parallel()
	source, told := nodetest.NewOrigin(live), nodetest.NewOrigin(live)
	cfg := PublishConfig{Source: source.Start(t), ViewerOrigin: told.Start(t), State: t.TempDir(), Name: "Reef"}
	cache := t.TempDir()
	n, p := again(t, "127.0.0.1:0", cache, cfg)
	at := n.PeerAddr().String()
	s := view(t, "x", linkOf(t, p))
	until(t, "the window", s, func(st Stats) bool { return st.Feed.Entries >= int64(live.Backlog) })
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	base, err := url.Parse(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	_, media, _ := strings.Cut(text(t, client, s.URL()), "#EXT-X-STREAM-INF")
	u, err := base.Parse(strings.Split(media, "\n")[1])
	if err != nil {
		t.Fatal(err)
	}
	last := newest(t, text(t, client, u.String()))
	look := func() {
		now := newest(t, text(t, client, u.String()))
		if now < last {
			t.Fatalf("the playlist ended with segment %d, now with %d", last, now)
		}
		last = now
	}
	n.end()
	for begun := last; last < begun+9; { // the outage; the origin goes on
		look()
	}
	source.Set(nodetest.Faults{Rate: 150_000}) // 3 segments a second and fetch: slow to catch up
	entries := s.Stats().Feed.Entries
	again(t, at, cache, cfg)
	back := last
	for begun := time.Now(); s.Stats().Feed.Entries < entries+12 || last < back+6; {
		look()
		if time.Since(begun) > patience {
			t.Fatalf("stuck at %d after %d: %+v", last, back, s.Stats())
		}
	}
}
