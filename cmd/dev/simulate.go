package main

import (
	"cmp"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"coral/node/sim"
)

// What bench asks the simulator. All viewers get 1.5 Mbit/s in segments of 2 s.

const (
	streamRate  = 1_500_000
	segmentTime = 2 * time.Second
	blockBytes  = 32 << 10
	blocks      = 12 // of a segment
	fine        = 4  // of so many blocks one is simulated, in the finer of the two coarser units
	// seeds is how often each scenario of up to manyViewers is run: the table
	// shows medians. Larger swarms differ little from run to run.
	seeds       = 3
	manyViewers = 300
	tightMemory = 300_000
)

// audience is n viewers on ordinary lines, who all come within ten seconds, to an
// origin whose line could carry originCopies of them.
func audience(n int, up float64, originCopies float64) sim.Config {
	cfg := sim.Config{
		Seed: 1, Duration: 60 * time.Second, Rate: streamRate, Segment: segmentTime, Startup: 150 * time.Millisecond,
		Origin:    sim.Link{Up: int64(originCopies * streamRate), Down: 100e6, Delay: 15 * time.Millisecond},
		Publisher: sim.Link{Up: 4 * streamRate, Down: 100e6, Delay: 5 * time.Millisecond},
		Groups:    []sim.Group{viewers(n, up, 8*time.Second, min(500*time.Millisecond, 10*time.Second/time.Duration(n)))},
	}
	if n > 30 {
		cfg.Degree = 12
	}
	if n > manyViewers {
		cfg.Duration = 44 * time.Second
	}
	return cfg
}

// coarser is an audience of which one block in so many is simulated, over lines as
// fast as they are: a sub-stream, each block of which goes the same way in the same
// time as it would among the others, but for the queues that those make. All are
// there from the beginning. So copies can be compared, and delays are too short.
func coarser(n, oneIn int) scenario {
	cfg := audience(n, 3.3, float64(n)/7.5)
	cfg.Warm, cfg.Window, cfg.Duration = true, 4, 22100*time.Millisecond // four segments count
	cfg.Rate = int64(blocks / oneIn * blockBytes * 8 * int(time.Second) / int(segmentTime))
	what := fmt.Sprintf("%d viewers, every %dth block", n, oneIn)
	if oneIn == blocks {
		what = fmt.Sprintf("%d viewers, one block per segment", n)
	}
	return scenario{what: what, cfg: cfg, oneIn: oneIn}
}

// viewers are n of them, each with up times the stream's rate to give.
func viewers(n int, up float64, join, every time.Duration) sim.Group {
	return sim.Group{
		Count: n, Link: sim.Link{Up: int64(up * streamRate), Down: 40e6, Delay: 15 * time.Millisecond, Jitter: 3 * time.Millisecond},
		Join: join, Every: every,
	}
}

// fluid is what must be sent to the viewers at the least, in copies: max(1, N −
// Σu/r), where u is what an uplink carries of the stream beside headers.
func fluid(cfg sim.Config) float64 {
	n, up := 0.0, 0.0
	for _, g := range cfg.Groups {
		if g.Liar || g.Forger {
			continue
		}
		n += float64(g.Count)
		if !g.Alone {
			up += float64(g.Count) * float64(g.Up)
		}
	}
	return max(1, n-up/float64(cfg.Rate))
}

// median runs cfg with several seeds and gives the run in the middle by what the
// organiser's line sends.
func median(cfg sim.Config) *sim.Result {
	n := 0
	for _, g := range cfg.Groups {
		n += g.Count
	}
	runs := 1
	if n <= manyViewers {
		runs = seeds
	}
	if n > tightMemory {
		// A million viewers take eleven gigabytes: there is no room for as much
		// garbage beside them. Up to the limit none need be looked for.
		defer debug.SetMemoryLimit(debug.SetMemoryLimit(13 << 30))
	}
	var all []*sim.Result
	for seed := range runs {
		cfg.Seed = uint64(seed + 1)
		all = append(all, sim.Run(cfg))
	}
	slices.SortFunc(all, func(a, b *sim.Result) int { return cmp.Compare(a.SteadyEgress, b.SteadyEgress) })
	return all[len(all)/2]
}

// scenario is one line of a table.
type scenario struct {
	what  string
	cfg   sim.Config
	oneIn int // of so many blocks one is simulated; 0: all are
}

// bySize are audiences of rising size, block by block as far as that goes, and in
// the coarser units that go further: both where both can be had, so that they can
// be held against each other.
func bySize(large bool) (all []scenario) {
	sizes := []int{10, 30, 100, 1000}
	coarse := [][2]int{{1000, fine}, {1000, blocks}, {10_000, blocks}}
	if large {
		sizes = append(sizes, 10_000)
		coarse = append(coarse, [][2]int{{10_000, fine}, {100_000, fine}, {100_000, blocks}, {1_000_000, blocks}}...)
	}
	for _, n := range sizes {
		all = append(all, scenario{what: fmt.Sprintf("%d viewers", n), cfg: audience(n, 3.3, max(4, float64(n)/7.5))})
	}
	for _, x := range coarse {
		all = append(all, coarser(x[0], x[1]))
	}
	return all
}

// byUplink are thirty viewers whose uplinks shrink; the origin could carry all: a line of
// 32 copies could not, with headers, and what the publisher reads.
func byUplink() (all []scenario) {
	for _, up := range []float64{2, 1.5, 1.2, 1, 0.8, 0.6, 0.4, 0.2} {
		all = append(all, scenario{what: fmt.Sprintf("uplinks of %.1f times the stream", up), cfg: audience(30, up, 40)})
	}
	return all
}

// troubles are what may befall thirty viewers.
func troubles() []scenario {
	with := func(change func(*sim.Config)) sim.Config {
		cfg := audience(30, 3.3, 6)
		change(&cfg)
		return cfg
	}
	some := func(n int, cfg *sim.Config) *sim.Group {
		cfg.Groups[0].Count -= n
		cfg.Groups = append(cfg.Groups, viewers(n, 3.3, 8100*time.Millisecond, 400*time.Millisecond))
		return &cfg.Groups[1]
	}
	flash := audience(5, 3.3, 2)
	flash.Groups = append(flash.Groups, viewers(15, 3.3, 25*time.Second, 330*time.Millisecond))
	return []scenario{
		{what: "30 viewers", cfg: with(func(*sim.Config) {})},
		{what: "flash crowd: 5, then 15 more in 5 s, line of 2 copies", cfg: flash},
		{what: "viewers stay a minute at the mean, others come", cfg: with(func(c *sim.Config) { c.Groups[0].Stay = time.Minute })},
		{what: "10 of 30 killed at once", cfg: with(func(c *sim.Config) { some(10, c).Kill = 35 * time.Second })},
		{what: "15 of 30 killed at once", cfg: with(func(c *sim.Config) { some(15, c).Kill = 35 * time.Second })},
		{what: "3 of 30 announce and never deliver", cfg: with(func(c *sim.Config) { some(3, c).Liar = true })},
		{what: "9 of 30 announce and never deliver", cfg: with(func(c *sim.Config) { some(9, c).Liar = true })},
		{what: "3 of 30 send wrong bytes", cfg: with(func(c *sim.Config) { some(3, c).Forger = true })},
		{what: "10 of 30 behind NAT", cfg: with(func(c *sim.Config) { some(10, c).NAT = true })},
		{what: "10 of 30 do not share", cfg: with(func(c *sim.Config) { c.Origin.Up = 16 * streamRate; some(10, c).Alone = true })},
		{what: "1 % loss on every link", cfg: with(func(c *sim.Config) { c.Groups[0].Loss = 0.01 })},
	}
}

// offloads are a run's offload, and the bound min(1 − 1/N, ρ).
func offloads(cfg sim.Config, r *sim.Result) (offload, bound float64) {
	n := float64(r.Viewers)
	return 1 - r.Steady/n, 1 - fluid(cfg)/n
}
