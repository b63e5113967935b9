package channel

import (
	"crypto/ed25519"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"

	"coral/store/segment"
)

// SignPresentation signs what p says with a delegated key. It returns nil if
// p.Check fails or the record would be longer than MaxRecord.
func SignPresentation(key ed25519.PrivateKey, ch segment.Channel, p *Presentation) []byte {
	if p.Check() != nil {
		return nil
	}
	return seal(key, ch, p.encode())
}

// Check reports what cannot be signed.
func (p *Presentation) Check() error {
	if err := checkTime(p.Time); err != nil {
		return fmt.Errorf("presentation: %w", err)
	}
	if p.Revision > maxNumber {
		return errors.New("presentation: revision out of range")
	}
	if n := len(p.Renditions); n == 0 || n > MaxRenditions || p.Single && n != 1 {
		return fmt.Errorf("presentation: %d renditions", n)
	}
	byID := make(map[uint16]*Rendition, len(p.Renditions))
	for i := range p.Renditions {
		r := &p.Renditions[i]
		if byID[r.ID] != nil {
			return fmt.Errorf("presentation: two renditions are numbered %d", r.ID)
		}
		byID[r.ID] = r
		if err := r.check(p.Single); err != nil {
			return fmt.Errorf("presentation: rendition %d: %w", r.ID, err)
		}
	}
	for i := range p.Renditions {
		r := &p.Renditions[i]
		if m := byID[r.Media]; m == nil || m.Media != m.ID || m.URI != r.URI {
			return fmt.Errorf("presentation: rendition %d: its media are not those of rendition %d", r.ID, r.Media)
		}
	}
	return nil
}

func (r *Rendition) check(single bool) error {
	switch {
	case r.Kind > Captions:
		return errors.New("unknown kind")
	case single && r.Kind != Variant:
		return errors.New("the only rendition is no variant")
	case r.URI == "" && !single && (r.Kind == Variant || r.Kind == Subtitles), r.URI != "" && r.Kind == Captions:
		return errors.New("URI missing or not wanted")
	case r.Bandwidth < 0 || r.Bandwidth > maxBandwidth || r.AverageBandwidth < 0 || r.AverageBandwidth > maxBandwidth:
		return errors.New("bandwidth out of range")
	case !(r.FrameRate >= 0 && r.FrameRate <= maxFrameRate):
		return errors.New("frame rate out of range")
	}
	if err := checkReference(r.URI); err != nil {
		return err
	}
	for _, s := range r.texts() {
		if err := checkQuoted(*s, maxText); err != nil {
			return err
		}
	}
	// These two are written without quotes.
	if strings.Trim(r.VideoRange, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") != "" {
		return errors.New("video range is not an enumerated string")
	}
	if w, h, ok := strings.Cut(r.Resolution, "x"); r.Resolution != "" && (!ok || !digits(w) || !digits(h)) {
		return errors.New("resolution is not WIDTHxHEIGHT")
	}
	return nil
}

// digits reports a short decimal number.
func digits(s string) bool { return s != "" && len(s) <= 6 && strings.Trim(s, "0123456789") == "" }

// texts lists the attributes that are strings, in the order of the format.
func (r *Rendition) texts() [14]*string {
	return [...]*string{
		&r.Name, &r.Group, &r.Language, &r.AssocLanguage, &r.Characteristics, &r.Channels, &r.InstreamID,
		&r.Codecs, &r.VideoRange, &r.Resolution, &r.AudioGroup, &r.VideoGroup, &r.SubtitlesGroup, &r.CaptionsGroup,
	}
}

func (p *Presentation) encode() []byte {
	b := []byte{typePresentation, recordVersion, flags(p.Single, p.IndependentSegments)}
	b = appendTime(binary.AppendUvarint(b, p.Revision), p.Time)
	b = binary.AppendUvarint(b, uint64(len(p.Renditions)))
	for i := range p.Renditions {
		r := &p.Renditions[i]
		b = binary.AppendUvarint(b, uint64(r.ID))
		b = append(b, byte(r.Kind), flags(r.Default, r.Autoselect, r.Forced))
		b = appendString(binary.AppendUvarint(b, uint64(r.Media)), r.URI)
		for _, s := range r.texts() {
			b = appendString(b, *s)
		}
		b = binary.AppendUvarint(b, uint64(r.Bandwidth))
		b = binary.AppendUvarint(b, uint64(r.AverageBandwidth))
		b = binary.AppendUvarint(b, uint64(math.Round(r.FrameRate*1000)))
	}
	return appendString(b, p.ext)
}

func parsePresentation(b []byte) (*Presentation, error) {
	r := header(b, typePresentation)
	f := r.byte()
	p := &Presentation{Single: f&1 != 0, IndependentSegments: f&2 != 0, Revision: r.number(maxNumber), Time: r.time()}
	if f > 3 {
		r.bad = true
	}
	n := r.number(MaxRenditions)
	for range n {
		if r.bad {
			break
		}
		p.Renditions = append(p.Renditions, parseRendition(&r))
	}
	p.ext = r.ext()
	if !r.done() {
		return nil, fmt.Errorf("presentation: %w", ErrMalformed)
	}
	if err := p.Check(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return p, nil
}

func parseRendition(r *bodyReader) (v Rendition) {
	v.ID = uint16(r.number(math.MaxUint16))
	v.Kind = RenditionKind(r.byte())
	f := r.byte()
	v.Default, v.Autoselect, v.Forced = f&1 != 0, f&2 != 0, f&4 != 0
	if f > 7 {
		r.bad = true
	}
	v.Media = uint16(r.number(math.MaxUint16))
	v.URI = r.text(MaxURI)
	for _, s := range v.texts() {
		*s = r.text(maxText)
	}
	v.Bandwidth = int64(r.number(maxBandwidth))
	v.AverageBandwidth = int64(r.number(maxBandwidth))
	v.FrameRate = float64(r.number(maxFrameRate*1000)) / 1000
	return v
}
