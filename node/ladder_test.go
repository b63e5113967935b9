package node

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"coral/node/schedule"
)

var rungs = []rung{{rate: 400_000}, {rate: 1_200_000}, {rate: 3_000_000}, {rate: 6_000_000}}

func TestLadderChoice(t *testing.T) {
	const second = time.Second
	at := func(rung int, changed time.Duration, origin, peers int64) ladder {
		l := ladder{at: rung, begun: true, changed: schedule.Instant(changed), rest: ladderRest}
		l.paces[fromOrigin] = pace{rate: origin, at: schedule.Instant(59 * second)}
		l.paces[fromPeers] = pace{rate: peers, at: schedule.Instant(90 * second)}
		return l
	}
	slow := func(l ladder, last int64) ladder { l.last = last; return l }
	calm := outlook{now: schedule.Instant(60 * second), length: 2 * second, plays: true, slack: 5 * second, turn: true}
	watched := func(which ...int) []rung {
		out := append([]rung(nil), rungs...)
		for _, i := range which {
			out[i].company = kept
		}
		return out
	}
	with := func(o outlook, change func(*outlook)) outlook { change(&o); return o }
	for name, c := range map[string]struct {
		l     ladder
		o     outlook
		rungs []rung
		want  int
	}{
		"nothing known":                   {ladder{}, outlook{}, rungs, 1},
		"nothing fits":                    {ladder{}, outlook{}, []rung{{rate: 8e6}, {rate: 9e6}}, 0},
		"known from before":               {ladder{paces: [3]pace{fromOrigin: {rate: 9e6}}}, outlook{}, rungs, 3},
		"all well":                        {at(2, 0, 4e6, 0), calm, rungs, 2},
		"headroom":                        {at(1, 0, 4.6e6, 0), calm, rungs, 2},
		"little headroom":                 {at(1, 0, 4.4e6, 0), calm, rungs, 1},
		"two at once":                     {at(1, 0, 9.1e6, 0), calm, rungs, 3},
		"headroom, but just changed":      {at(1, 50*second, 9e6, 0), calm, rungs, 1},
		"headroom, but no buffer":         {at(1, 0, 9e6, 0), with(calm, func(o *outlook) { o.slack = 3 * second }), rungs, 2},
		"headroom, but nothing plays":     {at(1, 0, 9e6, 0), with(calm, func(o *outlook) { o.plays = false }), rungs, 1},
		"headroom, but much to come":      {at(1, 0, 9e6, 0), with(calm, func(o *outlook) { o.backlog = 25e6 }), rungs, 1},
		"slower, with a buffer":           {at(2, 0, 2.5e6, 0), with(calm, func(o *outlook) { o.slack = 7 * second }), rungs, 2},
		"slower, and it runs out":         {at(2, 0, 2.5e6, 0), with(calm, func(o *outlook) { o.slack = 4 * second }), rungs, 1},
		"slower, before anything plays":   {at(2, 0, 2.5e6, 0), outlook{length: 2 * second}, rungs, 1},
		"late, though fast enough":        {at(3, 59*second, 9e6, 0), with(calm, func(o *outlook) { o.slack = second }), rungs, 1},
		"a burst to come":                 {at(3, 59*second, 9e6, 0), with(calm, func(o *outlook) { o.backlog = 30e6 }), rungs, 2},
		"what is urgent comes slowly":     {at(3, 59*second, 20e6, 0), with(calm, func(o *outlook) { o.flow, o.slack = 1.5e6, 4*second }), rungs, 1},
		"very slowly":                     {at(3, 59*second, 20e6, 0), with(calm, func(o *outlook) { o.flow, o.slack = 1e5, 4*second }), rungs, 0},
		"as low as it goes":               {at(0, 0, 1e5, 0), with(calm, func(o *outlook) { o.slack = 0 }), rungs, 0},
		"neighbours watch a better one":   {at(1, 0, 2e6, 9.5e6), calm, watched(1, 2), 2},
		"they do not":                     {at(1, 0, 2e6, 9.5e6), calm, watched(1), 1},
		"nobody knows the origin":         {at(0, 0, 0, 20e6), calm, watched(0), 1},
		"nor is it our turn":              {at(0, 0, 0, 20e6), with(calm, func(o *outlook) { o.turn = false }), watched(0), 0},
		"the line would not bear it":      {at(0, 0, 0, 1e6), calm, watched(0), 0},
		"there is no buffer for a trial":  {at(0, 0, 0, 20e6), with(calm, func(o *outlook) { o.slack = 2 * second }), watched(0), 0},
		"the origin was slow":             {at(0, 0, 1e6, 20e6), calm, watched(0), 0},
		"the origin was slow long ago":    {at(0, 0, 1e6, 20e6), with(calm, func(o *outlook) { o.now += schedule.Instant(ladderStale) }), watched(0), 1},
		"just enough from neighbours":     {at(1, 0, 0, 3.1e6), calm, watched(1, 2), 2},
		"and the buffer bears it":         {slow(at(1, 0, 0, 2.5e6), 2.5e6), with(calm, func(o *outlook) { o.slack = 6 * second }), watched(1, 2), 2},
		"and the buffer does not":         {slow(at(1, 0, 0, 2.5e6), 1.1e6), with(calm, func(o *outlook) { o.slack = 6 * second }), watched(1, 2), 1},
		"headroom, but the last was slow": {slow(at(1, 0, 9e6, 0), 1.2e6), calm, rungs, 1},
		"a neighbour has just begun":      {at(1, 0, 0, 20e6), calm, []rung{rungs[0], rungs[1], {rungs[2].rate, tried}, rungs[3]}, 1},
		"neighbours dawdle":               {at(2, 0, 0, 20e6), with(calm, func(o *outlook) { o.flow = 2.7e6 }), watched(2), 2},
		"nobody else, and it dawdles":     {at(2, 0, 20e6, 0), with(calm, func(o *outlook) { o.flow = 2.7e6 }), rungs, 1},
		"neighbours watch the very best":  {at(1, 0, 0, 20e6), calm, watched(1, 3), 3},
	} {
		if got := c.l.choose(c.o, c.rungs); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

// A climb to what neighbours show to be possible is not taken back before any of it
// was asked for, because what was fetched at leisure came slowly.
func TestLadderClimbing(t *testing.T) {
	o := outlook{now: schedule.Instant(time.Minute), length: 2 * time.Second, plays: true, slack: 4100 * time.Millisecond}
	l := ladder{begun: true, rest: ladderRest, last: 4_750_000}
	l.paces[fromPeers] = pace{rate: 2_250_000, at: o.now}
	two := []rung{{rate: 940_000}, {rate: 3_700_000, company: kept}}
	if at := l.choose(o, two); at != 1 {
		t.Fatalf("neighbours' variant is not tried: %d", at)
	}
	o.now, o.slack = o.now+schedule.Instant(140*time.Millisecond), o.slack-140*time.Millisecond
	if at := l.choose(o, two); at != 1 || l.rest > ladderRest {
		t.Errorf("at once back to %d, for %v", at, l.rest)
	}
	o.now, o.flow, o.backlog = o.now+schedule.Instant(2*time.Second), 1_000_000, 7_000_000
	if at := l.choose(o, two); at != 0 {
		t.Errorf("%d, though it does not come", at)
	}
}

// What was fetched at leisure does not pull the estimate down, and what was
// urgent pulls it down whatever was thought of any source.
func TestLadderPace(t *testing.T) {
	var l ladder
	l.took(0, fromPeers, 8e6, time.Second, false)
	l.took(0, fromPeers, 1e6, time.Second, false)
	if r := l.paces[fromPeers].rate; r != 8e6 {
		t.Errorf("at leisure: %d", r)
	}
	l.took(0, fromOrigin, 1e6, time.Second, true)
	if r := l.paces[fromPeers].rate; r > 4e6 || l.paces[fromOrigin].rate != 1e6 {
		t.Errorf("urgent: %+v", l.paces)
	}
	l = ladder{}
	for range 4 {
		l.took(0, fromOrigin, 1e6, time.Second, true)
	}
	l.took(0, fromOrigin, 1e7, time.Second, true)
	if r := l.paces[fromOrigin].rate; r > 4e6 {
		t.Errorf("one gust: %d", r)
	}
}

// A climb that is taken back soon doubles the wait for the next, to an end; one
// that held does not.
func TestLadderWaits(t *testing.T) {
	const length = 2 * time.Second
	var l ladder
	now := schedule.Instant(1)
	next := func(flow int64) bool {
		was := l.at
		now += schedule.Instant(length)
		l.took(now, fromPeers, 1e7, time.Second, false)
		l.choose(outlook{now: now, length: length, plays: true, slack: 3 * length, flow: flow, turn: true}, rungs[:2])
		return l.at != was
	}
	l.choose(outlook{}, []rung{{rate: 1e6}, {rate: 9e6}}) // begins low
	wait := func() (d time.Duration) {
		for !next(0) {
			d += length
		}
		return d
	}
	var waits []time.Duration
	for range 8 {
		waits = append(waits, wait())
		next(0)
		next(1e5) // and back
	}
	for i, d := range waits[1:] {
		want := min(ladderRest<<i, ladderRestMost)
		if d < want-2*length || d > want+2*length { // a climb takes a segment or two to fail
			t.Errorf("wait %d: %v, want %v; of %v", i+1, d, want, waits)
		}
	}
	wait()
	for range ladderRestMost / length {
		next(0)
	}
	if next(1e5); wait() > ladderRest+2*length {
		t.Error("a climb that held for long left a wait behind")
	}
}

// A line's rate over time, in bits per second.
type trace func(at time.Duration) float64

// viewed is what a simulated viewer saw.
type viewed struct {
	stalls   []time.Duration // the moments at which it stood still, in simStep
	climbs   []climb
	switches int
	mean     float64 // of the rates shown from the 30th second on
}

func (v *viewed) stalled() time.Duration { return time.Duration(len(v.stalls)) * simStep }

// between is how long it stood still in a part of the time.
func (v *viewed) between(from, to time.Duration) (d time.Duration) {
	for _, at := range v.stalls {
		if from <= at && at < to {
			d += simStep
		}
	}
	return d
}

// climb is a switch up.
type climb struct {
	at   time.Duration
	from int
}

const (
	simStep    = 10 * time.Millisecond
	simSegment = 2 * time.Second
)

// simulate views a live channel over a line: its segments are chosen as they
// appear, listed, and fetched in turn by a player that began three before the
// newest. From the time of stay on, nothing above its rung is shown.
func simulate(line trace, length time.Duration, stay *climb) viewed {
	type listed struct {
		rung       int
		bits, left float64
		asked      time.Duration
		started    bool
	}
	var l ladder
	var list []listed
	var out viewed
	due := time.Duration(-1) // when the next one to be whole is; -1: nothing plays
	next := 0                // the first that is not whole
	count := 0
	appear := func(now time.Duration) {
		o := outlook{now: schedule.Instant(now) + 1, length: simSegment, plays: due >= 0, turn: true}
		o.slack = due + time.Duration(len(list)-next)*simSegment - now
		for i := next; i < len(list); i++ {
			o.backlog += int64(list[i].left)
		}
		if next < len(list) && list[next].started {
			if d := now - list[next].asked; d >= simSegment/4 {
				o.flow = max(1, int64((list[next].bits-list[next].left)/d.Seconds()))
			}
		}
		i := l.choose(o, rungs)
		if stay != nil && now >= stay.at {
			i = min(i, stay.from)
		}
		if n := len(list); n > 0 && list[n-1].rung != i {
			out.switches++
			if last := list[n-1].rung; i > last {
				out.climbs = append(out.climbs, climb{now, last})
			}
		}
		if now >= 30*time.Second {
			out.mean += float64(rungs[i].rate)
			count++
		}
		bits := float64(rungs[i].rate) * simSegment.Seconds()
		list = append(list, listed{rung: i, bits: bits, left: bits})
	}
	for range 3 {
		appear(0)
	}
	for now := time.Duration(0); now < length; now += simStep {
		if now > 0 && now%simSegment == simSegment/2 { // it began in the middle of one
			appear(now)
		}
		if due >= 0 && next < len(list) && now > due { // it stands still
			out.stalls = append(out.stalls, now)
			due += simStep
		}
		for budget := line(now) * simStep.Seconds(); budget > 0 && next < len(list); {
			c := &list[next]
			if !c.started {
				c.started, c.asked = true, now
			}
			n := min(budget, c.left)
			c.left -= n
			budget -= n
			if c.left > 0 {
				break
			}
			next++
			if due < 0 {
				due = now
			}
			l.took(schedule.Instant(now), fromOrigin, int64(c.bits), now-c.asked+simStep, due-now < simSegment/2)
			due += simSegment
		}
	}
	out.mean /= float64(count)
	return out
}

// Whatever the line does, nothing is late where a lower variant fits, changes
// are few, and what is shown is not far from the best that the line carries.
func TestLadderTraces(t *testing.T) {
	const minute = time.Minute
	noise := rand.New(rand.NewPCG(1, 2))
	gusts := make([]float64, 6000) // one for each 100 ms
	for i := range gusts {
		gusts[i] = 4e6 * math.Exp(0.4*noise.NormFloat64())
	}
	for name, c := range map[string]struct {
		line     trace
		stalled  time.Duration // at most
		switches int           // at most
		mean     float64       // at least
	}{
		"steady 10":   {func(time.Duration) float64 { return 10e6 }, 0, 2, 5.8e6},
		"steady 5":    {func(time.Duration) float64 { return 5e6 }, 0, 1, 3e6},
		"steady 2":    {func(time.Duration) float64 { return 2e6 }, 0, 0, 1.2e6},
		"steady 0.45": {func(time.Duration) float64 { return 0.45e6 }, 15 * time.Second, 2, 0.4e6},
		"step down": {func(at time.Duration) float64 {
			if at < 2*minute {
				return 10e6
			}
			return 4e6
		}, 0, 3, 3.4e6},
		"step up": {func(at time.Duration) float64 {
			if at < 2*minute {
				return 1.6e6
			}
			return 12e6
		}, 0, 4, 4.6e6},
		"square wave": {func(at time.Duration) float64 {
			if at/(15*time.Second)%2 == 0 {
				return 8e6
			}
			return 2.5e6
		}, 0, 20, 1.3e6},
		"noisy": {func(at time.Duration) float64 { return gusts[at/(100*time.Millisecond)] }, 0, 4, 2.7e6},
	} {
		v := simulate(c.line, 10*minute, nil)
		t.Logf("%-12s stalled %v, %d switches, mean %.2f Mbit/s", name, v.stalled(), v.switches, v.mean/1e6)
		if v.stalled() > c.stalled || v.switches > c.switches || v.mean < c.mean {
			t.Errorf("%s: want at most %v and %d switches, and %.2g", name, c.stalled, c.switches, c.mean)
		}
	}
}

// Over random lines, which wander, jump and break off, changes stay few, and no
// climb leads to a stall that staying would have spared the viewer, unless the
// line collapsed: nobody could have known.
func TestLadderRandom(t *testing.T) {
	const length = 5 * time.Minute
	climbs, regrets, collapses, switches := 0, 0, 0, 0
	for seed := range uint64(300) {
		line := wander(rand.New(rand.NewPCG(seed, 7)), length)
		v := simulate(line, length, nil)
		switches += v.switches
		climbs += len(v.climbs)
		if per := length / time.Duration(max(1, v.switches)); per < ladderRest {
			t.Errorf("seed %d: %d switches in %v", seed, v.switches, length)
		}
		for _, c := range v.climbs {
			end := min(c.at+ladderRegret, length)
			stalled := v.between(c.at, end)
			if stalled == 0 {
				continue
			}
			w := simulate(line, length, &c)
			if spared := stalled - w.between(c.at, end); spared <= 0 {
				continue
			}
			before, lowest := line.mean(max(0, c.at-5*time.Second), c.at), math.Inf(1)
			for at := c.at; at+4*time.Second <= end; at += time.Second {
				lowest = min(lowest, line.mean(at, at+4*time.Second))
			}
			if lowest < before/3 {
				collapses++
				continue
			}
			regrets++
			t.Errorf("seed %d: climb from %d at %v: stalled %v; the line had %.2g, and then %.2g at least", seed, c.from, c.at, stalled, before, lowest)
		}
	}
	t.Logf("%d switches, %d climbs, %d regretted, %d with a collapse", switches, climbs, regrets, collapses)
	if climbs < 500 || collapses > climbs/50 {
		t.Errorf("%d climbs, %d with a collapse", climbs, collapses)
	}
}

// mean is a line's rate in a part of the time.
func (line trace) mean(from, to time.Duration) (rate float64) {
	const every = 100 * time.Millisecond
	for at := from; at < to; at += every {
		rate += line(at)
	}
	return rate / max(1, float64((to-from)/every))
}

// wander is a random line: its rate drifts, is halved or doubled every half
// minute or so, and once in a while gone for a second.
func wander(r *rand.Rand, length time.Duration) trace {
	const every = 100 * time.Millisecond
	rates := make([]float64, length/every)
	at, lull := math.Log(0.6e6+8e6*r.Float64()), 0
	for i := range rates {
		at += 0.03 * r.NormFloat64()
		switch p := r.Float64(); {
		case p < 1./300:
			at += math.Ln2
		case p < 2./300:
			at -= math.Ln2
		case p < 2.5/300:
			lull = 10
		}
		at = min(max(at, math.Log(0.6e6)), math.Log(12e6))
		rates[i] = math.Exp(at)
		if lull > 0 {
			lull--
			rates[i] = 0
		}
	}
	return func(at time.Duration) float64 { return rates[at/every] }
}
