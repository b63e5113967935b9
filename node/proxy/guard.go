package proxy

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strconv"
)

// guard decides whether a request may have come from a player of this machine,
// or from our own page, rather than from some web page in the user's browser.
// It knows nothing of tokens: its answers are the same for a right and a wrong
// one.
type guard struct {
	hosts map[string]bool // exact Host values
	// remotePort is set if the user chose to listen beyond this machine: then any
	// IP address with this port will do as Host. A rebound name is still refused.
	remotePort string
}

// listenAddr checks that addr is on this machine only, unless remote is set.
// Names are not looked up: what a resolver says must not decide who can connect.
func listenAddr(addr string, remote bool) (string, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return "", fmt.Errorf("listen %q: %w", addr, err)
	}
	if host == "localhost" {
		host = "127.0.0.1"
	}
	if host == "" && remote {
		return addr, nil
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return "", fmt.Errorf("listen %q: want an IP address or localhost", addr)
	}
	if !ip.Unmap().IsLoopback() && !remote {
		return "", fmt.Errorf("listen %q: not an address of this machine alone (127.0.0.1 or ::1)", addr)
	}
	return net.JoinHostPort(host, port), nil
}

func newGuard(addr net.Addr, remote bool) (*guard, error) {
	ap, err := netip.ParseAddrPort(addr.String())
	if err != nil {
		return nil, fmt.Errorf("listen %v: not an IP address and port", addr)
	}
	port := strconv.Itoa(int(ap.Port()))
	g := &guard{hosts: make(map[string]bool)}
	for _, h := range []string{"127.0.0.1", "localhost", "::1", ap.Addr().Unmap().String()} {
		g.hosts[net.JoinHostPort(h, port)] = true
		if port == "80" { // left out by everyone who speaks to the default port
			if ip, err := netip.ParseAddr(h); err == nil && ip.Is6() {
				h = "[" + h + "]"
			}
			g.hosts[h] = true
		}
	}
	if remote {
		g.remotePort = port
	}
	return g, nil
}

func (g *guard) host(h string) bool {
	if g.hosts[h] {
		return true
	}
	if g.remotePort == "" {
		return false
	}
	ap, err := netip.ParseAddrPort(h)
	return err == nil && strconv.Itoa(int(ap.Port())) == g.remotePort
}

// foreign reports whether r carries an Origin that is not our own page's.
// Browsers send that for modules, and with what is posted.
func foreign(r *http.Request) bool {
	o := r.Header.Values("Origin")
	return len(o) > 1 || len(o) == 1 && o[0] != "http://"+r.Host
}

// check returns 0, or the status to refuse r with.
func (g *guard) check(r *http.Request) int {
	switch {
	case !g.host(r.Host):
		return http.StatusForbidden
	case foreign(r): // even "null": no player sends it
		return http.StatusForbidden
	}
	for _, site := range r.Header.Values("Sec-Fetch-Site") {
		if site != "none" && site != "same-origin" {
			return http.StatusForbidden
		}
	}
	switch {
	case r.Method == http.MethodPost:
		return posted(r)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		return http.StatusMethodNotAllowed
	case r.ContentLength != 0 || len(r.TransferEncoding) > 0: // a body, which nothing here reads
		return http.StatusBadRequest
	}
	return 0
}
