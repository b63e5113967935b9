package app

import (
	"time"

	"coral/app/view"
	"coral/node"
	"coral/node/budget"
)

const (
	// samples is how long the details' drawings reach back, in seconds.
	samples = 120
	// rateSpan is over how many seconds rates are averaged that are shown.
	rateSpan = 3
)

// measure is what was counted, second by second, of the channel that is watched.
type measure struct {
	ring    []view.Sample
	picture node.Picture
	peers   []view.Peer // while the details are open
	moved   map[uint32]node.PeerInfo
}

func (a *app) measureSecond(now time.Time) {
	for _, o := range a.sessions() {
		before := o.last
		st := a.account(o, now)
		if a.watching != nil && o == a.watching.open {
			a.meter.add(before, st, a.sharing.cap, a.latency(), a.buffer())
			a.meter.picture = o.session.Picture()
			if a.details {
				a.meter.look(o.session.Peers())
			}
		}
	}
}

func (m *measure) add(was, is node.Stats, limit budget.Rate, latency, buffer time.Duration) {
	rate := func(a, b int64) budget.Rate { return budget.Rate(max(0, b-a) * 8) }
	m.ring = append(m.ring, view.Sample{
		FromPeers:  rate(was.Bytes.FromPeers, is.Bytes.FromPeers),
		FromOrigin: rate(was.Bytes.FromOrigin+was.Bytes.Unverified, is.Bytes.FromOrigin+is.Bytes.Unverified),
		FromCache:  rate(was.Bytes.FromCache, is.Bytes.FromCache),
		ToPeers:    rate(was.SentWire, is.SentWire),
		Cap:        limit, Latency: latency, Buffer: buffer,
	})
	if len(m.ring) > samples {
		m.ring = m.ring[len(m.ring)-samples:]
	}
}

func (m *measure) last(n int) []view.Sample { return m.ring[max(0, len(m.ring)-n):] }

// look notes what each peer sent and got since it was looked at last.
func (m *measure) look(peers []node.PeerInfo) {
	before := m.moved
	m.moved = make(map[uint32]node.PeerInfo, len(peers))
	m.peers = m.peers[:0:0] // the window may still draw the old one
	for _, p := range peers {
		m.moved[p.ID] = p
		v := view.Peer{ID: p.ID, Publisher: p.Publisher(), RTT: p.RTT}
		if b, ok := before[p.ID]; ok {
			v.Down, v.Up = budget.Rate(p.Received-b.Received)*8, budget.Rate(p.Sent-b.Sent)*8
		}
		m.peers = append(m.peers, v)
	}
}

// upload is what went to peers in the last seconds.
func (m *measure) upload() (r budget.Rate) {
	last := m.last(rateSpan)
	for _, s := range last {
		r += s.ToPeers
	}
	return r / budget.Rate(max(1, len(last)))
}

func (a *app) latency() time.Duration {
	if a.player == nil {
		return 0
	}
	return a.player.State().Behind
}

func (a *app) buffer() time.Duration {
	if a.player == nil {
		return 0
	}
	return a.player.State().Buffered
}
