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
	marks   []func(fyne.Widget) color.Color // of a dot before each label; nil: none
	edges   []float32                       // where each segment ends
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
	for i, e := range s.edges {
		if x < e {
			return i
		}
	}
	return len(s.labels) - 1
}

// Tapped implements fyne.Tappable.
func (s *segments) Tapped(e *fyne.PointEvent) {
	focusOn(s)
	s.choose(s.at(e.Position.X))
}

// TypedKey implements fyne.Focusable.
func (s *segments) TypedKey(e *fyne.KeyEvent) {
	if released(s, e) {
		return
	}
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
	// What is left over is dealt out evenly, so that a short word's segment
	// stays shorter than a long one's.
	spare := (s.Width - r.MinSize().Width) / float32(len(r.texts))
	edges := make([]float32, len(r.texts))
	from := float32(0)
	for i, t := range r.texts {
		m := t.MinSize()
		w := r.width(t) + spare
		x := from + (w-m.Width-r.mark())/2
		if i == r.segments.chosen {
			place(r.pill, from, w, s.Height)
		}
		if i == max(0, r.segments.hovered) {
			place(r.hover, from, w, s.Height)
		}
		if len(r.marks) > 0 {
			r.marks[i].Move(fyne.NewPos(x, (s.Height-segmentMark)/2))
			r.marks[i].Resize(fyne.NewSquareSize(segmentMark))
		}
		t.Move(fyne.NewPos(x+r.mark(), (s.Height-m.Height)/2))
		t.Resize(m)
		from += w
		edges[i] = from
	}
	r.segments.edges = edges
}

func place(o *canvas.Rectangle, from, width, height float32) {
	o.Move(fyne.NewPos(from+segmentInset, segmentInset))
	o.Resize(fyne.NewSize(width-2*segmentInset, height-2*segmentInset))
}

// width is the least of a segment. Its word is measured bold, as it is drawn
// when chosen: choosing moves nothing.
func (r *segmentsRenderer) width(t *canvas.Text) float32 {
	return fyne.MeasureText(t.Text, t.TextSize, fyne.TextStyle{Bold: true}).Width + r.mark() + 2*segmentPad
}

func (r *segmentsRenderer) MinSize() fyne.Size {
	var size fyne.Size
	for _, t := range r.texts {
		size = fyne.NewSize(size.Width+r.width(t), max(size.Height, t.MinSize().Height))
	}
	return size.AddWidthHeight(0, 16)
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
		m.FillColor = s.marks[i](s)
		m.StrokeColor, m.StrokeWidth = r.texts[i].Color, 1
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
