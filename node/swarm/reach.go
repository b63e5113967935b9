package swarm

import (
	"net"
	"net/netip"
	"sync/atomic"
)

// Reach says what is known of whether others can connect to this node. A later
// one is surer than those before it.
type Reach uint8

const (
	ReachUnknown  Reach = iota // nobody has tried yet, or nobody could
	ReachMapped                // the router says that it forwards the port
	ReachIncoming              // somebody from outside has connected
)

type reach struct{ incoming, mapped atomic.Bool }

// arrived notes an incoming connection. One from a local range says nothing of
// what the router lets through.
func (r *reach) arrived(from netip.Addr) {
	if !local(from) {
		r.incoming.Store(true)
	}
}

// Reach says whether others can connect.
func (c *Client) Reach() Reach {
	switch {
	case c.reach.incoming.Load():
		return ReachIncoming
	case c.reach.mapped.Load():
		return ReachMapped
	}
	return ReachUnknown
}

// blocked reports whether nothing may be exchanged with a.
func (c *Client) blocked(a netip.Addr) bool {
	return c.cfg.Blocklist != nil && c.cfg.Blocklist(a.Unmap())
}

// DropBlocked drops the peers that Blocklist, which has changed, names now.
func (c *Client) DropBlocked() {
	for _, s := range c.joined() {
		var out []*peer
		s.mu.Lock()
		for p := range s.peers {
			if c.blocked(p.addr.Addr()) {
				out = append(out, p)
			}
		}
		s.mu.Unlock()
		for _, p := range out {
			p.conn.Abort()
			s.refuse(p, "is on the blocklist")
		}
	}
}

// filtered keeps a UDP socket from what is blocked.
type filtered struct {
	net.PacketConn
	c *Client
}

func (f filtered) blocked(a net.Addr) bool {
	u, ok := a.(*net.UDPAddr)
	return ok && f.c.blocked(u.AddrPort().Addr())
}

func (f filtered) WriteTo(b []byte, to net.Addr) (int, error) {
	if f.blocked(to) {
		return len(b), nil
	}
	return f.PacketConn.WriteTo(b, to)
}

func (f filtered) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		n, from, err := f.PacketConn.ReadFrom(b)
		if err != nil || !f.blocked(from) {
			return n, from, err
		}
	}
}
