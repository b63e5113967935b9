package node

import (
	"net/netip"
	"slices"
	"sort"
)

// span is an inclusive range of addresses of one family.
type span struct{ from, to netip.Addr }

// blocklist is a set of addresses: spans in order that do not overlap. Public
// lists have hundreds of thousands.
type blocklist []span

func newBlocklist(prefixes []netip.Prefix) blocklist {
	all := make(blocklist, 0, len(prefixes))
	for _, p := range prefixes {
		if !p.IsValid() {
			continue
		}
		if a := p.Addr(); a.Is4In6() && p.Bits() >= 96 {
			p = netip.PrefixFrom(a.Unmap(), p.Bits()-96)
		}
		p = p.Masked()
		all = append(all, span{p.Addr(), last(p)})
	}
	slices.SortFunc(all, func(a, b span) int { return a.from.Compare(b.from) })
	out := all[:0]
	for _, s := range all {
		// Families do not mix: the last of one is less than the first of the next.
		if n := len(out); n > 0 && s.from.Compare(out[n-1].to) <= 0 {
			if out[n-1].to.Less(s.to) {
				out[n-1].to = s.to
			}
			continue
		}
		out = append(out, s)
	}
	return slices.Clip(out)
}

// last is the highest address of a masked prefix.
func last(p netip.Prefix) netip.Addr {
	b := p.Addr().AsSlice()
	for i := p.Bits(); i < len(b)*8; i++ {
		b[i/8] |= 0x80 >> (i % 8)
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}

func (l blocklist) has(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	i := sort.Search(len(l), func(i int) bool { return a.Less(l[i].from) }) - 1
	return i >= 0 && !l[i].to.Less(a)
}

// SetBlocklist refuses peers with these addresses from now on, dialed or
// calling, and drops those that are connected.
func (n *Node) SetBlocklist(prefixes []netip.Prefix) {
	l := newBlocklist(prefixes)
	n.blocklist.Store(&l)
	if c := n.gate.current(); c != nil {
		c.DropBlocked()
	}
}

func (n *Node) blocked(a netip.Addr) bool {
	l := n.blocklist.Load()
	return l != nil && l.has(a)
}
