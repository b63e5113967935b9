package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"unicode/utf8"

	"coral/store/segment"
)

// ErrUnknown says that a message is of a type that this version does not know.
var ErrUnknown = errors.New("unknown message type")

var errMalformed = errors.New("malformed")

const (
	kindHello byte = 1 + iota
	kindWatching
	kindRecords
	kindWindow
	kindHave
	kindRequest
	kindCancel
	kindBlock
	kindRefuse
	kindClaim
	kindPing
	kindPong
	kindBye
	kindEnd
)

func (*Hello) kind() byte    { return kindHello }
func (*Watching) kind() byte { return kindWatching }
func (*Records) kind() byte  { return kindRecords }
func (*Window) kind() byte   { return kindWindow }
func (*Have) kind() byte     { return kindHave }
func (*Request) kind() byte  { return kindRequest }
func (*Cancel) kind() byte   { return kindCancel }
func (*Block) kind() byte    { return kindBlock }
func (*Refuse) kind() byte   { return kindRefuse }
func (*Claim) kind() byte    { return kindClaim }
func (*Ping) kind() byte     { return kindPing }
func (*Pong) kind() byte     { return kindPong }
func (*Bye) kind() byte      { return kindBye }

// Append appends m's bytes to dst. It does not judge m: what breaks a limit is
// refused by the receiver's Parse.
func Append(dst []byte, m Message) []byte { return m.append(append(dst, m.kind())) }

// Parse reads one message. Block.Data and the records of Records alias b; the
// rest is copied. An error is ErrUnknown or means that the sender broke the
// protocol.
func Parse(b []byte) (Message, error) {
	if len(b) == 0 {
		return nil, fmt.Errorf("parse message: empty: %w", errMalformed)
	}
	if len(b) > MaxMessage {
		return nil, fmt.Errorf("parse message: %d bytes: %w", len(b), errMalformed)
	}
	r := reader{b: b[1:]}
	var m Message
	switch b[0] {
	case kindHello:
		m = r.hello()
	case kindWatching:
		m = &Watching{Uploads: r.bool(), Renditions: r.renditions()}
	case kindRecords:
		m = r.records()
	case kindWindow:
		m = &Window{All: r.bool(), Rendition: r.u16(), From: r.uvarint()}
	case kindHave:
		m = r.have()
	case kindRequest:
		m = &Request{ID: r.id(), Block: r.block(), Due: r.u32()}
	case kindCancel:
		m = &Cancel{ID: r.id(), Block: r.block()}
	case kindBlock:
		m = &Block{ID: r.id(), Block: r.block(), Data: r.rest(1, segment.BlockSize)}
	case kindRefuse:
		m = &Refuse{ID: r.id(), Block: r.block(), Reason: RefuseReason(r.below(byte(Elsewhere) + 1))}
	case kindClaim:
		m = r.claim()
	case kindPing:
		m = &Ping{Token: r.u64()}
	case kindPong:
		m = &Pong{Token: r.u64()}
	case kindBye:
		m = &Bye{}
	default:
		return nil, ErrUnknown
	}
	if len(r.b) != 0 {
		r.bad = true
	}
	if r.bad {
		return nil, fmt.Errorf("parse message: type %d: %w", b[0], errMalformed)
	}
	return m, nil
}

// BlockHead reads which block a Block message that begins with b brings; it reports
// false if b is none, or too short to tell.
func BlockHead(b []byte) (id segment.ID, block uint16, ok bool) {
	if len(b) == 0 || b[0] != kindBlock {
		return segment.ID{}, 0, false
	}
	r := reader{b: b[1:]}
	id, block = r.id(), r.block()
	return id, block, !r.bad
}

func (m *Hello) append(dst []byte) []byte {
	dst = binary.AppendUvarint(dst, uint64(m.Version))
	dst = append(dst, byte(m.Role))
	dst = append(dst, m.Nonce[:]...)
	dst = append(dst, m.Auth[:]...)
	dst = appendBool(dst, m.Uploads)
	dst = appendRenditions(dst, m.Renditions)
	dst = binary.AppendUvarint(dst, uint64(len(m.Agent)))
	return append(dst, m.Agent...)
}

func (r *reader) hello() *Hello {
	m := &Hello{Version: r.u16()}
	if m.Version > Version {
		m.Role = Role(r.byte()) // a later version may know more roles
	} else {
		m.Role = Role(r.below(byte(Publisher) + 1))
	}
	copy(m.Nonce[:], r.take(len(m.Nonce)))
	copy(m.Auth[:], r.take(len(m.Auth)))
	m.Uploads, m.Renditions = r.bool(), r.renditions()
	agent := r.take(r.count(0, MaxAgent))
	if m.Version == 0 || !utf8.Valid(agent) {
		r.bad = true
	}
	m.Agent = string(agent)
	if m.Version > Version {
		r.b = nil
	}
	return m
}

func (m *Watching) append(dst []byte) []byte {
	return appendRenditions(appendBool(dst, m.Uploads), m.Renditions)
}

func (m *Records) append(dst []byte) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(m.Records)))
	for _, rec := range m.Records {
		dst = binary.AppendUvarint(dst, uint64(len(rec)))
		dst = append(dst, rec...)
	}
	return dst
}

func (r *reader) records() *Records {
	n := r.count(1, MaxRecords)
	m := &Records{Records: make([][]byte, 0, min(n, len(r.b)))}
	for range n {
		rec := r.take(r.count(1, MaxMessage))
		if r.bad {
			break
		}
		m.Records = append(m.Records, rec)
	}
	return m
}

func (m *Window) append(dst []byte) []byte {
	dst = binary.AppendUvarint(appendBool(dst, m.All), uint64(m.Rendition))
	return binary.AppendUvarint(dst, m.From)
}

func (m *Have) append(dst []byte) []byte {
	dst = binary.AppendUvarint(appendID(dst, m.ID), uint64(m.Blocks))
	dst = appendSet(dst, m.Held, int(m.Blocks))
	return appendSet(dst, m.Fetching, int(m.Blocks))
}

func (r *reader) have() *Have {
	m := &Have{ID: r.id(), Blocks: uint16(r.count(1, segment.MaxBlocks))}
	m.Held, m.Fetching = r.set(int(m.Blocks)), r.set(int(m.Blocks))
	return m
}

func (m *Request) append(dst []byte) []byte {
	return binary.AppendUvarint(appendBlock(dst, m.ID, m.Block), uint64(m.Due))
}

func (m *Cancel) append(dst []byte) []byte { return appendBlock(dst, m.ID, m.Block) }

func (m *Block) append(dst []byte) []byte {
	return append(appendBlock(dst, m.ID, m.Block), m.Data...)
}

func (m *Refuse) append(dst []byte) []byte {
	return append(appendBlock(dst, m.ID, m.Block), byte(m.Reason))
}

func (m *Claim) append(dst []byte) []byte {
	dst = append(appendID(dst, m.ID), m.Round, m.TTL)
	dst = binary.AppendUvarint(dst, uint64(m.First))
	dst = binary.AppendUvarint(dst, uint64(m.Count))
	return binary.BigEndian.AppendUint64(dst, m.Claimant)
}

func (r *reader) claim() *Claim {
	m := &Claim{ID: r.id(), Round: r.byte(), TTL: r.byte(), First: r.block()}
	m.Count = uint16(r.count(1, segment.MaxBlocks))
	if int(m.First)+int(m.Count) > segment.MaxBlocks {
		r.bad = true
	}
	m.Claimant = r.u64()
	return m
}

func (m *Ping) append(dst []byte) []byte { return binary.BigEndian.AppendUint64(dst, m.Token) }
func (m *Pong) append(dst []byte) []byte { return binary.BigEndian.AppendUint64(dst, m.Token) }
func (m *Bye) append(dst []byte) []byte  { return dst }

func appendBool(dst []byte, v bool) []byte {
	if v {
		return append(dst, 1)
	}
	return append(dst, 0)
}

func appendRenditions(dst []byte, rs []uint16) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(rs)))
	for _, r := range rs {
		dst = binary.AppendUvarint(dst, uint64(r))
	}
	return dst
}

func appendID(dst []byte, id segment.ID) []byte {
	dst = binary.AppendUvarint(dst, uint64(id.Rendition))
	return binary.AppendUvarint(append(dst, byte(id.Kind)), id.Sequence)
}

func appendBlock(dst []byte, id segment.ID, block uint16) []byte {
	return binary.AppendUvarint(appendID(dst, id), uint64(block))
}

// appendSet writes the first n bits of b; bits past n are left out, words past
// b's end are zero.
func appendSet(dst []byte, b segment.Bitmap, n int) []byte {
	for i := range (n + 7) / 8 {
		var v byte
		if w := i / 8; w < len(b) {
			v = byte(b[w] >> (i % 8 * 8))
		}
		if left := n - i*8; left < 8 {
			v &= 1<<left - 1
		}
		dst = append(dst, v)
	}
	return dst
}

// reader takes fields from the front of b. After the first fault bad stays set
// and every field reads as its zero value.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) take(n int) []byte {
	if r.bad || n > len(r.b) {
		r.bad, r.b = true, nil
		return nil
	}
	p := r.b[:n:n]
	r.b = r.b[n:]
	return p
}

func (r *reader) rest(low, high int) []byte {
	if n := len(r.b); n < low || n > high {
		r.bad = true
	}
	return r.take(len(r.b))
}

func (r *reader) byte() byte {
	if p := r.take(1); p != nil {
		return p[0]
	}
	return 0
}

// below reads a byte that must be smaller than end.
func (r *reader) below(end byte) byte {
	v := r.byte()
	if v >= end {
		r.bad = true
		return 0
	}
	return v
}

func (r *reader) bool() bool { return r.below(2) == 1 }

func (r *reader) u64() uint64 {
	if p := r.take(8); p != nil {
		return binary.BigEndian.Uint64(p)
	}
	return 0
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	// Another length than the shortest would be a second encoding.
	if r.bad || n <= 0 || n != max(1, (bits.Len64(v)+6)/7) {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return v
}

// count reads a uvarint from low to high.
func (r *reader) count(low, high int) int {
	v := r.uvarint()
	if v < uint64(low) || v > uint64(high) {
		r.bad = true
		return low
	}
	return int(v)
}

func (r *reader) u16() uint16   { return uint16(r.count(0, math.MaxUint16)) }
func (r *reader) block() uint16 { return uint16(r.count(0, segment.MaxBlocks-1)) }

func (r *reader) u32() uint32 {
	v := r.uvarint()
	if v > math.MaxUint32 {
		r.bad = true
		return 0
	}
	return uint32(v)
}

func (r *reader) id() segment.ID {
	return segment.ID{Rendition: r.u16(), Kind: segment.Kind(r.below(byte(segment.Init) + 1)), Sequence: r.uvarint()}
}

func (r *reader) renditions() []uint16 {
	n := r.count(0, MaxRenditions)
	if r.bad || n == 0 {
		return nil
	}
	rs := make([]uint16, n)
	for i := range rs {
		rs[i] = r.u16()
	}
	return rs
}

func (r *reader) set(n int) segment.Bitmap {
	p := r.take((n + 7) / 8)
	if p == nil {
		return nil
	}
	if left := n % 8; left != 0 && p[len(p)-1]>>left != 0 {
		r.bad = true
	}
	b := segment.NewBitmap(n)
	for i, v := range p {
		b[i/8] |= uint64(v) << (i % 8 * 8)
	}
	return b
}
