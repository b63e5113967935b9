// Package wire holds the messages that Coral's peers exchange and their bytes.
// It is pure: no clock, no socket, no library; it imports store/segment only.
//
// A message is the payload of one BEP 10 extension message named Extension:
//
//	message  = type:byte body
//	uvarint  = unsigned LEB128, at most 64 bits, shortest form only
//	bool     = 0 | 1
//	id       = rendition:uvarint(16 bit) kind:byte(0 media, 1 init) sequence:uvarint
//	bytes    = length:uvarint byte*
//	set(n)   = ceil(n/8) bytes, block 0 in the lowest bit of the first; bits ≥ n are 0
//
//	1 hello    version:uvarint(16) role:byte nonce:16 auth:32 uploads:bool
//	           count:uvarint(≤ 64) rendition:uvarint(16)* agent:bytes(≤ 64, UTF-8)
//	2 watching uploads:bool count:uvarint rendition:uvarint*
//	3 records  count:uvarint(1 … 512) record:bytes(not empty)*
//	4 window   all:bool rendition:uvarint from:uvarint
//	5 have     id blocks:uvarint(1 … 1024) held:set(blocks) fetching:set(blocks)
//	6 request  id block:uvarint due:uvarint(32)
//	7 cancel   id block:uvarint
//	8 block    id block:uvarint data: the rest, 1 … 32768 bytes
//	9 refuse   id block:uvarint reason:byte
//	10 claim   id round:byte ttl:byte first:uvarint count:uvarint(≥ 1) claimant:8
//	11 ping    token:8
//	12 pong    token:8
//	13 bye
//
// Fixed-width numbers are big-endian. Every message has exactly one encoding:
// what Parse takes, Append gives back byte for byte. The one exception is a
// hello of a later version, which may be longer; the rest is passed over so that
// versions can talk to each other. A type above 13 is ErrUnknown, which a
// receiver counts and passes over; any other error is the sender's fault.
package wire
