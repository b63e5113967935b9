package main

import (
	"time"

	"coral/node/sim"
)

// A swarm needs some copies of the stream from the line, more of them the larger it
// is, and a part of an audience does not show how many. So of a large audience those
// who share are simulated a second time, more of them, but of each segment one block
// only, over lines as fast as theirs: a sub-stream, each block of which goes the way
// it would go among the others. Copies can be read from it; delays would be too
// short. go run ./cmd/dev bench holds it against simulation block by block.

const (
	// mostWide is how many viewers are simulated so: they take some ten seconds.
	mostWide   = 10_000
	wideUnit   = "one block of each segment"
	blockBytes = 32 << 10
	// wideWithin is in which time they come: when they have, all is alike.
	wideWithin = 10 * time.Second
)

// wide is what that simulation showed.
type wide struct {
	Viewers int     `json:"viewers"`
	Unit    string  `json:"unit"`
	Copies  float64 `json:"copies"` // of each segment, for all of them
}

// wide is the second simulation, if it tells more than the first one, of n viewers,
// does: where uplinks are smaller than the stream, the line has to carry far more
// than what a swarm needs.
func (q *occasion) wide(n int) (sim.Config, bool) {
	sharing := q.sharers()
	if n >= q.viewers || q.ratio() < sharing || sharing == 0 {
		return sim.Config{}, false
	}
	cfg := q.config(n)
	cfg.Rate = int64(blockBytes * 8 / q.segment.Seconds())
	cfg.Publisher.Up = publisherCopies * int64(q.bitrate)
	cfg.Origin.Up = int64(q.bitrate) * int64(min(q.viewers, mostWide)) // never what they wait for
	cfg.Duration = 4*q.segment + wideWithin + 2*settled + 6*q.segment
	cfg.Degree = neighbours
	cfg.Groups = nil
	for _, g := range q.groups(min(int(float64(q.viewers)*sharing), mostWide)) {
		if !g.shares {
			continue
		}
		count := max(1, int(float64(g.n)/sharing))
		cfg.Groups = append(cfg.Groups, sim.Group{
			Count: count,
			Link:  sim.Link{Up: int64(g.up), Down: q.downlink(), Delay: 15 * time.Millisecond, Jitter: 5 * time.Millisecond},
			Join:  4 * q.segment, Every: wideWithin / time.Duration(count),
		})
	}
	return cfg, true
}
