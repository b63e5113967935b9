package channel

import (
	"bytes"
	"crypto/sha1"
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"strings"
	"testing"
)

func TestParseLink(t *testing.T) {
	const hash = "0123456789abcdef0123456789abcdef01234567"
	for name, c := range map[string]struct {
		link string
		want Link
	}{
		"bare":          {"magnet:?xt=urn:btih:" + hash, Link{}},
		"spaces":        {"  MAGNET:?xt=urn:btih:" + strings.ToUpper(hash) + "\n", Link{}},
		"base32":        {"magnet:?xt=urn:btih:AERUKZ4JVPG66AJDIVTYTK6N54ASGRLH", Link{}},
		"coral slashes": {"coral://?xt=urn:btih:" + hash, Link{}},
		"hybrid":        {"magnet:?xt=urn:btmh:1220cafe&xt=urn:btih:" + hash + "&kt=a&x.unknown=1", Link{}},
		"hints": {
			"coral:?xt=urn:btih:" + hash + "&dn=A+b%20c&tr=wss://no&tr=udp://t:1&tr=udp://t:1&x.pe=nobody&x.pe=h:1&x.pe=[::1]:2&x.pe=h:0&x.pe=h:70000&as=http://o/p?q=1",
			Link{Name: "A b c", Trackers: []string{"udp://t:1"}, Peers: []string{"h:1", "[::1]:2"}, Origins: []string{"http://o/p?q=1"}},
		},
		"name that must not be shown": {"magnet:?xt=urn:btih:" + hash + "&dn=a%0ab", Link{}},
		"too many hints":              {"magnet:?xt=urn:btih:" + hash + manyPeers(40), Link{Peers: peers(MaxPeers)}},
	} {
		t.Run(name, func(t *testing.T) {
			copy(c.want.Channel[:], "\x01\x23\x45\x67\x89\xab\xcd\xef\x01\x23\x45\x67\x89\xab\xcd\xef\x01\x23\x45\x67")
			l, err := ParseLink(c.link)
			if err != nil || !reflect.DeepEqual(*l, c.want) {
				t.Fatalf("got %+v, %v\nwant %+v", l, err, c.want)
			}
			for _, s := range []string{l.String(), l.URI()} {
				if again, err := ParseLink(s); err != nil || !reflect.DeepEqual(again, l) {
					t.Errorf("%s: %+v, %v", s, again, err)
				}
			}
		})
	}
	for _, s := range []string{"https://o.example/live/x.m3u8?token=1", "HTTP://o:8080/x"} {
		l, err := ParseLink(s)
		if err != nil || !strings.EqualFold(l.Playlist, s) || l.String() != l.Playlist || l.URI() != l.Playlist {
			t.Errorf("%s: %+v, %v", s, l, err)
		}
	}
}

func peers(n int) (list []string) {
	for i := range n {
		list = append(list, fmt.Sprintf("192.0.2.%d:1", i+1))
	}
	return list
}

func manyPeers(n int) string { return "&x.pe=" + strings.Join(peers(n), "&x.pe=") }

func TestParseLinkBad(t *testing.T) {
	l := publicChannel.Link()
	good := l.String()
	private := privateChannel.Link()
	noSecret := private.String()
	private.Secret = privateSecret
	xt := "magnet:?xt=urn:btih:0123456789abcdef0123456789abcdef01234567"
	change := func(key, value string) string {
		q, err := url.ParseQuery(strings.TrimPrefix(good, "magnet:?"))
		if err != nil {
			t.Fatal(err)
		}
		if q.Set(key, value); value == "" {
			q.Del(key)
		}
		return "magnet:?" + q.Encode()
	}
	for name, s := range map[string]string{
		"empty":                 "",
		"no scheme":             "hello",
		"other scheme":          "file:///etc/passwd",
		"no query":              "magnet:xt=urn:btih:0123456789abcdef0123456789abcdef01234567",
		"no hash":               "magnet:?dn=x",
		"short hash":            "magnet:?xt=urn:btih:0123",
		"hash not hex":          "magnet:?xt=urn:btih:" + strings.Repeat("z", 40),
		"padded base32":         "magnet:?xt=urn:btih:" + strings.Repeat("A", 31) + "=",
		"base32 in two lines":   "magnet:?xt=urn:btih:" + strings.Repeat("A", 31) + "%0a",
		"long base32":           "magnet:?xt=urn:btih:" + strings.Repeat("A", 48),
		"two hashes":            xt + "&xt=urn:btih:" + strings.Repeat("0", 40),
		"bad escape":            xt + "&dn=%zz",
		"origin not http":       xt + "&as=file:///x",
		"origin with user":      xt + "&as=http://u:p@h/",
		"many origins":          xt + strings.Repeat("&as=http://h/", MaxOrigins+1),
		"long origins":          xt + strings.Repeat("&as=http://h/"+strings.Repeat("a", 1500), 4),
		"long":                  xt + "&dn=" + strings.Repeat("a", MaxLink),
		"secret cut":            xt + "&x.secret=AAAA",
		"secret to public":      good + "&x.secret=" + strings.Repeat("A", 43),
		"private, no secret":    noSecret,
		"private, wrong one":    noSecret + "&x.secret=" + strings.Repeat("A", 43),
		"other hash":            change("xt", "urn:btih:0123456789abcdef0123456789abcdef01234567"),
		"other name":            change("dn", "Sommerfest 2026: Buhne"),
		"other origin":          change("as", "https://evil.example/m.m3u8"),
		"no origin":             change("as", ""),
		"no name":               change("dn", ""),
		"description cut":       change("x.coral", "AQA"),
		"description no base64": change("x.coral", "****"),
		"description later":     change("x.coral", "AgAAAA"),
		"playlist no host":      "http:///x.m3u8",
		"playlist with user":    "https://a:b@h/x.m3u8",
		"torrent's URL":         "https://h/x.torrent",
		"newline":               "https://h/x\ny.m3u8",
	} {
		if l, err := ParseLink(s); err == nil {
			t.Errorf("%s: %q was taken for %+v", name, s, l)
		} else if strings.ContainsAny(err.Error(), "\n\r") || len(err.Error()) > 200 {
			t.Errorf("%s: %q", name, err)
		}
	}
	if _, err := ParseLink(private.String()); err != nil {
		t.Error(err)
	}
	// Any one byte of a link changed: another channel, or refused.
	for i := range good {
		b := []byte(good)
		b[i] ^= 1
		if got, err := ParseLink(string(b)); err == nil && got.Descriptor != nil && !reflect.DeepEqual(got.Descriptor, publicChannel) {
			t.Fatalf("byte %d changed: %+v", i, got.Descriptor)
		}
	}
}

// TestLongestLink makes sure that every channel has a link.
func TestLongestLink(t *testing.T) {
	d := &Descriptor{Name: strings.Repeat("ü", MaxName/2), Root: public(rootKey), Private: true, SecretHash: SecretHash(privateSecret)}
	for len(d.Origins) < MaxOrigins {
		o := append(d.Origins, "https://h.example/"+strings.Repeat("?", 100+180*(len(d.Origins)%2)))
		if checkOrigins(o) != nil {
			break
		}
		d.Origins = o
	}
	if err := d.Check(); err != nil {
		t.Fatal(err)
	}
	l := d.Link()
	l.Secret, l.Peers = privateSecret, peers(MaxPeers)
	for range MaxTrackers {
		l.Trackers = append(l.Trackers, fmt.Sprintf("https://t%d.example/%s", len(l.Trackers), strings.Repeat("a", 400)))
	}
	got, err := ParseLink(l.String())
	if err != nil || !reflect.DeepEqual(got.Descriptor, d) || len(l.String()) > MaxLink || len(got.Peers) == 0 {
		t.Fatalf("%d bytes, %v", len(l.String()), err)
	}
	if len(d.Payload()) > pieceLength {
		t.Fatalf("payload of %d bytes", len(d.Payload()))
	}
}

func TestDescriptorCheck(t *testing.T) {
	for name, change := range map[string]func(*Descriptor){
		"no name":         func(d *Descriptor) { d.Name = "" },
		"space":           func(d *Descriptor) { d.Name = " x" },
		"long name":       func(d *Descriptor) { d.Name = strings.Repeat("x", MaxName+1) },
		"control":         func(d *Descriptor) { d.Name = "a\x1bb" },
		"right to left":   func(d *Descriptor) { d.Name = "a\u202eb" },
		"not UTF-8":       func(d *Descriptor) { d.Name = "a\xffb" },
		"key":             func(d *Descriptor) { d.Root = d.Root[1:] },
		"origin":          func(d *Descriptor) { d.Origins = []string{"m.m3u8"} },
		"fragment":        func(d *Descriptor) { d.Origins = []string{"http://h/#x"} },
		"secret":          func(d *Descriptor) { d.SecretHash[0] = 1 },
		"private, public": func(d *Descriptor) { d.Private = true },
	} {
		d := *publicChannel
		if change(&d); d.Check() == nil {
			t.Errorf("%s passes", name)
		}
		if got, err := ParseInfo(d.Info()); err == nil && reflect.DeepEqual(*got, d) {
			t.Errorf("%s is read", name)
		}
	}
	if name := fileName(`..\..//CON: "x"?`); strings.ContainsAny(name, `/\:*?<>|"`) || !strings.HasPrefix(name, "Coral channel ") {
		t.Errorf("file name %q", name)
	}
}

func TestParseInfoBad(t *testing.T) {
	info := publicChannel.Info()
	for i := range info {
		for _, bit := range []byte{1, 0x20, 0x80} {
			b := bytes.Clone(info)
			b[i] ^= bit
			// Another key or name is another channel, if all of it agrees; the payload's hash does not.
			if d, err := ParseInfo(b); err == nil {
				t.Fatalf("byte %d changed: %+v", i, d)
			}
		}
		if _, err := ParseInfo(info[:i]); err == nil {
			t.Fatalf("cut off at %d", i)
		}
	}
	ordinary := []byte("d6:lengthi5e4:name1:x12:piece lengthi16384e6:pieces20:aaaaaaaaaaaaaaaaaaaae")
	if _, err := ParseInfo(ordinary); !errors.Is(err, ErrNotChannel) {
		t.Errorf("an ordinary info dict: %v", err)
	}
	later := bytes.Replace(info, []byte("1:vi1e"), []byte("1:vi2e"), 1)
	if _, err := ParseInfo(later); err == nil || !strings.Contains(err.Error(), "later version") {
		t.Errorf("a later version: %v", err)
	}
	if _, err := ParseInfo(bytes.Replace(info, []byte("1:vi1ee"), []byte("1:vi1e1:wi1ee"), 1)); err == nil {
		t.Error("a field that is not known was taken")
	}
	if _, err := ParseInfo(make([]byte, MaxInfo+1)); err == nil {
		t.Error("too long")
	}
}

func TestParseTorrent(t *testing.T) {
	info := "d6:lengthi5e4:name1:x12:piece lengthi16384e6:pieces20:aaaaaaaaaaaaaaaaaaaae"
	l, err := ParseTorrent([]byte("d8:announce10:http://t/a7:comment2:hi13:creation datei-5e4:info" + info + "8:url-listl9:http://w/ee"))
	if want := (&Link{Channel: sha1.Sum([]byte(info)), Name: "x", Trackers: []string{"http://t/a"}}); err != nil || !reflect.DeepEqual(l, want) {
		t.Errorf("an ordinary torrent: %+v, %v", l, err)
	}
	if _, err := l.Torrent(); err == nil {
		t.Error("a torrent without info dict was made")
	}
	for name, s := range map[string]string{
		"empty":     "",
		"no dict":   "4:info",
		"no info":   "d8:announce3:abce",
		"info list": "d4:infolee",
		"unsorted":  "d4:info" + info + "1:a1:be",
		"twice":     "d4:info" + info + "4:info" + info + "e",
		"after":     "d4:info" + info + "ex",
		"zero":      "d4:info" + info + "1:xi01ee",
		"minus":     "d4:info" + info + "1:xi-0ee",
		"length":    "d4:info" + info + "1:x999:ae",
		"overflow":  "d4:info" + info + "1:x99999999999999999999:ae",
		"deep":      strings.Repeat("d1:a", 1<<20),
		"deep list": "d1:a" + strings.Repeat("l", 1<<20),
	} {
		if l, err := ParseTorrent([]byte(s)); err == nil {
			t.Errorf("%s: %+v", name, l)
		}
	}
	private := privateChannel.Link()
	b, err := private.Torrent()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ParseTorrent(b); err == nil {
		t.Error("a private channel without its secret was taken")
	}
}
