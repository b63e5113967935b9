package view

import (
	"strconv"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/dialog"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/theme"

	"coral/app/settings"
	"coral/node/budget"
)

func rate(v int64) budget.Rate { return budget.Rate(v) }

// inside indents what has no padding of its own as far as the texts.
func inside(o fyne.CanvasObject) fyne.CanvasObject { return container.New(inset{8, 4}, o) }

// sharingSection is who gets how much of the line, and when.
type sharingSection struct {
	page       *settingsPage
	consent    *segments
	up, down   *amount
	month      *amount
	metered    *toggle
	battery    *toggle
	background *picker[settings.Background]
	after      *picker[time.Duration]
	ratio      *picker[float64]
	afterRow   *settingRow
	ratioRow   *settingRow
	onClose    *picker[settings.OnClose]
	used       *note
}

func newSharingSection(p *settingsPage) *section {
	s := &sharingSection{page: p}
	edit := func(change func(*settings.Settings)) { p.edit(change) }
	s.consent = newSegments([]string{lang.L("Watch and share"), lang.L("Watch only")}, func(i int) {
		edit(func(x *settings.Settings) { x.Consent = []settings.Consent{settings.Share, settings.WatchOnly}[i] })
	})
	s.up = newAmount(rateKind(hourly), func(v int64) { edit(func(x *settings.Settings) { x.Upload = rate(v) }) })
	s.down = newAmount(rateKind(hourly), func(v int64) { edit(func(x *settings.Settings) { x.Down = rate(v) }) })
	s.month = newAmount(sizeKind(lang.L("no limit"), 0, []int64{
		giga, 2 * giga, 5 * giga, 10 * giga, 20 * giga, 50 * giga, 100 * giga, 200 * giga, 500 * giga, 1000 * giga, -1,
	}, nil), func(v int64) { edit(func(x *settings.Settings) { x.Monthly = budget.Size(v) }) })
	s.metered = newToggle(func(on bool) { edit(func(x *settings.Settings) { x.Metered = on }) })
	s.battery = newToggle(func(on bool) { edit(func(x *settings.Settings) { x.Battery = on }) })
	s.used = newHint("")
	s.buildBackground(edit)

	root := newSectionBody(lang.L("Sharing"),
		newGroup("",
			newTallRow(lang.L("All channels"), lang.L("Sharing shows your IP address to other viewers. Every channel plays either way, and each can have an answer of its own."), inside(s.consent))),
		newGroup(lang.L("Caps"),
			newTallRow(lang.L("To other viewers"), "", s.up.root),
			newTallRow(lang.L("From other viewers"), "", s.down.root),
			newTallRow(lang.L("To other viewers in a month"), "", newColumn(-8, s.month.root, s.used))),
		newGroup(lang.L("Pauses by itself"),
			newRow(lang.L("Share on metered networks"), lang.L("A telephone's connection, for instance. Off: watching goes on, sharing waits."), s.metered),
			newRow(lang.L("Share on battery"), "", s.battery)),
		newGroup(lang.L("After watching"),
			newRow(lang.L("Go on sharing"), lang.L("What the cache holds helps others to see the channel."), least(220, 0, s.background.widget)),
			s.afterRow, s.ratioRow,
			newRow(lang.L("Closing the window"), "", least(220, 0, s.onClose.widget))),
	)
	return &section{title: lang.L("Sharing"), icon: theme.UploadIcon(), root: root, show: s.show}
}

func (s *sharingSection) buildBackground(edit func(func(*settings.Settings))) {
	s.background = newPicker(
		[]settings.Background{settings.BackgroundOff, settings.BackgroundTime, settings.BackgroundRatio, settings.BackgroundAlways},
		[]string{lang.L("No"), lang.L("For a time"), lang.L("Until enough was given"), lang.L("Always")},
		func(v settings.Background) { edit(func(x *settings.Settings) { x.Background = v }) })
	times := []time.Duration{15 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 4 * time.Hour, 8 * time.Hour, 24 * time.Hour}
	names := make([]string, len(times))
	for i, t := range times {
		names[i] = hours(t)
	}
	s.after = newPicker(times, names, func(v time.Duration) { edit(func(x *settings.Settings) { x.StopAfter = v }) })
	ratios := []float64{0.5, 1, 1.5, 2, 3, 5}
	names = make([]string, len(ratios))
	for i, r := range ratios {
		names[i] = ratioName(r)
	}
	s.ratio = newPicker(ratios, names, func(v float64) { edit(func(x *settings.Settings) { x.StopRatio = v }) })
	s.afterRow = newRow(lang.L("Then stop after"), "", least(220, 0, s.after.widget))
	s.ratioRow = newRow(lang.L("Then stop at"), lang.L("Given, measured by what you took."), least(220, 0, s.ratio.widget))
	s.onClose = newPicker([]settings.OnClose{settings.CloseAsk, settings.CloseTray, settings.CloseQuit},
		[]string{lang.L("Ask me"), lang.L("Keeps Coral in the tray"), lang.L("Quits Coral")},
		func(v settings.OnClose) { edit(func(x *settings.Settings) { x.OnClose = v }) })
}

func ratioName(r float64) string {
	return lang.L("{{.N}} times as much", map[string]any{"N": decimal(r, 2)})
}

func (s *sharingSection) show(m *Model, v settings.Settings) {
	if v.Consent == settings.WatchOnly {
		s.consent.set(1)
	} else {
		s.consent.set(0)
	}
	s.up.show(int64(v.Upload))
	s.down.show(int64(v.Down))
	s.month.show(int64(v.Monthly))
	s.metered.set(v.Metered)
	s.battery.set(v.Battery)
	s.background.show(v.Background, string(v.Background))
	s.after.show(v.StopAfter, hours(v.StopAfter))
	s.ratio.show(v.StopRatio, ratioName(v.StopRatio))
	s.onClose.show(v.OnClose, string(v.OnClose))
	show(s.afterRow, v.Background == settings.BackgroundTime)
	show(s.ratioRow, v.Background == settings.BackgroundRatio)
	if all := total(m.Usage); all != nil {
		s.used.set(lang.L("Given this month: {{.Size}}.", map[string]any{"Size": sizeText(all.MonthUp)}))
	}
}

// newFileControl is a path with a button that chooses one.
func newFileControl(p *settingsPage, placeholder string, folder bool, changed func(string)) *field {
	entry := newField(placeholder)
	entry.ActionItem = newKeyButton("", theme.FolderOpenIcon(), func() {
		if folder {
			dialog.ShowFolderOpen(func(u fyne.ListableURI, err error) {
				if err == nil && u != nil {
					entry.SetText(u.Path())
					changed(u.Path())
				}
			}, p.win)
			return
		}
		dialog.ShowFileOpen(func(f fyne.URIReadCloser, err error) {
			if err == nil && f != nil {
				path := f.URI().Path()
				_ = f.Close() // only its name was wanted
				entry.SetText(path)
				changed(path)
			}
		}, p.win)
	})
	entry.OnSubmitted = changed
	entry.onBlur = func() { changed(entry.Text) }
	return entry
}

// parsePort reads a port; "" is any.
func parsePort(text string) (int, bool) {
	if text == "" {
		return 0, true
	}
	n, err := strconv.Atoi(text)
	return n, err == nil && n >= 0 && n <= 65535
}
