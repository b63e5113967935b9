package app

import (
	"strings"

	"fyne.io/fyne/v2/lang"

	"coral/app/durable"
	"coral/app/view"
)

// found tells what was wrong with the files when the program started.
func (a *app) found() {
	tell := func(what string, f durable.Found) {
		if !f.Damaged {
			return
		}
		text := lang.L("{{.What}} could not be read and began anew.", with("What", what))
		if f.Backup {
			text = lang.L("{{.What}} could not be read; the version before it was taken.", with("What", what))
		}
		hint := ""
		if f.SetAside != "" {
			hint = lang.L("The damaged file was kept as {{.File}}.", with("File", f.SetAside))
		}
		a.notice(view.Warning, text, hint)
	}
	s := a.settings.Found()
	tell(lang.L("The settings"), s.Found)
	if len(s.Reset) > 0 {
		a.notice(view.Warning, lang.L("Some settings could not be used and have their defaults again."), strings.Join(s.Reset, ", "))
	}
	if s.Newer {
		a.notice(view.Info, lang.L("The settings were written by a newer Coral."), "")
	}
	l := a.library.Found()
	tell(lang.L("The library"), l.Found)
	if l.Dropped > 0 {
		a.notice(view.Warning, lang.N("{{.PluralCount}} channels could not be read.", l.Dropped), "")
	}
	tell(lang.L("The account of what was shared"), a.ledger.Found())
}
