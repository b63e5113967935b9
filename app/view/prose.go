package view

import (
	"sort"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/theme"
)

// prose is wrapped text that may lie over the picture, which Fyne's RichText does
// not know of.
type prose struct {
	overlaid
	text  string
	size  fyne.ThemeSizeName
	style fyne.TextStyle
	left  bool    // not in the middle
	width float32 // that it is wrapped for
}

func newProse(size fyne.ThemeSizeName, style fyne.TextStyle) *prose {
	w := &prose{size: size, style: style, width: stateWidth}
	w.ExtendBaseWidget(w)
	w.Hide()
	return w
}

// say shows text, or nothing if it is empty.
func (w *prose) say(text string) {
	if w.text != text {
		w.text = text
		w.Refresh()
	}
	show(w, text != "")
}

// CreateRenderer implements fyne.Widget.
func (w *prose) CreateRenderer() fyne.WidgetRenderer {
	r := &proseRenderer{prose: w}
	r.Refresh()
	return r
}

// proseLead is the room between two lines, prosePad that above and below.
const proseLead, prosePad = 2, 4

type proseRenderer struct {
	prose   *prose
	objects []fyne.CanvasObject
	high    float32
}

func (r *proseRenderer) Layout(s fyne.Size) {
	if s.Width != r.prose.width && s.Width > 0 {
		r.prose.width = s.Width
		r.wrap()
	}
	y := float32(prosePad)
	for _, o := range r.objects {
		m := o.MinSize()
		x := (s.Width - m.Width) / 2
		if r.prose.left {
			x = 0
		}
		o.Move(fyne.NewPos(x, y))
		o.Resize(m)
		y += m.Height + proseLead
	}
}

func (r *proseRenderer) wrap() {
	w := r.prose
	size := themeOf(w).Size(w.size)
	r.objects, r.high = nil, 2*prosePad
	for _, line := range wrapWords(w.text, w.width, size, w.style) {
		t := canvas.NewText(line, colour(w, theme.ColorNameForeground))
		t.TextSize, t.TextStyle = size, w.style
		r.objects = append(r.objects, t)
		r.high += t.MinSize().Height + proseLead
	}
}

// wrapWords breaks a text's lines at words where they are too wide, and words that
// are too wide, as addresses may be, anywhere.
func wrapWords(text string, width, size float32, style fyne.TextStyle) []string {
	var out []string
	fits := func(s string) bool { return fyne.MeasureText(s, size, style).Width <= width }
	for line := range strings.Lines(text) {
		now := ""
		for _, word := range strings.Fields(line) {
			longer := strings.TrimSpace(now + " " + word)
			if now != "" && !fits(longer) {
				out = append(out, now)
				longer = word
			}
			for longer != "" && !fits(longer) {
				runes := []rune(longer)
				n := max(1, sort.Search(len(runes), func(n int) bool { return !fits(string(runes[:n+1])) }))
				out = append(out, string(runes[:n]))
				longer = string(runes[n:])
			}
			now = longer
		}
		if now != "" {
			out = append(out, now)
		}
	}
	return out
}

func (r *proseRenderer) MinSize() fyne.Size { return fyne.NewSize(0, r.high) }

func (r *proseRenderer) Refresh() {
	r.wrap()
	r.Layout(r.prose.Size())
	canvas.Refresh(r.prose)
}

func (r *proseRenderer) Objects() []fyne.CanvasObject { return r.objects }
func (r *proseRenderer) Destroy()                     {}
