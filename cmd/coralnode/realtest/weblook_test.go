//go:build unix

package realtest

import (
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"coral/assets"
)

// recorded serves the demo clip, whose time stamps begin at 24 s, as a recording
// with two variants and subtitles in two languages.
func recorded(t *testing.T) (playlist string) {
	t.Helper()
	clip := assets.Demo()
	names, err := fs.Glob(clip, "*.m4s")
	if err != nil || len(names) == 0 {
		t.Fatal("no demo clip", err)
	}
	media := func(target, init, name string, n int, each float64) string {
		var b strings.Builder
		fmt.Fprintf(&b, "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-PLAYLIST-TYPE:VOD\n#EXT-X-TARGETDURATION:%s\n%s", target, init)
		for i := range n {
			fmt.Fprintf(&b, "#EXTINF:%.3f,\n", each)
			fmt.Fprintf(&b, name+"\n", i)
		}
		return b.String() + "#EXT-X-ENDLIST\n"
	}
	length := 2 * len(names)
	mux := http.NewServeMux()
	say := func(path, kind, text string) {
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			fmt.Fprint(w, text)
		})
	}
	const m3u8 = "application/vnd.apple.mpegurl"
	say("/main.m3u8", m3u8, `#EXTM3U
#EXT-X-VERSION:7
#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="words",NAME="English",LANGUAGE="en",URI="en.m3u8"
#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="words",NAME="Deutsch",LANGUAGE="de",URI="de.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=2800000,CODECS="avc1.4D401E,mp4a.40.2",RESOLUTION=1280x720,SUBTITLES="words"
a.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=900000,CODECS="avc1.4D401E,mp4a.40.2",RESOLUTION=640x360,SUBTITLES="words"
b.m3u8
`)
	for _, variant := range []string{"a", "b"} {
		say("/"+variant+".m3u8", m3u8, media("2", "#EXT-X-MAP:URI=\"clip/init.mp4\"\n", "clip/%03d.m4s", len(names), 2))
	}
	for language, words := range map[string]string{"en": "What a reef is made of", "de": "Woraus ein Riff besteht"} {
		say("/"+language+".m3u8", m3u8, media(fmt.Sprint(length), "", language+"-%d.vtt", 1, float64(length)))
		say("/"+language+"-0.vtt", "text/vtt", fmt.Sprintf("WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:2160000,LOCAL:00:00:00.000\n\n00:00.000 --> 00:%02d.000\n%s\nis <i>small</i>.\n", length, words))
	}
	mux.Handle("/clip/", http.StripPrefix("/clip/", http.FileServerFS(clip)))
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s.URL + "/main.m3u8"
}

// watchPlain starts a viewer of an ordinary playlist.
func watchPlain(t *testing.T, playlist string) *viewer {
	t.Helper()
	dir := t.TempDir()
	v := &viewer{stats: filepath.Join(dir, "stats.json")}
	v.process = node(t, dir, "watch", playlist, "--share", "off", "--url-file", filepath.Join(dir, "url"), "--stats-file", v.stats)
	v.url = (&channel{}).reads(t, v.process, filepath.Join(dir, "url"))
	return v
}

// TestWebRecording: speed, subtitles, the end and the beginning again.
func TestWebRecording(t *testing.T) {
	if needs(t); chromium() == "" {
		t.Skip("chromium is not installed: go run ./cmd/dev test installs it")
	}
	t.Parallel()
	v := watchPlain(t, recorded(t))
	b := browse(t, 1280, 720)
	b.open(v.page())
	b.until(playing)
	b.until("/An ordinary playlist/.test(" + sentence + ") && document.querySelector('#pause-sharing').hidden && document.querySelector('#live').hidden")
	b.until("/^0:0\\d \\/ 0:2\\d$/.test(document.querySelector('#clock').innerText)")
	b.press("c")
	b.until("document.querySelector('#captions').innerText.includes('What a reef')")
	b.press("c")
	b.until("document.querySelector('#captions').innerText.includes('Woraus ein Riff') && document.querySelector('#captions i').innerText === 'small'")
	b.press("c")
	b.until("document.querySelector('#captions').innerText.trim() === ''")
	b.press(">", ">", "<")
	b.until("document.querySelector('video').playbackRate === 1.25")
	b.press("5")
	b.until("Math.abs(document.querySelector('video').currentTime - 12) < 3")
	b.press("End")
	b.until("/The recording is over/.test(document.querySelector('#statement').innerText) && document.querySelector('#play use').getAttribute('href') === '#icon-replay'")
	b.click("#retry", 0.5)
	b.until(playing)
	b.until("document.querySelector('video').currentTime < 6")
	b.quiet(strings.TrimSuffix(v.page(), "web/"))
}

// TestWebEnds: a broadcast that ends, of a source with one media playlist only.
func TestWebEnds(t *testing.T) {
	if needs(t); chromium() == "" {
		t.Skip("chromium is not installed: go run ./cmd/dev test installs it")
	}
	t.Parallel()
	const all = 12                      // segments of the clip, of 2 s
	var began atomic.Pointer[time.Time] // when the page was opened: until then all is as at the beginning
	mux := http.NewServeMux()
	mux.HandleFunc("/main.m3u8", func(w http.ResponseWriter, _ *http.Request) {
		n := 4
		if at := began.Load(); at != nil {
			n = min(all, n+int(time.Since(*at)/(2*time.Second)))
		}
		fmt.Fprint(w, "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-MAP:URI=\"clip/init.mp4\"\n")
		for i := range n {
			fmt.Fprintf(w, "#EXTINF:2.000,\nclip/%03d.m4s\n", i)
		}
		if n == all {
			fmt.Fprint(w, "#EXT-X-ENDLIST\n")
		}
	})
	mux.Handle("/clip/", http.StripPrefix("/clip/", http.FileServerFS(assets.Demo())))
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	v := watchPlain(t, s.URL+"/main.m3u8")
	b := browse(t, 800, 600)
	now := time.Now()
	began.Store(&now)
	b.open(v.page())
	b.until(playing)
	b.until("/The broadcast has ended/.test(document.querySelector('#statement').innerText)")
	b.shot("ended")
	b.click("#retry", 0.5)
	b.until(playing)
	b.plays(1)
	b.quiet(strings.TrimSuffix(v.page(), "web/"))
}

// fits are the things that must hold in a window of any size. It gives what does not.
const fits = `(() => {
  const wrong = [], [w, h] = [innerWidth, innerHeight];
  if (document.documentElement.scrollWidth > w) wrong.push('the page is wider than the window');
  for (const e of document.querySelectorAll('button, #seek, #source, #channel, #menu')) {
    if (!e.checkVisibility() || e.closest('#menu') && e.id !== 'menu') continue; // the menu scrolls
    const r = e.getBoundingClientRect();
    const name = e.id || e.innerText;
    if (r.left < 0 || r.right > w + 0.5 || r.top < 0 || r.bottom > h + 0.5) wrong.push(name + ' is outside: ' + JSON.stringify(r));
    if (e.matches('.row button, .quiet, .solid') && (r.height < 36 || r.width < 36)) wrong.push(name + ' is small');
  }
  const row = [...document.querySelectorAll('.row > *')].filter((e) => e.checkVisibility()).map((e) => e.getBoundingClientRect());
  for (let i = 1; i < row.length; i++) if (row[i].left < row[i - 1].right - 0.5) wrong.push('buttons overlap at ' + row[i].left);
  return wrong.join('; ');
})()`

// TestWebFits: in every window all controls are in view and large enough.
func TestWebFits(t *testing.T) {
	if needs(t); chromium() == "" {
		t.Skip("chromium is not installed: go run ./cmd/dev test installs it")
	}
	t.Parallel()
	v := watchPlain(t, recorded(t))
	sizes := []struct{ w, h int }{{320, 568}, {390, 844}, {844, 390}, {568, 320}, {800, 600}, {1280, 720}, {1920, 1080}, {3840, 2160}}
	for _, language := range []string{"en-US", "de-DE"} {
		b := browse(t, 1280, 720, "--lang="+language, "--accept-lang="+language)
		b.open(v.page())
		b.until("document.documentElement.lang === '" + language[:2] + "'")
		b.until(playing)
		b.press("c", " ")
		b.until("!document.querySelector('#big').hidden && document.querySelector('#captions').innerText.trim() !== ''")
		for _, s := range sizes {
			b.size(s.w, s.h)
			name := fmt.Sprintf("%s-%dx%d", language[:2], s.w, s.h)
			for _, look := range []string{"dark", "light"} {
				b.prefer(look)
				b.until(fmt.Sprintf("innerWidth === %d", s.w))
				if wrong := b.eval(fits); wrong != "" {
					t.Errorf("%s: %s", name, wrong)
				}
				b.shot(name + "-" + look)
			}
			b.eval("document.querySelector('#tune').click()")
			if wrong := b.eval(fits); wrong != "" {
				t.Errorf("%s, menu: %s", name, wrong)
			}
			b.shot(name + "-menu")
			b.press("Escape", "?")
			b.until("document.querySelector('#help').open")
			b.shot(name + "-keys")
			b.press("Escape")
		}
	}
}
