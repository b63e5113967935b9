package settings

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func texts(list []netip.Prefix) (s []string) {
	for _, p := range list {
		s = append(s, p.String())
	}
	return s
}

func blocks(list []netip.Prefix, a string) bool {
	return slices.ContainsFunc(list, func(p netip.Prefix) bool { return p.Contains(netip.MustParseAddr(a)) })
}

const mixedList = "\ufeff# a list\r\n" +
	"\n" +
	"192.0.2.1\r\n" +
	"198.51.100.0/24   # a net\n" +
	"203.0.113.5-203.0.113.9\n" +
	"Some Firm, Inc.: Office #4:10.0.0.0-10.0.0.255\n" +
	"IPv6 firm:2001:db8::1-2001:db8::ff\n" +
	"001.009.096.105 - 001.009.096.110 , 000 , Some organization\n" +
	"008.000.000.000 - 008.000.000.255 , 200 , Allowed\n" +
	"2001:db8:1::/48\n" +
	"; comment\n// comment\n" +
	"nonsense\n" +
	"10.0.1.0 - 10.0.0.0\n" +
	"10.0.0.0/33\n" +
	"fe80::1%eth0\n" +
	"::ffff:192.0.2.2"

func TestParseBlocklist(t *testing.T) {
	want := []string{
		"1.9.96.105/32", "1.9.96.106/31", "1.9.96.108/31", "1.9.96.110/32",
		"10.0.0.0/24", "192.0.2.1/32", "192.0.2.2/32", "198.51.100.0/24",
		"203.0.113.5/32", "203.0.113.6/31", "203.0.113.8/31",
		"2001:db8::1/128", "2001:db8::2/127", "2001:db8::4/126", "2001:db8::8/125", "2001:db8::10/124",
		"2001:db8::20/123", "2001:db8::40/122", "2001:db8::80/121", "2001:db8:1::/48",
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	z.Write([]byte(mixedList))
	z.Close()
	for _, in := range []string{mixedList, packed.String()} {
		b, err := ParseBlocklist(strings.NewReader(in))
		if err != nil || !slices.Equal(texts(b), want) {
			t.Errorf("%v, %q", err, texts(b))
		}
		for a, blocked := range map[string]bool{
			"10.0.0.0": true, "10.0.0.255": true, "10.0.1.0": false, "9.255.255.255": false, "0.0.0.0": false,
			"2001:db8:1:2::3": true, "2001:db8:2::": false, "8.0.0.1": false, "::": false,
			"255.255.255.255": false, "192.0.2.2": true,
		} {
			if got := blocks(b, a); got != blocked {
				t.Errorf("%s: %v", a, got)
			}
		}
	}
	if b, err := ParseBlocklist(strings.NewReader("# nothing yet\n")); err != nil || len(b) > 0 {
		t.Errorf("an empty list: %v", err)
	}
}

func TestBlocklistMerges(t *testing.T) {
	in := "10.0.0.0/24\n10.0.1.0/24\n10.0.0.5-10.0.0.9\n9.0.0.0-10.0.0.3\n255.255.255.0/24\n255.255.255.255\n::/128\n::1\n"
	b, err := ParseBlocklist(strings.NewReader(in))
	if want := []string{"9.0.0.0/8", "10.0.0.0/23", "255.255.255.0/24", "::/127"}; err != nil || !slices.Equal(texts(b), want) {
		t.Errorf("%v, %q", err, texts(b))
	}
}

func TestBlocklistRefuses(t *testing.T) {
	var cut bytes.Buffer
	z := gzip.NewWriter(&cut)
	z.Write([]byte(strings.Repeat(mixedList, 50)))
	z.Close()
	cut.Truncate(cut.Len() - 20)
	const mostBytes, mostRanges = 1 << 20, 1000
	var bomb bytes.Buffer
	z = gzip.NewWriter(&bomb)
	z.Write(make([]byte, mostBytes+1))
	z.Close()
	var long strings.Builder
	for i := range mostRanges + 1 {
		fmt.Fprintf(&long, "10.%d.%d.0\n", i>>8, i&255)
	}
	if _, err := ParseBlocklist(strings.NewReader("0.0.0.0-255.255.255.255\n::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")); err != nil {
		t.Errorf("everything: %v", err)
	}
	for what, in := range map[string]string{
		"a page": "<html>\n<body>Not found</body>", "cut gzip": cut.String(), "bomb": bomb.String(), "too many": long.String(),
		"one long line": strings.Repeat("1.2.3.4 ", 1<<16), "pretends": "\x1f\x8bhello",
	} {
		if b, err := parseSpans(strings.NewReader(in), mostBytes, mostRanges); err == nil || len(b) > 0 || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %d ranges, %v", what, len(b), err)
		}
	}
}

func TestLoadBlocklist(t *testing.T) {
	name := filepath.Join(t.TempDir(), "list")
	if _, err := LoadBlocklist(name); err == nil {
		t.Error("no file is no error")
	}
	if _, err := LoadBlocklist(filepath.Dir(name)); err == nil {
		t.Error("a folder is no error")
	}
	if err := os.WriteFile(name, []byte("10.0.0.0/8"), 0o600); err != nil {
		t.Fatal(err)
	}
	if b, err := LoadBlocklist(name); err != nil || !blocks(b, "10.9.8.7") {
		t.Error(err)
	}
}

func FuzzBlocklist(f *testing.F) {
	f.Add([]byte(mixedList))
	f.Add([]byte("a:b:::1-::2\n1.2.3.4/0\n::/0"))
	f.Add([]byte("\x1f\x8b\x08\x00"))
	f.Fuzz(func(t *testing.T, in []byte) {
		b, err := ParseBlocklist(bytes.NewReader(in))
		if err != nil {
			return
		}
		// They are in order, apart, and make the lines' ranges up again.
		var again []span
		for _, p := range b {
			if p != p.Masked() || p.Addr().Is4In6() {
				t.Fatalf("prefix %v", p)
			}
			if n := len(again); n > 0 && again[n-1].to.Compare(p.Addr()) >= 0 {
				t.Fatalf("%v after %v", p, again[n-1].to)
			}
			again = append(again, span{p.Addr(), last(p)})
		}
		spans, _ := parseSpans(bytes.NewReader(in), maxListBytes, maxRanges)
		if want, got := merge(spans), merge(again); !slices.Equal(want, got) {
			t.Fatalf("%v became %v", want, got)
		}
	})
}
