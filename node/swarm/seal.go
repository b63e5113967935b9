package swarm

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"

	"coral/node/swarm/wire"
)

// authLabel and keyLabel keep the secret's two uses apart.
const (
	authLabel = "coral/hello/v1"
	keyLabel  = "coral/seal/v1"
)

// authenticate proves knowledge of a private channel's secret in a hello from
// sender to receiver. A proof cannot be reflected to its sender nor carried to a
// third peer, whose ID differs, and the hello's nonce makes the keys that follow
// fresh: a relayed proof opens no message.
func authenticate(secret []byte, sender, receiver [20]byte, nonce [16]byte) (auth [32]byte) {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(authLabel))
	mac.Write(sender[:])
	mac.Write(receiver[:])
	mac.Write(nonce[:])
	mac.Sum(auth[:0])
	return auth
}

var errSeal = errors.New("message does not open under the channel's secret")

// sealer encrypts or decrypts one direction of one connection. Messages are in
// order, so the nonce is a counter.
type sealer struct {
	aead cipher.AEAD
	next uint64
}

// newSealer keys the direction from sender to receiver.
func newSealer(secret []byte, sender, receiver [20]byte, senderNonce, receiverNonce [16]byte) (*sealer, error) {
	info := keyLabel + string(sender[:]) + string(receiver[:])
	salt := append(senderNonce[:], receiverNonce[:]...)
	key, err := hkdf.Key(sha256.New, secret, salt, info, 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	return &sealer{aead: aead}, nil
}

func (s *sealer) nonce() []byte {
	var n [12]byte
	binary.BigEndian.PutUint64(n[4:], s.next)
	s.next++
	return n[:]
}

// seal encrypts msg in place; msg needs room for the tag to avoid a copy.
func (s *sealer) seal(msg []byte) []byte {
	return s.aead.Seal(msg[:0], s.nonce(), msg, nil)
}

// open decrypts msg in place.
func (s *sealer) open(msg []byte) ([]byte, error) {
	if len(msg) > wire.MaxMessage+s.aead.Overhead() {
		return nil, errSeal
	}
	out, err := s.aead.Open(msg[:0], s.nonce(), msg, nil)
	if err != nil {
		return nil, errSeal
	}
	return out, nil
}
