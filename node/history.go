package node

import (
	"sync"
	"time"

	"coral/node/schedule"
	"coral/node/swarm"
)

const (
	// historyMost bounds the peers remembered, historyFor is for how long: what a
	// line carried an hour ago says little of it now.
	historyMost = 1024
	historyFor  = time.Hour
)

// history is how good peers were, by identity, whatever channel they were met in:
// who comes back, or meets them in the next channel, asks the good ones first. It
// lasts as long as the program runs and no longer (see swarm.Memory), and holds no
// address. Identities are made anew with each start of a program, so that nobody
// could be recognised by them for longer anyway.
type history struct {
	mu    sync.Mutex
	peers map[[20]byte]past
}

type past struct {
	at       time.Time
	standing schedule.Standing
}

// note remembers a peer that leaves, or is left.
func (h *history) note(id [20]byte, st schedule.Standing, now time.Time) {
	if st == (schedule.Standing{}) {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.peers == nil {
		h.peers = make(map[[20]byte]past)
	}
	h.peers[id] = past{now, st}
	for len(h.peers) > historyMost {
		oldest := id
		for k, p := range h.peers {
			if p.at.Before(h.peers[oldest].at) {
				oldest = k
			}
		}
		delete(h.peers, oldest)
	}
}

// of returns what is remembered of a peer; zero: nothing.
func (h *history) of(id [20]byte, now time.Time) schedule.Standing {
	h.mu.Lock()
	defer h.mu.Unlock()
	p, ok := h.peers[id]
	if !ok || now.Sub(p.at) > historyFor {
		return schedule.Standing{}
	}
	return p.standing
}

// noteHistory remembers how good a neighbour was that is about to be gone.
func (s *Session) noteHistory(id swarm.PeerID) {
	if p := s.peers[id]; p != nil && s.sched != nil {
		s.node.past.note(p.ident, s.sched.Standing(schedule.Peer(id)), time.Now())
	}
}
