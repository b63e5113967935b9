package channel

import (
	"bytes"
	"errors"
	"strconv"
)

// maxDepth bounds nesting; a channel's info dict has three levels.
const maxDepth = 32

var errBencode = errors.New("not canonical bencoding")

// bencodeReader walks canonical bencoding (BEP 3) without building anything
// from it. The first mistake sticks: later calls return zero values.
type bencodeReader struct {
	b     []byte
	pos   int
	depth int
	bad   bool
}

// err reports a mistake, or bytes left over.
func (r *bencodeReader) err() error {
	if r.bad || r.pos != len(r.b) {
		return errBencode
	}
	return nil
}

// peek returns the next byte, 0 at the end.
func (r *bencodeReader) peek() byte {
	if r.bad || r.pos >= len(r.b) {
		return 0
	}
	return r.b[r.pos]
}

// expect takes the byte c.
func (r *bencodeReader) expect(c byte) {
	if r.peek() != c {
		r.bad = true
		return
	}
	r.pos++
}

// digits takes a decimal number up to end: no sign, no leading zero.
func (r *bencodeReader) digits(end byte) uint64 {
	start := r.pos
	for c := r.peek(); c >= '0' && c <= '9'; c = r.peek() {
		r.pos++
	}
	text := r.b[start:r.pos]
	r.expect(end)
	if r.bad || len(text) == 0 || len(text) > 18 || text[0] == '0' && len(text) > 1 {
		r.bad = true
		return 0
	}
	var n uint64
	for _, c := range text {
		n = n*10 + uint64(c-'0')
	}
	return n
}

// number takes an integer that is not negative.
func (r *bencodeReader) number() uint64 {
	r.expect('i')
	return r.digits('e')
}

// text takes a string, which aliases the input.
func (r *bencodeReader) text() []byte {
	n := r.digits(':')
	if r.bad || n > uint64(len(r.b)-r.pos) {
		r.bad = true
		return nil
	}
	s := r.b[r.pos : r.pos+int(n)]
	r.pos += int(n)
	return s
}

// list calls item for each item, which must take it.
func (r *bencodeReader) list(item func()) {
	r.expect('l')
	r.nest(item)
}

// dict calls value after each key, which must take the value. Keys rise.
func (r *bencodeReader) dict(value func(key string)) {
	var last []byte
	first := true
	r.expect('d')
	r.nest(func() {
		key := r.text()
		if !first && bytes.Compare(last, key) >= 0 {
			r.bad = true
		}
		if last, first = key, false; !r.bad {
			value(string(key))
		}
	})
}

// nest calls item until the list or dict that was begun ends.
func (r *bencodeReader) nest(item func()) {
	if r.depth++; r.depth > maxDepth {
		r.bad = true
	}
	for !r.bad && r.peek() != 'e' {
		item()
	}
	r.expect('e')
	r.depth--
}

// skip takes any value and returns its bytes, which alias the input.
func (r *bencodeReader) skip() []byte {
	start := r.pos
	switch c := r.peek(); {
	case c == 'i':
		r.pos++
		if r.peek() == '-' {
			if r.pos++; r.peek() == '0' {
				r.bad = true
			}
		}
		r.digits('e')
	case c == 'l':
		r.list(func() { r.skip() })
	case c == 'd':
		r.dict(func(string) { r.skip() })
	default:
		r.text()
	}
	if r.bad {
		return nil
	}
	return r.b[start:r.pos]
}

func appendText(dst []byte, s string) []byte {
	dst = strconv.AppendInt(dst, int64(len(s)), 10)
	dst = append(dst, ':')
	return append(dst, s...)
}

func appendNumber(dst []byte, n int) []byte {
	dst = append(dst, 'i')
	dst = strconv.AppendInt(dst, int64(n), 10)
	return append(dst, 'e')
}
