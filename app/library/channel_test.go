package library

import (
	"crypto/ed25519"
	"fmt"
	"slices"
	"strings"
	"testing"

	"coral/node/channel"
)

// linkOf makes a link of a channel with that name.
func linkOf(t *testing.T, name string, secret []byte) *channel.Link {
	t.Helper()
	root, err := channel.NewRoot()
	if err != nil {
		t.Fatal(err)
	}
	d := &channel.Descriptor{Name: name, Root: root.Public().(ed25519.PublicKey), Origins: []string{"https://o.example/live.m3u8"}}
	if secret != nil {
		d.Private, d.SecretHash = true, channel.SecretHash(secret)
	}
	l := d.Link()
	l.Secret = secret
	return l
}

func TestIdentity(t *testing.T) {
	l := linkOf(t, "An event", nil)
	id := l.Channel.String()
	short := "magnet:?xt=urn:btih:" + strings.ToUpper(id)
	for _, link := range []string{l.String(), l.URI(), short, "  " + short + "&tr=udp%3A%2F%2Ft.example%3A1\n", "coral://?xt=urn:btih:" + id} {
		if got, err := Identify(link); err != nil || got != id {
			t.Errorf("%s: %s, %v", link, got, err)
		}
	}
	a, _ := Identify("https://TV.example/a.m3u8#here")
	b, _ := Identify("HTTPS://tv.example/a.m3u8")
	c, _ := Identify("https://tv.example/A.m3u8")
	d, _ := Identify("https://tv.example/a.m3u8?token=1")
	if a != b || a == c || a == d {
		t.Errorf("playlists: %s, %s, %s, %s", a, b, c, d)
	}
	for _, bad := range []string{"", "ftp://x/y", "/etc/passwd", "magnet:?xt=urn:btih:12", "javascript:alert(1)"} {
		if id, err := Identify(bad); err == nil {
			t.Errorf("%q is %s", bad, id)
		}
	}
}

func TestTwoLinksOneChannel(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	full := linkOf(t, "An event", nil)
	bare := "magnet:?xt=urn:btih:" + full.Channel.String() + "&tr=udp%3A%2F%2Ft.example%3A80&x.pe=192.0.2.1:26725"
	first := add(t, l, Channel{Link: bare})
	if first.Name != full.Channel.String()[:8] || first.Plain {
		t.Errorf("without a name: %+v", first)
	}
	if err := l.SetFavorite(first.ID, true); err != nil {
		t.Fatal(err)
	}
	second := add(t, l, Channel{Link: full.URI()})
	add(t, l, Channel{Link: bare})
	list := open(t, dir).List("", "")
	if len(list) != 1 || list[0].ID != first.ID || list[0].Name != "An event" || !list[0].Favorite || second.ID != first.ID {
		t.Fatalf("%+v", list)
	}
	got, err := channel.ParseLink(list[0].Link)
	if err != nil || got.Descriptor == nil || len(got.Trackers) != 1 || len(got.Peers) != 1 {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestPrivateLink(t *testing.T) {
	secret, err := channel.NewSecret()
	if err != nil {
		t.Fatal(err)
	}
	full := linkOf(t, "Ours", secret)
	for _, order := range [][]string{
		{full.String(), "magnet:?xt=urn:btih:" + full.Channel.String()},
		{"magnet:?xt=urn:btih:" + full.Channel.String(), full.String()},
	} {
		if l, err := channel.ParseLink(joinLinks(order[0], order[1])); err != nil || l.Descriptor == nil || len(l.Secret) == 0 {
			t.Errorf("%+v, %v", l, err)
		}
	}
}

// Without a description the hints of both are kept, and the channel.
func TestBareLinks(t *testing.T) {
	const xt = "magnet:?xt=urn:btih:0123456789012345678901234567890123456789"
	a, b := xt+"&dn=Old&tr=udp%3A%2F%2Fa.example%3A1&as=https%3A%2F%2Fa.example%2F", xt+"&tr=udp%3A%2F%2Fb.example%3A1&as=https%3A%2F%2Fb.example%2F"
	l, err := channel.ParseLink(joinLinks(a, b))
	if err != nil || l.Name != "Old" || !slices.Equal(l.Trackers, []string{"udp://b.example:1", "udp://a.example:1"}) ||
		!slices.Equal(l.Origins, []string{"https://b.example/", "https://a.example/"}) {
		t.Errorf("%+v, %v", l, err)
	}
	for _, later := range []string{"nonsense", ""} {
		if got := joinLinks(a, later); got != a {
			t.Errorf("%q makes %q of it", later, got)
		}
	}
	// More origins than a channel may have: the link stays what it was.
	many := func(from int) string {
		s := xt
		for i := range channel.MaxOrigins {
			s += fmt.Sprintf("&as=https%%3A%%2F%%2F%d.example%%2F", from+i)
		}
		return s
	}
	if got := joinLinks(many(0), many(100)); got != many(0) {
		t.Errorf("it became %s", got)
	}
}

func TestShowable(t *testing.T) {
	for in, want := range map[string]string{
		"  a \t b\n\nc ": "a b c", "a\x00b\u202ec\u2066": "abc", "\xff\xfex": "x", "\ufeffa": "a", "\u00a0": "",
		strings.Repeat("ä", 5000): strings.Repeat("ä", channel.MaxName/2), "x" + strings.Repeat("ä", 150): "x" + strings.Repeat("ä", 99),
	} {
		if got := showable(in); got != want {
			t.Errorf("%.20q becomes %q", in, got)
		}
	}
}
