package view

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// colour is a colour of the theme that w is shown in.
func colour(w fyne.Widget, name fyne.ThemeColorName) color.Color {
	return themeOf(w).Color(name, fyne.CurrentApp().Settings().ThemeVariant())
}

// themeOf returns w's theme, which may be another than the app's.
func themeOf(w fyne.Widget) fyne.Theme {
	if t, ok := w.(interface{ Theme() fyne.Theme }); ok {
		return t.Theme()
	}
	return theme.Current()
}

// overlaid is the ground of the widgets that may lie over the picture, and are in
// its theme then, whatever the window's is. Fyne's ThemeOverride would do the same
// for any widget, but has the fonts parsed anew whenever it is refreshed, and keeps
// the old ones.
type overlaid struct {
	widget.BaseWidget
	over *look // the picture's theme; nil: the window's
}

// Theme is what themeOf asks for.
func (o *overlaid) Theme() fyne.Theme {
	if o.over != nil {
		return *o.over
	}
	return o.BaseWidget.Theme()
}

func (o *overlaid) lay(over *look) { o.over = over }

// lay puts an object, with what is in it, over the picture, which has that theme;
// nil: not over the picture. They are to be refreshed then.
func lay(over *look, o fyne.CanvasObject) {
	switch o := o.(type) {
	case *fyne.Container:
		for _, part := range o.Objects {
			lay(over, part)
		}
	case *container.Scroll:
		lay(over, o.Content)
	case interface{ lay(*look) }:
		o.lay(over)
	}
}

// canvasOf returns the canvas that shows o, or nil.
func canvasOf(o fyne.CanvasObject) fyne.Canvas {
	return fyne.CurrentApp().Driver().CanvasForObject(o)
}

// focusOn gives o the keyboard if it is on a canvas.
func focusOn(o fyne.Focusable) {
	object, ok := o.(fyne.CanvasObject)
	if !ok {
		return
	}
	if c := canvasOf(object); c != nil {
		c.Focus(o)
	}
}

// follower brings what has the keyboard into view, once: one may scroll away.
type follower struct{ focused fyne.Focusable } // when it was looked at last

// followEdge is how far from the edge it then is: its name is to be seen, too.
const followEdge = 40

func (f *follower) in(scroll *container.Scroll) {
	c := canvasOf(scroll)
	if c == nil || c.Focused() == f.focused {
		return
	}
	f.focused = c.Focused()
	o, is := f.focused.(fyne.CanvasObject)
	if !is {
		return
	}
	d := fyne.CurrentApp().Driver()
	y := d.AbsolutePositionForObject(o).Y - d.AbsolutePositionForObject(scroll).Y // below the upper edge of what is seen
	switch high := scroll.Size().Height; {
	case y < 0:
		scroll.ScrollToOffset(scroll.Offset.AddXY(0, y-followEdge))
	case y+o.Size().Height > high:
		scroll.ScrollToOffset(scroll.Offset.AddXY(0, y+o.Size().Height-high+followEdge))
	}
}

// column stacks what is visible, with a gap between.
type column struct{ gap float32 }

func newColumn(gap float32, objects ...fyne.CanvasObject) *fyne.Container {
	return container.New(column{gap}, objects...)
}

// Layout implements fyne.Layout.
func (c column) Layout(objects []fyne.CanvasObject, s fyne.Size) {
	y := float32(0)
	for _, o := range objects {
		if !o.Visible() {
			continue
		}
		h := o.MinSize().Height
		o.Move(fyne.NewPos(0, y))
		o.Resize(fyne.NewSize(s.Width, h))
		if now := o.MinSize().Height; now != h { // wrapped text knows its height when it knows its width
			h = now
			o.Resize(fyne.NewSize(s.Width, h))
		}
		y += h + c.gap
	}
}

// MinSize implements fyne.Layout.
func (c column) MinSize(objects []fyne.CanvasObject) (s fyne.Size) {
	gap := float32(0)
	for _, o := range objects {
		if o.Visible() {
			m := o.MinSize()
			s = fyne.NewSize(max(s.Width, m.Width), s.Height+gap+m.Height)
			gap = c.gap
		}
	}
	return s
}

// measure gives objects all the height and at most a width, in the middle or at
// the left, with a margin around.
type measure struct {
	width, margin float32
	left          bool
}

func newCentred(width, margin float32, o fyne.CanvasObject) *fyne.Container {
	return container.New(measure{width, margin, false}, o)
}

// Layout implements fyne.Layout.
func (c measure) Layout(objects []fyne.CanvasObject, s fyne.Size) {
	w := min(s.Width-2*c.margin, c.width)
	x := (s.Width - w) / 2
	if c.left {
		x = c.margin
	}
	for _, o := range objects {
		o.Move(fyne.NewPos(x, c.margin))
		o.Resize(fyne.NewSize(w, s.Height-2*c.margin))
	}
}

// MinSize implements fyne.Layout.
func (c measure) MinSize(objects []fyne.CanvasObject) (s fyne.Size) {
	for _, o := range objects {
		s = s.Max(o.MinSize())
	}
	return s.AddWidthHeight(2*c.margin, 2*c.margin)
}

// sides puts two objects beside one another where there is room, and the second
// below the first where there is not. The second has its least width, or share
// of the whole if that is more.
type sides struct {
	breakAt float32 // narrower: below one another
	gap     float32
	share   float32
	width   float32 // of the last layout
}

func newSides(breakAt, gap, share float32, first, second fyne.CanvasObject) *fyne.Container {
	return container.New(&sides{breakAt: breakAt, gap: gap, share: share}, first, second)
}

// Layout implements fyne.Layout.
func (l *sides) Layout(objects []fyne.CanvasObject, s fyne.Size) {
	l.width = s.Width
	a, b := objects[0], objects[1]
	if s.Width < l.breakAt || !b.Visible() {
		column{l.gap / 2}.Layout(objects, s)
		return
	}
	wide := max(b.MinSize().Width, (s.Width-l.gap)*l.share)
	a.Resize(fyne.NewSize(s.Width-wide-l.gap, a.MinSize().Height))
	b.Resize(fyne.NewSize(wide, b.MinSize().Height))
	ha, hb := a.MinSize().Height, b.MinSize().Height
	a.Resize(fyne.NewSize(s.Width-wide-l.gap, ha))
	b.Resize(fyne.NewSize(wide, hb))
	a.Move(fyne.NewPos(0, max(0, (s.Height-ha)/2)))
	b.Move(fyne.NewPos(s.Width-wide, max(0, (s.Height-hb)/2)))
}

// MinSize implements fyne.Layout.
func (l *sides) MinSize(objects []fyne.CanvasObject) fyne.Size {
	stacked := column{l.gap / 2}.MinSize(objects)
	if l.width < l.breakAt || !objects[1].Visible() {
		return stacked
	}
	a, b := objects[0].MinSize(), objects[1].MinSize()
	return fyne.NewSize(stacked.Width, max(a.Height, b.Height))
}

// space is nothing of a size.
func space(w, h float32) fyne.CanvasObject {
	r := canvas.NewRectangle(color.Transparent)
	r.SetMinSize(fyne.NewSize(w, h))
	return r
}

// least gives o at least a size.
func least(w, h float32, o fyne.CanvasObject) fyne.CanvasObject {
	return container.NewStack(space(w, h), o)
}

// tiles puts objects of one width side by side, as many as fit, all of a row as
// high as the highest.
type tiles struct {
	least, gap float32
	width      float32 // of the last layout
}

func (l *tiles) columns(n int) int {
	return max(1, min(n, int((l.width+l.gap)/(l.least+l.gap))))
}

// Layout implements fyne.Layout.
func (l *tiles) Layout(objects []fyne.CanvasObject, s fyne.Size) {
	l.width = s.Width
	n := l.columns(len(objects))
	w := (s.Width - float32(n-1)*l.gap) / float32(n)
	y := float32(0)
	for i := 0; i < len(objects); i += n {
		row := objects[i:min(i+n, len(objects))]
		h := float32(0)
		for _, o := range row {
			o.Resize(fyne.NewSize(w, o.MinSize().Height))
			h = max(h, o.MinSize().Height)
		}
		for j, o := range row {
			o.Move(fyne.NewPos(float32(j)*(w+l.gap), y))
			o.Resize(fyne.NewSize(w, h))
		}
		y += h + l.gap
	}
}

// MinSize implements fyne.Layout.
func (l *tiles) MinSize(objects []fyne.CanvasObject) (s fyne.Size) {
	n := l.columns(len(objects))
	for i := 0; i < len(objects); i += n {
		h := float32(0)
		for _, o := range objects[i:min(i+n, len(objects))] {
			m := o.MinSize()
			s.Width, h = max(s.Width, m.Width), max(h, m.Height)
		}
		s.Height += h
		if i > 0 {
			s.Height += l.gap
		}
	}
	return s
}
