package view

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// channelActions is what a grid's user may do with a channel.
type channelActions struct {
	play, favourite, forget, rename func(Channel)
	menu                            func(Channel, fyne.Position) // at a place on the canvas
	search                          func()
	logo                            func(Channel) // it is in sight, and has a logo that is not there
}

// channelGrid shows any number of channels as cards; only those in sight exist.
type channelGrid struct {
	widget.BaseWidget
	act     channelActions
	posters posters

	channels []Channel
	asked    map[string]bool // IDs whose logos were asked for
	cursor   string          // ID of the channel that the keyboard is at; "": the first
	focused  bool
	laid     float32 // width of the last layout

	scroll *container.Scroll
	field  *fyne.Container  // as high as all rows; its objects are the cards in sight
	cards  map[string]*card // those, by channel
	spare  []*card
}

var (
	_ fyne.Focusable = (*channelGrid)(nil)
	_ fyne.Tappable  = (*channelGrid)(nil)
)

func newChannelGrid(act channelActions) *channelGrid {
	g := &channelGrid{act: act, cards: make(map[string]*card), asked: make(map[string]bool)}
	g.field = container.New(fieldLayout{g})
	g.scroll = container.NewVScroll(g.field)
	g.scroll.OnScrolled = func(fyne.Position) { g.arrange() }
	g.ExtendBaseWidget(g)
	return g
}

// show shows channels. They are not changed.
func (g *channelGrid) show(channels []Channel) {
	if len(channels) == len(g.channels) {
		same := true
		for i := range channels {
			if !sameChannel(channels[i], g.channels[i]) {
				same = false
				break
			}
		}
		if same {
			return
		}
	}
	rows := g.rows()
	g.channels = channels
	if g.rows() != rows {
		g.scroll.Refresh() // the field's height is another one
	}
	g.arrange()
}

// The grid's measures: cards are a fifth of the width, within bounds that keep
// two beside one another on a telephone and six on a large display.
const (
	cardGap   = 20
	gridEdge  = 24 // left and right
	slimEdge  = 12 // likewise, in a narrow window
	cardLeast = 140
	cardMost  = 280
)

// edgeOf is the margin of a library of a width.
func edgeOf(width float32) float32 {
	if width < libraryNarrow {
		return slimEdge
	}
	return gridEdge
}

// shape returns how many cards stand in a row, and their width.
func (g *channelGrid) shape() (columns int, width float32) {
	w := max(cardLeast, g.laid-2*edgeOf(g.laid))
	wish := min(cardMost, max(cardLeast, w/5))
	columns = max(1, int((w+cardGap)/(wish+cardGap)))
	return columns, (w - float32(columns-1)*cardGap) / float32(columns)
}

func (g *channelGrid) rows() int {
	columns, _ := g.shape()
	return (len(g.channels) + columns - 1) / columns
}

// pitch is the distance from one row to the next.
func (g *channelGrid) pitch() float32 {
	_, w := g.shape()
	return cardHeight(w) + cardGap
}

func (g *channelGrid) place(i int) (pos fyne.Position, size fyne.Size) {
	columns, w := g.shape()
	return fyne.NewPos(edgeOf(g.laid)+float32(i%columns)*(w+cardGap), 6+float32(i/columns)*g.pitch()), fyne.NewSize(w, cardHeight(w))
}

// arrange gives each channel in sight a card and takes those out of sight away.
func (g *channelGrid) arrange() {
	columns, _ := g.shape()
	top, height := g.scroll.Offset.Y, g.scroll.Size().Height
	if height <= 0 {
		return
	}
	first := max(0, int((top-6)/g.pitch())) * columns
	last := min(len(g.channels), (int((top+height)/g.pitch())+1)*columns)
	first = min(first, last)

	seen := make(map[string]bool, last-first)
	for _, c := range g.channels[first:last] {
		seen[c.ID] = true
	}
	for id, c := range g.cards {
		if !seen[id] {
			delete(g.cards, id)
			c.MouseOut()
			g.spare = append(g.spare, c)
		}
	}
	objects := make([]fyne.CanvasObject, 0, last-first)
	at := g.at()
	for i := first; i < last; i++ {
		ch := g.channels[i]
		c := g.cards[ch.ID]
		if c == nil {
			c = g.unused()
			g.cards[ch.ID] = c
		}
		pos, size := g.place(i)
		c.Resize(size)
		c.Move(pos)
		c.set(ch, g.focused && i == at)
		if ch.Logo && ch.Poster == nil && !g.asked[ch.ID] {
			g.asked[ch.ID] = true
			g.act.logo(ch)
		}
		objects = append(objects, c)
	}
	g.field.Objects = objects
	canvas.Refresh(g.field) // not field.Refresh: that refreshes each card
}

func (g *channelGrid) unused() *card {
	if n := len(g.spare); n > 0 {
		c := g.spare[n-1]
		g.spare = g.spare[:n-1]
		return c
	}
	return newCard(g)
}

// at returns the index that the keyboard is at; -1: there is nothing.
func (g *channelGrid) at() int {
	for i, c := range g.channels {
		if c.ID == g.cursor {
			return i
		}
	}
	return min(0, len(g.channels)-1)
}

// mark takes the keyboard to a channel, without scrolling: it was pressed.
func (g *channelGrid) mark(id string) {
	g.cursor = id
	focusOn(g)
	g.arrange()
}

// moveTo takes the keyboard to the i-th channel and shows it.
func (g *channelGrid) moveTo(i int) {
	if len(g.channels) == 0 {
		return
	}
	i = min(len(g.channels)-1, max(0, i))
	g.cursor = g.channels[i].ID
	pos, size := g.place(i)
	offset, height := g.scroll.Offset.Y, g.scroll.Size().Height
	switch {
	case pos.Y-cardGap/2 < offset:
		offset = pos.Y - cardGap/2
	case pos.Y+size.Height+cardGap/2 > offset+height:
		offset = pos.Y + size.Height + cardGap/2 - height
	}
	g.scroll.ScrollToOffset(fyne.NewPos(0, max(0, offset)))
	g.arrange()
}

// Tapped implements fyne.Tappable: between the cards.
func (g *channelGrid) Tapped(*fyne.PointEvent) { focusOn(g) }

// FocusGained implements fyne.Focusable.
func (g *channelGrid) FocusGained() { g.focused = true; g.arrange() }

// FocusLost implements fyne.Focusable.
func (g *channelGrid) FocusLost() { g.focused = false; g.arrange() }

// TypedRune implements fyne.Focusable.
func (g *channelGrid) TypedRune(r rune) {
	switch r {
	case '/':
		g.act.search()
	case '*':
		g.with(g.act.favourite)
	default: // the window has keys of its own
		if c := canvasOf(g); c != nil && c.OnTypedRune() != nil {
			c.OnTypedRune()(r)
		}
	}
}

func (g *channelGrid) with(do func(Channel)) {
	if i := g.at(); i >= 0 {
		do(g.channels[i])
	}
}

// TypedKey implements fyne.Focusable.
func (g *channelGrid) TypedKey(e *fyne.KeyEvent) {
	columns, _ := g.shape()
	i := g.at()
	page := max(1, int(g.scroll.Size().Height/g.pitch())) * columns
	switch e.Name {
	case fyne.KeyLeft:
		g.moveTo(i - 1)
	case fyne.KeyRight:
		g.moveTo(i + 1)
	case fyne.KeyUp:
		if i < columns {
			g.act.search()
			return
		}
		g.moveTo(i - columns)
	case fyne.KeyDown:
		g.moveTo(i + columns)
	case fyne.KeyPageUp:
		g.moveTo(max(i-page, i%columns))
	case fyne.KeyPageDown:
		g.moveTo(i + page)
	case fyne.KeyHome:
		g.moveTo(0)
	case fyne.KeyEnd:
		g.moveTo(len(g.channels) - 1)
	case fyne.KeyReturn, fyne.KeyEnter, fyne.KeySpace:
		g.with(g.act.play)
	case fyne.KeyDelete:
		g.with(g.act.forget)
	case fyne.KeyF2:
		g.with(g.act.rename)
	case desktop.KeyMenu:
		g.menuAtCursor()
	default:
		if c := canvasOf(g); c != nil && c.OnTypedKey() != nil {
			c.OnTypedKey()(e)
		}
	}
}

func (g *channelGrid) menuAtCursor() {
	i := g.at()
	if i < 0 {
		return
	}
	g.moveTo(i)
	pos, size := g.place(i)
	origin := fyne.CurrentApp().Driver().AbsolutePositionForObject(g.scroll)
	g.act.menu(g.channels[i], origin.Add(pos).AddXY(size.Width/2, size.Height/2-g.scroll.Offset.Y))
}

// CreateRenderer implements fyne.Widget.
func (g *channelGrid) CreateRenderer() fyne.WidgetRenderer {
	return &gridRenderer{g}
}

type gridRenderer struct{ grid *channelGrid }

func (r *gridRenderer) Layout(s fyne.Size) {
	g := r.grid
	at := g.at()
	_, before := g.place(max(0, at))
	g.laid = s.Width
	g.scroll.Resize(s)
	g.scroll.Refresh()
	if _, after := g.place(max(0, at)); after != before && at > 0 && g.focused {
		g.moveTo(at) // other rows now: what was in sight stays so
	}
	g.arrange()
}

func (r *gridRenderer) MinSize() fyne.Size { return fyne.NewSize(cardLeast+2*slimEdge, 120) }

func (r *gridRenderer) Refresh() {
	r.grid.spare = nil // they have missed a change of theme
	r.grid.scroll.Refresh()
	for _, c := range r.grid.cards {
		c.Refresh()
	}
}

func (r *gridRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.grid.scroll} }

func (r *gridRenderer) Destroy() {}

// fieldLayout only says how high the field is: the grid places the cards.
type fieldLayout struct{ grid *channelGrid }

func (l fieldLayout) Layout([]fyne.CanvasObject, fyne.Size) {}

func (l fieldLayout) MinSize([]fyne.CanvasObject) fyne.Size {
	rows := l.grid.rows()
	return fyne.NewSize(cardLeast, float32(rows)*l.grid.pitch()+themeOf(l.grid).Size(theme.SizeNamePadding))
}
