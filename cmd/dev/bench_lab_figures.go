package main

import (
	"cmp"
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

func count(n float64) string { return fmt.Sprintf("%.0f", n) }
func span(s float64) string  { return fmt.Sprintf("%.2f s", s) }
func milli(s float64) string { return fmt.Sprintf("%.0f ms", 1000*s) }

// settled is when a viewer has been there for a while.
const settled = 20 * time.Second

// figures are what a run showed, those of nodes last. Viewers who are killed together
// and those who lie count only on the wire; of those who come and go each counts while
// it is there. Where viewers come in groups, the start is the last one's. Copies are
// all bytes on the wire over those of the segments that one viewer got, the one that
// got most (where all come and go: over the stream's); steady ones over the stream's.
func (r *labRun) figures() (all []labFigure) {
	var (
		starts, readies, took   []time.Duration
		stalled, late           time.Duration
		stalling, stalls, wrong int
		most                    int64
	)
	for _, v := range r.viewers {
		if !v.measured() {
			continue
		}
		if start := v.waited + v.seen.Startup; v.last && v.seen.Startup >= 0 {
			starts = append(starts, start)
		} else if v.last {
			starts = append(starts, v.leaves-v.joins) // it waited in vain
		}
		readies = append(readies, v.seen.Ready...)
		for _, a := range v.got {
			took = append(took, a.took)
		}
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
		most = max(most, v.seen.Bytes, v.counts.got())
	}
	if r.groups[0].Stay > 0 {
		most = int64((r.ends() - firstJoin).Seconds() * float64(r.rate) / 8)
	}
	slices.Sort(starts)
	slices.Sort(readies)
	all = []labFigure{
		{"start of playback, median", quantile(starts, 0.5).Seconds(), span},
		{"… p95", quantile(starts, 0.95).Seconds(), span},
		{"viewers that stall", float64(stalling), count},
		{"stalls", float64(stalls), count},
		{"… in all", stalled.Seconds(), span},
		{"… of it after a viewer's first 20 s", late.Seconds(), span},
		{"segment ready after its end, median", quantile(readies, 0.5).Seconds(), span},
		{"… p95", quantile(readies, 0.95).Seconds(), span},
		{"… mean", mean(readies).Seconds(), span},
		{"segment at the player after its request, mean", mean(took).Seconds(), span},
		{"copies sent by origin and publisher", float64(r.sent()) / float64(most), copies},
		{"… in the last 20 s, of the stream", r.steady, copies},
		{"wrong segments", float64(wrong), count},
		{"processors idle", r.idle, percent},
	}
	if r.kills() > 0 {
		all = append(all, labFigure{"copies 10 to 20 s after viewers were killed, of the stream", r.after, copies})
	}
	if r.pinged {
		slices.Sort(r.pings)
		last := r.viewers[len(r.viewers)-1]
		all = append(all, labFigure{"ping over the last one's line, median", quantile(r.pings, 0.5).Seconds(), milli},
			labFigure{"… p95", quantile(r.pings, 0.95).Seconds(), milli},
			labFigure{"… sent over it in its busiest 20 s, of what it carries", float64(last.host.Busiest(20)) * 8 / 20 / float64(last.Up), percent})
	}
	if !r.coral {
		return all
	}
	return slices.Concat(all, r.nodeFigures(), r.lieFigures(), r.variantFigures())
}

// nodeFigures are what plain HLS has not. The offload is what origin and publisher did
// not have to send of all that players saw: all that they send counts against it, and
// nothing that viewers send without use for it.
func (r *labRun) nodeFigures() []labFigure {
	var (
		busiest, played              float64
		came, given, twice, control  float64
		banned                       float64
		witnesses, processor, memory float64
	)
	for _, v := range r.viewers {
		if v.lies() {
			continue
		}
		busiest = max(busiest, float64(v.host.Busiest(10))*8/10/float64(cmp.Or(v.Cap, v.Up)))
		played += float64(v.seen.Bytes)
		if v.killed {
			continue // and tells nothing
		}
		b := v.counts.Bytes
		came += float64(v.counts.got())
		given += float64(b.ToPeers)
		twice += float64(b.Duplicate)
		control += float64(b.Control)
		banned += float64(v.counts.Peers.Banned)
		witnesses++
		processor += v.share
		memory = max(memory, v.memory)
	}
	offload := 1 - float64(r.sent())/played
	return []labFigure{
		{"offload: not sent by origin or publisher, of what players got", offload, percent},
		{"… of its bound, min(1 − 1/N, cap/rate)", offload / r.bound(), percent},
		{"sent by viewers, of what comes to them", given / came, percent},
		{"… bound", r.bound(), percent},
		{"comes twice", twice / came, percent},
		{"messages without a block, at either end", control / came, percent},
		{"peers thrown out, by all viewers", banned, count},
		{"sent by the viewer that sent most in any 10 s, of its cap", busiest, percent},
		{"one viewer: of a processor", processor / witnesses, percent},
		{"… memory, of the one that takes most", memory, func(mib float64) string { return fmt.Sprintf("%.0f MiB", mib) }},
	}
}

// lieFigures are what viewers who lie achieved, if there are any.
func (r *labRun) lieFigures() (all []labFigure) {
	var bad, kept, keptLate float64
	var silent, forger bool
	for _, v := range r.viewers {
		silent, forger = silent || v.Liar, forger || v.Forger
		for _, at := range v.kept {
			kept++
			if at.After(r.begun.Add(r.ends() - settled)) {
				keptLate++
			}
		}
		bad += float64(v.counts.BadBlocks)
	}
	if silent {
		all = append(all, labFigure{"blocks that liars were asked for in vain", kept, count}, labFigure{"… in the last 20 s", keptLate, count})
	}
	if forger {
		all = append(all, labFigure{"altered blocks that came", bad, count})
	}
	return all
}

// mean is 0 of none.
func mean(all []time.Duration) (m time.Duration) {
	for _, d := range all {
		m += d / time.Duration(len(all))
	}
	return m
}
