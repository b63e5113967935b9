//go:build unix

package surface

import (
	"context"
	"image/color"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"coral/player"
	"coral/player/mpv"
)

// handed passes a source on, but leaves its notices in a channel: the test
// driver of Fyne has no goroutine of its own to do them on.
type handed struct {
	FrameSource
	came chan struct{}
}

func (h handed) OnFrame(call func()) {
	if call == nil {
		h.FrameSource.OnFrame(nil)
		return
	}
	h.FrameSource.OnFrame(func() {
		select {
		case h.came <- struct{}{}:
		default:
		}
	})
}

// play starts a film of 30 pictures a second in the real player, shown by s.
func play(t testing.TB, s *Surface, seconds string) (came chan struct{}, state func() player.State) {
	t.Helper()
	if err := mpv.Available(); err != nil {
		t.Skip(err)
	}
	tool, err := exec.LookPath("ffmpeg")
	if err != nil {
		t.Skip("ffmpeg is not installed")
	}
	file := filepath.Join(t.TempDir(), "film.mp4")
	out, err := exec.Command(tool, "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=1280x720:r=30", "-t", seconds,
		"-c:v", "libx264", "-preset", "ultrafast", "-g", "30", file).CombinedOutput()
	if err != nil {
		t.Fatalf("make a film: %v\n%s", err, out)
	}
	p, err := mpv.Open(mpv.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ran := make(chan error)
	go func() { ran <- p.Run(ctx) }()
	h := handed{p.Frames(), make(chan struct{}, 1)}
	s.Attach(h)
	t.Cleanup(func() {
		s.Detach()
		cancel()
		if err := <-ran; err != nil {
			t.Error(err)
		}
	})
	p.Load(file, player.LoadOptions{})
	return h.came, p.State
}

// The real player's pictures reach the window, and move.
func TestSurfacePlays(t *testing.T) {
	s := New()
	win := window(t, s, 640, 400, 1)
	came, _ := play(t, s, "4")
	late := time.After(10 * time.Second)
	before := win.Canvas().Capture()
	different := 0
	for different < 5 {
		select {
		case <-came:
		case <-late:
			t.Fatalf("%d pictures, %d of them moved", s.Pictures(), different)
		}
		s.notice()
		now := win.Canvas().Capture()
		for x := 0; x < 640; x += 7 {
			if now.At(x, 200) != before.At(x, 200) {
				different++
				break
			}
		}
		before = now
	}
	if w, h := s.shown.Rect.Dx(), s.shown.Rect.Dy(); w != 640 || h != 360 {
		t.Errorf("pictures of %dx%d", w, h)
	}
	expect(t, win, 320, 10, color.Black)
}

// BenchmarkSurface720p plays 720p into a surface of that size, a second for each
// round, and takes each picture as Fyne's painter would.
func BenchmarkSurface720p(b *testing.B) {
	s := New()
	window(b, s, 1280, 720, 1)
	came, state := play(b, s, "40")
	for s.Pictures() == 0 {
		<-came
		s.notice()
	}
	first, dropped, used, began := s.Pictures(), state().Dropped, processor(b), time.Now()
	b.ResetTimer()
	end := time.After(time.Duration(b.N) * time.Second)
	for playing := true; playing; {
		select {
		case <-came:
			s.notice()
			s.picture(1280, 720)
		case <-end:
			playing = false
		}
	}
	took := time.Since(began).Seconds()
	b.ReportMetric(float64(s.Pictures()-first)/took, "pictures/s")
	b.ReportMetric(float64(state().Dropped-dropped), "dropped")
	b.ReportMetric((processor(b)-used).Seconds()/took, "cpu/s")
}
