package swarm

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"time"

	"coral/node/swarm/wire"
)

const (
	// watchEvery is how often connections are looked at.
	watchEvery = 250 * time.Millisecond
	// pingSilent, pingAlways: a peer is pinged when nothing was heard for a
	// second, and anyhow now and then for its round trip.
	pingSilent = time.Second
	pingAlways = 5 * time.Second
	// leftAfter is the silence after which a peer counts as gone: three pings.
	leftAfter = 4 * time.Second
	leftPings = 3
	// maxListen is how many addresses one connection occupies in the book: where we
	// dialed it, where it says that it listens, and one where it was met again. It
	// may say so anew as often as it likes.
	maxListen = 3
	// helloWithin bounds the wait for a hello.
	helloWithin = 10 * time.Second
	// plainFor is how long an ordinary BitTorrent client may stay once others
	// wait: fetching the payload takes seconds.
	plainFor = 10 * time.Minute
	// resolveEvery is how often a host name of the link is looked up again.
	resolveEvery = time.Minute
	// goodbyeWithin bounds the sending of goodbyes.
	goodbyeWithin = time.Second
)

// maintain dials what is due and looks after the connections until the swarm is
// left.
func (s *Swarm) maintain() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		now := time.Now()
		var dial []netip.AddrPort
		var next time.Time
		if s.c.sharing() {
			s.mu.Lock()
			dial, next = s.book.due(len(s.peers), now)
			s.mu.Unlock()
		}
		for _, a := range dial {
			(&attempt{s: s, addr: a, text: a.String()}).start()
		}
		s.watch(now)
		wait := watchEvery
		if !next.IsZero() {
			wait = min(wait, max(time.Millisecond, next.Sub(now)))
		}
		timer.Reset(wait)
		select {
		case <-timer.C:
		case <-s.wake:
		case <-s.bye:
			return
		case <-s.ctx.Done():
			return
		}
	}
}

// watch pings the silent and removes the dead.
func (s *Swarm) watch(now time.Time) {
	type dead struct {
		p      *peer
		reason string
	}
	var pings []*peer
	var gone []dead
	s.mu.Lock()
	for p := range s.peers {
		age := now.Sub(p.since)
		switch {
		case p.conn.Refused(now) > stallAfter:
			gone = append(gone, dead{p, "took nothing for too long"})
		case p.id == 0 && p.coral && age > helloWithin:
			gone = append(gone, dead{p, "said no hello"})
		case p.id == 0 && !p.coral && age > plainFor:
			gone = append(gone, dead{p, "no Coral peer"})
		case p.id != 0:
			silent, since := now.Sub(p.conn.LastRead()), now.Sub(p.pinged)
			if silent < since {
				p.silent = 0
			}
			// Counting pings, not only time: after this machine was suspended or
			// starved, silence says nothing about the peer.
			if silent >= leftAfter && p.silent >= leftPings && since >= pingSilent {
				gone = append(gone, dead{p, "fell silent"})
			} else if since >= pingAlways || silent >= pingSilent && since >= pingSilent {
				p.pinged = now
				p.silent++
				pings = append(pings, p)
			}
		}
	}
	s.mu.Unlock()
	for _, d := range gone {
		s.remove(d.p, d.reason)
	}
	for _, p := range pings {
		p.send(&wire.Ping{Token: pingToken(now)})
	}
}

// A ping's token is its time: nothing need be remembered, and a forged one only
// makes its sender look slow or absurdly fast.
var epoch = time.Now()

func pingToken(t time.Time) uint64 { return uint64(t.Sub(epoch)) }

func (s *Swarm) ponged(p *peer, token uint64, now time.Time) {
	rtt := now.Sub(epoch) - time.Duration(token)
	if rtt < 0 || rtt > time.Minute {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if p.rtt == 0 {
		p.rtt = rtt
	} else {
		p.rtt += (rtt - p.rtt) / 4
	}
	if p.id != 0 && !p.gone { // nothing comes after Left
		s.queue.push(RTT{Peer: p.id, RTT: rtt})
	}
}

// admit takes a connection that has got through the handshakes.
func (s *Swarm) admit(p *peer, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.leaving || len(s.peers) >= maxPeers || !s.c.sharing() {
		return false
	}
	s.peers[p] = struct{}{}
	s.c.peers.Store(p.pc, p)
	if !p.inbound {
		s.listensAt(p, p.addr, now)
	}
	return true
}

// listensAt notes that whoever listens at a has connection p. mu is held.
func (s *Swarm) listensAt(p *peer, a netip.AddrPort, now time.Time) {
	if len(p.listen) < maxListen && !slices.Contains(p.listen, a) {
		p.listen = append(p.listen, a)
		s.book.connected(a, now)
	}
}

// introduced takes a peer's extension handshake: where it listens, and whether
// it speaks our extension.
func (s *Swarm) introduced(p *peer, port uint16, coral bool) {
	now := time.Now()
	s.mu.Lock()
	if p.gone {
		s.mu.Unlock()
		return
	}
	if port != 0 {
		s.listensAt(p, netip.AddrPortFrom(p.addr.Addr(), port), now)
	}
	start := coral && !p.coral
	p.coral = p.coral || coral
	plain := 0
	for q := range s.peers {
		if !q.coral {
			plain++
		}
	}
	s.mu.Unlock()
	if start {
		s.c.spawn(p.run)
	} else if !coral && plain > maxPlain {
		s.remove(p, "too many that do not speak Coral")
	}
}

// helloFor makes the hello for p, and tells which version of watching it holds.
func (s *Swarm) helloFor(p *peer) (*wire.Hello, int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := &wire.Hello{
		Version: wire.Version, Role: s.cfg.Role, Nonce: p.nonce, Uploads: !s.cfg.ReceiveOnly,
		Renditions: s.watching, Agent: s.c.cfg.Agent[:min(len(s.c.cfg.Agent), wire.MaxAgent)],
	}
	if len(s.cfg.Secret) > 0 {
		h.Auth = authenticate(s.cfg.Secret, s.c.id, p.ident, p.nonce)
	}
	return h, s.version
}

// join makes p known to the consumer.
func (s *Swarm) join(p *peer, h *wire.Hello) {
	s.mu.Lock()
	if p.gone || p.id != 0 {
		s.mu.Unlock()
		return
	}
	p.id = PeerID(lastPeer.Add(1))
	s.byID[p.id] = p
	var late *wire.Watching
	if p.told != s.version {
		p.told = s.version
		late = &wire.Watching{Renditions: s.watching, Uploads: !s.cfg.ReceiveOnly}
	}
	now := time.Now()
	p.pinged = now
	s.queue.push(Joined{Peer: p.id, Info: PeerInfo{ID: p.ident, Addr: p.addr, Inbound: p.inbound, RTT: p.conn.RTT(), Hello: *h}})
	s.mu.Unlock()
	if late != nil {
		p.send(late)
	}
	p.send(&wire.Ping{Token: pingToken(now)})
}

// remove ends a connection. It may be called from anywhere, any number of times.
func (s *Swarm) remove(p *peer, reason string) { s.end(p, reason, false) }

// refuse is remove for a peer that will not do, now or soon.
func (s *Swarm) refuse(p *peer, reason string) { s.end(p, reason, true) }

// punish is remove with a ban for d.
func (s *Swarm) punish(p *peer, d time.Duration, reason string) {
	addrs := []netip.AddrPort{p.addr}
	s.mu.Lock()
	for _, a := range p.listen {
		if a.Addr() == p.addr.Addr() {
			addrs = append(addrs, a)
		}
	}
	s.mu.Unlock()
	s.c.bans.add(p.who(), addrs, time.Now().Add(d))
	s.c.log.Info("peer banned", "channel", s.ch.String(), "reason", reason)
	s.end(p, reason, true)
	// It may be in other swarms of this node.
	for _, o := range s.c.joined() {
		o.mu.Lock()
		var also []*peer
		for q := range o.peers {
			if q.who() == p.who() {
				also = append(also, q)
			}
		}
		o.mu.Unlock()
		for _, q := range also {
			o.end(q, reason, true)
		}
	}
}

func (s *Swarm) end(p *peer, reason string, refused bool) {
	now := time.Now()
	s.mu.Lock()
	if p.gone {
		s.mu.Unlock()
		return
	}
	p.gone = true
	delete(s.peers, p)
	if p.id != 0 {
		delete(s.byID, p.id)
		s.queue.push(Left{Peer: p.id, Reason: reason})
	}
	for _, a := range p.listen {
		// Elsewhere it has only claimed to be who listens there.
		s.book.gone(a, refused && a.Addr() == p.addr.Addr(), now)
		if refused && s.c.bans.address(a, now) {
			s.book.forget(a)
		}
	}
	s.mu.Unlock()
	s.c.peers.Delete(p.pc)
	p.conn.Close()
	up, down := p.conn.Wire()
	s.mu.Lock()
	s.sent += up
	s.received += down
	s.mu.Unlock()
	s.kick()
}

func (s *Swarm) dropAll(reason string) {
	s.mu.Lock()
	all := make([]*peer, 0, len(s.peers))
	for p := range s.peers {
		all = append(all, p)
	}
	s.mu.Unlock()
	for _, p := range all {
		p.conn.Abort() // whatever the kernel still holds is not to be sent
		s.remove(p, reason)
	}
}

// flush waits until the peers' control queues are empty, then for a moment in
// which they close from their side: a connection that we close with unread data
// in it would take our goodbye back.
func (s *Swarm) flush(ctx context.Context, peers []*peer) {
	ctx, cancel := context.WithTimeout(ctx, goodbyeWithin)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		busy := slices.ContainsFunc(peers, func(p *peer) bool {
			select {
			case <-p.conn.Done():
				return false
			default:
				return true
			}
		})
		if !busy {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// resolve looks up a host name of the link, now and then again.
func (s *Swarm) resolve(addr string) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return
	}
	n, err := net.LookupPort("tcp", port)
	if err != nil {
		return
	}
	for wait := time.Second; ; {
		if ips, err := net.DefaultResolver.LookupNetIP(s.ctx, "ip", host); err == nil {
			var addrs []netip.AddrPort
			for _, ip := range ips {
				addrs = append(addrs, netip.AddrPortFrom(ip.Unmap(), uint16(n)))
			}
			s.learn(addrs, FromLink, true)
			wait = resolveEvery
		} else {
			wait = min(2*wait, resolveEvery)
		}
		select {
		case <-time.After(wait):
		case <-s.bye:
			return
		case <-s.ctx.Done():
			return
		}
	}
}
