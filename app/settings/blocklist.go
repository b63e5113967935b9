package settings

import (
	"bufio"
	"bytes"
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
	// maxPrefixes bounds what becomes of them. A range takes two prefixes on
	// average, and 254 at worst.
	maxPrefixes = 1_000_000
	// maxListLine bounds a line: a range with the name of who owns it.
	maxListLine = 4 << 10
	// lastBlocked is the highest level of eMule's ipfilter.dat that blocks.
	lastBlocked = 127
)

// span is a range of addresses of one family, both ends included.
type span struct{ from, to netip.Addr }

// LoadBlocklist reads the list in a file, as ParseBlocklist does.
func LoadBlocklist(file string) ([]netip.Prefix, error) {
	info, err := os.Stat(file) // before it is opened: a pipe would make us wait
	if err != nil {
		return nil, fmt.Errorf("read blocklist: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("read blocklist: not a file")
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("read blocklist: %w", err)
	}
	defer f.Close()
	return ParseBlocklist(f)
}

// ParseBlocklist reads a list of addresses, as text or packed by gzip. A line is
// an address, a prefix (192.0.2.0/24), a range (192.0.2.1-192.0.2.9), one of
// PeerGuardian's P2P format (name:192.0.2.1-192.0.2.9) or of eMule's DAT format
// (192.000.002.001 - 192.000.002.009 , 100 , name). '#', ';' and '//' begin
// comments. Lines that are none of these are passed over; a list that has no other
// lines, is damaged or is too long is refused. The prefixes rise and do not
// overlap; IPv4 within IPv6 counts as IPv4.
func ParseBlocklist(r io.Reader) ([]netip.Prefix, error) {
	spans, err := parseSpans(r, maxListBytes, maxRanges)
	if err != nil {
		return nil, fmt.Errorf("read blocklist: %w", err)
	}
	var list []netip.Prefix
	for _, s := range merge(spans) {
		if list = s.appendPrefixes(list); len(list) > maxPrefixes {
			return nil, fmt.Errorf("read blocklist: more than %d prefixes", maxPrefixes)
		}
	}
	return list, nil
}

func parseSpans(r io.Reader, mostBytes int64, mostRanges int) ([]span, error) {
	in := bufio.NewReader(r)
	if magic, _ := in.Peek(2); bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		unpacked, err := gzip.NewReader(in)
		if err != nil {
			return nil, err
		}
		in = bufio.NewReader(unpacked)
	}
	limited := &io.LimitedReader{R: in, N: mostBytes + 1}
	lines := bufio.NewReaderSize(limited, maxListLine)
	var spans []span
	understood, unknown := false, false
	for {
		line, err := lines.ReadSlice('\n')
		for errors.Is(err, bufio.ErrBufferFull) { // too long: not ours, skip the rest
			line = []byte("too long")
			_, err = lines.ReadSlice('\n')
		}
		if err != nil && err != io.EOF {
			return nil, err
		}
		switch got, kind := parseLine(string(line)); kind {
		case lineRange:
			spans, understood = append(spans, got), true
		case lineAllowed:
			understood = true
		case lineUnknown:
			unknown = true
		}
		if len(spans) > mostRanges {
			return nil, fmt.Errorf("more than %d ranges", mostRanges)
		}
		if err == io.EOF {
			break
		}
	}
	if limited.N <= 0 {
		return nil, fmt.Errorf("longer than %d bytes", mostBytes)
	}
	if unknown && !understood {
		return nil, errors.New("no line of it is an address, prefix or range")
	}
	return spans, nil
}

// merge sorts ranges and joins those that overlap or touch.
func merge(spans []span) (kept []span) {
	slices.SortFunc(spans, func(a, b span) int { return a.from.Compare(b.from) }) // IPv4 first
	for _, s := range spans {
		if n := len(kept); n > 0 {
			before := &kept[n-1]
			next := before.to.Next() // invalid after the last address of a family
			if s.from.BitLen() == before.to.BitLen() && (!next.IsValid() || s.from.Compare(next) <= 0) {
				if s.to.Compare(before.to) > 0 {
					before.to = s.to
				}
				continue
			}
		}
		kept = append(kept, s)
	}
	return kept
}

// appendPrefixes appends the fewest prefixes that make up s.
func (s span) appendPrefixes(list []netip.Prefix) []netip.Prefix {
	for a := s.from; ; {
		p := netip.PrefixFrom(a, a.BitLen())
		for p.Bits() > 0 {
			wider := netip.PrefixFrom(a, p.Bits()-1)
			if wider.Masked().Addr() != a || last(wider).Compare(s.to) > 0 {
				break
			}
			p = wider
		}
		list = append(list, p)
		if a = last(p).Next(); !a.IsValid() || a.Compare(s.to) > 0 {
			return list
		}
	}
}

// lineKind is what a line is.
type lineKind uint8

const (
	lineNothing lineKind = iota // empty, or a comment
	lineRange
	lineAllowed // eMule's word for what is not blocked
	lineUnknown
)

func parseLine(s string) (span, lineKind) {
	s = strings.TrimSpace(strings.TrimPrefix(s, "\ufeff"))
	if s == "" || s[0] == '#' || s[0] == ';' || strings.HasPrefix(s, "//") {
		return span{}, lineNothing
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
			return span{}, lineUnknown
		}
		if r, ok := parseAddresses(after); ok {
			return r, lineRange
		}
		rest = after
	}
}

// parseAddresses reads a range, a prefix or an address.
func parseAddresses(s string) (span, bool) {
	s = strings.TrimSpace(s)
	if len(s) > 2*maxAddress+3 { // "from - to"
		return span{}, false
	}
	if from, to, ok := strings.Cut(s, "-"); ok {
		f, ok1 := parseAddress(from)
		t, ok2 := parseAddress(to)
		return span{f, t}, ok1 && ok2 && f.BitLen() == t.BitLen() && f.Compare(t) <= 0
	}
	if address, bits, ok := strings.Cut(s, "/"); ok {
		a, ok := parseAddress(address)
		n, err := strconv.Atoi(strings.TrimSpace(bits))
		if !ok || err != nil {
			return span{}, false
		}
		p, err := a.Prefix(n)
		if err != nil {
			return span{}, false
		}
		return span{p.Addr(), last(p)}, true
	}
	a, ok := parseAddress(s)
	return span{a, a}, ok
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

// last returns the last address of a prefix.
func last(p netip.Prefix) netip.Addr {
	b := p.Addr().As16()
	for i := 128 - p.Addr().BitLen() + p.Bits(); i < 128; i++ {
		b[i/8] |= 1 << (7 - i%8)
	}
	if p.Addr().Is4() {
		return netip.AddrFrom4([4]byte(b[12:]))
	}
	return netip.AddrFrom16(b)
}
