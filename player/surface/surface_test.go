package surface

import (
	"image"
	"image/color"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// film is a source whose pictures the test makes.
type film struct {
	size   image.Point // as told
	image  *image.RGBA
	seq    uint64
	notify func()
	asked  int
	colour color.RGBA
	again  int
}

func (f *film) SetSize(w, h int) { f.size = image.Pt(w, h) }

func (f *film) Frame() (*image.RGBA, uint64) { f.asked++; return f.image, f.seq }

func (f *film) Again() {
	f.again++
	f.show(f.image.Rect.Dx(), f.image.Rect.Dy(), f.colour)
}

func (f *film) OnFrame(call func()) { f.notify = call }

// show makes a picture of one colour, as large as it is to be.
func (f *film) show(w, h int, c color.RGBA) {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for i := 0; i < len(img.Pix); i += 4 {
		img.Pix[i], img.Pix[i+1], img.Pix[i+2], img.Pix[i+3] = c.R, c.G, c.B, 255
	}
	f.image, f.seq, f.colour = img, f.seq+1, c
	if f.notify != nil {
		f.notify()
	}
}

var (
	red  = color.RGBA{R: 255, A: 255}
	blue = color.RGBA{B: 255, A: 255}
)

// window puts a surface of a size into a window of the test driver.
func window(t testing.TB, s *Surface, w, h float32, scale float32) fyne.Window {
	t.Helper()
	test.NewTempApp(t)
	win := test.NewWindow(s)
	t.Cleanup(win.Close)
	win.SetPadded(false)
	win.Canvas().(test.WindowlessCanvas).SetScale(scale)
	win.Resize(fyne.NewSize(w, h))
	return win
}

func expect(t *testing.T, win fyne.Window, x, y int, want color.Color) {
	t.Helper()
	got := color.RGBAModel.Convert(win.Canvas().Capture().At(x, y))
	if got != color.RGBAModel.Convert(want) {
		t.Errorf("at %d,%d: %v, want %v", x, y, got, want)
	}
}

func TestSurfaceIsBlackWithoutSource(t *testing.T) {
	s := New()
	win := window(t, s, 200, 100, 1)
	expect(t, win, 0, 0, color.Black)
	expect(t, win, 100, 50, color.Black)
	expect(t, win, 199, 99, color.Black)
	f := &film{}
	s.Attach(f)
	expect(t, win, 100, 50, color.Black)
	f.show(200, 100, red)
	expect(t, win, 100, 50, red)
	s.Detach()
	expect(t, win, 100, 50, color.Black)
	if f.notify != nil {
		t.Error("it still wants to be told")
	}
}

func TestSurfaceFits(t *testing.T) {
	for name, c := range map[string]struct {
		w, h    float32
		scale   float32
		picture image.Point
		drawn   image.Rectangle // in pixels
		exact   bool
	}{
		"full":            {320, 180, 1, image.Pt(320, 180), image.Rect(0, 0, 320, 180), true},
		"bars above":      {320, 320, 1, image.Pt(320, 180), image.Rect(0, 70, 320, 250), true},
		"bars beside":     {400, 180, 1, image.Pt(320, 180), image.Rect(40, 0, 360, 180), true},
		"odd":             {321, 180, 1, image.Pt(320, 180), image.Rect(0, 0, 320, 180), true},
		"small":           {640, 400, 1, image.Pt(320, 180), image.Rect(0, 20, 640, 380), false},
		"still too large": {160, 160, 1, image.Pt(320, 180), image.Rect(0, 35, 160, 125), false},
		"two pixels":      {160, 90, 2, image.Pt(320, 180), image.Rect(0, 0, 320, 180), true},
		"scaled, bars":    {160, 100, 1.5, image.Pt(240, 135), image.Rect(0, 7, 240, 142), true},
	} {
		t.Run(name, func(t *testing.T) {
			s := New()
			win := window(t, s, c.w, c.h, c.scale)
			f := &film{}
			s.Attach(f)
			if want := image.Pt(int(c.w*c.scale), int(c.h*c.scale)); f.size != want {
				t.Errorf("the source was told %v, want %v", f.size, want)
			}
			f.show(c.picture.X, c.picture.Y, red)
			r := c.drawn
			for _, p := range []image.Point{r.Min, {r.Max.X - 1, r.Min.Y}, {r.Min.X, r.Max.Y - 1}, r.Max.Sub(image.Pt(1, 1))} {
				expect(t, win, p.X, p.Y, red)
			}
			if r.Min.Y > 0 {
				expect(t, win, r.Min.X, r.Min.Y-1, color.Black)
				expect(t, win, r.Min.X, r.Max.Y, color.Black)
			}
			if r.Min.X > 0 {
				expect(t, win, r.Min.X-1, 0, color.Black)
				expect(t, win, r.Max.X, 0, color.Black)
			}
			if got := s.raster.ScaleMode == canvas.ImageScalePixels; got != c.exact {
				t.Errorf("drawn pixel by pixel: %v", got)
			}
		})
	}
}

func TestSurfaceFollowsSizes(t *testing.T) {
	s := New()
	win := window(t, s, 320, 180, 1)
	f := &film{}
	s.Attach(f)
	f.show(320, 180, red)
	win.Resize(fyne.NewSize(400, 400))
	if f.size != image.Pt(400, 400) {
		t.Errorf("the source was told %v", f.size)
	}
	expect(t, win, 200, 200, red) // the old picture, until there is another
	f.show(400, 100, blue)        // the video has another shape now
	expect(t, win, 200, 200, blue)
	expect(t, win, 200, 100, color.Black)
	win.Canvas().(test.WindowlessCanvas).SetScale(2)
	win.Resize(fyne.NewSize(200, 200))
	win.Canvas().Capture()
	if f.size != image.Pt(400, 400) {
		t.Errorf("at scale 2 the source was told %v", f.size)
	}
}

// The generator hands over the very buffer, and the number of pictures is true.
func TestSurfaceCopiesNothing(t *testing.T) {
	s := New()
	window(t, s, 320, 180, 1)
	f := &film{}
	s.Attach(f)
	for range 3 {
		f.show(320, 180, red)
		if got := s.picture(320, 180); got != f.image {
			t.Error("the generator returned another picture")
		}
	}
	f.notify()
	if s.Pictures() != 3 {
		t.Errorf("%d pictures", s.Pictures())
	}
	if n := testing.AllocsPerRun(100, func() { s.picture(320, 180) }); n > 0 {
		t.Errorf("the generator allocates %v times", n)
	}
}

// Many notices are one refresh, and none comes after Detach.
func TestSurfaceCoalesces(t *testing.T) {
	s := New()
	window(t, s, 320, 180, 1)
	f := &film{}
	s.Attach(f)
	notify := f.notify
	s.queued.Store(true) // Fyne is slow: one call waits
	before := f.asked
	for range 100 {
		notify()
	}
	if f.asked != before {
		t.Errorf("%d refreshes though one waits", f.asked-before)
	}
	s.queued.Store(false)
	s.Detach()
	before = f.asked
	notify() // one that was on its way
	if f.asked != before || s.queued.Load() {
		t.Error("a notice after Detach did something")
	}
	s.Attach(f)
	f.show(320, 180, blue)
	if s.shown != f.image {
		t.Error("nothing is shown after the second Attach")
	}
}

func TestSurfaceTellsOfThePointer(t *testing.T) {
	s := New()
	win := window(t, s, 320, 180, 1)
	var got []string
	note := func(what string) { got = append(got, what) }
	test.Tap(s)
	test.MoveMouse(win.Canvas(), fyne.NewPos(5, 5)) // nobody listens: nothing happens
	s.OnTapped = func(*fyne.PointEvent) { note("tap") }
	s.OnDoubleTapped = func(*fyne.PointEvent) { note("double") }
	s.OnSecondary = func(*fyne.PointEvent) { note("second") }
	s.OnMoved = func(*desktop.MouseEvent) { note("move") }
	s.OnLeft = func() { note("left") }
	s.OnScrolled = func(*fyne.ScrollEvent) { note("scroll") }
	test.Tap(s)
	test.DoubleTap(s)
	test.TapSecondary(s)
	test.MoveMouse(win.Canvas(), fyne.NewPos(10, 10))
	test.Scroll(win.Canvas(), fyne.NewPos(10, 10), 0, 10)
	s.MouseOut()
	want := []string{"tap", "double", "second", "move", "scroll", "left"}
	if len(got) != len(want) {
		t.Fatalf("%v, want %v", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("%v, want %v", got, want)
		}
	}
}
