package budget

import (
	"math"
	"time"
)

const (
	// yieldLeast is what is sent even to a line that others fill: below it, no
	// delay could be measured any more, and a block would take longer than anybody
	// waits for it.
	yieldLeast = 64_000
	// gain is by how much of itself the rate grows in a second while the line is
	// empty, and falls while the delay is twice the target. damping is how far it
	// is moved at once by the same: without that, a rate that fills a queue swings
	// around the target for ever. At these the loop keeps 45° of phase with
	// the quarter of a second that a round trip and its smoothing take.
	gain, damping = 0.15, 0.15
	// haste is the growth while the delay is below a quarter of the target: the
	// line has become free, and 64 kbit/s shall be 5 Mbit/s in ten seconds.
	haste = 0.5
	// cutTo is what is left of the rate when the delay is twice the target, cutEvery
	// the time until the next cut: what the first did must have come back as delay.
	cutTo    = 0.7
	cutEvery = 400 * time.Millisecond
	// usedOver and peakOver smooth what was really sent.
	usedOver, peakOver = 300 * time.Millisecond, 5 * time.Second
	// busy is the share of the rate that must be in use for it to grow beyond what
	// the line has borne before, which is forgotten over goodOver.
	busy     = 0.7
	goodOver = time.Minute
	// restEvery, restFor: every so often the rate falls to a quarter, so that the
	// queue which we hold up ourselves runs empty, and connections that have never
	// seen the line without it do (LEDBAT++, draft-irtf-iccrg-ledbat-plus-plus).
	restEvery, restFor, restShare = 30 * time.Second, 500 * time.Millisecond, 0.25
	// afterRest is how long the empty queue is not taken for a free line.
	afterRest = 500 * time.Millisecond
)

// Yield finds the rate at which a line's queue stays near a target, as LEDBAT
// does (RFC 6817): whoever fills the queue beyond it takes the line from us, and
// gives it back by stopping. While nothing is in the way there is no limit. The
// zero value yields to nobody.
type Yield struct {
	target time.Duration // of queueing delay; 0: yields to nobody
	rate   float64       // bits per second; 0: nothing has been in the way yet
	off    float64       // how far the delay is from the target, 1: there is none
	used   float64       // bits per second, of late
	peak   float64       // the most of it, of late
	good   float64       // what the line bore when nobody else used it
	last   time.Time
	cut    time.Time // the last one
	rest   time.Time // when the next rest begins; zero: not since the delay was small
}

// SetTarget sets the queueing delay to keep below; 0 yields to nobody.
func (y *Yield) SetTarget(d time.Duration) {
	if d != y.target {
		*y = Yield{target: d, rate: y.rate, used: y.used, peak: y.peak, good: y.good, last: y.last}
	}
	if d <= 0 {
		y.rate, y.good = 0, 0
	}
}

// Step takes the queueing delay measured since the step before (measured: false
// if none was), and the bytes sent meanwhile. It returns the rate to keep to
// until the next step: Unlimited, or at most the cap.
func (y *Yield) Step(now time.Time, delay time.Duration, measured bool, sent int64, limit Rate) Rate {
	dt := now.Sub(y.last).Seconds()
	first := y.last.IsZero()
	if first || dt > 0 {
		y.last = now
	}
	if first || dt <= 0 || dt > 5 { // the machine slept
		return y.now(now, limit)
	}
	y.used += (float64(sent)*8/dt - y.used) * (1 - math.Exp(-dt/usedOver.Seconds()))
	y.peak = max(y.used, y.peak*math.Exp(-dt/peakOver.Seconds()))
	if y.target <= 0 || y.rate == 0 && !measured {
		return y.now(now, limit)
	}
	y.off = 0
	if measured {
		y.off = max(-1, 1-delay.Seconds()/y.target.Seconds())
	}
	if y.off < 0 && y.rate == 0 { // only now is there anything to hold back
		y.rate, y.cut = max(y.peak, yieldLeast), now
		y.good = y.rate
	}
	switch {
	case y.rate == 0, now.After(y.rest) && !y.rest.IsZero(): // what there is of delay is not our doing
	case !measured: // for want of use: the line may have become free
		y.grow(gain*dt, y.good)
	case y.off <= -1:
		if now.Sub(y.cut) >= cutEvery {
			y.rate *= cutTo
			y.cut = now
		}
	case y.off < 0:
		y.rate *= math.Exp(gain * y.off * dt)
	case y.off > 0.75:
		y.grow(haste*dt, y.bound())
	default:
		y.grow(gain*y.off*dt, y.bound())
	}
	y.good = max(y.rate, y.good+(y.rate-y.good)*dt/goodOver.Seconds())
	if y.rate != 0 {
		y.rate = max(y.rate, yieldLeast)
	}
	if limit >= 0 && y.rate >= float64(limit) {
		y.rate, y.good = 0, 0 // the cap is below what the line bears
	}
	if y.rest.IsZero() && y.rate != 0 {
		y.rest = now.Add(restEvery)
	} else if y.rate == 0 {
		y.rest = time.Time{}
	} else if now.Sub(y.rest) > restFor+afterRest {
		y.rest = now.Add(restEvery)
	}
	return y.now(now, limit)
}

// bound is how far the rate may grow: without end only while it is used.
func (y *Yield) bound() float64 {
	if y.used >= busy*y.rate {
		return math.Inf(1)
	}
	return y.good
}

func (y *Yield) grow(by, bound float64) {
	y.rate = max(y.rate, min(y.rate*math.Exp(by), bound))
}

// now is the rate for this moment.
func (y *Yield) now(now time.Time, limit Rate) Rate {
	if y.rate == 0 {
		return limit
	}
	r := y.rate * (1 + damping*y.off)
	if !y.rest.IsZero() && now.After(y.rest) && now.Sub(y.rest) <= restFor {
		r = y.rate * restShare
	}
	r = max(r, yieldLeast)
	if limit >= 0 && r > float64(limit) {
		return limit
	}
	return Rate(r)
}
