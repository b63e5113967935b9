package hls

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/grafov/m3u8"

	"coral/node/channel"
)

// independentTag stands in both kinds of playlist; grafov knows it in one.
const independentTag = "#EXT-X-INDEPENDENT-SEGMENTS"

const serverControlTag = "#EXT-X-SERVER-CONTROL"

// WriteMultivariant returns mv as a playlist for players: renditions as they
// are, first those of EXT-X-MEDIA, then the variants in their order. A variant
// without URI is left out. Text that could break the syntax is cleaned.
func WriteMultivariant(mv *Multivariant) []byte {
	list := m3u8.NewMasterPlaylist()
	list.SetIndependentSegments(mv.IndependentSegments)
	var others strings.Builder
	for i := range mv.Renditions {
		p := &mv.Renditions[i]
		if p.Kind != channel.Variant {
			if kindName(p.Kind) != "" {
				fmt.Fprintf(&others, "%s%s\n", mediaTag, mediaAttributes(p))
			}
			continue
		}
		if p.URI == "" {
			continue
		}
		list.Append(cleanURI(p.URI), nil, m3u8.VariantParams{
			Bandwidth: clamp32(p.Bandwidth), AverageBandwidth: clamp32(p.AverageBandwidth),
			Codecs: printable(p.Codecs), Resolution: attributes{{"R", p.Resolution}}.resolution("R"), FrameRate: p.FrameRate,
			VideoRange: attributes{{"V", p.VideoRange}}.token("V"), Name: printable(p.Name),
			Audio: printable(p.AudioGroup), Video: printable(p.VideoGroup), Subtitles: printable(p.SubtitlesGroup), Captions: printable(p.CaptionsGroup),
		})
	}
	list.SetVersion(6) // EXT-X-MEDIA with what it has in use; no player is older
	if others.Len() > 0 {
		list.SetCustomTag(lines{mediaTag, others.String()})
	}
	// PROGRAM-ID was removed in version 6, and grafov writes it always.
	return bytes.ReplaceAll(list.Encode().Bytes(), []byte("\n#EXT-X-STREAM-INF:PROGRAM-ID=0,"), []byte("\n#EXT-X-STREAM-INF:"))
}

func clamp32(n int64) uint32 { return uint32(max(0, min(n, 1<<32-1))) }

// WriteMedia returns m as a playlist for players. Segments are numbered from
// m.Sequence on; their own numbers are not looked at.
func WriteMedia(m *Media) []byte {
	list, err := m3u8.NewMediaPlaylist(0, uint(max(1, len(m.Segments)))) // a window of 0: all
	if err != nil {
		panic("hls: " + err.Error()) // the window is larger than the capacity: it is not
	}
	list.SeqNo, list.DiscontinuitySeq, list.Closed = m.Sequence, m.DiscontinuitySequence, m.Ended
	switch m.Type {
	case channel.Event:
		list.MediaType = m3u8.EVENT
	case channel.VOD:
		list.MediaType = m3u8.VOD
	}
	if m.IndependentSegments {
		list.SetCustomTag(lines{independentTag, independentTag})
	}
	target := (m.Target + time.Second - 1) / time.Second
	if m.HoldBack > 0 && !m.Ended {
		least := 3 * time.Duration(max(1, target)) * time.Second
		list.SetCustomTag(lines{serverControlTag, serverControlTag + ":HOLD-BACK=" + decimal(max(m.HoldBack, least))})
	}
	var force inForce
	version := uint8(3) // fractions in EXTINF
	for i := range m.Segments {
		s := &m.Segments[i]
		out := &m3u8.MediaSegment{
			URI: cleanURI(s.URI), Duration: s.Duration.Seconds(), Discontinuity: s.Discontinuity, ProgramDateTime: s.ProgramDateTime.UTC(),
		}
		if s.Ranged && s.Length > 0 {
			out.Limit, out.Offset = s.Length, max(0, s.Offset)
			version = max(version, 4)
		}
		extra := force.enter(s, out)
		if s.Gap {
			extra += gapTag + "\n"
			version = max(version, 8)
		}
		if s.Key != nil {
			version = max(version, 5) // KEYFORMAT
		}
		if s.Map != nil {
			version = max(version, 6)
		}
		if extra != "" {
			out.Custom = map[string]m3u8.CustomTag{gapTag: lines{gapTag, extra}}
		}
		target = max(target, s.Duration.Round(time.Second)/time.Second)
		if err := list.AppendSegment(out); err != nil {
			panic("hls: " + err.Error()) // the list is full: it was made as long as m.Segments
		}
	}
	list.TargetDuration = float64(max(1, target)) // appending rounds it up
	list.SetVersion(version)
	return exactDurations(list.Encode().Bytes(), m.Segments)
}

// inForce is the key and init section that the playlist written so far leaves
// in force.
type inForce struct {
	key     *channel.Key
	section *Map
}

// enter has out change them to what s needs, and returns the lines that grafov
// would not write right. An EXT-X-KEY holds for the EXT-X-MAP after it too, so
// the init section's key comes before it and the segment's, if another, after;
// and a range within EXT-X-MAP is quoted.
func (f *inForce) enter(s *Segment, out *m3u8.MediaSegment) (extra string) {
	if s.Map == nil || equalMaps(s.Map, f.section) {
		if !equalKeys(s.Key, f.key) {
			f.key = s.Key
			out.Key = writeKey(f.key)
		}
		return ""
	}
	f.section = s.Map
	if !equalKeys(s.Map.Key, f.key) {
		f.key = s.Map.Key
		out.Key = writeKey(f.key)
	}
	extra = mapTag + mapAttributes(cleanURI(s.Map.URI), s.Map.Ranged && s.Map.Length > 0, s.Map.Length, s.Map.Offset) + "\n"
	if !equalKeys(s.Key, f.key) {
		f.key = s.Key
		extra += "#EXT-X-KEY:" + keyAttributes(writeKey(f.key)) + "\n"
	}
	return extra
}

func keyAttributes(k *m3u8.Key) string {
	var w listWriter
	w.raw("METHOD", k.Method)
	w.quoted("URI", k.URI)
	w.raw("IV", k.IV)
	w.quoted("KEYFORMAT", k.Keyformat)
	w.quoted("KEYFORMATVERSIONS", k.Keyformatversions)
	return w.String()
}

func equalKeys(a, b *channel.Key) bool { return a == b || a != nil && b != nil && *a == *b }

func equalMaps(a, b *Map) bool {
	if a == b {
		return true
	}
	if a == nil || b == nil || !equalKeys(a.Key, b.Key) {
		return false
	}
	x, y := *a, *b
	x.Key, y.Key = nil, nil
	return x == y
}

// exactDurations puts whole durations in, which grafov cuts to milliseconds: in
// a long window the difference adds up to seconds.
func exactDurations(text []byte, segments []Segment) []byte {
	const tag = "#EXTINF:"
	out := make([]byte, 0, len(text)+6*len(segments))
	for len(segments) > 0 {
		at := bytes.Index(text, []byte("\n"+tag))
		if at < 0 {
			break
		}
		at += 1 + len(tag)
		comma := bytes.IndexByte(text[at:], ',')
		out = append(append(out, text[:at]...), decimal(segments[0].Duration)...)
		text, segments = text[at+comma:], segments[1:]
	}
	return append(out, text...)
}

// cleanURI makes a URI of s that can stand anywhere, also on a line of its own.
func cleanURI(s string) string {
	s = printable(strings.ReplaceAll(s, `"`, "%22"))
	if s == "" || s[0] == '#' {
		return "./" + s
	}
	return s
}
