package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"coral/node/sim"
)

// labScenario is what happens in the emulated network. Rates are in bits per second.
type labScenario struct {
	name, what            string
	rate                  int64 // of the stream
	lower                 int64 // of another variant of it; 0: it has only one
	lasts                 time.Duration
	originUp, publisherUp int64       // what their lines carry; the groups tell the viewers'
	limit                 int64       // what the publisher is told to send at most; Link.Cap is the viewers'
	groups                []sim.Group // Count, Link, Join, Every, Kill, Stay, Liar and Forger are looked at
	pinged                bool        // the last viewer's line is
	narrows               narrowing   // of the last viewer's line, if any
	spell                 sim.Spell   // of the whole network, if any
}

const (
	mbit = 1_000_000
	// At firstJoin the publisher has signed what the origin has so far.
	firstJoin = 8 * time.Second
	joinEvery = time.Second / 2
	// shortestStay is how long viewers stay who come and go: nobody is gone at once.
	shortestStay = time.Second
)

// labScenarios are README's, in the order in which they run.
var labScenarios = []labScenario{
	{
		name: "joins", what: "6 viewers join, one every half second", rate: 1.5 * mbit, lasts: 62 * time.Second,
		originUp: 6 * mbit, publisherUp: 20 * mbit, limit: 6 * mbit, groups: households(6, 6*mbit, 5*mbit),
	},
	{
		name: "unloaded", what: "the same, at an origin with a line for all", rate: 1.5 * mbit, lasts: 62 * time.Second,
		originUp: 100 * mbit, publisherUp: 20 * mbit, limit: 6 * mbit, groups: households(6, 6*mbit, 5*mbit),
	},
	{
		name: "ten", what: "10 viewers join", rate: 0.8 * mbit, lasts: 56 * time.Second,
		originUp: 6 * mbit, publisherUp: 20 * mbit, limit: 4 * mbit, groups: households(10, 4*mbit, 3*mbit),
	},
	{
		name: "twenty", what: "20 viewers join", rate: 0.8 * mbit, lasts: 56 * time.Second,
		originUp: 6 * mbit, publisherUp: 20 * mbit, limit: 4 * mbit, groups: households(20, 4*mbit, 3*mbit),
	},
	{
		name: "thirty", what: "30 viewers join", rate: 0.8 * mbit, lasts: 61 * time.Second,
		originUp: 6 * mbit, publisherUp: 20 * mbit, limit: 4 * mbit, groups: households(30, 4*mbit, 3*mbit),
	},
	{
		name: "crowd", what: "15 viewers come within five seconds to 5; the start is the fifteen's", rate: 1 * mbit, lasts: 75 * time.Second,
		originUp: 2 * mbit, publisherUp: 6 * mbit, limit: 3 * mbit,
		groups: crowd(),
	},
	{
		name: "spell", what: "the same crowd, and all packets come 0.2 s later from 28 to 37 s", rate: 1 * mbit, lasts: 75 * time.Second,
		originUp: 2 * mbit, publisherUp: 6 * mbit, limit: 3 * mbit, groups: crowd(),
		spell: sim.Spell{From: 28 * time.Second, To: 37 * time.Second, Delay: time.Second / 5},
	},
	{
		name: "loss5", what: "8 viewers, 5 % of packets lost on each one's line, in each direction", rate: 2 * mbit, lasts: 70 * time.Second,
		originUp: 20 * mbit, publisherUp: 20 * mbit, limit: 6 * mbit, groups: lossy(0.05, households(8, 6*mbit, 5*mbit)),
	},
	{
		name: "loss20", what: "8 viewers, 20 % of packets lost on each one's line, in each direction", rate: 0.4 * mbit, lasts: 90 * time.Second,
		originUp: 20 * mbit, publisherUp: 20 * mbit, limit: 6 * mbit, groups: lossy(0.2, households(8, 6*mbit, 5*mbit)),
	},
	{
		name: "small", what: "8 viewers whose uplinks are smaller than the stream", rate: 1.5 * mbit, lasts: 70 * time.Second,
		originUp: 20 * mbit, publisherUp: 10 * mbit, limit: 6 * mbit, groups: households(8, 1.1*mbit, 0.9*mbit),
	},
	{
		name: "killed", what: "2 of 6 viewers are killed; the others count", rate: 1.5 * mbit, lasts: 62 * time.Second,
		originUp: 6 * mbit, publisherUp: 20 * mbit, limit: 6 * mbit, groups: bereft(2, 4),
	},
	{
		name: "cap", what: "12 viewers whose caps are barely above the stream", rate: 1.5 * mbit, lasts: 62 * time.Second,
		originUp: 20 * mbit, publisherUp: 20 * mbit, limit: 6 * mbit, groups: households(12, 6*mbit, 2*mbit),
	},
	{
		name: "half", what: "5 of 10 viewers are killed at once; the others count", rate: 1.5 * mbit, lasts: 62 * time.Second,
		originUp: 6 * mbit, publisherUp: 20 * mbit, limit: 6 * mbit, groups: bereft(5, 5),
	},
	{
		name: "churn", what: "12 viewers at a time, each of whom is killed after 25 s at the mean; then another one comes", rate: 1 * mbit, lasts: 103 * time.Second,
		originUp: 6 * mbit, publisherUp: 20 * mbit, limit: 6 * mbit,
		groups: []sim.Group{{Count: 12, Link: household(6*mbit, 5*mbit), Join: firstJoin, Every: joinEvery, Stay: 25 * time.Second}},
	},
	{
		name: "load", what: "10 viewers, an origin whose line carries 60 % of what they watch", rate: 1.5 * mbit, lasts: 62 * time.Second,
		originUp: 9 * mbit, publisherUp: 20 * mbit, limit: 6 * mbit, groups: households(10, 6*mbit, 5*mbit),
	},
	{
		name: "seven", what: "7 viewers join", rate: 1.5 * mbit, lasts: 62 * time.Second,
		originUp: 6 * mbit, publisherUp: 20 * mbit, limit: 6 * mbit, groups: households(7, 6*mbit, 5*mbit),
	},
	{
		name: "silent", what: "the same seven, and 3 among them who announce and never deliver; the seven count", rate: 1.5 * mbit, lasts: 62 * time.Second,
		originUp: 6 * mbit, publisherUp: 20 * mbit, limit: 6 * mbit,
		groups: besides(sim.Group{Count: 3, Liar: true}, 7),
	},
	{
		name: "wrong", what: "9 viewers, and one who alters a byte of each block that it sends; the nine count", rate: 1.5 * mbit, lasts: 62 * time.Second,
		originUp: 6 * mbit, publisherUp: 20 * mbit, limit: 6 * mbit,
		groups: besides(sim.Group{Count: 1, Forger: true}, 9),
	},
	{
		name: "ping", what: "4 viewers with small uplinks, and one with 1 Mbit/s up and no cap, whose ping counts", rate: 1.5 * mbit, lasts: 62 * time.Second,
		originUp: 20 * mbit, publisherUp: 20 * mbit, limit: 2 * mbit, pinged: true,
		groups: append(households(4, 1.1*mbit, 0.9*mbit), sim.Group{Count: 1, Link: household(1*mbit, 0), Join: firstJoin + 4*joinEvery}),
	},
	{
		name: "variants", what: "two variants, of which plain HLS plays the lower one; the last of 6 viewers has 1.5 Mbit/s from 35 to 52 s", rate: 3.3 * mbit, lower: 0.9 * mbit, lasts: 95 * time.Second,
		originUp: 12 * mbit, publisherUp: 20 * mbit, limit: 6 * mbit, groups: households(6, 6*mbit, 5*mbit),
		narrows: narrowing{from: 35 * time.Second, to: 52 * time.Second, down: 1.5 * mbit},
	},
}

// household is a viewer's line; limit is the cap of its node.
func household(up, limit int64) sim.Link {
	return sim.Link{Up: up, Cap: limit, Down: 40 * mbit, Delay: 10 * time.Millisecond, Jitter: 3 * time.Millisecond}
}

// households are n viewers who join one after the other.
func households(n int, up, limit int64) []sim.Group {
	return []sim.Group{{Count: n, Link: household(up, limit), Join: firstJoin, Every: joinEvery}}
}

// crowd is a few households, and many more who come at once.
func crowd() []sim.Group {
	return append(households(5, 4*mbit, 3*mbit), sim.Group{Count: 15, Link: household(4*mbit, 3*mbit), Join: 25 * time.Second, Every: time.Second / 3})
}

// lossy is viewers whose lines lose packets, and are a little longer.
func lossy(loss float64, viewers []sim.Group) []sim.Group {
	for i := range viewers {
		viewers[i].Loss, viewers[i].Delay = loss, 12*time.Millisecond
	}
	return viewers
}

// bereft are households of which the first are killed, all at once, and the others stay.
func bereft(killed, others int) []sim.Group {
	first, rest := households(killed, 6*mbit, 5*mbit), households(others, 6*mbit, 5*mbit)
	first[0].Kill = 33 * time.Second
	rest[0].Join += time.Duration(killed) * joinEvery
	return append(first, rest...)
}

// besides are n households, and some who lie, who come in between the first of them.
func besides(liars sim.Group, n int) []sim.Group {
	honest := households(n, 6*mbit, 5*mbit)
	liars.Link, liars.Join, liars.Every = honest[0].Link, firstJoin+joinEvery/2, 2*joinEvery
	return append([]sim.Group{liars}, honest...)
}

// audience are the scenario's viewers. Where nobody stays, another one comes for each
// who goes.
func (s *labScenario) audience(seed uint64) (all []*labViewer) {
	dice := rand.New(rand.NewPCG(seed, 1))
	for i, g := range s.groups {
		for k := range g.Count {
			joins := g.Join + time.Duration(k)*g.Every
			for joins < s.ends()-playersEnd { // who comes later hardly begins
				v := &labViewer{Group: g, last: i == len(s.groups)-1, name: fmt.Sprint("viewer", len(all)), joins: joins, leaves: s.ends()}
				switch {
				case g.Kill > 0:
					v.leaves = g.Kill
				case g.Stay > 0:
					stay := shortestStay + time.Duration(dice.ExpFloat64()*float64(g.Stay-shortestStay))
					v.leaves = min(joins+stay, v.leaves)
				}
				v.killed = v.leaves < s.ends()
				all = append(all, v)
				if joins = v.leaves; g.Stay == 0 {
					break
				}
			}
		}
	}
	return all
}

// ends is when the players end.
func (s *labScenario) ends() time.Duration { return s.lasts - playersEnd }

// kills is when viewers are killed, all together, or 0.
func (s *labScenario) kills() (at time.Duration) {
	for _, g := range s.groups {
		at = max(at, g.Kill)
	}
	return at
}

// head is what stands above a scenario's table.
func (s *labScenario) head() string {
	m := func(rate int64) float64 { return float64(rate) / mbit }
	rates := fmt.Sprint(m(s.rate))
	if s.lower > 0 {
		rates = fmt.Sprintf("%v and %v", m(s.lower), m(s.rate))
	}
	return fmt.Sprintf("%s: %s\n%s Mbit/s; up: origin %v, publisher %v capped to %v, viewers %v capped to %v", s.name, s.what,
		rates, m(s.originUp), m(s.publisherUp), m(s.limit), m(s.groups[0].Up), m(s.groups[0].Cap))
}

// bound is the largest share of what viewers get that can come from each other:
// min(1 − 1/N, cap/rate), of the N who are there at most.
func (s *labScenario) bound() float64 {
	n := 0
	for _, g := range s.groups {
		n += g.Count
	}
	return min(1-1/float64(n), float64(s.groups[0].Cap)/float64(s.rate))
}

// labNames are all scenarios' names.
func labNames() (names []string) {
	for _, s := range labScenarios {
		names = append(names, s.name)
	}
	return names
}

// labChoice finds the scenarios that are named, with commas between them.
func labChoice(names string) (chosen []labScenario, err error) {
	if names == "all" {
		return labScenarios, nil
	}
	for name := range strings.SplitSeq(names, ",") {
		i := slices.Index(labNames(), name)
		if i < 0 {
			return nil, fmt.Errorf("bench --lab: there is no scenario %q; there are %s", name, strings.Join(labNames(), ","))
		}
		chosen = append(chosen, labScenarios[i])
	}
	return chosen, nil
}
