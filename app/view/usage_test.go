package view

import (
	"testing"

	"fyne.io/fyne/v2"
)

func TestUsage(t *testing.T) {
	p, _, _, m := newTestSettings(t)
	m.Usage = []Usage{
		{Name: "", SessionUp: 3e6, SessionDown: 6e6, MonthUp: 5e9, MonthDown: 1e9, EverUp: 9e9, EverDown: 8e9},
		{Name: "A", SessionUp: 1e6, SessionDown: 1e6, EverUp: 1e9},
		{Name: "B", SessionUp: 2e6, SessionDown: 5e6, EverUp: 8e9},
		{Name: "C", EverUp: 1},
	}
	p.Show(m)
	spans := in[*segments](t, p, "Usage")[0]
	if !says(p, "Usage", "3\u00a0MB") || !says(p, "Usage", "you gave 0.5.") {
		t.Error("the session's sums are not shown")
	}
	press(spans, fyne.KeyRight)
	if !says(p, "Usage", "5\u00a0GB") || !says(p, "Usage", "Nothing was exchanged") {
		t.Error("the month's sums are not shown")
	}
	press(spans, fyne.KeyRight)
	if !says(p, "Usage", "9\u00a0GB") || says(p, "Usage", "Nothing was exchanged") {
		t.Error("the sums of all time are not shown")
	}
	if !says(p, "Sharing", "Given this month: 5\u00a0GB.") {
		t.Error("sharing does not say what the month has had")
	}
}
