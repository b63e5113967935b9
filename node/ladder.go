package node

import (
	"slices"
	"time"

	"coral/node/schedule"
)

const (
	// ladderFirst is what is assumed before anything has come, in bits per second:
	// a modest picture, which most lines bring at once. What comes after
	// ladderSettle is chosen by what came.
	ladderFirst  = 3_000_000
	ladderSettle = 3 * time.Second
	// What a source is taken to bring falls at once to what it brought, and rises
	// with each segment by ladderTrust percent of the difference: not by a gust.
	// After ladderStale without a segment nothing is known of it any more: others
	// load it, or do no longer.
	ladderTrust = 30
	ladderStale = 30 * time.Second
	// ladderRecent is how many segments fetched at leisure the best is sought among.
	ladderRecent = 4
	// A variant fits if the delivery rate is ladderFits times its own, in percent,
	// and is climbed to from ladderClimbs on. The one that is shown is kept for as
	// long as its segments come in time.
	ladderFits, ladderClimbs = 120, 150
	// ladderRest is the least time between a change and a climb. It doubles, up to
	// ladderRestMost, with each climb that is taken back within ladderRegret, and
	// halves with each that is not; it is forgotten once a climb has held for
	// ladderRestMost.
	ladderRest, ladderRestMost = 12 * time.Second, 192 * time.Second
	ladderRegret               = 20 * time.Second
)

// company is how neighbours stand to a variant.
type company uint8

const (
	alone company = iota // none goes on with it: its segments come from the origin or a publisher
	tried                // one has just begun to
	kept                 // one has for a while: it can be had, and costs the origin nothing more
)

// rung is a variant as the ladder sees it.
type rung struct {
	rate    int64 // of its media, bits per second
	company company
}

// outlook is what a segment's variant is chosen by, besides the rungs.
type outlook struct {
	now     schedule.Instant
	length  time.Duration // of the segment
	plays   bool          // a player plays, and slack means something
	slack   time.Duration // until the segment is due
	backlog int64         // bits chosen before that are not here yet
	flow    int64         // bits per second at which they come; 0: they have hardly begun
	turn    bool          // of all who might, it is for us to try what no neighbour has
}

// pace is how fast segments came from one source.
type pace struct {
	rate   int64 // bits per second
	at     schedule.Instant
	recent []int64 // since the last urgent one, newest last
}

// took notes a segment's rate. What was not urgent may have been fetched at
// leisure, and tells only that it was at least so fast: the best of them counts.
func (p *pace) took(now schedule.Instant, rate int64, urgent bool) {
	if urgent {
		p.recent = p.recent[:0]
	} else if len(p.recent) == ladderRecent {
		p.recent = slices.Delete(p.recent, 0, 1)
	}
	p.recent = append(p.recent, rate)
	if best := slices.Max(p.recent); p.known(now) == 0 || best < p.rate {
		p.rate = best
	} else {
		p.rate += (best - p.rate) * ladderTrust / 100
	}
	p.at = now
}

// known is the rate, or 0 if it is not known, or not any more.
func (p *pace) known(now schedule.Instant) int64 {
	if now-p.at > schedule.Instant(ladderStale) {
		return 0
	}
	return p.rate
}

// ladder chooses a variant for each segment that a playlist grows by, from how
// fast others came, what is still to come and when it is due. It is owned by the
// session's goroutine and is given the time.
//
// Viewers on different variants have nothing to share, and nothing tells how fast
// a variant comes that nobody watches. So one viewer tries it, when its buffer
// bears that; the others follow when that one has stayed.
type ladder struct {
	paces   [fromOrigin + 1]pace // by source
	last    int64                // bits per second at which the newest segment came; 0: none did
	ids     []uint16             // of the variants that are its rungs
	at      int                  // the rung that is shown
	begun   bool                 // one is
	used    schedule.Instant     // when one was asked for
	changed schedule.Instant
	rest    time.Duration    // how long nothing is climbed after changed
	climbed schedule.Instant // 0: not, or taken back
	waited  time.Duration    // the rest before that climb
}

// took notes that a segment of so many bits came in d, from a source.
func (l *ladder) took(now schedule.Instant, source int, bits int64, d time.Duration, urgent bool) {
	if d <= 0 || bits <= 0 {
		return
	}
	rate := int64(float64(bits) / d.Seconds())
	l.last = rate
	for i := range l.paces {
		// An urgent one takes whatever comes from anywhere: nothing is faster.
		if p := &l.paces[i]; i == source || urgent && p.known(now) > rate {
			p.took(now, rate, urgent)
		}
	}
}

// fell has nothing count that came faster than what comes now, if that is known.
func (l *ladder) fell(now schedule.Instant, flow int64) {
	for i := range l.paces {
		if p := &l.paces[i]; flow > 0 && p.known(now) > flow {
			*p = pace{rate: flow, at: now}
		}
	}
}

// expect is the rate at which segments of v are expected; guess: from a source of
// which nothing is known, as fast as from others.
func (l *ladder) expect(v rung, o *outlook) (rate int64, guess bool) {
	origin, peers := l.paces[fromOrigin].known(o.now), l.paces[fromPeers].known(o.now)
	switch {
	case v.company != alone:
		rate = max(origin, peers)
	case origin > 0:
		rate = origin
	default:
		rate, guess = peers, true
	}
	if rate == 0 {
		rate, guess = ladderFirst, true
	}
	if o.flow > 0 {
		rate = min(rate, o.flow)
	}
	return max(1, rate), guess
}

// choose returns the rung to take a segment from. They are sorted, the lowest
// rate first, and stay the same: begin anew when they do not.
func (l *ladder) choose(o outlook, rungs []rung) int {
	fits := func(i int, percent int64) bool {
		rate, _ := l.expect(rungs[i], &o)
		return rungs[i].rate*percent/100 <= rate
	}
	// spareAt is what is left of slack when a segment of rung i has come at a rate,
	// spare at the one that is expected.
	spareAt := func(i int, rate int64) time.Duration {
		bits := float64(o.backlog) + float64(rungs[i].rate)*o.length.Seconds()
		return o.slack - time.Duration(min(bits/float64(rate), 3600)*float64(time.Second))
	}
	spare := func(i int) time.Duration {
		rate, _ := l.expect(rungs[i], &o)
		return spareAt(i, rate)
	}
	best := func(from int, ok func(i int) bool) int {
		for i := from; i > 0; i-- {
			if ok(i) {
				return i
			}
		}
		return 0
	}
	if !l.begun {
		l.begun, l.rest = true, ladderSettle
		l.move(o.now, best(len(rungs)-1, func(i int) bool { return fits(i, ladderFits) }))
		return l.at
	}
	at := l.at
	// enough is what has to be left where segments do not come as fast as they are
	// played. Neighbours take their time, and bring more than it seems.
	enough := 2 * o.length
	if rungs[at].company != alone {
		enough = o.length / 2
	}
	// The segment that a climb is for may be chosen more than once: it is held back for
	// its twin. Nothing new tells against the climb as long as that may take.
	climbing := l.climbed != 0 && o.now-l.climbed < schedule.Instant(o.length/2)
	switch {
	case at > 0 && !climbing && (!o.plays && !fits(at, 100) || o.plays && (spare(at) < o.length/4 || spare(at) < enough && !fits(at, 100))):
		// The lowest that fits is better than one that comes late, too.
		to := best(at-1, func(i int) bool { return fits(i, ladderFits) && (!o.plays || spare(i) >= o.length/4) })
		if l.climbed != 0 {
			switch held := time.Duration(o.now - l.climbed); {
			case held < ladderRegret:
				l.rest = min(2*l.waited, ladderRestMost)
			case held >= ladderRestMost:
				l.rest = 0
			}
		}
		l.rest, l.climbed = max(l.rest, ladderRest), 0
		l.fell(o.now, o.flow)
		l.move(o.now, to)
	case o.plays && o.now-l.changed >= schedule.Instant(l.rest):
		// A climb is sure, or it is a trial: of what neighbours show to be possible,
		// or of the next one, if it is not known to be impossible. Even if nothing
		// comes faster than what came last, the buffer has to bear it.
		bears := func(i int) bool { return l.last == 0 || spareAt(i, l.last) >= o.length/2 }
		to := best(len(rungs)-1, func(i int) bool {
			_, guess := l.expect(rungs[i], &o)
			mine := rungs[i].company == kept || rungs[i].company == alone && o.turn
			sure := !guess && fits(i, ladderClimbs) && spare(i) >= o.length
			trial := rungs[i].company == kept || guess && i == at+1 && fits(i, 100) && spare(i) >= o.length
			return i > at && mine && (sure || trial) && bears(i)
		})
		if to > at {
			l.waited = l.rest
			if l.climbed != 0 {
				l.rest /= 2
			}
			l.rest = max(l.rest, ladderRest)
			l.climbed = o.now
			l.move(o.now, to)
		}
	}
	return l.at
}

func (l *ladder) move(now schedule.Instant, to int) { l.at, l.changed = to, now }

// stay has rung at be shown, whatever the ladder would choose.
func (l *ladder) stay(now schedule.Instant, at int) {
	if l.at != at {
		l.move(now, at)
		l.climbed = 0
	}
}
