package proxy

import (
	"math"
	"net"
	"net/http"
	"strings"
	"testing"

	"coral/store/segment"
)

func TestRoutes(t *testing.T) {
	good := map[string]route{
		"master.m3u8":                {what: whatMaster},
		"0-p0.m3u8":                  {what: whatMedia},
		"65535-p4294967295.m3u8":     {what: whatMedia, rendition: 65535, player: math.MaxUint32},
		"3/1042.ts":                  {what: whatObject, rendition: 3, ext: ".ts", id: segment.ID{Rendition: 3, Sequence: 1042}},
		"3/18446744073709551615.m4s": {what: whatObject, rendition: 3, ext: ".m4s", id: segment.ID{Rendition: 3, Sequence: math.MaxUint64}},
		"3/1042-x.ts":                {what: whatObject, rendition: 3, ext: ".ts", guessed: true, id: segment.ID{Rendition: 3, Sequence: 1042}},
		"0/i7.mp4":                   {what: whatObject, ext: ".mp4", id: segment.ID{Kind: segment.Init, Sequence: 7}},
		"2/k0.key":                   {what: whatKey, rendition: 2},
		"player-7200.m3u8":           {what: whatPlayer, view: 7200},
		"shown-7-60.m3u8":            {what: whatShown, player: 7, view: 60},
		"live-7-60.m3u8":             {what: whatLive, player: 7, view: 60},
		"variants.m3u8":              {what: whatVariants},
		"3-h7-0.m3u8":                {what: whatHistory, rendition: 3, player: 7},
		"3-h7-60.m3u8":               {what: whatHistory, rendition: 3, player: 7, view: 60},
	}
	for p, want := range good {
		if got, ok := parseRoute(p); !ok || got != want {
			t.Errorf("%q: %+v, %v; want %+v", p, got, ok, want)
		}
		if got := want.path(); got != p {
			t.Errorf("path %q, want %q", got, p)
		}
	}
	bad := []string{
		"", "/", "master.m3u", "MASTER.M3U8", "master.m3u8/", "0.m3u8", "-p1.m3u8", "0-p.m3u8", "0-p-1.m3u8",
		"65536-p0.m3u8", "0-p4294967296.m3u8", "00-p0.m3u8", "0-p00.m3u8", "+0-p0.m3u8", "0/1", "0/.ts", "0/1.exe", "0/1.html", "0/1.TS",
		"0/01.ts", "0/-1.ts", "0/1.ts/", "0//1.ts", "0/1.ts.ts", "0/../1.ts", "../master.m3u8", "65536/1.ts", "0/18446744073709551616.ts",
		"0/k.key", "0/k1.ts", "0/1.key", "0/k2147483648.key", "0/i.mp4", "0/ii1.mp4", "0/x-x-x.ts", "0/1-x", "0/1 .ts", "0/１.ts",
		"shown-7.m3u8", "shown-7-0.m3u8", "shown-07-1.m3u8", "live-1-.m3u8", "live--1-1.m3u8", "live-1-2-3.m3u8",
		"player.m3u8", "player-00.m3u8", "player-.m3u8", "player--1.m3u8", "player-01.m3u8", "player-1-2.m3u8", "0-h1.m3u8", "0-h1-.m3u8", "0-h1-01.m3u8", "0-h-1.m3u8",
		"http://x/1.ts", "file:///etc/passwd", strings.Repeat("1", 70) + "/1.ts",
	}
	for _, p := range bad {
		if got, ok := parseRoute(p); ok {
			t.Errorf("%q accepted as %+v", p, got)
		}
	}
}

func FuzzRoute(f *testing.F) {
	for _, s := range []string{"master.m3u8", "1-p2.m3u8", "3/4.ts", "3/i4-x.mp4", "3/k4.key", "player-9.m3u8", "0-h1-9.m3u8", "shown-1-2.m3u8", "live-1-2.m3u8", "variants.m3u8"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, p string) {
		if r, ok := parseRoute(p); ok && r.path() != p {
			t.Fatalf("%q is another path of %q", p, r.path())
		}
	})
}

func TestParseRange(t *testing.T) {
	const inf = math.MaxInt64
	tests := map[string]byteRange{
		"":                             {},
		"bytes=0-":                     {rangeFrom, 0, inf},
		"bytes=5-9":                    {rangeFrom, 5, 9},
		"bytes=5-5":                    {rangeFrom, 5, 5},
		"bytes=-5":                     {rangeSuffix, 0, 5},
		"bytes=-0":                     {rangeSuffix, 0, 0},
		"Bytes= 5-9 ":                  {rangeFrom, 5, 9},
		"bytes=9-5":                    {},
		"bytes=-":                      {},
		"bytes=":                       {},
		"bytes":                        {},
		"bytes=a-b":                    {},
		"bytes=0x1-2":                  {},
		"bytes=+1-2":                   {},
		"bytes=--1":                    {},
		"bytes=0-1,5-6":                {},
		"lines=0-1":                    {},
		"bytes=99999999999999999999-":  {rangeFrom, inf, inf},
		"bytes=0-99999999999999999999": {rangeFrom, 0, inf},
	}
	for s, want := range tests {
		h := http.Header{}
		if s != "" {
			h.Set("Range", s)
		}
		if got := parseRange(h); got != want {
			t.Errorf("%q: %+v, want %+v", s, got, want)
		}
	}
	if got := parseRange(http.Header{"Range": {"bytes=0-1", "bytes=2-3"}}); got != (byteRange{}) {
		t.Errorf("two headers: %+v", got)
	}
	if got := parseRange(http.Header{"Range": {"bytes=2-3"}, "If-Range": {`"x"`}}); got != (byteRange{}) {
		t.Errorf("If-Range: %+v", got)
	}
}

func FuzzRange(f *testing.F) {
	f.Add("bytes=0-", int64(10))
	f.Add("bytes=-5", int64(3))
	f.Fuzz(func(t *testing.T, s string, size int64) {
		if size < 0 {
			return
		}
		r := parseRange(http.Header{"Range": {s}})
		from, to, ok := r.resolve(size)
		if ok && (from < 0 || to > size || from > to || from == to && r.kind != rangeNone) {
			t.Fatalf("%q of %d: %d to %d", s, size, from, to)
		}
		if !ok && r.kind == rangeNone {
			t.Fatal("no range cannot be wrong")
		}
	})
}

func TestExtension(t *testing.T) {
	tests := map[string]struct {
		ext   string
		known bool
	}{
		"seg1.ts":                       {".ts", true},
		"https://a/b/c.M4S?x=1.ts":      {".m4s", true},
		"c.aac#t=1":                     {".aac", true},
		"a/b.vtt":                       {".vtt", true},
		"seg?file=a.ts":                 {".def", false},
		"a.b/c":                         {".def", false},
		"x.html":                        {".def", false},
		"":                              {".def", false},
		"x.":                            {".def", false},
		".ts":                           {".ts", true},
		"https://host.ts":               {".ts", true}, // odd, and harmless
		"https://a/x.php?y=/etc/z.html": {".def", false},
	}
	for uri, want := range tests {
		if ext, known := extension(uri, ".def"); ext != want.ext || known != want.known {
			t.Errorf("%q: %q, %v", uri, ext, known)
		}
	}
}

func TestContentType(t *testing.T) {
	ts := make([]byte, 400)
	ts[0], ts[188] = 0x47, 0x47
	id3 := append([]byte("ID3\x04\x00\x00\x00\x00\x00\x05timed"), 0xff, 0xf1)
	ts2 := append([]byte(nil), ts...)
	ts2[188] = 0
	tests := []struct {
		name    string
		ext     string
		guessed bool
		said    string
		head    string
		want    string
	}{
		{"known goes first", ".ts", false, "video/mp4", "\x00\x00\x00\x18ftyp", "video/mp2t"},
		{"aac", ".aac", false, "", "", "audio/aac"},
		{"vtt", ".vtt", false, "", "", "text/vtt; charset=utf-8"},
		{"m4s", ".m4s", false, "", "", "video/mp4"},
		{"origin's word", ".ts", true, "Video/MP4; codecs=x", string(ts), "video/mp4"},
		{"not html", ".ts", true, "text/html", string(ts), "video/mp2t"},
		{"not svg", ".ts", true, "image/svg+xml", "<svg>", "video/mp2t"},
		{"sniff ts", ".m4s", true, "", string(ts), "video/mp2t"},
		{"no ts", ".m4s", true, "", string(ts2), "video/mp4"},
		{"sniff mp4", ".ts", true, "application/octet-stream", "\x00\x00\x00\x18styp", "video/mp4"},
		{"sniff moof", ".ts", true, "", "\x00\x00\x00\x18moof", "video/mp4"},
		{"sniff adts", ".ts", true, "", "\xff\xf1\x50", "audio/aac"},
		{"sniff id3 adts", ".ts", true, "", string(id3), "audio/aac"},
		{"sniff id3 cut", ".ts", true, "", string(id3[:12]), "audio/aac"},
		{"sniff id3 mp3", ".ts", true, "", string(id3[:15]) + "\xff\xfb\x90", "audio/mpeg"},
		{"sniff mp3", ".ts", true, "", "\xff\xfb\x90", "audio/mpeg"},
		{"sniff ac3", ".ts", true, "", "\x0b\x77\x00\x00\x00\x40", "audio/ac3"},
		{"sniff ec3", ".ts", true, "", "\x0b\x77\x00\x00\x00\x80", "audio/eac3"},
		{"sniff vtt", ".ts", true, "", "\xef\xbb\xbfWEBVTT\n", "text/vtt; charset=utf-8"},
		{"nothing", ".ts", true, "", "", "video/mp2t"},
		{"unknown", ".m4s", true, "", "garbage", "video/mp4"},
	}
	for _, tt := range tests {
		if got := contentType(tt.ext, tt.guessed, tt.said, []byte(tt.head)); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func FuzzSniff(f *testing.F) {
	f.Add([]byte("ID3\x04\x00\x00\x00\x00\x00\x00ID3"))
	f.Add([]byte{0x47})
	f.Fuzz(func(t *testing.T, b []byte) { sniff(b) })
}

func TestListenAddr(t *testing.T) {
	tests := []struct {
		addr   string
		remote bool
		want   string // empty: refused
	}{
		{"127.0.0.1:0", false, "127.0.0.1:0"},
		{"127.0.0.2:80", false, "127.0.0.2:80"},
		{"localhost:8080", false, "127.0.0.1:8080"},
		{"[::1]:0", false, "[::1]:0"},
		{"[::ffff:127.0.0.1]:0", false, "[::ffff:127.0.0.1]:0"},
		{"0.0.0.0:0", false, ""},
		{":8080", false, ""},
		{"[::]:0", false, ""},
		{"192.168.1.2:0", false, ""},
		{"[::ffff:192.168.1.2]:0", false, ""},
		{"example.org:0", false, ""},
		{"localhost.example.org:0", true, ""},
		{"127.0.0.1", false, ""},
		{"", false, ""},
		{"0.0.0.0:0", true, "0.0.0.0:0"},
		{":8080", true, ":8080"},
		{"192.168.1.2:0", true, "192.168.1.2:0"},
	}
	for _, tt := range tests {
		got, err := listenAddr(tt.addr, tt.remote)
		if got != tt.want || (err == nil) != (tt.want != "") {
			t.Errorf("%q, %v: %q, %v", tt.addr, tt.remote, got, err)
		}
	}
	for _, addr := range []string{"0.0.0.0:0", "nonsense", "example.org:80"} {
		if s, err := New(Config{Addr: addr}); err == nil {
			s.Close()
			t.Errorf("listens on %q", addr)
		}
	}
}

func TestHosts(t *testing.T) {
	tests := []struct {
		listen string
		remote bool
		yes    []string
		no     []string
	}{
		{
			"127.0.0.1:8080", false,
			[]string{"127.0.0.1:8080", "localhost:8080", "[::1]:8080"},
			[]string{
				"", "127.0.0.1", "127.0.0.1:80", "127.0.0.1:8081", "localhost", "LOCALHOST:8080", "localhost.:8080", "evil.example:8080",
				"127.0.0.1.evil.example:8080", "127.1:8080", "2130706433:8080", "0.0.0.0:8080", "[::ffff:127.0.0.1]:8080", "127.0.0.1:8080@evil", "127.0.0.2:8080", " 127.0.0.1:8080",
			},
		},
		{"127.0.0.1:80", false, []string{"127.0.0.1", "localhost", "[::1]", "127.0.0.1:80"}, []string{"::1", "127.0.0.1:8080", "evil.example"}},
		{"127.0.0.7:99", false, []string{"127.0.0.7:99"}, []string{"127.0.0.8:99"}},
		{"192.168.1.2:99", true, []string{"192.168.1.2:99", "10.0.0.1:99", "[fe80::1]:99"}, []string{"evil.example:99", "192.168.1.2:98", "192.168.1.2"}},
	}
	for _, tt := range tests {
		a, err := net.ResolveTCPAddr("tcp", tt.listen)
		if err != nil {
			t.Fatal(err)
		}
		g, err := newGuard(a, tt.remote)
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range tt.yes {
			if !g.host(h) {
				t.Errorf("%s refuses Host %q", tt.listen, h)
			}
		}
		for _, h := range tt.no {
			if g.host(h) {
				t.Errorf("%s accepts Host %q", tt.listen, h)
			}
		}
	}
}
