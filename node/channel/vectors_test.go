package channel

import (
	"bytes"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"coral/store/segment"
)

var update = flag.Bool("update", false, "write testdata/vectors.txt anew: a change of format")

// Every field of every format has a value of its own here.
var (
	publicChannel  = &Descriptor{Name: "Sommerfest 2026: Bühne", Root: public(rootKey), Origins: []string{"https://live.example/hall/master.m3u8?x=1&y=2", "https://mirror.example/m.m3u8"}}
	privateSecret  = bytes.Repeat([]byte{7}, SecretSize)
	privateChannel = &Descriptor{Name: "All hands", Root: public(rootKey), Private: true, SecretHash: SecretHash(privateSecret)}

	fullPresentation = &Presentation{
		Revision: 300, Time: epoch.Add(123456789), IndependentSegments: true,
		Renditions: []Rendition{
			{ID: 4, Media: 4, URI: "720/index.m3u8", Codecs: "avc1.640020,mp4a.40.2", VideoRange: "SDR", Resolution: "1280x720", Bandwidth: 3_000_000, AverageBandwidth: 2_500_000, FrameRate: 29.97, AudioGroup: "aud", VideoGroup: "vid", SubtitlesGroup: "sub", CaptionsGroup: "cc"},
			{ID: 5, Media: 4, URI: "720/index.m3u8", Bandwidth: 2_800_000, AudioGroup: "low"},
			{ID: 300, Kind: Audio, Media: 300, URI: "https://cdn.example/a.m3u8", Name: "Deutsch", Group: "aud", Language: "de", AssocLanguage: "de-CH", Characteristics: "public.easy-to-read", Channels: "2", Default: true, Autoselect: true},
			{ID: 6, Kind: Video, Media: 6, Name: "Bühne", Group: "vid"},
			{ID: 7, Kind: Subtitles, Media: 7, URI: "s.m3u8", Name: "Text", Group: "sub", Forced: true},
			{ID: 8, Kind: Captions, Media: 8, Name: "CC", Group: "cc", InstreamID: "CC1"},
		},
	}
	singlePresentation = &Presentation{Revision: 1, Time: epoch, Single: true, Renditions: []Rendition{{}}}

	initEntry  = &Entry{Rendition: 4, Kind: segment.Init, Time: epoch, URI: "init.mp4", Ranged: true, Offset: 700, Size: 5, Blocks: segment.Digests([]byte("init!")), Target: 4 * time.Second, WindowStart: 1000}
	mediaEntry = &Entry{
		Rendition: 4, Index: 1, Prev: segment.Digest{9, 8, 7}, Time: epoch.Add(time.Second), Sequence: 1001, URI: "https://cdn.example/720/1001.m4s",
		Duration: 4004 * time.Millisecond, ProgramDateTime: epoch.Add(-time.Minute), Discontinuity: true, DiscontinuitySequence: 3, Init: 2, HasInit: true,
		Key:  &Key{Method: SampleAES, URI: "skd://key/1", KeyFormat: "com.apple.streamingkeydelivery", KeyFormatVersions: "1/2", IV: [16]byte{1, 15: 255}},
		Size: segment.BlockSize + 1, Blocks: segment.Digests(make([]byte, segment.BlockSize+1)), Target: 4 * time.Second, Type: Event, WindowStart: 990,
	}
	endEntry = &Entry{Rendition: 4, End: true, Index: 2, Prev: segment.Digest{1}, Time: epoch.Add(2 * time.Second), Target: 4 * time.Second, Type: VOD, WindowStart: 990}
)

// vectors makes each format's bytes from fixed keys.
func vectors() (names []string, values [][]byte) {
	add := func(name string, v []byte) { names, values = append(names, name), append(values, v) }
	link := func(d *Descriptor, secret []byte) *Link {
		l := d.Link()
		l.Trackers, l.Peers, l.Secret = []string{"https://t.example/announce", "udp://u.example:80"}, []string{"192.0.2.1:4000", "[2001:db8::1]:4000"}, secret
		return l
	}
	for _, c := range []struct {
		name   string
		d      *Descriptor
		secret []byte
	}{{"public", publicChannel, nil}, {"private", privateChannel, privateSecret}} {
		l := link(c.d, c.secret)
		torrent, _ := l.Torrent()
		ch := c.d.Channel()
		add(c.name+" payload", c.d.Payload())
		add(c.name+" info", c.d.Info())
		add(c.name+" channel", ch[:])
		add(c.name+" link", []byte(l.String()))
		add(c.name+" uri", []byte(l.URI()))
		add(c.name+" torrent", torrent)
	}
	record := func(name string, rec []byte) {
		add(name, rec)
		d := RecordDigest(rec)
		add(name+" digest", d[:])
	}
	record("delegation", Delegate(rootKey, chanID, public(liveKey), 300, epoch, epoch.Add(12*time.Hour)))
	record("presentation", SignPresentation(liveKey, chanID, fullPresentation))
	record("single presentation", SignPresentation(liveKey, chanID, singlePresentation))
	record("init entry", SignEntry(liveKey, chanID, initEntry))
	record("media entry", SignEntry(liveKey, chanID, mediaEntry))
	record("end entry", SignEntry(liveKey, chanID, endEntry))
	extended := *endEntry
	extended.ext = []byte{2, 3, 'a', 'b', 'c', 4, 0}
	record("extended entry", SignEntry(liveKey, chanID, &extended))
	told := *mediaEntry
	told.Took, told.ext = 1250*time.Millisecond, []byte{2, 1, 'a'}
	record("entry with the time that it took", SignEntry(liveKey, chanID, &told))
	return names, values
}

func TestVectors(t *testing.T) {
	const file = "testdata/vectors.txt"
	var b strings.Builder
	names, values := vectors()
	for i, name := range names {
		if len(values[i]) == 0 {
			t.Fatalf("no %s", name)
		}
		fmt.Fprintf(&b, "%s: %s\n", name, hex.EncodeToString(values[i]))
	}
	if *update {
		if err := os.WriteFile(file, []byte(b.String()), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if b.String() == string(want) {
		return
	}
	old := strings.Split(string(want), "\n")
	for i, line := range strings.Split(b.String(), "\n") {
		if i >= len(old) || old[i] != line {
			t.Fatalf("the format has changed:\n got %s\nwant %s", line, old[min(i, len(old)-1)])
		}
	}
}

// TestVectorsParse reads the vectors back.
func TestVectorsParse(t *testing.T) {
	names, values := vectors()
	v := map[string][]byte{}
	for i, name := range names {
		v[name] = values[i]
	}
	same := func(name string, got any, err error, want any) {
		t.Helper()
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n got %+v, %v\nwant %+v", name, got, err, want)
		}
	}
	for name, d := range map[string]*Descriptor{"public": publicChannel, "private": privateChannel} {
		got, err := ParseInfo(v[name+" info"])
		same(name, got, err, d)
		magnet, err := ParseLink(string(v[name+" link"]))
		if err != nil {
			t.Fatal(err)
		}
		same(name, magnet.Descriptor, nil, d)
		uri, err := ParseLink(string(v[name+" uri"]))
		same(name, uri, err, magnet)
		torrent, err := ParseTorrent(v[name+" torrent"])
		same(name, torrent, err, magnet)
		if magnet.String() != string(v[name+" link"]) || magnet.Channel != d.Channel() {
			t.Errorf("%s: the link does not survive", name)
		}
	}
	p, err := parsePresentation(body(v["presentation"]))
	same("presentation", p, err, fullPresentation)
	p, err = parsePresentation(body(v["single presentation"]))
	same("single presentation", p, err, singlePresentation)
	for name, want := range map[string]*Entry{"init entry": initEntry, "media entry": mediaEntry, "end entry": endEntry} {
		e, err := parseEntry(body(v[name]))
		same(name, e, err, want)
	}
	if e, err := parseEntry(body(v["extended entry"])); err != nil || len(e.ext) != 7 {
		t.Errorf("an extension that need not be understood was refused: %v", err)
	}
	if e, err := parseEntry(body(v["entry with the time that it took"])); err != nil || e.Took != 1250*time.Millisecond || len(e.ext) != 3 {
		t.Errorf("the time that the bytes took was not read: %v", err)
	}
	for _, bad := range [][]byte{{0, 1, 0}, {0, 2, 0x80, 0x00}, {0, 2, 1, 1}, {0, 0}} { // none, not shortest, too long, too short
		e := *endEntry
		e.ext = bad
		if _, err := parseEntry(e.encode()); err == nil {
			t.Errorf("%v was taken for a time", bad)
		}
	}
	odd := *endEntry
	odd.ext = []byte{3, 0}
	if _, err := parseEntry(odd.encode()); err == nil {
		t.Error("an extension that must be understood was passed over")
	}
}
