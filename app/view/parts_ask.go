package view

import (
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// askWidth is how wide a question is: a line of text that reads well.
const askWidth = 420

// question is a small dialogue in the middle of a canvas.
type question struct {
	popup *widget.PopUp
	yes   *keyButton
	no    *keyButton
}

// newQuestion shows title and content over c until it is answered. Only the
// yes button calls done, and only if it returns true the dialogue goes.
func newQuestion(c fyne.Canvas, title string, content fyne.CanvasObject, yes string, danger bool, done func() bool) *question {
	q := &question{}
	q.yes = newKeyButton(yes, nil, func() {
		if done() {
			q.popup.Hide()
		}
	})
	q.yes.Importance = widget.HighImportance
	if danger {
		q.yes.Importance = widget.DangerImportance
	}
	q.no = newKeyButton(lang.L("Cancel"), nil, func() { q.popup.Hide() })
	q.yes.onKey, q.no.onKey = q.key, q.key

	buttons := container.NewHBox(layout.NewSpacer(), q.no, q.yes)
	column := newColumn(4, newHeading(title, theme.SizeNameSubHeadingText), content, space(0, 4), buttons)
	q.popup = widget.NewModalPopUp(newCentred(askWidth, 12, column), c)
	width := min(askWidth+24, c.Size().Width-16)
	q.popup.Resize(fyne.NewSize(width, 0)) // the wrapped text learns its width first
	q.popup.Show()
	q.popup.Resize(fyne.NewSize(width, q.popup.MinSize().Height))
	return q
}

func (q *question) key(k fyne.KeyName) {
	switch k {
	case fyne.KeyEscape:
		q.popup.Hide()
	case fyne.KeyLeft:
		focusOn(q.no)
	case fyne.KeyRight:
		focusOn(q.yes)
	}
}

// confirm asks before something that cannot be undone; Cancel has the keyboard.
func confirm(c fyne.Canvas, title, text, yes string, done func()) *question {
	q := newQuestion(c, title, newText(text), yes, true, func() bool { done(); return true })
	c.Focus(q.no)
	return q
}

// prompt asks for a line of text that is not empty.
func prompt(c fyne.Canvas, title, value, yes string, done func(string)) *question {
	entry := newField("")
	entry.SetText(value)
	answer := func() bool {
		text := strings.TrimSpace(entry.Text)
		if text == "" {
			return false
		}
		done(text)
		return true
	}
	q := newQuestion(c, title, newColumn(0, entry, space(0, 4)), yes, false, answer)
	entry.OnSubmitted = func(string) {
		if answer() {
			q.popup.Hide()
		}
	}
	entry.onKey = func(k fyne.KeyName) bool {
		if k == fyne.KeyEscape {
			q.popup.Hide()
			return true
		}
		return false
	}
	c.Focus(entry)
	entry.TypedShortcut(&fyne.ShortcutSelectAll{})
	return q
}
