package view

import (
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// words is centred, wrapped text over the picture. Unlike Fyne's RichText it
// keeps the colours of the theme that overrides the window's.
type words struct {
	widget.BaseWidget
	text  string
	size  fyne.ThemeSizeName
	style fyne.TextStyle
	width float32 // that it is wrapped for
}

func newWords(size fyne.ThemeSizeName, style fyne.TextStyle) *words {
	w := &words{size: size, style: style, width: stateWidth}
	w.ExtendBaseWidget(w)
	w.Hide()
	return w
}

// say shows text, or nothing if it is empty.
func (w *words) say(text string) {
	if w.text != text {
		w.text = text
		w.Refresh()
	}
	show(w, text != "")
}

// CreateRenderer implements fyne.Widget.
func (w *words) CreateRenderer() fyne.WidgetRenderer {
	r := &wordsRenderer{words: w}
	r.Refresh()
	return r
}

// wordsLead is the room between two lines, wordsPad that above and below.
const wordsLead, wordsPad = 2, 4

type wordsRenderer struct {
	words   *words
	objects []fyne.CanvasObject
	high    float32
}

func (r *wordsRenderer) Layout(s fyne.Size) {
	if s.Width != r.words.width && s.Width > 0 {
		r.words.width = s.Width
		r.wrap()
	}
	y := float32(wordsPad)
	for _, o := range r.objects {
		m := o.MinSize()
		o.Move(fyne.NewPos((s.Width-m.Width)/2, y))
		o.Resize(m)
		y += m.Height + wordsLead
	}
}

func (r *wordsRenderer) wrap() {
	w := r.words
	size := themeOf(w).Size(w.size)
	r.objects, r.high = nil, 2*wordsPad
	for _, line := range wrapWords(w.text, w.width, size, w.style) {
		t := canvas.NewText(line, colour(w, theme.ColorNameForeground))
		t.TextSize, t.TextStyle = size, w.style
		r.objects = append(r.objects, t)
		r.high += t.MinSize().Height + wordsLead
	}
}

// wrapWords breaks a text's lines at words where they are too wide.
func wrapWords(text string, width, size float32, style fyne.TextStyle) []string {
	var out []string
	for line := range strings.Lines(text) {
		now := ""
		for _, word := range strings.Fields(line) {
			longer := strings.TrimSpace(now + " " + word)
			if now != "" && fyne.MeasureText(longer, size, style).Width > width {
				out = append(out, now)
				longer = word
			}
			now = longer
		}
		if now != "" {
			out = append(out, now)
		}
	}
	return out
}

func (r *wordsRenderer) MinSize() fyne.Size { return fyne.NewSize(0, r.high) }

func (r *wordsRenderer) Refresh() {
	r.wrap()
	r.Layout(r.words.Size())
	canvas.Refresh(r.words)
}

func (r *wordsRenderer) Objects() []fyne.CanvasObject { return r.objects }
func (r *wordsRenderer) Destroy()                     {}
