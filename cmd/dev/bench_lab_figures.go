package main

import (
	"fmt"
	"slices"
	"time"
)

// labFigure is one line of a table.
type labFigure struct {
	what  string
	value float64
	in    func(float64) string // its unit
}

// settled is when a viewer has been there for a while.
const settled = 20 * time.Second

// figures are what a run showed, those of nodes last. Viewers that were killed count
// only on the wire. Where viewers come in groups, the start is the last one's. Copies
// are all bytes on the wire over those of the segments that one viewer got, the one that
// got most; steady ones over the stream's.
func (r *labRun) figures() (all []labFigure) {
	var (
		starts, readies              []time.Duration
		stalled, late                time.Duration
		stalling, stalls, wrong      int
		most, busiest                int64
		came, given, twice, control  float64
		witnesses, processor, memory float64
	)
	for _, v := range r.viewers {
		busiest = max(busiest, v.host.Busiest(10))
		if v.Kill > 0 {
			continue
		}
		if start := v.waited + v.seen.Startup; v.last && v.seen.Startup >= 0 {
			starts = append(starts, start)
		} else if v.last {
			starts = append(starts, r.lasts-playersEnd-v.joins) // it waited in vain
		}
		readies = append(readies, v.seen.Ready...)
		stalls += len(v.seen.Stalls)
		stalled += v.seen.Stalled()
		if len(v.seen.Stalls) > 0 {
			stalling++
		}
		for _, s := range v.seen.Stalls {
			if v.waited+s.After > settled {
				late += s.Took
			}
		}
		wrong += v.seen.Corrupt
		b := v.counts.Bytes
		got := b.FromPeers + b.FromOrigin + b.Unverified
		most = max(most, v.seen.Bytes, got)
		came += float64(got)
		given += float64(b.ToPeers)
		twice += float64(b.Duplicate)
		control += float64(b.Control)
		witnesses++
		processor += v.share
		memory = max(memory, v.memory)
	}
	slices.Sort(starts)
	slices.Sort(readies)
	count := func(n float64) string { return fmt.Sprintf("%.0f", n) }
	span := func(s float64) string { return fmt.Sprintf("%.2f s", s) }
	all = []labFigure{
		{"start of playback, median", quantile(starts, 0.5).Seconds(), span},
		{"… p95", quantile(starts, 0.95).Seconds(), span},
		{"viewers that stall", float64(stalling), count},
		{"stalls", float64(stalls), count},
		{"… in all", stalled.Seconds(), span},
		{"… of it after a viewer's first 20 s", late.Seconds(), span},
		{"segment ready after its end, median", quantile(readies, 0.5).Seconds(), span},
		{"… p95", quantile(readies, 0.95).Seconds(), span},
		{"copies sent by origin and publisher", float64(r.sent()) / float64(most), copies},
		{"… in the last 20 s, of the stream", r.steady, copies},
		{"wrong segments", float64(wrong), count},
		{"processors idle", r.idle, percent},
	}
	if !r.coral {
		return all
	}
	return append(all, []labFigure{
		{"sent by viewers, of what comes to them", given / came, percent},
		{"… bound, min(1 − 1/N, cap/rate)", r.bound(), percent},
		{"comes twice", twice / came, percent},
		{"messages without a block, at either end", control / came, percent},
		{"sent by the viewer that sent most in any 10 s, of its cap", float64(busiest) * 8 / 10 / float64(r.groups[0].Cap), percent},
		{"one viewer: of a processor", processor / witnesses, percent},
		{"… memory, of the one that takes most", memory, func(mib float64) string { return fmt.Sprintf("%.0f MiB", mib) }},
	}...)
}
