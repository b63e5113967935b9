package node

import (
	"slices"
	"testing"
	"time"

	"coral/node/schedule"
)

// crowd is what viewers of one channel share: a segment of a variant comes from
// the origin once, and from then on from each other.
type crowd struct {
	origin trace   // the origin's line, divided among what is fetched from it
	peers  float64 // bits per second at which one viewer gets a segment from others
	lines  []trace // each viewer's
	join   time.Duration
	rungs  []rung
}

// spectator is a simulated viewer of a crowd.
type spectator struct {
	ladder ladder
	line   trace
	list   []taken
	next   int           // the first of list that is not whole
	due    time.Duration // when it has to be; -1: nothing plays
	led    time.Duration // since when it has been on its rung
	shown  []change
	stalls time.Duration
}

// taken is a segment that was chosen.
type taken struct {
	rung, seq  int
	bits, left float64
	asked      time.Duration
	started    bool
}

// change is a segment that is the first of its rung.
type change struct {
	at   time.Duration
	rung int
}

// at is the rung that is chosen at a time; -1: none yet.
func (v *spectator) at(now time.Duration) int {
	rung := -1
	for _, c := range v.shown {
		if c.at <= now {
			rung = c.rung
		}
	}
	return rung
}

// watch runs a crowd: each joins a while after the one before.
func (c *crowd) watch(length time.Duration) []*spectator {
	var all []*spectator
	come := map[[2]int]float64{} // bits of rung and segment that have left the origin
	bits := func(rung int) float64 { return float64(c.rungs[rung].rate) * simSegment.Seconds() }
	for now := time.Duration(0); now < length; now += simStep {
		newest := int(now/simSegment) + 3 // three were there when all began
		if n := len(all); n < len(c.lines) && now >= time.Duration(n)*c.join {
			v := &spectator{line: c.lines[n], due: -1, led: now}
			all = append(all, v)
			for k := newest - 3; k < newest; k++ {
				c.choose(all, v, k, now)
			}
		}
		if now%simSegment == 0 && now > 0 {
			for _, v := range all {
				if last := v.list[len(v.list)-1].seq; last < newest-1 {
					c.choose(all, v, newest-1, now)
				}
			}
		}
		var wanted [][2]int
		for _, v := range all {
			if v.next < len(v.list) {
				t := v.list[v.next]
				if id := [2]int{t.rung, t.seq}; come[id] < bits(t.rung) && !slices.Contains(wanted, id) {
					wanted = append(wanted, id)
				}
			}
		}
		for _, id := range wanted {
			come[id] += c.origin(now) * simStep.Seconds() / float64(len(wanted))
		}
		for _, v := range all {
			v.step(c, all, come, now)
		}
	}
	return all
}

func (c *crowd) choose(all []*spectator, v *spectator, seq int, now time.Duration) {
	rungs := slices.Clone(c.rungs)
	o := outlook{now: schedule.Instant(now) + 1, length: simSegment, plays: v.due >= 0, turn: true}
	for i, u := range all {
		if u == v || !u.ladder.begun {
			continue
		}
		is := kept
		if now-u.led < simSegment*triedSegments/2 {
			is = tried
		}
		r := &rungs[u.ladder.at]
		r.company = max(r.company, is)
		if u.ladder.at == v.ladder.at && now-u.led >= ladderSettle && i == seq%len(all) {
			o.turn = false
		}
	}
	o.slack = v.due + time.Duration(len(v.list)-v.next)*simSegment - now
	for _, t := range v.list[v.next:] {
		o.backlog += int64(t.left)
		if d := now - t.asked; t.started && d >= simSegment/4 {
			o.flow += max(1, int64((t.bits-t.left)/d.Seconds()))
		}
	}
	i := v.ladder.choose(o, rungs)
	if v.at(now) != i {
		v.shown = append(v.shown, change{now, i})
		v.led = now
	}
	b := float64(c.rungs[i].rate) * simSegment.Seconds()
	v.list = append(v.list, taken{rung: i, seq: seq, bits: b, left: b})
}

func (v *spectator) step(c *crowd, all []*spectator, come map[[2]int]float64, now time.Duration) {
	if v.due >= 0 && v.next < len(v.list) && now > v.due {
		v.stalls += simStep
		v.due += simStep
	}
	if v.next == len(v.list) {
		return
	}
	t := &v.list[v.next]
	if !t.started {
		t.started, t.asked = true, now
	}
	rate, source := v.line(now), fromOrigin
	for _, u := range all {
		if u == v {
			break // the first of them fetches it
		}
		if slices.ContainsFunc(u.list, func(o taken) bool { return o.rung == t.rung && o.seq == t.seq }) {
			rate, source = min(rate, c.peers), fromPeers
			break
		}
	}
	t.left -= min(rate*simStep.Seconds(), come[[2]int{t.rung, t.seq}]-(t.bits-t.left), t.left)
	if t.left > 1 {
		return
	}
	t.left = 0
	v.next++
	if v.due < 0 {
		v.due = now
	}
	v.ladder.took(schedule.Instant(now), source, int64(t.bits), now-t.asked+simStep, v.due-now < simSegment/2)
	v.due += simSegment
}

func steady(rate float64) trace { return func(time.Duration) float64 { return rate } }

var two = []rung{{rate: 800_000}, {rate: 3_300_000}}

// Where the origin can feed both variants and the viewers each other, one goes
// ahead and the others follow, and who has to leave disturbs nobody.
func TestLadderCrowd(t *testing.T) {
	const throttled, eased = 25 * time.Second, 42 * time.Second
	c := crowd{origin: steady(12e6), peers: 5e6, rungs: two}
	for range 5 {
		c.lines = append(c.lines, steady(40e6))
	}
	c.lines = append(c.lines, func(at time.Duration) float64 {
		if at >= throttled && at < eased {
			return 1.5e6
		}
		return 40e6
	})
	all := c.watch(5 * time.Minute)
	first := time.Hour
	for i, v := range all {
		t.Logf("viewer %d: %v, stalled %v", i, v.shown, v.stalls)
		changes, bears := 2, time.Duration(0)
		if i == len(all)-1 {
			changes, bears = 4, simSegment/4 // for what was chosen before the line broke down
			if v.at(throttled-time.Second) != 1 || v.at(throttled+4*time.Second) != 0 || v.at(eased+15*time.Second) != 1 {
				t.Errorf("the line of viewer %d was slow: %v", i, v.shown)
			}
		}
		if len(v.shown) != changes || v.at(10*time.Second) != 1 {
			t.Errorf("viewer %d: %v", i, v.shown)
			continue
		}
		if v.stalls > bears {
			t.Errorf("viewer %d stood still for %v", i, v.stalls)
		}
		first = min(first, v.shown[1].at)
	}
	ahead := 0
	for _, v := range all {
		if v.at(first) == 1 {
			ahead++
		}
	}
	if ahead != 1 {
		t.Errorf("%d viewers went ahead together", ahead)
	}
}

// What the origin's line or a viewer's does not carry is tried ever more seldom,
// and costs nobody a stall.
func TestLadderCrowdTrials(t *testing.T) {
	const length = 20 * time.Minute
	for name, c := range map[string]crowd{
		"a slow origin": {origin: steady(2.2e6), lines: []trace{steady(40e6), steady(40e6), steady(40e6), steady(40e6)}},
		"a slow viewer": {origin: steady(12e6), lines: []trace{steady(40e6), steady(40e6), steady(40e6), steady(1.5e6)}},
	} {
		c.peers, c.join, c.rungs = 5e6, 500*time.Millisecond, two
		all := c.watch(length)
		for i, v := range all {
			slow := name == "a slow origin" || i == len(all)-1
			var high time.Duration
			late := 0
			for k, s := range v.shown {
				end := length
				if k+1 < len(v.shown) {
					end = v.shown[k+1].at
				}
				if s.rung == 1 {
					high += end - s.at
					if s.at > length/2 {
						late++
					}
				}
			}
			t.Logf("%s, viewer %d: %d changes, %v of the better variant, stalled %v", name, i, len(v.shown)-1, high, v.stalls)
			if v.stalls > 0 || slow && (late > 4 || high > length/20) || !slow && high < length*9/10 {
				t.Errorf("%s, viewer %d: %v, stalled %v", name, i, v.shown, v.stalls)
			}
		}
	}
}
