package sim

import (
	"math"
	"slices"
	"testing"
	"time"

	"coral/node/schedule"
	"coral/store/segment"
)

// emulated is the scenario of "dev bench --lab" in which n viewers join, one every half
// second, and watch 0.8 Mbit/s. There real nodes run, with real TCP.
func emulated(n int, seed uint64) Config {
	return Config{
		Seed: seed, Duration: 56 * time.Second, Rate: 800_000, Segment: 2 * time.Second,
		Startup:   50 * time.Millisecond, // 51 to 53 until the player has its URL
		Origin:    Link{Up: 6_000_000, Down: 100e6, Delay: 15 * time.Millisecond},
		Publisher: Link{Up: 20_000_000, Cap: 4_000_000, Down: 100e6, Delay: 5 * time.Millisecond},
		Groups: []Group{{
			Count: n, Link: Link{Up: 4_000_000, Cap: 3_000_000, Down: 40e6, Delay: 10 * time.Millisecond, Jitter: 3 * time.Millisecond},
			// A quarter of a second after segments appear, and so on.
			Join: 8250 * time.Millisecond, Every: 500 * time.Millisecond,
		}},
	}
}

// probed is what the lab's model player (hlsprobe) would have seen of a run.
type probed struct {
	w     *world
	known []map[int]schedule.Instant // of each viewer: when a segment was listed,
	whole []map[int]schedule.Instant // and when it could be had
}

func probe(cfg Config) *probed {
	p := &probed{}
	type block struct{ seq, block int }
	var tickets []map[schedule.Ticket]int
	var got []map[block]bool
	cfg.Watch = func(node int, now schedule.Instant, ev schedule.Event, acts []schedule.Action) {
		if node < 0 {
			return
		}
		for node >= len(p.known) {
			p.known, p.whole = append(p.known, map[int]schedule.Instant{}), append(p.whole, map[int]schedule.Instant{})
			tickets, got = append(tickets, map[schedule.Ticket]int{}), append(got, map[block]bool{})
		}
		for _, a := range acts {
			if a, ok := a.(schedule.Fetch); ok {
				tickets[node][a.Ticket] = int(a.ID.Sequence)
			}
		}
		var b block
		switch ev := ev.(type) {
		case schedule.Known:
			p.known[node][int(ev.ID.Sequence)] = now
			return
		case schedule.Got:
			b = block{int(ev.ID.Sequence), ev.Block}
		case schedule.Fetched:
			b = block{tickets[node][ev.Ticket], ev.Block}
		default:
			return
		}
		if got[node][b] {
			return
		}
		got[node][b] = true
		for i := range segment.Blocks(p.w.size()) {
			if !got[node][block{b.seq, i}] {
				return
			}
		}
		p.whole[node][b.seq] = now
	}
	p.w = newWorld(cfg)
	p.w.run()
	return p
}

// ready is the median over the viewers of each one's median time from a segment's
// end to the player having it. The player looks at the playlist after as long as a
// segment lasts, after half as long if there was nothing new, and fetches one
// segment after the other.
func (p *probed) ready() time.Duration {
	var all []time.Duration
	for i, known := range p.known {
		n := p.w.nodes[i+1]
		if n.player.startup < 0 {
			continue
		}
		var mine []time.Duration
		target := schedule.Instant(p.w.cfg.Segment)
		next, end := int(n.player.first), schedule.Instant(p.w.cfg.Duration)
		for t := n.joinedAt + schedule.Instant(n.player.startup); t < end; {
			loaded, listed := t, next
			for {
				if at, ok := known[listed]; !ok || at > loaded {
					break
				}
				listed++
			}
			news := next < listed
			for ; next < listed && t-loaded <= target; next++ {
				at, ok := p.whole[i][next]
				if !ok {
					t = end
					break
				}
				t = max(t, at)
				mine = append(mine, time.Duration(t-p.w.born[next]))
			}
			if next < listed {
				continue
			}
			if wait := target; news {
				t = max(t, loaded+wait)
			} else {
				t = max(t, loaded+wait/2)
			}
		}
		all = append(all, percentile(mine, 50))
	}
	return percentile(all, 50)
}

// start is the viewers' median start-up.
func (p *probed) start() time.Duration {
	var all []time.Duration
	for _, n := range p.w.nodes[1:] {
		all = append(all, n.player.startup)
	}
	return percentile(all, 50)
}

// TestAgainstLab holds the simulator against the emulated network. copies are all
// bytes that left origin and publisher for viewers there, headers, playlists and
// announcements included, over the segments' bytes that one viewer got; start is the
// median from a viewer's start to its first segment, ready the one from a segment's end
// to the player having it. The figures are medians: of three runs of "dev bench --lab
// ten,twenty,thirty,small", one at a time, five of "loss5", fifteen here.
func TestAgainstLab(t *testing.T) {
	type within struct{ copies, start, ready float64 }
	tenth := within{0.1, 0.1, 0.1}
	for _, m := range []struct {
		name         string
		make         func(seed uint64) Config
		copies       float64
		start, ready time.Duration
		within       within
	}{
		{"ten", func(s uint64) Config { return emulated(10, s) }, 1.16, 820 * time.Millisecond, 1440 * time.Millisecond, tenth},
		{"twenty", func(s uint64) Config { return emulated(20, s) }, 1.22, 760 * time.Millisecond, 1690 * time.Millisecond, tenth},
		{"thirty", func(s uint64) Config {
			c := emulated(30, s)
			c.Duration = 61 * time.Second
			return c
		}, 1.30, 710 * time.Millisecond, 1870 * time.Millisecond, tenth},
		{"small", func(s uint64) Config {
			c := emulated(8, s)
			c.Duration, c.Rate, c.Origin.Up, c.Publisher.Up, c.Publisher.Cap = 70*time.Second, 1_500_000, 20e6, 10e6, 6e6
			c.Groups[0].Up, c.Groups[0].Cap = 1_100_000, 900_000
			return c
		}, 4.32, 1260 * time.Millisecond, 5140 * time.Millisecond, within{0.15, 0.25, 0.15}},
		// Congestion control by loss (CUBIC) there.
		{"loss5", func(s uint64) Config {
			c := emulated(8, s)
			c.Duration, c.Rate, c.Origin.Up, c.Publisher.Cap = 70*time.Second, 2_000_000, 20e6, 6e6
			c.Groups[0].Link = Link{Up: 6e6, Cap: 5e6, Down: 40e6, Delay: 12 * time.Millisecond, Jitter: 3 * time.Millisecond, Loss: 0.05}
			return c
		}, 2.17, 2040 * time.Millisecond, 4240 * time.Millisecond, within{0.35, 0.35, 0.45}},
	} {
		const seeds = 15
		var copies, start, ready []float64
		for seed := range uint64(seeds) {
			p := probe(m.make(seed))
			r := &p.w.result
			copies = append(copies, r.Egress)
			start = append(start, p.start().Seconds())
			ready = append(ready, p.ready().Seconds())
		}
		for _, x := range []struct {
			what              string
			got, want, within float64
		}{
			{"copies", middle(copies), m.copies, m.within.copies},
			{"start", middle(start), m.start.Seconds(), m.within.start},
			{"ready", middle(ready), m.ready.Seconds(), m.within.ready},
		} {
			off := x.got/x.want - 1
			if math.Abs(off) > x.within {
				t.Errorf("%s: %s is off by too much", m.name, x.what)
			}
			t.Logf("%s: %s %.2f, in the lab %.2f (%+.1f %%)", m.name, x.what, x.got, x.want, 100*off)
		}
	}
}

func middle(x []float64) float64 {
	slices.Sort(x)
	return x[len(x)/2]
}
