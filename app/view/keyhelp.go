package view

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// keyHelp is the sheet that lists the keys.
type keyHelp struct {
	layer
	close *keyButton
}

const keyHelpWidth = 780

func newKeyHelp() *keyHelp {
	h := &keyHelp{}
	h.close = newKeyButton(lang.L("Close"), nil, func() { h.open(false) })
	line := func(what string, keys ...string) fyne.CanvasObject { return newKeyLine(what, keys) }
	left := newColumn(3,
		line(lang.L("Play or pause"), lang.X("key", "Space"), "K"),
		line(lang.L("5 seconds back, on"), "←", "→"),
		line(lang.L("10 seconds back, on"), "J", "L"),
		line(lang.L("Louder, quieter"), "↑", "↓"),
		line(lang.L("Sound off"), "M"),
		line(lang.L("Subtitles"), "C"),
		line(lang.L("To the beginning"), lang.X("home key", "Home")),
		line(lang.L("To the end, to live"), lang.X("end key", "End")),
		line(lang.L("To tenths of it"), "0", "…", "9"),
		line(lang.L("Frame by frame"), ",", "."),
		line(lang.L("Slower, faster (recordings)"), "<", ">"),
	)
	right := newColumn(3,
		line(lang.L("Full screen"), "F"),
		line(lang.L("Mini player"), "P"),
		line(lang.L("Next channel"), "N", lang.X("page down key", "PgDn")),
		line(lang.L("Previous channel"), "⇧N", lang.X("page up key", "PgUp")),
		line(lang.L("Pause sharing"), "S"),
		line(lang.L("Details"), "I"),
		line(lang.L("Open what was copied"), ctrl("V")),
		line(lang.L("Type a link"), ctrl("L")),
		line(lang.L("Open a file"), ctrl("O")),
		line(lang.L("Settings"), ctrl(",")),
		line(lang.L("Back"), lang.X("escape key", "Esc")),
	)
	body := newColumn(10,
		newHeading(lang.L("Keys"), theme.SizeNameSubHeadingText),
		container.New(inset{8, 0}, container.New(&tiles{least: 300, gap: 40}, left, right)))
	content, scroll := newSheetContent(keyHelpWidth, body, container.NewCenter(h.close), func() { h.open(false) })
	h.close.onKey = func(k fyne.KeyName) {
		switch k {
		case fyne.KeyEscape:
			h.open(false)
		case fyne.KeyUp:
			scroll.ScrollToOffset(scroll.Offset.SubtractXY(0, 3*keyLineHeight))
		case fyne.KeyDown:
			scroll.ScrollToOffset(scroll.Offset.AddXY(0, 3*keyLineHeight))
		}
	}
	h.layer = newLayer(content, h.close)
	return h
}

func ctrl(key string) string { return lang.X("control key", "Ctrl") + "+" + key }

// Show implements page.
func (h *keyHelp) Show(*Model) {}

func (h *keyHelp) open(on bool) { h.set(on) }

// keyLine is what a key does, and the key drawn as one.
type keyLine struct {
	widget.BaseWidget
	what string
	keys []string
}

func newKeyLine(what string, keys []string) *keyLine {
	l := &keyLine{what: what, keys: keys}
	l.ExtendBaseWidget(l)
	return l
}

const keyLineHeight, keyPad = 28, 8

// CreateRenderer implements fyne.Widget.
func (l *keyLine) CreateRenderer() fyne.WidgetRenderer {
	r := &keyLineRenderer{line: l, what: canvas.NewText(l.what, nil)}
	for _, k := range l.keys {
		r.caps = append(r.caps, canvas.NewRectangle(nil))
		r.names = append(r.names, canvas.NewText(k, nil))
	}
	r.Refresh()
	return r
}

type keyLineRenderer struct {
	line  *keyLine
	what  *canvas.Text
	caps  []*canvas.Rectangle
	names []*canvas.Text
}

func (r *keyLineRenderer) Layout(s fyne.Size) {
	x := s.Width
	for i := len(r.names) - 1; i >= 0; i-- {
		m := r.names[i].MinSize()
		w := max(m.Width+2*keyPad, keyLineHeight-4)
		x -= w
		r.caps[i].Move(fyne.NewPos(x, 2))
		r.caps[i].Resize(fyne.NewSize(w, keyLineHeight-4))
		r.names[i].Move(fyne.NewPos(x+(w-m.Width)/2, (keyLineHeight-m.Height)/2))
		r.names[i].Resize(m)
		x -= 5
	}
	m := r.what.MinSize()
	r.what.Move(fyne.NewPos(0, (keyLineHeight-m.Height)/2))
	r.what.Resize(m)
}

func (r *keyLineRenderer) MinSize() fyne.Size {
	w := r.what.MinSize().Width + 16
	for _, n := range r.names {
		w += n.MinSize().Width + 2*keyPad + 5
	}
	return fyne.NewSize(w, keyLineHeight)
}

func (r *keyLineRenderer) Refresh() {
	l := r.line
	r.what.Color, r.what.TextSize = colour(l, theme.ColorNameForeground), themeOf(l).Size(theme.SizeNameText)
	for i, n := range r.names {
		n.Color, n.TextSize, n.TextStyle.Bold = colour(l, theme.ColorNameForeground), themeOf(l).Size(theme.SizeNameCaptionText), true
		r.caps[i].FillColor, r.caps[i].CornerRadius = colour(l, theme.ColorNameInputBackground), 5
		r.caps[i].StrokeColor, r.caps[i].StrokeWidth = colour(l, theme.ColorNameInputBorder), 1
	}
	r.Layout(l.Size())
	canvas.Refresh(l)
}

func (r *keyLineRenderer) Objects() []fyne.CanvasObject {
	o := []fyne.CanvasObject{r.what}
	for i := range r.names {
		o = append(o, r.caps[i], r.names[i])
	}
	return o
}

func (r *keyLineRenderer) Destroy() {}
