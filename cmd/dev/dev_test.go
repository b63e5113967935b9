package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"coral/assets"
	"coral/node/sim"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestReaderReadsEachSegmentOnce(t *testing.T) {
	epoch := time.Now().Add(-10 * assets.SegmentDuration)
	o, err := assets.NewOrigin(epoch)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	asked := map[string]int{}
	failing := true
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		asked[r.URL.Path]++
		if failing && strings.HasSuffix(r.URL.Path, ".m4s") {
			failing = false // the first segment fails once
			http.Error(w, "busy", http.StatusServiceUnavailable)
			return
		}
		o.ServeHTTP(w, r)
	}))
	defer srv.Close()
	r := &reader{}
	for i := range 3 {
		if err := r.round(t.Context(), srv.URL+assets.PlaylistPath); (err != nil) != (i == 0) {
			t.Fatalf("round %d: %v", i, err)
		}
	}
	http.DefaultClient.CloseIdleConnections()
	mu.Lock()
	defer mu.Unlock()
	segments := 0
	for path, n := range asked {
		if strings.HasSuffix(path, ".m4s") {
			segments++
			if n > 2 {
				t.Errorf("%s was asked for %d times", path, n)
			}
		}
	}
	if segments < behindLive || segments > behindLive+2 || asked[assets.PlaylistPath] != 1 {
		t.Errorf("asked for %v", asked)
	}
}

func TestLineText(t *testing.T) {
	for in, want := range map[string]string{
		`{"verified":true,"bytes":{"from_peers":710,"from_origin":200,"unverified":90}}`: "playing 00:42 · peers 71 % · origin 29 % · verified",
		`{"bytes":{"from_cache":1}}`: "playing 00:42 · peers 0 % · origin 0 % · cache 100 % · not verified",
	} {
		var s demoStats
		if err := json.Unmarshal([]byte(in), &s); err != nil {
			t.Fatal(err)
		}
		if got := s.text(42 * time.Second); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

func TestParseBench(t *testing.T) {
	got := parseBench([]byte(`goos: linux
BenchmarkProxy-2   	     100	  12 ns/op	 100.50 MB/s	 10 B/op
BenchmarkProxy-2   	     100	  12 ns/op	 300 MB/s
BenchmarkProxy-2   	     100	  12 ns/op	 200 MB/s
BenchmarkPut/64KiB 	     100	  12 ns/op	 7 MB/s
BenchmarkOther-2   	     100	  12 ns/op
PASS
`))
	if len(got) != 2 || got["BenchmarkProxy"] != 200 || got["BenchmarkPut/64KiB"] != 7 {
		t.Error(got)
	}
}

func TestArchives(t *testing.T) {
	when := time.Unix(1700000000, 0).UTC()
	files := []packed{{"c/coralnode", []byte("program"), 0o755}, {"c/LICENSE", []byte("text"), 0o644}}
	var a, b, z bytes.Buffer
	if err := errors.Join(writeTar(&a, when, files), writeTar(&b, when, files), writeZip(&z, when, files)); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a.Bytes(), b.Bytes()) {
		t.Error("the same files give other archives")
	}
	gz, err := gzip.NewReader(&a)
	if err != nil {
		t.Fatal(err)
	}
	h, err := tar.NewReader(gz).Next()
	if err != nil || h.Name != "c/coralnode" || h.Mode != 0o755 || !h.ModTime.Equal(when) {
		t.Errorf("%+v %v", h, err)
	}
	r, err := zip.NewReader(bytes.NewReader(z.Bytes()), int64(z.Len()))
	if err != nil || len(r.File) != 2 {
		t.Fatal(err)
	}
	f, err := r.File[1].Open()
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(f); err != nil || string(text) != "text" {
		t.Errorf("%q %v", text, err)
	}
}

func TestCrewEndsWithItsFirstDeath(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil || runtime.GOOS == "windows" {
		t.Skip("needs a shell")
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	c := &crew{env: os.Environ(), cancel: cancel}
	c.start(ctx, "patient", sh, "-c", "exec sleep 60")
	c.start(ctx, "mortal", sh, "-c", "echo the port is taken >&2; exit 1")
	<-ctx.Done()
	c.end()
	if err := c.why(context.Cause(ctx)); err == nil || err.Error() != "the mortal ended: the port is taken" {
		t.Error(err)
	}
}

func TestFluidBound(t *testing.T) {
	for _, s := range bySize(true) {
		if b := fluid(s.cfg); b != 1 {
			t.Errorf("%s: bound is %.2f: the audience can carry the stream", s.what, b)
		}
	}
	if b := fluid(audience(10, 0.5, 4)); b != 5 {
		t.Errorf("ten viewers who give half a copy each need %.2f", b)
	}
	cfg := audience(10, 5, 4)
	cfg.Groups[0].Alone = true
	if b := fluid(cfg); b != 10 {
		t.Errorf("ten viewers without peers need %.2f", b)
	}
}

func TestPlots(t *testing.T) {
	ss := byUplink()[:1]
	ss[0].cfg.Groups[0].Count, ss[0].cfg.Duration = 6, 30*time.Second
	rs := []*sim.Result{median(ss[0].cfg)}
	for _, draw := range []func(string, []scenario, []*sim.Result) error{drawCopies, drawOffload, drawDelays, drawLoads} {
		name := filepath.Join(t.TempDir(), "a.svg")
		if err := draw(name, ss, rs); err != nil {
			t.Fatal(err)
		}
		if b, err := os.ReadFile(name); err != nil || !bytes.Contains(b, []byte("<path")) || !bytes.HasSuffix(bytes.TrimSpace(b), []byte("</svg>")) || len(b) > 100_000 {
			t.Errorf("%d bytes, %v", len(b), err)
		}
	}
}

// TestDemo is the whole product: it runs the demo until some of it was played.
func TestDemo(t *testing.T) {
	if testing.Short() {
		t.Skip("takes some seconds")
	}
	root, err := moduleRoot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	program := filepath.Join(dir, "coralnode.exe")
	if out, err := exec.Command("go", "build", "-o", program, filepath.Join(root, "cmd", "coralnode")).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	d := &demo{dir: dir, program: program, quiet: true}
	ended := make(chan error, 1)
	go func() { ended <- d.run(ctx) }()
	var s demoStats
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for s.Bytes.FromPeers == 0 || !s.Verified {
		select {
		case err := <-ended:
			t.Fatalf("ended early: %v; at last %+v", err, s)
		case <-tick.C:
			if now, err := readStats(filepath.Join(dir, "stats.json")); err == nil {
				s = now
			}
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	http.DefaultClient.CloseIdleConnections()
}
