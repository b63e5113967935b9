package view

import (
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
)

const (
	settingsWidth = 720 // of a section's column
	panelPad      = 8   // texts bring 8 more of their own
	rowBreak      = 430 // narrower: the control goes below its words
)

// newSectionBody makes a section's column of groups.
func newSectionBody(title string, groups ...fyne.CanvasObject) *container.Scroll {
	objects := append([]fyne.CanvasObject{newHeading(title, theme.SizeNameHeadingText)}, groups...)
	return container.NewVScroll(container.New(measure{settingsWidth, 12, true}, newColumn(10, append(objects, space(0, 20))...)))
}

// newGroup is a panel of rows below a title; the title may be empty.
func newGroup(title string, rows ...*settingRow) fyne.CanvasObject {
	var objects []fyne.CanvasObject
	for i, r := range rows {
		if i > 0 {
			objects = append(objects, separator())
		}
		objects = append(objects, r.Container)
	}
	body := newPanel(container.New(ruled{}, objects...), panelPad)
	if title == "" {
		return body
	}
	return newColumn(0, newHeading(title, theme.SizeNameText), body)
}

// ruled is a column of rows with a line before each but the first; rows come
// and go with their lines.
type ruled struct{}

// Layout implements fyne.Layout.
func (ruled) Layout(objects []fyne.CanvasObject, s fyne.Size) {
	ruled{}.rule(objects)
	column{}.Layout(objects, s)
}

// MinSize implements fyne.Layout.
func (ruled) MinSize(objects []fyne.CanvasObject) fyne.Size {
	ruled{}.rule(objects)
	return column{}.MinSize(objects)
}

func (ruled) rule(objects []fyne.CanvasObject) {
	above := false
	for i := 0; i < len(objects); i += 2 {
		if i > 0 {
			show(objects[i-1], above && objects[i].Visible())
		}
		above = above || objects[i].Visible()
	}
}

// settingRow is words and a control, with room for what is wrong below.
type settingRow struct {
	*fyne.Container
	hint  *note
	wrong *note
}

func newRow(title, hint string, control fyne.CanvasObject) *settingRow {
	r := &settingRow{hint: newHint(hint), wrong: newNote("", theme.ColorNameError, theme.SizeNameCaptionText)}
	r.hint.say(hint)
	r.wrong.Hide()
	// The caption's own padding would leave a gap: it moves up by as much.
	words := container.New(column{-theme.InnerPadding() - 2}, newText(title), r.hint)
	top := newSides(rowBreak, 12, 0, words, container.New(inset{8, 4}, control))
	r.Container = container.New(column{-6}, top, r.wrong)
	return r
}

// newTallRow has its control below its words, as wide as the panel.
func newTallRow(title, hint string, control fyne.CanvasObject) *settingRow {
	r := &settingRow{hint: newHint(hint), wrong: newNote("", theme.ColorNameError, theme.SizeNameCaptionText)}
	r.hint.say(hint)
	r.wrong.Hide()
	words := container.New(column{-theme.InnerPadding() - 2}, newText(title), r.hint)
	r.Container = newColumn(0, words, control, r.wrong)
	return r
}

// picker is a choice of values by their names.
type picker[T comparable] struct {
	widget *selection
	values []T
	shown  T
	known  bool
}

// newPicker's changed is called when the user has chosen another value.
func newPicker[T comparable](values []T, names []string, changed func(T)) *picker[T] {
	p := &picker[T]{values: values}
	p.widget = newSelection(names, func(string) {
		i := p.widget.SelectedIndex()
		if i >= 0 && (!p.known || p.values[i] != p.shown) {
			p.shown, p.known = p.values[i], true
			changed(p.shown)
		}
	})
	return p
}

// show shows v without calling changed; a value that is not among the choices
// is added under name.
func (p *picker[T]) show(v T, name string) {
	if p.known && p.shown == v {
		return
	}
	p.shown, p.known = v, true
	i := slices.Index(p.values, v)
	if i < 0 {
		p.values = append(slices.Clone(p.values), v)
		p.widget.Options = append(slices.Clone(p.widget.Options), name)
		i = len(p.values) - 1
	}
	p.widget.Selected = p.widget.Options[i]
	p.widget.Refresh()
}

// offer replaces the choices.
func (p *picker[T]) offer(values []T, names []string) {
	if slices.Equal(values, p.values) && slices.Equal(names, p.widget.Options) {
		return
	}
	p.values, p.widget.Options = slices.Clone(values), slices.Clone(names)
	p.known = false
}
