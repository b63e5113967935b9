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

func ranges(b Blocklist) (s []string) {
	for _, r := range b.Ranges() {
		s = append(s, r.From.String()+"-"+r.To.String())
	}
	return s
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
		"1.9.96.105-1.9.96.110", "10.0.0.0-10.0.0.255", "192.0.2.1-192.0.2.2", "198.51.100.0-198.51.100.255",
		"203.0.113.5-203.0.113.9", "2001:db8::1-2001:db8::ff", "2001:db8:1::-2001:db8:1:ffff:ffff:ffff:ffff:ffff",
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	z.Write([]byte(mixedList))
	z.Close()
	for _, in := range []string{mixedList, packed.String()} {
		b, err := ParseBlocklist(strings.NewReader(in))
		if err != nil || !slices.Equal(ranges(b), want) || b.Skipped() != 4 {
			t.Errorf("%v, %d skipped, %q", err, b.Skipped(), ranges(b))
		}
		for a, blocked := range map[string]bool{
			"10.0.0.0": true, "10.0.0.255": true, "10.0.1.0": false, "9.255.255.255": false, "0.0.0.0": false,
			"::ffff:10.0.0.7": true, "2001:db8:1:2::3": true, "2001:db8:2::": false, "8.0.0.1": false, "::": false,
			"255.255.255.255": false, "192.0.2.2": true,
		} {
			if got := b.Contains(netip.MustParseAddr(a)); got != blocked {
				t.Errorf("%s: %v", a, got)
			}
		}
	}
	if b, err := ParseBlocklist(strings.NewReader("# nothing yet\n")); err != nil || b.Contains(netip.MustParseAddr("::1")) {
		t.Errorf("an empty list: %v", err)
	}
}

func TestBlocklistMerges(t *testing.T) {
	in := "10.0.0.0/24\n10.0.1.0/24\n10.0.0.5-10.0.0.9\n9.0.0.0-10.0.0.3\n255.255.255.0/24\n255.255.255.255\n::/128\n::1\n"
	b, err := ParseBlocklist(strings.NewReader(in))
	if want := []string{"9.0.0.0-10.0.1.255", "255.255.255.0-255.255.255.255", "::-::1"}; err != nil || !slices.Equal(ranges(b), want) {
		t.Errorf("%v, %q", err, ranges(b))
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
	for what, in := range map[string]string{
		"a page": "<html>\n<body>Not found</body>", "cut gzip": cut.String(), "bomb": bomb.String(), "too many": long.String(),
		"one long line": strings.Repeat("1.2.3.4 ", 1<<16), "pretends": "\x1f\x8bhello",
	} {
		if b, err := parseBlocklist(strings.NewReader(in), mostBytes, mostRanges); err == nil || len(b.Ranges()) > 0 || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %d ranges, %v", what, len(b.Ranges()), err)
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
	if b, err := LoadBlocklist(name); err != nil || !b.Contains(netip.MustParseAddr("10.9.8.7")) {
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
		var before netip.Addr
		for _, r := range b.Ranges() {
			if r.From.Compare(r.To) > 0 || r.From.BitLen() != r.To.BitLen() || before.IsValid() && before.Compare(r.From) >= 0 {
				t.Fatalf("%v after %v", r, before)
			}
			before = r.To
			if !b.Contains(r.From) || !b.Contains(r.To) || r.From.Prev().IsValid() && b.Contains(r.From.Prev()) || r.To.Next().IsValid() && b.Contains(r.To.Next()) {
				t.Fatalf("Contains disagrees with %v", r)
			}
		}
	})
}
