package view

import (
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/widget"
)

// speeds are those that the menu offers and the keys < and > step through.
var speeds = []float64{0.5, 0.75, 1, 1.25, 1.5, 2}

// faster returns the next speed by steps of the list.
func faster(now float64, steps int) float64 {
	i := slices.IndexFunc(speeds, func(s float64) bool { return s >= now-0.01 })
	if i < 0 || now <= 0 {
		i = slices.Index(speeds, 1)
	}
	return speeds[min(len(speeds)-1, max(0, i+steps))]
}

// chosenSubtitle returns what is shown, or nil.
func chosenSubtitle(w *Watching) *Subtitle {
	for i, s := range w.Subtitles {
		if s.Selected && s.ID >= 0 {
			return &w.Subtitles[i]
		}
	}
	return nil
}

// nextSubtitle is what the key C chooses: the next one, or off after the last.
func nextSubtitle(w *Watching) (id int, ok bool) {
	if len(w.Subtitles) == 0 {
		return 0, false
	}
	i := slices.IndexFunc(w.Subtitles, func(s Subtitle) bool { return s.Selected })
	return w.Subtitles[(i+1)%len(w.Subtitles)].ID, true
}

// openMenu shows the menu of a button, above it.
func (p *watchPage) openMenu(b *control) {
	if p.model == nil || p.model.Watching == nil {
		return
	}
	p.controls.explain(nil)
	items := p.tuneMenu()
	if b == p.controls.captions {
		items = p.subtitleMenu()
	}
	at := fyne.CurrentApp().Driver().AbsolutePositionForObject(b)
	p.showMenu(items, at)
}

// showMenu shows items so that they lie within the window and above at.
func (p *watchPage) showMenu(items []*fyne.MenuItem, at fyne.Position) {
	c := canvasOf(p.root)
	if c == nil || len(items) == 0 {
		return
	}
	menu := widget.NewPopUpMenu(fyne.NewMenu("", items...), c)
	s := menu.MinSize()
	at.X = max(8, min(at.X, c.Size().Width-s.Width-8))
	if at.Y > c.Size().Height/2 {
		at.Y = max(8, at.Y-s.Height-8)
	}
	menu.ShowAtPosition(at)
}

func choice(label string, chosen bool, do func()) *fyne.MenuItem {
	i := fyne.NewMenuItem(label, do)
	i.Checked = chosen
	return i
}

func (p *watchPage) renditionMenu() []*fyne.MenuItem {
	var items []*fyne.MenuItem
	for _, r := range p.model.Watching.Renditions {
		items = append(items, choice(r.Label, r.Selected, func() { p.emit(ChooseRendition{r.ID}) }))
	}
	return items
}

func (p *watchPage) audioMenu() []*fyne.MenuItem {
	var items []*fyne.MenuItem
	for _, t := range p.model.Watching.Player.Audio {
		items = append(items, choice(trackName(t.Title, t.Language, t.ID), t.Selected, func() { p.emit(ChooseAudio{t.ID}) }))
	}
	return items
}

// trackName names a track by what is known of it.
func trackName(title, language string, id int) string {
	switch {
	case title != "" && language != "" && title != language:
		return title + " · " + language
	case title != "":
		return title
	case language != "":
		return language
	}
	return lang.L("Track {{.Number}}", map[string]any{"Number": id})
}

func (p *watchPage) subtitleMenu() []*fyne.MenuItem {
	var items []*fyne.MenuItem
	for _, s := range p.model.Watching.Subtitles {
		items = append(items, choice(s.Label, s.Selected, func() { p.emit(ChooseSubtitle{s.ID}) }))
	}
	return items
}

func (p *watchPage) speedMenu() []*fyne.MenuItem {
	var items []*fyne.MenuItem
	now := p.model.Watching.Player.Speed
	for _, s := range speeds {
		items = append(items, choice(speedText(s), s == now || now == 0 && s == 1, func() { p.emit(SetSpeed{s}) }))
	}
	return items
}

// tuneMenu holds what is seldom changed. What offers no choice is not there.
func (p *watchPage) tuneMenu() []*fyne.MenuItem {
	w := p.model.Watching
	var items []*fyne.MenuItem
	under := func(label string, least int, children []*fyne.MenuItem) {
		if len(children) >= least {
			i := fyne.NewMenuItem(label, nil)
			i.ChildMenu = fyne.NewMenu("", children...)
			items = append(items, i)
		}
	}
	under(lang.L("Rendition"), 2, p.renditionMenu())
	under(lang.L("Sound"), 2, p.audioMenu())
	under(lang.L("Subtitles"), 2, p.subtitleMenu())
	if !w.Player.Live {
		under(lang.L("Speed"), 1, p.speedMenu())
	}
	if len(items) > 0 {
		items = append(items, fyne.NewMenuItemSeparator())
	}
	return append(items,
		fyne.NewMenuItem(lang.L("Open in the browser"), func() { p.emit(OpenBrowser{}) }),
		fyne.NewMenuItem(lang.L("Open in another player"), func() { p.emit(OpenExternal{}) }),
	)
}

// wholeMenu is the one of the right mouse button.
func (p *watchPage) wholeMenu() []*fyne.MenuItem {
	if p.model == nil || p.model.Watching == nil {
		return nil
	}
	w := p.model.Watching
	play := lang.L("Pause")
	if playIcon(w.Player) != "pause" {
		play = lang.L("Play")
	}
	items := []*fyne.MenuItem{
		fyne.NewMenuItem(play, func() { p.emit(playPause(p.model)) }),
		choice(lang.L("Full screen"), w.FullScreen, func() { p.emit(SetFullScreen{!w.FullScreen}) }),
		choice(lang.L("Mini player"), w.MiniPlayer, func() { p.emit(SetMiniPlayer{!w.MiniPlayer}) }),
		choice(lang.L("Details"), p.model.Details != nil, func() { p.emit(ShowDetails{p.model.Details == nil}) }),
		fyne.NewMenuItemSeparator(),
	}
	items = append(items, p.tuneMenu()...)
	return append(items, fyne.NewMenuItemSeparator(), fyne.NewMenuItem(lang.L("Stop watching"), func() { p.emit(CloseChannel{}) }))
}
