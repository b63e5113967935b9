package publish

import (
	"time"

	"coral/node/hls"
	"coral/store/segment"
)

// verdict is what a playlist means for a chain.
type verdict uint8

const (
	// onward: it goes on from what is known.
	onward verdict = iota
	// behind: it speaks of what is known and ends before it does. It is a stale
	// answer, or a new run that gives the same names again.
	behind
	// lower: it ends before anything that is known. It is a very stale answer,
	// or a new run.
	lower
	// other: it names other segments by the numbers that are known: a new run.
	other
)

// doubt is a playlist that does not go on from what is known.
type doubt struct {
	verdict verdict
	at      sight // the playlist's newest segment
	since   time.Time
	looks   int
	stale   bool // it was found to be a stale answer
}

// known returns the sight of what was signed, or is about to be, for a segment
// of the run.
func (r *rendition) known(source uint64) *sight {
	if m := r.chain.record(r.run, source); m != nil {
		return &m.sight
	}
	if j := r.planned[source]; j != nil {
		return &j.sight
	}
	return nil
}

// newestKnown is the newest segment of the run; nil: there is none yet.
func (r *rendition) newestKnown() *sight { return r.newest }

// judge compares a playlist of at least one segment with what is known.
func (r *rendition) judge(m *hls.Media) verdict {
	head := r.newestKnown()
	if head == nil {
		return onward
	}
	overlap, agree := 0, 0
	for i := range m.Segments {
		if k := r.known(m.Segments[i].Sequence); k != nil {
			overlap++
			if s := sightOf(&m.Segments[i]); k.same(&s) {
				agree++
			}
		}
	}
	last := m.Segments[len(m.Segments)-1].Sequence
	switch {
	case overlap > 0 && agree == 0:
		return other
	case last >= head.Source:
		return onward
	case overlap > 0:
		return behind
	}
	return lower
}

// doubts notes that the newest playlist does not go on from what is known, and
// decides what it is: a new run, or an answer to be left alone.
func (r *rendition) doubts(v verdict, m *hls.Media, looks int, now time.Time) (anew bool) {
	at := sightOf(&m.Segments[len(m.Segments)-1])
	d := &r.doubt
	if d.looks == 0 || d.verdict != v || d.at.Source != at.Source || !d.at.same(&at) {
		since := now
		if d.looks > 0 && d.verdict == v {
			since = d.since // it grows, and still does not fit
		}
		*d = doubt{verdict: v, at: at, since: since}
	}
	d.looks += looks
	if d.stale || d.looks < 2 { // once may be a slip of some cache
		return false
	}
	switch v {
	case other:
		return true
	case lower:
		if head := r.newestKnown(); !head.DateTime.IsZero() && !at.DateTime.IsZero() {
			d.stale = !at.DateTime.After(head.DateTime)
			return !d.stale
		}
		return now.Sub(d.since) >= max(m.Target, time.Second)
	case behind:
		r.probe(m, now)
	}
	return false
}

// maxProbes is how many segments are compared to tell whether the source serves
// what was signed: one may have been damaged on its way.
const maxProbes = 2

// probe begins to fetch the newest segments of m that were signed. It reports
// whether there are any.
func (r *rendition) probe(m *hls.Media, now time.Time) bool {
	if len(r.probes) > 0 {
		return true
	}
	for i := len(m.Segments) - 1; i >= 0 && len(r.probes) < maxProbes; i-- {
		s := &m.Segments[i]
		mk := r.chain.record(r.run, s.Sequence)
		if mk == nil || s.Gap {
			continue
		}
		if j := r.newJob(s, toProbe, now); j != nil {
			j.mark = mk
			r.probes = append(r.probes, j)
		}
	}
	return len(r.probes) > 0
}

// probed looks at what the probes brought. One that brought what was signed
// proves that the source goes on; a new run is one where none did.
func (r *rendition) probed(now time.Time) {
	same, differ, open := 0, 0, 0
	for _, j := range r.probes {
		switch {
		case j.state == ready && segment.Digest(j.mark.Root) == j.got.root:
			same++
		case j.state == ready:
			differ++
		case j.tries < probeTries:
			open++
		}
	}
	if same == 0 && open > 0 {
		return
	}
	for _, j := range r.probes {
		if j.state == ready && segment.Digest(j.mark.Root) == j.got.root {
			r.offer(r.ctx, j)
		}
	}
	r.probes = nil
	if same == 0 && differ > 0 {
		r.newRun("the source serves other bytes under the same names")
		return
	}
	r.doubt.stale = r.doubt.looks > 0
	if !r.compared {
		r.compared = true
		r.offerAgain(r.latest, now)
	}
}

// probeTries is how often a probe is tried: what is in a stale playlist may be
// gone.
const probeTries = 3
