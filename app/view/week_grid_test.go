package view

import (
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"

	"coral/app/settings"
)

func mouse(x, y float32) *desktop.MouseEvent {
	return &desktop.MouseEvent{PointEvent: fyne.PointEvent{Position: fyne.NewPos(x, y)}, Button: desktop.MouseButtonPrimary}
}

func TestWeekGrid(t *testing.T) {
	var got []settings.Week
	said := ""
	g := newWeekGrid(func(s string) { said = s }, func(w settings.Week) { got = append(got, w) })
	win := window(t, g, weekLabel+24*20, 300)
	g.Resize(fyne.NewSize(weekLabel+24*20, g.MinSize().Height))
	at := func(day, hour int) (float32, float32) {
		return weekLabel + float32(hour)*20 + 10, weekHead + float32(day)*weekRow + 10
	}
	want := settings.Week{}

	// A stroke with the mouse, quicker than the cells are wide, is one change.
	g.MouseDown(mouse(at(1, 3)))
	x, y := at(1, 9)
	g.Dragged(&fyne.DragEvent{PointEvent: fyne.PointEvent{Position: fyne.NewPos(x, y)}})
	g.show(settings.Week{}) // a model in between changes nothing
	g.MouseUp(mouse(x, y))
	g.DragEnd()
	for h := 3; h <= 9; h++ {
		want[1][h] = settings.Gentle
	}
	check := func(what string) {
		t.Helper()
		if len(got) != 1 || got[0] != want {
			t.Fatalf("%s: %d changes\n got %v\nwant %v", what, len(got), got, want)
		}
		got = nil
	}
	check("mouse")

	// A day's name and an hour's number.
	g.brush = settings.Full
	g.MouseDown(mouse(5, weekHead+6*weekRow+5))
	g.MouseUp(mouse(5, weekHead+6*weekRow+5))
	for h := range 24 {
		want[6][h] = settings.Full
	}
	check("day")
	x, _ = at(0, 23)
	g.MouseDown(mouse(x, 5))
	g.MouseUp(mouse(x, 5))
	for d := range 7 {
		want[d][23] = settings.Full
	}
	check("hour")

	// The keyboard: move, paint with space, set with figures, paint with shift.
	win.Canvas().Focus(g)
	g.day, g.hour = 0, 0
	press(g, fyne.KeyDown, fyne.KeyRight, fyne.KeySpace)
	want[1][1] = settings.Full
	check("space")
	g.TypedRune('1')
	want[1][1] = settings.Gentle
	check("1")
	g.TypedRune('x')
	g.TypedRune('1') // no change: no intent
	if got != nil {
		t.Error("an edit that changes nothing is sent")
	}
	g.KeyDown(&fyne.KeyEvent{Name: desktop.KeyShiftLeft})
	press(g, fyne.KeyRight, fyne.KeyRight)
	g.KeyUp(&fyne.KeyEvent{Name: desktop.KeyShiftLeft})
	want[1][2], want[1][3] = settings.Full, settings.Full
	check("shift")
	if said != "Tuesday, 3:00 to 4:00: Full" {
		t.Errorf("it says %q", said)
	}
	press(g, fyne.KeyHome, fyne.KeyUp, fyne.KeyUp, fyne.KeyLeft)
	if g.day != 0 || g.hour != 0 {
		t.Errorf("the keyboard is at %d, %d", g.day, g.hour)
	}
	press(g, fyne.KeyEnd, fyne.KeyRight)
	for range 9 {
		press(g, fyne.KeyDown)
	}
	if g.day != 6 || g.hour != 23 {
		t.Errorf("the keyboard is at %d, %d", g.day, g.hour)
	}
	secondary := mouse(at(0, 0))
	secondary.Button = desktop.MouseButtonSecondary
	g.MouseDown(secondary)
	g.MouseUp(secondary)
	if got != nil {
		t.Error("the secondary button paints")
	}
}

func TestWeekSection(t *testing.T) {
	p, r, _, m := newTestSettings(t)
	brush := in[*segments](t, p, "Week")[0]
	press(brush, fyne.KeyLeft)
	for _, b := range in[*keyButton](t, p, "Week") {
		test.Tap(b)
	}
	if got := r.change(t); got.Week != (settings.Week{}) || got.Upload != m.Settings.Upload {
		t.Errorf("%+v", got)
	}
	write(in[*field](t, p, "Week")[0], "0.25")
	if got := r.change(t); got.Gentle != 250_000 || got.Week != (settings.Week{}) {
		t.Errorf("gentle %v", got.Gentle)
	}
}
