package sim

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"coral/node/schedule"
)

// Stall is one time a player stood still.
type Stall struct {
	Node    int
	Segment int
	At      time.Duration
}

// Result is what a run measured.
type Result struct {
	Viewers  int
	Segments int // that some viewer wanted
	Events   int64
	Steps    int64

	// Copies is what origin and publisher sent to viewers, in bytes of the
	// wanted segments; OriginCopies and PublisherCopies are its parts.
	Copies, OriginCopies, PublisherCopies float64
	// Egress is the same with all that goes along on the wire: headers,
	// announcements, records, playlists.
	Egress float64
	// Steady is the same for the segments that appeared at least Settle after
	// the last viewer joined; SteadyWorst is the worst of them.
	Steady, SteadyWorst float64
	// SteadyEgress is Egress from settle after the last viewer joined, by the
	// stream's time: also what is sent late counts.
	SteadyEgress float64
	// Offload is the share of what viewers got that neither sent.
	Offload float64

	Started      int // viewers that began to play
	Stalls       int
	StallTime    time.Duration
	Played       int // segments, by all viewers together
	StalledPeers int
	Stalled      []Stall

	StartP50, StartP95 time.Duration
	ReadyP50, ReadyP95 time.Duration // from the origin having a segment to a viewer having it whole
	ReadyWorst         time.Duration

	Duplicates float64 // share of the bytes received
	Control    float64 // share of the bytes received
	Suspects   int
	Forged     int            // blocks with wrong bytes, none of which was kept
	Sched      schedule.Stats // of all viewers together

	// Uplinks is how much of all viewers' uplink time was used.
	Uplinks   float64
	MaxUpload float64 // the busiest viewer's share of all viewers' uploads

	// Readies are all delays that ReadyP50 is the median of, in rising order.
	Readies []time.Duration
	// Loads are each viewer's uploads as a share of what its cap allowed.
	Loads []float64
}

// settle is how long after the last join, and before the end, segments count as
// steady.
const settle = 8 * time.Second

func (w *world) report() {
	r, now, total := &w.result, schedule.Instant(0), w.total()
	for _, s := range w.shards {
		now = max(now, s.now)
	}
	r.Events, r.Steps, r.Suspects, r.Forged, r.Stalled = total.events, total.steps, total.suspects, total.forged, total.stalled
	var startups, readies []time.Duration
	var received, uploaded, most int64
	capacity := 0.0
	for _, n := range w.nodes[1:] {
		if n.group.lies() {
			continue
		}
		addStats(&r.Sched, n.sched.Stats())
		uploaded += n.uploaded
		if n.joinedAt > 0 {
			until := now
			if !n.up {
				until = n.leftAt
			}
			if could := float64(n.link.sends()) / 8 * time.Duration(until-n.joinedAt).Seconds(); could > 0 {
				capacity += could
				r.Loads = append(r.Loads, float64(framed(int(n.uploaded)))/could)
			}
		}
		most = max(most, n.uploaded)
		if n.group.Helper {
			continue
		}
		r.Viewers++
		p := &n.player
		if p.startup >= 0 {
			r.Started++
			startups = append(startups, p.startup)
		}
		r.Stalls += int(p.stalls)
		r.Played += int(p.played)
		if p.stalls > 0 {
			r.StalledPeers++
		}
		if p.late && n.up {
			p.stalled += time.Duration(now - p.begin)
		}
		r.StallTime += p.stalled
	}
	st := &r.Sched
	received = st.FromPeers + st.FromOrigin
	for _, s := range w.shards {
		readies = slices.Grow(readies, len(s.readies)) // millions
		for _, x := range s.readies {
			readies = append(readies, x.after)
		}
	}
	for _, needed := range total.needed {
		if needed {
			r.Segments++
		}
	}
	if whole := float64(r.Segments) * float64(w.size()); whole > 0 {
		r.OriginCopies = float64(total.originBytes) / whole
		r.PublisherCopies = float64(total.publisherBytes) / whole
		r.Copies = r.OriginCopies + r.PublisherCopies
		r.Egress = float64(total.egress) / whole
	}
	if t := time.Duration(now - w.settledAt).Seconds(); w.settledAt > 0 && t > 0 {
		r.SteadyEgress = float64(total.egress-w.settledEgress) * 8 / t / float64(w.cfg.Rate)
	}
	settled, sum := 0, 0.0
	for seq, n := range total.served {
		if w.born[seq] < w.lastJoin+schedule.Instant(settle) || now-w.born[seq] < schedule.Instant(settle) {
			continue
		}
		c := float64(n) / float64(w.size())
		settled++
		sum += c
		r.SteadyWorst = max(r.SteadyWorst, c)
	}
	if settled > 0 {
		r.Steady = sum / float64(settled)
	}
	if received > 0 {
		r.Offload = 1 - float64(total.originBytes+total.publisherBytes)/float64(received)
		r.Duplicates = float64(st.Duplicates) / float64(received)
		r.Control = float64(total.control) / float64(received)
	}
	if capacity > 0 {
		r.Uplinks = float64(uploaded) / capacity
	}
	if uploaded > 0 {
		r.MaxUpload = float64(most) / float64(uploaded)
	}
	r.StartP50, r.StartP95 = percentile(startups, 50), percentile(startups, 95)
	r.ReadyP50, r.ReadyP95 = percentile(readies, 50), percentile(readies, 95)
	r.ReadyWorst = percentile(readies, 100)
	r.Readies = readies
	slices.Sort(r.Loads)
}

// total is what all shards came to, but for readies: they are millions.
func (w *world) total() (t tally) {
	n := len(w.born)
	t.served, t.pubServed, t.needed = make([]int64, n), make([]int64, n), make([]bool, n)
	for _, s := range w.shards {
		t.events += s.events
		t.steps += s.steps
		t.control += s.control
		t.egress += s.egress
		t.originBytes += s.originBytes
		t.publisherBytes += s.publisherBytes
		t.suspects += s.suspects
		t.forged += s.forged
		t.stalled = append(t.stalled, s.stalled...)
		for i := range n {
			t.served[i] += s.served[i]
			t.pubServed[i] += s.pubServed[i]
			t.needed[i] = t.needed[i] || s.needed[i]
		}
	}
	slices.SortStableFunc(t.stalled, func(a, b Stall) int { return cmp.Compare(a.At, b.At) })
	return t
}

func percentile(ds []time.Duration, p int) time.Duration {
	if len(ds) == 0 {
		return -1
	}
	slices.SortFunc(ds, func(a, b time.Duration) int { return cmp.Compare(a, b) })
	return ds[min(len(ds)-1, len(ds)*p/100)]
}

func addStats(a *schedule.Stats, b schedule.Stats) {
	a.Asks += b.Asks
	a.Copies += b.Copies
	a.Withdrawals += b.Withdrawals
	a.Fetches += b.Fetches
	a.Stopped += b.Stopped
	a.Claims += b.Claims
	a.FromPeers += b.FromPeers
	a.FromOrigin += b.FromOrigin
	a.Duplicates += b.Duplicates
	a.Announces += b.Announces
	a.Sends += b.Sends
	a.Refusals += b.Refusals
	a.Timeouts += b.Timeouts
	a.Suspects += b.Suspects
	a.Bad += b.Bad
	a.Alone += b.Alone
}

func (r *Result) String() string {
	var b strings.Builder
	ms := func(d time.Duration) int64 { return d.Milliseconds() }
	fmt.Fprintf(&b, "%d viewers, %d segments: %.2f copies (origin %.2f, publisher %.2f; steady %.2f, worst %.2f), offload %.1f%%\n",
		r.Viewers, r.Segments, r.Copies, r.OriginCopies, r.PublisherCopies, r.Steady, r.SteadyWorst, 100*r.Offload)
	fmt.Fprintf(&b, "  started %d in %d/%d ms (p50/p95), stalls %d (%d viewers, %v), ready %d/%d/%d ms (p50/p95/worst)\n",
		r.Started, ms(r.StartP50), ms(r.StartP95), r.Stalls, r.StalledPeers, r.StallTime.Round(time.Millisecond), ms(r.ReadyP50), ms(r.ReadyP95), ms(r.ReadyWorst))
	fmt.Fprintf(&b, "  duplicates %.2f%%, control %.2f%%, suspects %d, uplinks used %.0f%%, busiest uploader %.1f%%; %d events, %d steps\n",
		100*r.Duplicates, 100*r.Control, r.Suspects, 100*r.Uplinks, 100*r.MaxUpload, r.Events, r.Steps)
	s := r.Sched
	fmt.Fprintf(&b, "  asks %d copies %d withdrawn %d timeouts %d refusals %d fetches %d stopped %d claims %d announces %d",
		s.Asks, s.Copies, s.Withdrawals, s.Timeouts, s.Refusals, s.Fetches, s.Stopped, s.Claims, s.Announces)
	for _, x := range r.Stalled[:min(len(r.Stalled), 5)] {
		fmt.Fprintf(&b, "\n  stall: viewer %d at segment %d, %v", x.Node, x.Segment, x.At.Round(time.Millisecond))
	}
	return b.String()
}
