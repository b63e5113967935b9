package view

import (
	"image/color"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/theme"

	"coral/player"
)

// controls are what lies over the picture while the pointer moves: above, where
// one is; below, the seek bar and the buttons.
type controls struct {
	root   *fyne.Container
	emit   func(Intent)
	model  *Model
	stir   func()
	mini   bool
	narrow bool

	back, star, link *control
	title, group     *canvas.Text

	seek                  *seekBar
	play, previous, next  *control
	mute                  *control
	volume                *volumeBar
	live                  *control
	time                  *canvas.Text
	captions, tune, small *control
	full                  *control
	foot                  []fyne.CanvasObject // left to right
	helpGround            *canvas.Rectangle
	help                  *canvas.Text
	helped                *control
	edge                  liveEdge
}

// The controls' measures.
const (
	controlsPad = 10
	// controlsFoot is how much of the picture's foot they cover: captions stand
	// above.
	controlsFoot   = 84
	controlsNarrow = 620
)

func newControls(emit func(Intent), k *keys, stir func(), menus func(*control)) *controls {
	c := &controls{emit: emit, stir: stir}
	button := func(icon, help string, tapped func()) *control {
		b := newControl(icon, "", func() { c.explain(nil); tapped() }).with(help) // what it opens may take the pointer away
		b.key, b.letter = k.key, k.letter
		b.stirred = func(b *control) { c.explain(b); stir() }
		b.left = func() { c.explain(nil) }
		return b
	}
	c.title, c.group = canvas.NewText("", color.White), canvas.NewText("", color.NRGBA{255, 255, 255, 0xc0})
	c.title.TextStyle.Bold = true
	c.title.TextSize, c.group.TextSize = look{}.Size(theme.SizeNameSubHeadingText), look{}.Size(theme.SizeNameCaptionText)
	c.time = canvas.NewText("", color.White)
	c.time.TextSize = look{}.Size(theme.SizeNameText)

	c.back = button("back", lang.L("Back to the channels (Esc)"), func() { emit(GoTo{PageLibrary}) })
	c.star = button("star", lang.L("Favourite"), func() {
		ch := c.model.Watching.Channel
		emit(SetFavorite{ch.ID, !ch.Favorite})
	})
	c.link = button("link", lang.L("Share this channel"), func() { emit(ShareChannel{c.model.Watching.Channel.ID}) })

	c.seek = newSeekBar(k, func(t time.Duration) { emit(Seek{t}) }, stir)
	c.play = button("play", lang.L("Play (Space)"), func() { emit(playPause(c.model)) })
	c.previous = button("previous", lang.L("Previous channel (Page Up)"), func() { emit(Zap{-1}) })
	c.next = button("next", lang.L("Next channel (Page Down)"), func() { emit(Zap{1}) })
	c.mute = button("volume", lang.L("Mute (M)"), func() { emit(SetMute{!c.model.Watching.Player.Muted}) })
	c.volume = newVolumeBar(func(v int) { emit(SetVolume{v}) }, stir)
	c.live = button("", lang.L("Go to the live edge (End)"), func() { emit(GoLive{}) })
	c.captions = button("captions", lang.L("Subtitles (C)"), nil)
	c.captions.tapped = func() { menus(c.captions) }
	c.tune = button("tune", lang.L("Rendition, sound, speed"), nil)
	c.tune.tapped = func() { menus(c.tune) }
	c.small = button("mini", lang.L("Mini player (P)"), func() { emit(SetMiniPlayer{!c.model.Watching.MiniPlayer}) })
	c.full = button("full", lang.L("Full screen (F)"), func() { emit(SetFullScreen{!c.model.Watching.FullScreen}) })
	c.foot = []fyne.CanvasObject{
		c.play, c.previous, c.next, c.mute, c.volume, c.live, c.time, c.captions, c.tune, c.small, c.full,
	}
	c.helpGround, c.help = canvas.NewRectangle(color.NRGBA{0, 0, 0, 0xd8}), canvas.NewText("", color.White)
	c.helpGround.CornerRadius, c.help.TextSize = 6, look{}.Size(theme.SizeNameCaptionText)
	c.helpGround.Hide()
	c.help.Hide()

	c.root = container.NewWithoutLayout(c.back, c.title, c.group, c.star, c.link, c.seek)
	c.root.Objects = append(c.root.Objects, c.foot...)
	c.root.Objects = append(c.root.Objects, c.helpGround, c.help)
	c.root.Layout = controlsLayout{c}
	return c
}

// explain says what the button under the pointer does.
func (c *controls) explain(b *control) {
	if b == c.helped {
		return
	}
	c.helped = b
	on := b != nil && b.hovered
	show(c.helpGround, on)
	show(c.help, on)
	if on {
		c.help.Text = b.help
		c.placeHelp()
		c.help.Refresh()
	}
}

func (c *controls) placeHelp() {
	m := c.help.MinSize()
	s := c.root.Size()
	b := c.helped
	x := b.Position().X + b.Size().Width/2 - m.Width/2
	x = min(s.Width-m.Width-16, max(16, x))
	y := b.Position().Y + b.Size().Height + 8 // below a button on top
	if b.Position().Y > s.Height/2 {
		y = c.seek.Position().Y - 22
	}
	c.help.Move(fyne.NewPos(x, y))
	c.help.Resize(m)
	c.helpGround.Move(fyne.NewPos(x-8, y-4))
	c.helpGround.Resize(m.AddWidthHeight(16, 8))
}

// show maps m to the buttons; only what differs is drawn anew.
func (c *controls) show(m *Model) {
	c.model = m
	w := m.Watching
	p := w.Player
	news := c.mini != w.MiniPlayer
	c.mini = w.MiniPlayer

	c.play.set(playIcon(p), "")
	c.play.help = lang.L("Pause (Space)")
	if c.play.icon != "pause" {
		c.play.help = lang.L("Play (Space)")
	}
	c.mute.set(volumeIcon(p), "")
	c.volume.show(p.Volume, p.Muted)
	icon := "star"
	if w.Channel.Favorite {
		icon = "starred"
	}
	c.star.set(icon, "")
	icon = "mini"
	if w.MiniPlayer {
		icon = "mini-exit"
	}
	c.small.set(icon, "")
	icon = "full"
	if w.FullScreen {
		icon = "full-exit"
	}
	c.full.set(icon, "")
	ink := theme.ColorNameForeground
	if chosenSubtitle(w) != nil {
		ink = theme.ColorNamePrimary
	}
	c.captions.paint(ink, "", "")
	c.seek.set(reachOf(p))
	news = c.showTime(p, m) || news

	zap := len(m.Channels) > 1 && !c.mini
	for o, on := range map[fyne.CanvasObject]bool{
		c.previous: zap && !c.narrow, c.next: zap && !c.narrow, c.volume: !c.narrow && !c.mini,
		c.live: p.Live && !c.mini, c.time: !c.mini && c.time.Text != "", c.captions: len(w.Subtitles) > 1 && !c.mini,
		c.tune: !c.mini, c.full: !c.mini, c.star: !c.mini, c.link: !c.mini && !w.Channel.Plain, c.back: !c.mini,
		c.title: !c.mini, c.group: !c.mini,
	} {
		if o.Visible() != on {
			show(o, on)
			news = true
		}
	}
	news = setText(c.title, w.Channel.Name) || news
	news = setText(c.group, w.Channel.Group) || news
	if news {
		c.root.Refresh()
	}
}

// showTime shows the live badge, or where a recording is.
func (c *controls) showTime(p player.State, m *Model) (news bool) {
	text := ""
	switch {
	case p.Live:
		atEdge := c.edge.at(p, m.Settings.Latency)
		label, dot := lang.L("Live"), theme.ColorNameError
		if !atEdge {
			label, dot = lang.L("Go live"), theme.ColorNameDisabled
			text = lang.L("{{.Time}} behind", map[string]any{"Time": playTime(p.Behind)})
		}
		news = c.live.text != label
		c.live.set("", label)
		c.live.paint(theme.ColorNameForeground, "", dot)
	case p.Duration > 0:
		text = playTime(p.Position) + " / " + playTime(p.Duration)
	case p.Position > 0:
		text = playTime(p.Position)
	}
	if p.Speed > 0 && p.Speed != 1 {
		text += "  " + speedText(p.Speed)
	}
	// The width is what moves the others, and digits are not all as wide.
	if grows := len(c.time.Text) != len(text); setText(c.time, text) && grows {
		news = true
	}
	return news
}

func setText(t *canvas.Text, text string) bool {
	if t.Text == text {
		return false
	}
	t.Text = text
	t.Refresh()
	return true
}

func speedText(s float64) string { return decimal(s, 2) + "×" }

func playIcon(p player.State) string {
	switch {
	case p.Phase == player.Ended:
		return "replay"
	case p.Paused:
		return "play"
	}
	return "pause"
}

func volumeIcon(p player.State) string {
	switch {
	case p.Muted || p.Volume == 0:
		return "mute"
	case p.Volume < 50:
		return "volume-low"
	}
	return "volume"
}

// playPause is what the large button says now.
func playPause(m *Model) Intent {
	p := m.Watching.Player
	switch p.Phase {
	case player.Ended:
		return Seek{p.SeekStart}
	case player.Failed:
		return Retry{}
	}
	return SetPaused{!p.Paused}
}

// liveEdge knows how near to the live edge a channel gets: what one calls live
// differs by its segments' length.
type liveEdge struct {
	least time.Duration // the least seen; 0: none
}

const (
	liveUsual = 8 * time.Second  // behind the edge: what is live at any rate
	liveFar   = 25 * time.Second // and what never is
	liveSlack = 4 * time.Second  // to and fro
)

// at says whether p plays live.
func (e *liveEdge) at(p player.State, wanted time.Duration) bool {
	if p.Phase == player.Playing && !p.Paused && p.Behind > 0 && (e.least == 0 || p.Behind < e.least) {
		e.least = p.Behind
	}
	return p.Behind <= min(liveFar, max(liveUsual, wanted, e.least))+liveSlack
}

// controlsLayout lays out the two strips.
type controlsLayout struct{ c *controls }

// Layout implements fyne.Layout.
func (l controlsLayout) Layout(_ []fyne.CanvasObject, s fyne.Size) {
	c := l.c
	if narrow := s.Width < controlsNarrow; narrow != c.narrow {
		c.narrow = narrow // the next Show shows and hides
	}
	l.top(s)
	y := s.Height - controlSize - controlsPad
	c.seek.Move(fyne.NewPos(controlsPad+6, y-seekHeight-2))
	c.seek.Resize(fyne.NewSize(s.Width-2*controlsPad-12, seekHeight))
	l.bottom(s, y)
	if c.help.Visible() {
		c.placeHelp()
	}
}

func (l controlsLayout) top(s fyne.Size) {
	c := l.c
	x := float32(controlsPad)
	place := func(o fyne.CanvasObject, x, y float32) { o.Move(fyne.NewPos(x, y)); o.Resize(o.MinSize()) }
	place(c.back, x, controlsPad)
	x += controlSize + 8
	t, g := c.title.MinSize(), c.group.MinSize()
	if c.group.Text == "" {
		g.Height = 0
	}
	y := controlsPad + (controlSize-t.Height-g.Height)/2
	place(c.title, x, y)
	place(c.group, x, y+t.Height)
	x = s.Width - controlsPad - controlSize
	if c.link.Visible() {
		place(c.link, x, controlsPad)
		x -= controlSize + 4
	}
	place(c.star, x, controlsPad)
}

func (l controlsLayout) bottom(s fyne.Size, y float32) {
	c := l.c
	x := float32(controlsPad)
	place := func(o fyne.CanvasObject) {
		m := o.MinSize()
		o.Move(fyne.NewPos(x, y+(controlSize-m.Height)/2))
		o.Resize(m)
	}
	for _, o := range []fyne.CanvasObject{c.play, c.previous, c.next, c.mute, c.volume, c.live, c.time} {
		if !o.Visible() {
			continue
		}
		if o == fyne.CanvasObject(c.live) || o == fyne.CanvasObject(c.time) {
			x += 8
		}
		place(o)
		x += o.MinSize().Width + 4
	}
	x = s.Width - controlsPad
	for _, o := range []fyne.CanvasObject{c.full, c.small, c.tune, c.captions} {
		if o.Visible() {
			x -= controlSize
			place(o)
			x -= 4
		}
	}
}

// MinSize implements fyne.Layout.
func (controlsLayout) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.Size{} }
