package view

import (
	"fmt"
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"

	"coral/assets"
)

// glyph returns one of Coral's icons in a colour of w's theme, to be shown at a
// size.
func glyph(w fyne.Widget, icon string, name fyne.ThemeColorName, size float32) fyne.Resource {
	if c := canvasOf(w); c != nil {
		size *= c.Scale()
	} else if all := fyne.CurrentApp().Driver().AllWindows(); len(all) > 0 { // not drawn yet
		size *= all[0].Canvas().Scale()
	}
	r, g, b, _ := colour(w, name).RGBA()
	if found := assets.Glyph(icon, fmt.Sprintf("#%02x%02x%02x", r>>8, g>>8, b>>8), size); found != nil {
		return found
	}
	return nil
}

// control is a flat button: an icon, a word, or both. It hands on the keys that
// it does not use, so that the keyboard does everything from everywhere.
type control struct {
	overlaid
	icon, text       string
	ink              fyne.ThemeColorName // of icon and text
	fill             fyne.ThemeColorName // "": none
	dot              fyne.ThemeColorName // a dot before the text; "": none
	help             string              // what it does, and its key
	tapped           func()
	key              func(*fyne.KeyEvent) // may be nil
	letter           func(rune)           // may be nil
	stirred          func(*control)       // the pointer or the keyboard came or moved; may be nil
	left             func()               // the pointer or the keyboard went; may be nil
	focused, hovered bool
}

var (
	_ fyne.Tappable      = (*control)(nil)
	_ fyne.Focusable     = (*control)(nil)
	_ desktop.Hoverable  = (*control)(nil)
	_ desktop.Cursorable = (*control)(nil)
)

func newControl(icon, text string, tapped func()) *control {
	c := &control{icon: icon, text: text, ink: theme.ColorNameForeground, tapped: tapped}
	c.ExtendBaseWidget(c)
	return c
}

// with adds what the button does, and its key, in words.
func (c *control) with(help string) *control {
	c.help = help
	return c
}

// set changes icon and text, if they differ.
func (c *control) set(icon, text string) {
	if c.icon != icon || c.text != text {
		c.icon, c.text = icon, text
		c.Refresh()
	}
}

// paint changes the colours, if they differ.
func (c *control) paint(ink, fill, dot fyne.ThemeColorName) {
	if c.ink != ink || c.fill != fill || c.dot != dot {
		c.ink, c.fill, c.dot = ink, fill, dot
		c.Refresh()
	}
}

// Tapped implements fyne.Tappable.
func (c *control) Tapped(*fyne.PointEvent) { c.tapped() }

// TypedKey implements fyne.Focusable.
func (c *control) TypedKey(e *fyne.KeyEvent) {
	switch {
	case e.Name == fyne.KeyReturn || e.Name == fyne.KeyEnter || e.Name == fyne.KeySpace:
		c.tapped()
	case c.key != nil:
		c.key(e)
	default:
		released(c, e)
	}
}

// TypedRune implements fyne.Focusable.
func (c *control) TypedRune(r rune) {
	if c.letter != nil && r != ' ' {
		c.letter(r)
	}
}

// FocusGained implements fyne.Focusable.
func (c *control) FocusGained() { c.focused = true; c.stir(); c.Refresh() }

// FocusLost implements fyne.Focusable.
func (c *control) FocusLost() { c.focused = false; c.leave(); c.Refresh() }

// MouseIn implements desktop.Hoverable.
func (c *control) MouseIn(*desktop.MouseEvent) { c.hovered = true; c.stir(); c.Refresh() }

// MouseMoved implements desktop.Hoverable.
func (c *control) MouseMoved(*desktop.MouseEvent) { c.stir() }

// MouseOut implements desktop.Hoverable.
func (c *control) MouseOut() { c.hovered = false; c.leave(); c.Refresh() }

// Cursor implements desktop.Cursorable.
func (c *control) Cursor() desktop.Cursor { return desktop.PointerCursor }

func (c *control) stir() {
	if c.stirred != nil {
		c.stirred(c)
	}
}

func (c *control) leave() {
	if c.left != nil {
		c.left()
	}
}

// A control's measures.
const (
	controlSize   = 36
	controlIcon   = 22
	controlPad    = 10 // beside text
	controlDot    = 8
	controlRadius = 8
)

// CreateRenderer implements fyne.Widget.
func (c *control) CreateRenderer() fyne.WidgetRenderer {
	r := &controlRenderer{
		control: c, ground: canvas.NewRectangle(nil), image: canvas.NewImageFromResource(nil),
		words: canvas.NewText("", nil), dot: canvas.NewCircle(nil),
	}
	r.image.FillMode = canvas.ImageFillContain
	r.Refresh()
	return r
}

type controlRenderer struct {
	control *control
	ground  *canvas.Rectangle
	image   *canvas.Image
	words   *canvas.Text
	dot     *canvas.Circle
}

func (r *controlRenderer) Layout(s fyne.Size) {
	r.ground.Resize(s)
	width := r.MinSize().Width
	x := (s.Width - width) / 2
	if r.words.Text == "" {
		r.image.Move(fyne.NewPos((s.Width-controlIcon)/2, (s.Height-controlIcon)/2))
		r.image.Resize(fyne.NewSquareSize(controlIcon))
		return
	}
	x += controlPad
	if r.dot.Visible() {
		r.dot.Move(fyne.NewPos(x, (s.Height-controlDot)/2))
		r.dot.Resize(fyne.NewSquareSize(controlDot))
		x += controlDot + 6
	}
	if r.image.Visible() {
		r.image.Move(fyne.NewPos(x-2, (s.Height-controlIcon)/2))
		r.image.Resize(fyne.NewSquareSize(controlIcon))
		x += controlIcon + 4
	}
	m := r.words.MinSize()
	r.words.Move(fyne.NewPos(x, (s.Height-m.Height)/2))
	r.words.Resize(m)
}

func (r *controlRenderer) MinSize() fyne.Size {
	if r.words.Text == "" {
		return fyne.NewSquareSize(controlSize)
	}
	w := r.words.MinSize().Width + 2*controlPad
	if r.control.dot != "" {
		w += controlDot + 6
	}
	if r.control.icon != "" {
		w += controlIcon + 4
	}
	return fyne.NewSize(w, controlSize)
}

func (r *controlRenderer) Refresh() {
	c := r.control
	r.ground.CornerRadius = controlRadius
	r.ground.FillColor, r.ground.StrokeColor, r.ground.StrokeWidth = color.Transparent, color.Transparent, 0
	if c.fill != "" {
		r.ground.FillColor = colour(c, c.fill)
	}
	if c.fill == theme.ColorNameButton {
		r.ground.StrokeColor, r.ground.StrokeWidth = colour(c, theme.ColorNameSeparator), 1
	}
	if c.hovered {
		r.ground.FillColor = colour(c, theme.ColorNameHover)
		if c.fill != "" {
			r.ground.FillColor = laid(colour(c, c.fill), colour(c, theme.ColorNameHover))
		}
	}
	if c.focused {
		ring := theme.ColorNamePrimary
		if c.fill == ring {
			ring = theme.ColorNameForeground
		}
		r.ground.StrokeColor, r.ground.StrokeWidth = colour(c, ring), focusRing
	}
	r.image.Resource = nil
	if c.icon != "" {
		r.image.Resource = glyph(c, c.icon, c.ink, controlIcon)
	}
	show(r.ground, c.fill != "" || c.hovered || c.focused)
	show(r.image, c.icon != "")
	show(r.dot, c.dot != "" && c.text != "")
	show(r.words, c.text != "")
	if c.dot != "" {
		r.dot.FillColor = colour(c, c.dot)
	}
	r.words.Text, r.words.TextSize, r.words.Color = c.text, themeOf(c).Size(theme.SizeNameText), colour(c, c.ink)
	r.image.Refresh()
	r.Layout(c.Size())
	canvas.Refresh(c)
}

func (r *controlRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.ground, r.dot, r.image, r.words}
}

func (r *controlRenderer) Destroy() {}

// laid is what a colour becomes with a veil on it. Either may be translucent.
func laid(ground, veil color.Color) color.NRGBA {
	gr, gg, gb, ga := ground.RGBA() // premultiplied
	vr, vg, vb, va := veil.RGBA()
	f := func(g, v uint32) uint16 { return uint16(v + g*(0xffff-va)/0xffff) }
	return color.NRGBAModel.Convert(color.RGBA64{f(gr, vr), f(gg, vg), f(gb, vb), f(ga, va)}).(color.NRGBA)
}

// row puts what is visible side by side, all as high as the row, centred; the
// object named takes the room that is left.
type row struct {
	gap  float32
	wide int // index of the object that grows; -1: none
}

// Layout implements fyne.Layout.
func (l row) Layout(objects []fyne.CanvasObject, s fyne.Size) {
	rest := s.Width - l.MinSize(objects).Width
	x := float32(0)
	for i, o := range objects {
		if !o.Visible() {
			continue
		}
		m := o.MinSize()
		if i == l.wide {
			m.Width += rest
		}
		o.Move(fyne.NewPos(x, (s.Height-m.Height)/2))
		o.Resize(m)
		x += m.Width + l.gap
	}
}

// MinSize implements fyne.Layout.
func (l row) MinSize(objects []fyne.CanvasObject) (s fyne.Size) {
	n := 0
	for _, o := range objects {
		if o.Visible() {
			m := o.MinSize()
			s.Width += m.Width
			s.Height = max(s.Height, m.Height)
			n++
		}
	}
	s.Width += l.gap * float32(max(0, n-1))
	return s
}
