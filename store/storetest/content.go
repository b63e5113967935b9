package storetest

import (
	"encoding/binary"
	"math/rand/v2"

	"coral/store"
	"coral/store/segment"
)

// Key returns a key that differs in all parts with the channel's and sequence's
// numbers.
func Key(channel, sequence int) store.Key {
	k := store.Key{ID: segment.ID{Rendition: uint16(sequence % 3), Sequence: uint64(sequence)}}
	if sequence%7 == 6 {
		k.ID.Kind = segment.Init
	}
	binary.BigEndian.PutUint32(k.Channel[:], uint32(channel))
	binary.BigEndian.PutUint64(k.Root[8:], uint64(channel)<<32|uint64(sequence))
	return k
}

// Content returns the bytes of a block: random, but always the same for the same
// key and number, so that a byte in the wrong place shows.
func Content(k store.Key, size, block int) []byte {
	var seed [32]byte
	copy(seed[:], k.Root[:])
	binary.BigEndian.PutUint64(seed[24:], binary.BigEndian.Uint64(seed[24:])^uint64(block)<<40^k.ID.Sequence)
	copy(seed[:4], k.Channel[:4])
	b := make([]byte, segment.BlockLen(size, block))
	rand.NewChaCha8(seed).Read(b)
	return b
}

// Size returns a segment's size for its key: of one byte, of whole blocks, or of
// some blocks and a rest.
func Size(k store.Key) int {
	switch s := int(k.ID.Sequence); s % 5 {
	case 0:
		return 1 + s%200
	case 1:
		return (1 + s%4) * segment.BlockSize
	default:
		return (s%8)*segment.BlockSize + 1 + s*977%segment.BlockSize
	}
}

// Fill puts all blocks of a segment.
func Fill(s Store, k store.Key, size int) error {
	for b := range segment.Blocks(size) {
		if err := s.Put(k, size, b, Content(k, size, b)); err != nil {
			return err
		}
	}
	return nil
}
