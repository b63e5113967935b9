package system

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
)

// Interface is an address that packets can be made to leave from.
type Interface struct{ Name, Address string }

// maxInterfaces bounds the list: machines with containers have hundreds, and
// nobody chooses from so many.
const maxInterfaces = 64

// Interfaces lists the addresses of interfaces that are up, by name, IPv4 first.
// Loopback and link-local addresses lead nowhere.
func Interfaces() ([]Interface, error) {
	all, err := net.Interfaces()
	if err != nil {
		return nil, fmt.Errorf("list interfaces: %w", err)
	}
	var list []Interface
	for _, i := range all {
		if i.Flags&net.FlagUp == 0 || i.Flags&net.FlagLoopback != 0 {
			continue
		}
		addrs, err := i.Addrs()
		if err != nil {
			continue // it went away
		}
		list = append(list, usable(i.Name, addrs)...)
	}
	return list[:min(len(list), maxInterfaces)], nil
}

// usable are the addresses of one interface that can be bound to.
func usable(name string, addrs []net.Addr) (list []Interface) {
	var ips []netip.Addr
	for _, a := range addrs {
		p, err := netip.ParsePrefix(a.String())
		if err != nil {
			continue
		}
		if ip := p.Addr().Unmap(); ip.IsGlobalUnicast() && !slices.Contains(ips, ip) {
			ips = append(ips, ip)
		}
	}
	slices.SortFunc(ips, netip.Addr.Compare) // IPv4 before IPv6
	for _, ip := range ips {
		list = append(list, Interface{name, ip.String()})
	}
	return list
}
