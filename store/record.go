package store

import (
	"encoding/binary"
	"errors"
	"hash/crc32"

	"coral/store/segment"
)

// A record says what a run holds:
//
//	version 1                                              1 byte
//	channel, rendition, kind, sequence, root               20 + 2 + 1 + 8 + 32
//	size of the segment                                    4
//	count of blocks                                        2
//	per block, by rising number: number, CRC32C            2 + 4
//
// In the bucket "i" it stands under the run's serial (4 bytes, big endian) and is
// followed by the CRC32C of serial and record. The footer is
//
//	count of runs                                          4
//	per run: serial, offset of its bytes in the file,      4 + 8
//	         length of the record, record                  4 + …
//	length of all the above                                4
//	CRC32C of all the above                                4
//
// after which zeros may follow. All numbers but the key are little endian.
const (
	recordVersion = 1
	recordHead    = 1 + 20 + 2 + 1 + 8 + 32 + 4 + 2
	entrySize     = 6
	maxFooter     = 16 << 20 // more than maxShard's worth of the smallest runs
)

var (
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
	errRecord  = errors.New("malformed record")
)

func (p pending) entries() []entry {
	es := make([]entry, len(p.blocks))
	for i, b := range p.blocks {
		es[i] = entry{uint16(b), uint16(i), p.sums[i]}
	}
	return es
}

// value is the run's bytes, one after the other.
func (p pending) value() []byte {
	v := make([]byte, 0, max(p.bytes, minValue))
	for _, d := range p.data {
		v = append(v, d...)
	}
	return v[:cap(v)]
}

func appendRecord(dst []byte, p pending) []byte {
	le := binary.LittleEndian
	dst = append(dst, recordVersion)
	dst = append(dst, p.key.Channel[:]...)
	dst = le.AppendUint16(dst, p.key.ID.Rendition)
	dst = append(dst, byte(p.key.ID.Kind))
	dst = le.AppendUint64(dst, p.key.ID.Sequence)
	dst = append(dst, p.key.Root[:]...)
	dst = le.AppendUint32(dst, uint32(p.size))
	dst = le.AppendUint16(dst, uint16(len(p.blocks)))
	for i, b := range p.blocks {
		dst = le.AppendUint16(dst, uint16(b))
		dst = le.AppendUint32(dst, p.sums[i])
	}
	return dst
}

// appendSum returns record with its CRC32C, leaving record alone.
func appendSum(record, serial []byte) []byte {
	sum := crc32.Update(crc32.Checksum(serial, castagnoli), castagnoli, record)
	return binary.LittleEndian.AppendUint32(record[:len(record):len(record)], sum)
}

// checkSum undoes appendSum.
func checkSum(b, serial []byte) ([]byte, error) {
	n := len(b) - 4
	if n < 0 {
		return nil, errRecord
	}
	sum := crc32.Update(crc32.Checksum(serial, castagnoli), castagnoli, b[:n])
	if binary.LittleEndian.Uint32(b[n:]) != sum {
		return nil, errRecord
	}
	return b[:n], nil
}

// found is a run in a file of an earlier process.
type found struct {
	key     Key
	size    int
	serial  uint32
	off     int64
	bytes   int64 // all blocks together
	entries []entry
}

// parseRecord reads a record; serial and offset are for the caller to fill in.
func parseRecord(b []byte) (found, error) {
	if len(b) < recordHead || b[0] != recordVersion {
		return found{}, errRecord
	}
	le := binary.LittleEndian
	var r found
	copy(r.key.Channel[:], b[1:])
	r.key.ID = segment.ID{Rendition: le.Uint16(b[21:]), Kind: segment.Kind(b[23]), Sequence: le.Uint64(b[24:])}
	copy(r.key.Root[:], b[32:])
	size, n := le.Uint32(b[64:]), int(le.Uint16(b[68:]))
	b = b[recordHead:]
	if size > segment.MaxSize || n == 0 || len(b) != n*entrySize {
		return found{}, errRecord
	}
	r.size = int(size)
	r.entries = make([]entry, n)
	last := -1
	for i := range r.entries {
		block := int(le.Uint16(b[i*entrySize:]))
		if block <= last || block >= segment.Blocks(r.size) {
			return found{}, errRecord
		}
		last = block
		r.entries[i] = entry{uint16(block), uint16(i), le.Uint32(b[i*entrySize+2:])}
		r.bytes += int64(segment.BlockLen(r.size, block))
	}
	return r, nil
}

func appendFooterRun(dst []byte, at spot, record []byte) []byte {
	if len(dst) == 0 {
		dst = make([]byte, 4)
	}
	le := binary.LittleEndian
	le.PutUint32(dst, le.Uint32(dst)+1)
	dst = le.AppendUint32(dst, at.serial)
	dst = le.AppendUint64(dst, uint64(at.off))
	dst = le.AppendUint32(dst, uint32(len(record)))
	return append(dst, record...)
}

// sealFooter closes a footer made by appendFooterRun. It is a value of its own
// bucket, and large enough not to be inlined.
func sealFooter(b []byte) []byte {
	if len(b) == 0 {
		b = make([]byte, 4)
	}
	n := len(b)
	out := make([]byte, max(n+8, minValue))
	copy(out, b)
	binary.LittleEndian.PutUint32(out[n:], uint32(n))
	// The sum's place must be found from the front: right after the runs.
	binary.LittleEndian.PutUint32(out[n+4:], crc32.Checksum(out[:n+4], castagnoli))
	return out
}

// parseFooter reads a footer.
func parseFooter(b []byte) ([]found, error) {
	le := binary.LittleEndian
	if len(b) < 4 {
		return nil, errRecord
	}
	count, rest := le.Uint32(b), b[4:]
	var runs []found
	for range count {
		if len(rest) < 16 {
			return nil, errRecord
		}
		serial, off, n := le.Uint32(rest), le.Uint64(rest[4:]), le.Uint32(rest[12:])
		rest = rest[16:]
		if uint64(n) > uint64(len(rest)) || off > 1<<62 {
			return nil, errRecord
		}
		r, err := parseRecord(rest[:n])
		if err != nil {
			return nil, err
		}
		r.serial, r.off = serial, int64(off)
		runs, rest = append(runs, r), rest[n:]
	}
	n := len(b) - len(rest)
	if len(rest) < 8 || le.Uint32(rest) != uint32(n) || le.Uint32(rest[4:]) != crc32.Checksum(b[:n+4], castagnoli) {
		return nil, errRecord
	}
	return runs, nil
}
