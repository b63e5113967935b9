package view

import (
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"coral/assets"
)

// aboutPage names the version and everybody whose work is inside.
type aboutPage struct {
	root    *fyne.Container
	version *note
	engine  *note
	list    *widget.List
	text    string   // the licences, as given
	lines   []string // wrapped
	columns int
}

func newAboutPage(func(Intent)) page {
	p := &aboutPage{version: newHint(""), engine: newHint("")}
	p.list = widget.NewList(func() int { return len(p.lines) }, func() fyne.CanvasObject {
		l := widget.NewLabel("")
		l.TextStyle.Monospace = true
		l.SizeName = theme.SizeNameCaptionText
		return container.New(inset{0, -6}, l) // lines of one text stand closer than labels do
	}, func(i widget.ListItemID, o fyne.CanvasObject) {
		o.(*fyne.Container).Objects[0].(*widget.Label).SetText(p.lines[i])
	})
	p.list.HideSeparators = true
	p.list.OnSelected = func(i widget.ListItemID) { p.list.Unselect(i) } // there is nothing to open
	title := newColumn(-8,
		newHeading("Coral", theme.SizeNameHeadingText),
		newText(lang.L("Live television that its viewers carry together.")), p.version, p.engine)
	icon := canvas.NewImageFromResource(assets.Icon())
	icon.FillMode = canvas.ImageFillContain
	head := container.NewBorder(nil, nil, container.New(inset{8, 8}, least(72, 72, icon)), nil, title)
	top := newColumn(4, head, newHeading(lang.L("Licences"), theme.SizeNameText))
	frame := newFrame(container.New(measured{p.wrap}, p.list))
	p.root = newCentred(settingsWidth, 12, container.NewBorder(top, nil, nil, nil, frame))
	return p
}

// Object implements page.
func (p *aboutPage) Object() fyne.CanvasObject { return p.root }

// Show implements page.
func (p *aboutPage) Show(m *Model) {
	p.version.say(lang.L("Version") + " " + m.System.Version)
	p.engine.say(m.System.MPVVersion)
	if m.System.Licences != p.text {
		p.text = m.System.Licences
		p.lines = wrapLines(p.text, p.columns)
		p.list.Refresh()
	}
}

// wrap wraps the licences anew if the width asks for it.
func (p *aboutPage) wrap(width float32) {
	letter := fyne.MeasureText("m", theme.CaptionTextSize(), fyne.TextStyle{Monospace: true}).Width
	columns := max(20, int((width-2*theme.InnerPadding()-theme.ScrollBarSize())/letter))
	if columns != p.columns {
		p.columns = columns
		p.lines = wrapLines(p.text, columns)
		p.list.Refresh()
	}
}

// wrapLines breaks a text into lines of at most columns letters, at spaces where
// it can.
func wrapLines(text string, columns int) []string {
	if columns <= 0 {
		return nil
	}
	var lines []string
	for line := range strings.SplitSeq(strings.ReplaceAll(text, "\t", "    "), "\n") {
		r := []rune(strings.TrimRight(line, " \r"))
		for len(r) > columns {
			cut := columns
			for i := columns; i > columns/2; i-- {
				if r[i] == ' ' {
					cut = i
					break
				}
			}
			lines = append(lines, string(r[:cut]))
			r = []rune(strings.TrimLeft(string(r[cut:]), " "))
		}
		lines = append(lines, string(r))
	}
	return lines
}

// measured tells its function the width before it lays out.
type measured struct{ width func(float32) }

// Layout implements fyne.Layout.
func (m measured) Layout(objects []fyne.CanvasObject, s fyne.Size) {
	m.width(s.Width)
	for _, o := range objects {
		o.Resize(s)
	}
}

// MinSize implements fyne.Layout.
func (measured) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSize(200, 120) }
