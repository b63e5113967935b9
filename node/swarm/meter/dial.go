package meter

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"time"
)

// Dial opens a connection to the origin: its uploads are charged but do not
// wait, its downloads are paced. It has the form that http.Transport wants.
func (m *Meter) Dial(ctx context.Context, network, addr string) (net.Conn, error) {
	return m.DialControl(ctx, network, addr, nil)
}

// DialControl is Dial with a net.Dialer's Control hook, which sees the address
// after name resolution and may refuse it.
func (m *Meter) DialControl(ctx context.Context, network, addr string, control Control) (net.Conn, error) {
	c, err := m.dial(ctx, network, addr, Origin, control)
	if err != nil {
		return nil, err // not c: an interface that holds a nil pointer is not nil
	}
	return c, nil
}

// DialPeer opens a connection to a peer or a tracker; both directions wait for
// the caps, and a zero upload cap refuses. control may be nil.
func (m *Meter) DialPeer(ctx context.Context, network, addr string, control Control) (*Conn, error) {
	if up, _ := m.Caps(); up == 0 {
		return nil, ErrNothing
	}
	return m.dial(ctx, network, addr, Peers, control)
}

func (m *Meter) dial(ctx context.Context, network, addr string, class Class, control Control) (*Conn, error) {
	d := net.Dialer{KeepAlive: -1, Control: control}
	if m.bind.IsValid() {
		d.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(m.bind, 0))
	}
	m.chargeUp(dialSegments * 60)
	nc, err := d.DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	tcp, ok := nc.(*net.TCPConn)
	if !ok {
		nc.Close()
		return nil, fmt.Errorf("dial %s: network %q is not TCP", addr, network)
	}
	c := m.Wrap(tcp, class)
	c.mu.Lock()
	c.chargedUp += dialSegments * 60 // is in the kernel's count as well
	c.mu.Unlock()
	return c, nil
}

// packetConn meters a UDP socket. A datagram that the cap does not let through
// now is dropped, as a full queue would: UDP users expect it, and the DHT must
// not hold up anyone.
type packetConn struct {
	net.PacketConn
	m      *Meter
	header int
}

// WrapPacket meters a UDP socket of the DHT or a tracker client.
func (m *Meter) WrapPacket(pc net.PacketConn) net.PacketConn {
	p := &packetConn{PacketConn: pc, m: m, header: 28}
	if a, ok := pc.LocalAddr().(*net.UDPAddr); ok && a.IP.To4() == nil && !a.IP.IsUnspecified() {
		p.header = 48
	}
	return p
}

// datagramDebt is how far behind the bucket may be for a datagram still to go.
const datagramDebt = 500 * time.Millisecond

func (p *packetConn) WriteTo(b []byte, to net.Addr) (int, error) {
	if p.m.takeUp(0) > datagramDebt {
		return len(b), nil
	}
	n := len(b) + p.header
	p.m.chargeUp(n)
	p.m.sent[Peers].Add(int64(n))
	return p.PacketConn.WriteTo(b, to)
}

// ReadFrom passes over errors that are news about some other datagram (Windows
// reports a peer's closed port this way): the DHT takes any error for the end.
func (p *packetConn) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		n, from, err := p.PacketConn.ReadFrom(b)
		if err != nil && !errors.Is(err, net.ErrClosed) && !errors.Is(err, os.ErrDeadlineExceeded) {
			time.Sleep(time.Millisecond) // never a busy loop, whatever the error
			continue
		}
		if n > 0 {
			p.m.received[Peers].Add(int64(n + p.header))
			p.m.chargeDown(n + p.header)
		}
		return n, from, err
	}
}
