package hls

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/grafov/m3u8"

	"coral/node/channel"
)

// decodeMedia has grafov read what was rewritten.
func (r *rewriter) decodeMedia() (*m3u8.MediaPlaylist, error) {
	var text bytes.Buffer
	fmt.Fprintf(&text, "#EXTM3U\n#EXT-X-TARGETDURATION:%d\n#EXT-X-MEDIA-SEQUENCE:%d\n#EXT-X-DISCONTINUITY-SEQUENCE:%d\n",
		r.target, r.sequence, r.discontinuities)
	if r.kind != "" {
		fmt.Fprintf(&text, "#EXT-X-PLAYLIST-TYPE:%s\n", r.kind)
	}
	text.Write(r.body.Bytes())
	if r.ended {
		text.WriteString("#EXT-X-ENDLIST\n")
	}
	// Only this way of decoding has a place for custom tags of segments; of the
	// other kind's lists, which it looks for as well, there is none in the text.
	decoded, _, err := m3u8.DecodeWith(&text, true, []m3u8.CustomDecoder{mapKeyDecoder{}, gapDecoder{}})
	if err != nil {
		return nil, err
	}
	list, ok := decoded.(*m3u8.MediaPlaylist)
	if !ok || list.Count() != uint(r.segments) {
		return nil, errors.New("ambiguous playlist")
	}
	return list, nil
}

// decodeMultivariant has grafov read the variants; the other renditions are
// custom tags.
func (r *rewriter) decodeMultivariant() (*m3u8.MasterPlaylist, []channel.Rendition, error) {
	var text bytes.Buffer
	text.WriteString("#EXTM3U\n")
	text.Write(r.body.Bytes())
	list, others := m3u8.NewMasterPlaylist(), new(alternatives)
	list.WithCustomDecoders([]m3u8.CustomDecoder{others})
	if err := list.DecodeFrom(&text, true); err != nil {
		return nil, nil, err
	}
	return list, others.read, nil
}

// variant takes the attributes of an EXT-X-STREAM-INF.
func (r *rewriter) variant(value string) error {
	as, err := r.attributes(value)
	if err != nil {
		return err
	}
	if err := r.count(); err != nil {
		return err
	}
	var w listWriter
	w.raw("BANDWIDTH", as.bandwidth("BANDWIDTH"))
	w.raw("AVERAGE-BANDWIDTH", as.bandwidth("AVERAGE-BANDWIDTH"))
	w.quoted("CODECS", as.get("CODECS"))
	w.raw("RESOLUTION", as.resolution("RESOLUTION"))
	w.raw("FRAME-RATE", as.rate("FRAME-RATE"))
	w.raw("VIDEO-RANGE", as.token("VIDEO-RANGE"))
	for _, name := range []string{"AUDIO", "VIDEO", "SUBTITLES", "CLOSED-CAPTIONS", "NAME"} {
		w.quoted(name, as.get(name))
	}
	r.streamInf = w.String()
	return nil
}

// count counts a rendition.
func (r *rewriter) count() error {
	if r.renditions++; r.renditions > MaxRenditions {
		return fmt.Errorf("%w: more than %d renditions", ErrTooLarge, MaxRenditions)
	}
	return nil
}

// bandwidth returns bits per second, at most what grafov can hold: 4.29 Gbit/s.
func (as attributes) bandwidth(name string) string {
	f, err := strconv.ParseFloat(as.get(name), 64)
	if err != nil || !(f > 0) {
		f = 0
	}
	return strconv.FormatInt(int64(min(f, math.MaxUint32)), 10)
}

// rate returns frames per second as grafov writes them, or "".
func (as attributes) rate(name string) string {
	f, err := strconv.ParseFloat(as.get(name), 64)
	if err != nil || !(f > 0 && f <= 1000) {
		return ""
	}
	return strconv.FormatFloat(f, 'f', 3, 64)
}

const (
	mediaTag = "#EXT-X-MEDIA:"
	mapTag   = "#EXT-X-MAP:"
)

// mapAttributes is the attribute list of an EXT-X-MAP.
func mapAttributes(uri string, ranged bool, length, offset int64) string {
	var w listWriter
	w.quoted("URI", uri)
	if ranged {
		w.quoted("BYTERANGE", fmt.Sprintf("%d@%d", length, max(offset, 0)))
	}
	return w.String()
}

// kinds are the TYPEs of EXT-X-MEDIA.
var kinds = map[string]channel.RenditionKind{
	"AUDIO": channel.Audio, "VIDEO": channel.Video, "SUBTITLES": channel.Subtitles, "CLOSED-CAPTIONS": channel.Captions,
}

func kindName(k channel.RenditionKind) string {
	for name, kind := range kinds {
		if kind == k {
			return name
		}
	}
	return ""
}

// alternative takes the attributes of an EXT-X-MEDIA.
func (r *rewriter) alternative(value string) error {
	as, err := r.attributes(value)
	if err != nil {
		return err
	}
	kind, ok := kinds[as.get("TYPE")]
	if !ok {
		return nil
	}
	if err := r.count(); err != nil {
		return err
	}
	uri := as.get("URI")
	if uri != "" {
		if err := checkURI(uri); err != nil {
			return err
		}
	}
	fmt.Fprintf(&r.body, "%s%s\n", mediaTag, mediaAttributes(&channel.Rendition{
		Kind: kind, URI: uri, Group: as.get("GROUP-ID"), Name: as.get("NAME"),
		Language: as.get("LANGUAGE"), AssocLanguage: as.get("ASSOC-LANGUAGE"),
		Default: as.yes("DEFAULT"), Autoselect: as.yes("AUTOSELECT"), Forced: as.yes("FORCED"),
		InstreamID: as.get("INSTREAM-ID"), Channels: as.get("CHANNELS"), Characteristics: as.get("CHARACTERISTICS"),
	}))
	return nil
}

// mediaAttributes is the attribute list of an EXT-X-MEDIA.
func mediaAttributes(p *channel.Rendition) string {
	var w listWriter
	w.raw("TYPE", kindName(p.Kind))
	w.quoted("GROUP-ID", p.Group)
	w.quoted("NAME", p.Name)
	w.quoted("LANGUAGE", p.Language)
	w.quoted("ASSOC-LANGUAGE", p.AssocLanguage)
	w.yes("DEFAULT", p.Default)
	w.yes("AUTOSELECT", p.Autoselect)
	w.yes("FORCED", p.Forced)
	w.quoted("INSTREAM-ID", p.InstreamID)
	w.quoted("CHANNELS", p.Channels)
	w.quoted("CHARACTERISTICS", p.Characteristics)
	w.quoted("URI", p.URI)
	return w.String()
}

// alternatives collects the EXT-X-MEDIA of a playlist, of which grafov keeps
// some attributes of some types.
type alternatives struct{ read []channel.Rendition }

func (*alternatives) TagName() string  { return mediaTag }
func (*alternatives) SegmentTag() bool { return false }

func (a *alternatives) Decode(line string) (m3u8.CustomTag, error) {
	as := m3u8.DecodeAttributeList(strings.TrimPrefix(line, mediaTag))
	a.read = append(a.read, channel.Rendition{
		Kind: kinds[as["TYPE"]], URI: as["URI"], Group: as["GROUP-ID"], Name: as["NAME"],
		Language: as["LANGUAGE"], AssocLanguage: as["ASSOC-LANGUAGE"],
		Default: as["DEFAULT"] == "YES", Autoselect: as["AUTOSELECT"] == "YES", Forced: as["FORCED"] == "YES",
		InstreamID: as["INSTREAM-ID"], Channels: as["CHANNELS"], Characteristics: as["CHARACTERISTICS"],
	})
	return lines{name: mediaTag}, nil
}

// lines is a custom tag that writes whole lines.
type lines struct{ name, text string }

func (l lines) TagName() string       { return l.name }
func (l lines) Encode() *bytes.Buffer { return bytes.NewBufferString(strings.TrimSuffix(l.text, "\n")) }
func (l lines) String() string        { return l.text }

type gapDecoder struct{}

func (gapDecoder) TagName() string                       { return gapTag }
func (gapDecoder) SegmentTag() bool                      { return true }
func (gapDecoder) Decode(string) (m3u8.CustomTag, error) { return lines{name: gapTag}, nil }

// mapKey is the key in force at a MAP.
type mapKey struct {
	lines
	key m3u8.Key
}

type mapKeyDecoder struct{}

func (mapKeyDecoder) TagName() string  { return mapKeyTag }
func (mapKeyDecoder) SegmentTag() bool { return true }

func (mapKeyDecoder) Decode(line string) (m3u8.CustomTag, error) {
	as := m3u8.DecodeAttributeList(strings.TrimPrefix(line, mapKeyTag))
	return &mapKey{lines{name: mapKeyTag}, m3u8.Key{
		Method: as["METHOD"], URI: as["URI"], IV: as["IV"], Keyformat: as["KEYFORMAT"], Keyformatversions: as["KEYFORMATVERSIONS"],
	}}, nil
}

// readKey converts a key that is in force from segment sequence on; nil for
// METHOD=NONE. implied says that it has no IV of its own.
func readKey(k *m3u8.Key, sequence uint64) (key *channel.Key, implied bool, err error) {
	if k.Method == "NONE" {
		return nil, false, nil
	}
	key = &channel.Key{Method: k.Method, URI: k.URI, KeyFormat: k.Keyformat, KeyFormatVersions: k.Keyformatversions}
	if k.IV == "" {
		key.IV = sequenceIV(sequence)
		return key, true, nil
	}
	key.IV, err = parseIV(k.IV)
	return key, false, err
}

// writeKey converts a key back, nil to METHOD=NONE.
func writeKey(k *channel.Key) *m3u8.Key {
	if k == nil {
		return &m3u8.Key{Method: "NONE"}
	}
	method := k.Method
	if method == "" || method == "NONE" || !isToken(method) {
		method = "UNKNOWN" // which no player will try
	}
	return &m3u8.Key{
		Method: method, URI: cleanURI(k.URI), IV: "0x" + hex.EncodeToString(k.IV[:]),
		Keyformat: printable(k.KeyFormat), Keyformatversions: printable(k.KeyFormatVersions),
	}
}

// sequenceIV is the IV of a segment whose key has none (RFC 8216 section 5.2).
func sequenceIV(sequence uint64) (iv [16]byte) {
	binary.BigEndian.PutUint64(iv[8:], sequence)
	return iv
}

// parseIV reads a hexadecimal-sequence of up to 128 bits.
func parseIV(s string) (iv [16]byte, err error) {
	digits, ok := strings.CutPrefix(strings.ToLower(s), "0x")
	if !ok || digits == "" || len(digits) > 32 {
		return iv, errors.New("bad IV")
	}
	if _, err := hex.Decode(iv[:], []byte(strings.Repeat("0", 32-len(digits))+digits)); err != nil {
		return iv, errors.New("bad IV")
	}
	return iv, nil
}

// decimal writes a duration in seconds, exactly, with at least three decimals.
func decimal(d time.Duration) string {
	d = max(d, 0)
	s := fmt.Sprintf("%d.%09d", d/time.Second, d%time.Second)
	return s[:len(s)-6] + strings.TrimRight(s[len(s)-6:], "0")
}

func decimalFloat(f float64) string { return strconv.FormatFloat(f, 'f', 9, 64) }
