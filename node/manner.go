package node

import (
	"coral/node/swarm"
	"coral/node/swarm/wire"
)

// manner is how much this session's uploads give way to what else uses the line.
func (s *Session) manner() swarm.Manner {
	if s.role == wire.Publisher {
		return swarm.Steady
	}
	for _, r := range s.renditions {
		if r.play.active() {
			return swarm.Watching
		}
	}
	return swarm.Background
}

// behave has the node's uploads give way as much as its most pressing session
// allows: the line is the same for all.
func (s *Session) behave() {
	n := s.node
	n.mu.Lock()
	defer n.mu.Unlock()
	if _, runs := n.sessions[s]; !runs {
		return
	}
	n.sessions[s] = s.manner()
	how := swarm.Background
	for _, m := range n.sessions {
		how = min(how, m)
	}
	n.meter.SetManner(how)
}
