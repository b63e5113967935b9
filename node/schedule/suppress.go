package schedule

import (
	"math"
	"slices"
	"time"
)

// seedModel is what was learned of how fresh segments get into the swarm: from a
// publisher that super-seeds, or from the origin through neighbours.
type seedModel struct {
	score           int           // recent segments that came without anybody fetching
	first, firstDev time.Duration // from Known to the first announcement
	gap, gapDev     time.Duration // between announcements of new blocks
}

const (
	seedSure = 2 // score from which a publisher is taken to seed
	seedBest = 6
)

func newSeedModel() seedModel {
	return seedModel{first: 150 * time.Millisecond, firstDev: 50 * time.Millisecond, gap: 100 * time.Millisecond, gapDev: 50 * time.Millisecond}
}

// publisher notes that a publisher that uploads has become a neighbour.
func (m *seedModel) publisher() { m.score = max(m.score, 2*seedSure) }

func (m *seedModel) came()   { m.score = min(m.score+1, seedBest) }
func (m *seedModel) failed() { m.score = max(m.score-1, 0) }

// round is the state of one stripe of a segment.
type round struct {
	lastNew Instant // when a block of it was last announced that nobody had
	silent  Instant // until when claims keep us from fetching it
	n       int8    // rounds that are over
	told    uint8   // bit k: a claim of round k has been passed on
}

// claimant is somebody whose claims have led to nothing.
type claimant struct {
	id      uint64
	empty   int // claims that led to nothing
	since   Instant
	ignored Instant // until then
}

// heard is one claim on a segment that came by flooding.
type heard struct {
	claimant     uint64
	until        Instant
	first, count int16
	round        uint8
}

// viewers is the number of viewers as far as known.
func (s *Scheduler) viewers() int {
	return max(1+s.watchers.count(), s.estimate)
}

// suppress fetches blocks that no neighbour has or fetches from the origin, if
// it falls to us; else it notes when to look again.
func (s *Scheduler) suppress(o *object) {
	if !s.cfg.Origin || !o.origin {
		return
	}
	if s.freshUntil(o) == 0 && s.interested(o.id.Rendition)&s.watchers&s.usable != 0 {
		// What appeared before we came is with those who were there, or comes to them:
		// unless all have come since. Then it need not wait until all are in a hurry,
		// if the line has no room for that.
		at := Never
		if !s.roomy(o) {
			at = o.wantedAt + Instant(o.duration/2)
		}
		if at > s.now {
			o.next = min(o.next, at)
			return
		}
	}
	believed := o.believed()
	need := s.scratch(o)
	large := s.viewers() > smallSwarm
	needed, known, at := false, -1, Never
	for i := next(o.lack, 0); i >= 0; i = next(o.lack, i+1) {
		b := &o.blocks[i]
		if b.asked != 0 || o.cover.Has(i) || b.claimed&believed != 0 || s.credible(b.holders) != 0 {
			continue
		}
		if k := i / stripe; k != known {
			known, at = k, s.dutyAt(o, k, large)
			if at > s.now {
				o.next = min(o.next, at)
			}
		}
		if at <= s.now {
			need[i>>6] |= 1 << (i & 63)
			needed = true
		}
	}
	if !needed || !s.startFetches(o, need) {
		return
	}
	o.early = o.firstNew == 0 // to be judged when we have it
	if large {
		s.sendClaims(o, need)
	}
}

// dutyAt is when we fetch stripe k of o, unless something happens before.
func (s *Scheduler) dutyAt(o *object, k int, large bool) Instant {
	r := s.stripe(o, k)
	half := max(o.duration/2, minGrace)
	at := max(o.known, o.reopened)
	at = max(at, s.meeting)
	seeded := s.seeded.score >= seedSure
	if seeded {
		at = max(at, o.known+Instant(min(max(s.seeded.first+4*s.seeded.firstDev, minGrace), half)))
	}
	gap := Instant(max(min(s.seeded.gap+4*s.seeded.gapDev, half), minGap))
	if seeded && o.lastNew != 0 {
		at = max(at, o.lastNew+gap)
	} else if r.lastNew != 0 {
		at = max(at, r.lastNew+gap)
	}
	n := min(stripe, o.n-k*stripe)
	if !large {
		step := max(s.origin.usual(n)*3/2, minStep)
		return at + Instant(s.rankOf(o, k))*Instant(step)
	}
	at = max(at, r.silent)
	return at + Instant(float64(s.window())*s.exponential(o, k, int(r.n)))
}

// exponential draws when our timer for stripe k of o ends, as a part of the time in
// which all end. It is a truncated exponential: few are early, and whoever is first
// silences the rest, whatever the number of viewers (delivery 2.4).
func (s *Scheduler) exponential(o *object, k, round int) float64 {
	lambda := s.lambda()
	u := float64(hash(s.cfg.Self, o.salt+uint64(k), uint64(round))>>11) / (1 << 53)
	return math.Log1p(u*math.Expm1(lambda)) / lambda
}

// lambda is by how much the first timers are thinned out.
func (s *Scheduler) lambda() float64 { return math.Log(float64(s.viewers())) + 1 }

// window is over how long timers are spread. It grows with lambda in a very large
// swarm: who is next must hear of the first before its own timer ends, and the way
// there does not get shorter.
func (s *Scheduler) window() time.Duration {
	return max(roundWindow, time.Duration(float64(roundStep)*s.lambda()))
}

// stripe returns the state of stripe k of o.
func (s *Scheduler) stripe(o *object, k int) *round {
	if n := (o.n + stripe - 1) / stripe; len(o.stripes) < n {
		o.stripes = slices.Grow(o.stripes[:0], n)[:n]
		clear(o.stripes)
	}
	return &o.stripes[k]
}

// rankOf is how many neighbours come before us in fetching stripe k of o, by a
// hash that nobody could choose beforehand.
func (s *Scheduler) rankOf(o *object, k int) int {
	own := hash(s.cfg.Self, o.salt, uint64(k))
	rank := 0
	for m := s.usable &^ s.publishers; m != 0; m &= m - 1 {
		p := s.peers[m.first()]
		if p.role != Viewer || p.dubious() || !slices.Contains(p.watching, o.id.Rendition) {
			continue
		}
		// Whoever serves nobody fetches last: its copy helps only itself.
		if !s.cfg.Share || hash(p.key, o.salt, uint64(k)) < own {
			rank++
		}
	}
	return rank
}

// appeared notes that a block was announced that no neighbour had before.
func (s *Scheduler) appeared(o *object, i int) {
	if !o.lack.Has(i) {
		return
	}
	m := &s.seeded
	settled := s.now-s.begun > Instant(3*time.Second)
	switch {
	case o.firstNew == 0:
		o.firstNew = s.now
		if !settled {
			break
		}
		if o.viaOrigin {
			m.failed()
		} else {
			m.came()
			ewma(&m.first, &m.firstDev, min(time.Duration(s.now-o.known), maxRTO))
		}
	case s.now > o.lastNew && !o.viaOrigin && settled:
		ewma(&m.gap, &m.gapDev, min(time.Duration(s.now-o.lastNew), maxRTO))
	}
	o.lastNew = s.now
	s.stripe(o, i/stripe).lastNew = s.now
}

// claimBy takes a neighbour's word that it fetches n blocks that we lack, when
// it holds have blocks.
func (s *Scheduler) claimBy(p *peer, o *object, n int, have int32) {
	k := slices.IndexFunc(o.claims, func(c claim) bool { return c.slot == p.slot })
	switch {
	case n == 0:
		if k >= 0 {
			o.claims = slices.Delete(o.claims, k, k+1)
			o.reopened = s.now
			s.touch(o)
		}
		return
	case k < 0:
		if p.claimsIgnored > s.now {
			return
		}
		o.claims = append(o.claims, claim{slot: p.slot, at: s.now, held: have, until: s.claimUntil(n)})
	case have > o.claims[k].held:
		c := &o.claims[k]
		c.held, c.broken, c.until, c.at = have, false, s.claimUntil(n), -1
	}
	s.touch(o)
}

func (s *Scheduler) claimUntil(n int) Instant {
	return s.now + Instant(s.origin.usual(n)*3/2+claimSlack)
}

// expireClaims stops believing claims that have led to nothing for too long.
func (s *Scheduler) expireClaims(o *object) {
	for k := range o.claims {
		c := &o.claims[k]
		switch {
		case c.broken:
		case c.until > s.now:
			o.next = min(o.next, c.until)
		default:
			c.broken = true
			o.reopened = s.now
			if c.at >= 0 { // nothing came at all
				s.emptyClaim(s.peers[c.slot])
			}
		}
	}
	for k := 0; k < len(o.heard); {
		h := &o.heard[k]
		if h.until > s.now || h.until == 0 {
			k++
			continue
		}
		if !s.anything(o, int(h.first), int(h.count)) {
			s.failedClaim(h.claimant)
		}
		h.until = 0 // judged; kept so that it is not forwarded twice
	}
}

// emptyClaim notes that p claimed and did not deliver.
func (s *Scheduler) emptyClaim(p *peer) {
	if s.now-p.emptySince > Instant(emptySpan) {
		p.emptyClaims, p.emptySince = 0, s.now
	}
	if p.emptyClaims++; p.emptyClaims >= maxEmpty {
		p.claimsIgnored = s.now + Instant(emptyPenalty)
	}
}

// failedClaim notes that somebody's claim led to nothing.
func (s *Scheduler) failedClaim(id uint64) {
	c := s.claimant(id)
	if s.now-c.since > Instant(emptySpan) {
		c.empty, c.since = 0, s.now
	}
	if c.empty++; c.empty >= maxEmpty {
		c.ignored = s.now + Instant(emptyPenalty)
	}
}

// ignores reports whether claims of that claimant are not believed.
func (s *Scheduler) ignores(id uint64) bool {
	k := slices.IndexFunc(s.claimants, func(c claimant) bool { return c.id == id })
	return k >= 0 && s.claimants[k].ignored > s.now
}

// anything reports whether any of these blocks is held or announced.
func (s *Scheduler) anything(o *object, first, count int) bool {
	for i := first; i < min(first+count, o.n); i++ {
		if o.held(i) || o.holders(i) != 0 {
			return true
		}
	}
	return false
}

// claimant returns the record of who claimed in vain, the oldest giving way to a new one.
func (s *Scheduler) claimant(id uint64) *claimant {
	for k := range s.claimants {
		if s.claimants[k].id == id {
			return &s.claimants[k]
		}
	}
	c := claimant{id: id, since: s.now}
	if len(s.claimants) < maxClaimants {
		s.claimants = append(s.claimants, c)
		return &s.claimants[len(s.claimants)-1]
	}
	oldest := 0
	for k := range s.claimants {
		if s.claimants[k].ignored <= s.now && s.claimants[k].since < s.claimants[oldest].since || s.claimants[oldest].ignored > s.now {
			oldest = k
		}
	}
	s.claimants[oldest] = c
	return &s.claimants[oldest]
}

// claimed takes a claim that came by flooding: it silences us for one round, and
// is passed on once.
func (s *Scheduler) claimed(ev Claimed) {
	p, o := s.peer(ev.Peer), s.object(ev.ID)
	if p == nil || o == nil || ev.Claimant == s.cfg.Self || ev.First < 0 || ev.Count <= 0 || ev.First >= o.n || ev.Count > o.n {
		return
	}
	if s.now-p.claimsSince > Instant(10*time.Second) {
		p.claimsHeard, p.claimsSince = 0, s.now
	}
	if p.claimsHeard++; p.claimsHeard > 16*maxPeers || len(o.heard) >= maxClaimants {
		return
	}
	round, first := uint8(ev.Round), int16(ev.First)
	for k := len(o.heard) - 1; k >= 0; k-- { // most are echoes of the last ones
		if h := &o.heard[k]; h.claimant == ev.Claimant && h.round == round && h.first == first {
			return
		}
	}
	if s.ignores(ev.Claimant) {
		return
	}
	until := s.claimUntil(ev.Count)
	if !o.complete() { // else nobody will judge it
		o.heard = append(o.heard, heard{ev.Claimant, until, first, int16(ev.Count), round})
	}
	news := false
	for k := ev.First / stripe; k <= (min(ev.First+ev.Count, o.n)-1)/stripe; k++ {
		r := s.stripe(o, k)
		if r.n < maxRounds && r.silent <= s.now {
			r.n++
			r.silent = max(s.now+Instant(s.window()+roundGap), until)
		}
		if told := uint8(1) << min(max(ev.Round, 0), maxRounds); r.told&told == 0 {
			r.told |= told
			news = true
		}
	}
	// One claim of a round is enough to silence whoever hears it: floods end where
	// they meet, and cost the same however many claim.
	if news && ev.TTL > 1 && s.cfg.Share {
		ttl := min(ev.TTL, maxTTL) - 1
		s.flood(o, Claim{ID: o.id, Round: ev.Round, TTL: ttl, First: ev.First, Count: ev.Count, Claimant: ev.Claimant}, only(p.slot))
	}
	s.touch(o)
}

// sendClaims tells the swarm what we fetch.
func (s *Scheduler) sendClaims(o *object, need []uint64) {
	degree := max(2, s.interested(o.id.Rendition).count())
	ttl := int(math.Ceil(math.Log(float64(s.viewers()))/math.Log(float64(degree)))) + 3
	for i := next(need, 0); i >= 0; i = next(need, i) {
		first := i
		for i < o.n && need[i>>6]>>(i&63)&1 != 0 && o.cover.Has(i) {
			i++
		}
		if i == first {
			i++
			continue
		}
		s.stats.Claims++
		s.flood(o, Claim{ID: o.id, Round: int(s.stripe(o, first/stripe).n), TTL: min(ttl, maxTTL), First: first, Count: i - first, Claimant: s.cfg.Self}, 0)
	}
}

// flood sends c to the neighbours that watch the same, but not to those in not.
func (s *Scheduler) flood(o *object, c Claim, not mask) {
	m := s.interested(o.id.Rendition) & s.present &^ not
	c.Peers = make([]Peer, 0, m.count())
	for ; m != 0; m &= m - 1 {
		if p := s.peers[m.first()]; p.role == Viewer && !p.banned {
			c.Peers = append(c.Peers, p.id)
		}
	}
	if len(c.Peers) > 0 {
		s.act(c)
	}
}

// orphan notes that a peer cannot be relied on any more, for blocks that perhaps
// nobody else has: the ranks start anew, or all would fetch at once.
func (s *Scheduler) orphan(p *peer) {
	for _, o := range s.wants {
		if o.full.has(p.slot) {
			o.reopened = s.now
			continue
		}
		for i := range o.blocks {
			if o.blocks[i].holders.has(p.slot) {
				o.reopened = s.now
				break
			}
		}
	}
}
