package swarm

import (
	"net/netip"
	"sync"
	"time"
)

const (
	// BanFor is how long a peer that broke the rules stays out.
	BanFor = 24 * time.Hour
	// maxBans bounds the list; those that end first give way. Each costs some 100 bytes.
	maxBans = 4096
	// maxPerNet is how many connections one /24 (IPv6: /48) may hold, so that
	// whoever rents one network cannot surround a node. Private and loopback
	// ranges are exempt: there a household, a school or a lab sits in one.
	maxPerNet = 3
	// maxHandshaking bounds inbound connections that have not got through the
	// handshakes, or have not been answered by the tracker: each may hold two
	// goroutines and a few KiB for some seconds. Beyond it some make room: see
	// listener.begin. An audience of hundreds may come within a second.
	maxHandshaking = 128
)

// cgnat is RFC 6598's shared address space, which netip does not count as
// private.
var cgnat = netip.MustParsePrefix("100.64.0.0/10")

// local reports whether a is in a range that is not routed on the Internet.
func local(a netip.Addr) bool {
	a = a.Unmap()
	return a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() || cgnat.Contains(a)
}

// network is the unit that maxPerNet counts.
func network(a netip.Addr) netip.Prefix {
	a = a.Unmap()
	bits := 24
	if a.Is6() {
		bits = 48
	}
	p, _ := a.Prefix(bits)
	return p
}

// household is the least that one attacker has for himself: a network or, where a
// household, a school or a lab sits in one, an address.
func household(a netip.Addr) netip.Prefix {
	if a = a.Unmap(); local(a) {
		return netip.PrefixFrom(a.WithZone(""), a.BitLen())
	}
	return network(a)
}

// identity is a peer ID and the household that it was met in. A peer ID is only
// claimed: who breaks the rules under another's must not have that one banned.
type identity struct {
	id   [20]byte
	from netip.Prefix
}

// bans remembers addresses and identities until their time is over.
type bans struct {
	mu    sync.Mutex
	until map[any]time.Time // netip.Addr, netip.AddrPort or identity
}

// add bans an identity and its address. Loopback addresses are shared by every
// node of the machine: there only the port's owner is banned.
func (b *bans) add(id identity, addrs []netip.AddrPort, until time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.until == nil {
		b.until = make(map[any]time.Time)
	}
	keep := func(key any) {
		if until.After(b.until[key]) { // it may be out for longer already
			b.until[key] = until
		}
	}
	keep(id)
	for _, a := range addrs {
		if ip := a.Addr().Unmap(); ip.IsLoopback() {
			keep(a)
		} else if ip.IsValid() {
			keep(ip)
		}
	}
	for len(b.until) > maxBans {
		var first any
		for k, t := range b.until {
			if first == nil || t.Before(b.until[first]) {
				first = k
			}
		}
		delete(b.until, first)
	}
}

func (b *bans) has(key any, now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	t, ok := b.until[key]
	if ok && now.After(t) {
		delete(b.until, key)
		return false
	}
	return ok
}

func (b *bans) address(a netip.AddrPort, now time.Time) bool {
	return b.has(a.Addr().Unmap(), now) || b.has(a, now)
}

// count returns how many identities are banned.
func (b *bans) count(now time.Time) (n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for k, t := range b.until {
		if _, ok := k.(identity); ok && now.Before(t) {
			n++
		}
	}
	return n
}

// nets counts open connections per network.
type nets struct {
	mu sync.Mutex
	n  map[netip.Prefix]int
}

// enter counts one more connection with a, unless its network is full.
func (t *nets) enter(a netip.Addr, limit int) bool {
	if local(a) {
		return true
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.n == nil {
		t.n = make(map[netip.Prefix]int)
	}
	p := network(a)
	if t.n[p] >= limit {
		return false
	}
	t.n[p]++
	return true
}

func (t *nets) leave(a netip.Addr) {
	if local(a) {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if p := network(a); t.n[p] > 1 {
		t.n[p]--
	} else {
		delete(t.n, p)
	}
}
