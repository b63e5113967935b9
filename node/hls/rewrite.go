package hls

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// mapKeyTag is a tag of our own between rewriter and grafov: the key in force
// where EXT-X-MAP stands, which may be another than the segment's.
const mapKeyTag = "#EXT-CORAL-MAP-KEY:"

const gapTag = "#EXT-X-GAP"

// rewriter turns a playlist into the dialect that grafov reads right, and
// checks it on the way.
type rewriter struct {
	line      int // number of the current one
	body      bytes.Buffer
	variables map[string]string

	multivariant bool // has variants or other renditions
	media        bool // has tags of a media playlist
	segments     int
	renditions   int
	streamInf    string // attributes of the variant whose URI comes next
	independent  bool
	holdBack     time.Duration
	ended        bool

	kind    string // VOD, EVENT or empty
	target  int64  // seconds
	longest int64  // segment, rounded to seconds
	// Of the first segment.
	sequence, discontinuities uint64

	// The segment whose URI comes next.
	inf           bool // EXTINF was there
	duration      time.Duration
	discontinuity bool
	gap           bool
	date          time.Time
	ranged        bool
	length        int64
	offset        int64 // -1: goes on where the previous one ended

	keys    []keyInForce
	section string // EXT-X-MAP in force: attributes as rewritten
	secKey  string // the key in force where it stood
	sentKey string
	sentMap string
	prevURI string // of the segment before, if it was ranged
	prevEnd int64
}

// keyInForce is an EXT-X-KEY: it holds until the next of the same format.
type keyInForce struct{ format, text string }

// maxKeyFormats bounds how many DRM systems one segment's key may be given for.
const maxKeyFormats = 16

// rewrite reads the whole playlist.
func rewrite(data []byte) (*rewriter, error) {
	if len(data) > maxBytesLong {
		return nil, fmt.Errorf("%w: %d bytes", ErrTooLarge, len(data))
	}
	size := len(data)
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if !utf8.Valid(data) {
		data = bytes.ToValidUTF8(data, []byte("\uFFFD"))
	}
	r := new(rewriter)
	begun := false
	for len(data) > 0 {
		var line []byte
		line, data, _ = bytes.Cut(data, []byte{'\n'})
		if r.line++; r.line > maxLinesLong {
			return nil, fmt.Errorf("%w: more than %d lines", ErrTooLarge, maxLinesLong)
		}
		if len(line) > maxLine {
			return nil, fmt.Errorf("line %d: %w: %d bytes", r.line, ErrTooLarge, len(line))
		}
		s := string(bytes.TrimSpace(line))
		if s == "" {
			continue
		}
		if !begun {
			if s != "#EXTM3U" && !strings.HasPrefix(s, "#EXTM3U ") {
				return nil, ErrNotPlaylist
			}
			begun = true
			continue
		}
		if err := r.take(s); err != nil {
			return nil, fmt.Errorf("line %d: %w", r.line, err)
		}
	}
	if !begun {
		return nil, ErrNotPlaylist
	}
	if long := !r.multivariant && (r.ended || r.kind != ""); !long && (size > maxBytes || r.line > maxLines) {
		return nil, fmt.Errorf("%w: %d bytes, %d lines", ErrTooLarge, size, r.line)
	}
	return r, nil
}

// take rewrites one line.
func (r *rewriter) take(s string) error {
	if strings.HasPrefix(s, "#") && !strings.HasPrefix(s, "#EXT") {
		return nil // a comment
	}
	s = strings.ReplaceAll(s, "\t", " ")
	if strings.ContainsFunc(s, func(c rune) bool { return c < 0x20 || c == 0x7f }) {
		return errors.New("control character")
	}
	if !strings.HasPrefix(s, "#") {
		return r.uri(s)
	}
	tag, value, _ := strings.Cut(s, ":")
	value = strings.TrimSpace(value)
	switch tag {
	case "#EXT-X-DEFINE":
		return r.define(value)
	case "#EXT-X-INDEPENDENT-SEGMENTS":
		r.independent = true
	case "#EXT-X-STREAM-INF":
		r.multivariant = true
		return r.variant(value)
	case "#EXT-X-MEDIA":
		r.multivariant = true
		return r.alternative(value)
	case "#EXT-X-I-FRAME-STREAM-INF", "#EXT-X-SESSION-DATA", "#EXT-X-SESSION-KEY", "#EXT-X-CONTENT-STEERING":
		r.multivariant = true
	default:
		return r.mediaTag(tag, value)
	}
	return nil
}

func (r *rewriter) mediaTag(tag, value string) (err error) {
	known := true
	switch tag {
	case "#EXT-X-TARGETDURATION":
		var d time.Duration
		if d, err = seconds(value); err == nil {
			r.target = int64((d + time.Second - 1) / time.Second)
		}
	case "#EXT-X-MEDIA-SEQUENCE":
		r.sequence, err = counter(value)
	case "#EXT-X-DISCONTINUITY-SEQUENCE":
		r.discontinuities, err = counter(value)
	case "#EXT-X-PLAYLIST-TYPE":
		if kind := strings.ToUpper(value); kind == "VOD" || kind == "EVENT" {
			r.kind = kind
		}
	case "#EXT-X-ENDLIST":
		r.ended = true
	case "#EXTINF":
		value, _, _ = strings.Cut(value, ",")
		r.duration, err = seconds(strings.TrimSpace(value))
		r.inf = err == nil
	case "#EXT-X-DISCONTINUITY":
		r.discontinuity = true
	case gapTag:
		r.gap = true
	case "#EXT-X-PROGRAM-DATE-TIME":
		r.date = date(value)
	case "#EXT-X-BYTERANGE":
		r.ranged = true
		r.length, r.offset, err = byteRange(value)
	case "#EXT-X-MAP":
		err = r.initSection(value)
	case "#EXT-X-KEY":
		err = r.key(value)
	case serverControlTag:
		var as attributes
		if as, err = r.attributes(value); err == nil && as.get("HOLD-BACK") != "" {
			r.holdBack, err = seconds(as.get("HOLD-BACK"))
		}
	case "#EXT-X-I-FRAMES-ONLY":
		err = errors.New("not supported: playlist of I-frames")
	case "#EXT-X-SKIP":
		err = errors.New("delta updates are not supported")
	default:
		known = false
	}
	r.media = r.media || known
	return err
}

// initSection takes an EXT-X-MAP.
func (r *rewriter) initSection(value string) error {
	as, err := r.attributes(value)
	if err != nil {
		return err
	}
	uri, within := as.get("URI"), as.get("BYTERANGE")
	if err := checkURI(uri); err != nil {
		return err
	}
	var length, offset int64
	if within != "" {
		if length, offset, err = byteRange(within); err != nil {
			return err
		}
	}
	r.section, r.secKey = mapAttributes(uri, within != "", length, offset), r.keyNow()
	return nil
}

// key takes an EXT-X-KEY.
func (r *rewriter) key(value string) error {
	as, err := r.attributes(value)
	if err != nil {
		return err
	}
	method := as.token("METHOD")
	if method == "NONE" {
		r.keys = nil
		return nil
	}
	if method == "" {
		return errors.New("key without method")
	}
	uri := as.get("URI")
	if err := checkURI(uri); err != nil {
		return err
	}
	if iv := as.get("IV"); iv != "" {
		if _, err := parseIV(iv); err != nil {
			return err
		}
	}
	format := as.get("KEYFORMAT")
	if strings.EqualFold(format, "identity") {
		format = ""
	}
	var w listWriter
	w.raw("METHOD", method)
	w.quoted("URI", uri)
	w.raw("IV", as.get("IV"))
	w.quoted("KEYFORMAT", format)
	w.quoted("KEYFORMATVERSIONS", as.get("KEYFORMATVERSIONS"))
	for i := range r.keys {
		if r.keys[i].format == format {
			r.keys[i].text = w.String()
			return nil
		}
	}
	if len(r.keys) == maxKeyFormats {
		return fmt.Errorf("more than %d key formats", maxKeyFormats)
	}
	r.keys = append(r.keys, keyInForce{format, w.String()})
	return nil
}

// keyNow is the one key in force that is kept: of the identity format, which
// every player reads, or else the first named.
func (r *rewriter) keyNow() string {
	for _, k := range r.keys {
		if k.format == "" {
			return k.text
		}
	}
	if len(r.keys) > 0 {
		return r.keys[0].text
	}
	return ""
}

// uri takes a line that is one, and with it ends a variant or a segment.
func (r *rewriter) uri(s string) error {
	s, err := r.expand(s)
	if err != nil {
		return err
	}
	s = strings.ReplaceAll(strings.TrimSpace(s), `"`, "%22") // which a URI cannot hold, though file names can
	if err := checkURI(s); err != nil {
		return err
	}
	if r.streamInf != "" {
		fmt.Fprintf(&r.body, "#EXT-X-STREAM-INF:%s\n%s\n", r.streamInf, s)
		r.streamInf = ""
		return nil
	}
	if !r.inf {
		return nil
	}
	return r.segment(s)
}

// segment writes all that is known of the segment at uri.
func (r *rewriter) segment(uri string) error {
	if key := r.keyNow(); key != r.sentKey {
		r.sentKey = key
		if key == "" {
			key = "METHOD=NONE"
		}
		fmt.Fprintf(&r.body, "#EXT-X-KEY:%s\n", key)
	}
	if section := r.section + "\n" + r.secKey; r.section != "" && section != r.sentMap {
		r.sentMap = section
		fmt.Fprintf(&r.body, "%s%s\n", mapTag, r.section)
		if r.secKey != "" {
			fmt.Fprintf(&r.body, "%s%s\n", mapKeyTag, r.secKey)
		}
	}
	if r.discontinuity {
		r.body.WriteString("#EXT-X-DISCONTINUITY\n")
	}
	if !r.date.IsZero() {
		fmt.Fprintf(&r.body, "#EXT-X-PROGRAM-DATE-TIME:%s\n", r.date.Format(time.RFC3339Nano))
	}
	if r.gap {
		r.body.WriteString(gapTag + "\n")
	}
	if r.ranged {
		if r.offset < 0 {
			if r.prevURI != uri {
				return errors.New("byte range without offset has none before it to go on from")
			}
			r.offset = r.prevEnd
		}
		if r.prevURI, r.prevEnd = uri, r.offset+r.length; r.prevEnd > maxResource {
			return errors.New("bad byte range")
		}
		fmt.Fprintf(&r.body, "#EXT-X-BYTERANGE:%d@%d\n", r.length, r.offset)
	} else {
		r.prevURI = ""
	}
	fmt.Fprintf(&r.body, "#EXTINF:%s,\n%s\n", decimal(r.duration), uri)
	r.longest = max(r.longest, int64(r.duration.Round(time.Second)/time.Second))
	r.segments++
	r.inf, r.discontinuity, r.gap, r.ranged, r.date = false, false, false, false, time.Time{}
	return nil
}
