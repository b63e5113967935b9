package origin

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve starts a server and returns a client that may fetch from it as from a
// URL that the user typed.
func serve(t *testing.T, h http.HandlerFunc) (*Client, string) {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	c := New(Config{
		Policy:   Policy{Typed: []string{s.URL}},
		Timeouts: Timeouts{Connect: time.Second, Stall: 150 * time.Millisecond, Playlist: time.Second},
	})
	t.Cleanup(c.Close)
	return c, s.URL
}

// internet is a network of names: those in names resolve to what they say, each
// answer once and the last one for ever. Whatever is dialled is noted, and
// leads to server.
type internet struct {
	server *httptest.Server

	mu     sync.Mutex
	names  map[string][][]string
	dialed []string
}

func newInternet(t *testing.T, h http.HandlerFunc) *internet {
	n := &internet{server: httptest.NewServer(h), names: make(map[string][][]string)}
	t.Cleanup(n.server.Close)
	return n
}

func (n *internet) resolve(_ context.Context, host string) ([]netip.Addr, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	answers := n.names[host]
	if len(answers) == 0 {
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	if len(answers) > 1 {
		n.names[host] = answers[1:]
	}
	var addrs []netip.Addr
	for _, s := range answers[0] {
		addrs = append(addrs, netip.MustParseAddr(s))
	}
	return addrs, nil
}

func (n *internet) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	n.mu.Lock()
	n.dialed = append(n.dialed, addr)
	n.mu.Unlock()
	u, _ := url.Parse(n.server.URL)
	return (&net.Dialer{}).DialContext(ctx, network, u.Host)
}

func (n *internet) dials() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return strings.Join(n.dialed, " ")
}

func (n *internet) client(t *testing.T, p Policy) *Client {
	c := New(Config{Policy: p, Resolve: n.resolve, Dial: n.dial, Timeouts: Timeouts{Connect: time.Second, Stall: time.Second}})
	t.Cleanup(c.Close)
	return c
}
