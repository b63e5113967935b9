package sim

import (
	"coral/node/schedule"
	"coral/store/segment"
)

// server is the origin: its uplink is shared equally, piece by piece, by the
// downloads under way.
type server struct {
	w     *world
	link  Link
	flows []*flow
	turn  int
	busy  bool
}

// flow is one answer being sent.
type flow struct {
	node    int
	ticket  schedule.Ticket
	id      segment.ID
	block   int // the one being sent
	end     int
	left    int // bytes of block
	stopped bool
}

// piece is how much of one answer is sent before the next one's turn.
const piece = 8 << 10

// silent reports whether the origin does not answer that node.
func (s *server) silent(node int) bool {
	until := s.w.cfg.OriginUntil
	return node != publisher && until > 0 && s.w.now > schedule.Instant(until)
}

// get takes a request that has arrived.
func (s *server) get(ev *event) {
	if s.silent(int(ev.node)) {
		return
	}
	f := &flow{node: int(ev.node), ticket: schedule.Ticket(ev.claimant), id: ev.id, block: int(ev.block), end: int(ev.block + ev.count)}
	f.left = segment.BlockLen(s.w.size(), f.block)
	s.flows = append(s.flows, f)
	if !s.busy {
		s.busy = true
		s.next()
	}
}

// stop ends an answer early; what is on its way still arrives.
func (s *server) stop(node int, t schedule.Ticket) {
	for _, f := range s.flows {
		if f.node == node && (f.ticket == t || t == 0) {
			f.stopped = true
		}
	}
}

// next sends one piece of whichever answer has its turn.
func (s *server) next() {
	for k := 0; k < len(s.flows); {
		if f := s.flows[k]; f.stopped || f.block >= f.end || s.silent(f.node) {
			s.flows = append(s.flows[:k], s.flows[k+1:]...)
		} else {
			k++
		}
	}
	if len(s.flows) == 0 || s.link.Up <= 0 {
		s.busy = false
		return
	}
	s.turn %= len(s.flows)
	f := s.flows[s.turn]
	n := min(piece, f.left)
	f.left -= n
	free := s.w.now
	s.w.q.put(spend(s.w.now, &free, n+n/25, s.link.Up), event{kind: part})
	if f.node != publisher {
		s.w.result.originBytes += int64(n)
		s.w.served[f.id.Sequence] += int64(n)
	}
}

// part has sent a piece.
func (s *server) part() {
	f := s.flows[s.turn]
	if f.left == 0 {
		w := s.w
		to := w.nodes[f.node]
		at := spend(w.now+w.delay(&s.link, &to.link), &to.downFree, segment.BlockLen(w.size(), f.block), to.link.Down)
		w.q.put(at, event{kind: body, node: int32(f.node), id: f.id, block: int32(f.block), claimant: uint64(f.ticket), count: int32(f.end - f.block - 1)})
		f.block++
		if f.block < f.end {
			f.left = segment.BlockLen(w.size(), f.block)
		}
	}
	s.turn++
	s.next()
}
