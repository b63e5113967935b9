package mpv

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"coral/player"
)

// fake makes the stand-in library the one that is loaded, for one test.
func fake(t testing.TB) {
	t.Helper()
	clips.Lock()
	defer clips.Unlock()
	lib := filepath.Join(clips.dir, "libfakempv.so")
	if _, err := os.Stat(lib); err != nil {
		gcc, err := exec.LookPath("gcc")
		if err != nil || runtime.GOOS != "linux" {
			t.Skip("there is no C compiler to build the stand-in for libmpv")
		}
		if out, err := exec.Command(gcc, "-D_GNU_SOURCE", "-shared", "-fPIC", "-O1", "-pthread", "-o", lib, "testdata/fakempv.c").CombinedOutput(); err != nil {
			t.Fatalf("build the stand-in: %v\n%s", err, out)
		}
	}
	forget(t, lib)
}

// forget makes the process load another library, and later the old one again.
func forget(t testing.TB, path string) {
	t.Setenv(LibraryVariable, path)
	loaded.Lock()
	old := loaded.lib
	loaded.lib = nil
	loaded.Unlock()
	t.Cleanup(func() {
		loaded.Lock()
		loaded.lib = old
		loaded.Unlock()
	})
}

// done is what was done to the stand-in since the last call.
func done(p *Player) string { return p.lib.get(p.core, "fake-log") }

func TestAvailable(t *testing.T) {
	t.Run("missing", func(t *testing.T) {
		forget(t, filepath.Join(t.TempDir(), "libmpv.so"))
		if err := Available(); err == nil || !strings.Contains(err.Error(), "libmpv") {
			t.Error(err)
		}
		if _, err := Open(Options{}); err == nil {
			t.Error("a player without a library")
		}
	})
	t.Run("another library", func(t *testing.T) {
		if runtime.GOOS != "linux" {
			t.Skip("it is called otherwise here")
		}
		forget(t, "libc.so.6")
		if err := Available(); err == nil || !strings.Contains(err.Error(), "mpv_client_api_version") {
			t.Error(err)
		}
	})
	for name, api := range map[string]uint64{"too old": 1<<16 | 20, "too new": 3 << 16} {
		t.Run(name, func(t *testing.T) {
			fake(t)
			t.Setenv("FAKEMPV_API", fmt.Sprint(api))
			if err := Available(); err == nil || !strings.Contains(err.Error(), "client API") {
				t.Error(err)
			}
		})
	}
	t.Run("there", func(t *testing.T) {
		fake(t)
		if err := Available(); err != nil {
			t.Error(err)
		}
	})
}

func TestFakePlays(t *testing.T) {
	fake(t)
	p := run(t, Options{Volume: 30})
	s := await(t, p, "start", time.Second, func(s player.State) bool { return s.Volume == 30 })
	if s.Phase != player.Idle || p.Version() != "fake 1.0" {
		t.Errorf("%+v, %s", s, p.Version())
	}
	p.Load("fake:film", player.LoadOptions{})
	s = await(t, p, "play", 2*time.Second, moving)
	if s.Live || s.Width != 64 {
		t.Errorf("%+v", s)
	}
	p.Load("fake:fail", player.LoadOptions{})
	s = await(t, p, "fail", 2*time.Second, func(s player.State) bool { return s.Phase == player.Failed })
	if s.Err == nil || !strings.Contains(s.Err.Error(), "loading failed") {
		t.Error(s.Err)
	}
	p.Load("fake:end", player.LoadOptions{})
	await(t, p, "end", 2*time.Second, func(s player.State) bool { return s.Phase == player.Ended })
	p.Stop()
	await(t, p, "stop", 2*time.Second, func(s player.State) bool { return s.Phase == player.Idle })
}

// A live channel that ends again and again is loaded again and again.
func TestFakeLiveNeverEnds(t *testing.T) {
	fake(t)
	p := run(t, Options{})
	p.Load("fake:end", player.LoadOptions{Live: true})
	await(t, p, "play", 2*time.Second, func(s player.State) bool { return s.Phase == player.Playing })
	loads := 0
	for range 3 {
		s := await(t, p, "break", 3*time.Second, func(s player.State) bool { return s.Phase == player.Recovering })
		if s.Err == nil {
			t.Error("no cause")
		}
		await(t, p, "come back", 3*time.Second, func(s player.State) bool { return s.Phase == player.Playing })
		loads += strings.Count(done(p), "loadfile")
	}
	if loads < 3 {
		t.Errorf("loaded %d times", loads)
	}
}

// What comes faster than it can be done is done once, with the newest value.
func TestFakeCoalesces(t *testing.T) {
	fake(t)
	p := run(t, Options{})
	p.Load("fake:film", player.LoadOptions{Live: true})
	await(t, p, "play", 2*time.Second, moving)
	done(p)
	p.mu.Lock() // Run cannot take wishes now; they are made as Player makes them
	w := &p.wishes
	for i := range 50 {
		v := i
		w.volume = &v
		w.seek = &seek{to: time.Duration(i) * 10 * time.Millisecond}
	}
	p.mu.Unlock()
	for range 20 {
		p.SetMute(true)
	}
	await(t, p, "take them", 2*time.Second, func(s player.State) bool { return s.Volume == 49 && s.Muted })
	if got := done(p); strings.Count(got, "volume=") != 1 || strings.Count(got, "seek=") > 1 || !strings.Contains(got, "volume=49") {
		t.Errorf("done: %s", got)
	}
}

func TestFakeOrder(t *testing.T) {
	fake(t)
	p := run(t, Options{})
	p.Seek(time.Second) // of nothing
	p.Step(1)
	p.SelectAudio(3)
	p.Load("fake:one", player.LoadOptions{})
	p.Load("fake:two", player.LoadOptions{})
	await(t, p, "play", 2*time.Second, moving)
	if got := done(p); strings.Contains(got, "fake:one") && !strings.Contains(got, "fake:two") || strings.Contains(got, "aid=3") || strings.Contains(got, "step") {
		t.Errorf("done: %s", got)
	}
	p.SetPaused(true)
	await(t, p, "pause", time.Second, func(s player.State) bool { return s.Paused })
	p.Step(-2)
	p.SetSpeed(100)
	await(t, p, "speed up", time.Second, func(s player.State) bool { return s.Speed == maxSpeed })
	if got := done(p); strings.Count(got, "frame-back-step") != 2 || !strings.Contains(got, "speed=4") {
		t.Errorf("done: %s", got)
	}
	p.Step(1)
	p.SetPaused(false)
	await(t, p, "go on", time.Second, func(s player.State) bool { return !s.Paused && s.Position > 0 })
}

// Pictures come whole, in the size that is wanted, and buffers are used again.
func TestFakeFrames(t *testing.T) {
	fake(t)
	p := run(t, Options{})
	p.Load("fake:film", player.LoadOptions{})
	f := p.Frames()
	came := make(chan struct{}, 1)
	f.OnFrame(func() {
		select {
		case came <- struct{}{}:
		default:
		}
	})
	defer f.OnFrame(nil)
	buffers, heights, last, seen := map[*uint8]bool{}, map[int]bool{}, uint64(0), 0
	f.SetSize(64, 64)
	for seen < 40 {
		select {
		case <-came:
		case <-time.After(2 * time.Second):
			t.Fatalf("%d pictures", seen)
		}
		img, n := f.Frame()
		if img == nil || n == last {
			continue
		}
		last = n
		seen++
		switch seen {
		case 10:
			p.SetMaxHeight(18)
		case 20:
			p.SetMaxHeight(0)
			f.SetSize(32, 32) // smaller: the same memory
		}
		heights[img.Rect.Dy()] = true
		if img.Stride != 4*img.Rect.Dx() || len(img.Pix) != img.Stride*img.Rect.Dy() {
			t.Fatalf("%v with stride %d and %d bytes", img.Rect, img.Stride, len(img.Pix))
		}
		if d := img.Rect.Size(); d.X != 64 && d.X != 32 || d.Y*16 != d.X*9 {
			t.Errorf("size %v", d)
		}
		for i := 0; i < len(img.Pix); i += 4 {
			if img.Pix[i] != img.Pix[0] || img.Pix[i+3] != 255 {
				t.Fatal("a torn picture")
			}
		}
		buffers[&img.Pix[0]] = true
	}
	if len(buffers) > 3 {
		t.Errorf("%d buffers", len(buffers))
	}
	if !heights[36] || !heights[18] || len(heights) != 2 {
		t.Errorf("pictures of %v lines", heights)
	}
	done(p)
	p.SetHardware(true)
	p.SetVolume(7)
	await(t, p, "take it", time.Second, func(s player.State) bool { return s.Volume == 7 })
	if got := done(p); !strings.Contains(got, "hwdec=auto-copy-safe") {
		t.Errorf("done: %s", got)
	}
}

// Cores are made and freed in the right order (the stand-in aborts otherwise),
// while it calls back all the time.
func TestFakeCloses(t *testing.T) {
	fake(t)
	before := runtime.NumGoroutine()
	for i := range 8 {
		p, err := Open(Options{})
		if err != nil {
			t.Fatal(err)
		}
		if i%4 == 0 {
			p.Close()
			continue
		}
		ctx, cancel := context.WithCancel(context.Background())
		ran := make(chan error)
		go func() { ran <- p.Run(ctx) }()
		p.Frames().SetSize(64, 36)
		p.Load("fake:film", player.LoadOptions{Live: i%2 == 0})
		if i%3 > 0 {
			await(t, p, "play", 2*time.Second, moving)
		}
		cancel()
		if err := <-ran; err != nil {
			t.Error(err)
		}
		p.SetVolume(3) // too late, and no harm
		p.Load("fake:film", player.LoadOptions{})
		if s := p.State(); s.Phase != player.Idle {
			t.Errorf("afterwards: %+v", s)
		}
	}
	for range 100 {
		if runtime.NumGoroutine() <= before {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if n := runtime.NumGoroutine(); n > before {
		t.Errorf("%d goroutines, %d before", n, before)
	}
	tokens.Lock()
	defer tokens.Unlock()
	if len(tokens.of) != 0 {
		t.Errorf("%d callbacks are still awaited", len(tokens.of))
	}
}
