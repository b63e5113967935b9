package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"coral/node/budget"
)

func TestWatchConfiguresTheNode(t *testing.T) {
	dir := t.TempDir()
	r := start(t, dir, "watch", "--proxy", "127.0.0.1:8000", "https://live.example.org/a.m3u8", "--share", "on", "--listen=10.0.0.1:7000",
		"--upload-limit", "5M", "--download-limit=unlimited", "--cache-dir", dir, "--cache-size", "512MiB",
		"--bind", "10.0.0.1", "--dht", "off", "--upnp", "off", "--dht-bootstrap", "10.0.0.2:7000", "--url-file", filepath.Join(dir, "url"))
	if r.code != 0 {
		t.Fatal(r.code, r.stderr)
	}
	got := r.engine.cfg
	if got.log == nil || !strings.HasPrefix(got.agent, "Coral/") {
		t.Errorf("log %v, agent %q", got.log, got.agent)
	}
	got.log, got.agent = nil, ""
	want := engineConfig{
		cacheDir: dir, cacheSize: 512 << 20, listen: "10.0.0.1:7000", bind: netip.MustParseAddr("10.0.0.1"), share: true,
		upload: 5e6, download: budget.Unlimited, bootstrap: []string{"10.0.0.2:7000"}, proxy: "127.0.0.1:8000",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if len(r.engine.watched) != 1 || r.engine.watched[0].Playlist != "https://live.example.org/a.m3u8" {
		t.Errorf("watched %+v", r.engine.watched)
	}
	url, err := os.ReadFile(filepath.Join(dir, "url"))
	if err != nil || string(url) != r.stdout || !strings.HasPrefix(r.stdout, "http://127.0.0.1:") {
		t.Errorf("url-file %q, %v; printed %q", url, err, r.stdout)
	}
	if info, err := os.Stat(filepath.Join(dir, "url")); runtime.GOOS != "windows" && (err != nil || info.Mode().Perm() != 0o600) {
		t.Errorf("url-file: %v, %v", info.Mode(), err)
	}
}

func TestWatchDefaults(t *testing.T) {
	dir := t.TempDir()
	c := start(t, dir, "watch", "https://live.example.org/a.m3u8", "--share=off").engine.cfg
	if c.share || c.proxy != "127.0.0.1:0" || c.listen != ":0" || c.upload != budget.Unlimited || c.download != budget.Unlimited ||
		!c.dht || !c.upnp || c.tracker || c.cacheDir != filepath.Join(dir, "cache", "segments") || c.cacheSize != defaultCache {
		t.Errorf("%+v", c)
	}
	if c := start(t, dir, "seed", "@"+file(t, "l", "https://live.example.org/a.m3u8"), "--share", "on").engine.cfg; c.proxy != "" || !c.share {
		t.Errorf("%+v", c)
	}
}

func TestPublishConfigures(t *testing.T) {
	dir := t.TempDir()
	hls := filepath.Join(dir, "hls")
	os.Mkdir(hls, 0o755)
	state := func(r result) string { return r.engine.published[0].state }
	for _, test := range []struct {
		args string
		want publishConfig
	}{
		{"https://live.example.org/a.m3u8", publishConfig{kind: sourceURL, name: "live.example.org", origins: []string{"https://live.example.org/a.m3u8"}, dht: true, tracker: true}},
		{"https://live.example.org/a.m3u8 --private", publishConfig{kind: sourceURL, name: "live.example.org", origins: []string{"https://live.example.org/a.m3u8"}, private: true}},
		{"https://live.example.org/a.m3u8 --private --tracker on --name X", publishConfig{kind: sourceURL, name: "X", origins: []string{"https://live.example.org/a.m3u8"}, private: true, tracker: true}},
		{"https://live.example.org/a.m3u8 --viewer-origin none --dht off --tracker off", publishConfig{kind: sourceURL, name: "live.example.org"}},
		{hls, publishConfig{kind: sourceFolder, name: "hls", dht: true, tracker: true}},
		{hls + " --viewer-origin http://a.example.org/b.m3u8 --dashboard :9000", publishConfig{kind: sourceFolder, name: "hls", origins: []string{"http://a.example.org/b.m3u8"}, dht: true, tracker: true, dashboard: ":9000"}},
		{"put://127.0.0.1:8080/ --advertise a.example.org:1 --advertise [2001:db8::1]:2 --state s", publishConfig{kind: sourcePut, name: "Live", state: "s", advertise: []string{"a.example.org:1", "[2001:db8::1]:2"}, dht: true, tracker: true}},
	} {
		args := strings.Fields(test.args)
		r := start(t, dir, append([]string{"publish"}, args...)...)
		if r.code != 0 {
			t.Errorf("%s: %d %s", test.args, r.code, r.stderr)
			continue
		}
		got := r.engine.published[0]
		if test.want.state == "" {
			if !strings.HasPrefix(got.state, filepath.Join(dir, "state", "publish")) {
				t.Errorf("%s: state is in %s", test.args, got.state)
			}
			got.state = ""
		}
		test.want.source = args[0]
		if !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s:\ngot  %+v\nwant %+v", test.args, got, test.want)
		}
		if c := r.engine.cfg; !c.share || c.dht != got.dht || c.tracker != got.tracker || c.proxy != "" || c.listen != publishPort {
			t.Errorf("%s: %+v", test.args, c)
		}
	}
	a, b := start(t, dir, "publish", hls), start(t, dir, "publish", hls, "--name", "other")
	if state(a) != state(b) || state(a) == state(start(t, dir, "publish", "put://:1/")) {
		t.Error("the default state folder must depend on SOURCE alone")
	}
}

func TestPublishWritesLink(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "link")
	for _, private := range []bool{false, true} {
		os.Remove(name)
		args := []string{"publish", "https://live.example.org/a.m3u8", "--link-file", name, "--state", dir}
		want := os.FileMode(0o644)
		if private {
			args, want = append(args, "--private"), 0o600
		}
		r := start(t, dir, args...)
		b, err := os.ReadFile(name)
		if r.code != 0 || err != nil || string(b) != r.stdout || strings.Count(r.stdout, "\n") != 1 {
			t.Fatalf("%d %q %q %v", r.code, b, r.stdout, err)
		}
		if info, _ := os.Stat(name); runtime.GOOS != "windows" && info.Mode().Perm()&^want != 0 {
			t.Errorf("private %v: mode %v", private, info.Mode())
		}
	}
}

// The names in the JSON are part of the contract with those who read the file.
func TestStatsFile(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "stats.json")
	read := func(args ...string) (v map[string]any) {
		t.Helper()
		if r := start(t, dir, args...); r.code != 0 {
			t.Fatal(r.stderr)
		}
		b, err := os.ReadFile(name)
		if err == nil {
			err = json.Unmarshal(b, &v)
		}
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	v := read("watch", "https://live.example.org/a.m3u8", "--share", "on", "--stats-file", name)
	want := map[string][]string{
		"":         {"channel", "verified", "bytes", "segments", "peers", "bad_blocks", "startup_ms", "origin_requests", "feed"},
		"bytes":    {"from_peers", "from_origin", "from_cache", "to_peers", "duplicate", "control", "unverified"},
		"segments": {"from_peers", "from_origin", "from_cache", "mixed"}, "peers": {"connected", "known", "banned"},
		"feed": {"entries", "rejected", "lag_ms"},
	}
	for group, names := range want {
		in := v
		if group != "" {
			in, _ = v[group].(map[string]any)
		}
		for _, name := range names {
			if _, ok := in[name]; !ok {
				t.Errorf("%s.%s is missing", group, name)
			}
		}
	}
	link := file(t, "link", "https://live.example.org/a.m3u8")
	v = read("seed", "@"+link, "@"+link, "--share", "on", "--stats-file", name)
	if all, _ := v["channels"].([]any); len(all) != 2 || v["bytes"].(map[string]any)["from_peers"] != 6000.0 {
		t.Errorf("two channels: %v", v)
	}
	left, err := filepath.Glob(filepath.Join(dir, ".*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

func TestEngineFailures(t *testing.T) {
	for name, e := range map[string]*fakeEngine{"run": {fail: errFake}, "watch": {refuse: errFake}, "publish": {die: errFake}} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			e.opened = func() {}
			var stderr bytes.Buffer
			env := &environment{stdout: io.Discard, stderr: &stderr, state: t.TempDir(), open: func(engineConfig) (engine, error) { return e, nil }}
			args := []string{"watch", "https://live.example.org/a.m3u8", "--share=on"}
			if e.die != nil {
				args = []string{"publish", "https://live.example.org/a.m3u8"}
			}
			code := run(ctx, env, args)
			if want := "coralnode: " + errFake.Error() + "\n"; code != 1 || stderr.String() != want {
				t.Errorf("%d %q", code, stderr.String())
			}
		})
	}
}

func TestAsks(t *testing.T) {
	for _, test := range []struct {
		typed string
		code  int
		share bool
		asked int // times
	}{
		{"1\n", 0, true, 1}, {"2\n", 0, false, 1}, {"yes\n2\n", 0, false, 2}, {"", 2, false, 1}, {"what?\n", 2, false, 2},
	} {
		dir := t.TempDir()
		for again := range 2 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			e := &fakeEngine{opened: cancel}
			var stderr bytes.Buffer
			env := &environment{
				stdin: strings.NewReader(test.typed), stdout: io.Discard, stderr: &stderr, asks: true, state: dir,
				open: func(cfg engineConfig) (engine, error) { e.cfg = cfg; return e, nil },
			}
			code := run(ctx, env, []string{"watch", "https://live.example.org/a.m3u8"})
			cancel()
			asked := test.asked
			if again == 1 && test.code == 0 {
				asked = 0 // the answer was remembered
			}
			if n := strings.Count(stderr.String(), "type 1 or 2") + strings.Count(stderr.String(), "Your choice"); n != asked || code != test.code || e.cfg.share != test.share {
				t.Errorf("%q, run %d: asked %d times, code %d, share %v\n%s", test.typed, again, n, code, e.cfg.share, stderr.String())
			}
		}
	}
}

func file(t *testing.T, name, content string) string {
	t.Helper()
	name = filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestLinkFileIsWaitedFor(t *testing.T) {
	name := filepath.Join(t.TempDir(), "link")
	env := &environment{stderr: io.Discard}
	type answer struct {
		l   *link
		err error
	}
	got := make(chan answer)
	go func() {
		l, err := resolve(t.Context(), env, "@"+name, netip.Addr{})
		got <- answer{l, err}
	}()
	// The file comes empty, then in two pieces.
	for _, text := range []string{"", testLink().String()[:30], testLink().String() + "\n"} {
		select {
		case a := <-got:
			t.Fatalf("not waited: %+v", a)
		case <-time.After(2 * lookAgain):
		}
		os.WriteFile(name, []byte(text), 0o644)
	}
	if a := <-got; a.err != nil || a.l.Channel != testLink().Channel {
		t.Errorf("%+v %v", a.l, a.err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := resolve(ctx, env, "@"+name+".none", netip.Addr{}); ended(err) != nil || err == nil {
		t.Errorf("stopped while waiting: %v", err)
	}
}

func TestTorrentURL(t *testing.T) {
	torrent, err := testLink().Torrent()
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/reef.torrent":
			w.Write(torrent)
		case "/huge.torrent":
			w.Write(make([]byte, maxLinkFile+1))
		default:
			http.NotFound(w, r)
		}
	}))
	defer srv.Close()
	env := &environment{stderr: io.Discard}
	for _, arg := range []string{srv.URL + "/reef.torrent", "@" + file(t, "l", srv.URL+"/reef.torrent\n")} {
		if l, err := resolve(t.Context(), env, arg, netip.MustParseAddr("127.0.0.1")); err != nil || l.Channel != testLink().Channel {
			t.Errorf("%s: %v %v", arg, l, err)
		}
	}
	for _, path := range []string{"/huge.torrent", "/none.torrent"} {
		if l, err := resolve(t.Context(), env, srv.URL+path, netip.Addr{}); err == nil {
			t.Errorf("%s: %v", path, l)
		}
	}
	srv.CloseClientConnections()
}

func TestErrorsAreOneLine(t *testing.T) {
	if got := oneLine("a\nb\x1b[31m\x00\xff" + strings.Repeat("é", 1000)); strings.ContainsAny(got, "\n\x1b\x00") || len([]rune(got)) > maxErrorLine+1 {
		t.Errorf("%q", got)
	}
}

func TestCompletionKnowsEveryFlag(t *testing.T) {
	for _, shell := range shells {
		r := start(t, t.TempDir(), "completion", shell)
		if r.code != 0 {
			t.Fatal(r.stderr)
		}
		for _, c := range commands() {
			for _, o := range c.flags.order {
				flag := "--" + o.name
				if shell == "fish" {
					flag = "-l " + o.name
				}
				if !strings.Contains(r.stdout, flag) {
					t.Errorf("%s does not complete %s %s", shell, c.name, flag)
				}
			}
		}
		path, err := exec.LookPath(shell)
		if err != nil {
			continue
		}
		cmd := exec.Command(path, "-n")
		cmd.Stdin = strings.NewReader(r.stdout)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v: %s", shell, err, out)
		}
	}
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("bash is not installed")
	}
	script := start(t, t.TempDir(), "completion", "bash").stdout + "\nCOMP_WORDS=(coralnode watch --share ''); COMP_CWORD=3; _coralnode; echo \"${COMPREPLY[@]}\"\n"
	out, err := exec.Command(bash, "-c", script).Output()
	if err != nil || string(out) != "on off\n" {
		t.Errorf("bash completes --share with %q, %v", out, err)
	}
}

func TestHelpNamesEveryFlag(t *testing.T) {
	for _, c := range commands() {
		help := start(t, t.TempDir(), c.name, "--help")
		if help.code != 0 || !strings.HasPrefix(help.stdout, "Usage: coralnode "+c.name) {
			t.Errorf("%s: %d\n%s", c.name, help.code, help.stdout)
		}
		for _, o := range c.flags.order {
			if !strings.Contains(help.stdout, "\n  --"+o.name) {
				t.Errorf("%s --help does not name --%s", c.name, o.name)
			}
		}
		for line := range strings.Lines(help.stdout) {
			if n := len([]rune(line)); n > 101 {
				t.Errorf("%s --help: line of %d characters: %s", c.name, n, line)
			}
		}
	}
	if o := overview(); !slices.ContainsFunc(strings.Split(o, "\n"), func(s string) bool { return strings.Contains(s, "  publish SOURCE") }) {
		t.Error(o)
	}
}

func TestLines(t *testing.T) {
	var s stats
	if got := sourcesLine(s); got != "waiting for the first segment · 0 peers" {
		t.Error(got)
	}
	s.Bytes.FromPeers, s.Bytes.FromOrigin, s.Bytes.Unverified, s.Bytes.ToPeers = 2000, 500, 500, 1234567
	s.Peers.Connected = 1
	if got := sourcesLine(s); got != "peers 67 % · origin 33 % · 1 peer · given 1.2 MB · NOT verified" {
		t.Error(got)
	}
	if got := givenLine(s); got != "1 peer · 0 segments signed · given 1.2 MB" {
		t.Error(got)
	}
}
