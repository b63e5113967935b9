package view

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"

	"coral/app/settings"
)

// settingsPage is all that can be set: a list of sections and the chosen one
// beside it, or below it in a narrow window.
type settingsPage struct {
	emit func(Intent)
	win  fyne.Window
	root *fyne.Container

	draft    draft
	sections []*section
	chosen   int
	nav      []*navItem
	pick     *selection // stands for nav in a narrow window
	body     *fyne.Container
	follow   follower
}

// section is one leaf of the settings.
type section struct {
	title string
	icon  fyne.Resource
	root  *container.Scroll
	show  func(m *Model, s settings.Settings)
}

func newSettingsPage(emit func(Intent), win fyne.Window) page {
	p := &settingsPage{emit: emit, win: win}
	p.sections = []*section{
		newSharingSection(p), newWeekSection(p), newNetworkSection(p), newPlaybackSection(p), newStorageSection(p),
		newLookSection(p), newUsageSection(), newSystemSection(p),
	}
	titles := make([]string, len(p.sections))
	p.body = container.NewStack()
	for i, s := range p.sections {
		titles[i] = s.title
		p.nav = append(p.nav, newNavItem(s.title, s.icon, i, p.choose))
		p.body.Add(s.root)
	}
	p.pick = newSelection(titles, func(string) { p.choose(p.pick.SelectedIndex()) })
	objects := []fyne.CanvasObject{p.pick, p.body}
	for _, n := range p.nav {
		objects = append(objects, n)
	}
	p.root = container.New(&settingsLayout{p}, objects...)
	p.chosen = -1
	p.choose(0)
	return p
}

func (p *settingsPage) choose(i int) {
	if i < 0 || i >= len(p.sections) || i == p.chosen {
		return
	}
	p.chosen = i
	for j, s := range p.sections {
		show(s.root, j == i)
		p.nav[j].set(j == i)
	}
	if p.pick.SelectedIndex() != i {
		p.pick.SetSelectedIndex(i)
	}
	p.body.Refresh()
}

// Object implements page.
func (p *settingsPage) Object() fyne.CanvasObject { return p.root }

// Show implements page.
func (p *settingsPage) Show(m *Model) {
	p.draft.take(m.Settings)
	p.follow.in(p.sections[p.chosen].root)
	for _, s := range p.sections {
		s.show(m, p.draft.now)
	}
}

// edit changes one thing and says the whole. It reports false, and says nothing,
// if that cannot be.
func (p *settingsPage) edit(change func(*settings.Settings)) bool {
	s := p.draft.now
	change(&s)
	if s == p.draft.now {
		return true
	}
	if s.Validate() != nil { // the field that asked says it in the user's words
		return false
	}
	p.draft.sent(s)
	p.emit(Change{s})
	return true
}

// maxSent bounds how many edits may be under way: at ten models a second more
// means that nobody answers.
const maxSent = 32

// draft is the settings as the user sees them: the model's, or, until the model
// has caught up with what was edited here, the newer ones.
type draft struct {
	now     settings.Settings
	seen    settings.Settings   // the model's, last
	pending []settings.Settings // said and not seen yet, oldest first
}

// take takes the model's settings, unless they are an echo of an edit that a
// later one has overtaken.
func (d *draft) take(s settings.Settings) {
	if s == d.seen {
		return
	}
	d.seen = s
	for i, p := range d.pending {
		if p == s {
			d.pending = append([]settings.Settings(nil), d.pending[i+1:]...)
			if len(d.pending) > 0 {
				return
			}
			break
		}
	}
	d.pending = nil
	d.now = s
}

func (d *draft) sent(s settings.Settings) {
	d.now = s
	d.pending = append(d.pending, s)
	if len(d.pending) > maxSent {
		d.pending = d.pending[1:]
	}
}

// settingsLayout puts the list of sections left, or a choice of them on top.
type settingsLayout struct{ page *settingsPage }

const (
	settingsNarrow = 720 // below: no list at the side
	navWidth       = 196
	navItemHeight  = 40
)

// Layout implements fyne.Layout.
func (l *settingsLayout) Layout(_ []fyne.CanvasObject, s fyne.Size) {
	p := l.page
	narrow := s.Width < settingsNarrow
	show(p.pick, narrow)
	left := max(12, (s.Width-navWidth-2*12-settingsWidth)/2)
	y := float32(16)
	for _, n := range p.nav {
		show(n, !narrow)
		n.Move(fyne.NewPos(left, y))
		n.Resize(fyne.NewSize(navWidth, navItemHeight))
		y += navItemHeight + 2
	}
	if narrow {
		h := p.pick.MinSize().Height
		p.pick.Move(fyne.NewPos(12, 10))
		p.pick.Resize(fyne.NewSize(s.Width-24, h))
		p.body.Move(fyne.NewPos(0, h+16))
		p.body.Resize(fyne.NewSize(s.Width, max(0, s.Height-h-16)))
		return
	}
	left += navWidth
	p.body.Move(fyne.NewPos(left, 0))
	p.body.Resize(fyne.NewSize(s.Width-left, s.Height))
}

// MinSize implements fyne.Layout.
func (l *settingsLayout) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSize(320, 320) }

// navItem is a section's name in the list.
type navItem struct {
	keyButton
	index int
}

func newNavItem(title string, icon fyne.Resource, index int, choose func(int)) *navItem {
	n := &navItem{index: index}
	n.Text, n.Icon, n.OnTapped = title, icon, func() { choose(index) }
	n.Alignment = widget.ButtonAlignLeading
	n.Importance = widget.LowImportance
	n.onKey = func(k fyne.KeyName) {
		switch k {
		case fyne.KeyDown:
			canvasOf(n).FocusNext()
		case fyne.KeyUp:
			canvasOf(n).FocusPrevious()
		}
	}
	n.ExtendBaseWidget(n)
	return n
}

func (n *navItem) set(chosen bool) {
	want := widget.LowImportance
	if chosen {
		want = widget.MediumImportance
	}
	if n.Importance != want {
		n.Importance = want
		n.Refresh()
	}
}

// separator is a thin line between rows.
func separator() fyne.CanvasObject {
	line := widget.NewSeparator()
	return container.New(inset{panelPad, 0}, line)
}

// inset keeps a margin left and right, and above and below.
type inset struct{ x, y float32 }

// Layout implements fyne.Layout.
func (l inset) Layout(objects []fyne.CanvasObject, s fyne.Size) {
	for _, o := range objects {
		o.Move(fyne.NewPos(l.x, l.y))
		o.Resize(s.SubtractWidthHeight(2*l.x, 2*l.y))
	}
}

// MinSize implements fyne.Layout.
func (l inset) MinSize(objects []fyne.CanvasObject) (s fyne.Size) {
	for _, o := range objects {
		s = s.Max(o.MinSize())
	}
	return s.AddWidthHeight(2*l.x, 2*l.y)
}
