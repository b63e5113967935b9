package view

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// segments is a choice of one of a few words that stand side by side.
type segments struct {
	widget.BaseWidget
	labels  []string
	marks   []fyne.ThemeColorName // a dot of this colour before the label; may be nil
	chosen  int
	focused bool
	hovered int // -1: none
	changed func(int)
}

var (
	_ fyne.Tappable     = (*segments)(nil)
	_ fyne.Focusable    = (*segments)(nil)
	_ desktop.Hoverable = (*segments)(nil)
)

func newSegments(labels []string, changed func(int)) *segments {
	s := &segments{labels: labels, hovered: -1, changed: changed}
	s.ExtendBaseWidget(s)
	return s
}

func (s *segments) set(i int) {
	if s.chosen != i {
		s.chosen = i
		s.Refresh()
	}
}

func (s *segments) choose(i int) {
	if i >= 0 && i < len(s.labels) && i != s.chosen {
		s.set(i)
		s.changed(i)
	}
}

// at returns the segment at x, counted from the left.
func (s *segments) at(x float32) int {
	return min(len(s.labels)-1, max(0, int(x/(s.Size().Width/float32(len(s.labels))))))
}

// Tapped implements fyne.Tappable.
func (s *segments) Tapped(e *fyne.PointEvent) {
	focusOn(s)
	s.choose(s.at(e.Position.X))
}

// TypedKey implements fyne.Focusable.
func (s *segments) TypedKey(e *fyne.KeyEvent) {
	switch e.Name {
	case fyne.KeyLeft, fyne.KeyUp:
		s.choose(s.chosen - 1)
	case fyne.KeyRight, fyne.KeyDown:
		s.choose(s.chosen + 1)
	case fyne.KeySpace:
		s.choose((s.chosen + 1) % len(s.labels))
	}
}

// TypedRune implements fyne.Focusable.
func (s *segments) TypedRune(rune) {}

// FocusGained implements fyne.Focusable.
func (s *segments) FocusGained() { s.focused = true; s.Refresh() }

// FocusLost implements fyne.Focusable.
func (s *segments) FocusLost() { s.focused = false; s.Refresh() }

// MouseIn implements desktop.Hoverable.
func (s *segments) MouseIn(e *desktop.MouseEvent) { s.MouseMoved(e) }

// MouseMoved implements desktop.Hoverable.
func (s *segments) MouseMoved(e *desktop.MouseEvent) {
	if i := s.at(e.Position.X); i != s.hovered {
		s.hovered = i
		s.Refresh()
	}
}

// MouseOut implements desktop.Hoverable.
func (s *segments) MouseOut() { s.hovered = -1; s.Refresh() }

// CreateRenderer implements fyne.Widget.
func (s *segments) CreateRenderer() fyne.WidgetRenderer {
	r := &segmentsRenderer{segments: s, ground: canvas.NewRectangle(nil), pill: canvas.NewRectangle(nil), hover: canvas.NewRectangle(nil)}
	for range s.labels {
		r.texts = append(r.texts, canvas.NewText("", nil))
	}
	for range s.marks {
		r.marks = append(r.marks, canvas.NewCircle(nil))
	}
	r.Refresh()
	return r
}

const (
	segmentPad   = 14 // beside each label
	segmentInset = 3  // between the ground and the chosen one's pill
	segmentMark  = 10
)

type segmentsRenderer struct {
	segments            *segments
	ground, pill, hover *canvas.Rectangle
	texts               []*canvas.Text
	marks               []*canvas.Circle
}

func (r *segmentsRenderer) mark() float32 {
	if len(r.marks) == 0 {
		return 0
	}
	return segmentMark + 6
}

func (r *segmentsRenderer) Layout(s fyne.Size) {
	r.ground.Resize(s)
	w := s.Width / float32(len(r.texts))
	place := func(o *canvas.Rectangle, i int) {
		o.Move(fyne.NewPos(float32(i)*w+segmentInset, segmentInset))
		o.Resize(fyne.NewSize(w-2*segmentInset, s.Height-2*segmentInset))
	}
	place(r.pill, r.segments.chosen)
	place(r.hover, max(0, r.segments.hovered))
	for i, t := range r.texts {
		m := t.MinSize()
		x := float32(i)*w + (w-m.Width-r.mark())/2
		if len(r.marks) > 0 {
			r.marks[i].Move(fyne.NewPos(x, (s.Height-segmentMark)/2))
			r.marks[i].Resize(fyne.NewSquareSize(segmentMark))
		}
		t.Move(fyne.NewPos(x+r.mark(), (s.Height-m.Height)/2))
		t.Resize(m)
	}
}

func (r *segmentsRenderer) MinSize() fyne.Size {
	var widest, height float32
	for _, t := range r.texts {
		widest, height = max(widest, t.MinSize().Width), max(height, t.MinSize().Height)
	}
	return fyne.NewSize((widest+r.mark()+2*segmentPad)*float32(len(r.texts)), height+16)
}

func (r *segmentsRenderer) Refresh() {
	s := r.segments
	th := themeOf(s)
	radius := th.Size(theme.SizeNameInputRadius)
	r.ground.FillColor, r.ground.CornerRadius = colour(s, theme.ColorNameInputBackground), radius+segmentInset
	r.ground.StrokeColor, r.ground.StrokeWidth = colour(s, theme.ColorNameInputBorder), 1
	if s.focused {
		r.ground.StrokeColor, r.ground.StrokeWidth = colour(s, theme.ColorNamePrimary), 2
	}
	r.pill.FillColor, r.pill.CornerRadius = colour(s, theme.ColorNamePrimary), radius
	r.hover.FillColor, r.hover.CornerRadius = color.Transparent, radius
	if s.hovered >= 0 && s.hovered != s.chosen {
		r.hover.FillColor = colour(s, theme.ColorNameHover)
	}
	for i, t := range r.texts {
		t.Text, t.TextSize = s.labels[i], th.Size(theme.SizeNameText)
		t.Color, t.TextStyle.Bold = colour(s, theme.ColorNameForeground), i == s.chosen
		if i == s.chosen {
			t.Color = colour(s, theme.ColorNameForegroundOnPrimary)
		}
	}
	for i, m := range r.marks {
		m.FillColor = colour(s, s.marks[i])
		m.StrokeColor, m.StrokeWidth = colour(s, theme.ColorNamePlaceHolder), 1
	}
	r.Layout(s.Size())
	canvas.Refresh(s)
}

func (r *segmentsRenderer) Objects() []fyne.CanvasObject {
	o := []fyne.CanvasObject{r.ground, r.hover, r.pill}
	for _, m := range r.marks {
		o = append(o, m)
	}
	for _, t := range r.texts {
		o = append(o, t)
	}
	return o
}

func (r *segmentsRenderer) Destroy() {}
