package schedule

import "time"

const (
	// gateSpan is how long neighbours are judged by one span's figures.
	gateSpan = time.Minute
	// storm is how long after we came nothing is judged: who comes with others finds
	// all lines full, and the origin's too. That passes.
	storm = 20 * time.Second
	// maxLate is how many segments of a span may come too late: one is bad luck, or
	// a neighbour that has just been found out.
	maxLate = 2
	// worthIt: neighbours that bring less than one part in so many of what the
	// origin brings cost more, in time, than they save.
	worthIt = 10
	// firstAlone is how long the origin is then used alone, for the first time;
	// each time doubles it, up to lastAlone, until forgiven has passed well.
	firstAlone = 2 * time.Minute
	lastAlone  = 8 * time.Minute
	forgiven   = 5 * time.Minute
	// aloneShare is how many viewers of a channel take, in the mean, to the origin
	// over one and the same late segment: if all did they would find its line full.
	aloneShare = 4
	// noBetter is how long neighbours are trusted again after the origin alone was
	// late, too.
	noBetter = 10 * time.Minute
	// quickOrigin: it must have been that many times as fast as the stream.
	quickOrigin = 2
	// deafAfter is how often neighbours that were asked must have been silent, and more
	// often than they answered, for them to be left alone at once: each of them is
	// behind two lossy lines, the origin behind one.
	deafAfter = 6
	// flakyShare: one silence in so many answers does not happen where nothing is lost.
	flakyShare = 16
	// heardShare: one answer or silence is one part in so many of what is remembered.
	heardShare = 32
)

// gate is the promise that a swarm is never worse than plain HLS. Neighbours
// that bring segments too late, or more bytes twice than once, are left alone
// for a while if the origin can be expected to do better: what is not urgent is
// fetched there at once. What we hold is still announced and served, so that our
// uplink is not lost to those who have use for it.
type gate struct {
	since Instant // of the span
	late  int     // segments of it that came too late
	// of Stats, at its beginning
	peers, origin, dup int64
	until              Instant // the origin alone, until then
	span               time.Duration
	shut               Instant // not again before that
	seen               uint64  // late segments so far
	deaf               bool    // alone because nobody answered
	// How often neighbours answered, or did not, decaying, in 256ths.
	answers, silences uint32
}

// heard notes whether a neighbour that was asked answered in time.
func (g *gate) heard(answered bool) {
	g.answers -= g.answers / heardShare
	g.silences -= g.silences / heardShare
	if answered {
		g.answers += 256
	} else {
		g.silences += 256
	}
}

// hopeless reports whether neighbours are silent more often than they answer.
func (g *gate) hopeless() bool {
	return g.silences > g.answers && g.silences >= deafAfter*256
}

// flaky reports whether neighbours are silent now and then.
func (g *gate) flaky() bool { return flakyShare*g.silences > g.answers }

// leaveDeaf takes to the origin if neighbours hardly answer, and its line has room for
// all to do the same.
func (s *Scheduler) leaveDeaf(o *object) {
	g := &s.gate
	if !g.hopeless() || g.until > s.now || !s.roomy(o) || !s.mayAskOrigin(o) || s.origin.usual(o.n) > o.duration {
		return
	}
	g.deaf, g.answers, g.silences = true, 0, 0
	s.leave()
}

// alone reports whether the origin is used alone now.
func (s *Scheduler) alone(o *object) bool {
	return s.gate.until > s.now && s.cfg.Origin && o.origin
}

// planAlone fetches all that is missing of o.
func (s *Scheduler) planAlone(o *object) {
	need := s.scratch(o)
	for i := next(o.lack, 0); i >= 0; i = next(o.lack, i+1) {
		if !o.cover.Has(i) {
			need[i>>6] |= 1 << (i & 63)
		}
	}
	s.startFetches(o, need)
}

// judge looks at o, which has just become whole.
func (s *Scheduler) judge(o *object) {
	if o.background || !o.wanted || o.duration <= 0 || o.wantedAt >= o.due {
		return // or the player waited from the beginning: a start, a seek
	}
	if s.now-s.begun < Instant(storm) {
		return
	}
	g := &s.gate
	late := s.now > o.due
	if g.until > s.now {
		if late && !g.deaf { // it is no better there
			g.until, g.shut = s.now, s.now+Instant(noBetter)
		}
		return
	}
	switch {
	case g.since == 0:
		// Not all who came together shall turn to the origin together.
		s.judgeAnew()
		g.since += Instant(hash(s.cfg.Self, 0, 0) % uint64(gateSpan))
	case g.since < g.until:
		s.judgeAnew() // the neighbours have another chance
	}
	if s.now-g.since > Instant(gateSpan) {
		st := &s.stats
		peers, origin, dup := st.FromPeers-g.peers, st.FromOrigin-g.origin, st.Duplicates-g.dup
		s.judgeAnew()
		if dup > peers || worthIt*peers < origin {
			s.goAlone(o) // as all but did everybody
			return
		}
	}
	if late {
		g.late++
	}
	if late && g.late >= maxLate {
		g.seen++
		if hash(s.cfg.Self, 0, g.seen)%uint64(s.viewers()) < aloneShare {
			s.goAlone(o)
		}
	}
}

func (s *Scheduler) judgeAnew() {
	g := &s.gate
	g.since, g.late = s.now, 0
	g.peers, g.origin, g.dup = s.stats.FromPeers, s.stats.FromOrigin, s.stats.Duplicates
}

// goAlone takes to the origin if that promises anything.
func (s *Scheduler) goAlone(o *object) {
	if s.gate.shut > s.now || !s.mayAskOrigin(o) || s.present == 0 ||
		quickOrigin*s.origin.usual(o.n) > o.duration {
		return
	}
	s.gate.deaf = false
	s.leave()
}

// leave leaves the neighbours alone for a while.
func (s *Scheduler) leave() {
	g := &s.gate
	if g.span == 0 || s.now-g.until > Instant(forgiven) {
		g.span = firstAlone
	}
	g.until = s.now + Instant(g.span)
	g.span = min(2*g.span, lastAlone)
	s.judgeAnew()
	s.stats.Alone++
	s.touchAll()
}
