package settings

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
)

const (
	// maxListBytes bounds a list as text, after unpacking. The largest that are
	// handed round are about 30 MiB.
	maxListBytes = 64 << 20
	// maxRanges bounds a list's ranges, at 48 bytes each; the largest have about
	// 250,000. A list that is cut would let through what it should not, so one
	// that is longer is refused.
	maxRanges = 500_000
	// maxListLine bounds a line: a range with the name of who owns it.
	maxListLine = 4 << 10
	// lastBlocked is the highest level of eMule's ipfilter.dat that blocks.
	lastBlocked = 127
)

// Range is a range of addresses, both ends included.
type Range struct{ From, To netip.Addr }

// Blocklist is addresses to keep away from. The zero Blocklist is empty. It is
// never changed, so any goroutine may use it.
type Blocklist struct {
	ranges  []Range // rising, apart from each other
	skipped int
}

// Ranges returns the ranges, rising and apart from each other. Callers do not
// change them.
func (b Blocklist) Ranges() []Range { return b.ranges }

// Skipped is how many lines were neither understood nor empty.
func (b Blocklist) Skipped() int { return b.skipped }

// Contains reports whether a is to be kept away from. An IPv4 address within
// IPv6 counts as IPv4.
func (b Blocklist) Contains(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	i, exact := slices.BinarySearchFunc(b.ranges, a, func(r Range, a netip.Addr) int { return r.From.Compare(a) })
	return exact || i > 0 && a.Compare(b.ranges[i-1].To) <= 0
}

// LoadBlocklist reads the list in a file, as ParseBlocklist does.
func LoadBlocklist(file string) (Blocklist, error) {
	info, err := os.Stat(file) // before it is opened: a pipe would make us wait
	if err != nil {
		return Blocklist{}, fmt.Errorf("read blocklist: %w", err)
	}
	if !info.Mode().IsRegular() {
		return Blocklist{}, errors.New("read blocklist: not a file")
	}
	f, err := os.Open(file)
	if err != nil {
		return Blocklist{}, fmt.Errorf("read blocklist: %w", err)
	}
	defer f.Close()
	return ParseBlocklist(f)
}

// ParseBlocklist reads a list of addresses, as text or packed by gzip. A line is
// an address, a prefix (192.0.2.0/24), a range (192.0.2.1-192.0.2.9), one of
// PeerGuardian's P2P format (name:192.0.2.1-192.0.2.9) or of eMule's DAT format
// (192.000.002.001 - 192.000.002.009 , 100 , name). '#', ';' and '//' begin
// comments. Lines that are none of these are passed over and counted; a list
// without a line that is, one that is damaged or one that is too long is refused.
func ParseBlocklist(r io.Reader) (Blocklist, error) {
	b, err := parseBlocklist(r, maxListBytes, maxRanges)
	if err != nil {
		return Blocklist{}, fmt.Errorf("read blocklist: %w", err)
	}
	return b, nil
}

func parseBlocklist(r io.Reader, mostBytes int64, mostRanges int) (b Blocklist, err error) {
	in := bufio.NewReader(r)
	if magic, _ := in.Peek(2); bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		unpacked, err := gzip.NewReader(in)
		if err != nil {
			return b, err
		}
		in = bufio.NewReader(unpacked)
	}
	limited := &io.LimitedReader{R: in, N: mostBytes + 1}
	lines := bufio.NewReaderSize(limited, maxListLine)
	var ranges []Range
	seen := 0
	for {
		line, err := lines.ReadSlice('\n')
		for errors.Is(err, bufio.ErrBufferFull) { // too long: not ours, skip the rest
			line = []byte("too long")
			_, err = lines.ReadSlice('\n')
		}
		if err != nil && err != io.EOF {
			return b, err
		}
		switch got, kind := parseLine(string(line)); kind {
		case lineRange:
			ranges = append(ranges, got)
			seen++
		case lineAllowed:
			seen++
		case lineUnknown:
			b.skipped++
		}
		if len(ranges) > mostRanges {
			return b, fmt.Errorf("more than %d ranges", mostRanges)
		}
		if err == io.EOF {
			break
		}
	}
	if limited.N <= 0 {
		return b, fmt.Errorf("longer than %d bytes", mostBytes)
	}
	if seen == 0 && b.skipped > 0 {
		return b, errors.New("no line of it is an address, prefix or range")
	}
	b.ranges = merge(ranges)
	return b, nil
}

// merge sorts ranges and joins those that overlap or touch.
func merge(ranges []Range) []Range {
	slices.SortFunc(ranges, func(a, b Range) int { return cmp.Or(a.From.Compare(b.From), a.To.Compare(b.To)) })
	var kept []Range
	for _, r := range ranges {
		if n := len(kept); n > 0 {
			last := &kept[n-1]
			next := last.To.Next() // invalid, and below all others, after the last address
			if r.From.BitLen() == last.To.BitLen() && (!next.IsValid() || r.From.Compare(next) <= 0) {
				if r.To.Compare(last.To) > 0 {
					last.To = r.To
				}
				continue
			}
		}
		kept = append(kept, r)
	}
	return slices.Clip(kept)
}

// lineKind is what a line is.
type lineKind uint8

const (
	lineNothing lineKind = iota // empty, or a comment
	lineRange
	lineAllowed // eMule's word for what is not blocked
	lineUnknown
)

func parseLine(s string) (Range, lineKind) {
	s = strings.TrimSpace(strings.TrimPrefix(s, "\ufeff"))
	if s == "" || s[0] == '#' || s[0] == ';' || strings.HasPrefix(s, "//") {
		return Range{}, lineNothing
	}
	if r, ok := parseAddresses(s); ok {
		return r, lineRange
	}
	if addresses, rest, ok := strings.Cut(s, ","); ok { // eMule
		if r, ok := parseAddresses(addresses); ok {
			level, _, _ := strings.Cut(rest, ",")
			if n, err := strconv.Atoi(strings.TrimSpace(level)); err == nil && n > lastBlocked {
				return r, lineAllowed
			}
			return r, lineRange
		}
	}
	if before, _, ok := strings.Cut(s, "#"); ok {
		if r, ok := parseAddresses(before); ok {
			return r, lineRange
		}
	}
	// PeerGuardian: names may hold colons, and so do IPv6 addresses.
	for rest := s; ; {
		_, after, ok := strings.Cut(rest, ":")
		if !ok {
			return Range{}, lineUnknown
		}
		if r, ok := parseAddresses(after); ok {
			return r, lineRange
		}
		rest = after
	}
}

// parseAddresses reads a range, a prefix or an address.
func parseAddresses(s string) (Range, bool) {
	s = strings.TrimSpace(s)
	if len(s) > 2*maxAddress+3 { // "from - to"
		return Range{}, false
	}
	if from, to, ok := strings.Cut(s, "-"); ok {
		f, ok1 := parseAddress(from)
		t, ok2 := parseAddress(to)
		return Range{f, t}, ok1 && ok2 && f.BitLen() == t.BitLen() && f.Compare(t) <= 0
	}
	if address, bits, ok := strings.Cut(s, "/"); ok {
		a, ok := parseAddress(address)
		n, err := strconv.Atoi(strings.TrimSpace(bits))
		if !ok || err != nil {
			return Range{}, false
		}
		p, err := a.Prefix(n)
		if err != nil {
			return Range{}, false
		}
		return Range{p.Addr(), last(p)}, true
	}
	a, ok := parseAddress(s)
	return Range{a, a}, ok
}

// maxAddress is the length of the longest address: IPv6 with IPv4 at its end.
const maxAddress = 45

// parseAddress reads an address. DAT files fill numbers up with zeros, which do
// not mean octal here.
func parseAddress(s string) (netip.Addr, bool) {
	s = strings.TrimSpace(s)
	if !strings.Contains(s, ":") && strings.Contains(s, ".") {
		parts := strings.Split(s, ".")
		for i, p := range parts {
			if parts[i] = strings.TrimLeft(p, "0"); parts[i] == "" && p != "" {
				parts[i] = "0"
			}
		}
		s = strings.Join(parts, ".")
	}
	a, err := netip.ParseAddr(s)
	return a.Unmap(), err == nil && a.Zone() == ""
}

// last returns a prefix's last address.
func last(p netip.Prefix) netip.Addr {
	b := p.Addr().AsSlice()
	for i := p.Bits(); i < len(b)*8; i++ {
		b[i/8] |= 1 << (7 - i%8)
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}
