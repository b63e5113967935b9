package channel

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"time"

	"coral/store/segment"
)

const (
	keyIDSize   = 8
	trailerSize = keyIDSize + ed25519.SignatureSize
	// domain begins all that is signed, so that no signature made for another
	// purpose, or for another channel, can be passed off as a record's.
	domain = "coral/feed/v1\x00"
)

// NewRoot makes a channel's root key.
func NewRoot() (ed25519.PrivateKey, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make root key: %w", err)
	}
	return key, nil
}

// RecordDigest is what the next entry's Prev holds: the SHA-256 of what a
// record says. Who signed it does not count, so a record signed anew with
// another key is the same link of the chain. It is zero for what is no record.
func RecordDigest(rec []byte) segment.Digest {
	if len(rec) <= trailerSize {
		return segment.Digest{}
	}
	return sha256.Sum256(body(rec))
}

func body(rec []byte) []byte  { return rec[:len(rec)-trailerSize] }
func keyID(rec []byte) []byte { return rec[len(rec)-trailerSize:][:keyIDSize] }

// signed is what a signature covers, without the signature.
func signed(ch segment.Channel, unsigned []byte) []byte {
	m := make([]byte, 0, len(domain)+len(ch)+len(unsigned))
	return append(append(append(m, domain...), ch[:]...), unsigned...)
}

// seal signs a body, which it may use for the result; nil if it is too long.
func seal(key ed25519.PrivateKey, ch segment.Channel, b []byte) []byte {
	if len(b)+trailerSize > MaxRecord {
		return nil
	}
	b = append(b, key[ed25519.PrivateKeySize-ed25519.PublicKeySize:][:keyIDSize]...)
	return append(b, ed25519.Sign(key, signed(ch, b))...)
}

// names reports whether rec says that key signed it.
func names(rec []byte, key ed25519.PublicKey) bool { return bytes.Equal(keyID(rec), key[:keyIDSize]) }

// verify reports whether key signed rec.
func verify(rec []byte, ch segment.Channel, key ed25519.PublicKey) bool {
	n := len(rec) - ed25519.SignatureSize
	return names(rec, key) && ed25519.Verify(key, signed(ch, rec[:n]), rec[n:])
}

// delegation lets a signing key sign for the channel for a while.
type delegation struct {
	serial   uint64 // rises from one to the next
	key      ed25519.PublicKey
	from, to time.Time // both included
	ext      []byte

	record []byte
	digest segment.Digest
}

// Delegate signs, with the root key, that signing may sign the channel's feed
// from one time to another, at most MaxDelegation apart. Serials must rise from
// one delegation to the next. It returns nil for what Feed.Add would refuse.
func Delegate(root ed25519.PrivateKey, ch segment.Channel, signing ed25519.PublicKey, serial uint64, from, to time.Time) []byte {
	d := delegation{serial: serial, key: signing, from: from, to: to}
	if !d.valid() {
		return nil
	}
	return seal(root, ch, d.encode())
}

func (d *delegation) valid() bool {
	return len(d.key) == ed25519.PublicKeySize && d.serial <= maxNumber &&
		checkTime(d.from) == nil && checkTime(d.to) == nil &&
		!d.to.Before(d.from) && d.to.Sub(d.from) <= MaxDelegation
}

func (d *delegation) encode() []byte {
	b := []byte{typeDelegation, recordVersion}
	b = binary.AppendUvarint(b, d.serial)
	b = append(b, d.key...)
	return appendString(appendTime(appendTime(b, d.from), d.to), d.ext)
}

func parseDelegation(b []byte) (*delegation, error) {
	r := header(b, typeDelegation)
	d := &delegation{serial: r.number(maxNumber), key: bytes.Clone(r.take(ed25519.PublicKeySize)), from: r.time(), to: r.time(), ext: r.ext()}
	if !r.done() || !d.valid() {
		return nil, fmt.Errorf("delegation: %w", ErrMalformed)
	}
	return d, nil
}

// header begins to read a body of the given type.
func header(b []byte, kind byte) bodyReader {
	r := bodyReader{b: b}
	if r.byte() != kind || r.byte() != recordVersion {
		r.bad = true
	}
	return r
}
