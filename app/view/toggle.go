package view

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// toggle is a switch for something that is on or off at once.
type toggle struct {
	widget.BaseWidget
	on, focused, hovered bool
	changed              func(bool)
}

var (
	_ fyne.Tappable     = (*toggle)(nil)
	_ fyne.Focusable    = (*toggle)(nil)
	_ desktop.Hoverable = (*toggle)(nil)
)

func newToggle(changed func(bool)) *toggle {
	t := &toggle{changed: changed}
	t.ExtendBaseWidget(t)
	return t
}

func (t *toggle) set(on bool) {
	if t.on != on {
		t.on = on
		t.Refresh()
	}
}

// Tapped implements fyne.Tappable.
func (t *toggle) Tapped(*fyne.PointEvent) {
	t.set(!t.on)
	t.changed(t.on)
}

// TypedKey implements fyne.Focusable.
func (t *toggle) TypedKey(e *fyne.KeyEvent) {
	if released(t, e) {
		return
	}
	switch e.Name {
	case fyne.KeySpace, fyne.KeyReturn, fyne.KeyEnter:
		t.Tapped(nil)
	case fyne.KeyLeft, fyne.KeyRight:
		if t.on != (e.Name == fyne.KeyRight) {
			t.Tapped(nil)
		}
	}
}

// TypedRune implements fyne.Focusable.
func (t *toggle) TypedRune(rune) {}

// FocusGained implements fyne.Focusable.
func (t *toggle) FocusGained() { t.focused = true; t.Refresh() }

// FocusLost implements fyne.Focusable.
func (t *toggle) FocusLost() { t.focused = false; t.Refresh() }

// MouseIn implements desktop.Hoverable.
func (t *toggle) MouseIn(*desktop.MouseEvent) { t.hovered = true; t.Refresh() }

// MouseMoved implements desktop.Hoverable.
func (t *toggle) MouseMoved(*desktop.MouseEvent) {}

// MouseOut implements desktop.Hoverable.
func (t *toggle) MouseOut() { t.hovered = false; t.Refresh() }

// CreateRenderer implements fyne.Widget.
func (t *toggle) CreateRenderer() fyne.WidgetRenderer {
	r := &toggleRenderer{toggle: t, halo: canvas.NewRectangle(nil), track: canvas.NewRectangle(nil), knob: canvas.NewCircle(nil)}
	r.Refresh()
	return r
}

// The switch's measures: the halo is what shows the keyboard's focus.
const (
	toggleWidth, toggleHeight = 40, 22
	toggleHalo                = 3
)

type toggleRenderer struct {
	toggle      *toggle
	halo, track *canvas.Rectangle
	knob        *canvas.Circle
}

func (r *toggleRenderer) Layout(s fyne.Size) {
	y := (s.Height - toggleHeight) / 2
	r.halo.Move(fyne.NewPos(0, y-toggleHalo))
	r.halo.Resize(fyne.NewSize(toggleWidth+2*toggleHalo, toggleHeight+2*toggleHalo))
	r.track.Move(fyne.NewPos(toggleHalo, y))
	r.track.Resize(fyne.NewSize(toggleWidth, toggleHeight))
	x := float32(toggleHalo + 3)
	if r.toggle.on {
		x = toggleHalo + toggleWidth - toggleHeight + 3
	}
	r.knob.Move(fyne.NewPos(x, y+3))
	r.knob.Resize(fyne.NewSquareSize(toggleHeight - 6))
}

func (r *toggleRenderer) MinSize() fyne.Size {
	return fyne.NewSize(toggleWidth+2*toggleHalo, toggleHeight+2*toggleHalo)
}

func (r *toggleRenderer) Refresh() {
	t := r.toggle
	r.halo.CornerRadius, r.track.CornerRadius = canvas.RadiusMaximum, canvas.RadiusMaximum
	r.halo.FillColor = color.Transparent
	switch {
	case t.focused:
		r.halo.FillColor = colour(t, theme.ColorNameFocus)
	case t.hovered:
		r.halo.FillColor = colour(t, theme.ColorNameHover)
	}
	if t.on {
		r.track.FillColor = colour(t, theme.ColorNamePrimary)
		r.track.StrokeWidth = 0
		r.knob.FillColor = colour(t, theme.ColorNameForegroundOnPrimary)
	} else {
		r.track.FillColor = colour(t, theme.ColorNameInputBackground)
		r.track.StrokeColor, r.track.StrokeWidth = colour(t, theme.ColorNamePlaceHolder), 1.5
		r.knob.FillColor = colour(t, theme.ColorNamePlaceHolder)
	}
	r.Layout(t.Size())
	canvas.Refresh(t)
}

func (r *toggleRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.halo, r.track, r.knob}
}

func (r *toggleRenderer) Destroy() {}
