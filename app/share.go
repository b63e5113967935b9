package app

import (
	"context"
	"time"

	"coral/app/library"
	"coral/app/settings"
	"coral/app/view"
	"coral/node"
	"coral/node/budget"
)

// sharing is what was decided about sharing last.
type sharing struct {
	paused  bool // the button
	metered bool
	battery bool

	applied  bool // the node was told
	any      bool // some channel is shared
	up, down budget.Rate
	reason   settings.Reason // for what is watched, or for all
	cap      budget.Rate
}

// open is a channel with a session.
type open struct {
	channel library.Channel
	session *node.Session
	since   time.Time // when watching ended; zero: it is watched
	shared  bool      // as the session was told
	told    node.ShareState
	last    node.Stats
	up      budget.Size // on the wire since it was opened
	down    budget.Size
}

// sessions lists all open channels, the watched one first.
func (a *app) sessions() []*open {
	all := make([]*open, 0, 1+len(a.resting))
	if w := a.watching; w != nil && w.open != nil {
		all = append(all, w.open)
	}
	for _, o := range a.resting {
		all = append(all, o)
	}
	return all
}

// applySharing carries out what the settings' rule says now: at each change and
// once a second, since the schedule, the month's budget and the system move on.
func (a *app) applySharing(now time.Time) {
	if a.node == nil {
		return
	}
	cfg := a.settings.Get()
	given := a.ledger.Total(now).MonthUp
	caps := budget.Rate(0)
	rule := func(c settings.Consent) (budget.Rate, settings.Reason) {
		return cfg.Cap(settings.Conditions{
			Channel: c, Paused: a.sharing.paused, Metered: a.sharing.metered, OnBattery: a.sharing.battery, Given: given,
		}, now)
	}
	a.sharing.cap, a.sharing.reason = rule(settings.Unasked)
	anybody := false
	for _, o := range a.sessions() {
		up, reason := rule(o.channel.Consent)
		if !o.since.IsZero() && !cfg.GoesOn(now.Sub(o.since), o.up, o.down) {
			a.rest(o)
			continue
		}
		if allowed := reason == settings.Allowed; allowed != o.shared {
			o.shared = allowed
			o.session.SetSharing(allowed)
		}
		if st := reasons[reason].page; st != o.told {
			o.told = st
			o.session.SetShareState(st)
		}
		if reason == settings.Allowed {
			anybody = true
			caps = up // the same for all that share
		}
		if o.since.IsZero() {
			a.sharing.cap, a.sharing.reason = up, reason
		}
	}
	if !a.sharing.applied || caps != a.sharing.up || cfg.Down != a.sharing.down {
		a.sharing.applied, a.sharing.up, a.sharing.down = true, caps, cfg.Down
		a.node.SetCaps(caps, cfg.Down)
	}
	if anybody != a.sharing.any {
		a.sharing.any = anybody
		a.node.SetSharing(anybody)
	}
}

// rest ends the session of a channel that is not watched any more.
func (a *app) rest(o *open) {
	delete(a.resting, o.channel.ID)
	a.account(o, time.Now())
	s := o.session
	a.later(func(context.Context) func() {
		s.Close() // says goodbye to its peers
		return a.relax
	})
}

// leave is called when o is not watched any more: it is shared on, or closed.
func (a *app) leave(o *open) {
	now := time.Now()
	o.since = now
	if !o.shared || !a.settings.Get().GoesOn(0, o.up, o.down) {
		a.rest(o)
		return
	}
	a.resting[o.channel.ID] = o
}

// account enters what o gave and took since the last time.
func (a *app) account(o *open, now time.Time) node.Stats {
	st := o.session.Stats()
	up, down := budget.Size(st.SentWire-o.last.SentWire), budget.Size(st.ReceivedWire-o.last.ReceivedWire)
	if up > 0 || down > 0 {
		a.ledger.Add(o.channel.ID, up, down, now)
		o.up += up
		o.down += down
	}
	o.last = st
	return st
}

// pauseSharing is the button: it works at once.
func (a *app) pauseSharing(on bool) {
	a.sharing.paused = on
	a.applySharing(time.Now())
}

// reasons are why sharing is as it is, in the words of the window and of the web
// player's page.
var reasons = map[settings.Reason]struct {
	window view.SharingState
	page   node.ShareState
}{
	settings.Allowed:         {view.SharingOn, node.ShareOn},
	settings.ReasonUnasked:   {view.SharingUnasked, node.ShareUnasked},
	settings.ReasonWatchOnly: {view.SharingWatchOnly, node.ShareWatchOnly},
	settings.ReasonPaused:    {view.SharingPaused, node.SharePaused},
	settings.ReasonMetered:   {view.SharingMetered, node.ShareMetered},
	settings.ReasonBattery:   {view.SharingBattery, node.ShareBattery},
	settings.ReasonSchedule:  {view.SharingSchedule, node.ShareSchedule},
	settings.ReasonBudget:    {view.SharingBudget, node.ShareBudget},
}

// state is what the window says of sharing at a rate.
func (s *sharing) state(rate budget.Rate) view.SharingState {
	if s.reason == settings.Allowed && rate == 0 {
		return view.SharingIdle
	}
	return reasons[s.reason].window
}
