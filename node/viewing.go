package node

import (
	"context"
	"slices"
	"time"

	"coral/node/channel"
	"coral/node/hls"
	"coral/node/proxy"
	"coral/node/schedule"
)

// backlogMost is how many of the newest segments are looked at for what is
// still to come.
const backlogMost = 32

// viewing is what one player of PlayerURL is shown: one variant at a time, chosen
// anew for each segment that its playlist grows by. It implements proxy.Viewing
// and is owned by the session's goroutine.
//
// FFmpeg, and so mpv, reads all segments of a playlist as one stream: it looks at
// no EXT-X-DISCONTINUITY, and of several init sections at the first alone. So
// variants are changed between transport stream segments only. With init
// sections, and where all is listed from the start (a recording), a viewing is of
// one variant, chosen when the player loads.
type viewing struct {
	s        *Session
	past     bool      // its playlist goes back to what came before the window
	at       uint16    // the rendition whose segments are added
	begun    bool      // the first playlist was made
	composes bool      // not of one rendition for good
	runs     []stretch // oldest first; the last one grows
	next     uint64    // the number of the segment to be added
	breaks   uint64    // the discontinuity sequence of the newest one
	awaited  uint64    // the segment of at that is held back for another variant,
	since    schedule.Instant
	left     []leaving
	asked    schedule.Instant // when it was last asked for
	revision uint64
	updated  time.Time
	news     chan struct{} // closed and renewed with revision
	ended    bool
	list     *proxy.Playlist // as of revision; nil: to be made
}

// stretch is a row of segments of one rendition.
type stretch struct {
	r        *rendition
	from, to uint64 // sequence numbers, to not included
	number   uint64 // what makes a sequence number one of the viewing's
	breaks   uint64 // the same for discontinuity sequence numbers
}

// leaving is a rendition whose last segment is listed.
type leaving struct {
	r    *rendition
	over schedule.Instant // when it has been played
}

// View implements proxy.Channel.
func (s *Session) View(past bool) proxy.Viewing {
	return &viewing{s: s, past: past, news: make(chan struct{})}
}

// Chosen implements proxy.Viewing: one variant, with the renditions of its groups
// that are played with it.
func (v *viewing) Chosen(ctx context.Context) (*channel.Presentation, error) {
	pr, err := v.s.Multivariant(ctx)
	if err != nil {
		return nil, err
	}
	one := &channel.Presentation{IndependentSegments: pr.IndependentSegments}
	err = v.s.do(ctx, func() {
		var c *channel.Rendition
		if v.composes { // what it shows goes on
			c = v.s.variantOf(pr, v.at)
		} else if c = v.s.chosen(pr); c != nil {
			v.at, v.begun = v.s.aliased(c.Media), false
		}
		if c == nil {
			return
		}
		shown := *c
		if v.s.pinned == Auto { // players prepare for the best that may come
			variants := v.s.variants(pr, v.at)
			top := variants[len(variants)-1]
			shown.Bandwidth, shown.AverageBandwidth = top.Bandwidth, top.AverageBandwidth
			shown.Codecs, shown.Resolution, shown.FrameRate = top.Codecs, top.Resolution, top.FrameRate
		}
		if pr.Single {
			shown.URI, shown.Bandwidth = "media.m3u8", 1 // what a variant must have; neither is used
		}
		one.Renditions = append(one.Renditions, shown)
		for _, r := range pr.Renditions {
			if r.Kind != channel.Variant && belongs(&r, c) {
				one.Renditions = append(one.Renditions, r)
			}
		}
	})
	if err == nil && len(one.Renditions) == 0 {
		err = unavailable(errNoVariant)
	}
	return one, err
}

// Shown implements proxy.Viewing.
func (v *viewing) Shown(ctx context.Context, after uint64) (*proxy.Playlist, error) {
	return await(ctx, v.s, func() (*proxy.Playlist, chan struct{}, error) { return v.shown(after) })
}

func (v *viewing) shown(after uint64) (*proxy.Playlist, chan struct{}, error) {
	s := v.s
	s.rewinds = s.rewinds || v.past
	pr := s.shown()
	if pr == nil {
		return nil, s.present, s.loadTop()
	}
	v.rename()
	pl, wait, err := s.media(v.at, 0)
	if pl == nil {
		return nil, wait, err
	}
	r := s.rendition(v.at)
	if !v.begun {
		v.begin(pr, r, pl)
	}
	if !v.composes {
		switch {
		case pl.Revision <= after:
			return nil, r.changed, nil
		case v.past:
			return s.history(r, pl), nil, nil
		}
		return pl, nil, nil
	}
	v.asked = s.instant()
	if !slices.Contains(s.viewings, v) {
		s.viewings = append(s.viewings, v)
	}
	s.extendViewings()
	if v.revision <= after {
		return nil, v.news, nil
	}
	if v.list == nil {
		v.list = v.write()
	}
	return v.list, nil, nil
}

// extendViewings lets what is shown grow by what is new, before anybody asks: so
// that it, and nothing else, is fetched ahead of the player.
func (s *Session) extendViewings() {
	now := s.instant()
	pr := s.shown()
	if pr == nil || len(s.viewings) == 0 {
		return
	}
	for _, v := range s.viewings {
		v.rename()
		v.extend(pr)
		v.leave(now)
	}
	s.viewings = slices.DeleteFunc(s.viewings, func(v *viewing) bool {
		return now-v.asked > schedule.Instant(max(playbackGoneMin, playbackGone*s.rendition(v.at).play.target))
	})
	for _, r := range s.renditions {
		r.end = 0
	}
	for _, v := range s.viewings {
		for _, run := range v.runs {
			run.r.end = max(run.r.end, run.to)
		}
	}
	for _, v := range s.viewings {
		for _, run := range v.runs[max(0, len(v.runs)-2):] {
			s.rewant(run.r, now)
		}
	}
}

// rename follows renditions that were given other numbers since.
func (v *viewing) rename() {
	v.at = v.s.aliased(v.at)
	for i := range v.runs {
		if r := v.runs[i].r; v.s.aliased(r.id) != r.id {
			v.runs[i].r = v.s.rendition(v.s.aliased(r.id))
		}
	}
}

// begin takes what pl lists, and all before it.
func (v *viewing) begin(pr *channel.Presentation, r *rendition, pl *proxy.Playlist) {
	m := &pl.Media
	v.begun = true
	v.composes = m.Type != channel.VOD && !m.Ended && m.Segments[0].Map == nil && len(v.s.variants(pr, r.id)) > 1
	if !v.composes {
		return
	}
	last := m.Segments[len(m.Segments)-1]
	v.runs = []stretch{{r: r, to: last.Sequence + 1}}
	v.next, v.breaks = last.Sequence+1, last.DiscontinuitySequence
	v.changed()
}

// changed makes the next playlist a new one.
func (v *viewing) changed() {
	v.revision++
	v.updated, v.list = time.Now(), nil
	close(v.news)
	v.news = make(chan struct{})
}

// extend adds what is new, each segment from the variant that is the best now.
func (v *viewing) extend(pr *channel.Presentation) {
	for {
		last := &v.runs[len(v.runs)-1]
		pl := v.s.listed(last.r)
		if pl == nil {
			return
		}
		m := &pl.Media
		i := slices.IndexFunc(m.Segments, func(g hls.Segment) bool { return g.Sequence >= last.to })
		if i < 0 {
			if m.Ended != v.ended {
				v.ended = m.Ended
				v.changed()
			}
			return
		}
		g := m.Segments[i]
		if g.Sequence > last.to { // some are gone for good
			v.take(last.r, &g)
			continue
		}
		to := v.s.pick(pr, v, last.r, &g)
		if to == last.r.id {
			v.take(last.r, &g)
			continue
		}
		slack := v.s.slack(last.r, g.Sequence)
		twin, later := v.twin(to, &g, slack, m.Target)
		switch {
		case later:
			return
		case twin == nil:
			v.s.ladder.stay(v.s.instant(), v.s.place(v.s.variants(pr, last.r.id), last.r.id))
			v.take(last.r, &g)
			continue
		}
		r := v.s.rendition(to)
		v.hand(last.r, r, twin.Sequence, slack)
		v.s.log.Debug("variant changed", "from", last.r.id, "to", to, "segment", twin.Sequence)
		v.take(r, twin)
		v.at = to
		v.s.tellWatching()
	}
}

// take adds one segment.
func (v *viewing) take(r *rendition, g *hls.Segment) {
	last := &v.runs[len(v.runs)-1]
	if last.r != r || g.Sequence != last.to {
		v.breaks++
		v.runs = append(v.runs, stretch{r: r, from: g.Sequence, to: g.Sequence, number: v.next - g.Sequence, breaks: v.breaks - g.DiscontinuitySequence})
		last = &v.runs[len(v.runs)-1]
	}
	last.to++
	v.next++
	v.breaks = g.DiscontinuitySequence + last.breaks
	v.ended = false
	v.changed()
}

// hand has the model of the player go on in rendition to.
func (v *viewing) hand(from, to *rendition, seq uint64, slack time.Duration) {
	if !from.play.active() {
		return
	}
	now := v.s.instant()
	over := now + schedule.Instant(max(slack, 0))
	to.play = playback{from: seq, next: seq, begin: over, begun: from.play.begun, last: now, target: to.play.target}
	v.left = slices.DeleteFunc(v.left, func(l leaving) bool { return l.r == from || l.r == to })
	v.left = append(v.left, leaving{from, over})
}

// leave ends the model's playing of what has been played to its end.
func (v *viewing) leave(now schedule.Instant) {
	v.left = slices.DeleteFunc(v.left, func(l leaving) bool {
		if now < l.over {
			return false
		}
		l.r.play = playback{target: l.r.play.target}
		return true
	})
}

// write makes the playlist of all that was shown and can still be had.
func (v *viewing) write() *proxy.Playlist {
	s := v.s
	out := &proxy.Playlist{Revision: v.revision, Updated: v.updated}
	m := &out.Media
	oldest := uint64(0)
	last := &v.runs[len(v.runs)-1]
	past := v.past && s.feedServes(last.r) // without a feed nothing is kept of what left the window
	if pl := s.listed(last.r); pl != nil && !past {
		oldest = pl.Media.Sequence + last.number
	}
	for k := range v.runs {
		run := &v.runs[k]
		list := s.listed(run.r)
		if list == nil {
			continue
		}
		h := list
		if past {
			h = s.history(run.r, list)
		}
		m.Type, m.IndependentSegments, m.Target = list.Media.Type, list.Media.IndependentSegments, max(m.Target, list.Media.Target)
		for i, g := range h.Media.Segments {
			number := g.Sequence + run.number
			if g.Sequence < run.from || g.Sequence >= run.to || int64(number-oldest) < 0 {
				continue
			}
			if n := len(m.Segments); n > 0 && m.Segments[n-1].Sequence+1 != number {
				m.Segments, out.IDs, out.Inits, out.Keys, out.InitKeys = nil, nil, nil, nil, nil
			}
			if k > 0 && g.Sequence == run.from {
				g.Discontinuity = true
			}
			g.Sequence, g.DiscontinuitySequence = number, g.DiscontinuitySequence+run.breaks
			m.Segments = append(m.Segments, g)
			out.IDs = append(out.IDs, h.IDs[i])
			out.Inits, out.InitKeys = append(out.Inits, h.Inits[i]), append(out.InitKeys, h.InitKeys[i])
			out.Keys = append(out.Keys, h.Keys[i])
		}
	}
	if len(m.Segments) > 0 {
		first := &m.Segments[0]
		m.Sequence, m.DiscontinuitySequence = first.Sequence, first.Before()
		v.runs = slices.DeleteFunc(v.runs, func(r stretch) bool { return int64(r.to+r.number-first.Sequence) <= 0 })
	}
	m.Ended = v.ended
	return out
}

// listed is r's playlist as it is known now, or nil.
func (s *Session) listed(r *rendition) *proxy.Playlist {
	if r.list == nil && !s.rebuild(r) {
		return nil
	}
	return r.list
}
