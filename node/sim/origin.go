package sim

import (
	"coral/node/schedule"
	"coral/store/segment"
)

// server is the origin: its uplink is shared equally, piece by piece, by the
// downloads under way, each of which TCP lets out no faster than its window.
type server struct {
	w     *shard
	link  *Link
	flows []*flow
	turn  int
	busy  bool
}

// flow is one answer being sent.
type flow struct {
	node    int
	ticket  schedule.Ticket
	seq     int32
	block   int // the one being sent
	end     int
	left    int // bytes of block
	sent    int
	begun   schedule.Instant
	path    path
	there   schedule.Instant // when what was sent last comes to the receiver's downlink
	stopped bool
}

// fromOrigin is the sender of what the origin sent.
const fromOrigin = -1

// piece is how much of one answer is sent before the next one's turn.
const piece = 8 << 10

// silent reports whether the origin does not answer that node.
func (s *server) silent(node int) bool {
	until := s.w.cfg.OriginUntil
	return node != publisher && until > 0 && s.w.now > schedule.Instant(until)
}

// pieces is by how many requests at a time node/origin fetches where the line has room and
// the way loses packets: each is as slow as the one would be.
const pieces = 8

// roomy reports whether the publisher told that the line has room for all viewers to
// fetch all of a segment.
func (s *server) roomy(seq int32) bool {
	took := s.w.took[seq]
	return schedule.Room(took, s.w.cfg.Segment, len(s.w.living))
}

// get takes a request that has arrived.
func (s *server) get(ev *event) {
	if s.silent(int(ev.node)) {
		return
	}
	f := &flow{node: int(ev.node), ticket: schedule.Ticket(ev.num), seq: ev.seq, block: int(ev.block), end: int(ev.block + ev.count)}
	f.left = segment.BlockLen(s.w.size(), f.block)
	f.begun, f.path = s.w.now, pathOf(s.link, s.w.nodes[f.node].link)
	if f.node != publisher && s.roomy(f.seq) {
		f.path.rate *= pieces
	}
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

// next sends one piece of whichever answer has its turn, or waits until one may
// go on.
func (s *server) next() {
	wake := schedule.Never
	for looked := 0; looked < len(s.flows); {
		s.turn %= len(s.flows)
		f := s.flows[s.turn]
		if f.stopped || f.block >= f.end || s.silent(f.node) {
			s.flows = append(s.flows[:s.turn], s.flows[s.turn+1:]...)
			continue
		}
		if at := f.begun + f.path.out(f.sent); at > s.w.now {
			wake = min(wake, at)
			s.turn++
			looked++
			continue
		}
		s.send(f)
		return
	}
	s.busy = wake < schedule.Never && s.link.Up > 0
	if s.busy {
		s.w.put(wake, event{kind: part, node: -1})
	}
}

func (s *server) send(f *flow) {
	if s.link.Up <= 0 {
		s.busy = false
		return
	}
	n := min(piece, f.left)
	f.left -= n
	f.sent += n
	free := s.w.now
	s.w.put(spend(s.w.now, &free, framed(n), s.link.Up), event{kind: part})
	if f.node != publisher {
		s.w.originBytes += int64(n)
		s.w.egress += int64(framed(n))
		s.w.served[f.seq] += int64(n)
	}
}

// part has sent a piece, or (node -1) has waited for a window to open.
func (s *server) part(ev *event) {
	if ev.node < 0 {
		s.next()
		return
	}
	f := s.flows[s.turn]
	if f.left == 0 {
		w := s.w
		to := w.nodes[f.node]
		f.there = max(f.there, w.now+w.delay(s.link, to.link)) // in order, as TCP has it
		w.put(f.there, event{kind: reach, node: int32(f.node), from: fromOrigin, seq: f.seq, block: int32(f.block), num: uint64(f.ticket), count: int32(f.end - f.block - 1)})
		f.block++
		if f.block < f.end {
			f.left = segment.BlockLen(w.size(), f.block)
		}
	}
	s.turn++
	s.next()
}
