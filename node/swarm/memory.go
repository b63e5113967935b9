package swarm

import (
	"net/netip"
	"sync"
	"time"

	"coral/store/segment"
)

const (
	// memoryChannels and memoryPeers bound what is remembered, memoryFor is for how
	// long: addresses of homes change, and who zaps comes back within minutes.
	memoryChannels, memoryPeers = 32, 24
	memoryFor                   = time.Hour
)

// Memory holds the addresses of the peers of channels that were left, for when
// one is joined again: those that had been connected for long are dialed before
// any tracker has answered. It lasts as long as the program runs and no longer:
// peers' addresses are never written down, so there is nothing that could tell
// later who watched with whom. The zero Memory remembers nothing yet.
type Memory struct {
	mu       sync.Mutex
	channels map[segment.Channel]remembered
}

type remembered struct {
	at    time.Time
	addrs []netip.AddrPort // the best first
}

// keep remembers the peers of a channel that is being left.
func (m *Memory) keep(ch segment.Channel, addrs []netip.AddrPort, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(addrs) == 0 {
		return
	}
	if m.channels == nil {
		m.channels = make(map[segment.Channel]remembered)
	}
	m.channels[ch] = remembered{now, addrs[:min(len(addrs), memoryPeers)]}
	for len(m.channels) > memoryChannels {
		oldest := ch
		for k, r := range m.channels {
			if r.at.Before(m.channels[oldest].at) {
				oldest = k
			}
		}
		delete(m.channels, oldest)
	}
}

// recall returns what is remembered of a channel, and forgets it: it is in the
// book again.
func (m *Memory) recall(ch segment.Channel, now time.Time) []netip.AddrPort {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.channels[ch]
	delete(m.channels, ch)
	if now.Sub(r.at) > memoryFor {
		return nil
	}
	return r.addrs
}
