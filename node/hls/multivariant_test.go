package hls

import (
	"math"
	"testing"

	"coral/node/channel"
)

func TestMultivariant(t *testing.T) {
	mv, m, err := Parse([]byte(testdata(t, "apple-multivariant.m3u8")))
	if err != nil || m != nil {
		t.Fatal(m, err)
	}
	checkMultivariant(t, mv)
	want := []channel.Rendition{
		{Kind: channel.Variant, URI: "v5/prog_index.m3u8", Bandwidth: 2177116, AverageBandwidth: 2168183, Codecs: "avc1.640020,mp4a.40.2", Resolution: "960x540", FrameRate: 59.94, CaptionsGroup: "cc1", AudioGroup: "aud1", SubtitlesGroup: "sub1"},
		{Kind: channel.Variant, URI: "v9/prog_index.m3u8", Bandwidth: 8001098, AverageBandwidth: 7968416, Codecs: "hvc1.2.4.L123.B0,ec-3", Resolution: "1920x1080", FrameRate: 60, CaptionsGroup: "NONE", AudioGroup: "aud2", SubtitlesGroup: "sub1", VideoRange: "PQ", VideoGroup: "angles"},
		{Kind: channel.Variant, URI: "v5/prog_index.m3u8", Bandwidth: 2399619, AverageBandwidth: 2390334, Codecs: "avc1.640020,ac-3", Resolution: "960x540", FrameRate: 59.94, CaptionsGroup: "cc1", AudioGroup: "aud3", SubtitlesGroup: "sub1", Name: "540p"},
		{Kind: channel.Variant, URI: "https://cdn.example/audio-only.m3u8?token=a,b=c", Bandwidth: 64000, Codecs: "mp4a.40.2", AudioGroup: "muxed"},
		{Kind: channel.Audio, Group: "aud1", Language: "en", Name: "English", Autoselect: true, Default: true, Channels: "2", URI: "a1/prog_index.m3u8"},
		{Kind: channel.Audio, Group: "aud1", Language: "de", AssocLanguage: "gsw", Name: "Deutsch, „klar“", Autoselect: true, Channels: "2", Characteristics: "public.accessibility.describes-video,public.easy-to-read", URI: "a1d/prog_index.m3u8"},
		{Kind: channel.Audio, Group: "aud2", Language: "en", Name: "English", Autoselect: true, Default: true, Channels: "6", URI: "a2/prog_index.m3u8"},
		{Kind: channel.Audio, Group: "aud3", Language: "en", Name: "English", Autoselect: true, Default: true, Channels: "16/JOC", URI: "a3/prog_index.m3u8"},
		{Kind: channel.Audio, Group: "muxed", Name: "In the variant", Default: true},
		{Kind: channel.Subtitles, Group: "sub1", Language: "en", Name: "English", Autoselect: true, Default: true, URI: "s1/en/prog_index.m3u8"},
		{Kind: channel.Subtitles, Group: "sub1", Language: "en", Name: "English (forced)", Autoselect: true, Forced: true, URI: "s1/en-forced/prog_index.m3u8"},
		{Kind: channel.Captions, Group: "cc1", Language: "en", Name: "English", Autoselect: true, Default: true, InstreamID: "CC1"},
		{Kind: channel.Video, Group: "angles", Name: "Behind the goal", URI: "angle2/prog_index.m3u8"},
	}
	for i := range want {
		want[i].ID, want[i].Media = uint16(i), uint16(i)
	}
	want[2].Media = 0
	if !mv.IndependentSegments || len(mv.Renditions) != len(want) {
		t.Fatalf("%+v", mv)
	}
	for i, p := range mv.Renditions {
		if p != want[i] {
			t.Errorf("%d:\n%+v, want\n%+v", i, p, want[i])
		}
	}
	for _, name := range []string{"ffmpeg-multivariant-audio.m3u8", "ffmpeg-multivariant-subtitles.m3u8"} {
		mv, _, err := Parse([]byte(testdata(t, name)))
		if err != nil || len(mv.Renditions) < 2 {
			t.Fatalf("%s: %+v, %v", name, mv, err)
		}
		checkMultivariant(t, mv)
	}
}

func TestSloppyMultivariant(t *testing.T) {
	mv, _, err := Parse([]byte(`#EXTM3U
#EXT-X-STREAM-INF: BANDWIDTH = 1280000.7 , PROGRAM-ID=1, CODECS = " avc1.1 , mp4a " ,AUDIO=aac,RESOLUTION=big,FRAME-RATE=fast,VIDEO-RANGE="S DR",CLOSED-CAPTIONS="NONE",
# the URI follows

a.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=99999999999
b.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=lots
c.m3u8
#EXT-X-MEDIA:TYPE=HAPTICS,GROUP-ID="h",NAME="x",URI="h.m3u8"
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="aac",NAME="x, y=z",DEFAULT=yes,URI="h.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=1
`))
	if err != nil || len(mv.Renditions) != 4 {
		t.Fatalf("%+v, %v", mv, err)
	}
	checkMultivariant(t, mv)
	r := mv.Renditions
	if r[0] != (channel.Rendition{URI: "a.m3u8", Bandwidth: 1280000, Codecs: "avc1.1 , mp4a", AudioGroup: "aac", CaptionsGroup: "NONE"}) ||
		r[1].Bandwidth != math.MaxUint32 || r[2].Bandwidth != 0 || r[3].Name != "x, y=z" || !r[3].Default {
		t.Errorf("%+v", r)
	}
}
