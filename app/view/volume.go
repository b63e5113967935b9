package view

import (
	"image/color"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
)

// volumeBar shows and sets how loud it is. While it is dragged it says so at
// most ten times a second.
type volumeBar struct {
	overlaid
	percent  int
	muted    bool
	set      func(int)
	stirred  func()
	said     time.Time
	hovered  bool
	dragging bool
}

var (
	_ fyne.Tappable      = (*volumeBar)(nil)
	_ fyne.Draggable     = (*volumeBar)(nil)
	_ fyne.Scrollable    = (*volumeBar)(nil)
	_ desktop.Hoverable  = (*volumeBar)(nil)
	_ desktop.Cursorable = (*volumeBar)(nil)
)

const (
	volumeWidth = 84
	volumeStep  = 5 // per key or notch of the wheel
	// volumeEcho is how long what was set here is shown although the player has
	// not said it yet.
	volumeEcho = 600 * time.Millisecond
)

func newVolumeBar(set func(int), stirred func()) *volumeBar {
	v := &volumeBar{set: set, stirred: stirred}
	v.ExtendBaseWidget(v)
	return v
}

// show takes the player's answer, unless something newer was set here.
func (v *volumeBar) show(percent int, muted bool) {
	if v.dragging || time.Since(v.said) < volumeEcho && v.muted == muted {
		return
	}
	if v.percent != percent || v.muted != muted {
		v.percent, v.muted = percent, muted
		v.Refresh()
	}
}

func (v *volumeBar) to(x float32, last bool) {
	v.stirred()
	v.percent = min(100, max(0, int(100*x/max(1, v.Size().Width)+0.5)))
	v.muted = false
	if now := time.Now(); last || now.Sub(v.said) >= redraw {
		v.said = now
		v.set(v.percent)
	}
	v.Refresh()
}

// step changes it by notches.
func (v *volumeBar) step(notches int) {
	v.percent = min(100, max(0, v.percent+notches*volumeStep))
	v.said = time.Now()
	v.set(v.percent)
	v.Refresh()
}

// Tapped implements fyne.Tappable.
func (v *volumeBar) Tapped(e *fyne.PointEvent) { v.to(e.Position.X, true) }

// Dragged implements fyne.Draggable.
func (v *volumeBar) Dragged(e *fyne.DragEvent) { v.dragging = true; v.to(e.Position.X, false) }

// DragEnd implements fyne.Draggable.
func (v *volumeBar) DragEnd() {
	v.dragging = false
	v.said = time.Now()
	v.set(v.percent)
}

// Scrolled implements fyne.Scrollable.
func (v *volumeBar) Scrolled(e *fyne.ScrollEvent) {
	if e.Scrolled.DY > 0 {
		v.step(1)
	} else if e.Scrolled.DY < 0 {
		v.step(-1)
	}
}

// MouseIn implements desktop.Hoverable.
func (v *volumeBar) MouseIn(*desktop.MouseEvent) { v.hovered = true; v.stirred(); v.Refresh() }

// MouseMoved implements desktop.Hoverable.
func (v *volumeBar) MouseMoved(*desktop.MouseEvent) { v.stirred() }

// MouseOut implements desktop.Hoverable.
func (v *volumeBar) MouseOut() { v.hovered = false; v.Refresh() }

// Cursor implements desktop.Cursorable.
func (v *volumeBar) Cursor() desktop.Cursor { return desktop.PointerCursor }

// CreateRenderer implements fyne.Widget.
func (v *volumeBar) CreateRenderer() fyne.WidgetRenderer {
	r := &volumeRenderer{bar: v, track: canvas.NewRectangle(nil), level: canvas.NewRectangle(nil), knob: canvas.NewCircle(nil)}
	r.Refresh()
	return r
}

type volumeRenderer struct {
	bar          *volumeBar
	track, level *canvas.Rectangle
	knob         *canvas.Circle
}

func (r *volumeRenderer) Layout(s fyne.Size) {
	part := float32(r.bar.percent) / 100
	if r.bar.muted {
		part = 0
	}
	y := (s.Height - seekLine) / 2
	r.track.Move(fyne.NewPos(0, y))
	r.track.Resize(fyne.NewSize(s.Width, seekLine))
	r.level.Move(fyne.NewPos(0, y))
	r.level.Resize(fyne.NewSize(s.Width*part, seekLine))
	r.knob.Move(fyne.NewPos(s.Width*part-seekKnob/2, (s.Height-seekKnob)/2))
	r.knob.Resize(fyne.NewSquareSize(seekKnob))
}

func (r *volumeRenderer) MinSize() fyne.Size { return fyne.NewSize(volumeWidth, controlSize) }

func (r *volumeRenderer) Refresh() {
	r.track.FillColor, r.level.FillColor = color.NRGBA{255, 255, 255, 0x48}, color.White
	if r.bar.muted {
		r.level.FillColor = colour(r.bar, theme.ColorNameDisabled)
	}
	r.knob.FillColor = color.White
	show(r.knob, r.bar.hovered || r.bar.dragging)
	r.Layout(r.bar.Size())
	canvas.Refresh(r.bar)
}

func (r *volumeRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.track, r.level, r.knob}
}

func (r *volumeRenderer) Destroy() {}
