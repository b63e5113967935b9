package view

import (
	"image"
	"image/color"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"coral/app/settings"
)

// card shows one channel. Cards are used again for other channels while the
// grid scrolls.
type card struct {
	widget.BaseWidget
	grid     *channelGrid
	channel  Channel
	marked   bool // the keyboard is here
	hovered  bool
	overStar bool
	overMore bool
}

var (
	_ fyne.Tappable          = (*card)(nil)
	_ fyne.SecondaryTappable = (*card)(nil)
	_ desktop.Hoverable      = (*card)(nil)
	_ desktop.Cursorable     = (*card)(nil)
)

// A card's measures. Below the poster stand the name and a line about it.
const (
	cardText   = 48 // height of the two lines
	cardIcon   = 20
	cardTarget = 36 // of what can be pressed
)

func newCard(g *channelGrid) *card {
	c := &card{grid: g}
	c.ExtendBaseWidget(c)
	return c
}

func (c *card) set(ch Channel, marked bool) {
	if sameChannel(c.channel, ch) && c.marked == marked {
		return
	}
	c.channel, c.marked = ch, marked
	c.Refresh()
}

// sameChannel says whether two channels look the same. Posters are compared by
// identity; an image of a type that cannot be compared would be a struct held
// by value, which no decoder returns.
func sameChannel(a, b Channel) bool { return a == b }

// cardHeight is how high a card of a width is.
func cardHeight(w float32) float32 { return posterHigh(w) + cardText }

func posterHigh(w float32) float32 { return w * 9 / 16 }

func (c *card) inStar(p fyne.Position) bool {
	return p.X >= c.Size().Width-cardTarget && p.Y < cardTarget
}

func (c *card) inMore(p fyne.Position) bool {
	return p.X >= c.Size().Width-cardTarget && p.Y >= posterHigh(c.Size().Width)
}

// Tapped implements fyne.Tappable.
func (c *card) Tapped(e *fyne.PointEvent) {
	c.grid.mark(c.channel.ID)
	switch {
	case c.inStar(e.Position):
		c.grid.act.favourite(c.channel)
	case c.inMore(e.Position):
		c.grid.act.menu(c.channel, e.AbsolutePosition)
	default:
		c.grid.act.play(c.channel)
	}
}

// TappedSecondary implements fyne.SecondaryTappable.
func (c *card) TappedSecondary(e *fyne.PointEvent) {
	c.grid.mark(c.channel.ID)
	c.grid.act.menu(c.channel, e.AbsolutePosition)
}

// MouseIn implements desktop.Hoverable.
func (c *card) MouseIn(e *desktop.MouseEvent) { c.hovered = true; c.over(e.Position); c.Refresh() }

// MouseMoved implements desktop.Hoverable.
func (c *card) MouseMoved(e *desktop.MouseEvent) {
	if c.over(e.Position) {
		c.Refresh()
	}
}

// MouseOut implements desktop.Hoverable.
func (c *card) MouseOut() {
	c.hovered, c.overStar, c.overMore = false, false, false
	c.Refresh()
}

func (c *card) over(p fyne.Position) (changed bool) {
	star, more := c.inStar(p), c.inMore(p)
	changed = star != c.overStar || more != c.overMore
	c.overStar, c.overMore = star, more
	return changed
}

// Cursor implements desktop.Cursorable.
func (c *card) Cursor() desktop.Cursor { return desktop.PointerCursor }

// badge returns the words on the poster's corner, and whether they are those of
// something live.
func (c *card) badge() (text string, live bool) {
	switch {
	case c.channel.Playing:
		return lang.L("Playing"), true
	case c.channel.State == Live:
		return lang.L("Live"), true
	case c.channel.State == Recording:
		return lang.L("Recording"), false
	case c.channel.State == OffAir:
		return lang.L("Off air"), false
	}
	return "", false
}

// line is what stands below the name.
func (c *card) line() string {
	ch := c.channel
	parts := make([]string, 0, 3)
	if ch.State == Live && ch.Peers > 0 {
		parts = append(parts, lang.N("{{.PluralCount}} viewers", ch.Peers))
	} else if !ch.Playing && !ch.LastSeen.IsZero() {
		parts = append(parts, ago(ch.LastSeen, time.Now()))
	}
	if ch.Group != "" {
		parts = append(parts, ch.Group)
	}
	switch {
	case ch.Plain:
		parts = append(parts, lang.L("not shared"))
	case ch.Consent == settings.Share:
		parts = append(parts, lang.L("always shared"))
	case ch.Consent == settings.WatchOnly:
		parts = append(parts, lang.L("watch only"))
	}
	return joinDots(parts)
}

// CreateRenderer implements fyne.Widget.
func (c *card) CreateRenderer() fyne.WidgetRenderer {
	r := &cardRenderer{
		card: c, ground: canvas.NewImageFromImage(nil), logo: canvas.NewImageFromImage(nil), letters: canvas.NewText("", color.White),
		shade: canvas.NewRectangle(nil), play: canvas.NewImageFromResource(iconPlayDisc), ring: canvas.NewRectangle(nil),
		badge: canvas.NewRectangle(nil), dot: canvas.NewCircle(color.White), badgeText: canvas.NewText("", color.White),
		star: canvas.NewImageFromResource(iconStar), starGround: canvas.NewCircle(nil), more: canvas.NewImageFromResource(theme.MoreVerticalIcon()),
		name: newLine(theme.ColorNameForeground, theme.SizeNameText), line: newLine(theme.ColorNamePlaceHolder, theme.SizeNameCaptionText),
	}
	r.ground.FillMode, r.ground.ScaleMode = canvas.ImageFillCover, canvas.ImageScaleFastest
	r.logo.FillMode, r.logo.ScaleMode = canvas.ImageFillContain, canvas.ImageScaleFastest
	r.name.segment.Style.TextStyle.Bold = true
	r.ring.CornerRadius, r.ground.CornerRadius, r.shade.CornerRadius = panelRadius, panelRadius, panelRadius
	r.badge.CornerRadius = 6
	r.Refresh()
	return r
}

type cardRenderer struct {
	card               *card
	ground, logo       *canvas.Image
	letters, badgeText *canvas.Text
	shade, ring, badge *canvas.Rectangle
	dot, starGround    *canvas.Circle
	play, star, more   *canvas.Image
	name, line         *note
	shownPoster        image.Image
	shownName          string
	shownStar          bool
}

func (r *cardRenderer) Layout(s fyne.Size) {
	w, h := s.Width, posterHigh(s.Width)
	poster := fyne.NewSize(w, h)
	for _, o := range []fyne.CanvasObject{r.ground, r.shade} {
		o.Resize(poster)
	}
	r.ring.Move(fyne.NewSquareOffsetPos(-4))
	r.ring.Resize(poster.AddWidthHeight(8, 8))
	r.ring.CornerRadius = panelRadius + 4
	r.logo.Move(fyne.NewPos(w*0.18, h*0.18))
	r.logo.Resize(fyne.NewSize(w*0.64, h*0.64))

	r.letters.TextSize = h * 0.32
	m := r.letters.MinSize()
	r.letters.Move(fyne.NewPos((w-m.Width)/2, (h-m.Height)/2))
	r.letters.Resize(m)

	disc := min(56, h*0.42)
	r.play.Move(fyne.NewPos((w-disc)/2, (h-disc)/2))
	r.play.Resize(fyne.NewSquareSize(disc))

	b := r.badgeText.MinSize()
	x := float32(8 + 8)
	if r.dot.Visible() {
		r.dot.Move(fyne.NewPos(x, 8+(b.Height+6-7)/2))
		r.dot.Resize(fyne.NewSquareSize(7))
		x += 12
	}
	r.badgeText.Move(fyne.NewPos(x, 8+3))
	r.badgeText.Resize(b)
	r.badge.Move(fyne.NewPos(8, 8))
	r.badge.Resize(fyne.NewSize(x+b.Width, b.Height+6))

	r.starGround.Move(fyne.NewPos(w-cardTarget+3, 5))
	r.starGround.Resize(fyne.NewSquareSize(cardTarget - 8))
	r.star.Move(fyne.NewPos(w-cardTarget+7, 9))
	r.star.Resize(fyne.NewSquareSize(cardIcon))

	pad := themeOf(r.card).Size(theme.SizeNameInnerPadding)
	textWidth := w - cardTarget + 2*pad
	r.name.Move(fyne.NewPos(-pad, h+8-pad))
	r.name.Resize(fyne.NewSize(textWidth, r.name.MinSize().Height))
	r.line.Move(fyne.NewPos(-pad, h+28-pad))
	r.line.Resize(fyne.NewSize(w+2*pad-cardTarget+8, r.line.MinSize().Height))
	r.more.Move(fyne.NewPos(w-cardIcon, h+9))
	r.more.Resize(fyne.NewSquareSize(cardIcon))
}

func (r *cardRenderer) MinSize() fyne.Size { return fyne.NewSize(120, cardHeight(120)) }

func (r *cardRenderer) Refresh() {
	c := r.card
	r.showPoster()
	active := c.hovered || c.marked

	r.ring.FillColor, r.ring.StrokeColor, r.ring.StrokeWidth = color.Transparent, color.Transparent, 0
	if c.marked {
		r.ring.StrokeColor, r.ring.StrokeWidth = colour(c, theme.ColorNamePrimary), 3
	}
	r.shade.FillColor = color.Transparent
	if active {
		r.shade.FillColor = color.NRGBA{0, 0, 0, 70}
	}
	show(r.play, active && !c.overStar)
	show(r.letters, c.channel.Poster == nil && !r.play.Visible())

	text, live := c.badge()
	r.badgeText.Text, r.badgeText.TextSize = text, themeOf(c).Size(theme.SizeNameCaptionText)
	r.badgeText.TextStyle.Bold = true
	r.badge.FillColor = color.NRGBA{0, 0, 0, 150}
	if live {
		r.badge.FillColor = liveColour
	}
	show(r.badge, text != "")
	show(r.badgeText, text != "")
	show(r.dot, live)

	r.showStar(active)
	r.name.set(c.channel.Name)
	r.line.set(c.line())
	r.Layout(c.Size())
	canvas.Refresh(c)
}

// liveColour is the badge's on any poster, in any theme: white on it reads at
// 4.7 to 1.
var liveColour = color.NRGBA{0xd2, 0x2f, 0x3c, 255}

func (r *cardRenderer) showStar(active bool) {
	c := r.card
	on := c.channel.Favorite
	show(r.star, on || active)
	show(r.starGround, on || active)
	r.starGround.FillColor = color.NRGBA{0, 0, 0, 120}
	if c.overStar {
		r.starGround.FillColor = color.NRGBA{0, 0, 0, 200}
	}
	if on != r.shownStar {
		r.shownStar = on
		r.star.Resource = iconStar
		if on {
			r.star.Resource = iconStarred
		}
		r.star.Refresh()
	}
}

// showPoster changes the pictures only if they must: each change is an upload.
func (r *cardRenderer) showPoster() {
	ch := r.card.channel
	if r.shownPoster == ch.Poster && r.shownName == ch.Name && r.ground.Image != nil {
		return
	}
	r.shownPoster, r.shownName = ch.Poster, ch.Name
	r.letters.Text, r.letters.TextStyle.Bold = initials(ch.Name), true
	r.logo.Hide()
	switch {
	case ch.Poster == nil:
		r.ground.Image = r.card.grid.posters.get(ch.Name)
	case wide(ch.Poster):
		r.ground.Image = ch.Poster
	default: // a logo: whole, upon the drawn ground
		r.ground.Image = r.card.grid.posters.get(ch.Name)
		r.logo.Image = ch.Poster
		r.logo.Show()
		r.logo.Refresh()
	}
	r.ground.Refresh()
}

// wide says whether a picture may be cropped to a poster's shape.
func wide(p image.Image) bool {
	b := p.Bounds()
	return b.Dy() > 0 && float64(b.Dx())/float64(b.Dy()) > 1.3 && float64(b.Dx())/float64(b.Dy()) < 2.4
}

func (r *cardRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{
		r.ring, r.ground, r.logo, r.letters, r.shade, r.play, r.badge, r.dot, r.badgeText, r.starGround, r.star, r.name, r.line, r.more,
	}
}

func (r *cardRenderer) Destroy() {}

// show makes o visible or not.
func show(o fyne.CanvasObject, visible bool) {
	if visible && !o.Visible() {
		o.Show()
	} else if !visible && o.Visible() {
		o.Hide()
	}
}
