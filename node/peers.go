package node

import (
	"bytes"
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"coral/node/channel"
	"coral/node/schedule"
	"coral/node/swarm"
	"coral/node/swarm/wire"
	"coral/store"
	"coral/store/segment"
)

const (
	// snapshotBytes bounds one answer to a Window message; a peer asks again
	// from where it ended.
	snapshotBytes = 256 << 10
	// windowBytes bounds the answer to a question for everything: half of what may
	// wait for a peer before it is dropped for taking too little.
	windowBytes = 1 << 20
	// recordStrikes is how many records that do not verify a peer may send: a
	// delegation that has just been replaced explains one or two, no more.
	recordStrikes = 3
	// silentFor is how long a peer stays out that delivers nothing: it may be the way to
	// it that is broken.
	silentFor = 10 * time.Minute
	// eagerPeers is how many neighbours get a fresh record at once; the others hear
	// of it after lazyAfter, unless they have shown by then that they have it.
	eagerPeers = 2
	lazyAfter  = 300 * time.Millisecond
	// toldAll is up to how many viewers a publisher has them all as neighbours, and
	// hands each of them each record.
	toldAll = 50
	// askEvery is how often the newest entries of a rendition are asked for at most,
	// be there ever so many neighbours that announce what is not known here.
	askEvery = 150 * time.Millisecond
	// answerEvery and answerBurst bound how often a peer's question for records is
	// answered: honest ones ask twice a second, see ask. An answer is a hundred
	// thousand times as large as the question.
	answerEvery = 250 * time.Millisecond
	answerBurst = 8
)

// peer is one neighbour in the swarm.
type peer struct {
	id      swarm.PeerID
	ident   [20]byte // its identity
	key     uint64   // the scheduler's name of its identity
	hello   wire.Hello
	strikes int
	banned  bool // what still comes from it is not looked at
	// asked is when we last asked it for records.
	asked schedule.Instant
	led   schedule.Instant // since when what it lists first is that
	// answered is when the questions answered so far are paid for, one each answerEvery.
	answered schedule.Instant
}

// mayAsk reports whether a question for records is to be answered, which it then is.
func (p *peer) mayAsk(now schedule.Instant) bool {
	paid := max(p.answered, now)
	if paid-now > schedule.Instant((answerBurst-1)*answerEvery) {
		return false
	}
	p.answered = paid + schedule.Instant(answerEvery)
	return true
}

// upload is a block that the swarm has been given to send.
type upload struct {
	to    swarm.PeerID
	id    segment.ID
	block int
}

// forward is a record to be passed on at a certain time.
type forward struct {
	at     schedule.Instant
	record []byte
	id     segment.ID
	skip   map[swarm.PeerID]bool // have it already
}

func (s *Session) peerEvent(ev swarm.Event) {
	switch ev := ev.(type) {
	case swarm.Joined:
		p := &peer{id: ev.Peer, ident: ev.Info.ID, hello: ev.Info.Hello, key: keyOfPeer(ev.Info.ID)}
		s.peers[ev.Peer] = p
		s.log.Debug("peer joined", "peer", ev.Peer, "role", p.hello.Role.String(), "inbound", ev.Info.Inbound)
		s.count()
		s.joined(ev.Peer, p)
		if ev.Info.RTT > 0 {
			s.step(schedule.RTT{Peer: schedule.Peer(ev.Peer), RTT: ev.Info.RTT})
		}
	case swarm.Left:
		s.log.Debug("peer left", "peer", ev.Peer, "reason", ev.Reason)
		s.noteHistory(ev.Peer)
		delete(s.peers, ev.Peer)
		s.forgetPast()
		for cookie, b := range s.sent {
			if b.to == ev.Peer {
				delete(s.sent, cookie)
			}
		}
		s.step(schedule.Left{Peer: schedule.Peer(ev.Peer)})
	case swarm.RTT:
		s.step(schedule.RTT{Peer: schedule.Peer(ev.Peer), RTT: ev.RTT})
	case swarm.Sized:
		s.count()
	case swarm.Sent:
		if b, ok := s.sent[ev.Cookie]; ok {
			delete(s.sent, ev.Cookie)
			s.counts.toPeers += int64(ev.Bytes)
			noted(&s.traffic.took, b.to, s.instant())
			s.step(schedule.Sent{Peer: schedule.Peer(b.to), ID: b.id, Block: b.block})
		}
	case swarm.Arriving:
		s.step(schedule.Arriving{Peer: schedule.Peer(ev.Peer), ID: ev.ID, Block: int(ev.Block)})
	case swarm.Received:
		if p := s.peers[ev.Peer]; p != nil && !p.banned {
			s.message(p, ev.Msg)
		}
	}
}

// ask asks p for feed records, at most twice a second: else it reports false.
func (s *Session) ask(p *peer, w *wire.Window) bool {
	now := s.instant()
	if p.asked != 0 && now-p.asked <= schedule.Instant(500*time.Millisecond) {
		return false
	}
	p.asked = now
	s.swarm.Send(p.id, w)
	return true
}

// askAny asks one of the neighbours, whichever: false if there is none.
func (s *Session) askAny(w *wire.Window) bool {
	ids := s.peerIDs()
	return len(ids) > 0 && s.ask(s.peers[ids[rand.IntN(len(ids))]], w)
}

// askAgain asks the neighbours anew while none has told what the channel is made
// of: the first question, or its answer, can get lost as two sides meet.
func (s *Session) askAgain() {
	if s.feed == nil || s.role == wire.Publisher || s.feed.Presentation() != nil {
		return
	}
	for _, p := range s.peers {
		s.ask(p, &wire.Window{All: true})
	}
}

func (s *Session) message(p *peer, m wire.Message) {
	sp := schedule.Peer(p.id)
	switch m := m.(type) {
	case *wire.Watching:
		if len(m.Renditions) > 0 && !p.leads(m.Renditions[0]) {
			p.led = s.instant()
		}
		p.hello.Renditions, p.hello.Uploads = m.Renditions, m.Uploads
		s.step(schedule.Watching{Peer: sp, Renditions: m.Renditions, Uploads: m.Uploads})
	case *wire.Records:
		for _, rec := range m.Records {
			if s.record(rec, p); p.banned {
				return
			}
		}
	case *wire.Window:
		if p.mayAsk(s.instant()) {
			s.sendWindow(p, m)
		}
	case *wire.Have:
		if o := s.objects[m.ID]; o != nil && o.entry != nil && int(m.Blocks) == segment.Blocks(o.size) {
			s.knowsOf(p.id, m.ID)
			s.step(schedule.Have{Peer: sp, ID: m.ID, Held: m.Held, Fetching: m.Fetching})
		} else if o == nil || o.entry == nil {
			s.early(p, m)
		}
	case *wire.Request:
		s.step(schedule.Requested{Peer: sp, ID: m.ID, Block: int(m.Block), Due: s.instant() + schedule.Instant(time.Duration(m.Due)*time.Millisecond)})
	case *wire.Cancel:
		s.step(schedule.Cancelled{Peer: sp, ID: m.ID, Block: int(m.Block)})
	case *wire.Refuse:
		s.step(schedule.Refused{Peer: sp, ID: m.ID, Block: int(m.Block), Reason: schedule.RefuseReason(m.Reason)})
	case *wire.Claim:
		s.knowsOf(p.id, m.ID)
		s.step(schedule.Claimed{Peer: sp, ID: m.ID, Round: int(m.Round), TTL: int(m.TTL), First: int(m.First), Count: int(m.Count), Claimant: m.Claimant})
	case *wire.Block:
		s.block(p, m)
	}
}

// block takes a block that p sent: verified, stored, shown to the player and
// announced before anything else is done with it.
func (s *Session) block(p *peer, m *wire.Block) {
	o := s.objects[m.ID]
	if o == nil || o.entry == nil || int(m.Block) >= len(o.entry.Blocks) {
		s.counts.duplicate += int64(len(m.Data)) // of a segment that has left the window
		return
	}
	i := int(m.Block)
	if len(m.Data) != segment.BlockLen(o.size, i) || segment.BlockDigest(m.Data) != o.entry.Blocks[i] {
		s.counts.badBlocks++
		s.step(schedule.Got{Peer: schedule.Peer(p.id), ID: m.ID, Block: i, OK: false})
		s.ban(p, swarm.BanFor, "sent a block that does not verify")
		return
	}
	if o.held.Has(i) {
		s.counts.duplicate += int64(len(m.Data))
	} else {
		s.counts.bytes[fromPeers] += int64(len(m.Data))
		noted(&s.traffic.gave, p.id, s.instant())
		s.keep(o, i, m.Data, fromPeers)
	}
	s.step(schedule.Got{Peer: schedule.Peer(p.id), ID: m.ID, Block: i, OK: true})
}

// ban throws p out for so long.
func (s *Session) ban(p *peer, d time.Duration, why string) {
	p.banned = true
	s.swarm.Ban(p.id, d, why)
}

// keep puts a verified block into the store and lets its readers go on.
func (s *Session) keep(o *object, i int, data []byte, source int) {
	if err := s.node.store.Put(o.key, o.size, i, data); err != nil {
		s.log.Warn("block not kept", "id", o.id.String(), "err", err)
		return
	}
	o.got[source]++
	o.moved = s.instant()
	o.add(i, nil)
	s.whole(o)
	s.came(len(data))
}

// sendWindow answers a request for feed records.
func (s *Session) sendWindow(p *peer, w *wire.Window) {
	if s.feed == nil {
		return
	}
	if !w.All {
		recs, _ := s.feed.Snapshot(w.Rendition, w.From, snapshotBytes)
		s.sendRecords(p.id, recs)
		return
	}
	s.sendRecords(p.id, s.feed.Base())
	if pr := s.feed.Presentation(); pr != nil {
		// What the asker watches comes first: its picture waits for it.
		var order []uint16
		for _, id := range p.hello.Renditions {
			if !slices.Contains(order, id) {
				order = append(order, id)
			}
		}
		for _, r := range pr.Renditions {
			if !slices.Contains(order, r.ID) {
				order = append(order, r.ID)
			}
		}
		left := windowBytes
		for _, r := range order {
			from := uint64(0)
			if n := s.feed.Newest(r); n != nil && n.Type == channel.Live {
				from = n.Index - min(n.Index, joinEntries)
			}
			recs, _ := s.feed.Snapshot(r, from, snapshotBytes)
			for _, rec := range recs {
				left -= len(rec)
			}
			if left < 0 {
				break
			}
			s.sendRecords(p.id, recs)
		}
	}
}

// joinEntries is how many of a live rendition's newest entries a joiner is sent
// unasked: half a minute or more, where a player begins some seconds back. Who wants to
// go back further asks for more, see backfill. With twice as many, from twice as many
// neighbours, entries were four fifths of all that is no block where viewers come and go.
const joinEntries = 15

// sendRecords sends records in as few messages as their bound allows.
func (s *Session) sendRecords(to swarm.PeerID, recs [][]byte) {
	size, first := 0, 0
	for i, r := range recs {
		if size+len(r)+8 > wire.MaxMessage-16 || i-first >= wire.MaxRecords {
			s.swarm.Send(to, &wire.Records{Records: recs[first:i]})
			size, first = 0, i
		}
		size += len(r) + 8
	}
	if first < len(recs) {
		s.swarm.Send(to, &wire.Records{Records: recs[first:]})
	}
}

// noKind is the kind of no segment.
const noKind segment.Kind = 0xff

// record takes one feed record, from p or (nil) from our own publisher.
func (s *Session) record(rec []byte, p *peer) {
	if s.feed == nil {
		return
	}
	u, err := s.feed.Add(rec, time.Now())
	switch {
	case err == nil && u == nil: // known
		if p != nil {
			s.knows(p.id, func(f *forward) bool { return bytes.Equal(f.record, rec) })
		}
		return
	case errors.Is(err, channel.ErrUnknownKey):
		if p != nil {
			s.ask(p, &wire.Window{All: true})
		}
		return
	case errors.Is(err, channel.ErrStale):
		return
	case errors.Is(err, channel.ErrBroken), errors.Is(err, channel.ErrEquivocation):
		// Signed: the publisher is to blame, not who passed it on, be it ever so often.
		if s.counts.rejected++; !s.counts.contradicted {
			s.counts.contradicted = true
			s.log.Error("the publisher contradicts itself", "err", err)
		}
		return
	case err != nil:
		s.counts.rejected++
		s.log.Warn("feed record refused", "err", err)
		if p != nil {
			if p.strikes++; p.strikes >= recordStrikes {
				s.ban(p, swarm.BanFor, "sent feed records that do not verify")
			}
		}
		return
	}
	id := segment.ID{Kind: noKind} // what the record tells of, if of any segment
	if u.Presentation != nil {
		s.presented()
	}
	if e := u.Entry; e != nil {
		if !e.End {
			id = e.ID()
		}
		s.counts.entered(e, time.Now())
		s.known(e)
	}
	s.passOn(u.Record, id, p)
}

// passOn hands a fresh record to a few of the neighbours. The others hear a little
// later that there is one, if they have not shown by then that they know it: were
// all handed it by all, an entry would come as often as there are neighbours. A
// publisher tells all at once, and what it has told a small swarm nobody need repeat.
func (s *Session) passOn(rec []byte, id segment.ID, from *peer) {
	if s.swarm == nil || len(s.peers) == 0 {
		return
	}
	skip := map[swarm.PeerID]bool{}
	if from != nil {
		skip[from.id] = true
	}
	eager := eagerPeers
	switch {
	case from == nil:
		eager = len(s.peers)
	case from.hello.Role == wire.Publisher && s.counts.size <= toldAll:
		eager = 0
	}
	rest := make([]swarm.PeerID, 0, len(s.peers))
	for pid, p := range s.peers {
		if !skip[pid] && p.hello.Role != wire.Publisher {
			rest = append(rest, pid)
		}
	}
	slices.Sort(rest)
	rand.Shuffle(len(rest), func(i, j int) { rest[i], rest[j] = rest[j], rest[i] })
	for i, pid := range rest {
		if i >= eager {
			break
		}
		s.swarm.Send(pid, &wire.Records{Records: [][]byte{rec}})
		skip[pid] = true
	}
	if len(rest) > eager {
		s.forwards = append(s.forwards, forward{at: s.instant() + schedule.Instant(lazyAfter), record: rec, id: id, skip: skip})
	}
}

// knows notes that p has the record of the forwards that match.
func (s *Session) knows(p swarm.PeerID, match func(*forward) bool) {
	for i := range s.forwards {
		if f := &s.forwards[i]; match(f) {
			f.skip[p] = true
		}
	}
}

// knowsOf notes that p has id's entry, or is about to ask for it.
func (s *Session) knowsOf(p swarm.PeerID, id segment.ID) {
	s.knows(p, func(f *forward) bool { return f.id == id })
}

// forwardDue tells those who may still lack them of the records whose time has
// come: by announcing the segment, whose entry who lacks it then asks for.
func (s *Session) forwardDue(now schedule.Instant) {
	s.forwards = slices.DeleteFunc(s.forwards, func(f forward) bool {
		if f.at > now {
			return false
		}
		var m wire.Message = &wire.Records{Records: [][]byte{f.record}}
		if o := s.objects[f.id]; o != nil && o.entry != nil {
			m = &wire.Have{ID: o.id, Blocks: uint16(len(o.entry.Blocks)), Held: o.held.Clone()}
		}
		for pid, p := range s.peers {
			if !f.skip[pid] && p.hello.Role != wire.Publisher {
				s.swarm.Send(pid, m)
			}
		}
		return true
	})
}

// early keeps an announcement of a segment whose entry has not come yet: a
// neighbour may be faster than the feed by a moment.
func (s *Session) early(p *peer, m *wire.Have) {
	if len(s.earlyHaves) >= maxEarly {
		s.earlyHaves = s.earlyHaves[1:]
	}
	s.earlyHaves = append(s.earlyHaves, earlyHave{p.id, m})
	w := &wire.Window{Rendition: m.ID.Rendition, From: s.nextIndex(m.ID.Rendition)}
	if r, now := s.renditions[m.ID.Rendition], s.instant(); r == nil {
		s.ask(p, w)
	} else if r.asked == 0 || now-r.asked > schedule.Instant(askEvery) {
		r.asked = now
		s.swarm.Send(p.id, w)
	}
}

// maxEarly bounds early announcements: a joiner's whole first second of them,
// and those of the minutes before, whose entries may be asked for later.
const maxEarly = 2048

type earlyHave struct {
	from swarm.PeerID
	have *wire.Have
}

// replay gives the scheduler the announcements of id that came before its entry.
func (s *Session) replay(id segment.ID) {
	s.earlyHaves = slices.DeleteFunc(s.earlyHaves, func(h earlyHave) bool {
		if h.have.ID != id {
			return false
		}
		if p := s.peers[h.from]; p != nil {
			s.message(p, h.have)
		}
		return true
	})
}

// nextIndex is the chain position after the newest entry known.
func (s *Session) nextIndex(rendition uint16) uint64 {
	if s.feed != nil {
		if n := s.feed.Newest(rendition); n != nil {
			return n.Index + 1
		}
	}
	return 0
}

// known takes a verified entry: its segment can be asked for, and what the
// origin sent of it before is checked.
func (s *Session) known(e *channel.Entry) {
	r := s.rendition(e.Rendition)
	if r.first == 0 {
		r.first = s.instant()
	}
	newest := s.feed.Newest(e.Rendition)
	if e == newest { // else one that was asked for, from before
		r.newest = s.instant()
	}
	if e.End {
		r.renew()
		s.extendViewings()
		return
	}
	s.noteRoom(r)
	o := s.hold(e, store.Key{Channel: s.key, ID: e.ID(), Root: e.Root()})
	if s.role == wire.Helper && !o.whole {
		s.step(schedule.Want{ID: o.id, Due: schedule.Never, Background: true})
	}
	if newest.Type != channel.Live || e.Kind != segment.Media || e.Sequence >= newest.WindowStart {
		r.renew()
		s.extendViewings()
	}
	s.rewant(r, s.instant())
	s.log.Debug("entry", "id", o.id.String(), "index", e.Index, "held", o.held.Count(), "took", e.Took)
	s.replay(o.id)
}

// hold makes e's segment one that is dealt with: stored, fetched and announced.
func (s *Session) hold(e *channel.Entry, key store.Key) *object {
	id, now := e.ID(), s.instant()
	url := s.entryURL(e)
	o := s.objects[id]
	if o == nil {
		o = newObject(id, url)
		s.objects[id] = o
	}
	held := s.node.store.Has(key)
	o.got[fromCache] += held.Count()
	s.counts.badBlocks += int64(o.verify(key, e, held, func(i int, data []byte) {
		if err := s.node.store.Put(key, e.Size, i, data); err == nil {
			o.got[fromOrigin]++
		}
	}))
	o.url, o.known = url, now
	s.step(schedule.Known{ID: id, Size: e.Size, Salt: saltOf(e), Duration: e.Duration, Live: e.Type == channel.Live, Origin: url != "", Took: e.Took, Held: o.held})
	if f := s.fetches[o.fetch]; o.fetch != 0 && f != nil {
		n := segment.Blocks(e.Size)
		if f.next < n {
			s.step(schedule.Adopted{Ticket: o.fetch, ID: id, First: f.next, Count: n - f.next})
		}
		o.fetch = 0
	}
	s.whole(o)
	return o
}

// peerIDs lists the peers, in order.
func (s *Session) peerIDs() []swarm.PeerID {
	return slices.Sorted(maps.Keys(s.peers))
}

// saltOf is what ranks candidates for a segment: nobody knows it before the
// publisher has signed the entry, so identities cannot be chosen for it.
func saltOf(e *channel.Entry) uint64 {
	root := e.Root()
	return keyOf(root[:])
}
