package view

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/theme"

	"coral/app/settings"
)

// newWeekSection is the plan of the week. It stands apart from the rest of
// sharing because it needs the room.
func newWeekSection(p *settingsPage) *section {
	where := newHint(" ")
	grid := newWeekGrid(func(text string) {
		if text == "" {
			text = lang.L("Press and drag to paint. Keyboard: arrows move, space paints, 0, 1 and 2 set a level.")
		}
		where.set(text)
	}, func(w settings.Week) { p.edit(func(s *settings.Settings) { s.Week = w }) })
	grid.hover("")

	brush := newSegments(levelNames(), func(i int) { grid.brush = settings.Level(i) })
	for l := range settings.Full + 1 {
		brush.marks = append(brush.marks, func(w fyne.Widget) color.Color { return levelColour(w, l) })
	}
	brush.set(int(grid.brush))
	fill := newKeyButton(lang.L("Whole week"), theme.ColorPaletteIcon(), func() {
		grid.begin()
		for d := range days {
			grid.paint(d, -1)
		}
		grid.end()
	})
	gentle := newAmount(rateKind(hourly), func(v int64) {
		p.edit(func(s *settings.Settings) { s.Gentle = rate(v) })
	})

	root := newSectionBody(lang.L("Week"),
		newHint(lang.L("How much may be shared in each hour of the week, in this computer's time.")),
		newGroup("",
			newRow(lang.L("Paint with"), lang.L("Full: up to your upload cap. Gentle: up to the cap below. Off: nothing."), brush),
			newTallRow(lang.L("Hours"), "", newColumn(0, inside(grid), newSides(rowBreak, 8, 0, where, inside(fill))))),
		newGroup("", newTallRow(lang.L("Cap in gentle hours"), "", gentle.root)),
	)
	return &section{title: lang.L("Week"), icon: theme.CalendarIcon(), root: root, show: func(_ *Model, s settings.Settings) {
		grid.show(s.Week)
		gentle.show(int64(s.Gentle))
	}}
}
