package view

import (
	"image/color"
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// note is wrapped text in one colour and size of the theme.
type note struct {
	widget.RichText
	segment *widget.TextSegment
}

func newNote(text string, colour fyne.ThemeColorName, size fyne.ThemeSizeName) *note {
	n := &note{segment: &widget.TextSegment{Text: text, Style: widget.RichTextStyle{ColorName: colour, SizeName: size}}}
	n.Segments = []widget.RichTextSegment{n.segment}
	n.Wrapping = fyne.TextWrapWord
	n.Scroll = fyne.ScrollNone // the page scrolls, not its words
	n.ExtendBaseWidget(n)
	return n
}

// newLine is text on one line that ends in dots where there is no room.
func newLine(colour fyne.ThemeColorName, size fyne.ThemeSizeName) *note {
	n := newNote("", colour, size)
	n.Wrapping, n.Truncation = fyne.TextWrapOff, fyne.TextTruncateEllipsis
	return n
}

// newHint is a quiet explanation.
func newHint(text string) *note {
	return newNote(text, theme.ColorNamePlaceHolder, theme.SizeNameCaptionText)
}

// newText is a paragraph.
func newText(text string) *note {
	return newNote(text, theme.ColorNameForeground, theme.SizeNameText)
}

// newHeading is a title in the given size.
func newHeading(text string, size fyne.ThemeSizeName) *note {
	n := newNote(text, theme.ColorNameForeground, size)
	n.segment.Style.TextStyle.Bold = true
	return n
}

func (n *note) align(a fyne.TextAlign) *note {
	n.segment.Style.Alignment = a
	return n
}

func (n *note) set(text string) {
	if n.segment.Text != text {
		n.segment.Text = text
		n.Refresh()
	}
}

// say shows text, or hides the note if there is none.
func (n *note) say(text string) {
	n.set(text)
	if shown := text != ""; shown != n.Visible() {
		if shown {
			n.Show()
		} else {
			n.Hide()
		}
	}
}

func (n *note) text() string { return n.segment.Text }

// keyButton is a button that Enter presses, too, and that hands other keys on.
type keyButton struct {
	widget.Button
	onKey func(fyne.KeyName)
	focus bool
}

func newKeyButton(label string, icon fyne.Resource, tapped func()) *keyButton {
	b := &keyButton{}
	b.Text, b.Icon, b.OnTapped = label, icon, tapped
	b.ExtendBaseWidget(b)
	return b
}

// TypedKey implements fyne.Focusable.
func (b *keyButton) TypedKey(e *fyne.KeyEvent) {
	switch {
	case e.Name == fyne.KeyReturn || e.Name == fyne.KeyEnter:
		b.Tapped(nil)
	case b.onKey != nil && e.Name != fyne.KeySpace:
		b.onKey(e.Name)
	case released(b, e):
	default:
		b.Button.TypedKey(e)
	}
}

// FocusGained implements fyne.Focusable.
func (b *keyButton) FocusGained() {
	b.focus = true
	b.Button.FocusGained()
}

// FocusLost implements fyne.Focusable.
func (b *keyButton) FocusLost() {
	b.focus = false
	b.Button.FocusLost()
}

// CreateRenderer implements fyne.Widget.
func (b *keyButton) CreateRenderer() fyne.WidgetRenderer {
	r := &keyButtonRenderer{b.Button.CreateRenderer(), b, canvas.NewRectangle(color.Transparent)}
	r.draw()
	return r
}

// keyButtonRenderer draws a ring into the button that has the keyboard: Fyne mixes
// a little of the primary colour into it, which nobody sees on a button of that colour.
type keyButtonRenderer struct {
	fyne.WidgetRenderer
	button *keyButton
	ring   *canvas.Rectangle
}

// focusRing is how thick the ring is.
const focusRing = 2

func (r *keyButtonRenderer) draw() {
	ink := theme.ColorNameForeground
	switch r.button.Importance {
	case widget.HighImportance:
		ink = theme.ColorNameForegroundOnPrimary
	case widget.DangerImportance:
		ink = theme.ColorNameForegroundOnError
	}
	r.ring.CornerRadius = themeOf(r.button).Size(theme.SizeNameInputRadius) - focusRing
	r.ring.StrokeColor, r.ring.StrokeWidth = colour(r.button, ink), focusRing
	show(r.ring, r.button.focus)
}

func (r *keyButtonRenderer) Layout(s fyne.Size) {
	r.WidgetRenderer.Layout(s)
	r.ring.Move(fyne.NewSquareOffsetPos(focusRing))
	r.ring.Resize(s.SubtractWidthHeight(2*focusRing, 2*focusRing))
}

func (r *keyButtonRenderer) Refresh() {
	r.draw()
	r.WidgetRenderer.Refresh()
}

func (r *keyButtonRenderer) Objects() []fyne.CanvasObject {
	return slices.Concat(r.WidgetRenderer.Objects(), []fyne.CanvasObject{r.ring})
}

// field is a line of text that says when it was left, and hands on the keys
// that it does not use.
type field struct {
	widget.Entry
	onBlur func()
	onKey  func(fyne.KeyName) bool // reports whether it took the key
	focus  bool
}

func newField(placeholder string) *field {
	f := &field{}
	f.PlaceHolder = placeholder
	f.ExtendBaseWidget(f)
	return f
}

// FocusGained implements fyne.Focusable.
func (f *field) FocusGained() {
	f.focus = true
	f.Entry.FocusGained()
}

// FocusLost implements fyne.Focusable.
func (f *field) FocusLost() {
	f.focus = false
	f.Entry.FocusLost()
	if f.onBlur != nil {
		f.onBlur()
	}
}

// TypedKey implements fyne.Focusable.
func (f *field) TypedKey(e *fyne.KeyEvent) {
	switch {
	case f.onKey != nil && f.onKey(e.Name):
	case released(f, e):
	default:
		f.Entry.TypedKey(e)
	}
}

// released has the keyboard leave o if the key is Escape: the next one is the
// page's. Whatever has the keyboard gets all keys, and Fyne's widgets hand none on.
func released(o fyne.CanvasObject, e *fyne.KeyEvent) bool {
	c := canvasOf(o)
	if e.Name != fyne.KeyEscape || c == nil {
		return false
	}
	c.Unfocus()
	return true
}

// slide is a slider that Escape leaves.
type slide struct{ widget.Slider }

// newSlide goes from 0 to last in steps of 1.
func newSlide(last int) *slide {
	s := &slide{}
	s.Max, s.Step = float64(last), 1
	s.ExtendBaseWidget(s)
	return s
}

// TypedKey implements fyne.Focusable.
func (s *slide) TypedKey(e *fyne.KeyEvent) {
	if !released(s, e) {
		s.Slider.TypedKey(e)
	}
}

// selection is a list to choose from that Escape leaves.
type selection struct{ widget.Select }

func newSelection(options []string, changed func(string)) *selection {
	c := &selection{}
	c.Options, c.OnChanged = options, changed
	c.ExtendBaseWidget(c)
	return c
}

// TypedKey implements fyne.Focusable.
func (c *selection) TypedKey(e *fyne.KeyEvent) {
	switch {
	case released(c, e):
	case e.Name == fyne.KeyReturn || e.Name == fyne.KeyEnter: // opens it, as Space does
		c.Tapped(nil)
	default:
		c.Select.TypedKey(e)
	}
}

// show sets the text without calling OnChanged, unless somebody is writing.
func (f *field) show(text string) {
	if f.focus || f.Text == text {
		return
	}
	changed := f.OnChanged
	f.OnChanged = nil
	f.SetText(text)
	f.OnChanged = changed
}

// panel is a rounded ground for what belongs together.
type panel struct {
	widget.BaseWidget
	content fyne.CanvasObject
	colour  fyne.ThemeColorName
	border  fyne.ThemeColorName
	pad     float32
}

func newPanel(content fyne.CanvasObject, pad float32) *panel {
	p := &panel{content: content, colour: theme.ColorNameOverlayBackground, border: theme.ColorNameSeparator, pad: pad}
	p.ExtendBaseWidget(p)
	return p
}

// CreateRenderer implements fyne.Widget.
func (p *panel) CreateRenderer() fyne.WidgetRenderer {
	r := &panelRenderer{panel: p, ground: canvas.NewRectangle(nil)}
	r.Refresh()
	return r
}

// panelRadius is the corner radius of everything that is as large as a card.
const panelRadius = 12

type panelRenderer struct {
	panel  *panel
	ground *canvas.Rectangle
}

func (r *panelRenderer) Layout(s fyne.Size) {
	r.ground.Resize(s)
	r.panel.content.Move(fyne.NewSquareOffsetPos(r.panel.pad))
	r.panel.content.Resize(s.SubtractWidthHeight(2*r.panel.pad, 2*r.panel.pad))
}

func (r *panelRenderer) MinSize() fyne.Size {
	return r.panel.content.MinSize().AddWidthHeight(2*r.panel.pad, 2*r.panel.pad)
}

func (r *panelRenderer) Refresh() {
	r.ground.FillColor = colour(r.panel, r.panel.colour)
	r.ground.StrokeColor = colour(r.panel, r.panel.border)
	r.ground.StrokeWidth = 1
	r.ground.CornerRadius = panelRadius
	r.ground.Refresh()
}

func (r *panelRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.ground, r.panel.content}
}

func (r *panelRenderer) Destroy() {}
