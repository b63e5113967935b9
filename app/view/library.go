package view

import (
	"slices"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// libraryPage is the home page: where a link is opened and a channel chosen.
type libraryPage struct {
	emit func(Intent)
	root *fyne.Container

	link   *field
	open   *keyButton
	file   *keyButton
	search *field
	group  *selection
	title  *note

	grid    *channelGrid
	welcome fyne.CanvasObject
	nothing *nothingFound

	groups []string // as last shown
	query  string   // as last sent or shown
	found  string   // the query and the group whose channels were shown last
	chosen string   // group, likewise
	shown  bool
}

func newLibraryPage(emit func(Intent)) page {
	p := &libraryPage{emit: emit}
	p.buildLink()
	p.buildFilters()
	p.grid = newChannelGrid(channelActions{
		play: p.play, favourite: p.favourite, forget: p.forget, rename: p.rename, menu: p.showMenu,
		search: p.FocusSearch, logo: func(c Channel) { emit(WantLogo{c.ID}) },
	})
	p.welcome = newWelcome(func() { emit(OpenFile{}) })
	p.nothing = newNothingFound(p.showAll)
	p.root = container.New(&libraryLayout{p}, p.link, p.open, p.file, p.title, p.search, p.group,
		p.grid, p.welcome, p.nothing.root)
	p.grid.Hide()
	p.nothing.root.Hide()
	return p
}

func (p *libraryPage) buildLink() {
	p.link = newField(lang.L("Paste a channel link"))
	p.link.Icon = theme.MailAttachmentIcon()
	p.link.OnSubmitted = func(string) { p.submit() }
	p.link.onKey = func(k fyne.KeyName) bool {
		if k == fyne.KeyDown {
			p.focusGrid()
			return true
		}
		return false
	}
	p.open = newKeyButton(lang.L("Open"), theme.MediaPlayIcon(), p.submit)
	p.open.Importance = widget.HighImportance
	p.file = newKeyButton(lang.L("File…"), theme.FolderOpenIcon(), func() { p.emit(OpenFile{}) })
}

func (p *libraryPage) submit() {
	text := strings.TrimSpace(p.link.Text)
	if text == "" {
		p.FocusLink()
		return
	}
	p.link.SetText("")
	p.emit(Open{text})
}

func (p *libraryPage) buildFilters() {
	p.title = newHeading(lang.L("Your channels"), theme.SizeNameSubHeadingText)
	p.search = newField(lang.L("Search"))
	p.search.Icon = theme.SearchIcon()
	p.search.OnChanged = p.sendQuery
	p.search.OnSubmitted = func(string) { p.focusGrid() }
	p.search.onKey = func(k fyne.KeyName) bool {
		switch k {
		case fyne.KeyEscape:
			p.search.SetText("")
			p.focusGrid()
		case fyne.KeyDown:
			p.focusGrid()
		default:
			return false
		}
		return true
	}
	p.group = newSelection(nil, p.sendGroup)
	p.group.Hide()
}

func (p *libraryPage) sendQuery(text string) {
	if text != p.query {
		p.query = text
		p.emit(Search{text})
	}
}

func (p *libraryPage) sendGroup(string) {
	group := ""
	if i := p.group.SelectedIndex(); i > 0 {
		group = p.groups[i-1]
	}
	if group != p.chosen {
		p.chosen = group
		p.emit(ChooseGroup{group})
	}
}

func (p *libraryPage) showAll() {
	p.search.SetText("")
	if p.chosen != "" {
		p.group.SetSelectedIndex(0)
	}
	p.focusGrid()
}

func (p *libraryPage) focusGrid() {
	if p.grid.Visible() {
		focusOn(p.grid)
	}
}

// FocusSearch gives the search field the keyboard.
func (p *libraryPage) FocusSearch() {
	if p.search.Visible() {
		focusOn(p.search)
	} else {
		p.FocusLink()
	}
}

// FocusLink gives the link field the keyboard.
func (p *libraryPage) FocusLink() { focusOn(p.link) }

// TypedKey takes a key that nothing with the keyboard took: those of the channels
// lead to them.
func (p *libraryPage) TypedKey(e *fyne.KeyEvent) {
	switch e.Name {
	case fyne.KeyLeft, fyne.KeyRight, fyne.KeyUp, fyne.KeyDown, fyne.KeyHome, fyne.KeyEnd, fyne.KeyPageUp, fyne.KeyPageDown,
		fyne.KeyReturn, fyne.KeyEnter:
		p.focusGrid()
	}
}

// Object implements page.
func (p *libraryPage) Object() fyne.CanvasObject { return p.root }

// Show implements page.
func (p *libraryPage) Show(m *Model) {
	p.showFilters(m)
	filtered := m.Query != "" || m.Group != ""
	empty := len(m.Channels) == 0
	relayout := false
	for o, visible := range map[fyne.CanvasObject]bool{
		p.grid: !empty, p.welcome: empty && !filtered, p.nothing.root: empty && filtered,
		p.search: !empty || filtered, p.group: len(m.Groups) > 0 && (!empty || filtered),
	} {
		if o.Visible() != visible {
			show(o, visible)
			relayout = true
		}
	}
	if empty && filtered {
		p.nothing.say(m.Query, m.Group)
	}
	p.grid.show(m.Channels)
	if found := m.Query + "\n" + m.Group; found != p.found {
		p.found = found
		p.grid.scroll.ScrollToTop()
		p.grid.arrange()
	}
	if relayout || !p.shown {
		p.shown = true
		p.root.Refresh()
	}
}

func (p *libraryPage) showFilters(m *Model) {
	if !p.search.focus && m.Query != p.query {
		p.query = m.Query
		p.search.show(m.Query)
	}
	if !slices.Equal(p.groups, m.Groups) || len(p.group.Options) == 0 {
		p.groups = slices.Clone(m.Groups)
		p.group.Options = append([]string{lang.L("All groups")}, p.groups...)
		p.chosen = "\x00" // whatever m says is news
	}
	if m.Group == p.chosen {
		return
	}
	p.chosen = m.Group
	p.group.Selected = p.group.Options[0]
	for _, g := range p.groups {
		if g == m.Group {
			p.group.Selected = g
		}
	}
	p.group.Refresh()
}
