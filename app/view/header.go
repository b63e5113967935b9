package view

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"coral/assets"
)

// header is the bar on top of every page but the picture's: where one is, where
// one can go, what plays, and what is shared.
type header struct {
	widget.BaseWidget
	emit    func(Intent)
	model   *Model
	tabs    []*control // in the order of tabPages
	playing *control
	sharing *pauseButton
	narrow  bool
}

var tabPages = []Page{PageLibrary, PageSettings, PageAbout}

const (
	headerHeight = 52
	headerPad    = 12
	headerIcon   = 30
	// headerNarrow is the width below which tabs lose their words.
	headerNarrow = 760
)

func newHeader(emit func(Intent)) *header {
	h := &header{emit: emit, sharing: newPauseButton(emit)}
	h.tabs = []*control{
		newControl("library", lang.L("Channels"), func() { emit(GoTo{PageLibrary}) }),
		newControl("gear", lang.L("Settings"), func() { emit(GoTo{PageSettings}) }),
		newControl("info", lang.L("About"), func() { emit(GoTo{PageAbout}) }),
	}
	h.playing = newControl("play", "", func() { emit(GoTo{PageWatch}) })
	h.playing.paint(theme.ColorNameForeground, theme.ColorNameButton, "")
	h.playing.Hide()
	h.ExtendBaseWidget(h)
	return h
}

// show maps m to the buttons.
func (h *header) show(m *Model) {
	h.model = m
	if !h.Visible() {
		return
	}
	h.words()
	for i, p := range tabPages {
		if p == m.Page || p == PageLibrary && m.Page == PageWatch {
			h.tabs[i].paint(theme.ColorNamePrimary, "", "")
		} else {
			h.tabs[i].paint(theme.ColorNameForeground, "", "")
		}
	}
	news := h.sharing.show(m)
	if on := m.Watching != nil; on != h.playing.Visible() {
		show(h.playing, on)
		news = true
	}
	if news {
		h.Refresh()
	}
}

// words gives the buttons as many words as there is room for.
func (h *header) words() {
	for i, full := range []string{lang.L("Channels"), lang.L("Settings"), lang.L("About")} {
		if h.narrow {
			full = ""
		}
		h.tabs[i].set(h.tabs[i].icon, full)
	}
	if h.model == nil || h.model.Watching == nil {
		return
	}
	name := clip(h.model.Watching.Channel.Name, 24)
	if h.narrow {
		name = ""
	}
	h.playing.set("play", name)
}

// CreateRenderer implements fyne.Widget.
func (h *header) CreateRenderer() fyne.WidgetRenderer {
	icon := canvas.NewImageFromResource(assets.Icon())
	icon.FillMode = canvas.ImageFillContain
	brand := canvas.NewText("Coral", nil)
	brand.TextStyle.Bold = true
	gap := canvas.NewRectangle(color.Transparent)
	r := &headerRenderer{header: h, icon: icon, brand: brand, ground: canvas.NewRectangle(nil), edge: canvas.NewRectangle(nil)}
	line := []fyne.CanvasObject{h.tabs[0], h.tabs[1], h.tabs[2], gap, h.playing, h.sharing.control}
	r.line = container.New(row{gap: 4, wide: 3}, line...)
	r.Refresh()
	return r
}

type headerRenderer struct {
	header       *header
	icon         *canvas.Image
	brand        *canvas.Text
	ground, edge *canvas.Rectangle
	line         *fyne.Container
}

func (r *headerRenderer) Layout(s fyne.Size) {
	if narrow := s.Width < headerNarrow; narrow != r.header.narrow {
		r.header.narrow = narrow
		r.header.words()
	}
	r.ground.Resize(s)
	r.edge.Move(fyne.NewPos(0, s.Height-1))
	r.edge.Resize(fyne.NewSize(s.Width, 1))
	r.icon.Move(fyne.NewPos(headerPad, (s.Height-headerIcon)/2))
	r.icon.Resize(fyne.NewSquareSize(headerIcon))
	x := float32(headerPad + headerIcon + 8)
	show(r.brand, !r.header.narrow)
	if r.brand.Visible() {
		m := r.brand.MinSize()
		r.brand.Move(fyne.NewPos(x, (s.Height-m.Height)/2))
		r.brand.Resize(m)
		x += m.Width + 16
	}
	r.line.Move(fyne.NewPos(x, 0))
	r.line.Resize(fyne.NewSize(s.Width-x-headerPad, s.Height))
}

func (r *headerRenderer) MinSize() fyne.Size { return fyne.NewSize(leastWidth, headerHeight) }

func (r *headerRenderer) Refresh() {
	h := r.header
	r.ground.FillColor = colour(h, colourBar)
	r.edge.FillColor = colour(h, theme.ColorNameSeparator)
	r.brand.Color, r.brand.TextSize = colour(h, theme.ColorNameForeground), themeOf(h).Size(theme.SizeNameSubHeadingText)
	r.Layout(h.Size())
	canvas.Refresh(h)
}

func (r *headerRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.ground, r.edge, r.icon, r.brand, r.line}
}

func (r *headerRenderer) Destroy() {}

// pauseButton is the one that pauses sharing, on every page the same.
type pauseButton struct {
	*control
	paused bool
}

func newPauseButton(emit func(Intent)) *pauseButton {
	b := &pauseButton{}
	b.control = newControl("", lang.L("Pause sharing"), func() { emit(PauseSharing{!b.paused}) })
	b.fill = theme.ColorNameButton
	return b
}

// show reports whether the button has changed its size.
func (b *pauseButton) show(m *Model) bool {
	b.paused = m.Sharing.Paused || m.Sharing.State == SharingPaused
	text, dot := lang.L("Pause sharing"), sharingDot(m.Sharing)
	if b.paused {
		text, dot = lang.L("Resume sharing"), theme.ColorNameWarning
	}
	news := b.text != text || b.dot == ""
	b.set("", text)
	b.paint(b.ink, b.fill, dot)
	return news
}

// sharingDot is the colour that says whether something is given.
func sharingDot(s Sharing) fyne.ThemeColorName {
	switch s.State {
	case SharingOn:
		return theme.ColorNameSuccess
	case SharingIdle:
		return theme.ColorNamePlaceHolder
	case SharingPaused, SharingMetered, SharingBattery, SharingSchedule, SharingBudget:
		return theme.ColorNameWarning
	}
	return theme.ColorNameDisabled
}
