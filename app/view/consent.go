package view

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"coral/app/settings"
	"coral/node/budget"
)

// consent is the question before the first packet to any peer, tracker or DHT
// node. Its two answers are equal: in size, colour, place in the keyboard's
// order; neither is chosen to begin with.
type consent struct {
	layer
	emit   func(Intent)
	why    *note
	pauses *note
	cap    *amount
	upload budget.Rate
	share  *keyButton
	watch  *keyButton
	page   *container.Scroll
	follow follower
}

const (
	consentWidth = 900
	consentTile  = 300 // narrower: one answer below the other
)

func newConsent(emit func(Intent)) overlay {
	c := &consent{emit: emit, why: newText(""), pauses: newText("")}
	c.cap = newAmount(rateKind(hourly), func(v int64) { c.upload = budget.Rate(v) })
	c.share = c.answer(lang.L("Watch and share"), settings.Share)
	c.watch = c.answer(lang.L("Watch only"), settings.WatchOnly)
	c.share.onKey = func(k fyne.KeyName) { c.arrow(k) }
	c.watch.onKey = func(k fyne.KeyName) { c.arrow(k) }

	sharing := newAnswer(lang.L("Watch and share"),
		lang.L("You get the picture from other viewers and from the organiser, and pass it on to others. The more do so, the better it runs for all."),
		lang.L("What others see"),
		lang.L("Viewers of the same channel, and the directories that bring them together, see your IP address and that you watch this channel."),
		lang.L("What it costs"),
		newColumn(-6, newText(lang.L("Upload, up to this cap:")), c.cap.root, c.pauses), c.share)
	watching := newAnswer(lang.L("Watch only"),
		lang.L("You get the same picture, from the organiser alone. Nothing is passed on, and nobody is asked for anything."),
		lang.L("What others see"),
		lang.L("Other viewers see nothing of you. The organiser's server sees your IP address, as every website does."),
		lang.L("What it costs"),
		newText(lang.L("No upload. The organiser's server carries all of your picture, as without Coral.")), c.watch)

	start := newNeutral(c.share, c.watch)
	title := newHeading(lang.L("How do you want to watch?"), theme.SizeNameHeadingText).align(fyne.TextAlignCenter)
	body := newColumn(8,
		newColumn(-10, start, title, c.why.align(fyne.TextAlignCenter)),
		container.New(&tiles{least: consentTile, gap: 16}, sharing, watching),
		newText(lang.L("Both show every channel in full quality. You can change your answer at any time: in the settings, and for a single channel in its menu.")).align(fyne.TextAlignCenter),
	)
	c.page = container.NewVScroll(container.New(balanced{consentWidth}, body))
	c.layer = newLayer(container.NewStack(newGround(theme.ColorNameBackground, nil), c.page), start)
	return c
}

func (c *consent) answer(label string, a settings.Consent) *keyButton {
	b := newKeyButton(label, nil, func() { c.say(a) })
	b.Importance = widget.HighImportance
	return b
}

// say sends the answer; a cap that cannot be read must be mended first, if it
// matters.
func (c *consent) say(a settings.Consent) {
	if c.cap.entry.focus {
		c.cap.commit()
	}
	if a == settings.Share && c.cap.wrong.Visible() {
		focusOn(c.cap.entry)
		return
	}
	c.emit(AnswerConsent{a, c.upload})
}

func (c *consent) arrow(k fyne.KeyName) {
	switch k {
	case fyne.KeyLeft:
		focusOn(c.share)
	case fyne.KeyRight:
		focusOn(c.watch)
	}
}

// Show implements page.
func (c *consent) Show(m *Model) {
	if m.Consent != nil {
		c.explain(m)
		c.follow.in(c.page)
	}
	if c.set(m.Consent != nil) && c.on {
		c.upload = m.Settings.Upload
		c.cap.wrong.say("")
		c.cap.show(int64(c.upload))
	}
}

func (c *consent) explain(m *Model) {
	if m.Consent.Channel == "" {
		c.why.set(lang.L("Coral's channels can be carried by their viewers. Nothing has been sent to anybody yet."))
	} else {
		c.why.set(lang.L("“{{.Channel}}” can be carried by its viewers. Nothing has been sent to anybody yet.", map[string]any{"Channel": clip(m.Consent.Channel, 60)}))
	}
	switch {
	case !m.Settings.Metered && !m.Settings.Battery:
		c.pauses.say(lang.L("It pauses on metered networks and on battery, and whenever you press Pause sharing."))
	default:
		c.pauses.say(lang.L("It pauses whenever you press Pause sharing."))
	}
}

// newAnswer is one of the two: what it does, shows and costs, and its button at
// the foot.
func newAnswer(title, text, sees, seen, costs string, cost fyne.CanvasObject, button *keyButton) fyne.CanvasObject {
	words := newColumn(-10,
		newHeading(title, theme.SizeNameSubHeadingText), newText(text), space(0, 16),
		newHeading(sees, theme.SizeNameText), newText(seen), space(0, 16),
		newHeading(costs, theme.SizeNameText), cost, space(0, 14))
	return newPanel(container.NewBorder(nil, container.New(inset{8, 8}, least(0, 44, button)), nil, nil, words), panelPad)
}

// balanced puts a column into the middle where there is room, and at the top
// where it must scroll.
type balanced struct{ width float32 }

const balancedEdge = 16

// Layout implements fyne.Layout.
func (b balanced) Layout(objects []fyne.CanvasObject, s fyne.Size) {
	for _, o := range objects {
		w := min(b.width, s.Width-2*balancedEdge)
		o.Resize(fyne.NewSize(w, o.MinSize().Height))
		h := o.MinSize().Height
		o.Resize(fyne.NewSize(w, h))
		o.Move(fyne.NewPos((s.Width-w)/2, max(balancedEdge, (s.Height-h)/2)))
	}
}

// MinSize implements fyne.Layout.
func (balanced) MinSize(objects []fyne.CanvasObject) (s fyne.Size) {
	for _, o := range objects {
		s = s.Max(o.MinSize())
	}
	return s.AddWidthHeight(2*balancedEdge, 2*balancedEdge)
}
