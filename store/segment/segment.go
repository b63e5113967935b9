package segment

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/bits"
)

const (
	// LeafSize is the unit of the BEP 52 hash tree.
	LeafSize = 16 << 10
	// BlockSize is the unit asked for, verified and relayed: two BEP 52 leaves.
	// Larger blocks slow the relay of a segment from viewer to viewer; smaller
	// ones cost requests and announcements.
	BlockSize = 32 << 10
	// MaxSize bounds one segment or init section, so that a hostile entry or
	// origin cannot make a node hold more.
	MaxSize = 32 << 20
	// MaxBlocks is how many blocks the largest segment has.
	MaxBlocks = MaxSize / BlockSize
)

// Digest is a SHA-256 hash: of a BEP 52 tree node, or of a record.
type Digest [sha256.Size]byte

func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// Channel names a channel: the BitTorrent v1 info-hash of its swarm.
type Channel [20]byte

func (c Channel) String() string { return hex.EncodeToString(c[:]) }

// Kind tells a rendition's media segments from its init sections.
type Kind uint8

const (
	Media Kind = iota // an HLS Media Segment; Sequence is its Media Sequence Number
	Init              // a Media Initialization Section (EXT-X-MAP); Sequence counts them from 0
)

// ID names one segment, or one init section, of a channel.
type ID struct {
	Rendition uint16
	Kind      Kind
	Sequence  uint64
}

// Compare orders IDs by rendition, kind and sequence.
func (id ID) Compare(o ID) int {
	return cmp.Or(cmp.Compare(id.Rendition, o.Rendition), cmp.Compare(id.Kind, o.Kind), cmp.Compare(id.Sequence, o.Sequence))
}

func (id ID) String() string {
	if id.Kind == Init {
		return fmt.Sprintf("%d/init%d", id.Rendition, id.Sequence)
	}
	return fmt.Sprintf("%d/%d", id.Rendition, id.Sequence)
}

// Blocks returns how many blocks size bytes make: at least one.
func Blocks(size int) int { return max(1, (size+BlockSize-1)/BlockSize) }

// BlockLen returns the length of block i of a segment of size bytes.
func BlockLen(size, i int) int { return min(BlockSize, size-i*BlockSize) }

// BlockDigest returns the BEP 52 tree hash of one block: the hash of its two
// leaves' hashes, an absent second leaf counting as 32 zero bytes. It is what a
// piece layer would hold if pieces were BlockSize long.
func BlockDigest(block []byte) Digest {
	var leaves [2 * sha256.Size]byte
	first := sha256.Sum256(block[:min(len(block), LeafSize)])
	copy(leaves[:], first[:])
	if len(block) > LeafSize {
		second := sha256.Sum256(block[LeafSize:])
		copy(leaves[sha256.Size:], second[:])
	}
	return sha256.Sum256(leaves[:])
}

// Digests returns the block digests of a whole segment.
func Digests(data []byte) []Digest {
	ds := make([]Digest, Blocks(len(data)))
	for i := range ds {
		off := i * BlockSize
		ds[i] = BlockDigest(data[off:min(len(data), off+BlockSize)])
	}
	return ds
}

// Root returns the BEP 52 Merkle root over block digests: the "pieces root" the
// same bytes have as a file of a v2 torrent whose pieces are BlockSize or
// longer. Absent blocks count as a block of two zero leaf hashes.
// (A file of at most one leaf has that leaf's hash as its pieces root in BEP 52;
// here it is hashed with its absent sibling like any other.)
func Root(blocks []Digest) Digest {
	if len(blocks) == 0 {
		return Digest{}
	}
	layer := make([]Digest, 1<<bits.Len(uint(len(blocks)-1)))
	copy(layer, blocks)
	empty := Digest(sha256.Sum256(make([]byte, 2*sha256.Size)))
	for i := len(blocks); i < len(layer); i++ {
		layer[i] = empty
	}
	for len(layer) > 1 {
		for i := range len(layer) / 2 {
			var pair [2 * sha256.Size]byte
			copy(pair[:], layer[2*i][:])
			copy(pair[sha256.Size:], layer[2*i+1][:])
			layer[i] = sha256.Sum256(pair[:])
		}
		layer = layer[:len(layer)/2]
	}
	return layer[0]
}
