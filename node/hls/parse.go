package hls

import (
	"errors"
	"fmt"
	"time"

	"github.com/grafov/m3u8"

	"coral/node/channel"
)

// Bounds of a playlist. A live one has a window of minutes; recordings and
// events, which say so in the playlist, keep a whole day.
const (
	maxBytes     = 1 << 20
	maxBytesLong = 4 << 20
	maxLines     = 10_000
	maxLinesLong = 50_000
	// maxLine has room for a URI and the attributes beside it.
	maxLine = 8 << 10
	// maxURI is what servers commonly take.
	maxURI = 2 << 10
	// MaxRenditions is how many renditions a multivariant playlist may have,
	// I-frame renditions not counted: Apple's richest examples have half as many.
	MaxRenditions = 64
	// maxDuration bounds a segment and the target duration.
	maxDuration = 24 * time.Hour
	// maxResource bounds offsets so that sums do not overflow: 1 PiB.
	maxResource = 1 << 50
)

var (
	// ErrNotPlaylist says that the bytes are something else: often an error page.
	ErrNotPlaylist = errors.New("not an HLS playlist: it does not begin with #EXTM3U")
	// ErrEmpty says that a playlist lists nothing and does not say of which
	// kind it is.
	ErrEmpty = errors.New("neither segments nor variants")
	// ErrTooLarge says that a playlist exceeds one of the bounds above.
	ErrTooLarge = errors.New("too large")
)

// Parse reads a playlist: exactly one of mv and m is not nil, or err is. It
// neither changes nor keeps body.
func Parse(body []byte) (mv *Multivariant, m *Media, err error) {
	r, err := rewrite(body)
	switch {
	case err != nil:
	case r.multivariant && r.segments > 0:
		err = errors.New("both segments and variants")
	case r.multivariant:
		mv, err = r.readMultivariant()
	case r.media:
		m, err = r.readMedia()
	default:
		err = ErrEmpty
	}
	if err != nil {
		return nil, nil, fmt.Errorf("parse playlist: %w", err)
	}
	return mv, m, nil
}

func (r *rewriter) readMedia() (*Media, error) {
	list, err := r.decodeMedia()
	if err != nil {
		return nil, err
	}
	m := &Media{
		// grafov raises the target to the longest segment rounded up, which would
		// make players poll more slowly than the origin means them to.
		Target:                time.Duration(max(r.target, r.longest, 1)) * time.Second,
		Sequence:              list.SeqNo,
		DiscontinuitySequence: list.DiscontinuitySeq,
		Ended:                 list.Closed,
		IndependentSegments:   r.independent,
		HoldBack:              r.holdBack,
		Segments:              make([]Segment, 0, list.Count()),
	}
	switch list.MediaType {
	case m3u8.EVENT:
		m.Type = channel.Event
	case m3u8.VOD:
		m.Type = channel.VOD
	}
	var (
		discontinuities = m.DiscontinuitySequence
		section         *Map
		key             *channel.Key
		implied         bool // key's IV is the sequence
	)
	for i, from := range list.Segments[:list.Count()] {
		s := Segment{
			Sequence: m.Sequence + uint64(i), URI: from.URI, Ranged: from.Limit > 0, Offset: from.Offset, Length: from.Limit,
			ProgramDateTime: from.ProgramDateTime, Discontinuity: from.Discontinuity,
		}
		if s.Duration, err = seconds(decimalFloat(from.Duration)); err != nil {
			return nil, err
		}
		if s.Discontinuity {
			discontinuities++
		}
		s.DiscontinuitySequence = discontinuities
		if from.Key != nil {
			if key, implied, err = readKey(from.Key, s.Sequence); err != nil {
				return nil, err
			}
		} else if implied { // each segment has its own IV
			next := *key
			next.IV = sequenceIV(s.Sequence)
			key = &next
		}
		s.Key = key
		if from.Map != nil {
			section = &Map{URI: from.Map.URI, Ranged: from.Map.Limit > 0, Offset: from.Map.Offset, Length: from.Map.Limit}
			if tag, ok := from.Custom[mapKeyTag].(*mapKey); ok {
				if section.Key, _, err = readKey(&tag.key, s.Sequence); err != nil {
					return nil, err
				}
			}
		}
		s.Map = section
		_, s.Gap = from.Custom[gapTag]
		m.Segments = append(m.Segments, s)
	}
	return m, nil
}

func (r *rewriter) readMultivariant() (*Multivariant, error) {
	list, others, err := r.decodeMultivariant()
	if err != nil {
		return nil, err
	}
	if len(list.Variants) == 0 {
		return nil, errors.New("renditions without a variant")
	}
	mv := &Multivariant{IndependentSegments: r.independent}
	for _, v := range list.Variants {
		mv.Renditions = append(mv.Renditions, channel.Rendition{
			Kind: channel.Variant, URI: v.URI, Name: v.Name, Codecs: v.Codecs, VideoRange: v.VideoRange, Resolution: v.Resolution,
			Bandwidth: int64(v.Bandwidth), AverageBandwidth: int64(v.AverageBandwidth), FrameRate: v.FrameRate,
			AudioGroup: v.Audio, VideoGroup: v.Video, SubtitlesGroup: v.Subtitles, CaptionsGroup: v.Captions,
		})
	}
	mv.Renditions = append(mv.Renditions, others...)
	first := make(map[string]uint16)
	for i := range mv.Renditions {
		p := &mv.Renditions[i]
		p.ID, p.Media = uint16(i), uint16(i)
		if p.URI == "" {
			continue
		}
		if id, ok := first[p.URI]; ok {
			p.Media = id
		} else {
			first[p.URI] = p.ID
		}
	}
	return mv, nil
}
