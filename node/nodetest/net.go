package nodetest

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"sync"
	"time"
)

// Net is a network in memory: TCP-like connections between loopback addresses.
// Unlike the kernel's, its waits are durably blocking for testing/synctest.
type Net struct {
	mu        sync.Mutex
	listeners map[netip.AddrPort]*listener
	next      uint16
}

// NewNet returns an empty network.
func NewNet() *Net { return &Net{listeners: make(map[netip.AddrPort]*listener), next: 40000} }

// Listen opens "IP:PORT"; port 0 chooses one.
func (n *Net) Listen(addr string) (net.Listener, error) {
	ap, err := netip.ParseAddrPort(addr)
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if ap.Port() == 0 {
		n.next++
		ap = netip.AddrPortFrom(ap.Addr(), n.next)
	}
	if n.listeners[ap] != nil {
		return nil, fmt.Errorf("listen %v: address already in use", ap)
	}
	l := &listener{net: n, addr: ap, conns: make(chan net.Conn), closed: make(chan struct{})}
	n.listeners[ap] = l
	return l, nil
}

// DialContext connects to a listener, as net.Dialer does.
func (n *Net) DialContext(ctx context.Context, _, addr string) (net.Conn, error) {
	ap, err := netip.ParseAddrPort(addr)
	if err != nil {
		return nil, fmt.Errorf("dial: %w", err)
	}
	n.mu.Lock()
	l := n.listeners[ap]
	n.next++
	from := netip.AddrPortFrom(ap.Addr(), n.next)
	n.mu.Unlock()
	refused := fmt.Errorf("dial %v: connection refused", ap)
	if l == nil {
		return nil, refused
	}
	a, b := NewConnPair(net.TCPAddrFromAddrPort(from), l.Addr())
	select {
	case l.conns <- b:
		return a, nil
	case <-l.closed:
		return nil, refused
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Client is an HTTP client whose connections go over n. Its CloseIdleConnections
// should be called before a synctest bubble ends.
func (n *Net) Client() *http.Client {
	return &http.Client{Transport: &http.Transport{DialContext: n.DialContext, MaxIdleConnsPerHost: 8, DisableCompression: true}}
}

type listener struct {
	net    *Net
	addr   netip.AddrPort
	conns  chan net.Conn
	once   sync.Once
	closed chan struct{}
}

func (l *listener) Addr() net.Addr { return net.TCPAddrFromAddrPort(l.addr) }

func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, fmt.Errorf("accept %v: %w", l.addr, net.ErrClosed)
	}
}

func (l *listener) Close() error {
	l.once.Do(func() {
		close(l.closed)
		l.net.mu.Lock()
		delete(l.net.listeners, l.addr)
		l.net.mu.Unlock()
	})
	return nil
}

// pipeBuffer is what one direction of a connection holds before writers wait:
// about a kernel's smallest socket buffer.
const pipeBuffer = 64 << 10

// pipe is one direction of a connection. A closed writer lets the reader finish;
// a closed reader fails the writer.
type pipe struct {
	mu            sync.Mutex
	wake          *sync.Cond
	buf           []byte
	wClosed       bool
	rClosed       bool
	rLimit        time.Time // deadlines
	wLimit        time.Time
	rTimer, wTime *time.Timer
}

func newPipe() *pipe {
	p := &pipe{}
	p.wake = sync.NewCond(&p.mu)
	return p
}

func passed(limit time.Time) bool { return !limit.IsZero() && !time.Now().Before(limit) }

func (p *pipe) read(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		switch {
		case p.rClosed:
			return 0, net.ErrClosed
		case passed(p.rLimit):
			return 0, os.ErrDeadlineExceeded
		case len(p.buf) > 0 || len(b) == 0:
			n := copy(b, p.buf)
			p.buf = p.buf[:copy(p.buf, p.buf[n:])]
			p.wake.Broadcast()
			return n, nil
		case p.wClosed:
			return 0, io.EOF
		}
		p.wake.Wait()
	}
}

func (p *pipe) write(b []byte) (n int, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		switch {
		case p.wClosed:
			return n, net.ErrClosed
		case p.rClosed:
			return n, io.ErrClosedPipe
		case passed(p.wLimit):
			return n, os.ErrDeadlineExceeded
		}
		if room := pipeBuffer - len(p.buf); room > 0 {
			k := min(room, len(b))
			p.buf = append(p.buf, b[:k]...)
			b = b[k:]
			n += k
			p.wake.Broadcast()
		}
		if len(b) == 0 {
			return n, nil
		}
		p.wake.Wait()
	}
}

// set changes one end's deadline.
func (p *pipe) set(limit *time.Time, timer **time.Timer, t time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if *timer != nil {
		(*timer).Stop()
		*timer = nil
	}
	*limit = t
	if !t.IsZero() {
		*timer = time.AfterFunc(time.Until(t), func() {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.wake.Broadcast()
		})
	}
	p.wake.Broadcast()
}

func (p *pipe) close(flag *bool, timer **time.Timer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	*flag = true
	if *timer != nil {
		(*timer).Stop()
		*timer = nil
	}
	p.wake.Broadcast()
}

// conn is one end of a connection.
type conn struct {
	in, out       *pipe
	local, remote net.Addr
}

// NewConnPair returns the two ends of a buffered connection in memory.
func NewConnPair(a, b net.Addr) (net.Conn, net.Conn) {
	ab, ba := newPipe(), newPipe()
	return &conn{in: ba, out: ab, local: a, remote: b}, &conn{in: ab, out: ba, local: b, remote: a}
}

func (c *conn) Read(b []byte) (int, error)  { return wrap("read", c)(c.in.read(b)) }
func (c *conn) Write(b []byte) (int, error) { return wrap("write", c)(c.out.write(b)) }
func (c *conn) LocalAddr() net.Addr         { return c.local }
func (c *conn) RemoteAddr() net.Addr        { return c.remote }

func (c *conn) Close() error {
	c.out.close(&c.out.wClosed, &c.out.wTime)
	c.in.close(&c.in.rClosed, &c.in.rTimer)
	return nil
}

func (c *conn) SetDeadline(t time.Time) error {
	c.SetReadDeadline(t)
	return c.SetWriteDeadline(t)
}

func (c *conn) SetReadDeadline(t time.Time) error {
	c.in.set(&c.in.rLimit, &c.in.rTimer, t)
	return nil
}

func (c *conn) SetWriteDeadline(t time.Time) error {
	c.out.set(&c.out.wLimit, &c.out.wTime, t)
	return nil
}

// wrap gives errors the shape that net.Conn's have, so that Timeout() works.
func wrap(op string, c *conn) func(int, error) (int, error) {
	return func(n int, err error) (int, error) {
		if err != nil && err != io.EOF {
			err = &net.OpError{Op: op, Net: "tcp", Source: c.local, Addr: c.remote, Err: err}
		}
		return n, err
	}
}
