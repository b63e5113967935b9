package view

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/theme"
)

// libraryLayout puts the link field on top, the search below it, and gives the
// channels the rest. In a narrow window the buttons lose their words and the
// search takes a line of its own.
type libraryLayout struct{ page *libraryPage }

const (
	libraryNarrow = 620 // below: a narrow window
	searchWidth   = 260
	groupMost     = 220
)

// Layout implements fyne.Layout.
func (l *libraryLayout) Layout(_ []fyne.CanvasObject, s fyne.Size) {
	p := l.page
	narrow := s.Width < libraryNarrow
	edge := edgeOf(s.Width)
	y := l.layoutLink(s.Width, edge, narrow)
	show(p.title, p.search.Visible() && !narrow)
	if p.search.Visible() {
		y = l.layoutFilters(s.Width, edge, y, narrow)
	}
	for _, o := range []fyne.CanvasObject{p.grid, p.welcome, p.nothing.root} {
		o.Move(fyne.NewPos(0, y))
		o.Resize(fyne.NewSize(s.Width, max(0, s.Height-y)))
	}
}

func (l *libraryLayout) layoutLink(width, edge float32, narrow bool) (y float32) {
	p := l.page
	hint := lang.L("Paste a channel link")
	if narrow {
		hint = lang.L("Channel link")
	}
	if p.link.PlaceHolder != hint {
		p.link.SetPlaceHolder(hint)
	}
	setWords(p.open, lang.L("Open"), narrow)
	setWords(p.file, lang.L("File…"), narrow)
	open, file := p.open.MinSize().Width+12, p.file.MinSize().Width+4
	gap, height := float32(8), p.link.MinSize().Height
	link := width - 2*edge - open - file - 2*gap
	x := edge
	y = 20
	if narrow {
		y = 12
	}
	for _, it := range []struct {
		o fyne.CanvasObject
		w float32
	}{{p.link, link}, {p.open, open}, {p.file, file}} {
		o := it.o
		o.Move(fyne.NewPos(x, y))
		o.Resize(fyne.NewSize(it.w, height))
		x += it.w + gap
	}
	return y + height + 16
}

func (l *libraryLayout) layoutFilters(width, edge, y float32, narrow bool) float32 {
	p := l.page
	inner := theme.InnerPadding()
	h := p.search.MinSize().Height
	group := float32(0)
	if p.group.Visible() {
		group = min(groupMost, p.group.MinSize().Width+20)
		if narrow {
			group = min(group, (width-2*edge-8)*0.45)
		}
	}
	right := width - edge
	p.group.Move(fyne.NewPos(right-group, y))
	p.group.Resize(fyne.NewSize(group, h))
	if group > 0 {
		right -= group + 8
	}
	left := edge
	if !narrow {
		left = max(edge, right-searchWidth)
		title := left - edge - 8
		p.title.Move(fyne.NewPos(edge-inner, y+(h-p.title.MinSize().Height)/2))
		p.title.Resize(fyne.NewSize(title, p.title.MinSize().Height))
	}
	p.search.Move(fyne.NewPos(left, y))
	p.search.Resize(fyne.NewSize(right-left, h))
	return y + h + 14
}

// setWords gives a button its words where there is room.
func setWords(b *keyButton, text string, narrow bool) {
	if narrow {
		text = ""
	}
	if b.Text != text {
		b.SetText(text)
	}
}

// MinSize implements fyne.Layout.
func (l *libraryLayout) MinSize([]fyne.CanvasObject) fyne.Size {
	return fyne.NewSize(320, 320)
}
