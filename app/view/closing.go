package view

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"coral/app/settings"
)

// closeQuestion asks what closing the window means: go on sharing in the tray,
// or quit.
type closeQuestion struct {
	layer
	emit     func(Intent)
	terms    *note
	tray     *keyButton
	remember *widget.Check
	body     *container.Scroll
	follow   follower
}

func newCloseQuestion(emit func(Intent)) overlay {
	q := &closeQuestion{emit: emit, terms: newText("")}
	answer := func(a settings.OnClose) func() {
		return func() { emit(CloseWindow{a, q.remember.Checked}) }
	}
	stay := func() { emit(KeepOpen{}) }
	q.remember = widget.NewCheck(lang.L("Do so from now on"), nil)
	q.tray = newKeyButton(lang.L("Keep sharing in the tray"), nil, answer(settings.CloseTray))
	quit := newKeyButton(lang.L("Quit Coral"), nil, answer(settings.CloseQuit))
	back := newKeyButton(lang.L("Cancel"), nil, stay)
	back.Importance = widget.LowImportance
	for _, b := range []*keyButton{q.tray, quit, back} {
		b.onKey = func(k fyne.KeyName) {
			switch k {
			case fyne.KeyEscape:
				stay()
			case fyne.KeyUp, fyne.KeyLeft:
				q.canvas.FocusPrevious()
			case fyne.KeyDown, fyne.KeyRight:
				q.canvas.FocusNext()
			}
		}
	}
	body := newColumn(8,
		newHeading(lang.L("Close Coral?"), theme.SizeNameSubHeadingText), q.terms,
		least(0, 40, q.tray), least(0, 40, quit), q.remember)
	start := newNeutral(q.tray, quit)
	start.escape = stay
	content, scroll := newSheetContent(askWidth, newColumn(0, start, body), back, stay)
	q.body = scroll
	q.layer = newLayer(content, start)
	return q
}

// Show implements page.
func (q *closeQuestion) Show(m *Model) {
	if m.Closing {
		q.terms.set(closeTerms(m))
		label := lang.L("Keep sharing in the tray")
		if m.Settings.Background == settings.BackgroundOff {
			label = lang.L("Wait in the tray")
		}
		if q.tray.Text != label {
			q.tray.SetText(label)
		}
		show(q.tray, m.System.Tray)
		show(q.remember, m.System.Tray)
		q.follow.in(q.body)
	}
	if q.set(m.Closing) {
		q.remember.SetChecked(false)
	}
}

// NewFailure is the window of a program that cannot start: what went wrong, and what
// to do.
func NewFailure(a fyne.App, title, text, hint string) fyne.Window {
	win := a.NewWindow("Coral")
	win.SetPadded(false)
	quit := newKeyButton(lang.L("Quit Coral"), nil, win.Close)
	win.SetContent(container.NewVScroll(container.New(inset{16, 16}, newColumn(6,
		newHeading(title, theme.SizeNameSubHeadingText), newText(text), newText(hint), space(0, 8), container.NewCenter(quit)))))
	win.Resize(fyne.NewSize(askWidth, 290))
	win.Canvas().Focus(quit)
	return win
}

// closeTerms says what sharing in the tray would mean, and when it would end.
func closeTerms(m *Model) string {
	if !m.System.Tray {
		return lang.L("This system has no tray where Coral could go on sharing.")
	}
	s := m.Settings
	limit := lang.L("In the tray Coral goes on sharing, with at most {{.Rate}}.", map[string]any{"Rate": RateText(s.Upload)})
	if s.Upload < 0 {
		limit = lang.L("In the tray Coral goes on sharing, without a cap.")
	}
	switch s.Background {
	case settings.BackgroundTime:
		limit += " " + lang.L("It stops after {{.Time}}.", map[string]any{"Time": hours(s.StopAfter)})
	case settings.BackgroundRatio:
		limit += " " + lang.L("It stops when you have given {{.Ratio}} as you took.", map[string]any{"Ratio": ratioName(s.StopRatio)})
	case settings.BackgroundAlways:
		limit += " " + lang.L("It stops when you quit.")
	default:
		return lang.L("In the tray Coral waits, and shares nothing: that is how you set it.")
	}
	return limit
}
