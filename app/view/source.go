package view

import (
	"math"
	"strings"

	"fyne.io/fyne/v2/lang"

	"coral/node/budget"
)

// sourceSentence says where the picture comes from, what this machine gives and
// whether the bytes are the organiser's: all that is known, and no more.
func sourceSentence(m *Model) string {
	if m.Watching == nil {
		return sharingSentence(m.Sharing)
	}
	s := m.Watching.Source
	parts := []string{originSentence(s)}
	if s.Verified != NoChannel || m.Sharing.State == SharingOn {
		parts = append(parts, sharingSentence(m.Sharing))
	}
	if v := verifiedSentence(s.Verified, m.Sharing.State); v != "" {
		parts = append(parts, v)
	}
	return strings.Join(parts, " ")
}

// originSentence is the first part: who delivered.
func originSentence(s Source) string {
	if s.Verified == NoChannel {
		return lang.L("An ordinary playlist: from its own server alone, not shared, and signed by nobody.")
	}
	peers, origin, cache := s.FromPeers > 0, s.FromOrigin > 0, s.FromCache > 0
	n := max(1, s.Peers)
	data := map[string]any{"Percent": wholePercent(s.FromPeers), "PluralCount": n}
	switch {
	case peers && origin && cache:
		return lang.N("From {{.PluralCount}} viewers, the origin and the cache: {{.Percent}} % from viewers.", n, data)
	case peers && origin:
		return lang.N("From {{.PluralCount}} viewers and the origin: {{.Percent}} % from viewers.", n, data)
	case peers && cache:
		return lang.N("From {{.PluralCount}} viewers and the cache: {{.Percent}} % from viewers.", n, data)
	case peers:
		return lang.N("From {{.PluralCount}} viewers, none of it from the origin.", n)
	case origin && cache:
		data["Percent"] = wholePercent(s.FromOrigin)
		return lang.L("From the origin and the cache: {{.Percent}} % from the origin.", data)
	case origin:
		return lang.L("From the origin.")
	case cache:
		return lang.L("From this machine's cache.")
	}
	return lang.L("Nothing has arrived yet.")
}

// wholePercent rounds a share that has company: it is neither nothing nor all.
func wholePercent(share float64) int {
	return min(99, max(1, int(math.Round(100*share))))
}

// sharingSentence is the second part: what is given, or why nothing is.
func sharingSentence(s Sharing) string {
	switch s.State {
	case SharingOn:
		if s.Cap < 0 {
			return lang.L("Sharing {{.Rate}}.", map[string]any{"Rate": RateText(s.Rate)})
		}
		return lang.L("Sharing {{.Rate}} of {{.Cap}}.", map[string]any{"Rate": rateBeside(s.Rate, s.Cap), "Cap": RateText(s.Cap)})
	case SharingIdle:
		return lang.L("Ready to share; nobody asks.")
	case SharingWatchOnly:
		return lang.L("Watching only: nothing is shared.")
	case SharingPaused:
		return lang.L("Sharing is paused.")
	case SharingMetered:
		return lang.L("Not sharing: this network is metered.")
	case SharingBattery:
		return lang.L("Not sharing: this machine runs on battery.")
	case SharingSchedule:
		return lang.L("Not sharing at this hour: so says your week.")
	case SharingBudget:
		return lang.L("Not sharing: this month's limit is used up.")
	}
	return lang.L("Not sharing: you have not been asked yet.")
}

// rateBeside writes r without a unit if it is the one of what follows, "0.8" of
// "2 Mbit/s", unless there it would look like nothing.
func rateBeside(r, follows budget.Rate) string {
	unit := budget.Rate(1e3)
	for _, u := range []budget.Rate{1e6, 1e9} {
		if follows >= u-u/2000 { // where RateText changes its unit
			unit = u
		}
	}
	n := significant(float64(r) / float64(unit))
	if r > 0 && (n == "0" || float64(r) < 0.05*float64(unit)) {
		return RateText(r)
	}
	return n
}

func verifiedSentence(v Verified, sharing SharingState) string {
	switch {
	case v == Yes:
		return lang.L("Verified.")
	case v == NotVerified && sharing != SharingOn && sharing != SharingIdle:
		return lang.L("Not verified: signatures come from other viewers.")
	case v == NotVerified:
		return lang.L("Not verified: the organiser's signatures are late.")
	}
	return ""
}
