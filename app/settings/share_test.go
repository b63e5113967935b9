package settings

import (
	"testing"
	"time"

	"coral/node/budget"
)

// noon is a Wednesday's.
var noon = time.Date(2026, 11, 25, 12, 30, 0, 0, time.UTC)

func shared(change func(*Settings)) Settings {
	s := Default()
	s.Consent = Share
	if change != nil {
		change(&s)
	}
	return s
}

func TestCap(t *testing.T) {
	at := func(l Level) func(*Settings) { return func(s *Settings) { s.Week[2][12] = l } }
	for _, c := range []struct {
		what   string
		s      Settings
		c      Conditions
		want   budget.Rate
		reason Reason
	}{
		{"all is well", shared(nil), Conditions{}, 2_000_000, Allowed},
		{"nobody was asked", Default(), Conditions{Paused: true, Metered: true}, 0, ReasonUnasked},
		{"one channel only", Default(), Conditions{Channel: Share}, 2_000_000, Allowed},
		{"not this channel", shared(nil), Conditions{Channel: WatchOnly, Paused: true}, 0, ReasonWatchOnly},
		{"watch only", shared(func(s *Settings) { s.Consent = WatchOnly }), Conditions{}, 0, ReasonWatchOnly},
		{"this channel all the same", shared(func(s *Settings) { s.Consent = WatchOnly }), Conditions{Channel: Share}, 2_000_000, Allowed},
		{"a limit of nothing", shared(func(s *Settings) { s.Upload = 0 }), Conditions{}, 0, ReasonWatchOnly},
		{"unlimited", shared(func(s *Settings) { s.Upload = budget.Unlimited }), Conditions{}, budget.Unlimited, Allowed},
		{"paused", shared(nil), Conditions{Paused: true, Metered: true}, 0, ReasonPaused},
		{"metered", shared(nil), Conditions{Metered: true, OnBattery: true}, 0, ReasonMetered},
		{"metered, allowed", shared(func(s *Settings) { s.Metered = true }), Conditions{Metered: true}, 2_000_000, Allowed},
		{"battery", shared(at(Off)), Conditions{OnBattery: true}, 0, ReasonBattery},
		{"battery, allowed", shared(func(s *Settings) { s.Battery = true }), Conditions{OnBattery: true}, 2_000_000, Allowed},
		{"off by plan", shared(at(Off)), Conditions{Given: 1e15}, 0, ReasonSchedule},
		{"gentle", shared(at(Gentle)), Conditions{}, 500_000, Allowed},
		{"gentle above full", shared(func(s *Settings) { at(Gentle)(s); s.Gentle = 9e6 }), Conditions{}, 2_000_000, Allowed},
		{"gentle without limit", shared(func(s *Settings) { at(Gentle)(s); s.Gentle = budget.Unlimited }), Conditions{}, 2_000_000, Allowed},
		{"gentle, full without limit", shared(func(s *Settings) { at(Gentle)(s); s.Upload = budget.Unlimited }), Conditions{}, 500_000, Allowed},
		{"gentle is nothing", shared(func(s *Settings) { at(Gentle)(s); s.Gentle = 0 }), Conditions{}, 0, ReasonSchedule},
		{"within the month", shared(func(s *Settings) { s.Monthly = 5e9 }), Conditions{Given: 1e9}, 2_000_000, Allowed},
		{"at the month's end", shared(func(s *Settings) { s.Monthly = 5e9 }), Conditions{Given: 5e9 - 1e6}, 800_000, Allowed},
		{"the same, unlimited", shared(func(s *Settings) { s.Monthly, s.Upload = 5e9, budget.Unlimited }), Conditions{Given: 5e9 - 1e6}, 800_000, Allowed},
		{"used up", shared(func(s *Settings) { s.Monthly = 5e9 }), Conditions{Given: 5e9 - 1}, 0, ReasonBudget},
		{"more than used up", shared(func(s *Settings) { s.Monthly = 5e9 }), Conditions{Given: 6e9}, 0, ReasonBudget},
		{"a month of nothing", shared(func(s *Settings) { s.Monthly = 0 }), Conditions{}, 0, ReasonBudget},
	} {
		got, reason := c.s.Cap(c.c, noon)
		if got != c.want || reason != c.reason {
			t.Errorf("%s: %v, %v; want %v, %v", c.what, got, reason, c.want, c.reason)
		}
	}
}

// However late the ledger is told, within the horizon, the month's limit holds,
// and nearly all of it is used.
func TestCapKeepsTheMonth(t *testing.T) {
	s := shared(func(s *Settings) { s.Upload, s.Monthly = 100_000_000, 500e6 })
	var given budget.Size
	for range 1000 {
		r, _ := s.Cap(Conditions{Given: given}, noon)
		given += budget.Size(r.BytesPerSecond()) * budget.Size(budgetHorizon/time.Second)
	}
	if given > s.Monthly || given < s.Monthly-leastBudget {
		t.Errorf("%v of %v were given", given, s.Monthly)
	}
}

func TestGoesOn(t *testing.T) {
	for _, c := range []struct {
		b            Background
		since        time.Duration
		given, taken budget.Size
		want         bool
	}{
		{BackgroundOff, 0, 0, 100, false},
		{BackgroundAlways, 1000 * time.Hour, 1e12, 1, true},
		{BackgroundTime, 59 * time.Minute, 0, 0, true},
		{BackgroundTime, time.Hour, 0, 0, false},
		{BackgroundRatio, 0, 99, 100, true},
		{BackgroundRatio, 0, 100, 100, false},
		{BackgroundRatio, 0, 0, 0, false},
	} {
		s := Default()
		s.Background = c.b
		if got := s.GoesOn(c.since, c.given, c.taken); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

func TestWeekAt(t *testing.T) {
	var w Week
	w[0][0], w[6][23] = Gentle, Full
	monday := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	for at, want := range map[time.Time]Level{
		monday:                       Gentle,
		monday.Add(59 * time.Minute): Gentle,
		monday.Add(time.Hour):        Off,
		monday.Add(-time.Second):     Full,
		monday.Add(-time.Second).In(time.FixedZone("", 3600)): Gentle, // by its own clock
	} {
		if got := w.At(at); got != want {
			t.Errorf("%v: %v, want %v", at, got, want)
		}
	}
}
