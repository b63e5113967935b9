package view

import (
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// noticeStack shows what happened as cards, the newest on top. It takes the keyboard
// from nobody.
type noticeStack struct {
	emit  func(Intent)
	root  *fyne.Container
	shown []Notice
	more  *note
	top   float32   // of the window, that is not the page's
	space fyne.Size // the window's
}

const (
	noticeWidth = 380
	noticeEdge  = 14
	// noticeMost is how many cards are shown; the rest is counted.
	noticeMost = 3
)

func newNoticeStack(emit func(Intent)) *noticeStack {
	n := &noticeStack{emit: emit, more: newHint("")}
	n.root = newColumn(8)
	n.root.Hide()
	return n
}

// Object implements page.
func (n *noticeStack) Object() fyne.CanvasObject { return n.root }

// Show implements page.
func (n *noticeStack) Show(m *Model) {
	same := func(a, b Notice) bool { // an Intent may hold what cannot be compared
		return a.ID == b.ID && a.Text == b.Text && a.Hint == b.Hint && a.Action == b.Action && a.Kind == b.Kind
	}
	if slices.EqualFunc(n.shown, m.Notices, same) {
		return
	}
	n.shown = slices.Clone(m.Notices)
	n.root.Objects = nil
	for _, notice := range n.shown[:min(len(n.shown), noticeMost)] {
		n.root.Objects = append(n.root.Objects, newNoticeCard(notice, n.emit))
	}
	if rest := len(n.shown) - noticeMost; rest > 0 {
		n.more.set(lang.N("{{.PluralCount}} more notices", rest))
		n.root.Objects = append(n.root.Objects, newPanel(n.more, 0))
	}
	show(n.root, len(n.shown) > 0)
	n.settle()
}

// place is told the window's size, and how much of its head is not the page's.
func (n *noticeStack) place(top float32, s fyne.Size) {
	n.top, n.space = top, s
	n.settle()
}

// settle puts the cards where they cover least: into the lower right corner; over
// the picture, whose controls are there, into the upper one, below those.
func (n *noticeStack) settle() {
	w := max(0, min(noticeWidth, n.space.Width-2*noticeEdge))
	n.root.Resize(fyne.NewSize(w, n.root.MinSize().Height)) // wraps the words
	n.root.Refresh()
	h := n.root.MinSize().Height
	n.root.Resize(fyne.NewSize(w, h))
	y := max(n.top, n.space.Height-h-noticeEdge)
	if n.top == 0 {
		y = min(y, 2*controlsPad+controlSize)
	}
	n.root.Move(fyne.NewPos(n.space.Width-w-noticeEdge, y))
}

// noticeCard is one notice: its kind as an icon and an edge, its words, what
// to do.
type noticeCard struct {
	widget.BaseWidget
	kind    NoticeKind
	content *fyne.Container
}

func newNoticeCard(n Notice, emit func(Intent)) *noticeCard {
	c := &noticeCard{kind: n.Kind}
	dismiss := newControl("close", "", func() { emit(Dismiss{n.ID}) }).with(lang.L("Dismiss"))
	words := []fyne.CanvasObject{newHeading(n.Text, theme.SizeNameText)}
	if n.Hint != "" {
		words = append(words, newNote(n.Hint, theme.ColorNamePlaceHolder, theme.SizeNameText))
	}
	if n.Action != "" {
		act := newControl("", n.Action, func() {
			if n.Intent != nil {
				emit(n.Intent)
			}
			emit(Dismiss{n.ID})
		})
		act.fill = theme.ColorNameButton
		words = append(words, container.New(inset{8, 8}, container.NewHBox(act)))
	}
	c.content = container.NewBorder(nil, nil, nil, container.New(column{}, dismiss), newColumn(-10, words...))
	c.ExtendBaseWidget(c)
	return c
}

// noticeInk is the icon and the colour of a kind.
func noticeInk(k NoticeKind) (icon string, ink fyne.ThemeColorName) {
	switch k {
	case Problem:
		return "problem", theme.ColorNameError
	case Warning:
		return "warning", theme.ColorNameWarning
	}
	return "info", colourOrigin
}

// CreateRenderer implements fyne.Widget.
func (c *noticeCard) CreateRenderer() fyne.WidgetRenderer {
	r := &noticeRenderer{card: c, shadow: canvas.NewRectangle(nil), ground: canvas.NewRectangle(nil), icon: canvas.NewImageFromResource(nil)}
	r.icon.FillMode = canvas.ImageFillContain
	r.Refresh()
	return r
}

const (
	noticeIcon = 22
	noticePad  = 6
	noticeText = 40 // where the words begin
)

type noticeRenderer struct {
	card           *noticeCard
	shadow, ground *canvas.Rectangle
	icon           *canvas.Image
}

func (r *noticeRenderer) Layout(s fyne.Size) {
	r.shadow.Move(fyne.NewPos(-3, -1))
	r.shadow.Resize(s.AddWidthHeight(6, 6))
	r.ground.Resize(s)
	r.icon.Move(fyne.NewPos(14, noticePad+7))
	r.icon.Resize(fyne.NewSquareSize(noticeIcon))
	r.card.content.Move(fyne.NewPos(noticeText, noticePad))
	r.card.content.Resize(fyne.NewSize(s.Width-noticeText-noticePad, s.Height-2*noticePad))
}

func (r *noticeRenderer) MinSize() fyne.Size {
	return r.card.content.MinSize().AddWidthHeight(noticeText+noticePad, 2*noticePad)
}

func (r *noticeRenderer) Refresh() {
	icon, ink := noticeInk(r.card.kind)
	r.shadow.FillColor, r.shadow.CornerRadius = colour(r.card, theme.ColorNameShadow), panelRadius+3
	r.ground.FillColor, r.ground.CornerRadius = colour(r.card, theme.ColorNameMenuBackground), panelRadius
	r.ground.StrokeColor, r.ground.StrokeWidth = colour(r.card, theme.ColorNameInputBorder), 1
	r.icon.Resource = glyph(r.card, icon, ink, noticeIcon)
	r.icon.Refresh()
	r.Layout(r.card.Size())
	canvas.Refresh(r.card)
}

func (r *noticeRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.shadow, r.ground, r.icon, r.card.content}
}

func (r *noticeRenderer) Destroy() {}
