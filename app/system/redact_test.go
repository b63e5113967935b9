package system

import (
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestRedactExamples(t *testing.T) {
	r := newRedactor()
	r.hide(`/home/alice blue`, "~")
	for in, want := range map[string]string{
		"dial tcp 192.168.1.17:6881: connect: connection refused":         "dial tcp [address]: connect: connection refused",
		"dial udp [fe80::1%eth0]:6881: no route":                          "dial udp [address]: no route",
		`Get "http://origin.example/live/a.m3u8?key=1": EOF`:              `Get "[link]": EOF`,
		"open magnet:?xt=urn:btih:x&dn=The+Race: no peers":                "open [link]: no peers",
		"coral: cannot open the cache":                                    "coral: cannot open the cache",
		"lookup origin.example on 10.0.0.53:53: no such host":             "lookup [host] on [address]: no such host",
		"tracker.example.org said 404":                                    "[host] said 404",
		"origin.example.org/live/key?x=y (10.0.0.0/8)":                    "[host]/… ([address]/…)",
		"localhost:8080 (myhost:1)":                                       "[host] ([host])",
		"open /home/alice blue/.config/coral/settings.json: no such file": "open ~/.config/coral/settings.json: no such file",
		"open /home/bob/video.mp4, /Users/Bob/x":                          "open /home/[user]/video.mp4, /Users/[user]/x",
		`open C:\Users\Ann Smith\AppData: denied`:                         `open C:\Users\[user]\AppData: denied`,
		`open "c:\\users\\ann\\x"`:                                        `open "c:\\users\\[user]\\x"`,
		"token 0123456789abcdef0123456789abcdef is wrong":                 "token [secret] is wrong",
		"store/bbolt.go:123: page 5 of 12 in 1.5ms":                       "store/bbolt.go:123: page 5 of 12 in 1.5ms",
		"settings.json is damaged: unexpected end of JSON input":          "settings.json is damaged: unexpected end of JSON input",
		"9 peers, 71 % from viewers, 0.8 of 2 Mbit/s, 3 s behind":         "9 peers, 71 % from viewers, 0.8 of 2 Mbit/s, 3 s behind",
		"libmpv.so.2: cannot open shared object file":                     "libmpv.so.2: cannot open shared object file",
		"ip-10-1-2-3 answered":                                            "ip-[address] answered",
		"x509: certificate is valid for a.example, not b.example.org":     "x509: certificate is valid for [host], not [host]",
	} {
		if got := r.text(in); got != want {
			t.Errorf("%s\n got %s\nwant %s", in, got, want)
		}
	}
}

// spellings are how addr may stand in a text.
func spellings(a netip.Addr) []string {
	b := a.AsSlice()
	ip := net.IP(b)
	s := []string{
		a.String(), a.StringExpanded(), strings.ToUpper(a.String()), url.QueryEscape(a.String()),
		net.JoinHostPort(a.String(), "6881"), url.QueryEscape(net.JoinHostPort(a.String(), "6881")),
		(&net.TCPAddr{IP: ip, Port: 1}).String(), (&net.UDPAddr{IP: ip, Port: 65535}).String(), (&net.IPNet{IP: ip, Mask: net.CIDRMask(24, 8*len(b))}).String(),
		netip.PrefixFrom(a, 12).String(), fmt.Sprint(b), fmt.Sprintf("%v", [][]byte{b}), fmt.Sprintf("%#v", b),
		"http://" + net.JoinHostPort(a.String(), "80") + "/x", "magnet:?x.pe=" + net.JoinHostPort(a.String(), "80"),
	}
	if a.Is4() {
		s = append(s,
			fmt.Sprintf("%03d.%03d.%03d.%03d", b[0], b[1], b[2], b[3]),
			fmt.Sprintf("0%o.0%o.0%o.0%o", b[0], b[1], b[2], b[3]),
			fmt.Sprintf("0x%x.0x%x.0x%x.0x%x", b[0], b[1], b[2], b[3]),
			fmt.Sprintf("0x%08X", b), fmt.Sprintf("%d,%d,%d,%d,26,225", b[0], b[1], b[2], b[3]),
			strings.ReplaceAll(a.String(), ".", "[.]"), strings.ReplaceAll(a.String(), ".", "%2E"), strings.ReplaceAll(a.String(), ".", "-"),
			strings.ReplaceAll(a.String(), ".", " . "), strings.ReplaceAll(a.String(), ".", "。"),
			fmt.Sprintf("%d.%d.%d.%d.in-addr.arpa", b[3], b[2], b[1], b[0]),
			netip.AddrFrom16(a.As16()).String(), netip.AddrFrom16(a.As16()).StringExpanded(),
		)
	} else {
		x := hex.EncodeToString(b)
		var rev strings.Builder
		for i := len(x) - 1; i >= 0; i-- {
			rev.WriteString(x[i:i+1] + ".")
		}
		s = append(s, a.WithZone("wlp3s0").String(), "["+a.WithZone("eth0").String()+"]:80", x, rev.String()+"ip6.arpa", "\\\\"+strings.ReplaceAll(a.String(), ":", "-")+".ipv6-literal.net\\share")
	}
	return s
}

func randomAddr(d *rand.Rand) netip.Addr {
	if d.IntN(2) == 0 {
		return netip.AddrFrom4([4]byte{byte(100 + d.IntN(156)), byte(100 + d.IntN(156)), byte(100 + d.IntN(156)), byte(100 + d.IntN(156))})
	}
	var b [16]byte
	for i := range b {
		b[i] = byte(d.Uint32())
	}
	for i := d.IntN(8); i < d.IntN(9); i++ {
		b[2*i], b[2*i+1] = 0, 0
	}
	return netip.AddrFrom16(b)
}

// leaks returns an address that can be read in s, by another parser than ours.
func leaks(s string) string {
	for i := range s {
		for j := i + 2; j <= min(len(s), i+45); j++ {
			if _, err := netip.ParseAddr(s[i:j]); err == nil {
				return s[i:j]
			}
		}
	}
	return ""
}

func TestRedactEverySpelling(t *testing.T) {
	r := newRedactor()
	d := rand.New(rand.NewPCG(1, 2))
	around := []string{"", " ", "x", "7", "=", ":", "\n", "\t", "(", "[", "\"", "'", "é", "/", "\\", "peer=", "https", "%", "-", ".", ", ", "\x00", "\x80"}
	for range 60 {
		a := randomAddr(d)
		for _, s := range spellings(a) {
			in := around[d.IntN(len(around))] + s + around[d.IntN(len(around))]
			got := r.text(in)
			if l := leaks(got); l != "" {
				t.Fatalf("%q became %q, where %s stands", in, got, l)
			}
			// Nothing of three of its groups may be left, however they were written.
			for i := 0; i+6 < len(s); i++ {
				if part := s[i : i+7]; isAddressLike(part) && strings.Contains(got, part) {
					t.Fatalf("%q became %q, where %q is left", in, got, part)
				}
			}
		}
	}
}

func isAddressLike(s string) bool {
	digits := 0
	for _, c := range s {
		switch {
		case c >= '0' && c <= '9':
			digits++
		case strings.ContainsRune("abcdefABCDEF.:", c):
		default:
			return false
		}
	}
	return digits >= 4
}

func TestRedactSecrets(t *testing.T) {
	r := newRedactor()
	d := rand.New(rand.NewPCG(3, 4))
	for range 300 {
		b := make([]byte, []int{16, 20, 32}[d.IntN(3)])
		for i := range b {
			b[i] = byte(d.Uint32())
		}
		for _, s := range []string{
			hex.EncodeToString(b), strings.ToUpper(hex.EncodeToString(b)), base64.RawURLEncoding.EncodeToString(b),
			base32.StdEncoding.EncodeToString(append(b, b...)[:20]), strings.ToLower(base32.StdEncoding.EncodeToString(append(b, b...)[:20])),
		} {
			for _, in := range []string{s, "GET /" + s + "/play/master.m3u8", "btih:" + s, "x=" + s + ".", "_" + s} {
				if got := r.text(in); strings.Contains(got, s) || strings.Contains(got, s[4:]) {
					t.Fatalf("%q became %q", in, got)
				}
			}
		}
	}
}

func TestRedactValues(t *testing.T) {
	r := newRedactor()
	ip := netip.MustParseAddr("192.0.2.77")
	type hidden struct{ a netip.Addr }
	type tree struct {
		In *tree
		A  net.IP
	}
	loop := []any{nil}
	loop[0] = loop
	var none *net.TCPAddr
	for _, v := range []any{
		ip, &ip, netip.AddrPortFrom(ip, 7), net.IP(ip.AsSlice()), net.ParseIP("192.0.2.77"), &net.TCPAddr{IP: net.ParseIP("192.0.2.77"), Port: 1},
		[]netip.Addr{ip},
		map[netip.Addr]string{ip: "x"},
		map[string]any{"a": []any{ip}},
		[]string{"192.0.2.77"},
		[]int{192, 0, 2, 77},
		[]uint16{192, 0, 2, 77},
		ip.As4(),
		[][]byte{ip.AsSlice()},
		hidden{ip},
		&hidden{ip},
		tree{A: ip.AsSlice()},
		loop, none,
		struct{ S string }{"192.0.2.77"},
		fmt.Errorf("a: %w", errors.Join(&net.OpError{Op: "dial", Net: "tcp", Addr: &net.TCPAddr{IP: ip.AsSlice(), Port: 2}, Err: os.ErrClosed}, errors.New("192.0.2.77"))),
		&url.URL{Scheme: "http", Host: "192.0.2.77", Path: "/x"}, &net.DNSError{Name: "tracker.example", Server: "192.0.2.77:53", Err: "no such host"},
		error(nil), func() {}, make(chan int), 3 + 4i,
	} {
		got := r.any(v)
		if leaks(got) != "" || strings.Contains(got, "192") || strings.Contains(got, "77") || strings.Contains(got, "example") {
			t.Errorf("%T: %s", v, got)
		}
	}
	for want, v := range map[string]any{"[a b 3]": []any{"a", "b", 3}, "{from=peer n=5}": map[string]any{"n": 5, "from": "peer"}, "file does not exist": os.ErrNotExist, "nil": nil, "[16 bytes]": make([]byte, 16)} {
		if got := r.any(v); got != want {
			t.Errorf("%v: %s, want %s", v, got, want)
		}
	}
}

func TestRedactCutsWhole(t *testing.T) {
	r := newRedactor()
	for shift := range 20 {
		in := strings.Repeat("word ", maxText/5-3) + strings.Repeat("y", shift) + " 198.51.100.23:6881 more"
		if got := r.text(in); strings.Contains(got, "198") || strings.Contains(got, "51.1") {
			t.Errorf("shift %d: …%s", shift, got[len(got)-40:])
		}
	}
	if got := r.text(strings.Repeat("9", 2*maxText)); len(got) > 10 {
		t.Errorf("one long word is kept: %.30s", got)
	}
}

func FuzzRedact(f *testing.F) {
	f.Add("dial tcp ", ": refused", uint64(1))
	f.Add("http", "://", uint64(2))
	f.Add("\xff%3", ".go:1", uint64(3))
	f.Add("1.2.", "::", uint64(4))
	r := newRedactor()
	f.Fuzz(func(t *testing.T, before, after string, seed uint64) {
		if len(before)+len(after) > 2000 {
			t.Skip()
		}
		d := rand.New(rand.NewPCG(seed, 0))
		all := spellings(randomAddr(d))
		in := before + all[d.IntN(len(all))] + after
		got := r.text(in)
		if l := leaks(got); l != "" {
			t.Errorf("%q became %q, where %s stands", in, got, l)
		}
		if utf8.ValidString(in) && !utf8.ValidString(got) {
			t.Errorf("%q became %q", in, got)
		}
	})
}
