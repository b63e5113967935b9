package publish

import (
	"context"
	"slices"
	"time"

	"coral/node/hls"
	"coral/store/segment"
)

// offerRecords hands on the records of before the program was started anew: all
// that joiners need to see the window, without bytes.
func (r *rendition) offerRecords(ctx context.Context) {
	var batch [][]byte
	size := 0
	for _, m := range r.chain.offered(time.Now()) {
		if size+len(m.Rec) > offerBatch && len(batch) > 0 {
			r.p.hand(ctx, Update{Records: batch})
			batch, size = nil, 0
		}
		batch = append(batch, m.Rec)
		size += len(m.Rec)
	}
	if len(batch) > 0 {
		r.p.hand(ctx, Update{Records: batch})
	}
}

// offerAgain plans to fetch, once more, the segments of m that were signed
// before the program was started anew: the newest first, since players are
// there; of a recording the oldest first.
func (r *rendition) offerAgain(m *hls.Media, now time.Time) {
	for i := range m.Segments {
		s := &m.Segments[i]
		mk := r.chain.record(r.run, s.Sequence)
		if mk == nil || mk.Rec == nil || s.Gap {
			continue
		}
		if j := r.newJob(s, toOffer, now); j != nil && !mk.handed && !r.p.holds(mk.id(r.id), mk.Root) {
			j.mark = mk
			r.offers = append(r.offers, j)
		}
		if mk.HasInit && s.Map != nil {
			r.offerInit(mk, s, now)
		}
	}
	if !m.Ended {
		slices.Reverse(r.offers)
	}
}

// offerInit plans to fetch the init section that a segment of before needs.
func (r *rendition) offerInit(mk *mark, s *hls.Segment, now time.Time) {
	i := slices.IndexFunc(r.chain.marks, func(m *mark) bool { return m.Kind == segment.Init && m.Sequence == mk.Init && m.Rec != nil })
	if i < 0 {
		return
	}
	init := r.chain.marks[i]
	if init.handed || slices.ContainsFunc(r.offers, func(j *job) bool { return j.mark == init }) || r.p.holds(init.id(r.id), init.Root) {
		return
	}
	if j := r.newInit(s, initKey(s), now); j != nil {
		j.why, j.mark = toOffer, init
		r.offers = append(r.offers, j)
	}
}

// offerTries is how often the bytes of something that was signed are asked for.
const offerTries = 5

// offered looks at what was fetched to be offered again.
func (r *rendition) offered(ctx context.Context, j *job) {
	if j.state != ready && j.tries < offerTries && !lasting(j.err) {
		return
	}
	r.offers = slices.DeleteFunc(r.offers, func(o *job) bool { return o == j })
	if j.state == ready {
		r.offer(ctx, j)
	}
}

// offer hands on the bytes of something that was signed, if they are the ones.
func (r *rendition) offer(ctx context.Context, j *job) {
	if segment.Digest(j.mark.Root) != j.got.root || j.mark.Rec == nil {
		return
	}
	j.mark.handed = true
	r.p.hand(ctx, Update{
		Records: [][]byte{j.mark.Rec}, ID: j.mark.id(r.id), Size: j.mark.Size, Root: j.got.root, Data: j.got.data,
	})
}

// holds reports whether the sink has an object's bytes.
func (p *Publisher) holds(id segment.ID, root []byte) bool {
	h, ok := p.sink.(Holder)
	return ok && len(root) == len(segment.Digest{}) && h.Holds(id, segment.Digest(root))
}
