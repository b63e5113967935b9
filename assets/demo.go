package assets

import (
	"bytes"
	"embed"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strconv"
	"strings"
	"time"
)

//go:embed demo/*.mp4 demo/*.m4s
var files embed.FS

// Demo is the clip: init.mp4 and one file for each segment, 000.m4s and so on.
func Demo() fs.FS {
	sub, err := fs.Sub(files, "demo")
	if err != nil {
		panic(err) // the folder is embedded
	}
	return sub
}

const (
	// PlaylistPath is where an [Origin] has its multivariant playlist.
	PlaylistPath = "/coral.m3u8"

	// SegmentDuration is how long each of the clip's segments plays.
	SegmentDuration = 2 * time.Second

	// Window is how many segments the live playlist shows: three target
	// durations to start from, as RFC 8216 asks for, and as many to fall behind.
	Window = 6

	// kept is how many segments are still served: a player may ask for one that
	// has just left the playlist.
	kept = 3 * Window

	mediaPath   = "/video/live.m3u8"
	initPath    = "/video/init.mp4"
	segmentsDir = "/video/"
	segmentExt  = ".m4s"

	// What make.go encodes, as RFC 6381 writes it.
	codecs     = "avc1.4D401E,mp4a.40.2"
	resolution = "640x360"
	frameRate  = "25.000"

	mp4Type      = "video/mp4"
	playlistType = "application/vnd.apple.mpegurl"
)

// Origin serves the demo clip as an endless live HLS stream, as a packager
// beside an encoder would. Its segments' times run on from loop to loop, and
// the clip's end fits its beginning, so that there is no discontinuity. It may
// serve any number of requests at once.
type Origin struct {
	epoch     time.Time
	init      []byte
	clip      []clipSegment
	bandwidth int // the largest segment's, in bits per second
	average   int
}

// NewOrigin gives an origin whose first segment began at epoch. With epoch at
// least Window times SegmentDuration ago, players can start at once.
func NewOrigin(epoch time.Time) (*Origin, error) {
	o := &Origin{epoch: epoch}
	var err error
	if o.init, err = fs.ReadFile(Demo(), "init.mp4"); err != nil {
		return nil, fmt.Errorf("read demo clip: %w", err)
	}
	names, err := fs.Glob(Demo(), "*"+segmentExt)
	if err != nil || len(names) == 0 {
		return nil, fmt.Errorf("read demo clip: no segments: %w", err)
	}
	total := 0
	for _, name := range names { // Glob sorts
		data, err := fs.ReadFile(Demo(), name)
		if err != nil {
			return nil, fmt.Errorf("read demo clip: %w", err)
		}
		s := clipSegment{data: data}
		if err := s.locate(data, 0, len(data)); err != nil {
			return nil, fmt.Errorf("read demo clip: segment %s: %w", name, err)
		}
		o.clip = append(o.clip, s)
		total += len(data)
		o.bandwidth = max(o.bandwidth, bitrate(len(data)))
	}
	o.average = bitrate(total / len(names))
	return o, nil
}

func bitrate(n int) int { return n * 8 * int(time.Second) / int(SegmentDuration) }

// next is the sequence of the segment that is not complete yet at now.
func (o *Origin) next(now time.Time) int64 {
	return max(0, int64(now.Sub(o.epoch)/SegmentDuration))
}

// ServeHTTP implements http.Handler.
func (o *Origin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	next := o.next(time.Now())
	switch r.URL.Path {
	case PlaylistPath:
		serve(w, r, playlistType, "max-age=60", []byte(o.multivariant()))
	case mediaPath:
		// No younger than half a target duration, as RFC 8216bis B.1 says.
		serve(w, r, playlistType, "max-age=1", []byte(o.media(next)))
	case initPath:
		serve(w, r, mp4Type, "max-age=3600", o.init)
	default:
		name, ok := strings.CutPrefix(r.URL.Path, segmentsDir)
		name, m4s := strings.CutSuffix(name, segmentExt)
		n, err := strconv.ParseUint(name, 10, 62)
		if !ok || !m4s || err != nil || int64(n) >= next || int64(n) < next-kept {
			http.NotFound(w, r)
			return
		}
		serve(w, r, mp4Type, "max-age=3600", o.segment(int64(n)))
	}
}

// serve answers one request, ranges included.
func serve(w http.ResponseWriter, r *http.Request, contentType, cache string, body []byte) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Cache-Control", cache)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
}

func (o *Origin) multivariant() string {
	return fmt.Sprintf("#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n"+
		"#EXT-X-STREAM-INF:BANDWIDTH=%d,AVERAGE-BANDWIDTH=%d,CODECS=%q,RESOLUTION=%s,FRAME-RATE=%s\n%s\n",
		o.bandwidth, o.average, codecs, resolution, frameRate, strings.TrimPrefix(mediaPath, "/"))
}

// media writes the playlist that ends before the segment next.
func (o *Origin) media(next int64) string {
	first := max(0, next-Window)
	var b strings.Builder
	fmt.Fprintf(&b, "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-TARGETDURATION:%d\n#EXT-X-MEDIA-SEQUENCE:%d\n#EXT-X-MAP:URI=\"init.mp4\"\n",
		int(SegmentDuration/time.Second), first)
	for n := first; n < next; n++ {
		at := o.epoch.Add(time.Duration(n) * SegmentDuration)
		fmt.Fprintf(&b, "#EXT-X-PROGRAM-DATE-TIME:%s\n#EXTINF:%.3f,\n%d%s\n",
			at.UTC().Format("2006-01-02T15:04:05.000Z"), SegmentDuration.Seconds(), n, segmentExt)
	}
	return b.String()
}

// segment gives the live segment n: the clip's bytes with the times moved on by
// the loops that went before.
func (o *Origin) segment(n int64) []byte {
	c := &o.clip[n%int64(len(o.clip))]
	loops := uint64(n / int64(len(o.clip)))
	loop := uint64(time.Duration(len(o.clip)) * SegmentDuration / time.Second)
	b := bytes.Clone(c.data)
	binary.BigEndian.PutUint32(b[c.number:], uint32(n)+1)
	for _, t := range c.times {
		at := b[t.offset:]
		binary.BigEndian.PutUint64(at, binary.BigEndian.Uint64(at)+loops*loop*t.scale)
	}
	return b
}

// clipSegment is one media segment and where in it its times stand.
type clipSegment struct {
	data   []byte
	number int // offset of the movie fragment's sequence number (mfhd)
	times  []clipTime
	scale  uint64 // of the track that locate is in
}

// clipTime is one base media decode time (tfdt, version 1).
type clipTime struct {
	offset int
	scale  uint64 // ticks a second
}

// scales are the time scales of the clip's tracks, as make.go has ffmpeg write them.
var scales = map[uint32]uint64{1: 12800, 2: 48000}

var errClip = errors.New("not as make.go writes it")

// locate walks the boxes (ISO/IEC 14496-12 section 4.2) between two offsets.
func (s *clipSegment) locate(b []byte, from, to int) error {
	for from < to {
		if to-from < 8 {
			return errClip
		}
		size := int(binary.BigEndian.Uint32(b[from:]))
		if size < 8 || size > to-from {
			return errClip
		}
		body, end := from+8, from+size
		switch string(b[from+4 : body]) {
		case "moof", "traf":
			if err := s.locate(b, body, end); err != nil {
				return err
			}
		case "mfhd":
			s.number = body + 4
		case "tfhd":
			s.scale = scales[binary.BigEndian.Uint32(b[body+4:])]
		case "tfdt":
			if b[body] != 1 || s.scale == 0 {
				return errClip
			}
			s.times = append(s.times, clipTime{offset: body + 4, scale: s.scale})
		}
		from = end
	}
	return nil
}
