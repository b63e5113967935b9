package player

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// Limits of what is believed of a playlist.
const (
	maxPlaylist = 16 << 20               // bytes: two days of 2 s segments
	maxLine     = 64 << 10               // bytes: longer URIs are no URIs
	maxVariants = 1 << 10                // no ladder has more rungs
	maxDuration = 6 * time.Hour          // of one segment
	minTarget   = 500 * time.Millisecond // shorter targets would make us poll a server without a pause
	maxSequence = 1 << 62                // so that sums of sequences do not wrap
)

// ErrNotPlaylist says that something is no HLS playlist; it may be playable yet.
var ErrNotPlaylist = errors.New("not an HLS playlist")

// Playlist is what a player must know of an HLS playlist to find its way in it.
// Everything else in it is for the demuxer.
type Playlist struct {
	Variants []string // URIs of a multivariant playlist; then nothing else is set

	Target   time.Duration   // the longest segment; at least half a second
	First    int64           // media sequence number of the first segment
	Segments []time.Duration // how long each is
	Event    bool            // segments are added and none is removed
	Ended    bool            // nothing more will come
}

// ParsePlaylist reads a playlist (RFC 8216, section 4). It reads no further than
// the first line of what is none.
func ParsePlaylist(r io.Reader) (Playlist, error) {
	var p Playlist
	in := bufio.NewReader(io.LimitReader(r, maxPlaylist+1))
	const tag = "#EXTM3U"
	head, _ := in.Peek(len("\xef\xbb\xbf") + len(tag))
	if !bytes.HasPrefix(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), []byte(tag)) {
		return p, ErrNotPlaylist
	}
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxLine)
	read, variant, media := 0, false, false
	next := time.Duration(-1) // of the segment whose URI follows
	for lines.Scan() {
		if read += len(lines.Bytes()) + 1; read > maxPlaylist {
			return p, errors.New("read playlist: it is too long")
		}
		line := strings.TrimSpace(lines.Text())
		name, value, _ := strings.Cut(line, ":")
		switch {
		case line == "":
		case name == "#EXT-X-STREAM-INF":
			variant = true
		case name == "#EXT-X-TARGETDURATION":
			p.Target, media = seconds(value), true
		case name == "#EXT-X-MEDIA-SEQUENCE":
			n, err := strconv.ParseInt(strings.TrimSpace(value), 10, 64)
			if err != nil || n < 0 || n > maxSequence {
				return p, fmt.Errorf("read playlist: media sequence %q", value)
			}
			p.First = n
		case name == "#EXT-X-PLAYLIST-TYPE":
			p.Event = strings.EqualFold(strings.TrimSpace(value), "EVENT")
		case name == "#EXT-X-ENDLIST":
			p.Ended = true
		case name == "#EXTINF":
			length, _, _ := strings.Cut(value, ",")
			next = seconds(length)
		case line[0] == '#':
		case variant:
			if variant = false; len(p.Variants) < maxVariants {
				p.Variants = append(p.Variants, line)
			}
		case next >= 0:
			p.Segments = append(p.Segments, next)
			next = -1
		}
	}
	if err := lines.Err(); err != nil {
		return p, fmt.Errorf("read playlist: %w", err)
	}
	if len(p.Variants) > 0 {
		return Playlist{Variants: p.Variants}, nil
	}
	if !media {
		return p, fmt.Errorf("%w: it names neither variants nor a target duration", ErrNotPlaylist)
	}
	p.Target = max(p.Target, minTarget)
	return p, nil
}

// seconds reads a decimal number of seconds; what is absurd counts as nothing.
func seconds(s string) time.Duration {
	f, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	if err != nil || !(f > 0) || f > maxDuration.Seconds() {
		return 0
	}
	return time.Duration(f * float64(time.Second))
}
