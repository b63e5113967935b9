package publish

import (
	"context"
	"errors"
	"fmt"
	"time"

	"coral/node/channel"
	"coral/node/hls"
	"coral/store/segment"
)

// blockedFor is how long after a failure to write the state is tried again.
const blockedFor = time.Second

// signNext signs, or gives up, the first of what is planned. It reports whether
// there may be more to do at once.
func (r *rendition) signNext(ctx context.Context) bool {
	now := time.Now()
	if r.blocked.After(now) {
		return false
	}
	if len(r.pending) == 0 {
		r.caughtUp = r.caughtUp || r.latest != nil
		return r.signEnd(ctx, now)
	}
	j := r.pending[0]
	switch {
	case j.state == ready:
		err := r.sign(ctx, j, now)
		if errors.Is(err, errUnsignable) {
			r.log.Warn("segment cannot be signed", "source", j.Source, "err", err)
			r.giveUp(j, "it cannot be signed")
			return true
		}
		if err != nil {
			r.block(now, err)
			return false
		}
		r.pending = r.pending[1:]
		if r.planned[j.Source] == j {
			delete(r.planned, j.Source)
		}
		return true
	case r.hopeless(j, now):
		r.giveUp(j, "it cannot be had")
		return true
	}
	return false
}

// giveUp leaves out j, and what cannot be played without it.
func (r *rendition) giveUp(j *job, why string) {
	r.leaveOut(func(o *job) bool {
		return o == j || j.kind == segment.Init && o.initKey == j.initKey
	}, why)
	if j.kind == segment.Init {
		delete(r.inits, j.initKey)
	}
}

// block stops signing for a while: what cannot be written down must not be
// signed.
func (r *rendition) block(now time.Time, err error) {
	r.blocked = now.Add(blockedFor)
	r.p.failed(err)
	if !r.wasBlocked {
		r.log.Error("signing stopped: the state folder cannot be written to", "err", err)
	}
	r.wasBlocked = true
}

var errUnsignable = errors.New("not to be signed")

// sign makes j's entry, writes it down and hands it on.
func (r *rendition) sign(ctx context.Context, j *job, now time.Time) error {
	if j.kind == segment.Init {
		return r.signInit(ctx, j, now)
	}
	m, s := r.chain.follow(), j.seg
	anew := m.Run != r.run
	m.sight = j.sight
	m.Sequence = j.Source + m.Shift
	if m.Sequence < m.Next {
		m.Shift = m.Next - j.Source
		m.Sequence = m.Next
	}
	if anew || !m.Media {
		m.RunStart = m.Sequence
	}
	discontinuity := r.discontinuity(&m, s, anew)
	m.Type = r.presentType()
	m.Run, m.Media, m.Next = r.run, true, m.Sequence+1
	m.WindowStart = r.latest.Sequence + m.Shift
	if m.Run > 0 {
		m.WindowStart = max(m.WindowStart, m.RunStart)
	}
	m.WindowStart = min(m.WindowStart, m.Sequence)
	e := &channel.Entry{
		URI: r.uri(s.URI), Ranged: s.Ranged, Offset: s.Offset, Duration: s.Duration, ProgramDateTime: s.ProgramDateTime,
		Discontinuity: discontinuity, DiscontinuitySequence: m.Disc, Key: r.key(s.Key),
	}
	if s.Map != nil {
		use := r.inits[j.initKey]
		if !use.known {
			return fmt.Errorf("%w: its init section is missing", errUnsignable)
		}
		e.Init, e.HasInit = use.n, true
		m.Init, m.HasInit = use.n, true
	}
	if err := r.seal(ctx, &m, e, j, now); err != nil {
		return err
	}
	r.p.signed(r, e, time.Since(j.noticed), time.Now())
	return nil
}

// discontinuity counts the discontinuities up to the segment, and reports
// whether one stands before it.
func (r *rendition) discontinuity(m *mark, s *hls.Segment, anew bool) bool {
	if !m.Media && !anew { // the first of all: as the source has it
		m.Disc, m.DiscShift = s.DiscontinuitySequence, 0
		return s.Discontinuity
	}
	before := m.Disc
	if s.Discontinuity || anew {
		m.Disc++
	}
	if anew {
		m.DiscShift = int64(m.Disc) - int64(s.DiscontinuitySequence)
	} else if theirs := int64(s.DiscontinuitySequence) + m.DiscShift; theirs > int64(m.Disc) {
		m.Disc = uint64(theirs) // discontinuities that were missed
	}
	return m.Disc > before
}

// key is a key as viewers are told of it.
func (r *rendition) key(k *channel.Key) *channel.Key {
	if k == nil {
		return nil
	}
	told := *k
	told.URI = r.p.publicKeyURI(r.nominal, r.base, k.URI)
	return &told
}

// signInit announces an init section, unless it was before.
func (r *rendition) signInit(ctx context.Context, j *job, now time.Time) error {
	if old := r.chain.initOf(j.got.root, len(j.got.data), r.chain.now(now)); old != nil {
		r.inits[j.initKey] = initUse{old.Sequence, true}
		r.p.hand(ctx, Update{Records: [][]byte{old.Rec}, ID: old.id(r.id), Size: old.Size, Root: j.got.root, Data: j.got.data})
		return nil
	}
	m, s := r.chain.follow(), j.seg
	m.sight, m.Kind = j.sight, segment.Init
	m.Sequence = m.Inits
	m.Inits++
	e := &channel.Entry{
		Kind: segment.Init, URI: r.uri(s.Map.URI), Ranged: s.Map.Ranged, Offset: s.Map.Offset, Key: r.key(s.Map.Key),
	}
	m.Type = r.presentType()
	if err := r.seal(ctx, &m, e, j, now); err != nil {
		return err
	}
	r.inits[j.initKey] = initUse{m.Sequence, true}
	return nil
}

// signEnd announces that nothing more will come, once nothing is missing.
func (r *rendition) signEnd(ctx context.Context, now time.Time) bool {
	m := r.latest
	h := r.chain.head()
	if m == nil || !m.Ended || len(m.Segments) == 0 || h == nil || h.End || !h.Media || h.Run != r.run || r.doubt.looks > 0 || !r.compared {
		return false
	}
	if last := m.Segments[len(m.Segments)-1].Sequence; r.newest == nil || r.newest.Source != last {
		return false
	}
	end := r.chain.follow()
	end.End = true
	if err := r.seal(ctx, &end, &channel.Entry{End: true}, nil, now); err != nil {
		r.block(now, err)
		return false
	}
	r.log.Info("rendition ended")
	return true
}

// seal completes an entry, signs it, writes it down and hands it on, in this
// order. m says what it will be in the chain.
func (r *rendition) seal(ctx context.Context, m *mark, e *channel.Entry, j *job, now time.Time) error {
	e.Rendition, e.Index, e.Sequence = r.id, m.Index, m.Sequence
	e.Prev, e.Time = r.chain.prev(), r.chain.now(now)
	e.Target, e.Type, e.WindowStart = r.latest.Target, m.Type, m.WindowStart
	u := Update{}
	if j != nil {
		e.Size, e.Blocks = len(j.got.data), j.got.blocks
		root := j.got.root // a copy: what is remembered of a segment must not hold its bytes
		m.Size, m.Root = e.Size, root[:]
		if !r.p.source.local() {
			e.Took = min(r.line.Takes(e.Size), channel.MaxDuration)
		}
		u.ID, u.Size, u.Root, u.Data = e.ID(), e.Size, j.got.root, j.got.data
	}
	if err := e.Check(); err != nil {
		return fmt.Errorf("%w: %w", errUnsignable, err)
	}
	key, delegation, err := r.p.keys.signer(e.Time)
	if err != nil {
		return err
	}
	rec := channel.SignEntry(key, r.p.id.channel, e)
	if rec == nil {
		return fmt.Errorf("%w: its record is too large", errUnsignable)
	}
	digest := channel.RecordDigest(rec)
	m.Time, m.Rec, m.Digest = e.Time, rec, digest[:]
	if err := r.chain.append(m); err != nil {
		return err
	}
	if r.wasBlocked {
		r.wasBlocked = false
		r.log.Info("signing goes on")
	}
	u.Records = r.withDelegation(delegation, rec)
	r.p.hand(ctx, u)
	return nil
}

// withDelegation puts a key's delegation before the first record that it signed.
func (r *rendition) withDelegation(delegation []byte, recs ...[]byte) [][]byte {
	if string(delegation) == r.delegation {
		return recs
	}
	r.delegation = string(delegation)
	return append([][]byte{delegation}, recs...)
}
