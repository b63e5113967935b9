package view

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/theme"
)

// sourceBar is the line under the picture: where it comes from, in a sentence;
// the button that pauses sharing; the way to the details. It has no ground of its
// own: beside the picture the window's is as good, and cheaper in each frame.
type sourceBar struct {
	overlaid
	words   *prose
	sharing *pauseButton
	details *control
	open    bool       // the details window is
	shares  [3]float64 // of viewers, origin, cache
	narrow  bool
}

const (
	barHeight = 56
	barPad    = 12
	barShare  = 3 // height of the coloured line that shows the shares
	// barNarrow is the width below which the words need the room of a button's.
	barNarrow = 840
	// barSmall is the one below which they are smaller.
	barSmall = 620
)

func newSourceBar(emit func(Intent)) *sourceBar {
	b := &sourceBar{words: newProse(theme.SizeNameText, fyne.TextStyle{}), sharing: newPauseButton(emit)}
	b.words.left = true
	b.details = newControl("details", lang.L("Details"), func() { emit(ShowDetails{!b.open}) })
	b.ExtendBaseWidget(b)
	return b
}

func (b *sourceBar) lay(over *look) {
	b.overlaid.lay(over)
	b.sharing.fill = theme.ColorNameButton
	if over != nil {
		b.sharing.fill = "" // as flat as the others over the picture, and cheaper in each frame
	}
	b.words.lay(over)
	b.sharing.lay(over)
	b.details.lay(over)
}

// restyle draws all of it anew.
func (b *sourceBar) restyle() {
	b.words.Refresh()
	b.sharing.Refresh()
	b.details.Refresh()
	b.Refresh()
}

func (b *sourceBar) show(m *Model) {
	b.open = m.Details != nil
	ink := theme.ColorNameForeground
	if b.open {
		ink = theme.ColorNamePrimary
	}
	b.details.paint(ink, "", "")
	sentence := sourceSentence(m)
	news := sentence != b.words.text
	s := m.Watching.Source
	shares := [3]float64{s.FromPeers, s.FromOrigin, s.FromCache}
	news = news || shares != b.shares
	b.shares = shares
	b.words.say(sentence)
	if b.sharing.show(m) || news {
		b.Refresh()
	}
}

// CreateRenderer implements fyne.Widget.
func (b *sourceBar) CreateRenderer() fyne.WidgetRenderer {
	r := &sourceBarRenderer{bar: b, edge: canvas.NewRectangle(nil)}
	for i := range r.shares {
		r.shares[i] = canvas.NewRectangle(nil)
	}
	r.Refresh()
	return r
}

type sourceBarRenderer struct {
	bar    *sourceBar
	edge   *canvas.Rectangle
	shares [3]*canvas.Rectangle // side by side on the edge, in the sources' colours
}

var shareColours = [3]fyne.ThemeColorName{colourPeers, colourOrigin, colourCache}

func (r *sourceBarRenderer) Layout(s fyne.Size) {
	b := r.bar
	r.edge.Resize(fyne.NewSize(s.Width, 1))
	at := float32(0)
	for i, part := range b.shares {
		w := s.Width * float32(min(1, max(0, part)))
		r.shares[i].Move(fyne.NewPos(at, 0))
		r.shares[i].Resize(fyne.NewSize(w, barShare))
		at += w
	}
	b.narrow = s.Width < barNarrow
	text := lang.L("Details")
	if b.narrow {
		text = ""
	}
	b.details.set("details", text)
	size := fyne.ThemeSizeName(theme.SizeNameText)
	if s.Width < barSmall {
		size = theme.SizeNameCaptionText
	}
	if b.words.size != size {
		b.words.size = size
		b.words.Refresh()
	}
	x := s.Width - barPad
	for _, c := range []*control{b.details, b.sharing.control} {
		m := c.MinSize()
		x -= m.Width
		c.Move(fyne.NewPos(x, (s.Height-m.Height)/2))
		c.Resize(m)
		x -= 8
	}
	width := x - barPad
	b.words.Resize(fyne.NewSize(width, b.words.MinSize().Height)) // wraps it
	h := b.words.MinSize().Height
	b.words.Resize(fyne.NewSize(width, h))
	b.words.Move(fyne.NewPos(barPad, (s.Height-h)/2))
}

func (r *sourceBarRenderer) MinSize() fyne.Size { return fyne.NewSize(leastWidth, barHeight) }

func (r *sourceBarRenderer) Refresh() {
	r.edge.FillColor = colour(r.bar, theme.ColorNameSeparator)
	for i, o := range r.shares {
		o.FillColor = colour(r.bar, shareColours[i])
		show(o, r.bar.shares[i] > 0)
	}
	r.Layout(r.bar.Size())
	canvas.Refresh(r.bar)
}

func (r *sourceBarRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.edge, r.shares[0], r.shares[1], r.shares[2], r.bar.words, r.bar.sharing.control, r.bar.details}
}

func (r *sourceBarRenderer) Destroy() {}
