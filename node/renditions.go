package node

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"coral/node/channel"
	"coral/node/hls"
	"coral/node/schedule"
	"coral/node/swarm/wire"
	"coral/store/segment"
)

// Auto is the Pin that leaves the choice of a variant to the session.
const Auto = -1

// RenditionInfo describes a rendition to people.
type RenditionInfo struct {
	ID            int
	Kind          channel.RenditionKind
	Name          string // of the source; may be empty
	Language      string // BCP 47; may be empty
	Width, Height int    // of variants; 0: not told
	FrameRate     float64
	Bandwidth     int64 // bits per second at most; 0: not told
	Default       bool
	Chosen        bool // the variant that PlayerURL shows now
}

// Renditions lists what the channel offers: variants as the source orders them,
// audio and subtitles. It is empty until the channel's presentation is known.
func (s *Session) Renditions() (out []RenditionInfo) {
	_ = s.do(context.Background(), func() {
		pr := s.shown()
		if pr == nil {
			return
		}
		chosen := s.chosen(pr)
		for i := range pr.Renditions {
			r := &pr.Renditions[i]
			if r.Kind == channel.Captions {
				continue // carried within the picture; players offer them
			}
			info := RenditionInfo{
				ID: int(r.ID), Kind: r.Kind, Name: r.Name, Language: r.Language, FrameRate: r.FrameRate,
				Bandwidth: r.Bandwidth, Default: r.Default, Chosen: chosen != nil && r.ID == chosen.ID,
			}
			info.Width, info.Height = dimensions(r.Resolution)
			out = append(out, info)
		}
	})
	return out
}

var errNoVariant = errors.New("the channel's playlist has no variant")

func dimensions(resolution string) (w, h int) {
	if l, r, ok := strings.Cut(resolution, "x"); ok {
		w, _ = strconv.Atoi(l)
		h, _ = strconv.Atoi(r)
	}
	return w, h
}

// Pin says which variant PlayerURL shows, by its ID; Auto: the best that comes in
// time. A player that plays changes with the next segment that is new, and so
// shows it when it has played what it was told of before. Where that cannot be
// (see viewing) it stays with what it was given until it loads the URL again.
func (s *Session) Pin(id int) { s.post(func() { s.pinned = id }) }

// belongs reports whether r is played with variant v.
func belongs(r, v *channel.Rendition) bool {
	switch r.Kind {
	case channel.Audio:
		return r.Group == v.AudioGroup
	case channel.Video:
		return r.Group == v.VideoGroup
	case channel.Captions:
		return r.Group == v.CaptionsGroup
	case channel.Subtitles:
		return r.Group == v.SubtitlesGroup
	}
	return false
}

// sorted lists pr's variants that have segments, the lowest rate first.
func sorted(pr *channel.Presentation) (variants []*channel.Rendition) {
	for i := range pr.Renditions {
		if r := &pr.Renditions[i]; r.Kind == channel.Variant && (r.URI != "" || pr.Single) {
			variants = append(variants, r)
		}
	}
	slices.SortStableFunc(variants, func(a, b *channel.Rendition) int { return cmp.Compare(a.Bandwidth, b.Bandwidth) })
	return variants
}

// variantOf finds the variant whose segments are rendition id's, or nil.
func (s *Session) variantOf(pr *channel.Presentation, id uint16) *channel.Rendition {
	for i := range pr.Renditions {
		if r := &pr.Renditions[i]; r.Kind == channel.Variant && s.aliased(r.Media) == id {
			return r
		}
	}
	return nil
}

// variants lists those that a viewing which shows rendition id can change to,
// itself included, the lowest rate first. All are decoded alike.
func (s *Session) variants(pr *channel.Presentation, id uint16) (out []*channel.Rendition) {
	is := s.variantOf(pr, id)
	if is == nil {
		return nil
	}
	for _, r := range sorted(pr) {
		if r == is || s.aliased(r.Media) != id && r.AudioGroup == is.AudioGroup && r.VideoGroup == is.VideoGroup && r.VideoRange == is.VideoRange &&
			(r.Resolution == "") == (is.Resolution == "") && slices.Equal(families(r.Codecs), families(is.Codecs)) {
			out = append(out, r)
		}
	}
	return out
}

// families are the codecs of a CODECS attribute, without profiles and levels.
func families(codecs string) []string {
	list := strings.Split(codecs, ",")
	for i, c := range list {
		list[i], _, _ = strings.Cut(strings.TrimSpace(c), ".")
	}
	slices.Sort(list)
	return list
}

// chosen returns the variant to begin with: the one that is pinned or shown, or
// the best by what is known of the line.
func (s *Session) chosen(pr *channel.Presentation) *channel.Rendition {
	variants := sorted(pr)
	if len(variants) == 0 {
		return nil
	}
	if i := slices.IndexFunc(variants, func(r *channel.Rendition) bool { return int(r.ID) == s.pinned }); i >= 0 {
		return variants[i]
	}
	l, now := &s.ladder, s.instant()
	if l.begun && now-l.used < schedule.Instant(ladderRest) {
		if i := slices.IndexFunc(variants, func(r *channel.Rendition) bool { return r.ID == l.ids[l.at] }); i >= 0 {
			return variants[i]
		}
	}
	fresh := ladder{paces: l.paces}
	return variants[fresh.choose(outlook{now: now}, s.rungs(variants, 0))]
}

// pick returns the rendition that v's next segment is to come from, g being the
// one of r, which is shown.
func (s *Session) pick(pr *channel.Presentation, v *viewing, r *rendition, g *hls.Segment) uint16 {
	variants := s.variants(pr, r.id)
	if len(variants) == 0 || g.Map != nil { // the source may have taken it back
		return r.id
	}
	at := s.place(variants, r.id)
	if len(variants) == 1 {
		return r.id
	}
	l := &s.ladder
	if s.pinned == Auto {
		at = l.choose(s.outlook(pr, v, r, g), s.rungs(variants, g.Duration))
	} else if i := slices.IndexFunc(variants, func(r *channel.Rendition) bool { return int(r.ID) == s.pinned }); i >= 0 {
		l.stay(s.instant(), i)
		at = i
	}
	return s.aliased(variants[at].Media)
}

// place has the ladder stand on these variants, where r is shown if it did not
// stand on them before, and returns which r is.
func (s *Session) place(variants []*channel.Rendition, id uint16) int {
	ids, at := make([]uint16, len(variants)), 0
	for i, v := range variants {
		ids[i] = v.ID
		if s.aliased(v.Media) == id {
			at = i
		}
	}
	l, now := &s.ladder, s.instant()
	if !l.begun || !slices.Equal(ids, l.ids) || now-l.used >= schedule.Instant(ladderRest) {
		*l = ladder{paces: l.paces, last: l.last, ids: ids, at: at, begun: true, rest: ladderSettle, changed: now}
	}
	l.used = now
	return at
}

// rungs are variants as the ladder sees them, for a segment of some length.
func (s *Session) rungs(variants []*channel.Rendition, length time.Duration) []rung {
	out, now := make([]rung, len(variants)), s.instant()
	for i, v := range variants {
		id := s.aliased(v.Media)
		out[i].rate = s.rate(v, id)
		for _, p := range s.peers {
			out[i].company = max(out[i].company, p.company(now, id, length))
		}
	}
	return out
}

// company is how p stands to a variant whose segments are so long.
func (p *peer) company(now schedule.Instant, id uint16, length time.Duration) company {
	switch {
	case !p.hello.Uploads:
		return alone
	case p.hello.Role == wire.Helper && slices.Contains(p.hello.Renditions, id):
		return kept
	case !p.leads(id):
		return alone
	case now-p.led < schedule.Instant(length*triedSegments/2):
		return tried
	}
	return kept
}

// triedSegments is for how many halves of a segment's length a neighbour is taken
// only to try a variant: it has then had time to take two, and to see one come.
const triedSegments = 3

// leads reports whether p goes on with the variant: it lists that first.
func (p *peer) leads(id uint16) bool {
	return p.hello.Role == wire.Viewer && len(p.hello.Renditions) > 0 && p.hello.Renditions[0] == id
}

// turn reports whether it is this viewer's turn to try something with segment seq
// of rendition id. Of neighbours that watch the same and have done so for long
// enough, one has its turn at a time: all at once would all be in trouble.
func (s *Session) turn(id uint16, seq uint64) bool {
	if s.swarm == nil {
		return true
	}
	rank := func(key uint64) uint64 {
		var b [16]byte
		binary.BigEndian.PutUint64(b[:8], key)
		binary.BigEndian.PutUint64(b[8:], seq)
		sum := sha256.Sum256(b[:])
		return keyOf(sum[:])
	}
	own, now := rank(keyOfPeer(s.swarm.Self())), s.instant()
	for _, p := range s.peers {
		if p.leads(id) && now-p.led >= schedule.Instant(ladderSettle) && rank(p.key) < own {
			return false
		}
	}
	return true
}

// rateSegments is how many segments' sizes tell a variant's rate.
const rateSegments = 5

// rate is the rate of v's media: as its newest segments have it, or as it says.
func (s *Session) rate(v *channel.Rendition, id uint16) int64 {
	if s.feed != nil {
		size, length, n := 0, time.Duration(0), 0
		for _, e := range slices.Backward(s.feed.Entries(id)) {
			if e.Kind != segment.Media || e.End {
				continue
			}
			size, length, n = size+e.Size, length+e.Duration, n+1
			if n == rateSegments {
				return int64(float64(size) * 8 / max(length, 1).Seconds())
			}
		}
	}
	if v.AverageBandwidth > 0 {
		return v.AverageBandwidth
	}
	return v.Bandwidth
}

// measure has the ladder learn from a segment that a player waited for, or will:
// how fast all of it came but the first block, or all of it since it was asked
// for, where that is too short to tell the line from the delay.
func (s *Session) measure(o *object, now schedule.Instant) {
	if o.got[fromCache] > 0 {
		return
	}
	source := fromOrigin
	if o.got[fromPeers] > o.got[fromOrigin] {
		source = fromPeers
	}
	o.mu.Lock()
	size, since := o.size-segment.BlockSize, o.begun
	if size < measureLeast {
		size, since = o.size, o.sought
	}
	o.mu.Unlock()
	if since.IsZero() {
		return
	}
	r := s.renditions[o.id.Rendition]
	urgent := o.readers > 0 && o.due != 0 && r.play.begun && time.Duration(o.due-now) < r.play.target/2
	s.ladder.took(now, source, int64(size)*8, time.Since(since), urgent)
}

// measureLeast is how long a segment is whose time tells the line's rate, not
// its delay.
const measureLeast = 3 * segment.BlockSize

// slack is how long until segment seq of r is due.
func (s *Session) slack(r *rendition, seq uint64) time.Duration {
	now := s.instant()
	pl := s.listed(r)
	if pl == nil {
		return 0
	}
	p := &r.play
	for _, g := range pl.Media.Segments { // without a feed nobody else moves the playhead
		if g.Sequence == p.from {
			p.played(now, g.Duration)
		}
	}
	if first := &pl.Media.Segments[0]; p.from < first.Sequence {
		p.from, p.begin, p.next = first.Sequence, max(p.begin, now), max(p.next, first.Sequence)
	}
	d := time.Duration(p.begin - now)
	for _, g := range pl.Media.Segments {
		if g.Sequence >= p.from && g.Sequence < seq {
			d += g.Duration
		}
	}
	return d
}

// outlook is what v's next segment, g of r, is chosen by.
func (s *Session) outlook(pr *channel.Presentation, v *viewing, r *rendition, g *hls.Segment) outlook {
	o := outlook{now: s.instant(), length: g.Duration, plays: r.play.begun, slack: s.slack(r, g.Sequence), turn: s.turn(r.id, g.Sequence)}
	looked := 0
	for _, run := range slices.Backward(v.runs) {
		for seq := run.to; seq > run.from && looked < backlogMost; looked++ {
			seq--
			b := s.objects[segment.ID{Rendition: run.r.id, Sequence: seq}]
			switch {
			case b != nil && (b.whole || b.readers > 0 || b.wanted):
				left, flow := b.flow(g.Duration / 4)
				o.backlog += left * 8
				o.flow += flow * 8
			case run.r.play.active() && seq >= run.r.play.next: // it will be asked for
				if is := s.variantOf(pr, run.r.id); is != nil {
					o.backlog += int64(float64(s.rate(is, run.r.id)) * g.Duration.Seconds())
				}
			}
		}
	}
	if flow := s.flow(o.now); flow > 0 && o.flow > 0 {
		o.flow = min(o.flow, flow)
	}
	return o
}

// flow is how many bytes of o have still to come, and how many come in a second;
// 0: that is not known, or not since it took so long (to begin, twice as long).
func (o *object) flow(long time.Duration) (left, rate int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	come := int64(o.held.Count()) * segment.BlockSize
	left = max(0, int64(o.size)-come)
	switch {
	case left == 0 && o.size >= 0:
	case !o.begun.IsZero() && time.Since(o.begun) >= long:
		rate = int64(float64(come) / time.Since(o.begun).Seconds())
	case o.begun.IsZero() && !o.sought.IsZero() && time.Since(o.sought) >= 2*long:
		rate = 1
	}
	return left, rate
}
