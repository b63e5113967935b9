package publish

import (
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
)

// guard keeps out what a web page could make a browser send to a listener of
// this program, by a name that resolves to this machine or by a form.
type guard struct {
	// hosts are the Host values that are answered; nil: all, since the organiser
	// chose to listen beyond this machine, and it may have any name out there.
	hosts map[string]bool
	port  string
}

func newGuard(addr net.Addr) *guard {
	ap, err := netip.ParseAddrPort(addr.String())
	if err != nil {
		return &guard{hosts: map[string]bool{}}
	}
	g := &guard{port: strconv.Itoa(int(ap.Port()))}
	if ip := ap.Addr().Unmap(); ip.IsLoopback() {
		g.hosts = map[string]bool{}
		for _, h := range []string{ip.String(), "localhost"} {
			g.hosts[net.JoinHostPort(h, g.port)] = true
		}
		if g.port == "80" {
			g.hosts[ip.String()], g.hosts["localhost"] = true, true
		}
	}
	return g
}

// host reports whether a request for this host is meant for this listener.
func (g *guard) host(h string) bool { return g.hosts == nil || g.hosts[h] }

// pass reports whether a request comes from no web page of someone else.
func (g *guard) pass(r *http.Request) bool {
	if !g.host(r.Host) || len(r.Header.Values("Origin")) > 0 {
		return false
	}
	for _, site := range r.Header.Values("Sec-Fetch-Site") {
		if site != "none" && site != "same-origin" {
			return false
		}
	}
	return true
}

// quietLog takes what net/http has to say about bad clients.
func quietLog() *log.Logger { return log.New(io.Discard, "", 0) }

// limitConns lets at most n connections be open at a time; more wait.
func limitConns(l net.Listener, n int) net.Listener {
	return &limited{Listener: l, slots: make(chan struct{}, n), done: make(chan struct{})}
}

type limited struct {
	net.Listener
	slots chan struct{}
	once  sync.Once
	done  chan struct{}
}

func (l *limited) Accept() (net.Conn, error) {
	select {
	case l.slots <- struct{}{}:
	case <-l.done:
		return nil, net.ErrClosed
	}
	c, err := l.Listener.Accept()
	if err != nil {
		<-l.slots
		return nil, err
	}
	return &limitedConn{Conn: c, free: sync.OnceFunc(func() { <-l.slots })}, nil
}

func (l *limited) Close() error {
	l.once.Do(func() { close(l.done) })
	return l.Listener.Close()
}

type limitedConn struct {
	net.Conn
	free func()
}

func (c *limitedConn) Close() error {
	err := c.Conn.Close()
	c.free()
	return err
}
