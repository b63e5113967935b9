package publish

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"coral/node/channel"
	"coral/node/hls"
	"coral/node/schedule"
	"coral/store/segment"
)

// rendition publishes one rendition: it compares the source's playlist with the
// chain, fetches what is new, and signs it in order. All fields belong to the
// goroutine in run, except where said.
type rendition struct {
	p   *Publisher
	id  uint16
	ref string // of the playlist
	// nominal is where viewers believe the playlist to be; "" if they have none.
	nominal string
	log     *slog.Logger
	chain   *chain
	results chan result
	work    sync.WaitGroup
	ctx     context.Context // ends with publish
	failing atomic.Int64    // see member; read by others

	latest   *hls.Media
	base     string          // what latest's URIs are relative to
	run      uint32          // how often the source has begun anew
	newest   *sight          // the newest segment of the run that was signed or planned
	planned  map[uint64]*job // media segments of the run that are not signed yet, by source number
	pending  []*job          // to be signed, in order
	offers   []*job          // signed before the program was started anew
	probes   []*job
	inits    map[string]initUse // announced or planned init sections, by what the playlist calls them
	doubt    doubt
	compared bool // the source was found to serve what was signed before the program was started anew
	caughtUp bool // all that was there at the start is signed

	fetching   int
	lanes      schedule.Lanes
	line       schedule.Line
	begun      time.Time
	delegation string    // what the last record's key needs
	blocked    time.Time // the state folder cannot be written to: not before
	wasBlocked bool
}

// initUse is an init section of this run.
type initUse struct {
	n     uint64
	known bool // n is set: its entry is signed
}

// newRendition opens the chain of a rendition that has a number: whose journal
// was therefore begun.
func (p *Publisher) newRendition(id uint16, ref, nominal string) (*rendition, error) {
	c, damaged, err := openChain(p.disk, id)
	if err != nil {
		return nil, err
	}
	r := &rendition{
		p: p, id: id, ref: ref, nominal: nominal, log: p.log.With("rendition", id), chain: c,
		begun: time.Now(), results: make(chan result), planned: map[uint64]*job{}, inits: map[string]initUse{},
	}
	if damaged {
		p.count(func(s *Stats) { s.ChainsDamaged++ })
		r.log.Warn("chain was damaged: it goes on at a higher number")
	}
	if h := c.head(); h != nil {
		r.run = h.Run
		if h.Jump {
			r.run++ // whatever follows is not known to follow
		}
		for i := len(c.marks) - 1; i >= 0 && r.newest == nil && c.marks[i].Run == r.run; i-- {
			if m := c.marks[i]; m.Kind == segment.Media && !m.End && !m.Jump {
				r.newest = &m.sight
			}
		}
	} else {
		r.compared = true // nothing to compare with
	}
	return r, nil
}

// publish works until ctx ends.
func (r *rendition) publish(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	r.ctx = ctx
	poll := &poller{source: r.p.source, ref: r.ref, out: make(chan observation, 1)}
	r.work.Go(func() { poll.run(ctx) })
	defer func() {
		cancel()
		// Fetches that are under way have to be able to say so.
		go func() { r.work.Wait(); close(r.results) }()
		for range r.results { //nolint:revive // drained
		}
		r.chain.journal.close()
	}()
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		timer.Reset(r.advance(ctx))
		select {
		case <-ctx.Done():
			return
		case o := <-poll.out:
			r.observe(o)
		case res := <-r.results:
			r.take(res)
		case <-timer.C:
		}
	}
}

// longWait is how long nothing need be done when nothing happens.
const longWait = time.Minute

// advance does all that can be done now, and returns when something is due.
func (r *rendition) advance(ctx context.Context) time.Duration {
	for ctx.Err() == nil && r.signNext(ctx) {
	}
	now := time.Now()
	wait := longWait
	soon := func(t time.Time) { wait = min(wait, max(0, t.Sub(now))) }
	if r.blocked.After(now) {
		soon(r.blocked)
	}
	r.start(ctx, now, soon)
	return wait
}

// start begins fetches: what is to be compared first, then what is to be signed,
// then what is offered again.
func (r *rendition) start(ctx context.Context, now time.Time, soon func(time.Time)) {
	begin := func(jobs []*job, room int) {
		for i := 0; i < len(jobs) && i < maxFailing && room > 0; i++ {
			j := jobs[i]
			if j.err == nil {
				room-- // what fails leaves its place to the next
			}
			if j.state != waiting || r.fetching >= fetchAhead {
				continue
			}
			if j.next.After(now) {
				soon(j.next)
				continue
			}
			r.begin(ctx, j)
		}
	}
	begin(r.probes, fetchAhead)
	begin(r.pending, fetchAhead)
	if len(r.pending) == 0 {
		begin(r.offers, fetchAhead/2)
	}
}

// begin fetches j beside what else happens.
func (r *rendition) begin(ctx context.Context, j *job) {
	j.state = fetching
	r.fetching++
	frozen := *j // the goroutine must not look at what this one may change
	lanes := r.lanes.Count()
	r.work.Go(func() {
		res := result{job: j}
		select {
		case r.p.slots <- struct{}{}:
			begun := time.Now()
			res.sharing = len(r.p.slots)
			res.got, res.err = fetch(ctx, r.p.source, &frozen, lanes)
			res.took = time.Since(begun)
			res.sharing = min(res.sharing, len(r.p.slots))
			<-r.p.slots
		case <-ctx.Done():
			res.err = ctx.Err()
		}
		r.results <- res
	})
}

// take notes how a fetch ended.
func (r *rendition) take(res result) {
	now := time.Now()
	r.fetching--
	j := res.job
	if j.ended(res.got, res.err, now) {
		r.p.count(func(s *Stats) { s.BytesFetched += int64(len(j.got.data)) })
		if j.seg != nil {
			r.lanes.Took(res.took, j.seg.Duration)
			r.line.Read(schedule.Instant(time.Since(r.begun)), schedule.Reading{
				Bytes: len(j.got.data), Plays: j.seg.Duration, Took: res.took, Second: j.got.second, Sharing: res.sharing,
			})
		}
	} else {
		if j.tries == 1 && !isQuiet(res.err) {
			r.log.Info("fetch failed", "why", j.why, "source", j.Source, "err", res.err)
		}
		r.p.failed(fmt.Errorf("fetch segment: %w", res.err))
	}
	switch j.why {
	case toProbe:
		r.probed(now)
		r.plan(now, 0)
	case toOffer:
		r.offered(r.ctx, j)
	}
}

// observe takes a look at the playlist.
func (r *rendition) observe(o observation) {
	now := time.Now()
	if o.err != nil {
		r.p.failed(fmt.Errorf("read playlist of rendition %d: %w", r.id, o.err))
		if r.failing.Load() == 0 {
			r.failing.Store(now.UnixNano())
			r.p.nudge(o.multi || lasting(o.err))
		}
		return
	}
	r.failing.Store(0)
	r.p.answered()
	if o.media != nil {
		r.latest, r.base = o.media, o.base
	}
	r.plan(now, o.looks)
}

// plan compares the newest playlist with what is known. looks is how often the
// source has said the same since the last time.
func (r *rendition) plan(now time.Time, looks int) {
	m := r.latest
	if m == nil || len(m.Segments) == 0 || len(r.probes) > 0 {
		return
	}
	v := r.judge(m)
	if v != onward {
		if !r.doubts(v, m, looks, now) {
			return
		}
		r.newRun("the source's numbers began anew")
	}
	r.doubt = doubt{}
	if !r.compared && !r.certain(m) && r.probe(m, now) {
		return
	}
	if !r.compared {
		r.compared = true
		r.offerAgain(m, now)
	}
	r.enqueue(m, now)
}

// certain reports whether m's newest segment that was signed before the program
// was started anew is surely the same one.
func (r *rendition) certain(m *hls.Media) bool {
	for i := len(m.Segments) - 1; i >= 0; i-- {
		if mk := r.chain.record(r.run, m.Segments[i].Sequence); mk != nil {
			s := sightOf(&m.Segments[i])
			return mk.surely(&s)
		}
	}
	return true // none is left to compare
}

// newRun begins a run: what comes next belongs together and not to what was.
func (r *rendition) newRun(why string) {
	r.log.Warn("source began anew", "why", why)
	r.p.count(func(s *Stats) { s.SourceRestarts++ })
	r.run++
	r.newest, r.doubt, r.compared, r.caughtUp = nil, doubt{}, true, false
	clear(r.planned)
	clear(r.inits)
	// What was not signed of the old run cannot be had any more.
	r.pending, r.offers = nil, nil
}

// uri is what an entry says of where the origin has something.
func (r *rendition) uri(uri string) string { return r.p.publicURI(r.nominal, r.base, uri) }

// presentType is the playlist type that the run's entries have. It does not
// change: players take it for settled.
func (r *rendition) presentType() channel.PlaylistType {
	if h := r.chain.head(); h != nil && h.Media && h.Run == r.run {
		return h.Type
	}
	if r.latest.Type == channel.Live && r.latest.Ended {
		return channel.VOD // it is whole
	}
	return r.latest.Type
}
