package view

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// colourCap is the colour of a chart's dashed line where there is none.
const colourCap = theme.ColorNameForeground

// legend names a colour.
type legend struct {
	colour fyne.ThemeColorName
	text   string
}

// chartCard is a drawing with its title, what it shows now, its scale and its
// colours' names.
type chartCard struct {
	widget.BaseWidget
	root    fyne.CanvasObject
	drawing *drawing
	plot    func() (p plot, scale, now string)
	level   fyne.ThemeColorName
	title   string
	legends []legend
	scale   string
	now     string
	parts   chartParts
}

// chartParts is what of a card is shown.
type chartParts uint8

const (
	chartWhole chartParts = iota
	chartBare             // no words
	chartNamed            // no legends
)

func newChartCard(title string, height float32, of func() (plot, string, string), level fyne.ThemeColorName, legends ...legend) *chartCard {
	c := &chartCard{plot: of, level: level, title: title, legends: legends}
	c.drawing = newDrawing(fyne.NewSize(200, height), func(d *drawing, p *pen, scale float32) {
		shown, _, _ := c.plot()
		shown.paint(d, p, scale, theme.ColorNameSeparator, c.level)
	})
	c.ExtendBaseWidget(c)
	c.root = newPanel(c, 12)
	return c
}

func (c *chartCard) show() {
	_, c.scale, c.now = c.plot()
	c.drawing.stale = true
	c.Refresh()
}

// CreateRenderer implements fyne.Widget.
func (c *chartCard) CreateRenderer() fyne.WidgetRenderer {
	r := &chartCardRenderer{card: c}
	text := func() *canvas.Text { return canvas.NewText("", nil) }
	r.title, r.now, r.scale, r.from, r.to = text(), text(), text(), text(), text()
	for range c.legends {
		r.marks = append(r.marks, canvas.NewCircle(nil))
		r.names = append(r.names, text())
	}
	r.Refresh()
	return r
}

const (
	cardTitle  = 24
	cardFoot   = 20
	legendMark = 9
)

type chartCardRenderer struct {
	card                        *chartCard
	title, now, scale, from, to *canvas.Text
	marks                       []*canvas.Circle
	names                       []*canvas.Text
}

func (r *chartCardRenderer) Layout(s fyne.Size) {
	place := func(t *canvas.Text, x, y float32) {
		m := t.MinSize()
		t.Move(fyne.NewPos(x, y))
		t.Resize(m)
	}
	place(r.title, 0, 0)
	place(r.now, s.Width-r.now.MinSize().Width, 1)
	high := s.Height - cardTitle - cardFoot
	r.card.drawing.Move(fyne.NewPos(0, cardTitle))
	r.card.drawing.Resize(fyne.NewSize(s.Width, high))
	place(r.scale, 4, cardTitle+3)
	y := s.Height - cardFoot + 5
	x := float32(0)
	for i, n := range r.names {
		r.marks[i].Move(fyne.NewPos(x, y+4))
		r.marks[i].Resize(fyne.NewSquareSize(legendMark))
		place(n, x+legendMark+5, y)
		x += legendMark + 5 + n.MinSize().Width + 14
	}
	place(r.to, s.Width-r.to.MinSize().Width, y)
}

func (r *chartCardRenderer) MinSize() fyne.Size {
	return r.card.drawing.MinSize().AddWidthHeight(0, cardTitle+cardFoot)
}

func (r *chartCardRenderer) Refresh() {
	c := r.card
	small := themeOf(c).Size(theme.SizeNameCaptionText)
	set := func(t *canvas.Text, text string, size float32, name fyne.ThemeColorName) {
		t.Text, t.TextSize, t.Color = text, size, colour(c, name)
	}
	set(r.title, c.title, themeOf(c).Size(theme.SizeNameText), theme.ColorNameForeground)
	r.title.TextStyle.Bold = true
	set(r.now, c.now, small, theme.ColorNameForeground)
	set(r.scale, c.scale, small, theme.ColorNamePlaceHolder)
	set(r.to, lang.L("last two minutes"), small, theme.ColorNamePlaceHolder)
	for i, l := range c.legends {
		set(r.names[i], l.text, small, theme.ColorNamePlaceHolder)
		r.marks[i].FillColor = colour(c, l.colour)
	}
	for _, t := range []*canvas.Text{r.title, r.now, r.scale, r.to} {
		show(t, c.parts != chartBare)
	}
	for i := range r.names {
		show(r.names[i], c.parts == chartWhole)
		show(r.marks[i], c.parts == chartWhole)
	}
	r.Layout(c.Size())
	c.drawing.Refresh()
	canvas.Refresh(c)
}

func (r *chartCardRenderer) Objects() []fyne.CanvasObject {
	o := []fyne.CanvasObject{r.card.drawing, r.title, r.now, r.scale, r.to}
	for i := range r.marks {
		o = append(o, r.marks[i], r.names[i])
	}
	return o
}

func (r *chartCardRenderer) Destroy() {}

// facts are pairs of words, one below the other.
type facts struct {
	root  *fyne.Container
	names []*widget.Label
	texts []*widget.Label
}

func newFacts() *facts { return &facts{root: newColumn(-12)} }

func (f *facts) show(list [][2]string) {
	for len(f.names) < len(list) {
		name, text := widget.NewLabel(""), widget.NewLabel("")
		name.SizeName, text.SizeName = theme.SizeNameCaptionText, theme.SizeNameCaptionText
		text.TextStyle.Bold = true
		text.Alignment = fyne.TextAlignTrailing
		f.names, f.texts = append(f.names, name), append(f.texts, text)
		f.root.Add(newPair(name, text))
	}
	for i, n := range f.names {
		show(f.root.Objects[i], i < len(list))
		if i < len(list) {
			n.SetText(list[i][0])
			f.texts[i].SetText(list[i][1])
		}
	}
}

func newPair(name, text *widget.Label) fyne.CanvasObject {
	return container.New(row{wide: 1}, name, text)
}
