package budget

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"strconv"
	"strings"
)

// Rate is a data rate in bits per second. 0 means none at all, Unlimited means
// no cap; other negative rates are not valid.
type Rate int64

// Unlimited is the rate that is no cap.
const Unlimited Rate = -1

// maxRate bounds what ParseRate accepts: a terabit per second, beyond any line,
// and small enough for the bucket's arithmetic.
const maxRate = 1e12

// Size is an amount of data in bytes.
type Size int64

// maxSize bounds what ParseSize accepts: an exabyte.
const maxSize = 1e18

var (
	errSyntax = errors.New("not a number with a unit")
	errRange  = errors.New("too large")
	errUnit   = errors.New("unknown unit")
	errWhole  = errors.New("not a whole number of the smallest unit")
)

type unit struct {
	name string
	n    int64
}

var (
	// Largest first: String prints in the first one that fits.
	rateUnits = []unit{{"G", 1e9}, {"M", 1e6}, {"k", 1e3}, {"", 1}}
	sizeUnits = []unit{
		{"TiB", 1 << 40},
		{"GiB", 1 << 30},
		{"MiB", 1 << 20},
		{"KiB", 1 << 10},
		{"TB", 1e12},
		{"GB", 1e9},
		{"MB", 1e6},
		{"kB", 1e3},
		{"B", 1},
		{"", 1},
	}
)

// ParseRate reads a rate: a decimal number with the unit k, M or G (powers of
// 1000) or none for bits per second, or "unlimited".
func ParseRate(s string) (Rate, error) {
	if strings.EqualFold(strings.TrimSpace(s), "unlimited") {
		return Unlimited, nil
	}
	n, err := parse(s, rateUnits, maxRate)
	if err != nil {
		return 0, fmt.Errorf("rate %q: %w (write 800k, 5M, 0 or unlimited)", clip(s), err)
	}
	return Rate(n), nil
}

// ParseSize reads a size: a decimal number with the unit B, kB, MB, GB, TB
// (powers of 1000) or KiB, MiB, GiB, TiB (powers of 1024), or none for bytes.
func ParseSize(s string) (Size, error) {
	n, err := parse(s, sizeUnits, maxSize)
	if err != nil {
		return 0, fmt.Errorf("size %q: %w (write 512MiB, 5GB or 0)", clip(s), err)
	}
	return Size(n), nil
}

// String writes r as ParseRate reads it.
func (r Rate) String() string {
	if r < 0 {
		return "unlimited"
	}
	for _, u := range rateUnits {
		if int64(r) >= u.n {
			return decimal(int64(r), u.n) + u.name
		}
	}
	return "0"
}

// String writes s as ParseSize reads it, in the unit that makes it shortest.
func (s Size) String() string {
	best := strconv.FormatInt(int64(s), 10)
	if s <= 0 {
		return best
	}
	number := best
	for _, u := range sizeUnits {
		if int64(s)%u.n != 0 || u.n == 1 {
			continue
		}
		if n := strconv.FormatInt(int64(s)/u.n, 10); len(n) < len(number) {
			best, number = n+u.name, n
		}
	}
	return best
}

// MarshalText and UnmarshalText let settings and flags hold rates as text.
func (r Rate) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (r *Rate) UnmarshalText(b []byte) (err error) {
	*r, err = ParseRate(string(b))
	return err
}

// MarshalText writes s as String does.
func (s Size) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (s *Size) UnmarshalText(b []byte) (err error) {
	*s, err = ParseSize(string(b))
	return err
}

// BytesPerSecond returns the rate in bytes, or math.MaxInt64 if unlimited.
func (r Rate) BytesPerSecond() int64 {
	if r < 0 {
		return math.MaxInt64
	}
	return int64(r) / 8
}

// parse reads a decimal number and one of units exactly, without rounding.
func parse(s string, units []unit, limit int64) (int64, error) {
	s = strings.TrimSpace(s)
	if len(s) > 40 {
		return 0, errSyntax
	}
	end := 0
	for end < len(s) && (s[end] >= '0' && s[end] <= '9' || s[end] == '.') {
		end++
	}
	whole, frac, _ := strings.Cut(s[:end], ".")
	name := strings.TrimSpace(s[end:])
	if whole == "" || strings.Contains(frac, ".") || end > 0 && s[end-1] == '.' {
		return 0, errSyntax
	}
	scale := int64(0)
	for _, u := range units {
		if strings.EqualFold(name, u.name) {
			scale = u.n
			break
		}
	}
	if scale == 0 {
		return 0, errUnit
	}
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || n > limit/scale {
		return 0, errRange
	}
	n *= scale
	frac = strings.TrimRight(frac, "0")
	if frac != "" {
		if len(frac) > 12 {
			return 0, errWhole
		}
		f, _ := strconv.ParseInt(frac, 10, 64) // 12 digits at most
		part, ok := fraction(f, len(frac), scale)
		if !ok {
			return 0, errWhole
		}
		n += part
	}
	if n > limit {
		return 0, errRange
	}
	return n, nil
}

// fraction returns 0.f of scale, f having the given number of digits, if that is
// a whole number.
func fraction(f int64, digits int, scale int64) (int64, bool) {
	pow := int64(1)
	for range digits {
		pow *= 10
	}
	hi, lo := bits.Mul64(uint64(f), uint64(scale))
	if hi >= uint64(pow) {
		return 0, false
	}
	q, r := bits.Div64(hi, lo, uint64(pow))
	return int64(q), r == 0
}

// decimal writes n/scale exactly; scale is a power of ten.
func decimal(n, scale int64) string {
	s := strconv.FormatInt(n/scale, 10)
	if r := n % scale; r != 0 {
		digits := len(strconv.FormatInt(scale, 10)) - 1
		s += "." + strings.TrimRight(fmt.Sprintf("%0*d", digits, r), "0")
	}
	return s
}

func clip(s string) string {
	if len(s) > 40 {
		return s[:40] + "…"
	}
	return s
}
