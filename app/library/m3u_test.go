package library

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
)

func parse(t *testing.T, in, base string) List {
	t.Helper()
	l, err := ParseM3U(strings.NewReader(in), base)
	if err != nil {
		t.Fatalf("%v in\n%s", err, in)
	}
	return l
}

func TestParseM3U(t *testing.T) {
	in := "\ufeff#EXTM3U url-tvg=\"https://x.example/epg.xml\"\r\n" +
		"#EXTINF:-1 tvg-id=\"one\" tvg-name=\"ONE\" tvg-logo=\"https://x.example/1.png\" group-title=\"News, world\",One, two & three\r\n" +
		"https://x.example/1.m3u8\r\n" +
		"\r\n" +
		"#EXTINF:-1 tvg-name=\"Two\" tvg-logo=\"logos/2.png\",\r\n#EXTVLCOPT:http-user-agent=x\r\n#EXTGRP:Kids\r\n" +
		"live/2.m3u8\r\n" +
		"#EXTINF:0,3\r\n/3.m3u8|User-Agent=x\r\n" +
		"#EXTINF:-1 group-title='Single' tvg-logo=https://x.example/4.png,Four\r\nhttps://x.example/4.m3u8\r\n" +
		"#EXTINF:-1 tvg-name=\"The \"Best\" TV\" group-title=\"G\",Five\r\nhttps://x.example/5.m3u8\r\n" +
		"#EXTINF:-1 group-title=\"never closed,Six\r\nhttps://x.example/6.m3u8\r\n" +
		"#EXTINF:-1,Again\r\nhttps://X.example/1.m3u8\r\n" +
		"#EXTINF:-1,Multicast\r\nudp://@239.0.0.1:1234\r\n" +
		"#EXTINF:-1,\x1b[31mLink\r\nmagnet:?xt=urn:btih:0123456789012345678901234567890123456789&dn=Its%20own\r\n" +
		"#EXTINF\r\nhttps://x.example/nameless.m3u8\r\n" +
		"https://x.example/last.m3u8"
	l := parse(t, in, "https://base.example/lists/tv.m3u")
	type row struct{ name, link, group, logo string }
	var got []row
	for _, c := range l.Channels {
		got = append(got, row{c.Name, c.Link, c.Group, c.Logo})
	}
	want := []row{
		{"One, two & three", "https://x.example/1.m3u8", "News, world", "https://x.example/1.png"},
		{"Two", "https://base.example/lists/live/2.m3u8", "Kids", "https://base.example/lists/logos/2.png"},
		{"3", "https://base.example/3.m3u8", "", ""},
		{"Four", "https://x.example/4.m3u8", "Single", "https://x.example/4.png"},
		{"Five", "https://x.example/5.m3u8", "G", ""},
		{"Six", "https://x.example/6.m3u8", "never closed", ""},
		{"[31mLink", "magnet:?xt=urn:btih:0123456789012345678901234567890123456789&dn=Its%20own", "", ""},
		{"x.example/nameless", "https://x.example/nameless.m3u8", "", ""},
		{"x.example/last", "https://x.example/last.m3u8", "", ""},
	}
	if !slices.Equal(got, want) || l.Skipped != 1 {
		t.Errorf("skipped %d\ngot\n%q\nwant\n%q", l.Skipped, got, want)
	}
	// From a file there is nothing that links are relative to.
	if l := parse(t, in, ""); len(l.Channels) != len(want)-2 || l.Skipped != 3 || l.Channels[0].Logo == "" {
		t.Errorf("%q, skipped %d", names(l.Channels), l.Skipped)
	}
}

func TestM3UTexts(t *testing.T) {
	if l := parse(t, "#EXTM3U\n#EXTINF:-1,T\xe9l\xe9\nhttp://x.example/a", ""); l.Channels[0].Name != "Télé" {
		t.Errorf("Latin-1: %q", l.Channels[0].Name)
	}
	if l := parse(t, "http://x.example/a\n# comment\nhttp://x.example/b\n", ""); len(l.Channels) != 2 {
		t.Errorf("bare links: %q", names(l.Channels))
	}
	long := "#EXTM3U\n#EXTINF:-1," + strings.Repeat("x", 1<<20) + "\nhttp://x.example/a\n#EXTINF:-1,B\nhttp://x.example/b"
	if l := parse(t, long, ""); len(l.Channels) != 2 || l.Channels[1].Name != "B" || l.Skipped != 1 {
		t.Errorf("long line: %q, %d", names(l.Channels), l.Skipped)
	}
}

func TestM3URefuses(t *testing.T) {
	media := "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\nhttp://x.example/1.ts\n"
	multi := "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nhttp://x.example/1.m3u8\n"
	for _, in := range []string{media, multi} {
		if _, err := ParseM3U(strings.NewReader(in), ""); !errors.Is(err, ErrStream) {
			t.Errorf("%v", err)
		}
	}
	for what, in := range map[string]string{
		"nothing": "", "only a head": "#EXTM3U\n", "a page": "<html>\n<a href=x>\n</html>", "binary": "\x00\x01\x02\xff\xfe",
		"too long": strings.Repeat("#\n", maxM3U/2+1),
	} {
		if l, err := ParseM3U(strings.NewReader(in), "https://x.example/"); err == nil || errors.Is(err, ErrStream) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %q, %v", what, names(l.Channels), err)
		}
	}
	var many strings.Builder
	for i := range MaxChannels + 2 {
		many.WriteString(plain(i).Link + "\n")
	}
	if l := parse(t, many.String(), ""); len(l.Channels) != MaxChannels || l.Skipped != 2 {
		t.Errorf("%d, skipped %d", len(l.Channels), l.Skipped)
	}
}

func TestWriteM3U(t *testing.T) {
	l := open(t, t.TempDir())
	add(t, l, Channel{Link: "https://x.example/1.m3u8", Name: `A "quoted", name`, Group: `G "x"`, Logo: "https://x.example/1.png?a=,"})
	add(t, l, Channel{Link: linkOf(t, "Event", nil).String()})
	var b bytes.Buffer
	if err := WriteM3U(&b, l.List("", "")); err != nil {
		t.Fatal(err)
	}
	back := parse(t, b.String(), "")
	again := open(t, t.TempDir())
	if n, err := again.Import(back.Channels); n != 2 || err != nil {
		t.Fatal(n, err)
	}
	for _, c := range l.List("", "") {
		d, _ := again.Get(c.ID)
		if d.Name != c.Name || d.Link != c.Link || d.Logo != c.Logo || d.Group != strings.ReplaceAll(c.Group, `"`, "'") {
			t.Errorf("%+v became %+v", c, d)
		}
	}
}

func FuzzM3U(f *testing.F) {
	f.Add([]byte("#EXTM3U\n#EXTINF:-1 tvg-logo=\"a.png\" group-title=\"a;b\",N, m\nx.m3u8\n"), "https://x.example/a/")
	f.Add([]byte("#EXTINF:-1 a='b\" c=d =,=\n#EXTGRP:\nhttp://x.example\n"), "")
	f.Fuzz(func(t *testing.T, in []byte, base string) {
		l, err := ParseM3U(bytes.NewReader(in), base)
		if err != nil {
			return
		}
		for _, c := range l.Channels {
			if c.Name == "" || strings.ContainsAny(c.Name+c.Group+c.Logo+c.Link, "\n\r") {
				t.Fatalf("%+v", c)
			}
		}
		var b bytes.Buffer
		if err := WriteM3U(&b, l.Channels); err != nil {
			t.Fatal(err)
		}
		again, err := ParseM3U(&b, "")
		if err != nil || len(again.Channels) != len(l.Channels) {
			t.Fatalf("%d channels, then %d, %v:\n%s", len(l.Channels), len(again.Channels), err, b.Bytes())
		}
		for i, c := range again.Channels {
			if c.ID != l.Channels[i].ID || c.Name != l.Channels[i].Name {
				t.Fatalf("%+v became %+v", l.Channels[i], c)
			}
		}
	})
}
