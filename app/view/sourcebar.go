package view

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// sourceBar is the line under the picture: where it comes from, in a sentence;
// the button that pauses sharing; the way to the details.
type sourceBar struct {
	widget.BaseWidget
	words   *note
	sharing *pauseButton
	details *control
	open    bool // the details window is
	narrow  bool
}

const (
	barHeight = 56
	barPad    = 12
	barShare  = 6 // height of the coloured line that shows the shares
	barNarrow = 640
)

func newSourceBar(emit func(Intent)) *sourceBar {
	b := &sourceBar{words: newNote("", theme.ColorNameForeground, theme.SizeNameText), sharing: newPauseButton(emit)}
	b.details = newControl("details", lang.L("Details"), func() { emit(ShowDetails{!b.open}) })
	b.ExtendBaseWidget(b)
	return b
}

func (b *sourceBar) show(m *Model) {
	b.open = m.Details != nil
	ink := theme.ColorNameForeground
	if b.open {
		ink = theme.ColorNamePrimary
	}
	b.details.paint(ink, "", "")
	sentence := sourceSentence(m)
	news := sentence != b.words.text()
	b.words.set(sentence)
	if b.sharing.show(m) || news {
		b.Refresh()
	}
}

// CreateRenderer implements fyne.Widget.
func (b *sourceBar) CreateRenderer() fyne.WidgetRenderer {
	r := &sourceBarRenderer{bar: b, ground: canvas.NewRectangle(nil), edge: canvas.NewRectangle(nil)}
	r.Refresh()
	return r
}

type sourceBarRenderer struct {
	bar          *sourceBar
	ground, edge *canvas.Rectangle
}

func (r *sourceBarRenderer) Layout(s fyne.Size) {
	b := r.bar
	r.ground.Resize(s)
	r.edge.Resize(fyne.NewSize(s.Width, 1))
	b.narrow = s.Width < barNarrow
	text := lang.L("Details")
	if b.narrow {
		text = ""
	}
	b.details.set("details", text)
	x := s.Width - barPad
	for _, c := range []*control{b.details, b.sharing.control} {
		m := c.MinSize()
		x -= m.Width
		c.Move(fyne.NewPos(x, (s.Height-m.Height)/2))
		c.Resize(m)
		x -= 8
	}
	pad := themeOf(b).Size(theme.SizeNameInnerPadding)
	width := x - barPad + pad
	b.words.Resize(fyne.NewSize(width, b.words.MinSize().Height))
	h := b.words.MinSize().Height
	b.words.Resize(fyne.NewSize(width, h))
	b.words.Move(fyne.NewPos(barPad-pad, (s.Height-h)/2))
}

func (r *sourceBarRenderer) MinSize() fyne.Size { return fyne.NewSize(leastWidth, barHeight) }

func (r *sourceBarRenderer) Refresh() {
	r.ground.FillColor = colour(r.bar, colourBar)
	r.edge.FillColor = colour(r.bar, theme.ColorNameSeparator)
	r.Layout(r.bar.Size())
	canvas.Refresh(r.bar)
}

func (r *sourceBarRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.ground, r.edge, r.bar.words, r.bar.sharing.control, r.bar.details}
}

func (r *sourceBarRenderer) Destroy() {}
