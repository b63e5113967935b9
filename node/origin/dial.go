package origin

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"syscall"
	"time"
)

// stagger is the delay before the next address is tried beside one that has not
// answered yet: the Connection Attempt Delay of RFC 8305 section 5.
const stagger = 250 * time.Millisecond

// maxAddrs bounds how many addresses of one name are tried, maxDials how often one
// of them is.
const maxAddrs, maxDials = 8, 4

// A DialFunc connects to addr, which is an IP address and a port.
type DialFunc func(ctx context.Context, network, addr string) (net.Conn, error)

// dialer connects to hosts whose addresses r permits.
type dialer struct {
	reach   reach
	closed  context.Context // ends with the Client; the transport dials on when a request has given up
	timeout time.Duration   // for one address
	resolve func(ctx context.Context, host string) ([]netip.Addr, error)
	dial    DialFunc
	again   bool // dial an address anew beside a dial that takes long: its packets may be lost
}

func newDialer(closed context.Context, cfg *Config, r reach) dialer {
	d := dialer{reach: r, closed: closed, timeout: cfg.Timeouts.Connect, resolve: cfg.Resolve, dial: cfg.Dial}
	if d.resolve == nil {
		d.resolve = func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		}
	}
	if d.dial == nil {
		d.dial = (&net.Dialer{Control: control(r)}).DialContext
	}
	return d
}

// control is a second look at the address, in the moment before connect.
func control(r reach) func(network, address string, _ syscall.RawConn) error {
	return func(_, address string, _ syscall.RawConn) error {
		a, err := netip.ParseAddrPort(address)
		if err != nil || !permitted(a.Addr(), r) {
			return fmt.Errorf("%w: address %s", ErrRefused, address)
		}
		return nil
	}
}

// DialContext resolves addr and connects to one of its permitted addresses. The
// address checked is the one dialled: the name is not looked up again.
func (d dialer) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(d.closed, cancel)()
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	var addrs []netip.Addr
	if a, err := netip.ParseAddr(host); err == nil {
		addrs = []netip.Addr{a}
	} else if addrs, err = d.resolve(ctx, host); err != nil {
		return nil, err
	}
	if len(addrs) == 0 {
		return nil, errors.New("host has no address")
	}
	var targets []string
	for _, a := range interleave(addrs) {
		if a = a.Unmap(); permitted(a, d.reach) {
			targets = append(targets, net.JoinHostPort(a.String(), port))
		}
	}
	if len(targets) == 0 {
		return nil, fmt.Errorf("%w: %s has no permitted address, but %s", ErrRefused, host, addrs[0])
	}
	if d.again {
		targets = slices.Repeat(targets, maxDials)
	}
	return d.race(ctx, network, targets[:min(len(targets), maxAddrs)])
}

// race dials the targets in turn, each beside those that have not answered
// within stagger, and returns the first connection.
func (d dialer) race(ctx context.Context, network string, targets []string) (net.Conn, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type result struct {
		conn net.Conn
		err  error
	}
	results := make(chan result, len(targets)) // room for all: no dial waits for a reader
	next, running := 0, 0
	start := func() {
		target := targets[next]
		next++
		running++
		go func() {
			ctx, cancel := context.WithTimeout(ctx, d.timeout)
			defer cancel()
			conn, err := d.dial(ctx, network, target)
			results <- result{conn, err}
		}()
	}
	start()
	timer := time.NewTimer(stagger)
	defer timer.Stop()
	var first error
	for {
		select {
		case r := <-results:
			running--
			if r.err == nil {
				go func() { // those that came second
					for range running {
						if late := <-results; late.conn != nil {
							late.conn.Close()
						}
					}
				}()
				return r.conn, nil
			}
			if first == nil {
				first = r.err
			}
			if next < len(targets) {
				start()
			} else if running == 0 {
				return nil, first
			}
		case <-timer.C:
			if next < len(targets) {
				start()
				timer.Reset(stagger)
			}
		}
	}
}

// interleave orders addresses by alternating families, beginning with that of
// the first, which the resolver thinks best (RFC 8305 section 4).
func interleave(addrs []netip.Addr) []netip.Addr {
	var one, other []netip.Addr
	for _, a := range addrs {
		if a.Unmap().Is4() == addrs[0].Unmap().Is4() {
			one = append(one, a)
		} else {
			other = append(other, a)
		}
	}
	out := make([]netip.Addr, 0, len(addrs))
	for len(one) > 0 || len(other) > 0 {
		if len(one) > 0 {
			out, one = append(out, one[0]), one[1:]
		}
		if len(other) > 0 {
			out, other = append(out, other[0]), other[1:]
		}
	}
	return out
}
