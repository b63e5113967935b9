package origin

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

const (
	// maxURL bounds a URL: 2 KiB is what a playlist may hold, and a relative one
	// is added to another.
	maxURL = 4 << 10
	// maxHosts bounds the hosts that records may name. A channel has one or two
	// origins and perhaps a few CDNs.
	maxHosts = 256
	// lowPorts are those below which only the ports of http and https are let
	// through, unless the user typed another: what listens there (mail, SSH,
	// SMB) is none of a link's business.
	lowPorts = 1024
)

// Policy says where requests may go. All fields name hosts by URLs.
type Policy struct {
	// Typed are URLs that the user typed: their host and port may have any
	// address, and their URLs a query.
	Typed []string
	// Linked are URLs from a link or a descriptor: their host and port may have
	// any address for URLs without a query, and a public address for the others.
	Linked []string
	// AnyPublic lets requests go to every host that has a public address: for a
	// playlist that is no channel, whose hosts nobody vouches for, and for the
	// publisher, whose source may redirect to where it likes. Without it the
	// hosts above, and those given to Hosts, are the only ones.
	AnyPublic bool
}

// reach is how far a request may go.
type reach uint8

const (
	nowhere  reach = iota
	outside        // public addresses
	quietly        // any address if the URL has no query, else public ones
	anywhere       // any address
)

// clean parses raw and checks all that can be seen without knowing the channel.
func clean(raw string) (*url.URL, error) {
	if len(raw) > maxURL {
		return nil, fmt.Errorf("%w: URL is longer than %d bytes", ErrRefused, maxURL)
	}
	u, err := url.Parse(raw)
	if err != nil {
		var wrapped *url.Error
		if errors.As(err, &wrapped) {
			err = wrapped.Err
		}
		return nil, fmt.Errorf("%w: not a URL: %w", ErrRefused, err)
	}
	return u, check(u)
}

// check is clean for a URL that is parsed already. It leaves u without fragment
// and with its host in canonical form.
func check(u *url.URL) error {
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return fmt.Errorf("%w: scheme is neither http nor https", ErrRefused)
	case u.Opaque != "" || u.Host == "":
		return fmt.Errorf("%w: URL has no host", ErrRefused)
	case u.User != nil:
		return fmt.Errorf("%w: URL holds a user name", ErrRefused)
	}
	host, err := canonical(u.Hostname())
	if err != nil {
		return err
	}
	port := u.Port()
	if port != "" {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 {
			return fmt.Errorf("%w: bad port", ErrRefused)
		}
		port = strconv.FormatUint(n, 10)
	}
	switch {
	case port != "" && port != defaultPort(u.Scheme):
		u.Host = net.JoinHostPort(host, port)
	case strings.Contains(host, ":"):
		u.Host = "[" + host + "]"
	default:
		u.Host = host
	}
	u.Fragment, u.RawFragment = "", ""
	if len(u.String()) > maxURL { // what is not ASCII takes more room when it is written
		return fmt.Errorf("%w: URL is longer than %d bytes", ErrRefused, maxURL)
	}
	return nil
}

// canonical returns the one spelling of a host name or address. Spellings that
// some resolver takes for an address (127.1, 2130706433, 0x7f.0.0.1) are
// refused rather than resolved: what they mean depends on the system.
func canonical(host string) (string, error) {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if a, err := netip.ParseAddr(host); err == nil {
		if a.Zone() != "" {
			return "", fmt.Errorf("%w: address with a zone", ErrRefused)
		}
		return a.Unmap().String(), nil
	}
	if host == "" || len(host) > 253 {
		return "", fmt.Errorf("%w: bad host name", ErrRefused)
	}
	labels := strings.Split(host, ".")
	for _, label := range labels {
		if label == "" || len(label) > 63 {
			return "", fmt.Errorf("%w: bad host name", ErrRefused)
		}
		for i := range len(label) {
			switch c := label[i]; {
			case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '-', c == '_':
			case c >= 0x80:
				return "", fmt.Errorf("%w: host name is not ASCII: write it as xn--…", ErrRefused)
			default:
				return "", fmt.Errorf("%w: bad host name", ErrRefused)
			}
		}
	}
	if last := labels[len(labels)-1]; last[0] >= '0' && last[0] <= '9' {
		// No top-level domain begins with a digit (RFC 3696 section 2): this is
		// an address in some old spelling.
		return "", fmt.Errorf("%w: host name ends in a number", ErrRefused)
	}
	return host, nil
}

func defaultPort(scheme string) string {
	if scheme == "https" {
		return "443"
	}
	return "80"
}

// hostPort is the key of the host lists, and what the transport dials.
func hostPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = defaultPort(u.Scheme)
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// hosts are the lists of a Policy, by host and port.
type hosts struct {
	far       map[string]reach
	named     int // how many of them came from records
	anyPublic bool
}

func newHosts(p Policy) hosts {
	h := hosts{far: make(map[string]reach), anyPublic: p.AnyPublic}
	h.add(p.Linked, quietly)
	h.add(p.Typed, anywhere)
	return h
}

// add notes the hosts of urls; of two reaches the farther holds. A URL that no
// request could be made to adds nothing.
func (h *hosts) add(urls []string, r reach) {
	for _, raw := range urls {
		u, err := clean(raw)
		if err != nil {
			continue
		}
		key := hostPort(u)
		if old, known := h.far[key]; known && old >= r {
			continue
		} else if !known && r == outside {
			if h.named == maxHosts {
				continue
			}
			h.named++
		}
		h.far[key] = r
		// A server on both standard ports is one server: it is common to send
		// viewers from http to https.
		if u.Scheme == "http" && u.Port() == "" {
			twin := net.JoinHostPort(u.Hostname(), "443")
			up := r
			if up == quietly {
				up = outside // the link named this port and no other
			}
			h.far[twin] = max(h.far[twin], up)
		}
	}
}

// judge says how far a request for u may go. from is the URL that redirected to
// it, or nil. u must have passed check.
func (h *hosts) judge(u, from *url.URL) (reach, error) {
	key := hostPort(u)
	r := h.far[key]
	if r == nowhere && h.anyPublic {
		r = outside
	}
	if r == nowhere {
		return nowhere, fmt.Errorf("%w: host %s is not the channel's", ErrRefused, key)
	}
	if r != anywhere {
		if port, err := strconv.Atoi(u.Port()); err == nil && port < lowPorts && port != 80 && port != 443 {
			return nowhere, fmt.Errorf("%w: port %d", ErrRefused, port)
		}
	}
	if from != nil {
		if from.Scheme == "https" && u.Scheme == "http" {
			return nowhere, fmt.Errorf("%w: redirect from https to http", ErrRefused)
		}
		// One server must not be able to make this machine talk to another in
		// the user's own network, though the user or link allows both.
		if hostPort(from) != key && (r != anywhere || from.Hostname() != u.Hostname()) {
			r = outside
		}
	}
	if r == quietly && (u.RawQuery != "" || u.ForceQuery) {
		r = outside
	}
	if a, err := netip.ParseAddr(u.Hostname()); err == nil && !permitted(a, r) {
		return nowhere, fmt.Errorf("%w: address %s", ErrRefused, a)
	}
	return r, nil
}

// permitted reports whether address a may be dialled for a request of reach r.
func permitted(a netip.Addr, r reach) bool {
	switch r {
	case anywhere, quietly:
		return unicast(a)
	case outside:
		return public(a)
	}
	return false
}
