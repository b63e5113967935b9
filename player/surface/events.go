package surface

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
)

// minSide keeps the surface from vanishing in a layout.
const minSide = 32

// CreateRenderer is Fyne's.
func (s *Surface) CreateRenderer() fyne.WidgetRenderer {
	objects := []fyne.CanvasObject{s.raster}
	for _, bar := range s.bars {
		objects = append(objects, bar)
	}
	return &drawing{s, objects}
}

// drawing is the surface's renderer.
type drawing struct {
	surface *Surface
	objects []fyne.CanvasObject
}

func (d *drawing) Layout(size fyne.Size)        { d.surface.arrange(size) }
func (d *drawing) MinSize() fyne.Size           { return fyne.NewSquareSize(minSide) }
func (d *drawing) Objects() []fyne.CanvasObject { return d.objects }
func (d *drawing) Destroy()                     {}

// Refresh is called when the theme or the scale changes: the colours do not, the
// pixels may.
func (d *drawing) Refresh() { d.surface.arrange(d.surface.Size()) }

// Tapped is Fyne's.
func (s *Surface) Tapped(e *fyne.PointEvent) {
	if s.OnTapped != nil {
		s.OnTapped(e)
	}
}

// DoubleTapped is Fyne's. Because of it, Tapped comes after a moment.
func (s *Surface) DoubleTapped(e *fyne.PointEvent) {
	if s.OnDoubleTapped != nil {
		s.OnDoubleTapped(e)
	}
}

// TappedSecondary is Fyne's.
func (s *Surface) TappedSecondary(e *fyne.PointEvent) {
	if s.OnSecondary != nil {
		s.OnSecondary(e)
	}
}

// MouseIn is Fyne's.
func (s *Surface) MouseIn(e *desktop.MouseEvent) { s.MouseMoved(e) }

// MouseMoved is Fyne's.
func (s *Surface) MouseMoved(e *desktop.MouseEvent) {
	if s.OnMoved != nil {
		s.OnMoved(e)
	}
}

// MouseOut is Fyne's.
func (s *Surface) MouseOut() {
	if s.OnLeft != nil {
		s.OnLeft()
	}
}

// Scrolled is Fyne's.
func (s *Surface) Scrolled(e *fyne.ScrollEvent) {
	if s.OnScrolled != nil {
		s.OnScrolled(e)
	}
}
