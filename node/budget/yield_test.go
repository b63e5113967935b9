package budget

import (
	"math"
	"testing"
	"time"
)

// line is a home's uplink: its queue fills by what is sent faster than it can
// carry. Delay is seen a quarter of a second later, smoothed.
type line struct {
	rate  float64 // bits per second
	queue float64 // seconds
	seen  []float64
	srtt  float64
}

const tick = 100 * time.Millisecond

// send lets the line carry for a tick what is offered, in bits per second, and
// returns the delay that is measured meanwhile. A queue beyond 300 ms drops.
func (l *line) send(offered float64) time.Duration {
	l.queue = min(0.3, max(0, l.queue+(offered/l.rate-1)*tick.Seconds()))
	l.seen = append(l.seen, l.queue)
	old := l.seen[max(0, len(l.seen)-2)]
	l.srtt += (old - l.srtt) / 2
	return time.Duration(l.srtt * float64(time.Second))
}

// Someone seeds over a line of 1 Mbit/s for a minute, then the household
// uploads for ten seconds with all its might, then it stops.
func TestYieldToTheHousehold(t *testing.T) {
	for _, c := range []struct {
		name       string
		target     time.Duration
		limit      Rate
		line       float64
		alone      [2]float64 // share of the line while alone, bounds
		household  float64    // share of the line while the household fills it, at most
		delayAlone time.Duration
	}{
		{"no cap", 60 * time.Millisecond, Unlimited, 1e6, [2]float64{0.9, 1.02}, 0.1, 110 * time.Millisecond},
		{"a faster line", 60 * time.Millisecond, Unlimited, 20e6, [2]float64{0.9, 1.02}, 0.1, 110 * time.Millisecond},
		{"a later target", 100 * time.Millisecond, Unlimited, 1e6, [2]float64{0.9, 1.02}, 0.1, 170 * time.Millisecond},
		{"a cap below the line", 60 * time.Millisecond, 500_000, 1e6, [2]float64{0.499, 0.501}, 0.13, 0},
		{"a cap above the line", 60 * time.Millisecond, 3_000_000, 1e6, [2]float64{0.9, 1.02}, 0.1, 110 * time.Millisecond},
	} {
		var y Yield
		y.SetTarget(c.target)
		l := &line{rate: c.line}
		now := time.Unix(100, 0)
		unlimited := 3 * c.line // what TCP would send before it loses anything
		var rate, sent float64
		step := func(household float64) (ours float64, delay time.Duration) {
			d := l.send(sent + household)
			now = now.Add(tick)
			r := y.Step(now, d, true, int64(min(sent, c.line)*tick.Seconds()/8), c.limit)
			if r == 0 || c.limit >= 0 && (r > c.limit || r == Unlimited) {
				t.Fatalf("%s: rate %v with a cap of %v", c.name, r, c.limit)
			}
			if rate = float64(r); r == Unlimited {
				rate = unlimited
			}
			sent = min(rate, unlimited)
			return sent, d
		}
		mean := func(d time.Duration, household float64) (share float64, delay time.Duration) {
			n := int(d / tick)
			var all float64
			var worst time.Duration
			for range n {
				s, d := step(household)
				all += min(s, c.line)
				worst = max(worst, d)
			}
			return all / float64(n) / c.line, worst
		}
		mean(20*time.Second, 0) // it settles
		share, worst := mean(60*time.Second, 0)
		t.Logf("%s: alone %.3f of the line, delay up to %v", c.name, share, worst)
		if share < c.alone[0] || share > c.alone[1] || worst > c.delayAlone {
			t.Errorf("%s: alone %.3f of the line, delay up to %v", c.name, share, worst)
		}
		mean(3*time.Second, c.line) // the household comes
		share, _ = mean(10*time.Second, c.line)
		t.Logf("%s: beside the household %.3f", c.name, share)
		if share > c.household {
			t.Errorf("%s: beside the household %.3f of the line", c.name, share)
		}
		mean(12*time.Second, 0) // it is gone
		share, _ = mean(10*time.Second, 0)
		if share < 0.85*c.alone[0] {
			t.Errorf("%s: after the household %.3f of the line", c.name, share)
		}
	}
}

func TestYieldLeavesAloneWhatIsFree(t *testing.T) {
	now := time.Unix(100, 0)
	step := func(y *Yield, d time.Duration, ok bool, sent int64, limit Rate) Rate {
		now = now.Add(tick)
		return y.Step(now, d, ok, sent, limit)
	}
	// Without a target, a measurement or a delay the cap is all there is.
	for _, c := range []struct {
		target, delay time.Duration
		measured      bool
	}{
		{0, time.Second, true},
		{60 * time.Millisecond, time.Second, false},
		{60 * time.Millisecond, 50 * time.Millisecond, true},
	} {
		for _, limit := range []Rate{Unlimited, 5_000_000} {
			var y Yield
			y.SetTarget(c.target)
			for range 100 {
				if r := step(&y, c.delay, c.measured, 100_000, limit); r != limit {
					t.Fatalf("%+v: rate %v, cap %v", c, r, limit)
				}
			}
		}
	}
	// Others fill the line while we send nearly nothing: what was held back before
	// is not forgotten, and nothing falls below the least.
	var y Yield
	y.SetTarget(60 * time.Millisecond)
	var r Rate
	for range 300 {
		r = step(&y, time.Second, true, 10, Unlimited)
	}
	if r != yieldLeast {
		t.Errorf("a line that is full: %v", r)
	}
	// A rate that is not used does not grow.
	for range 300 {
		r = step(&y, 0, true, 10, Unlimited)
	}
	if r > yieldLeast*(1+damping) {
		t.Errorf("unused: %v", r)
	}
	// But it comes back to what the line has borne, measured or not.
	for _, measured := range []bool{true, false} {
		y = Yield{}
		y.SetTarget(60 * time.Millisecond)
		for range 30 {
			step(&y, 0, true, 25_000, Unlimited)
		}
		for range 10 {
			step(&y, 61*time.Millisecond, true, 25_000, Unlimited) // 2 Mbit/s
		}
		for range 200 {
			r = step(&y, time.Second, true, 10, Unlimited)
		}
		if r != yieldLeast {
			t.Errorf("while the line was full: %v", r)
		}
		for range 250 {
			r = step(&y, 0, measured, 10, Unlimited)
		}
		if r < 1_000_000 || r > 2_300_000 {
			t.Errorf("after it was full, measured %v: %v", measured, r)
		}
	}
	// Nothing is kept once there is no target.
	y.SetTarget(0)
	if r = step(&y, time.Second, true, 10, 7_000_000); r != 7_000_000 {
		t.Errorf("without a target: %v", r)
	}
	// A pause of the machine is not a rate.
	y.SetTarget(60 * time.Millisecond)
	now = now.Add(time.Hour)
	if r = step(&y, time.Second, true, math.MaxInt32, Unlimited); r != Unlimited {
		t.Errorf("after a sleep: %v", r)
	}
}

// Twice a minute the queue that we hold up runs empty, for newcomers to see.
func TestYieldRests(t *testing.T) {
	var y Yield
	y.SetTarget(60 * time.Millisecond)
	l := &line{rate: 1e6}
	now, sent, rests, resting := time.Unix(100, 0), 2e6, 0, false
	for range 1200 { // two minutes
		d := l.send(sent)
		now = now.Add(tick)
		r := y.Step(now, d, true, int64(min(sent, 1e6)*tick.Seconds()/8), Unlimited)
		if sent = float64(r); r == Unlimited {
			sent = 2e6
		}
		if l.queue == 0 && !resting {
			rests++
		}
		resting = l.queue == 0
	}
	if rests < 3 || rests > 6 {
		t.Errorf("the queue was empty %d times in two minutes", rests)
	}
}
