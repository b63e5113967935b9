package settings

import (
	"time"

	"coral/node/budget"
)

// Conditions are what the rules for sharing need to know besides the settings.
type Conditions struct {
	Channel   Consent // the channel's own answer; Unasked: as for all
	Paused    bool    // the pause button
	Metered   bool    // the system counts what goes through this network
	OnBattery bool
	Given     budget.Size // to peers in now's month, all channels, on the wire
}

// Reason says why the cap in force is what it is.
type Reason uint8

// The reasons. All but Allowed come with a cap of 0.
const (
	Allowed         Reason = iota // within the cap
	ReasonUnasked                 // the question is still to be answered
	ReasonWatchOnly               // the user's choice, for all or for this channel, or an upload limit of 0
	ReasonPaused                  // the button
	ReasonMetered                 // a metered network
	ReasonBattery                 // no mains
	ReasonSchedule                // the week's plan, or a gentle limit of 0
	ReasonBudget                  // the month's limit is used up
)

const (
	// budgetHorizon is for how long at least what is left of the month must
	// last at the cap: who reports Conditions.Given may be that late, and the
	// limit holds all the same.
	budgetHorizon = 10 * time.Second
	// leastBudget is what is not worth a peer's trouble any more: a block of 32
	// KiB with what goes around it.
	leastBudget budget.Size = 40 << 10
)

// Cap returns what may be sent to peers now, headers included, and why. With a
// cap of 0 not one packet may go to a peer, tracker or DHT node. It asks for
// valid settings; now is in the user's time zone.
func (s Settings) Cap(c Conditions, now time.Time) (budget.Rate, Reason) {
	consent := s.Consent
	if c.Channel != Unasked {
		consent = c.Channel
	}
	level := s.Week.At(now)
	limit := s.Upload
	if level == Gentle {
		limit = lower(limit, s.Gentle)
	}
	left := budget.Size(-1)
	if s.Monthly != NoLimit {
		left = max(0, s.Monthly-c.Given)
	}
	// In the order in which a user would look for the cause: what they said
	// themselves first.
	switch {
	case consent == Unasked:
		return 0, ReasonUnasked
	case consent != Share, s.Upload == 0:
		return 0, ReasonWatchOnly
	case c.Paused:
		return 0, ReasonPaused
	case c.Metered && !s.Metered:
		return 0, ReasonMetered
	case c.OnBattery && !s.Battery:
		return 0, ReasonBattery
	case level == Off, limit == 0:
		return 0, ReasonSchedule
	case s.Monthly == NoLimit:
		return limit, Allowed
	case left < leastBudget:
		return 0, ReasonBudget
	}
	return lower(limit, budget.Rate(left/budget.Size(budgetHorizon/time.Second)*8)), Allowed
}

// lower returns the lower of two rates.
func lower(a, b budget.Rate) budget.Rate {
	if a == budget.Unlimited || b != budget.Unlimited && b < a {
		return b
	}
	return a
}

// GoesOn reports whether to share a channel that is no longer watched: for how
// long it has not been, and what was given to and taken from others since it was
// opened.
func (s Settings) GoesOn(since time.Duration, given, taken budget.Size) bool {
	switch s.Background {
	case BackgroundAlways:
		return true
	case BackgroundTime:
		return since < s.StopAfter
	case BackgroundRatio:
		return float64(given) < s.StopRatio*float64(taken)
	default:
		return false
	}
}
