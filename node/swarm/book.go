package swarm

import (
	"cmp"
	"net/netip"
	"slices"
	"time"
)

// Source says where an address was learned. It decides how far it is trusted.
type Source uint8

const (
	FromLink    Source = iota // x.pe of the link, or typed by the user: kept for good
	FromTracker               // a tracker's answer
	FromPEX                   // another peer
	FromDHT
)

const (
	// maxBook bounds the addresses known; a forged flood then only turns over
	// entries that were never of use.
	maxBook = 1000
	// dialsPerSecond and dialBurst bound what a forged address list can make
	// this node do to others, while a joiner still reaches its first peers at once.
	dialsPerSecond = 10
	dialBurst      = 10
	// dialsPerNet is the same per /24 and second, exempting local ranges.
	dialsPerNet = 2
	// maxNear is up to where those in our own networks (/24, of IPv6 /48) are dialed
	// first, if there are others: they are quick, and cost no line to the Internet,
	// but a swarm whose members see only their neighbours falls into islands.
	maxNear = wantPeers * 7 / 10
	// maxDialing bounds attempts under way.
	maxDialing = 20
	// wantPeers is up to where a node dials: a full mesh in the swarms Coral is
	// tuned for. Beyond it connections are only accepted, up to maxPeers.
	wantPeers = 40
	// retryMin … retryMax is the wait after a failed dial, doubled each time.
	retryMin    = time.Second
	retryMax    = 5 * time.Minute
	retryLinked = 20 * time.Second // the most for addresses from the link,
	// and for missedFor after one was lost that had not just turned us away: a
	// publisher that is started anew has to be found before what it signs meanwhile
	// has left the playlist.
	retryMissed = 2 * time.Second
	missedFor   = time.Minute
	heldFor     = 2 * time.Second // a connection that counts for that
	// maxFails is how often an address that never worked is tried.
	maxFails = 6
	// redial is the wait after a connection that worked has ended.
	redial = time.Second
	// goodFor is how long a connection lasts to clear its address's failures.
	goodFor = 30 * time.Second
)

type entry struct {
	addr    netip.AddrPort
	source  Source
	next    time.Time // not to be dialed before
	fails   int
	worked  bool // a handshake has succeeded once
	dialing bool
	peers   int // connections open to whoever listens here
	since   time.Time
	lost    time.Time // when the last of them ended that was one
	self    bool      // it is us
}

// book is the address book of one swarm. It takes now, holds no lock and starts
// nothing: its owner is the Swarm, under Swarm.mu.
type book struct {
	entries map[netip.AddrPort]*entry
	homes   []netip.Prefix // our own networks
	dialing int
	// tokens of the dial limit, and when they were counted
	tokens float64
	at     time.Time
	nets   map[netip.Prefix]int // dials in the current second
	second time.Time
}

// newBook makes a book for a node that has these addresses.
func newBook(own []netip.Addr) *book {
	b := &book{entries: make(map[netip.AddrPort]*entry), tokens: dialBurst, nets: make(map[netip.Prefix]int)}
	for _, a := range own {
		b.homes = append(b.homes, network(a))
	}
	return b
}

// near reports whether a is in a network of ours.
func (b *book) near(a netip.Addr) bool { return slices.Contains(b.homes, network(a)) }

// acceptable reports whether an address from source may be dialed at all. Local
// ranges are only believed from who is local too: otherwise anyone could make
// this node knock on doors inside the user's network.
func acceptable(a netip.AddrPort, source Source, fromLocal bool) bool {
	ip := a.Addr().Unmap()
	if a.Port() == 0 || !ip.IsValid() || ip.IsUnspecified() || ip.IsMulticast() || ip == netip.AddrFrom4([4]byte{255, 255, 255, 255}) {
		return false
	}
	if source == FromLink {
		return true
	}
	if local(ip) {
		return fromLocal
	}
	return a.Port() >= 1024 // no service of the system is a peer
}

// add learns an address.
func (b *book) add(a netip.AddrPort, source Source, now time.Time) bool {
	a = netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
	if e := b.entries[a]; e != nil {
		e.source = min(e.source, source)
		return false
	}
	if len(b.entries) >= maxBook && !b.evict() {
		return false
	}
	b.entries[a] = &entry{addr: a, source: source, next: now}
	return true
}

// recall learns an address that was good before.
func (b *book) recall(a netip.AddrPort, now time.Time) {
	if b.add(a, FromPEX, now) {
		b.entries[a].worked = true
	}
}

// good lists the addresses that are connected, or were until just now, those
// that have been for longest first.
func (b *book) good(now time.Time) (addrs []netip.AddrPort) {
	var all []*entry
	for _, e := range b.entries {
		if e.worked && !e.self && e.fails <= 1 && (e.peers > 0 || now.Sub(e.lost) < missedFor) {
			all = append(all, e)
		}
	}
	slices.SortFunc(all, func(x, y *entry) int { return cmp.Or(x.since.Compare(y.since), x.addr.Compare(y.addr)) })
	for _, e := range all {
		addrs = append(addrs, e.addr)
	}
	return addrs
}

// evict makes room by forgetting the entry that has been of least use.
func (b *book) evict() bool {
	var worst *entry
	for _, e := range b.entries {
		if e.dialing || e.peers > 0 || e.source == FromLink {
			continue
		}
		if worst == nil || cmp.Or(cmp.Compare(boolInt(worst.worked), boolInt(e.worked)), cmp.Compare(e.fails, worst.fails), cmp.Compare(e.source, worst.source)) > 0 {
			worst = e
		}
	}
	if worst == nil {
		return false
	}
	delete(b.entries, worst.addr)
	return true
}

func boolInt(v bool) int {
	if v {
		return 1
	}
	return 0
}

// due returns the addresses to dial now, marked as being dialed, given how many
// peers there are, and when to ask again.
func (b *book) due(peers int, now time.Time) (dial []netip.AddrPort, next time.Time) {
	b.tokens = min(dialBurst, b.tokens+now.Sub(b.at).Seconds()*dialsPerSecond)
	b.at = now
	if now.Sub(b.second) >= time.Second {
		clear(b.nets)
		b.second = now
	}
	var ready []*entry
	near, far := 0, false // how many near ones there are already; others are known
	for _, e := range b.entries {
		home := b.near(e.addr.Addr())
		far = far || !home && !e.self
		if e.dialing || e.peers > 0 || e.self {
			if home && !e.self {
				near++
			}
			continue
		}
		if e.next.After(now) {
			if next.IsZero() || e.next.Before(next) {
				next = e.next
			}
			continue
		}
		ready = append(ready, e)
	}
	slices.SortFunc(ready, func(x, y *entry) int {
		return cmp.Or(
			cmp.Compare(x.fails, y.fails),
			cmp.Compare(boolInt(y.source == FromLink), boolInt(x.source == FromLink)),
			cmp.Compare(boolInt(y.worked), boolInt(x.worked)),
			cmp.Compare(boolInt(b.near(y.addr.Addr())), boolInt(b.near(x.addr.Addr()))),
			cmp.Compare(x.source, y.source), x.next.Compare(y.next), x.addr.Compare(y.addr),
		)
	})
	for _, e := range ready {
		if peers+b.dialing >= wantPeers || b.dialing >= maxDialing || b.tokens < 1 {
			return dial, earlier(next, now.Add(time.Second/dialsPerSecond))
		}
		if !local(e.addr.Addr()) {
			if p := network(e.addr.Addr()); b.nets[p] >= dialsPerNet {
				next = earlier(next, b.second.Add(time.Second))
				continue
			} else {
				b.nets[p]++
			}
		}
		if far && b.near(e.addr.Addr()) {
			if near >= maxNear && e.source != FromLink {
				continue
			}
			near++
		}
		b.tokens--
		b.dialing++
		e.dialing = true
		dial = append(dial, e.addr)
	}
	return dial, next
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}

// done ends an attempt. A failed one is put off; an address that never works is
// forgotten, unless the link names it.
func (b *book) done(a netip.AddrPort, ok bool, now time.Time) {
	e := b.entries[a]
	if e == nil || !e.dialing {
		return
	}
	e.dialing = false
	b.dialing--
	if ok {
		e.worked = true
		return
	}
	e.fails++
	b.postpone(e, now)
}

func (b *book) postpone(e *entry, now time.Time) {
	wait := min(retryMax, retryMin<<min(e.fails-1, 10))
	if e.source == FromLink {
		wait = min(wait, retryLinked)
		if now.Sub(e.lost) < missedFor {
			wait = min(wait, retryMissed)
		}
	} else if e.fails >= maxFails && !e.dialing && e.peers == 0 {
		delete(b.entries, e.addr)
		return
	}
	e.next = now.Add(wait)
}

// connected notes that whoever listens at a is connected, whichever side dialed.
func (b *book) connected(a netip.AddrPort, now time.Time) {
	e := b.entries[a]
	if e == nil {
		if len(b.entries) >= maxBook && !b.evict() {
			return
		}
		e = &entry{addr: a, source: FromPEX}
		b.entries[a] = e
	}
	e.worked = true
	e.peers++
	e.since = now
}

// gone notes the end of such a connection. refused: it was not for us.
func (b *book) gone(a netip.AddrPort, refused bool, now time.Time) {
	e := b.entries[a]
	if e == nil || e.peers == 0 {
		return
	}
	e.peers--
	if now.Sub(e.since) >= heldFor {
		e.lost = now
	}
	switch {
	case refused:
		e.fails = max(e.fails+1, maxFails-1)
		b.postpone(e, now)
	case now.Sub(e.since) >= goodFor:
		e.fails = 0
		e.next = now.Add(redial)
	default:
		e.fails++
		b.postpone(e, now)
	}
}

// isSelf notes that a is this very node.
func (b *book) isSelf(a netip.AddrPort) {
	if e := b.entries[a]; e != nil {
		e.self = true
	}
}

// forget drops an address for good: its owner is banned.
func (b *book) forget(a netip.AddrPort) {
	if e := b.entries[a]; e != nil && !e.dialing {
		delete(b.entries, a)
	}
}

// known counts addresses that are not our own.
func (b *book) known() (n int) {
	for _, e := range b.entries {
		if !e.self {
			n++
		}
	}
	return n
}
