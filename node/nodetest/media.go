package nodetest

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
)

// Format is the container that a rendition's segments look like.
type Format uint8

const (
	TS     Format = iota // MPEG-TS packets
	FMP4                 // fragmented MP4 boxes, with init sections
	WebVTT               // subtitles
)

// Ext is the extension of a segment's URI.
func (f Format) Ext() string { return [...]string{".ts", ".m4s", ".vtt"}[f] }

// Ident names some bytes: a segment, or an init section, of a rendition.
type Ident struct {
	Epoch     uint32 // how often the origin had restarted its sequence numbers
	Rendition int
	Sequence  uint64 // of an init section: its number
	Init      bool
}

const (
	tsPacket = 188
	// boxes before the text of an FMP4 segment: styp of 16 bytes, header of mdat.
	fmp4Header = 16 + 8
	vttHeader  = "WEBVTT\n\nNOTE "
	// smallest is room for the headers and the identifying line.
	smallest = 2 * tsPacket
)

// Size is the size of the segment id at a bit rate, varied by up to a fifth from
// one to the next as encoders do. seconds is its duration.
func Size(id Ident, bitrate int, seconds float64) int {
	r := rand.New(rand.NewPCG(uint64(id.Rendition)<<32|uint64(id.Epoch), id.Sequence))
	size := int(float64(bitrate) / 8 * seconds * (0.8 + 0.4*r.Float64()))
	return max(smallest, size/tsPacket*tsPacket)
}

// Bytes returns the bytes that id has in the format and size.
func Bytes(f Format, id Ident, size int) []byte {
	b := make([]byte, size)
	line := fmt.Sprintf("CORAL %d %d %d %d %t %d \n", f, id.Epoch, id.Rendition, id.Sequence, id.Init, size)
	key := sha256.Sum256([]byte(line))
	block, err := aes.NewCipher(key[:16])
	if err != nil {
		panic(err)
	}
	cipher.NewCTR(block, key[16:]).XORKeyStream(b, b)
	switch f {
	case TS:
		for off := 0; off+tsPacket <= size; off += tsPacket {
			copy(b[off:], []byte{0x47, 0x01, 0x00, 0x10 | byte(off/tsPacket)&0x0f})
		}
		copy(b[4:], line)
	case FMP4:
		first, second := "styp", "mdat"
		if id.Init {
			first, second = "ftyp", "moov"
		}
		binary.BigEndian.PutUint32(b, 16)
		copy(b[4:], first+"msdh\x00\x00\x00\x00")
		binary.BigEndian.PutUint32(b[16:], uint32(size-16))
		copy(b[20:], second)
		copy(b[fmp4Header:], line)
	case WebVTT:
		for i := range b { // text, and no "-->" by chance
			b[i] = 'a' + b[i]%26
		}
		copy(b, vttHeader+line+"\n00:00.000 --> 00:01.000\n")
		b[size-1] = '\n'
	}
	return b
}

// Check recomputes what b claims to be and returns its name.
func Check(b []byte) (Ident, error) {
	for f, off := range map[Format]int{TS: 4, FMP4: fmp4Header, WebVTT: len(vttHeader)} {
		if len(b) < smallest || !bytes.HasPrefix(b[off:], []byte("CORAL ")) {
			continue
		}
		var id Ident
		var format Format
		var size int
		_, err := fmt.Sscanf(string(b[off:smallest]), "CORAL %d %d %d %d %t %d \n",
			&format, &id.Epoch, &id.Rendition, &id.Sequence, &id.Init, &size)
		if err != nil || format != f {
			return id, fmt.Errorf("bad line %.60q", b[off:])
		}
		if size != len(b) {
			return id, fmt.Errorf("%+v: %d bytes, want %d", id, len(b), size)
		}
		want := Bytes(f, id, size)
		if !bytes.Equal(b, want) {
			i := 0
			for b[i] == want[i] {
				i++
			}
			return id, fmt.Errorf("%+v: byte %d of %d differs", id, i, size)
		}
		return id, nil
	}
	return Ident{}, errors.New("not a test segment")
}

// keyBytes is the AES-128 key number n.
func keyBytes(n uint64) []byte {
	sum := sha256.Sum256(fmt.Appendf(nil, "coral test key %d", n))
	return sum[:16]
}

// sequenceIV is the IV of a segment whose EXT-X-KEY has none (RFC 8216bis 5.2).
func sequenceIV(seq uint64) (iv [16]byte) {
	binary.BigEndian.PutUint64(iv[8:], seq)
	return iv
}

// Encrypt is AES-128-CBC with PKCS #7 padding, the AES-128 method of RFC 8216bis.
func Encrypt(plain, key []byte, iv [16]byte) []byte {
	pad := aes.BlockSize - len(plain)%aes.BlockSize
	b := append(bytes.Clone(plain), bytes.Repeat([]byte{byte(pad)}, pad)...)
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err)
	}
	cipher.NewCBCEncrypter(block, iv[:]).CryptBlocks(b, b)
	return b
}

// Decrypt undoes Encrypt.
func Decrypt(b, key []byte, iv [16]byte) ([]byte, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	if len(b) == 0 || len(b)%aes.BlockSize != 0 {
		return nil, fmt.Errorf("decrypt: %d bytes are not whole blocks", len(b))
	}
	plain := make([]byte, len(b))
	cipher.NewCBCDecrypter(block, iv[:]).CryptBlocks(plain, b)
	pad := int(plain[len(plain)-1])
	if pad == 0 || pad > aes.BlockSize {
		return nil, errors.New("decrypt: bad padding")
	}
	return plain[:len(plain)-pad], nil
}
