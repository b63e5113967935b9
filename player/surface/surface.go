package surface

import (
	"image"
	"image/color"
	"math"
	"slices"
	"sync"
	"sync/atomic"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/widget"
)

// FrameSource is where pictures come from.
type FrameSource interface {
	// SetSize says how large the widget is, in pixels of the screen. Pictures
	// should fit into it, and touch it on two sides unless they are smaller.
	SetSize(w, h int)
	// Frame returns the newest picture, and a number that is another for another
	// picture; nil: there is nothing to show. Until the next call its memory is the
	// surface's, to write to as well; it is opaque. Its Stride must be 4 times its
	// width: Fyne uploads Pix as it lies.
	Frame() (*image.RGBA, uint64)
	// Again asks for the present picture once more, as another.
	Again()
	// OnFrame sets what is called, on any goroutine, when Frame has something new
	// to return; nil: nothing.
	OnFrame(func())
}

// Surface is the widget. Its fields are set before it is shown.
type Surface struct {
	widget.BaseWidget

	OnTapped       func(*fyne.PointEvent)
	OnDoubleTapped func(*fyne.PointEvent)
	OnSecondary    func(*fyne.PointEvent)
	OnMoved        func(*desktop.MouseEvent)
	OnLeft         func() // the pointer went out
	OnScrolled     func(*fyne.ScrollEvent)

	onPicture func() // may be nil

	raster *canvas.Raster
	bars   [4]*canvas.Rectangle // above, below, left, right
	source FrameSource
	shown  *image.RGBA // what Fyne may be reading; of source
	picked uint64      // its number
	shade  shade       // that it was given
	shape  image.Point // the size of the picture that the layout is made for; zero: none
	pixels image.Point // what the source was told
	scale  float32     // pixels per unit, as last seen
	queued atomic.Bool // a call of refresh is waiting

	attached struct {
		sync.Mutex
		on bool // fyne.Do may be called
	}
	pictures atomic.Int64 // handed to Fyne, each counted once
}

// New returns a surface that is black.
func New() *Surface {
	s := &Surface{scale: 1}
	s.raster = canvas.NewRaster(s.picture)
	s.raster.ScaleMode = canvas.ImageScaleFastest
	s.raster.Hide()
	for i := range s.bars {
		s.bars[i] = canvas.NewRectangle(color.Black)
	}
	s.ExtendBaseWidget(s)
	return s
}

// Attach shows what source has, instead of what was shown before.
func (s *Surface) Attach(source FrameSource) {
	s.Detach()
	s.source = source
	s.pixels = image.Point{}
	s.attached.Lock()
	s.attached.on = true
	s.attached.Unlock()
	source.OnFrame(s.notice)
	s.fit()
	s.refresh()
}

// Detach shows nothing. When it has returned, the source is not used any more
// and no call into Fyne is made.
func (s *Surface) Detach() {
	if s.source == nil {
		return
	}
	s.source.OnFrame(nil)
	s.attached.Lock()
	s.attached.on = false
	s.attached.Unlock()
	s.source, s.shown, s.picked = nil, nil, 0
	s.refresh()
}

// Pictures is how many different pictures were handed to Fyne for drawing. Any
// goroutine may ask.
func (s *Surface) Pictures() int64 { return s.pictures.Load() }

// OnPicture sets what is called, on Fyne's goroutine, when the next picture is about
// to be drawn: what else changes then is drawn with it, and costs no frame of its own.
func (s *Surface) OnPicture(f func()) { s.onPicture = f }

// Copy returns a copy of the picture that is shown; nil: there is none, or it is
// darkened. It is called on Fyne's goroutine.
func (s *Surface) Copy() *image.RGBA {
	if s.shown == nil || s.shade.done != (shadow{}) {
		return nil
	}
	return &image.RGBA{Pix: slices.Clone(s.shown.Pix), Stride: s.shown.Stride, Rect: s.shown.Rect}
}

// notice is called by the source, on its goroutine.
func (s *Surface) notice() {
	if s.queued.Swap(true) {
		return // the call that waits will see this picture
	}
	s.attached.Lock()
	defer s.attached.Unlock()
	if !s.attached.on {
		s.queued.Store(false)
		return
	}
	fyne.Do(func() {
		s.queued.Store(false)
		s.refresh()
	})
}

// refresh takes the newest picture and has it drawn.
func (s *Surface) refresh() {
	var shape image.Point
	if s.source != nil {
		img, n := s.source.Frame()
		fresh := img != nil && n != s.picked
		s.shown, s.picked = img, n
		if fresh {
			s.pictures.Add(1)
			s.shade.done = shadow{}
			if s.onPicture != nil {
				s.onPicture()
			}
		}
		if img != nil {
			shape = img.Rect.Size()
		}
	}
	if shape != s.shape {
		s.shape = shape
		s.arrange(s.Size())
	}
	if s.shown != nil {
		s.darken()
		s.raster.Refresh()
	}
}

// nothing is drawn while there is no picture.
var nothing = image.NewRGBA(image.Rect(0, 0, 1, 1))

// picture is the raster's generator: it runs while Fyne paints, on its
// goroutine, and must do nothing that costs. w and h are the raster's size in
// pixels, and so tell the screen's scale.
func (s *Surface) picture(w, _ int) image.Image {
	if wide := s.raster.Size().Width; wide > 0 && w > 0 {
		if scale := float32(w) / wide; math.Abs(float64(scale/s.scale-1)) > 1/float64(max(w, 1)) {
			s.scale = scale
			s.fit()
		}
	}
	if s.shown == nil {
		return nothing
	}
	return s.shown
}

// fit tells the source how many pixels there are.
func (s *Surface) fit() {
	size := s.Size()
	pixels := image.Pt(s.inPixels(size.Width), s.inPixels(size.Height))
	if s.source == nil || pixels == s.pixels {
		return
	}
	s.pixels = pixels
	s.source.SetSize(pixels.X, pixels.Y)
}

func (s *Surface) inPixels(units float32) int { return int(math.Round(float64(units * s.scale))) }

// arrange lays out the picture in the middle, and bars around it.
func (s *Surface) arrange(size fyne.Size) {
	if driver := fyne.CurrentApp().Driver(); driver != nil {
		if c := driver.CanvasForObject(s); c != nil {
			s.scale = c.Scale()
		}
	}
	s.fit()
	w, h := s.inPixels(size.Width), s.inPixels(size.Height)
	if s.shape == (image.Point{}) || w <= 0 || h <= 0 {
		s.raster.Hide()
		s.place(s.bars[0], 0, 0, size.Width, size.Height)
		for _, bar := range s.bars[1:] {
			bar.Hide()
		}
		return
	}
	pw, ph := within(s.shape, image.Pt(w, h))
	mode := canvas.ImageScaleFastest
	if pw == s.shape.X && ph == s.shape.Y {
		mode = canvas.ImageScalePixels
	}
	s.raster.ScaleMode = mode
	// All borders lie on whole pixels, or the picture would be filtered after all.
	left, top := (w-pw)/2, (h-ph)/2
	unit := func(pixels int) float32 { return float32(pixels) / s.scale }
	x0, y0, x1, y1 := unit(left), unit(top), unit(left+pw), unit(top+ph)
	if left+pw >= w {
		x1 = size.Width
	}
	if top+ph >= h {
		y1 = size.Height
	}
	s.raster.Move(fyne.NewPos(x0, y0))
	s.raster.Resize(fyne.NewSize(x1-x0, y1-y0))
	s.raster.Show()
	s.place(s.bars[0], 0, 0, size.Width, y0)
	s.place(s.bars[1], 0, y1, size.Width, size.Height-y1)
	s.place(s.bars[2], 0, y0, x0, y1-y0)
	s.place(s.bars[3], x1, y0, size.Width-x1, y1-y0)
	if s.darken() {
		s.raster.Refresh()
	}
}

// place moves a bar, or hides it if nothing is left of it.
func (s *Surface) place(bar *canvas.Rectangle, x, y, w, h float32) {
	if w <= 0 || h <= 0 {
		bar.Hide()
		return
	}
	bar.Move(fyne.NewPos(x, y))
	bar.Resize(fyne.NewSize(w, h))
	bar.Show()
}

// within is how large a picture is drawn in a space: as it is if it touches two
// sides but for a rounded pixel, else scaled until it does.
func within(shape, space image.Point) (w, h int) {
	if shape.X <= space.X && shape.Y <= space.Y && (shape.X >= space.X-1 || shape.Y >= space.Y-1) {
		return shape.X, shape.Y
	}
	w, h = space.X, space.Y
	if w*shape.Y > h*shape.X {
		w = (h*shape.X + shape.Y/2) / shape.Y
	} else {
		h = (w*shape.Y + shape.X/2) / shape.X
	}
	return max(w, 1), max(h, 1)
}
