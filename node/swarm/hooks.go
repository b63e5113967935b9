package swarm

import (
	"net/netip"
	"time"

	"github.com/anacrolix/torrent"
	pp "github.com/anacrolix/torrent/peer_protocol"
	"github.com/anacrolix/torrent/types/infohash"

	"coral/store/segment"
)

// The library's callbacks. All but onHandshake run under its one lock, which
// every connection of every torrent shares: they do little, never block and
// never call back into it. onAdded and onExtended run on the goroutine that reads
// the connection.

const (
	// pexEvery is how often a peer's PEX messages are read (BEP 11: once a minute).
	pexEvery = 50 * time.Second
	// maxPEX is how many addresses of one message are believed (BEP 11).
	maxPEX = 50
)

// ourEnd finds our end of a library connection.
func ourEnd(pc *torrent.PeerConn) (st *stream, addr netip.AddrPort, a *attempt, in *inbound) {
	switch ra := pc.RemoteAddr.(type) {
	case *attempt:
		ra.mu.Lock()
		defer ra.mu.Unlock()
		return ra.stream, ra.addr, ra, nil
	case inboundAddr:
		return ra.i.stream, ra.i.addr, nil, ra.i
	}
	return nil, addr, nil, nil
}

// onHandshake runs when the peer's identity is known and before the library
// decides on the connection.
func (c *Client) onHandshake(pc *torrent.PeerConn, ih infohash.T) {
	st, addr, a, _ := ourEnd(pc)
	if st == nil {
		return
	}
	if c.bans.has(identity{[20]byte(pc.PeerID), household(addr.Addr())}, time.Now()) {
		st.socket.Close()
		return
	}
	s := c.swarm(segment.Channel(ih))
	if s == nil || a == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if [20]byte(pc.PeerID) == c.id {
		s.book.isSelf(addr)
		return
	}
	// Already connected the other way round: one of the two will go, and either
	// way this address needs no dialing.
	for p := range s.peers {
		if p.ident == [20]byte(pc.PeerID) {
			s.listensAt(p, addr, time.Now())
			return
		}
	}
}

func (c *Client) onAdded(pc *torrent.PeerConn) {
	s := c.swarm(segment.Channel(pc.Torrent().InfoHash()))
	st, addr, a, in := ourEnd(pc)
	if s == nil || st == nil {
		return
	}
	pc.LocalLtepProtocolMap = withoutPEX
	if s.cfg.PEX {
		pc.LocalLtepProtocolMap = withPEX
	}
	now := time.Now()
	if in != nil {
		c.ln.settled(in)
		c.reach.arrived(addr.Addr())
	}
	if a != nil {
		a.finish(true)
	}
	p := newPeer(s, pc, st, addr, in != nil, now)
	if !s.admit(p, now) {
		st.socket.Close()
	}
	st.divert(byte(number(pc.LocalLtepProtocolMap)), p.receive, p.begun)
}

func (c *Client) onExtended(pc *torrent.PeerConn, d *pp.ExtendedHandshakeMessage) {
	p := c.peerOf(pc)
	if p == nil {
		return
	}
	if !p.s.cfg.PEX {
		delete(d.M, pp.ExtensionNamePex) // so that the library does not tell it either
	}
	if id, told := d.M[extension]; told { // a later handshake tells what has changed
		switch was := p.theirs.Swap(uint32(id)); {
		case was == 0 && id != 0:
			p.stream.mute()
		case was != 0 && id == 0:
			p.s.remove(p, "does not speak Coral any more")
			return
		}
	}
	p.s.introduced(p, uint16(d.Port), p.theirs.Load() != 0)
}

func (c *Client) onMessage(e torrent.PeerConnReadExtensionMessageEvent) {
	if p := c.peerOf(e.PeerConn); p != nil && p.s.cfg.PEX && e.ExtensionNumber == pexNumber {
		p.s.readPEX(p, e.Payload)
	}
}

// onClosed also runs for connections that were never added.
func (c *Client) onClosed(pc *torrent.PeerConn) {
	if p := c.peerOf(pc); p != nil {
		p.s.remove(p, "connection closed")
	}
}

func (c *Client) peerOf(pc *torrent.PeerConn) *peer {
	if p, ok := c.peers.Load(pc); ok {
		return p.(*peer)
	}
	return nil
}

// readPEX learns addresses from a peer.
func (s *Swarm) readPEX(p *peer, payload []byte) {
	now := time.Now()
	if now.Sub(p.pexAt) < pexEvery {
		return
	}
	p.pexAt = now
	m, err := pp.LoadPexMsg(payload)
	if err != nil {
		return
	}
	var addrs []netip.AddrPort
	for _, n := range m.Added {
		if ip, ok := netip.AddrFromSlice(n.IP); ok {
			addrs = append(addrs, netip.AddrPortFrom(ip.Unmap(), uint16(n.Port)))
		}
	}
	for _, n := range m.Added6 {
		if ip, ok := netip.AddrFromSlice(n.IP); ok {
			addrs = append(addrs, netip.AddrPortFrom(ip.Unmap(), uint16(n.Port)))
		}
	}
	s.learn(addrs[:min(len(addrs), maxPEX)], FromPEX, local(p.addr.Addr()))
}
