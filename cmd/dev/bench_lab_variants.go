package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// narrowing is a span in which a line carries less than it did.
type narrowing struct {
	from, to time.Duration
	down     int64
}

// arrival is a segment at a player.
type arrival struct {
	at     time.Duration // from the run's beginning
	took   time.Duration // from the player's request
	better bool          // it is of the variant of the scenario's rate; its bytes say so
}

// bitrates are those of the origin's variants, in the order of its playlist. A player
// that does not adapt, as here plain HLS's, plays the first: the lower one, for which
// the line has room.
func (s *labScenario) bitrates() []int {
	if s.lower == 0 {
		return []int{int(s.rate)}
	}
	return []int{int(s.lower), int(s.rate)}
}

// narrow has the last viewer's line carry less to it for a while.
func (r *labRun) narrow(ctx context.Context) error {
	v := r.viewers[len(r.viewers)-1]
	if err := wait(ctx, time.Until(r.begun.Add(r.narrows.from))); err != nil {
		return err
	}
	v.host.SetDown(r.narrows.down)
	defer v.host.SetDown(v.Down)
	return wait(ctx, time.Until(r.begun.Add(r.narrows.to)))
}

// first is how long after from a viewer has a segment of a variant, or for how long it
// waits in vain.
func (v *labViewer) first(from time.Duration, better bool) time.Duration {
	for _, a := range v.got {
		if a.at >= from && a.better == better {
			return a.at - from
		}
	}
	return v.leaves - from
}

// changes are the segments of another variant than the one before, and the first.
func (v *labViewer) changes() (all []arrival) {
	for i, a := range v.got {
		if i == 0 || a.better != v.got[i-1].better {
			all = append(all, a)
		}
	}
	return all
}

// variantFigures are how a scenario's variants were chosen, if it has two. The last
// viewer is the one whose line is narrowed.
func (r *labRun) variantFigures() []labFigure {
	if r.lower == 0 {
		return nil
	}
	var (
		firsts          []time.Duration
		segments, share float64
		most            int
	)
	last := r.viewers[len(r.viewers)-1]
	for _, v := range r.viewers {
		firsts = append(firsts, v.first(v.joins, true))
		for _, a := range v.got {
			segments++
			if a.better {
				share++
			}
		}
		if v != last {
			most = max(most, len(v.changes())-1)
		}
	}
	slices.Sort(firsts)
	return []labFigure{
		{"the better variant at the player, after it joins, median", quantile(firsts, 0.5).Seconds(), span},
		{"… of the viewer that waits longest", quantile(firsts, 1).Seconds(), span},
		{"segments of the better variant, of all", share / segments, percent},
		{"changes of variant, of the viewer with most (one is to the better)", float64(most), count},
		{"… of the one whose line is narrowed (two more)", float64(len(last.changes()) - 1), count},
		{"the lower variant there, after the line is narrowed", last.first(r.narrows.from, false).Seconds(), span},
		{"… the better one, after it is not any more", last.first(r.narrows.to, true).Seconds(), span},
	}
}

// tellVariants tells when each viewer had which variant.
func (r *labRun) tellVariants() {
	for _, v := range r.viewers {
		var told []string
		for _, a := range v.changes() {
			told = append(told, fmt.Sprintf("%s at %.1f s", map[bool]string{false: "lower", true: "better"}[a.better], a.at.Seconds()))
		}
		fmt.Fprintf(os.Stderr, "%s, there from %s: %s\n", v.name, v.joins, strings.Join(told, ", "))
	}
}
