package view

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"coral/app/settings"
)

// showMenu offers what can be done with a channel.
func (p *libraryPage) showMenu(ch Channel, at fyne.Position) {
	if c := canvasOf(p.root); c != nil {
		widget.ShowPopUpMenuAtPosition(fyne.NewMenu("", p.menuItems(ch)...), c, at)
	}
}

func (p *libraryPage) menuItems(ch Channel) []*fyne.MenuItem {
	favourite := fyne.NewMenuItem(lang.L("Add to favourites"), func() { p.favourite(ch) })
	if ch.Favorite {
		favourite.Label = lang.L("Remove from favourites")
	}
	favourite.Icon = theme.NewThemedResource(iconStar)
	items := []*fyne.MenuItem{
		fyne.NewMenuItemWithIcon(lang.L("Play"), theme.MediaPlayIcon(), func() { p.play(ch) }),
		favourite,
		fyne.NewMenuItemWithIcon(lang.L("Share the channel…"), theme.MailForwardIcon(), func() { p.emit(ShareChannel{ch.ID}) }),
		fyne.NewMenuItemWithIcon(lang.L("Rename…"), theme.DocumentCreateIcon(), func() { p.rename(ch) }),
	}
	if !ch.Plain { // of a plain playlist nothing is ever shared
		items = append(items, p.consentItem(ch))
	}
	return append(items, fyne.NewMenuItemSeparator(),
		fyne.NewMenuItemWithIcon(lang.L("Forget…"), theme.DeleteIcon(), func() { p.forget(ch) }))
}

// consentItem is the channel's own answer to whether it is shared.
func (p *libraryPage) consentItem(ch Channel) *fyne.MenuItem {
	item := fyne.NewMenuItemWithIcon(lang.L("Sharing for this channel"), theme.UploadIcon(), nil)
	choice := func(label string, answer settings.Consent) *fyne.MenuItem {
		i := fyne.NewMenuItem(label, func() { p.emit(SetChannelConsent{ch.ID, answer}) })
		i.Checked = ch.Consent == answer
		return i
	}
	item.ChildMenu = fyne.NewMenu("",
		choice(lang.L("As for all channels"), settings.Unasked),
		choice(lang.L("Watch and share"), settings.Share),
		choice(lang.L("Watch only"), settings.WatchOnly))
	return item
}

func (p *libraryPage) play(ch Channel)      { p.emit(Play{ch.ID}) }
func (p *libraryPage) favourite(ch Channel) { p.emit(SetFavorite{ch.ID, !ch.Favorite}) }

func (p *libraryPage) rename(ch Channel) {
	if c := canvasOf(p.root); c != nil {
		prompt(c, lang.L("Rename the channel"), ch.Name, lang.L("Rename"), func(name string) {
			if name != ch.Name {
				p.emit(Rename{ch.ID, name})
			}
		})
	}
}

func (p *libraryPage) forget(ch Channel) {
	c := canvasOf(p.root)
	if c == nil {
		return
	}
	title := lang.L("Forget “{{.Name}}”?", map[string]any{"Name": clip(ch.Name, 60)})
	text := lang.L("The channel leaves your library, and what the cache holds of it is deleted. With its link you can add it again.")
	confirm(c, title, text, lang.L("Forget"), func() { p.emit(Forget{ch.ID}) })
}

// clip shortens s to at most n characters.
func clip(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}
