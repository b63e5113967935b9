package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"coral/node/budget"
	"coral/node/sim"
)

// occasion is what an organiser asks.
type occasion struct {
	bitrate budget.Rate
	viewers int
	uplinks uplinks
	sharing int // per cent of the viewers
	line    budget.Rate
	segment time.Duration
	within  time.Duration // all come
}

const (
	// pilotLimit is how long an answer may take: nobody waits longer for one.
	pilotLimit = 3 * time.Minute
	// mostSimulated is how many viewers are simulated, blocks and all: a thousand
	// take half a minute, and per viewer more of them change little.
	mostSimulated = 1000
	// mostBlocks is how many blocks all simulated viewers together may get in a
	// second of the stream: the time that an answer takes.
	mostBlocks = 5000
	// leastSimulated is a swarm, however high the bit rate.
	leastSimulated = 20
)

func pilotCommand() *command {
	q := &occasion{sharing: 80, segment: 2 * time.Second, within: time.Minute}
	asJSON := false
	f := newFlagSet("pilot")
	f.add((*streamRate)(&q.bitrate), option{name: "bitrate", value: "RATE", usage: "of the stream, such as 4M; needed"})
	f.add((*audience)(&q.viewers), option{name: "viewers", value: "NUMBER", usage: "how many watch at once, such as 500; needed"})
	f.add(&q.uplinks, option{
		name: "uplinks", value: "RATE|LIST",
		usage: "what viewers' lines send: the median, such as 10M (others lie around\nit as where many kinds of access are mixed), or a list of RATE:PERCENT,\nsuch as 0:20,2M:40,8M:30,20M:10; needed",
	})
	f.add((*streamRate)(&q.line), option{name: "line", value: "RATE", usage: "what your line sends, origin and publisher together, such as 100M; needed"})
	f.add((*percent)(&q.sharing), option{name: "sharing", value: "PERCENT", usage: "how many of the viewers agree to share (default: 80)"})
	f.add(span{&q.segment, leastSegment, mostSegment, "2s"}, option{name: "segment", value: "DURATION", usage: "how long a segment plays, such as 6s (default: 2s)"})
	f.add(span{&q.within, leastArrival, mostArrival, "20s"}, option{name: "within", value: "DURATION", usage: "in which time all of them come, such as 20s (default: 1m)"})
	f.toggle(&asJSON, "json", "print the answer as JSON")
	return &command{
		name: "pilot", flags: f,
		summary: "try out an event in the simulator: offload, stalls, how many viewers",
		detail: "Simulates the audience: the same decisions that Coral's nodes take, on modelled\n" +
			"lines; the publisher runs beside your HLS source. Next to it stands what your line\n" +
			"alone would do, shared out equally. Who does not share has no peers. Of a large\n" +
			"audience a part is simulated block by block, and up to ten thousand by one block\n" +
			"of each segment, for how much of your line so large a swarm needs. Nothing is\n" +
			"sent to anybody. It takes seconds to a minute.",
		examples: "coralnode pilot --bitrate 4M --viewers 300 --uplinks 10M --line 100M\n" +
			"coralnode pilot --bitrate 2.5M --viewers 5000 --uplinks 0:20,2M:40,8M:30,20M:10 --line 200M --json",
		run: func(ctx context.Context, env *environment, _ []string) error {
			for _, missing := range []struct {
				name string
				is   bool
			}{{"bitrate", q.bitrate == 0}, {"viewers", q.viewers == 0}, {"uplinks", q.uplinks == nil}, {"line", q.line == 0}} {
				if missing.is {
					return usagef("pilot", "--%s is missing", missing.name)
				}
			}
			a, err := q.answer(ctx, progress(env))
			if err != nil {
				return err
			}
			if asJSON {
				e := json.NewEncoder(env.stdout)
				e.SetIndent("", "  ")
				return e.Encode(a)
			}
			_, err = fmt.Fprint(env.stdout, a.text(q))
			return err
		},
	}
}

// progress draws how far the simulation is where a person looks on.
func progress(env *environment) func(share float64) {
	if !env.draws {
		return func(float64) {}
	}
	return func(share float64) {
		if share >= 1 {
			fmt.Fprint(env.stderr, "\r\x1b[K")
			return
		}
		fmt.Fprintf(env.stderr, "\rsimulating: %.0f %%\x1b[K", 100*share)
	}
}

var errTooLong = errors.New("simulate: this takes more than " + pilotLimit.String() + ": ask about fewer viewers or a lower bit rate")

// answer simulates.
func (q *occasion) answer(ctx context.Context, show func(share float64)) (*answer, error) {
	n := q.simulated()
	a := &answer{
		Viewers: q.viewers, Simulated: n, BitrateBPS: int64(q.bitrate), LineBPS: int64(q.line),
		SegmentSeconds: q.segment.Seconds(), UplinkRatio: q.ratio(),
	}
	a.OffloadBound = q.bound()
	a.Without = q.alone()
	var runs []sim.Config
	runs = append(runs, q.config(n))
	if wide, ok := q.wide(n); ok {
		runs = append(runs, wide)
	}
	var results []*sim.Result
	begun, why := time.Now(), error(nil)
	for i, cfg := range runs {
		cfg.Second = func(now time.Duration) bool {
			show((float64(i) + float64(now)/float64(cfg.Duration)) / float64(len(runs)))
			switch {
			case ctx.Err() != nil:
				why = ctx.Err()
			case time.Since(begun) > pilotLimit:
				why = errTooLong
			}
			return why == nil
		}
		results = append(results, sim.Run(cfg))
		if why != nil {
			return nil, why
		}
	}
	show(1)
	a.With = q.outcome(results, n)
	if len(results) > 1 {
		a.Wide = &wide{Viewers: results[1].Viewers, Unit: wideUnit, Copies: results[1].Steady}
	}
	return a, nil
}

// simulated is how many of the viewers are simulated.
func (q *occasion) simulated() int {
	blocks := float64(q.bitrate) / 8 / 32768 // per viewer and second
	return min(q.viewers, mostSimulated, max(leastSimulated, int(mostBlocks/max(blocks, 1))))
}

// How the simulated viewers live.
const (
	// fullMesh is up to how many viewers everybody knows everybody, and neighbours
	// is how many each keeps beyond.
	fullMesh   = 30
	neighbours = 12
	// leastCopies is added to the line of a swarm that is simulated in part, if the
	// whole line has as much to spare: a swarm needs some copies at any size.
	leastCopies = 6
	// publisherCopies is how much of the line the publisher's peers get at most:
	// more serves nobody, since the others feed each other.
	publisherCopies = 4
)

// config is the event with n of its viewers, who have their part of the line.
func (q *occasion) config(n int) sim.Config {
	line := float64(q.line) * float64(n) / float64(q.viewers)
	if n < q.viewers {
		spare := float64(q.line) - float64(q.bitrate)*float64(q.viewers)*(1-q.fluid())
		line += max(0, min(spare, leastCopies*float64(q.bitrate)))
	}
	publisher := sim.Link{Up: int64(min(line/2, publisherCopies*float64(q.bitrate))), Down: 1e9, Delay: time.Millisecond}
	steady := 6 * q.segment
	cfg := sim.Config{
		Seed: 1, Rate: int64(q.bitrate), Segment: q.segment, Publisher: publisher, Beside: true,
		Origin:   sim.Link{Up: int64(line) - publisher.Up, Down: 1e9, Delay: 15 * time.Millisecond},
		Duration: 4*q.segment + q.within + 2*settled + steady,
		Startup:  150 * time.Millisecond,
	}
	if n > fullMesh {
		cfg.Degree = neighbours
	}
	for _, g := range q.groups(n) {
		cfg.Groups = append(cfg.Groups, sim.Group{
			Count: g.n, Alone: !g.shares,
			Link:  sim.Link{Up: int64(g.up), Down: q.downlink(), Delay: 15 * time.Millisecond, Jitter: 5 * time.Millisecond},
			Join:  4*q.segment + q.within*time.Duration(len(cfg.Groups))/time.Duration(n),
			Every: q.within / time.Duration(g.n),
		})
	}
	return cfg
}

// settled is what the simulator leaves out after the last viewer has come and
// before the end.
const settled = 8 * time.Second

// downlink is what a viewer can receive.
func (q *occasion) downlink() int64 { return max(4*int64(q.bitrate), 20e6) }
