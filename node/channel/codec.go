package channel

import (
	"encoding/binary"
	"time"
)

// A record is a body, the first keyIDSize bytes of the signer's public key, and
// an ed25519 signature. A body begins with its type and the format's version.
const (
	typeDelegation   = 1
	typePresentation = 2
	typeEntry        = 3
	recordVersion    = 1
)

// bodyReader reads a body's fields in turn. The first mistake sticks: later
// calls return zero values.
type bodyReader struct {
	b   []byte
	bad bool
}

func (r *bodyReader) take(n int) []byte {
	if r.bad || n < 0 || n > len(r.b) {
		r.bad = true
		return nil
	}
	s := r.b[:n:n]
	r.b = r.b[n:]
	return s
}

func (r *bodyReader) byte() byte {
	if s := r.take(1); s != nil {
		return s[0]
	}
	return 0
}

// number takes a uvarint in its shortest form, at most bound.
func (r *bodyReader) number(bound uint64) uint64 {
	if r.bad {
		return 0
	}
	v, n := binary.Uvarint(r.b)
	if n <= 0 || n > 1 && r.b[n-1] == 0 || v > bound {
		r.bad = true
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *bodyReader) text(bound int) string { return string(r.take(int(r.number(uint64(bound))))) }

func (r *bodyReader) time() time.Time {
	s := r.take(8)
	if s == nil {
		return time.Time{}
	}
	return time.Unix(0, int64(binary.BigEndian.Uint64(s))).UTC()
}

// ext takes the extensions that end a body: a length, then (tag, length, bytes)
// with rising tags. Odd tags must be understood, so they are refused; even ones
// are kept.
func (r *bodyReader) ext() []byte {
	raw := r.take(int(r.number(maxExt)))
	in := bodyReader{b: raw}
	for last := int64(-1); len(in.b) > 0 && !in.bad; {
		tag := int64(in.number(maxExt))
		in.take(int(in.number(maxExt)))
		if tag <= last || tag%2 != 0 {
			in.bad = true
		}
		last = tag
	}
	if r.bad = r.bad || in.bad; r.bad || len(raw) == 0 {
		return nil
	}
	return append([]byte(nil), raw...)
}

// done reports whether all went well and nothing is left.
func (r *bodyReader) done() bool { return !r.bad && len(r.b) == 0 }

// appendString appends a length and the bytes of a text or of extensions.
func appendString[T string | []byte](dst []byte, s T) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

func appendTime(dst []byte, t time.Time) []byte {
	return binary.BigEndian.AppendUint64(dst, uint64(t.UnixNano()))
}

// flags packs booleans, the first in the lowest bit.
func flags(set ...bool) byte {
	var f byte
	for i, b := range set {
		if b {
			f |= 1 << i
		}
	}
	return f
}
