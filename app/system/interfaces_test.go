package system

import (
	"net"
	"net/netip"
	"slices"
	"testing"
)

func TestInterfaces(t *testing.T) {
	list, err := Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range list {
		ip, err := netip.ParseAddr(i.Address)
		if err != nil || ip.IsLoopback() || ip.IsLinkLocalUnicast() {
			t.Errorf("%+v: %v", i, err)
		}
		l, err := net.ListenPacket("udp", net.JoinHostPort(i.Address, "0"))
		if err != nil {
			t.Errorf("cannot be bound to: %v", err)
			continue
		}
		_ = l.Close()
	}
}

func TestUsable(t *testing.T) {
	var addrs []net.Addr
	for _, s := range []string{"2001:db8::5/64", "192.0.2.9/24", "fe80::1/64", "169.254.3.4/16", "127.0.0.1/8", "192.0.2.9/24", "fd00::1/8", "224.0.0.1/4", "0.0.0.0/0"} {
		ip, n, err := net.ParseCIDR(s)
		if err != nil {
			t.Fatal(err)
		}
		addrs = append(addrs, &net.IPNet{IP: ip, Mask: n.Mask})
	}
	want := []Interface{{"eth0", "192.0.2.9"}, {"eth0", "2001:db8::5"}, {"eth0", "fd00::1"}}
	if got := usable("eth0", append(addrs, &net.UnixAddr{Name: "x"})); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
