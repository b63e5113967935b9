package publish

import (
	"fmt"
	"slices"
	"time"

	"coral/node/channel"
	"coral/node/hls"
	"coral/store/segment"
)

const (
	// startTargets is how many target durations of a live window are signed at the
	// start. A player begins three before the end, one more passes while it does.
	// Older segments would come first, and delay what is new by as much as the
	// line to the source takes for them, just when the first viewers come.
	startTargets = 4
	// behindTargets is how many target durations of a live rendition may wait to
	// be fetched. More means that the line to the source is too slow: the oldest
	// are left out, keepTargets remain.
	behindTargets = 8
	keepTargets   = 3
	// maxPlanned bounds a playlist's part that is planned at a time.
	maxPlanned = 60000
	// maxInits bounds the remembered names of init sections.
	maxInits = 64
)

// enqueue plans what m has beyond what is known.
func (r *rendition) enqueue(m *hls.Media, now time.Time) {
	sliding := m.Type == channel.Live && !m.Ended
	if r.presentType() == channel.Live {
		r.dropGone(m)
	}
	from := 0
	if r.newest != nil {
		from = firstAfter(m.Segments, r.newest.Source)
	} else if sliding {
		var span time.Duration
		for from = len(m.Segments); from > 0 && span < startTargets*m.Target; from-- {
			span += m.Segments[from-1].Duration
		}
	}
	for i := range m.Segments[:from] {
		s := &m.Segments[i]
		if j := r.planned[s.Sequence]; j != nil && j.state == waiting && j.URI != s.URI {
			j.sight = sightOf(s) // a token that has run out, perhaps
			if ref, err := r.p.source.resolve(r.base, s.URI); err == nil {
				j.ref = ref
			}
		}
	}
	for i := from; i < len(m.Segments) && len(r.pending) < maxPlanned; i++ {
		r.add(&m.Segments[i], now)
	}
	if r.caughtUp && sliding {
		r.dropSlow(m)
	}
}

// firstAfter returns where the segments past a source number begin.
func firstAfter(segs []hls.Segment, source uint64) int {
	i, found := slices.BinarySearchFunc(segs, source, func(s hls.Segment, n uint64) int {
		switch {
		case s.Sequence < n:
			return -1
		case s.Sequence > n:
			return 1
		}
		return 0
	})
	if found {
		i++
	}
	return i
}

// add plans one segment, and the init section that it needs.
func (r *rendition) add(s *hls.Segment, now time.Time) {
	at := sightOf(s)
	r.newest = &at
	if s.Gap {
		r.skipped(1, "the source says that it is missing")
		return
	}
	j := r.newJob(s, toSign, now)
	if j == nil {
		r.skipped(1, "its address leads outside the source")
		return
	}
	if s.Map != nil {
		j.initKey = initKey(s)
		if _, known := r.inits[j.initKey]; !known {
			init := r.newInit(s, j.initKey, now)
			if init == nil {
				r.skipped(1, "its init section's address leads outside the source")
				return
			}
			r.forgetInits()
			r.inits[j.initKey] = initUse{}
			r.pending = append(r.pending, init)
		}
	}
	r.planned[s.Sequence] = j
	r.pending = append(r.pending, j)
}

// newJob makes the job of a media segment; nil: its URI leads nowhere.
func (r *rendition) newJob(s *hls.Segment, why purpose, now time.Time) *job {
	ref, err := r.p.source.resolve(r.base, s.URI)
	if err != nil {
		r.p.failed(err)
		return nil
	}
	j := &job{sight: sightOf(s), why: why, seg: s, ref: ref, n: -1, noticed: now, secret: s.Key != nil && s.Key.Method == channel.AES128}
	if s.Ranged {
		j.n = s.Length
	}
	return j
}

// newInit makes the job of the init section that s needs.
func (r *rendition) newInit(s *hls.Segment, key string, now time.Time) *job {
	ref, err := r.p.source.resolve(r.base, s.Map.URI)
	if err != nil {
		r.p.failed(err)
		return nil
	}
	j := &job{
		sight: sight{Source: s.Sequence, URI: s.Map.URI, Ranged: s.Map.Ranged, Offset: s.Map.Offset}, kind: segment.Init,
		seg: s, initKey: key, ref: ref, n: -1, noticed: now,
		secret: s.Map.Key != nil && s.Map.Key.Method == channel.AES128,
	}
	if s.Map.Ranged {
		j.n = s.Map.Length
	}
	return j
}

// initKey names an init section. After a discontinuity there may be another one
// at the same place.
func initKey(s *hls.Segment) string {
	return fmt.Sprintf("%d %t %d %d %s", s.DiscontinuitySequence, s.Map.Ranged, s.Map.Offset, s.Map.Length, s.Map.URI)
}

// forgetInits makes room for one more name. What is forgotten is fetched again
// and found to be known by its bytes.
func (r *rendition) forgetInits() {
	if len(r.inits) < maxInits {
		return
	}
	used := map[string]bool{}
	for _, j := range r.pending {
		used[j.initKey] = true
	}
	for key := range r.inits {
		if !used[key] {
			delete(r.inits, key)
		}
	}
}

// dropGone forgets what has left a sliding window before it could be fetched.
func (r *rendition) dropGone(m *hls.Media) {
	r.leaveOut(func(j *job) bool {
		return j.kind == segment.Media && j.state == waiting && j.Source < m.Sequence
	}, "it left the source's playlist")
}

// dropSlow leaves out the oldest of what waits when it is too much.
func (r *rendition) dropSlow(m *hls.Media) {
	target := max(m.Target, time.Second)
	var waits time.Duration
	for _, j := range r.pending {
		waits += j.Duration
	}
	if waits <= behindTargets*target {
		return
	}
	r.leaveOut(func(j *job) bool {
		late := waits > keepTargets*target && j.kind == segment.Media && j.state == waiting
		waits -= j.Duration
		return late
	}, "the line to the source is too slow")
}

// leaveOut removes what gone says from what is to be signed.
func (r *rendition) leaveOut(gone func(*job) bool, why string) {
	n := 0
	r.pending = slices.DeleteFunc(r.pending, func(j *job) bool {
		if !gone(j) {
			return false
		}
		n++
		if r.planned[j.Source] == j {
			delete(r.planned, j.Source)
		}
		return true
	})
	if n > 0 {
		r.skipped(n, why)
	}
}

// skipped notes segments that will never be signed.
func (r *rendition) skipped(n int, why string) {
	r.log.Warn("segments left out", "segments", n, "why", why)
	r.p.count(func(s *Stats) { s.SegmentsSkipped += int64(n) })
}

const (
	// livePatience bounds how long a live segment that cannot be had holds up
	// those behind it, which are ready.
	livePatience = 1.5 // target durations
	leastPatient = 2 * time.Second
	mostPatient  = 10 * time.Second
	// patience is that of an EVENT or a VOD, where a hole stays for ever.
	patience = 30 * time.Second
)

// hopeless reports whether the first of what is to be signed must be given up.
func (r *rendition) hopeless(j *job, now time.Time) bool {
	if j.state != waiting || j.failed.IsZero() {
		return false
	}
	m := r.latest
	if m == nil || r.presentType() != channel.Live {
		return lasting(j.err) && now.Sub(j.failed) >= patience
	}
	limit := min(mostPatient, max(leastPatient, time.Duration(livePatience*float64(m.Target))))
	return now.Sub(j.failed) >= limit && (m.Ended || r.behindReady())
}

// behindReady reports whether a later one is there.
func (r *rendition) behindReady() bool {
	return slices.ContainsFunc(r.pending[1:], func(j *job) bool { return j.state == ready })
}
