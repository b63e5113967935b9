package proxy

import (
	"math"
	"net/http"
	"strconv"
	"strings"
)

// byteRange is one range of a Range header (RFC 9110 14.1.2).
type byteRange struct {
	kind  rangeKind
	first int64 // rangeFrom
	last  int64 // rangeFrom: inclusive, MaxInt64 if open; rangeSuffix: how many bytes from the end
}

type rangeKind uint8

const (
	rangeNone rangeKind = iota // the whole, with 200
	rangeFrom
	rangeSuffix
)

// parseRange reads the request's range. What we do not understand or serve is
// ignored, as RFC 9110 14.2 allows: other units, several ranges, bad syntax, and
// a range conditional on a validator (If-Range), because we send none.
func parseRange(h http.Header) byteRange {
	values := h.Values("Range")
	if len(values) != 1 || len(h.Values("If-Range")) > 0 {
		return byteRange{}
	}
	unit, spec, ok := strings.Cut(values[0], "=")
	if !ok || !strings.EqualFold(strings.TrimSpace(unit), "bytes") {
		return byteRange{}
	}
	left, right, ok := strings.Cut(strings.Trim(spec, " \t"), "-")
	if !ok {
		return byteRange{}
	}
	first, okL := rangeNumber(left)
	last, okR := rangeNumber(right)
	switch {
	case left == "" && okR:
		return byteRange{kind: rangeSuffix, last: last}
	case right == "" && okL:
		return byteRange{kind: rangeFrom, first: first, last: math.MaxInt64}
	case okL && okR && first <= last:
		return byteRange{kind: rangeFrom, first: first, last: last}
	}
	return byteRange{}
}

// rangeNumber parses 1*DIGIT; a number too large for us is as good as the largest.
func rangeNumber(s string) (int64, bool) {
	if s == "" {
		return 0, false
	}
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return 0, false
		}
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return math.MaxInt64, true
	}
	return n, true
}

// needsSize reports whether the answer to r cannot begin before the size of the
// whole is known: only a range from 0 to the end can also be given as the whole.
func (r byteRange) needsSize() bool {
	return r.kind == rangeSuffix || r.kind == rangeFrom && (r.first > 0 || r.last < math.MaxInt64)
}

// resolve returns the half-open part of size bytes that r names. ok is false if
// it names none: 416.
func (r byteRange) resolve(size int64) (from, to int64, ok bool) {
	switch r.kind {
	case rangeFrom:
		if r.first >= size {
			return 0, 0, false
		}
		return r.first, min(r.last, size-1) + 1, true
	case rangeSuffix:
		if r.last == 0 || size == 0 {
			return 0, 0, false
		}
		return max(0, size-r.last), size, true
	}
	return 0, size, true
}
