package view

import (
	"image/color"
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"
)

// layer lies over the whole window while it is shown. As an overlay of the
// canvas it keeps the keyboard and the mouse from what is below.
type layer struct {
	anchor  *fyne.Container // stands in the window's content: to find the canvas by, and to keep content in the theme
	content fyne.CanvasObject
	first   fyne.Focusable // has the keyboard to begin with
	on      bool
	canvas  fyne.Canvas // that shows it; nil: none
}

func newLayer(content fyne.CanvasObject, first fyne.Focusable) layer {
	content.Hide()
	return layer{anchor: container.New(unseen{}, content), content: content, first: first}
}

// unseen lays nothing out, and asks for no room: without it Fyne would ask all that
// lies in the anchor how large it has to be, in each frame.
type unseen struct{}

// Layout implements fyne.Layout.
func (unseen) Layout([]fyne.CanvasObject, fyne.Size) {}

// MinSize implements fyne.Layout.
func (unseen) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.Size{} }

// Object implements page.
func (l *layer) Object() fyne.CanvasObject { return l.anchor }

// Showing implements overlay.
func (l *layer) Showing() bool { return l.on }

// set shows or hides it, and reports whether that is news.
func (l *layer) set(on bool) bool {
	news := l.on != on
	l.on = on
	switch {
	case on && !l.shown():
		if l.canvas = l.find(); l.canvas != nil {
			l.anchor.RemoveAll() // an object has one place
			l.content.Show()
			l.canvas.Overlays().Add(l.content)
			l.content.Resize(l.canvas.Size())
			l.canvas.Focus(l.first)
		}
	case !on && l.canvas != nil:
		l.canvas.Overlays().Remove(l.content)
		l.content.Hide()
		l.anchor.Add(l.content)
		l.canvas = nil
	}
	return news
}

// shown says whether a canvas has it: taking another overlay away takes those
// above it away, too.
func (l *layer) shown() bool {
	return l.canvas != nil && slices.Contains(l.canvas.Overlays().List(), l.content)
}

// find returns the window's canvas. Before the first frame Fyne does not know
// it by an object; then it is the first window's.
func (l *layer) find() fyne.Canvas {
	if c := canvasOf(l.anchor); c != nil {
		return c
	}
	if all := fyne.CurrentApp().Driver().AllWindows(); len(all) > 0 {
		return all[0].Canvas()
	}
	return nil
}

// ground fills what is behind a layer, and takes the presses that miss.
type ground struct {
	widget.BaseWidget
	colour fyne.ThemeColorName // of the theme, or one of the two below
	tapped func()
}

const (
	groundShade fyne.ThemeColorName = "coral-shade" // what is below shows through
	groundClear fyne.ThemeColorName = "coral-clear"
)

func newGround(colour fyne.ThemeColorName, tapped func()) *ground {
	g := &ground{colour: colour, tapped: tapped}
	g.ExtendBaseWidget(g)
	return g
}

// Tapped implements fyne.Tappable.
func (g *ground) Tapped(*fyne.PointEvent) {
	if g.tapped != nil {
		g.tapped()
	}
}

// CreateRenderer implements fyne.Widget.
func (g *ground) CreateRenderer() fyne.WidgetRenderer {
	r := &groundRenderer{ground: g, fill: canvas.NewRectangle(nil)}
	r.Refresh()
	return r
}

type groundRenderer struct {
	ground *ground
	fill   *canvas.Rectangle
}

func (r *groundRenderer) Layout(s fyne.Size)           { r.fill.Resize(s) }
func (r *groundRenderer) MinSize() fyne.Size           { return fyne.Size{} }
func (r *groundRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.fill} }
func (r *groundRenderer) Destroy()                     {}

func (r *groundRenderer) Refresh() {
	switch r.ground.colour {
	case groundShade:
		r.fill.FillColor = color.NRGBA{0, 0, 0, 150}
	case groundClear:
		r.fill.FillColor = color.Transparent
	default:
		r.fill.FillColor = colour(r.ground, r.ground.colour)
	}
	r.fill.Refresh()
}

// newSheetContent is a card in the middle of a shade: body, which scrolls where the
// window is too low for it, and foot, which is always in sight.
func newSheetContent(width float32, body, foot fyne.CanvasObject, dismiss func()) (fyne.CanvasObject, *container.Scroll) {
	scroll := container.NewVScroll(body)
	// The second ground keeps presses on the card from reaching the shade.
	card := container.NewStack(newGround(groundClear, nil), newPanel(container.New(footed{body}, scroll, foot), 16))
	return container.NewStack(newGround(groundShade, dismiss), container.New(floating{width}, card)), scroll
}

// footed puts what scrolls its body above a foot.
type footed struct{ body fyne.CanvasObject }

const footGap = 10

// Layout implements fyne.Layout.
func (f footed) Layout(objects []fyne.CanvasObject, s fyne.Size) {
	h := objects[1].MinSize().Height
	objects[0].Resize(fyne.NewSize(s.Width, s.Height-h-footGap))
	objects[1].Move(fyne.NewPos(0, s.Height-h))
	objects[1].Resize(fyne.NewSize(s.Width, h))
}

// MinSize implements fyne.Layout.
func (f footed) MinSize(objects []fyne.CanvasObject) fyne.Size {
	return column{footGap}.MinSize([]fyne.CanvasObject{f.body, objects[1]})
}

// floating puts an object of at most a width into the middle, as high as it must
// be.
type floating struct{ width float32 }

const floatingEdge = 16

// Layout implements fyne.Layout.
func (f floating) Layout(objects []fyne.CanvasObject, s fyne.Size) {
	for _, o := range objects {
		w := min(f.width, s.Width-2*floatingEdge)
		o.Resize(fyne.NewSize(w, o.MinSize().Height))
		h := min(o.MinSize().Height, s.Height-2*floatingEdge)
		o.Resize(fyne.NewSize(w, h))
		o.Move(fyne.NewPos((s.Width-w)/2, (s.Height-h)/2))
	}
}

// MinSize implements fyne.Layout.
func (floating) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.Size{} }

// neutral has the keyboard where no answer may be favoured: no key does
// anything but lead away from it.
type neutral struct {
	widget.BaseWidget
	left, right fyne.Focusable
	escape      func() // may be nil
}

func newNeutral(left, right fyne.Focusable) *neutral {
	n := &neutral{left: left, right: right}
	n.ExtendBaseWidget(n)
	return n
}

// CreateRenderer implements fyne.Widget.
func (n *neutral) CreateRenderer() fyne.WidgetRenderer {
	return widget.NewSimpleRenderer(canvas.NewRectangle(color.Transparent))
}

// TypedKey implements fyne.Focusable.
func (n *neutral) TypedKey(e *fyne.KeyEvent) {
	switch e.Name {
	case fyne.KeyLeft:
		focusOn(n.left)
	case fyne.KeyRight:
		focusOn(n.right)
	case fyne.KeyEscape:
		if n.escape != nil {
			n.escape()
		}
	}
}

// TypedRune implements fyne.Focusable.
func (n *neutral) TypedRune(rune) {}

// FocusGained implements fyne.Focusable.
func (n *neutral) FocusGained() {}

// FocusLost implements fyne.Focusable.
func (n *neutral) FocusLost() {}
