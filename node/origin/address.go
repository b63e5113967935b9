package origin

import "net/netip"

// notPublic are the special-purpose IPv4 networks (RFC 6890 and the IANA
// registry that it began) that no origin on the Internet can have.
var notPublic = prefixes(
	"0.0.0.0/8",       // this network; 0.0.0.0 reaches this machine
	"10.0.0.0/8",      // private
	"100.64.0.0/10",   // carrier-grade NAT
	"127.0.0.0/8",     // loopback
	"169.254.0.0/16",  // link-local, where clouds keep their metadata
	"172.16.0.0/12",   // private
	"192.0.0.0/24",    // protocol assignments
	"192.0.2.0/24",    // documentation
	"192.88.99.0/24",  // 6to4 relays
	"192.168.0.0/16",  // private
	"198.18.0.0/15",   // benchmarks
	"198.51.100.0/24", // documentation
	"203.0.113.0/24",  // documentation
	"224.0.0.0/4",     // multicast
	"240.0.0.0/4",     // reserved, and broadcast
)

// Of IPv6, global unicast (2000::/3) is public, without these parts of it.
var (
	global6    = netip.MustParsePrefix("2000::/3")
	notPublic6 = prefixes(
		"2001::/23",     // protocol assignments: Teredo (which embeds an IPv4 address), ORCHID, benchmarks
		"2001:db8::/32", // documentation
		"2002::/16",     // 6to4 embeds an IPv4 address
		"3fff::/20",     // documentation
	)
	// nat64 is the well-known prefix of RFC 6052. On a network that has only
	// IPv6 every IPv4 origin has such an address, so it is judged by the IPv4
	// address within.
	nat64 = netip.MustParsePrefix("64:ff9b::/96")
)

func prefixes(list ...string) []netip.Prefix {
	ps := make([]netip.Prefix, len(list))
	for i, s := range list {
		ps[i] = netip.MustParsePrefix(s)
	}
	return ps
}

// public reports whether a is an address on the Internet. It lists what is let
// through for IPv6 and what is not for IPv4, which is all given out.
func public(a netip.Addr) bool {
	a = a.Unmap()
	if !a.IsValid() || a.Zone() != "" {
		return false
	}
	if nat64.Contains(a) {
		b := a.As16()
		a = netip.AddrFrom4([4]byte(b[12:]))
	}
	if a.Is4() {
		return !within(notPublic, a)
	}
	return global6.Contains(a) && !within(notPublic6, a)
}

func within(ps []netip.Prefix, a netip.Addr) bool {
	for _, p := range ps {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// unicast reports whether a TCP connection to a makes sense at all: the one
// check that also a host typed by the user has to pass.
func unicast(a netip.Addr) bool {
	a = a.Unmap()
	return a.IsValid() && !a.IsMulticast() && !a.IsUnspecified() && a != netip.AddrFrom4([4]byte{255, 255, 255, 255})
}
