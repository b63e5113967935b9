package view

import (
	"testing"
	"time"

	"coral/node/budget"
)

func TestNumbers(t *testing.T) {
	for r, want := range map[budget.Rate]string{
		budget.Unlimited: "unlimited", 0: "0 kbit/s", 800_000: "800 kbit/s", 999_600: "1 Mbit/s", 2_400_000: "2.4 Mbit/s",
		12_600_000: "13 Mbit/s", 1_500_000_000: "1.5 Gbit/s",
	} {
		if got := RateText(r); got != want {
			t.Errorf("RateText(%d) = %q, want %q", r, got, want)
		}
	}
	for s, want := range map[budget.Size]string{
		-5: "0\u00a0kB", 0: "0\u00a0kB", 1500: "2\u00a0kB", 1e6: "1\u00a0MB", 999_600: "1\u00a0MB", 22.4e9: "22\u00a0GB", 3.14e12: "3.1\u00a0TB",
	} {
		if got := sizeText(s); got != want {
			t.Errorf("sizeText(%d) = %q, want %q", s, got, want)
		}
	}
	for d, want := range map[time.Duration]string{
		time.Minute: "1 minute", 30 * time.Minute: "30 minutes", time.Hour: "1 hour", 90 * time.Minute: "1.5 hours", 24 * time.Hour: "24 hours",
	} {
		if got := hours(d); got != want {
			t.Errorf("hours(%v) = %q, want %q", d, got, want)
		}
	}
}

func TestAgo(t *testing.T) {
	now := time.Date(2026, 3, 10, 15, 0, 0, 0, time.Local)
	for before, want := range map[time.Duration]string{
		-time.Hour: "just now", 30 * time.Second: "just now", time.Minute: "1 minute ago", 59 * time.Minute: "59 minutes ago",
		3 * time.Hour: "3 hours ago", 16 * time.Hour: "yesterday", 38 * time.Hour: "yesterday", 40 * time.Hour: "2 days ago", 7 * 24 * time.Hour: "7 days ago",
		90 * 24 * time.Hour: "3 months ago",
	} {
		if got := ago(now.Add(-before), now); got != want {
			t.Errorf("%v ago: %q, want %q", before, got, want)
		}
	}
}
