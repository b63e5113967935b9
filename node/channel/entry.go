package channel

import (
	"crypto/ed25519"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"coral/store/segment"
)

// An entry's flags, of which those that do not fit its kind are never set.
const (
	entryInit = 1 << iota
	entryEnd
	entryRanged
	entryKey
	entryDate
	entryDiscontinuity
	entryHasInit
)

// methods are the formats' numbers of encryption methods; 0 is none.
var methods = []string{"", AES128, SampleAES, SampleAESCTR}

// SignEntry signs what e says with a delegated key. It returns nil if e.Check
// fails. Fields that do not belong to e's kind do not count.
func SignEntry(key ed25519.PrivateKey, ch segment.Channel, e *Entry) []byte {
	if e.Check() != nil {
		return nil
	}
	return seal(key, ch, e.encode())
}

// Check reports what cannot be signed.
func (e *Entry) Check() error {
	if err := e.check(); err != nil {
		return fmt.Errorf("entry %d of rendition %d: %w", e.Index, e.Rendition, err)
	}
	return nil
}

func (e *Entry) check() error {
	if err := checkTime(e.Time); err != nil {
		return err
	}
	switch {
	case e.Index > maxNumber || e.WindowStart > maxNumber:
		return errors.New("number out of range")
	case e.Target < 0 || e.Target > MaxDuration:
		return errors.New("target duration out of range")
	case e.Took < 0 || e.Took > MaxDuration:
		return errors.New("time of the fetch out of range")
	case e.Type > VOD:
		return errors.New("unknown playlist type")
	case e.End:
		return nil
	case e.Kind > segment.Init:
		return errors.New("unknown kind")
	case e.Sequence > maxNumber:
		return errors.New("sequence out of range")
	case e.URI == "":
		return errors.New("no URI")
	case e.Size < 0 || e.Size > segment.MaxSize || e.Kind == segment.Init && e.Size == 0:
		return fmt.Errorf("size of %d bytes", e.Size)
	case len(e.Blocks) != segment.Blocks(e.Size):
		return fmt.Errorf("%d digests for %d bytes", len(e.Blocks), e.Size)
	case e.Ranged && (e.Offset < 0 || e.Offset > maxNumber):
		return errors.New("offset out of range")
	}
	if err := checkReference(e.URI); err != nil {
		return err
	}
	if e.Key != nil {
		if err := e.Key.check(); err != nil {
			return fmt.Errorf("key: %w", err)
		}
	}
	if e.Kind == segment.Init {
		return nil
	}
	if y := e.ProgramDateTime.UTC().Year(); !e.ProgramDateTime.IsZero() && (y < 1700 || y > 2200) {
		return errors.New("programme date-time out of range")
	}
	if e.Duration < 0 || e.Duration > MaxDuration || e.DiscontinuitySequence > maxNumber || e.HasInit && e.Init > maxNumber {
		return errors.New("duration or number out of range")
	}
	return nil
}

// check does not look at the URI's scheme: other key systems have their own.
func (k *Key) check() error {
	if slices.Index(methods, k.Method) < 1 {
		return errors.New("unknown method")
	}
	if k.URI == "" {
		return errors.New("no URI")
	}
	for _, s := range []string{k.KeyFormat, k.KeyFormatVersions} {
		if err := checkQuoted(s, maxText); err != nil {
			return err
		}
	}
	return checkQuoted(k.URI, MaxURI)
}

func (e *Entry) encode() []byte {
	b := make([]byte, 0, 512+len(e.URI)+len(segment.Digest{})*len(e.Blocks))
	media := !e.End && e.Kind == segment.Media
	f := flags(!e.End && e.Kind == segment.Init, e.End, !e.End && e.Ranged, !e.End && e.Key != nil,
		media && !e.ProgramDateTime.IsZero(), media && e.Discontinuity, media && e.HasInit)
	b = append(b, typeEntry, recordVersion, f, byte(e.Type))
	b = binary.AppendUvarint(b, uint64(e.Rendition))
	b = binary.AppendUvarint(b, e.Index)
	if e.Index > 0 {
		b = append(b, e.Prev[:]...)
	}
	b = appendTime(b, e.Time)
	b = binary.AppendUvarint(b, uint64(e.Target))
	b = binary.AppendUvarint(b, e.WindowStart)
	if !e.End {
		b = binary.AppendUvarint(b, e.Sequence)
		b = appendString(b, e.URI)
		if e.Ranged {
			b = binary.AppendUvarint(b, uint64(e.Offset))
		}
		b = binary.AppendUvarint(b, uint64(e.Size))
		for i := range e.Blocks {
			b = append(b, e.Blocks[i][:]...)
		}
		if k := e.Key; k != nil {
			b = append(b, byte(slices.Index(methods, k.Method)))
			b = appendString(appendString(appendString(b, k.URI), k.KeyFormat), k.KeyFormatVersions)
			b = append(b, k.IV[:]...)
		}
	}
	if media {
		b = binary.AppendUvarint(b, uint64(e.Duration))
		if f&entryDate != 0 {
			b = appendTime(b, e.ProgramDateTime)
		}
		b = binary.AppendUvarint(b, e.DiscontinuitySequence)
		if e.HasInit {
			b = binary.AppendUvarint(b, e.Init)
		}
	}
	return appendString(b, append(e.appendTook(nil), e.ext...))
}

// tagTook is the extension that tells Took, as a number.
const tagTook = 0

// appendTook appends the extension that tells Took, if it is to be told.
func (e *Entry) appendTook(b []byte) []byte {
	if e.Took == 0 {
		return b
	}
	return appendString(binary.AppendUvarint(b, tagTook), binary.AppendUvarint(nil, uint64(e.Took)))
}

// parseExt reads the extensions that this version knows, and keeps the others.
func (e *Entry) parseExt(r *bodyReader) {
	raw := r.ext()
	in := bodyReader{b: raw}
	if len(raw) == 0 || in.number(maxExt) != tagTook {
		e.ext = raw
		return
	}
	took := bodyReader{b: in.take(int(in.number(maxExt)))}
	e.Took = time.Duration(took.number(uint64(MaxDuration)))
	if r.bad = r.bad || !took.done() || e.Took == 0; len(in.b) > 0 {
		e.ext = in.b
	}
}

func parseEntry(b []byte) (*Entry, error) {
	r := header(b, typeEntry)
	f := r.byte()
	e := &Entry{End: f&entryEnd != 0, Type: PlaylistType(r.byte())}
	switch {
	case f > 0x7f,
		e.End && f != entryEnd,
		f&entryInit != 0 && f&(entryDate|entryDiscontinuity|entryHasInit) != 0:
		r.bad = true
	}
	e.Rendition = uint16(r.number(math.MaxUint16))
	if e.Index = r.number(maxNumber); e.Index > 0 {
		copy(e.Prev[:], r.take(len(e.Prev)))
	}
	e.Time = r.time()
	e.Target = time.Duration(r.number(uint64(MaxDuration)))
	e.WindowStart = r.number(maxNumber)
	if !e.End {
		e.parseObject(&r, f)
	}
	e.parseExt(&r)
	if !r.done() {
		return nil, fmt.Errorf("entry: %w", ErrMalformed)
	}
	if err := e.Check(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return e, nil
}

// parseObject reads what media entries and init sections have and an End has not.
func (e *Entry) parseObject(r *bodyReader, f byte) {
	if f&entryInit != 0 {
		e.Kind = segment.Init
	}
	e.Sequence = r.number(maxNumber)
	e.URI = r.text(MaxURI)
	if e.Ranged = f&entryRanged != 0; e.Ranged {
		e.Offset = int64(r.number(maxNumber))
	}
	e.Size = int(r.number(segment.MaxSize))
	size := len(segment.Digest{})
	if digests := r.take(segment.Blocks(e.Size) * size); digests != nil {
		e.Blocks = make([]segment.Digest, len(digests)/size)
		for i := range e.Blocks {
			copy(e.Blocks[i][:], digests[i*size:])
		}
	}
	if f&entryKey != 0 {
		e.Key = &Key{}
		if m := int(r.byte()); m < len(methods) {
			e.Key.Method = methods[m]
		}
		e.Key.URI, e.Key.KeyFormat, e.Key.KeyFormatVersions = r.text(MaxURI), r.text(maxText), r.text(maxText)
		copy(e.Key.IV[:], r.take(len(e.Key.IV)))
	}
	if e.Kind != segment.Media {
		return
	}
	e.Duration = time.Duration(r.number(uint64(MaxDuration)))
	if f&entryDate != 0 {
		e.ProgramDateTime = r.time()
	}
	e.Discontinuity = f&entryDiscontinuity != 0
	e.DiscontinuitySequence = r.number(maxNumber)
	if e.HasInit = f&entryHasInit != 0; e.HasInit {
		e.Init = r.number(maxNumber)
	}
}
