package origin

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"
)

// forbidden are spellings of URLs by which a link, a playlist or a redirect may
// try to reach what is not on the Internet.
var forbidden = []string{
	// loopback
	"http://127.0.0.1/x", "http://127.0.0.1:8080/x", "http://127.1.2.3/x", "http://localhost/x", "http://LOCALHOST./x",
	"http://app.localhost/x", "http://[::1]/x", "http://[0:0:0:0:0:0:0:1]/x", "http://[::ffff:127.0.0.1]/x",
	"http://[::ffff:7f00:1]/x", "http://[::127.0.0.1]/x", "http://127.0.0.1./x",
	// other spellings of it
	"http://2130706433/x", "http://0x7f000001/x", "http://0x7f.0.0.1/x", "http://0177.0.0.1/x", "http://017700000001/x",
	"http://127.1/x", "http://127.0.1/x", "http://127.0.0.1.nip.io/x", "http://%31%32%37.0.0.1/x", "http://１２７.0.0.1/x",
	"http://①②⑦.0.0.1/x", "http://127。0。0。1/x", "http://127.0.0.01/x", "http://1.2.3.4.5/x", "http://256.256.256.256/x",
	// unspecified, which reaches this machine
	"http://0.0.0.0/x", "http://0/x", "http://[::]/x", "http://[::ffff:0.0.0.0]/x", "http://0.1.2.3/x",
	// private
	"http://10.0.0.1/x", "http://172.16.0.1/x", "http://172.31.255.255/x", "http://192.168.1.1/x", "http://100.64.0.1/x",
	"http://100.127.255.254/x", "http://[fc00::1]/x", "http://[fd12:3456::1]/x", "http://[fec0::1]/x", "http://[::ffff:10.0.0.1]/x",
	// link-local, cloud metadata
	"http://169.254.169.254/latest/meta-data/", "http://metadata.google.internal/x", "http://[fe80::1]/x", "http://[fe80::1%25eth0]/x",
	"http://[::ffff:169.254.169.254]/x", "http://[fd00:ec2::254]/x",
	// IPv4 within IPv6
	"http://[64:ff9b::7f00:1]/x", "http://[64:ff9b::10.0.0.1]/x", "http://[64:ff9b:1::a00:1]/x", "http://[2002:7f00:1::]/x",
	"http://[2002:a00:1::1]/x", "http://[2001:0:7f00:1::1]/x", "http://[::ffff:0:127.0.0.1]/x", "http://[::a00:1]/x",
	// multicast, broadcast, reserved, documentation
	"http://224.0.0.1/x", "http://239.255.255.250:1900/x", "http://255.255.255.255/x", "http://240.0.0.1/x", "http://[ff02::1]/x",
	"http://192.0.2.1/x", "http://198.18.0.1/x", "http://[2001:db8::1]/x", "http://192.0.0.192/x",
	// userinfo, odd syntax
	"http://edge.example@127.0.0.1/x", "http://user:pw@edge.example/x", "http://127.0.0.1\\@edge.example/x", "http://edge.example#@127.0.0.1:1/x",
	"http:127.0.0.1/x", "http:///127.0.0.1/x", "http://:80/x", "http://127.0.0.1:0/x", "http://edge.example:99999/x", "http://edge.example:25/x",
	// other schemes
	"file:///etc/passwd", "ftp://edge.example/x", "gopher://edge.example/x", "data:text/plain,x", "concat:http://edge.example/x|file:///etc/passwd",
	"javascript:alert(1)", "unix:///var/run/docker.sock", "jar:http://edge.example!/x", "//", "",
}

// systemNames is what a careless or hostile resolver says about the names above.
var systemNames = map[string][][]string{
	"localhost": {{"127.0.0.1", "::1"}}, "app.localhost": {{"127.0.0.1"}}, "2130706433": {{"127.0.0.1"}}, "0x7f000001": {{"127.0.0.1"}},
	"127.1": {{"127.0.0.1"}}, "127.0.0.1.nip.io": {{"127.0.0.1"}}, "metadata.google.internal": {{"169.254.169.254"}}, "0": {{"0.0.0.0"}},
	"edge.example": {{"127.0.0.1"}}, "origin.example": {{"93.184.216.34"}},
}

func TestForbiddenDirect(t *testing.T) {
	if len(forbidden) < 60 {
		t.Fatalf("only %d forms", len(forbidden))
	}
	for _, policy := range []Policy{
		{Linked: []string{"https://origin.example/live.m3u8"}},
		{AnyPublic: true},
		{Typed: []string{"https://origin.example/live.m3u8?token=1"}, AnyPublic: true},
	} {
		n := newInternet(t, func(w http.ResponseWriter, r *http.Request) {})
		n.names = clone(systemNames)
		c := n.client(t, policy)
		c.Hosts(forbidden...) // a hostile record names them all
		for _, raw := range forbidden {
			b, err := c.Get(t.Context(), raw, 0, -1)
			if err == nil {
				b.Close()
			}
			if !errors.Is(err, ErrRefused) {
				t.Errorf("%q: %v, want refused", raw, err)
			}
			if _, _, _, err := c.Playlist(t.Context(), raw, nil); !errors.Is(err, ErrRefused) {
				t.Errorf("playlist %q: %v, want refused", raw, err)
			}
		}
		if d := n.dials(); d != "" {
			t.Errorf("dialled %s", d)
		}
	}
}

func TestForbiddenByRedirect(t *testing.T) {
	var to string
	n := newInternet(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Location"] = []string{to}
		w.WriteHeader(http.StatusFound)
	})
	n.names = clone(systemNames)
	const start = "http://origin.example/seg1.ts"
	for _, policy := range []Policy{
		{Linked: []string{start}},
		{Linked: append([]string{start}, forbidden...)}, // the link names them too: still not from elsewhere
		{Typed: []string{start}, AnyPublic: true},
	} {
		c := n.client(t, policy)
		c.Hosts(forbidden...)
		for _, to = range forbidden {
			if to == "" || to == "//" || strings.HasPrefix(to, "http:127") {
				continue // relative, so not another place
			}
			b, err := c.Get(t.Context(), start, 0, -1)
			if err == nil {
				b.Close()
			}
			if !errors.Is(err, ErrRefused) {
				t.Errorf("redirect to %q: %v, want refused", to, err)
			}
		}
	}
	for _, d := range strings.Fields(n.dials()) {
		if d != "93.184.216.34:80" {
			t.Errorf("dialled %s", d)
		}
	}
}

// A name that is public at first and then is not: each new connection is
// checked, whatever the name said before.
func TestRebinding(t *testing.T) {
	addrs := []string{
		"127.0.0.1", "10.1.2.3", "192.168.0.1", "172.20.0.1", "169.254.169.254", "100.100.0.1", "0.0.0.0", "224.0.0.1", "::1", "::",
		"::ffff:127.0.0.1", "fe80::1", "fd00::1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:0:1::", "::7f00:1", "ff02::1",
	}
	for _, a := range addrs {
		n := newInternet(t, func(w http.ResponseWriter, r *http.Request) { w.Header().Set("Connection", "close") })
		n.names = map[string][][]string{"origin.example": {{"93.184.216.34"}, {a}, {a, "93.184.216.34"}}}
		c := n.client(t, Policy{Linked: []string{"http://origin.example/"}})
		get := func() error {
			b, err := c.Get(t.Context(), "http://origin.example/x?q", 0, -1)
			if err == nil {
				b.Close()
			}
			return err
		}
		if err := get(); err != nil {
			t.Errorf("%s: while public: %v", a, err)
		}
		if err := get(); !errors.Is(err, ErrRefused) {
			t.Errorf("%s: rebound: %v, want refused", a, err)
		}
		if err := get(); err != nil {
			t.Errorf("%s: beside a public address: %v", a, err)
		}
		if d := n.dials(); d != "93.184.216.34:80 93.184.216.34:80" {
			t.Errorf("%s: dialled %s", a, d)
		}
	}
}

func TestControl(t *testing.T) {
	for addr, want := range map[string]bool{
		"93.184.216.34:443": true, "[2606:2800:220:1::1]:443": true, "[64:ff9b::5db8:d822]:80": true,
		"127.0.0.1:80": false, "[::1]:80": false, "[::ffff:10.0.0.1]:80": false, "10.0.0.1:80": false, "nonsense": false, "": false, "name:80": false,
	} {
		if got := control(outside)("tcp", addr, nil) == nil; got != want {
			t.Errorf("outside %q: %v", addr, got)
		}
	}
	for addr, want := range map[string]bool{"127.0.0.1:80": true, "10.0.0.1:80": true, "0.0.0.0:80": false, "224.0.0.1:80": false} {
		if got := control(anywhere)("tcp", addr, nil) == nil; got != want {
			t.Errorf("anywhere %q: %v", addr, got)
		}
	}
	// And the client's own dialer has it.
	d := newDialer(t.Context(), &Config{Timeouts: Timeouts{Connect: 1e9}}, outside)
	if _, err := d.dial(t.Context(), "tcp", "127.0.0.1:1"); !errors.Is(err, ErrRefused) {
		t.Errorf("default dialer: %v", err)
	}
}

// Where requests may go, by who named the host.
func TestReach(t *testing.T) {
	n := newInternet(t, func(w http.ResponseWriter, r *http.Request) {})
	n.names = map[string][][]string{
		"nas.local": {{"192.168.1.9"}}, "origin.example": {{"93.184.216.34"}}, "cdn.example": {{"93.184.216.35"}}, "sly.example": {{"10.0.0.1"}},
	}
	c := n.client(t, Policy{
		Typed:  []string{"http://nas.local:8000/live/a.m3u8?key=1", "http://10.9.9.9/x", "http://10.9.9.8:81/"},
		Linked: []string{"http://10.77.0.2:8080/live.m3u8", "https://origin.example/l.m3u8", "http://sly.example/"},
	})
	c.Hosts("https://cdn.example/a/b.ts", "http://192.168.1.1/", "http://evil.internal/")
	for raw, ok := range map[string]bool{
		"http://nas.local:8000/live/b.ts":            true,
		"http://NAS.local.:8000/live/b.ts?x=1":       true,
		"http://nas.local/b.ts":                      false, // another port
		"http://192.168.1.9:8000/b.ts":               false, // the same machine by a name nobody gave
		"http://10.9.9.9:80/y?z":                     true,
		"http://10.9.9.8:81/y?z":                     true, // a low port, but typed
		"http://10.9.9.10/y":                         false,
		"http://10.77.0.2:8080/seg.ts":               true,
		"http://10.77.0.2:8080/seg.ts?a=b":           false, // linked and private: no query
		"http://10.77.0.2:8080/seg.ts?":              false,
		"http://10.77.0.2:8081/seg.ts":               false,
		"http://sly.example/a":                       true,
		"http://sly.example/a?b":                     false,
		"https://origin.example/a?b":                 true,
		"https://cdn.example/a?b":                    true,
		"http://cdn.example/a":                       false,
		"https://other.example/":                     false,
		"http://192.168.1.1/":                        false,
		"https://origin.example:22/":                 false,
		"https://origin.example/" + big(5000):        false,
		"https://origin.example:443/a#fragment?this": true,
	} {
		b, err := c.Get(t.Context(), raw, 0, -1)
		if err == nil {
			b.Close()
		} else if strings.HasPrefix(raw, "https") && ok && !errors.Is(err, ErrRefused) {
			err = nil // the test's server speaks no TLS: that it was dialled is enough
		}
		if (err == nil) != ok || err != nil && !errors.Is(err, ErrRefused) {
			t.Errorf("%.60s: %v", raw, err)
		}
	}
}

func TestRedirectRules(t *testing.T) {
	routes := map[string]string{
		"/up": "https://origin.example/x", "/down": "http://origin.example/x", "/cross": "http://nas.example:8000/x",
		"/cdn": "http://cdn.example:8080/x", "/other": "http://other.example/x", "/loop": "/loop", "/same": "same2?q=1", "/same2": "/x",
		"/query": "http://10.0.0.7:8080/x?q", "/port": "http://10.0.0.7:9090/x",
	}
	n := newInternet(t, func(w http.ResponseWriter, r *http.Request) {
		if to, ok := routes[r.URL.Path]; ok {
			http.Redirect(w, r, to, http.StatusTemporaryRedirect)
		}
	})
	n.names = map[string][][]string{
		"origin.example": {{"93.184.216.34"}}, "cdn.example": {{"93.184.216.35"}}, "nas.example": {{"10.0.0.2"}}, "other.example": {{"93.184.216.36"}},
	}
	c := n.client(t, Policy{
		Typed:  []string{"http://origin.example/", "http://nas.example:8000/"},
		Linked: []string{"http://10.0.0.7:8080/", "http://10.0.0.7:9090/"},
	})
	c.Hosts("http://cdn.example:8080/")
	for raw, want := range map[string]error{
		"http://origin.example/same":  nil,
		"http://origin.example/cdn":   nil,
		"http://origin.example/other": ErrRefused,
		"http://origin.example/cross": ErrRefused, // typed too, but private, and it is not the user who asks
		"http://origin.example/loop":  ErrRedirects,
		"http://10.0.0.7:8080/same2":  nil,
		"http://10.0.0.7:8080/same":   ErrRefused, // private and linked: no query, by redirect neither
		"http://10.0.0.7:8080/query":  ErrRefused,
		"http://10.0.0.7:8080/port":   ErrRefused,
	} {
		b, err := c.Get(t.Context(), raw, 0, -1)
		if err == nil {
			b.Close()
		}
		if !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", raw, err, want)
		}
	}
	for _, f := range []struct {
		from, to string
		ok       bool
	}{
		{"http://origin.example/up", "https://origin.example/x", true},
		{"https://origin.example/down", "http://origin.example/x", false},
		{"https://origin.example/a", "https://origin.example/b", true},
	} {
		from, to := parse(f.from), parse(f.to)
		if _, err := c.pool(to, from); (err == nil) != f.ok {
			t.Errorf("%s to %s: %v", f.from, f.to, err)
		}
	}
}

// The pools are apart: a connection opened for a request that may go anywhere
// must not carry one that may not.
func TestPoolsApart(t *testing.T) {
	n := newInternet(t, func(w http.ResponseWriter, r *http.Request) {})
	n.names = map[string][][]string{"origin.example": {{"10.0.0.1"}}}
	c := n.client(t, Policy{Linked: []string{"http://origin.example/"}})
	b, err := c.Get(t.Context(), "http://origin.example/a", 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	b.Close()
	if _, err := c.Get(t.Context(), "http://origin.example/a?b", 0, -1); !errors.Is(err, ErrRefused) {
		t.Error(err)
	}
}

func TestHostsBounded(t *testing.T) {
	c := New(Config{})
	defer c.Close()
	for i := range 2 * maxHosts {
		c.Hosts(fmt.Sprintf("https://h%d.example/", i))
	}
	if len(c.hosts.far) != maxHosts {
		t.Errorf("%d hosts", len(c.hosts.far))
	}
}

func TestErrorsHideTokens(t *testing.T) {
	n := newInternet(t, func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(403) })
	n.names = map[string][][]string{"origin.example": {{"93.184.216.34"}}}
	c := n.client(t, Policy{Linked: []string{"http://origin.example/"}})
	for _, raw := range []string{
		"http://origin.example/SECRET/a.ts?token=SECRET", "http://gone.example/a?SECRET", "http://origin.example:1/a?SECRET", "gopher://a/?SECRET",
		"http://u:SECRET@origin.example/", "http://[::1?SECRET", "http://origin.example/\x7f?SECRET", "SECRET",
	} {
		_, err := c.Get(t.Context(), raw, 0, -1)
		if err == nil || strings.Contains(err.Error(), "SECRET") {
			t.Errorf("%q: %v", raw, err)
		}
	}
}

func TestPublic(t *testing.T) {
	for s, want := range map[string]bool{
		"8.8.8.8": true, "1.1.1.1": true, "172.15.255.255": true, "172.32.0.0": true, "100.63.255.255": true, "100.128.0.0": true,
		"192.167.255.255": true, "192.169.0.0": true, "223.255.255.255": true, "11.0.0.0": true, "9.255.255.255": true,
		"2606:4700::1111": true, "2a00:1450:4001::200e": true, "::ffff:8.8.8.8": true, "64:ff9b::808:808": true, "2001:200::1": true,
		"0.0.0.1": false, "10.255.255.255": false, "127.255.255.255": false, "169.254.0.1": false, "255.255.255.255": false,
		"::": false, "::1": false, "::8.8.8.8": false, "100::1": false, "fe80::1": false, "fc00::1": false, "ff0e::1": false, "4000::1": false,
		"2001:db8::1": false, "2001::1": false, "2002:808:808::1": false, "3fff::1": false, "64:ff9b:1::808:808": false,
	} {
		if got := public(netip.MustParseAddr(s)); got != want {
			t.Errorf("%s: %v", s, got)
		}
	}
	if public(netip.Addr{}) || public(netip.MustParseAddr("2606:4700::1%eth0")) {
		t.Error("the zero address, or one with a zone, is public")
	}
}

func FuzzURL(f *testing.F) {
	for _, s := range forbidden {
		f.Add(s, s)
	}
	f.Add("http://origin.example/a", "../b?c=d")
	f.Add("http://origin.example/"+strings.Repeat("\xc4", maxURL/2), "")
	f.Fuzz(func(t *testing.T, raw, location string) {
		u, err := clean(raw)
		if err != nil {
			return
		}
		if again, err := clean(u.String()); err != nil || hostPort(again) != hostPort(u) {
			t.Fatalf("%q: reads as %q, which reads as %v (%v)", raw, u, again, err)
		}
		h := newHosts(Policy{AnyPublic: true})
		for _, target := range []func() (*url.URL, error){func() (*url.URL, error) { return u, nil }, func() (*url.URL, error) { return redirected(u, location) }} {
			to, err := target()
			if err != nil {
				continue
			}
			r, err := h.judge(to, nil)
			if err != nil {
				continue
			}
			if r != outside || to.Scheme != "http" && to.Scheme != "https" || to.User != nil {
				t.Fatalf("%q %q: %v may go to %v", raw, location, to, r)
			}
			if a, err := netip.ParseAddr(to.Hostname()); err == nil && !public(a) {
				t.Fatalf("%q %q: %v", raw, location, a)
			}
		}
	})
}

func parse(s string) *url.URL { u, _ := url.Parse(s); return u }

func big(n int) string { return strings.Repeat("a", n) }

func clone(m map[string][][]string) map[string][][]string {
	out := make(map[string][][]string)
	for k, v := range m {
		out[k] = v
	}
	return out
}
