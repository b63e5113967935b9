package view

import (
	"strconv"
	"strings"
	"time"

	"fyne.io/fyne/v2/lang"

	"coral/node/budget"
)

// decimal writes x with at most digits places behind the language's decimal
// sign, without trailing zeros.
func decimal(x float64, digits int) string {
	s := strconv.FormatFloat(x, 'f', digits, 64)
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return strings.Replace(s, ".", lang.X("decimal sign", "."), 1)
}

// significant keeps two digits or so: 0.8, 2.4, 13, 240.
func significant(x float64) string {
	if x < 9.95 {
		return decimal(x, 1)
	}
	return decimal(x, 0)
}

// RateText writes a rate for people: "2.4 Mbit/s".
func RateText(r budget.Rate) string {
	switch {
	case r < 0:
		return lang.L("unlimited")
	case r >= 999_500_000:
		return lang.L("{{.N}} Gbit/s", map[string]any{"N": significant(float64(r) / 1e9)})
	case r >= 999_500:
		return lang.L("{{.N}} Mbit/s", map[string]any{"N": significant(float64(r) / 1e6)})
	}
	return lang.L("{{.N}} kbit/s", map[string]any{"N": decimal(float64(r)/1e3, 0)})
}

// sizeText writes an amount for people, in powers of 1000: "1.4 GB".
func sizeText(s budget.Size) string {
	for _, u := range []struct {
		from float64
		n    float64
		name string
	}{{999.5e9, 1e12, "TB"}, {999.5e6, 1e9, "GB"}, {999.5e3, 1e6, "MB"}} {
		if float64(s) >= u.from {
			return significant(float64(s)/u.n) + "\u00a0" + u.name
		}
	}
	return decimal(float64(max(s, 0))/1e3, 0) + "\u00a0kB"
}

// hours writes a duration of at least an hour in hours, a shorter one in minutes.
func hours(d time.Duration) string {
	if d >= time.Hour && d%time.Hour == 0 {
		return lang.N("{{.PluralCount}} hours", int(d/time.Hour))
	}
	if d >= time.Hour {
		return lang.L("{{.N}} hours", map[string]any{"N": decimal(d.Hours(), 1)})
	}
	return lang.N("{{.PluralCount}} minutes", int(d/time.Minute))
}

// ago says in words when something was, seen from now.
func ago(at, now time.Time) string {
	at, now = at.Local(), now.Local()
	midnight := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, now.Location())
	switch d := now.Sub(at); {
	case d < time.Minute:
		return lang.L("just now")
	case d < time.Hour:
		return lang.N("{{.PluralCount}} minutes ago", int(d/time.Minute))
	case !at.Before(midnight):
		return lang.N("{{.PluralCount}} hours ago", int(d/time.Hour))
	case !at.Before(midnight.AddDate(0, 0, -1)):
		return lang.L("yesterday")
	case d < 60*24*time.Hour:
		return lang.N("{{.PluralCount}} days ago", int(midnight.Sub(at)/(24*time.Hour))+1)
	}
	return lang.N("{{.PluralCount}} months ago", int(now.Sub(at)/(30*24*time.Hour)))
}

// joinDots joins parts of a line.
func joinDots(parts []string) string { return strings.Join(parts, " · ") }
