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

// watchState is what stands in the middle of the picture when there is none:
// progress, or an error and what to do about it, or how to get libmpv.
type watchState struct {
	root     *fyne.Container
	emit     func(Intent)
	model    *Model
	dots     *dots
	title    *prose
	text     *prose
	command  *prose // what to type; empty: nothing
	frame    fyne.CanvasObject
	copyLine *control
	retry    *control
	again    *control
	browser  *control
	external *control
	back     *control
	buttons  *fyne.Container
	body     *fyne.Container
	scroll   *container.Scroll
	follow   follower
	waiting  time.Time // since when there is no picture; zero: there is
	said     statement
}

// statement is what is said; nothing is drawn while it stays the same.
type statement struct {
	title, text, command                  string
	moving                                bool // something is under way
	retry, again, browser, external, back bool
}

const (
	stateWidth = 520
	// stallPatience is how long a picture may stand still before words about it
	// are more than flicker.
	stallPatience = 700 * time.Millisecond
	// recoverPatience is how long it may take to bring the picture back before one
	// wants to look for the reason oneself.
	recoverPatience = 8 * time.Second
)

func newWatchState(emit func(Intent)) *watchState {
	s := &watchState{emit: emit, dots: newDots()}
	s.title = newProse(theme.SizeNameSubHeadingText, fyne.TextStyle{Bold: true})
	s.text = newProse(theme.SizeNameText, fyne.TextStyle{})
	s.command = newProse(theme.SizeNameText, fyne.TextStyle{Monospace: true})
	button := func(icon, label string, fill fyne.ThemeColorName, tapped func()) *control {
		b := newControl(icon, label, tapped)
		b.fill = fill
		if fill == theme.ColorNamePrimary {
			b.ink = theme.ColorNameForegroundOnPrimary
		}
		b.Hide()
		return b
	}
	s.copyLine = button("copy", lang.L("Copy"), "", func() { emit(CopyText{s.said.command}) })
	s.frame = container.New(middleLine{}, s.command, s.copyLine)
	s.retry = button("retry", lang.L("Try again"), theme.ColorNamePrimary, func() { emit(Retry{}) })
	s.again = button("replay", lang.L("From the beginning"), theme.ColorNamePrimary, func() { emit(playPause(s.model)) })
	s.browser = button("browser", lang.L("Watch in the browser"), theme.ColorNameButton, func() { emit(OpenBrowser{}) })
	s.external = button("player", lang.L("Open in another player"), theme.ColorNameButton, func() { emit(OpenExternal{}) })
	s.back = button("library", lang.L("Back to the channels"), theme.ColorNameButton, func() { emit(CloseChannel{}) })
	s.buttons = container.New(flow{gap: 8}, s.retry, s.again, s.browser, s.external, s.back)
	s.body = newColumn(4, s.dots, s.title, s.text, s.frame, space(0, 10), s.buttons)
	s.scroll = container.NewVScroll(s.body)
	s.root = container.New(middle{stateWidth, s.body}, canvas.NewRectangle(color.NRGBA{0, 0, 0, 0xb0}), s.scroll)
	s.root.Hide()
	return s
}

// asks says whether there is something to press in it.
func (s *watchState) asks() bool {
	return s.root.Visible() && (s.said.retry || s.said.browser || s.said.again)
}

func (s *watchState) show(m *Model, now time.Time) {
	s.model = m
	said := s.statement(m, now)
	if said.title == "" && said.text == "" {
		s.said = said
		show(s.root, false)
		return
	}
	if said.moving {
		s.dots.step(now)
	}
	if said == s.said && s.root.Visible() {
		s.follow.in(s.scroll)
		return
	}
	s.said = said
	show(s.dots, said.moving)
	s.title.say(said.title)
	s.text.say(said.text)
	s.command.say(said.command)
	show(s.frame, said.command != "")
	show(s.copyLine, said.command != "")
	show(s.retry, said.retry)
	show(s.again, said.again)
	show(s.browser, said.browser)
	show(s.external, said.external)
	show(s.back, said.back)
	show(s.root, true)
	s.root.Refresh()
}

// statement decides what is said.
func (s *watchState) statement(m *Model, now time.Time) statement {
	w := m.Watching
	if w.Engine == EngineNone {
		return statement{
			title:   lang.L("The picture needs libmpv, which is not installed here"),
			text:    lang.L("Everything else works: you can watch in the browser, or in any player that you have. To watch here, install it and start Coral again."),
			command: m.System.InstallHint,
			browser: true, external: true, back: true,
		}
	}
	waits := w.Player.Phase == player.Loading || w.Player.Phase == player.Buffering || w.Player.Phase == player.Recovering ||
		w.Player.Phase == player.Idle && w.Opening != ""
	if !waits {
		s.waiting = time.Time{}
	} else if s.waiting.IsZero() {
		s.waiting = now
	}
	switch w.Player.Phase {
	case player.Failed:
		text := lang.L("Coral could not find out why.")
		if w.Player.Err != nil {
			text = w.Player.Err.Error()
		}
		return statement{
			title: lang.L("This channel does not play"), text: text + "\n" + lang.L("Is this machine connected, and is the channel on air?"),
			retry: true, browser: w.WebURL != "", external: w.StreamURL != "", back: true,
		}
	case player.Ended:
		return statement{title: lang.L("The recording is over"), again: true, back: true}
	case player.Recovering:
		long := now.Sub(s.waiting) >= recoverPatience
		title, text := lang.L("The picture broke off"), orElse(w.Opening, lang.L("It is being brought back."))
		if w.Player.FirstPictureAt.IsZero() {
			title, text = lang.L("The channel does not answer"), lang.L("Coral keeps trying.")
		}
		if long {
			text += "\n" + lang.L("Is this machine connected, and is the channel on air?")
		}
		return statement{title: title, text: text, moving: true, back: long}
	case player.Buffering:
		if now.Sub(s.waiting) < stallPatience {
			return statement{}
		}
		text := orElse(w.Opening, lang.L("Waiting for the picture…"))
		if now.Sub(s.waiting) >= recoverPatience {
			text += "\n" + lang.L("Is this machine connected, and is the channel on air?")
		}
		return statement{text: text, moving: true}
	}
	if !waits {
		return statement{}
	}
	return statement{title: clip(w.Channel.Name, 60), text: orElse(w.Opening, lang.L("Opening…")), moving: true}
}

func orElse(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// middle puts its second object, which scrolls body, into the middle, at most so
// wide, and the first, a rectangle, behind it: the picture may have stopped at anything.
type middle struct {
	width float32
	body  fyne.CanvasObject
}

// middlePad is how far the rectangle reaches around.
const middlePad = 20

// Layout implements fyne.Layout.
func (l middle) Layout(objects []fyne.CanvasObject, s fyne.Size) {
	ground, o := objects[0].(*canvas.Rectangle), objects[1]
	w := min(l.width, s.Width-2*middlePad-16)
	o.Resize(fyne.NewSize(w, l.body.MinSize().Height))
	h := min(s.Height, l.body.MinSize().Height) // of what has wrapped
	o.Resize(fyne.NewSize(w, h))
	at := fyne.NewPos((s.Width-w)/2, max(0, (s.Height-h)/2))
	o.Move(at)
	ground.CornerRadius = panelRadius
	ground.Move(at.SubtractXY(middlePad, middlePad))
	ground.Resize(fyne.NewSize(w+2*middlePad, h+2*middlePad))
}

// MinSize implements fyne.Layout.
func (middle) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.Size{} }

// middleLine is a line of words with a button beside it, both in the middle.
type middleLine struct{}

// Layout implements fyne.Layout.
func (middleLine) Layout(objects []fyne.CanvasObject, s fyne.Size) {
	text, button := objects[0].(*prose), objects[1]
	wide := fyne.MeasureText(text.text, themeOf(text).Size(text.size), text.style).Width + 8
	b := button.MinSize()
	wide = min(wide, s.Width-b.Width-8)
	text.Resize(fyne.NewSize(wide, text.MinSize().Height))
	h := text.MinSize().Height
	x := (s.Width - wide - 8 - b.Width) / 2
	text.Resize(fyne.NewSize(wide, h))
	text.Move(fyne.NewPos(x, (s.Height-h)/2))
	button.Resize(b)
	button.Move(fyne.NewPos(x+wide+8, (s.Height-b.Height)/2))
}

// MinSize implements fyne.Layout.
func (middleLine) MinSize(objects []fyne.CanvasObject) fyne.Size {
	return fyne.NewSize(0, max(objects[0].MinSize().Height, objects[1].MinSize().Height))
}

// flow puts what is visible side by side in centred lines.
type flow struct{ gap float32 }

func (l flow) lines(objects []fyne.CanvasObject, width float32) (lines [][]fyne.CanvasObject) {
	x := float32(0)
	for _, o := range objects {
		if !o.Visible() {
			continue
		}
		w := o.MinSize().Width
		if len(lines) == 0 || x+w > width && x > 0 {
			lines, x = append(lines, nil), 0
		}
		lines[len(lines)-1] = append(lines[len(lines)-1], o)
		x += w + l.gap
	}
	return lines
}

// Layout implements fyne.Layout.
func (l flow) Layout(objects []fyne.CanvasObject, s fyne.Size) {
	y := float32(0)
	for _, line := range l.lines(objects, s.Width) {
		r := row{gap: l.gap, wide: -1}
		m := r.MinSize(line)
		x := (s.Width - m.Width) / 2
		for _, o := range line {
			o.Resize(o.MinSize())
			o.Move(fyne.NewPos(x, y))
			x += o.MinSize().Width + l.gap
		}
		y += m.Height + l.gap
	}
}

// MinSize implements fyne.Layout: for the width that a state has at most.
func (l flow) MinSize(objects []fyne.CanvasObject) fyne.Size {
	lines := l.lines(objects, stateWidth)
	return fyne.NewSize(0, max(0, float32(len(lines))*(controlSize+l.gap)-l.gap))
}

// dots are the waiting: three points of which one after the other lights up.
// They move when a model is shown, a few times a second, and cost nothing else.
type dots struct {
	overlaid
	lit   int
	moved time.Time
}

const (
	dotSize, dotGap = 11, 9
	dotStep         = 220 * time.Millisecond
)

func newDots() *dots {
	d := &dots{}
	d.ExtendBaseWidget(d)
	return d
}

func (d *dots) step(now time.Time) {
	if now.Sub(d.moved) >= dotStep {
		d.moved = now
		d.lit = (d.lit + 1) % 3
		d.Refresh()
	}
}

// CreateRenderer implements fyne.Widget.
func (d *dots) CreateRenderer() fyne.WidgetRenderer {
	r := &dotsRenderer{dots: d}
	for range 3 {
		r.points = append(r.points, canvas.NewCircle(nil))
	}
	r.Refresh()
	return r
}

type dotsRenderer struct {
	dots   *dots
	points []fyne.CanvasObject
}

func (r *dotsRenderer) Layout(s fyne.Size) {
	x := (s.Width - 3*dotSize - 2*dotGap) / 2
	for _, p := range r.points {
		p.Move(fyne.NewPos(x, (s.Height-dotSize)/2))
		p.Resize(fyne.NewSquareSize(dotSize))
		x += dotSize + dotGap
	}
}

func (r *dotsRenderer) MinSize() fyne.Size {
	return fyne.NewSize(3*dotSize+2*dotGap, dotSize+16)
}

func (r *dotsRenderer) Refresh() {
	for i, p := range r.points {
		c := color.NRGBAModel.Convert(colour(r.dots, theme.ColorNamePrimary)).(color.NRGBA)
		if i != r.dots.lit {
			c.A = 0x50
		}
		p.(*canvas.Circle).FillColor = c
		p.Refresh()
	}
}

func (r *dotsRenderer) Objects() []fyne.CanvasObject { return r.points }
func (r *dotsRenderer) Destroy()                     {}
