package schedule

import (
	"slices"
	"time"

	"coral/store/segment"
)

// originModel is what the origin has shown of its speed.
type originModel struct {
	ttfb, ttfbDev   time.Duration // from request to the beginning of the first block
	block, blockDev time.Duration // from block to block
	line            time.Duration // for which a block keeps its line busy, as the publisher told last; 0: not told
	lanes           int           // by how many requests at a time segments are fetched
	measured        Instant       // when the last fetch ended, or when it was aged
	paid            Instant       // until when our share of the line is spent, see ration
	pausedUntil     Instant
	failures        int // in a row
}

func newOriginModel() originModel {
	return originModel{lanes: 1, ttfb: firstTTFB, ttfbDev: firstTTFBDev, block: firstBlock, blockDev: firstBlockDev}
}

// age forgets half of how slow the origin was with each originAge in which nothing
// was fetched: who has been fed by neighbours since a storm must not take the storm
// for what is to be expected.
func (m *originModel) age(now Instant) {
	times := (now - m.measured) / Instant(originAge)
	m.measured += times * Instant(originAge)
	for range min(times, 16) {
		m.ttfb, m.ttfbDev = halfway(m.ttfb, firstTTFB), halfway(m.ttfbDev, firstTTFBDev)
		m.block, m.blockDev = halfway(m.block, firstBlock), halfway(m.blockDev, firstBlockDev)
	}
}

func halfway(v, to time.Duration) time.Duration {
	if v <= to {
		return v
	}
	return (v + to) / 2
}

// usual is how long a fetch of n blocks takes.
func (m *originModel) usual(n int) time.Duration {
	return min(m.ttfb+m.body(n, 0), maxFetchTime)
}

// slow is how long one takes that is slower than nearly all (delivery's F95).
func (m *originModel) slow(n int) time.Duration {
	return min(m.ttfb+2*m.ttfbDev+m.body(n, m.blockDev), maxFetchTime)
}

// body is how long n blocks take once they come, each by so much more than usual: no
// less than the line needs for them.
func (m *originModel) body(n int, more time.Duration) time.Duration {
	each := (n + m.lanes - 1) / m.lanes
	return max(time.Duration(each)*(m.block+more), time.Duration(n)*(m.line+more))
}

// spread chooses by how many requests at a time segments like o are fetched: by
// several where one is slow though the line has room for all viewers. Then it is the
// way there that is long or loses packets, and TCP that keeps each of them slow.
func (s *Scheduler) spread(o *object) {
	m := &s.origin
	m.lanes = 1
	if !s.roomy(o) {
		return
	}
	for m.lanes < maxLanes && time.Duration(o.n/m.lanes)*m.block > o.duration/QuickEnough {
		m.lanes++
	}
}

// roomy reports whether the origin's line has room for all viewers to fetch all of
// segments like o.
func (s *Scheduler) roomy(o *object) bool {
	return Room(time.Duration(o.n)*s.origin.line, o.duration, s.viewers())
}

// lossy reports whether the ways to origin and neighbours seem to lose packets, though
// the origin's line has room for all viewers.
func (s *Scheduler) lossy(o *object) bool {
	return s.roomy(o) && (s.origin.lanes > 1 || s.gate.flaky() || s.struggles())
}

// struggles reports whether our player has just come, and had to wait for its first segment
// for long: where the origin's line has room for all, little else can be why.
func (s *Scheduler) struggles() bool {
	return s.now-s.awaited < Instant(storm) && min(s.now, s.begins)-s.awaited > Instant(slowStart)
}

// fetch is an origin request under way.
type fetch struct {
	ticket    Ticket
	o         *object
	first     int
	next, end int // blocks that have still to come
	at, last  Instant
	block     time.Duration // its own time from block to block
	stopping  bool          // told to end; nothing counts on it any more
}

// expect is when f will have brought block i.
func (f *fetch) expect(now Instant, m *originModel, i int) Instant {
	head := f.last + Instant(f.block)
	if f.last == f.at {
		head += Instant(m.ttfb)
	}
	if head < now {
		// Overdue: the longer it has been, the longer it will take.
		head = now + max(now-head, Instant(f.block)/2)
	}
	return head + Instant(i-f.next)*Instant(f.block)
}

// overdue reports whether f has brought nothing for much longer than usual.
func (f *fetch) overdue(now Instant, m *originModel) bool {
	limit := m.block + 4*m.blockDev
	if f.last == f.at {
		limit += m.ttfb + 4*m.ttfbDev
	}
	return time.Duration(now-f.last) > max(2*limit, minOriginPause)
}

// covering returns the running fetch that has still to bring block i of o.
func (s *Scheduler) covering(o *object, i int) *fetch {
	for _, f := range s.fetches {
		if f.o == o && !f.stopping && i >= f.next && i < f.end {
			return f
		}
	}
	return nil
}

// originTime is when the k-th block of a fetch begun now would be here.
func (s *Scheduler) originTime(k int) Instant {
	wait := 0
	for _, f := range s.fetches {
		if !f.stopping {
			wait += f.end - f.next
		}
	}
	return s.now + Instant(s.origin.ttfb) + Instant(s.origin.body(wait+k, 0))
}

// mayAskOrigin reports whether the origin has o for us and is not left alone.
func (s *Scheduler) mayAskOrigin(o *object) bool {
	if !s.cfg.Origin || !o.origin || o.background || s.origin.pausedUntil > s.now {
		return false
	}
	n, _ := s.ration(o)
	return n > 0
}

// mayFetch reports whether a fetch of n blocks of o may begin now; if not, when
// to ask again (Never: when something happens).
func (s *Scheduler) mayFetch(o *object, n int) (bool, Instant) {
	if !s.mayAskOrigin(o) {
		if s.origin.pausedUntil > s.now {
			return false, s.origin.pausedUntil
		}
		if n, at := s.ration(o); n == 0 {
			return false, at
		}
		return false, Never
	}
	running, before := 0, 0
	for _, f := range s.fetches {
		if f.stopping {
			continue
		}
		running++
		if f.o != o && f.o.due <= o.due {
			before += f.end - f.next
		}
	}
	if running >= maxFetches*s.lanes(o) {
		return false, Never
	}
	if wait := time.Duration(before) * s.origin.line; wait > hardBase {
		return false, s.now + Instant(wait) // both at once would only delay that
	}
	if before > 0 {
		// What is due earlier has the origin's line to itself, as long as
		// this one can still be in time after it.
		latest := o.due - Instant(s.origin.slow(n+before)) - Instant(hardBase)
		if latest > s.now {
			return false, latest
		}
	}
	return true, 0
}

// startFetches fetches the blocks of o in need, run by run, as far as fetches
// are to be had. Requests to peers for these blocks are taken back.
func (s *Scheduler) startFetches(o *object, need segment.Bitmap) bool {
	began := false
	s.spread(o)
	for i := next(need, 0); i >= 0; i = next(need, i) {
		first := i
		for i < o.n && need.Has(i) {
			i++
		}
		for parts := max(1, min(s.lanes(o), (i-first)/leastLane)); parts > 0; parts-- {
			if ok, at := s.mayFetch(o, i-first); !ok {
				if at != Never {
					o.next = min(o.next, at)
				}
				break
			}
			left, _ := s.ration(o)
			end := first + min((i-first)/parts, left)
			s.startFetch(o, first, end)
			first, began = end, true
		}
		if first < i {
			break
		}
	}
	if began {
		o.next = min(o.next, s.now+s.stall())
		s.announce(o, s.listeners(o), true)
	}
	return began
}

// lanes is by how many requests at a time blocks of o are fetched. A newcomer's
// connections are new, and bring some packets a round trip at first.
func (s *Scheduler) lanes(o *object) int {
	if o.awaited && s.opening(o) {
		return max(s.origin.lanes, StartLanes)
	}
	return s.origin.lanes
}

// startFetch fetches blocks first … end-1 of o.
func (s *Scheduler) startFetch(o *object, first, end int) {
	s.ticket++
	s.stats.Fetches++
	s.spend(o, end-first)
	s.act(Fetch{Ticket: s.ticket, ID: o.id, First: first, Count: end - first})
	s.track(s.ticket, o, first, end)
	for k := first; k < end; k++ {
		s.withdraw(o, k, o.blocks[k].asked)
	}
}

// track notes a fetch of blocks first … end-1 of o.
func (s *Scheduler) track(t Ticket, o *object, first, end int) {
	var f *fetch
	if k := len(s.spareJobs) - 1; k >= 0 {
		f, s.spareJobs = s.spareJobs[k], s.spareJobs[:k]
	} else {
		f = &fetch{}
	}
	*f = fetch{ticket: t, o: o, first: first, next: first, end: end, at: s.now, last: s.now, block: s.origin.block}
	s.fetches = append(s.fetches, f)
	for i := first; i < end; i++ {
		if o.lack.Has(i) {
			o.cover.Set(i)
		}
	}
}

// uncover gives up what f has still to bring.
func (s *Scheduler) uncover(f *fetch) {
	for i := f.next; i < f.end; i++ {
		f.o.cover.Clear(i)
	}
}

// stop ends f early.
func (s *Scheduler) stop(f *fetch) {
	if f.stopping {
		return
	}
	f.stopping = true
	s.stats.Stopped++
	s.uncover(f)
	s.act(StopFetch{Ticket: f.ticket})
	s.touch(f.o)
}

func (s *Scheduler) stopFetches(o *object) {
	for _, f := range s.fetches {
		if f.o == o && f.next < f.end {
			s.stop(f)
		}
	}
}

// checkFetches stops the fetches of o that have nothing left to bring: each
// block that they have still to begin is held or surely coming from a peer.
func (s *Scheduler) checkFetches(o *object) {
	for _, f := range s.fetches {
		if f.o != o || f.stopping || f.next >= f.end {
			continue
		}
		left := 0
		goal := s.goal(o)
		for i := f.next; i < f.end && left == 0; i++ {
			if o.lack.Has(i) && (i == f.next || s.coming(o, i) > max(goal, f.expect(s.now, &s.origin, i))) {
				left++
			}
		}
		if left == 0 {
			s.stop(f)
			s.announce(o, s.listeners(o), false)
		}
	}
}

// coming is when a peer is expected to have sent block i of o, if one was asked
// and is in time so far; else Never.
func (s *Scheduler) coming(o *object, i int) Instant {
	t := Never
	if o.blocks == nil {
		return t
	}
	for m := o.blocks[i].asked & s.usable; m != 0; m &= m - 1 {
		p := s.peers[m.first()]
		if k := p.find(o, i); k >= 0 && !p.asks[k].late {
			dev := p.serviceDev
			if p.asks[k].began != 0 {
				dev = p.transferDev
			}
			t = min(t, p.expectAsk(s.now, k)+2*Instant(dev)) // on the safe side
		}
	}
	return t
}

// anyAsk reports whether block i of o was asked of one of m for which is holds.
func (s *Scheduler) anyAsk(o *object, i int, m mask, is func(*peer, *ask) bool) bool {
	for m &= o.blocks[i].asked; m != 0; m &= m - 1 {
		p := s.peers[m.first()]
		if k := p.find(o, i); k >= 0 && is(p, &p.asks[k]) {
			return true
		}
	}
	return false
}

// allLate reports whether every request for block i is past its time-out.
func (s *Scheduler) allLate(o *object, i int) bool {
	return !s.anyAsk(o, i, s.present, func(_ *peer, a *ask) bool { return !a.late })
}

// flowing reports whether block i of o has begun to come, and does not take too long
// for that.
func (s *Scheduler) flowing(o *object, i int) bool {
	return s.anyAsk(o, i, s.usable, func(_ *peer, a *ask) bool { return a.began != 0 && !a.late })
}

// proven reports whether block i of o was asked of a neighbour that delivers: that has
// sent something before, or its beginning.
func (s *Scheduler) proven(o *object, i int) bool {
	return s.anyAsk(o, i, s.usable, func(p *peer, a *ask) bool { return p.delivered > 0 || a.began != 0 })
}

// reliable reports whether block i of o was asked of a neighbour that has answered
// in time so far.
func (s *Scheduler) reliable(o *object, i int) bool {
	return s.anyAsk(o, i, s.usable, func(p *peer, a *ask) bool { return !a.late && p.delivered > 0 && p.failures == 0 })
}

// doubtful reports whether block i is later than it was expected from neighbours that
// have brought nothing yet, or while they are silent now and then, and the origin's
// line has room: what is overdue may have to wait for a packet to be sent twice.
func (s *Scheduler) doubtful(o *object, i int) bool {
	return s.roomy(o) && !s.anyAsk(o, i, s.present, func(p *peer, a *ask) bool {
		return a.expected > s.now || p.delivered > 0 && !s.gate.flaky()
	})
}

func (s *Scheduler) job(t Ticket) *fetch {
	for _, f := range s.fetches {
		if f.ticket == t {
			return f
		}
	}
	return nil
}

// fetched takes one block of an origin fetch.
func (s *Scheduler) fetched(ev Fetched) {
	f := s.job(ev.Ticket)
	if f == nil || ev.Block < 0 || ev.Block >= f.o.n {
		return
	}
	o, i := f.o, ev.Block
	if !ev.OK {
		// The driver ends a fetch that brings wrong bytes.
		s.stats.Bad++
		s.pauseOrigin(minOriginPause)
		s.uncover(f)
		f.stopping = true
		s.touch(o)
		return
	}
	took := time.Duration(s.now - f.last)
	if f.last == f.at {
		ewma(&s.origin.ttfb, &s.origin.ttfbDev, max(took-s.origin.block, time.Millisecond))
	} else {
		took = max(took, 100*time.Microsecond)
		ewma(&s.origin.block, &s.origin.blockDev, took)
		f.block += (took - f.block) / 3
	}
	f.last = s.now
	s.origin.failures = 0
	for k := f.next; k <= i; k++ {
		if !f.stopping {
			o.cover.Clear(k)
		}
	}
	f.next = max(f.next, i+1)
	if s.object(o.id) != o {
		return // forgotten meanwhile
	}
	if o.held(i) {
		s.duplicate(o.bytes(i))
		s.checkFetches(o)
		return
	}
	s.stats.FromOrigin += int64(o.bytes(i))
	s.acquire(o, i)
}

// fetchEnded takes the end of an origin fetch.
func (s *Scheduler) fetchEnded(ev FetchEnded) {
	k := slices.IndexFunc(s.fetches, func(f *fetch) bool { return f.ticket == ev.Ticket })
	if k < 0 {
		return
	}
	f := s.fetches[k]
	s.fetches = slices.Delete(s.fetches, k, k+1)
	s.origin.measured = s.now
	short := !f.stopping && f.next < f.end
	if !f.stopping {
		s.uncover(f)
	}
	if ev.Failed || short {
		s.pauseOrigin(ev.RetryAfter)
	}
	if s.object(f.o.id) == f.o && short {
		s.announce(f.o, s.interested(f.o.id.Rendition), true)
	}
	f.o = nil
	s.spareJobs = append(s.spareJobs, f)
	s.touchAll()
}

// pauseOrigin leaves the origin alone for a while, longer with each failure in a
// row.
func (s *Scheduler) pauseOrigin(least time.Duration) {
	s.origin.failures = min(s.origin.failures+1, 6)
	pause := max(min(minOriginPause<<(s.origin.failures-1), maxOriginPause), least)
	s.origin.pausedUntil = max(s.origin.pausedUntil, s.now+Instant(pause))
}

// adopted takes over a fetch that the driver has begun.
func (s *Scheduler) adopted(ev Adopted) {
	o := s.object(ev.ID)
	if o == nil || s.job(ev.Ticket) != nil {
		return
	}
	first := min(max(ev.First, 0), o.n)
	end := first + min(max(ev.Count, 0), o.n-first)
	s.track(ev.Ticket, o, first, end)
	s.announce(o, s.listeners(o), true)
	s.touch(o)
}

// watchFetches gives up a fetch that has brought nothing for long: what it
// covers can be had elsewhere or asked for anew.
func (s *Scheduler) watchFetches(o *object) {
	limit := s.stall()
	for _, f := range s.fetches {
		if f.o != o || f.stopping {
			continue
		}
		if f.last+limit <= s.now {
			s.pauseOrigin(minOriginPause)
			s.stop(f)
			continue
		}
		o.next = min(o.next, f.last+limit)
	}
}

// stall is how long a fetch may bring nothing.
func (s *Scheduler) stall() Instant {
	return Instant(max(minStall, 4*(s.origin.ttfb+4*s.origin.ttfbDev)))
}

// duplicate notes bytes that came twice.
func (s *Scheduler) duplicate(n int) {
	s.stats.Duplicates += int64(n)
	s.credit = max(s.credit-int64(n), -dupFloor*segment.BlockSize)
}

// mayCopy reports whether the budget for duplicates allows one more copy.
func (s *Scheduler) mayCopy() bool {
	return !s.narrow && s.credit > int64(s.inFlight)*segment.BlockSize
}
