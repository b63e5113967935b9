package view

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// shareSheet shows a channel's link, as text and as a QR code.
type shareSheet struct {
	layer
	emit   func(Intent)
	title  *note
	qr     *canvas.Image
	qrArea *fyne.Container
	link   *widget.Label
	copy   *keyButton
	sheet  ShareSheet // as shown
}

const (
	sheetWidth = 440
	qrSize     = 232
)

func newShareSheet(emit func(Intent)) overlay {
	s := &shareSheet{emit: emit, title: newHeading("", theme.SizeNameSubHeadingText).align(fyne.TextAlignCenter)}
	s.qr = canvas.NewImageFromImage(nil)
	s.qr.FillMode, s.qr.ScaleMode = canvas.ImageFillContain, canvas.ImageScaleFastest
	white := canvas.NewRectangle(color.White) // scanners want a light ground in any theme
	white.CornerRadius = panelRadius
	s.qrArea = container.NewCenter(least(qrSize, qrSize, container.NewStack(white, container.New(inset{12, 12}, s.qr))))
	s.link = widget.NewLabel("")
	s.link.Wrapping = fyne.TextWrapBreak
	s.link.Selectable = true
	s.link.TextStyle.Monospace = true
	s.link.SizeName = theme.SizeNameCaptionText

	closing := func() { emit(CloseShare{}) }
	s.copy = newKeyButton("", nil, func() {
		s.copied(true)
		emit(CopyText{s.sheet.Link})
	})
	s.copy.Importance = widget.HighImportance
	done := newKeyButton(lang.L("Close"), nil, closing)
	key := func(k fyne.KeyName) {
		if k == fyne.KeyEscape {
			closing()
		}
	}
	s.copy.onKey, done.onKey = key, key
	link := container.NewVScroll(s.link)
	link.SetMinSize(fyne.NewSize(0, 84)) // four lines: a long link scrolls
	body := newColumn(6, s.title, s.qrArea,
		newHint(lang.L("Whoever has this link can watch the channel. Scan it with a telephone, or send it.")).align(fyne.TextAlignCenter),
		newFrame(link))
	content, _ := newSheetContent(sheetWidth, body, container.NewGridWithColumns(2, done, s.copy), closing)
	s.layer = newLayer(content, s.copy)
	return s
}

// newFrame is a ground as a field's.
func newFrame(o fyne.CanvasObject) fyne.CanvasObject {
	p := newPanel(o, 2)
	p.colour, p.border = theme.ColorNameInputBackground, theme.ColorNameInputBorder
	return p
}

func (s *shareSheet) copied(yes bool) {
	text, icon := lang.L("Copy the link"), theme.ContentCopyIcon()
	if yes {
		text, icon = lang.L("Copied"), theme.ConfirmIcon()
	}
	if s.copy.Text != text {
		s.copy.Text = text
		s.copy.SetIcon(icon)
	}
}

// Show implements page.
func (s *shareSheet) Show(m *Model) {
	if m.Share != nil && *m.Share != s.sheet {
		s.sheet = *m.Share
		s.title.set(s.sheet.Channel)
		s.link.SetText(s.sheet.Link)
		s.qr.Image = s.sheet.QR
		s.qr.Refresh()
		show(s.qrArea, s.sheet.QR != nil)
		s.copied(false)
	}
	if s.set(m.Share != nil) {
		s.copied(false)
	}
}
