package view

import (
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"coral/app/settings"
	"coral/node/budget"
)

// span is what a sum is over.
type span int

const (
	spanSession span = iota
	spanMonth
	spanEver
)

func (s span) of(u Usage) (up, down budget.Size) {
	switch s {
	case spanSession:
		return u.SessionUp, u.SessionDown
	case spanMonth:
		return u.MonthUp, u.MonthDown
	}
	return u.EverUp, u.EverDown
}

// total is the row of all channels, or nil.
func total(all []Usage) *Usage {
	for i := range all {
		if all[i].Name == "" {
			return &all[i]
		}
	}
	return nil
}

// usagePage is what was given and taken, on the wire.
type usagePage struct {
	span     span
	segments *segments
	given    *note
	taken    *note
	words    *note
	list     *widget.List
	empty    *note
	usage    []Usage // of channels, as last shown
	rows     []Usage // those with traffic in the span, most first
	all      Usage
	shown    bool
}

// usageLeast is how high the list is at least: in a low window all of the page scrolls.
const usageLeast = 120

func newUsageSection() *section {
	p := &usagePage{
		given: newHeading("", theme.SizeNameHeadingText), taken: newHeading("", theme.SizeNameHeadingText), words: newHint(""),
		empty: newHint(lang.L("Nothing was exchanged with other viewers in this time.")).align(fyne.TextAlignCenter),
	}
	p.segments = newSegments([]string{lang.L("This session"), lang.L("This month"), lang.L("Ever")}, func(i int) {
		p.span = span(i)
		p.fill()
	})
	p.list = widget.NewList(func() int { return len(p.rows) }, newUsageRow, p.fillRow)
	p.list.OnSelected = func(id widget.ListItemID) { p.list.Unselect(id) } // there is nothing to open
	totals := container.New(&tiles{least: 180, gap: 10},
		newPanel(container.New(column{-10}, newHint("↑ "+lang.L("Given to other viewers")), p.given), panelPad),
		newPanel(container.New(column{-10}, newHint("↓ "+lang.L("Taken from other viewers")), p.taken), panelPad))
	head := newColumn(10, newHeading(lang.L("Usage"), theme.SizeNameHeadingText), p.segments, totals,
		newColumn(-8, p.words, newUsageHead()))
	rows := least(0, usageLeast, container.NewStack(p.list, container.NewVBox(p.empty)))
	root := container.NewVScroll(container.New(measure{settingsWidth, 12, true}, container.NewBorder(head, nil, nil, nil, rows)))
	return &section{title: lang.L("Usage"), icon: theme.ListIcon(), root: root, show: p.show}
}

func (p *usagePage) show(m *Model, _ settings.Settings) {
	if p.shown && slices.Equal(m.Usage, p.usage) {
		return
	}
	p.shown = true
	p.usage = m.Usage
	p.all = Usage{}
	if all := total(m.Usage); all != nil {
		p.all = *all
	}
	p.fill()
}

func (p *usagePage) fill() {
	p.rows = p.rows[:0]
	for _, u := range p.usage {
		if up, down := p.span.of(u); u.Name != "" && up+down > 0 {
			p.rows = append(p.rows, u)
		}
	}
	slices.SortStableFunc(p.rows, func(a, b Usage) int {
		au, ad := p.span.of(a)
		bu, bd := p.span.of(b)
		return int(min(1, max(-1, bu+bd-au-ad)))
	})
	up, down := p.span.of(p.all)
	p.given.set(sizeText(up))
	p.taken.set(sizeText(down))
	p.words.set(usageWords(up, down))
	show(p.empty, len(p.rows) == 0)
	p.list.Refresh()
}

func usageWords(up, down budget.Size) string {
	counted := lang.L("Counted on the wire, with headers.")
	if down <= 0 || up <= 0 {
		return counted
	}
	return lang.L("For each byte taken you gave {{.N}}.", map[string]any{"N": decimal(float64(up)/float64(down), 2)}) + " " + counted
}

// usageLayout gives the name what the two amounts leave.
type usageLayout struct{}

const usageAmount = 96

// Layout implements fyne.Layout.
func (usageLayout) Layout(o []fyne.CanvasObject, s fyne.Size) {
	w := float32(usageAmount)
	for i, x := range []float32{0, s.Width - 2*w, s.Width - w} {
		o[i].Move(fyne.NewPos(x, 0))
		o[i].Resize(fyne.NewSize(w, s.Height))
	}
	o[0].Resize(fyne.NewSize(max(0, s.Width-2*w), s.Height))
}

// MinSize implements fyne.Layout.
func (usageLayout) MinSize(o []fyne.CanvasObject) fyne.Size {
	return fyne.NewSize(3*usageAmount, o[0].MinSize().Height)
}

func newUsageRow() fyne.CanvasObject {
	name := widget.NewLabel("")
	name.Truncation = fyne.TextTruncateEllipsis
	up, down := widget.NewLabel(""), widget.NewLabel("")
	up.Alignment, down.Alignment = fyne.TextAlignTrailing, fyne.TextAlignTrailing
	return container.New(usageLayout{}, name, up, down)
}

func newUsageHead() fyne.CanvasObject {
	return container.New(usageLayout{}, newHint(lang.L("Channel")),
		newHint(lang.L("Given")).align(fyne.TextAlignTrailing), newHint(lang.L("Taken")).align(fyne.TextAlignTrailing))
}

func (p *usagePage) fillRow(id widget.ListItemID, o fyne.CanvasObject) {
	cells := o.(*fyne.Container).Objects
	up, down := p.span.of(p.rows[id])
	cells[0].(*widget.Label).SetText(p.rows[id].Name)
	cells[1].(*widget.Label).SetText(sizeText(up))
	cells[2].(*widget.Label).SetText(sizeText(down))
}
