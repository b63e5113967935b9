package main

import (
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"coral/node/budget"
	"coral/node/sim"
)

// answer is what pilot found out, as --json prints it.
type answer struct {
	Viewers        int     `json:"viewers"`
	Simulated      int     `json:"simulated_viewers"`
	BitrateBPS     int64   `json:"bitrate_bps"`
	LineBPS        int64   `json:"line_bps"`
	SegmentSeconds float64 `json:"segment_seconds"`
	// UplinkRatio is what all viewers can send over what they all watch.
	UplinkRatio  float64 `json:"uplink_ratio"`
	OffloadBound float64 `json:"offload_bound"` // nothing can do better with these uplinks
	Wide         *wide   `json:"wide,omitempty"`
	Without      outcome `json:"without"`
	With         outcome `json:"with"`
}

// outcome is one of the two ways.
type outcome struct {
	SentBPS        int64   `json:"line_sends_bps"` // once all are there, headers included
	Offload        float64 `json:"offload"`        // share of what viewers got that the line did not send
	StalledViewers float64 `json:"stalled_viewers"`
	StalledTime    float64 `json:"stalled_time"` // share of what could have been playing time
	NeverStarted   float64 `json:"never_started_viewers"`
	StartP50ms     int64   `json:"start_p50_ms"`
	StartP95ms     int64   `json:"start_p95_ms"`
	ReadyP50ms     int64   `json:"ready_p50_ms"` // from a segment's end to a viewer having it
	CarriesViewers int     `json:"line_carries_viewers"`
}

// wireOverhead is what headers and announcements add to the media.
const wireOverhead = 1.06

// mostCarried is how many viewers are promised: as many as have been simulated.
const mostCarried = 100_000

// alone is what the line does by itself, shared out equally among the viewers.
func (q *occasion) alone() outcome {
	each := float64(q.line) / float64(q.viewers) / wireOverhead
	first := q.segment.Seconds() * float64(q.bitrate) / min(each, float64(q.downlink())) * 1000
	o := outcome{
		SentBPS: int64(min(float64(q.line), float64(q.bitrate)*float64(q.viewers)*wireOverhead)), CarriesViewers: int(float64(q.line) / float64(q.bitrate) / wireOverhead),
		StartP50ms: int64(first), StartP95ms: int64(first), ReadyP50ms: int64(first),
	}
	if each < float64(q.bitrate) {
		o.StalledViewers, o.StalledTime, o.ReadyP50ms = 1, 1-each/float64(q.bitrate), -1
	}
	return o
}

// outcome is what simulations say about all viewers: one of n of them, and
// perhaps the wide one.
func (q *occasion) outcome(rs []*sim.Result, n int) outcome {
	r := rs[0]
	share := func(k int) float64 { return float64(k) / float64(n) }
	o := outcome{
		StalledViewers: share(r.StalledPeers), NeverStarted: share(r.Viewers - r.Started),
		StartP50ms: r.StartP50.Milliseconds(), StartP95ms: r.StartP95.Milliseconds(), ReadyP50ms: r.ReadyP50.Milliseconds(),
	}
	if all := r.StallTime + time.Duration(r.Played)*q.segment; all > 0 {
		o.StalledTime = float64(r.StallTime) / float64(all)
	}
	// What the uplinks of a part cannot carry, those of all cannot either; the few
	// copies that feed a swarm are needed only once.
	copies := r.SteadyEgress/wireOverhead + (1-q.fluid())*float64(q.viewers-n)
	if len(rs) > 1 { // a larger swarm needs more of them
		alone := (1 - q.sharers()) * float64(n)
		copies += max(0, rs[1].Steady-max(1, r.Steady-alone))
	}
	o.SentBPS = int64(min(copies*float64(q.bitrate)*wireOverhead, float64(q.line)))
	got := float64(q.viewers) * (1 - o.StalledTime) // who waits gets less than the stream
	o.Offload = max(0, 1-copies/max(got, 1))
	o.CarriesViewers = q.carries(o.Offload)
	return o
}

// carries is how many viewers the line carries at that offload or, where the
// viewers carry the stream by themselves, mostCarried.
func (q *occasion) carries(offload float64) int {
	each := float64(q.bitrate) * wireOverhead * (1 - offload)
	if each <= 0 {
		return mostCarried
	}
	return min(mostCarried, int(float64(q.line)/each))
}

// text is the answer on one screen.
func (a *answer) text(q *occasion) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s viewers come within %v to watch %sbit/s in segments of %v; your line sends %sbit/s.\n", count(a.Viewers), q.within, spaced(q.bitrate), q.segment, spaced(q.line))
	fmt.Fprintf(&b, "%d %% of them share. Together their lines could send %.0f %% of what all watch.\n", q.sharing, 100*a.UplinkRatio)
	if a.Simulated < a.Viewers {
		fmt.Fprintf(&b, "Simulated: %s of them block by block, with their part of your line.\n", count(a.Simulated))
	}
	if a.Wide != nil {
		fmt.Fprintf(&b, "Simulated: %s who share, by %s: their swarm needs %.1f copies.\n", count(a.Wide.Viewers), a.Wide.Unit, a.Wide.Copies)
	}
	b.WriteString("\n")
	w := tabwriter.NewWriter(&b, 0, 0, 3, ' ', 0)
	row := func(what string, f func(o outcome) string) {
		fmt.Fprintf(w, "%s\t%s\t%s\n", what, f(a.Without), f(a.With))
	}
	fmt.Fprintln(w, "\tyour line alone\twith Coral")
	row("viewers that stall", func(o outcome) string { return part(o.StalledViewers) })
	row("time spent waiting", func(o outcome) string { return part(o.StalledTime) })
	row("viewers that never start", func(o outcome) string { return part(o.NeverStarted) })
	row("start of playback: half within", func(o outcome) string { return seconds(o.StartP50ms) })
	row("   95 % within", func(o outcome) string { return seconds(o.StartP95ms) })
	row("segment ready after its end, median", func(o outcome) string { return seconds(o.ReadyP50ms) })
	row("your line sends, all being there", func(o outcome) string { return megabits(o.SentBPS) })
	row("carried by the viewers (offload)", func(o outcome) string { return part(o.Offload) })
	row("viewers that your line can carry", func(o outcome) string {
		if o.CarriesViewers >= mostCarried {
			return count(mostCarried) + " or more"
		}
		return count(o.CarriesViewers)
	})
	_ = w.Flush() // into memory
	fmt.Fprintf(&b, "\n%s\n", a.verdict(q))
	return b.String()
}

// verdict says in a sentence or two what to make of it.
func (a *answer) verdict(q *occasion) string {
	var say []string
	if b := a.OffloadBound; b < 0.99-1/float64(a.Viewers) {
		say = append(say, fmt.Sprintf("The viewers' uplinks, and who shares, are the limit: at most %s can be offloaded.", part(b)))
	}
	switch {
	case a.With.StalledTime > tolerable || a.With.NeverStarted > 0:
		need := float64(a.BitrateBPS) * wireOverhead * lineMargin * (float64(a.Viewers)*(1-a.OffloadBound) + leastCopies)
		if need > float64(a.LineBPS) {
			say = append(say, fmt.Sprintf("Your line is too small even with Coral: have %s, or lower the bit rate.", megabits(int64(need))))
		} else {
			say = append(say, "Some wait even with Coral, mostly while all come at once: have them come earlier, or lower the bit rate.")
		}
	case a.Without.StalledTime > tolerable || a.Without.NeverStarted > 0:
		say = append(say, "Your line alone cannot carry this audience; with Coral it can.")
	default:
		say = append(say, "Your line can carry this audience alone; with Coral it sends less.")
	}
	return strings.Join(say, "\n")
}

const (
	// tolerable is the share of time waited that still counts as played well.
	tolerable = 0.002
	// lineMargin is how much more than the bare need a line must have, to let a
	// crowd in.
	lineMargin = 1.25
)

// part writes a share.
func part(share float64) string {
	switch {
	case share == 0:
		return "none"
	case share < 0.001:
		return "< 0.1 %"
	case share < 0.1 || share > 0.99 && share < 1:
		return fmt.Sprintf("%.1f %%", 100*share)
	}
	return fmt.Sprintf("%.0f %%", 100*share)
}

func seconds(ms int64) string {
	if ms < 0 {
		return "ever later"
	}
	return fmt.Sprintf("%.1f s", float64(ms)/1000)
}

func megabits(bps int64) string {
	if bps >= 1e9 {
		return fmt.Sprintf("%.3g Gbit/s", float64(bps)/1e9)
	}
	return fmt.Sprintf("%.3g Mbit/s", float64(bps)/1e6)
}

// spaced writes a rate before "bit/s": 2.5 M.
func spaced(r budget.Rate) string {
	s := r.String()
	if k := len(s) - 1; k > 0 && s[k] > '9' {
		return s[:k] + " " + s[k:]
	}
	return s + " "
}

// count writes a number with commas.
func count(n int) string {
	s := fmt.Sprint(n)
	for k := len(s) - 3; k > 0; k -= 3 {
		s = s[:k] + "," + s[k:]
	}
	return s
}
