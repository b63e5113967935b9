package nodetest

import (
	"bytes"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Type is how an origin's playlists behave.
type Type uint8

const (
	Live  Type = iota // a sliding window
	Event             // grows, keeps everything
	VOD               // all there from the start
)

// OriginConfig says what an Origin serves. The zero value is a live TS channel:
// one variant of 1.5 Mbit/s, segments of 2 s, six in the window, none at first.
type OriginConfig struct {
	Segment  time.Duration // default 2 s
	Window   int           // segments in a live playlist; default 6
	Bitrates []int         // bits per second, one for each variant; default 1 500 000
	// Audio and Subtitles are languages: one separate rendition each.
	Audio, Subtitles []string
	// Single: the origin has no multivariant playlist; URL is variant 0's.
	Single bool
	Format Format
	Type   Type
	Length uint64 // segments until EXT-X-ENDLIST; 0: never. VOD: required
	// Backlog is how many segments exist when the origin starts.
	Backlog int
	// FirstSequence is the Media Sequence Number of the first segment.
	FirstSequence uint64
	// Ranged puts this many segments at a time in one file, with EXT-X-BYTERANGE.
	Ranged int
	// KeyEvery encrypts with AES-128 and changes the key every so many segments.
	// ExplicitIV puts an IV attribute in each EXT-X-KEY.
	KeyEvery   int
	ExplicitIV bool
	// DiscontinuityEvery puts EXT-X-DISCONTINUITY before every n-th segment, and
	// with FMP4 changes the init section there.
	DiscontinuityEvery int
	// NoDateTime leaves out EXT-X-PROGRAM-DATE-TIME.
	NoDateTime bool
	// LowLatency lists parts, hints and reports beside the segments, as Low-Latency
	// HLS does; none of the parts can be had.
	LowLatency bool
	// Extension replaces the segments' extension, e.g. ".bin"; "-" means none.
	Extension string
}

// Origin is a fake HLS origin, an http.Handler. It is safe for concurrent use.
type Origin struct {
	cfg OriginConfig

	mu      sync.Mutex
	epochs  []epoch
	faults  Faults
	changed chan struct{} // closed and replaced when faults change
	staleAt time.Time     // when Faults.Stale began
	counts  Counts
}

// epoch is a run of the origin's encoder.
type epoch struct {
	n     uint32
	start time.Time // of segment first
	first uint64
}

// NewOrigin returns an origin whose first segment begins now (less the backlog).
func NewOrigin(cfg OriginConfig) *Origin {
	if cfg.Segment == 0 {
		cfg.Segment = 2 * time.Second
	}
	if cfg.Window == 0 {
		cfg.Window = 6
	}
	if len(cfg.Bitrates) == 0 {
		cfg.Bitrates = []int{1_500_000}
	}
	start := time.Now().Truncate(time.Millisecond).Add(-time.Duration(cfg.Backlog) * cfg.Segment)
	return &Origin{
		cfg: cfg, changed: make(chan struct{}), counts: Counts{Copies: make(map[Ident]int)},
		epochs: []epoch{{start: start, first: cfg.FirstSequence}},
	}
}

// Path is the path of the playlist that a publisher is given.
func (o *Origin) Path() string {
	if o.cfg.Single {
		return "/live/0/index.m3u8"
	}
	return "/live/master.m3u8"
}

// Start serves o on a loopback port until the test ends and returns Path's URL.
func (o *Origin) Start(t testing.TB) string {
	t.Helper()
	s := httptest.NewServer(o)
	t.Cleanup(func() {
		s.CloseClientConnections()
		o.Set(Faults{}) // hanging handlers end
		s.Close()
	})
	return s.URL + o.Path()
}

// StartOn is Start on a listener, for instance one of a Net.
func (o *Origin) StartOn(t testing.TB, l net.Listener) string {
	t.Helper()
	s := &http.Server{Handler: o}
	done := make(chan struct{})
	go func() { defer close(done); s.Serve(l) }()
	t.Cleanup(func() {
		o.Set(Faults{})
		s.Close()
		<-done
	})
	return "http://" + l.Addr().String() + o.Path()
}

// Restart makes the origin begin anew, as an encoder does that was restarted:
// sequence numbers from first, other bytes, the old segments out of the playlist
// once there is a new one.
func (o *Origin) Restart(first uint64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	last := o.epochs[len(o.epochs)-1]
	o.epochs = append(o.epochs, epoch{n: last.n + 1, start: time.Now().Truncate(time.Millisecond), first: first})
}

// Renditions is how many renditions there are: variants, then audio, then
// subtitles, numbered in this order.
func (o *Origin) Renditions() int {
	return len(o.cfg.Bitrates) + len(o.cfg.Audio) + len(o.cfg.Subtitles)
}

func (o *Origin) format(rendition int) Format {
	if rendition >= len(o.cfg.Bitrates)+len(o.cfg.Audio) {
		return WebVTT
	}
	return o.cfg.Format
}

func (o *Origin) bitrate(rendition int) int {
	switch v, a := len(o.cfg.Bitrates), len(o.cfg.Audio); {
	case rendition < v:
		return o.cfg.Bitrates[rendition]
	case rendition < v+a:
		return 128_000
	}
	return 2_000
}

// at returns the epoch that is in the playlist at t and its newest whole
// segment. ok is false before the very first.
func (o *Origin) at(t time.Time) (e epoch, newest uint64, ok bool) {
	for _, e := range slices.Backward(o.epochs) {
		n := uint64(max(0, t.Sub(e.start)/o.cfg.Segment))
		if o.cfg.Type == VOD {
			n = o.cfg.Length
		}
		if o.cfg.Length > 0 {
			n = min(n, o.cfg.Length)
		}
		if n > 0 {
			return e, e.first + n - 1, true
		}
	}
	return epoch{}, 0, false
}

// Newest returns the newest whole segment of a rendition; ok is false before the
// first.
func (o *Origin) Newest(rendition int) (id Ident, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	e, n, ok := o.at(time.Now())
	return Ident{Epoch: e.n, Rendition: rendition, Sequence: n}, ok
}

// Plain returns the bytes of id before encryption.
func (o *Origin) Plain(id Ident) []byte {
	if id.Init {
		return Bytes(FMP4, id, 2*smallest)
	}
	return Bytes(o.format(id.Rendition), id, Size(id, o.bitrate(id.Rendition), o.cfg.Segment.Seconds()))
}

// Bytes returns the bytes of id as they are served, encrypted if the origin
// encrypts: what must come out of a swarm.
func (o *Origin) Bytes(id Ident) []byte {
	b := o.Plain(id)
	if o.encrypts(id) {
		b = Encrypt(b, keyBytes(o.keyOf(id.Sequence)), o.iv(id.Sequence))
	}
	return b
}

func (o *Origin) encrypts(id Ident) bool {
	return o.cfg.KeyEvery > 0 && !id.Init && o.format(id.Rendition) != WebVTT
}

func (o *Origin) keyOf(seq uint64) uint64 { return seq / uint64(o.cfg.KeyEvery) }

func (o *Origin) iv(seq uint64) [16]byte {
	iv := sequenceIV(seq)
	if o.cfg.ExplicitIV {
		iv[0] = 0x80
	}
	return iv
}

// initOf is the init section that segment seq needs.
func (o *Origin) initOf(seq uint64) uint64 {
	if o.cfg.DiscontinuityEvery == 0 {
		return 0
	}
	return seq / uint64(o.cfg.DiscontinuityEvery)
}

func (o *Origin) ext(rendition int) string {
	switch o.cfg.Extension {
	case "":
		return o.format(rendition).Ext()
	case "-":
		return ""
	}
	return o.cfg.Extension
}

// find returns the segment that a name means now: the newest epoch's. ok is
// false if it is not whole yet.
func (o *Origin) find(rendition int, seq uint64) (Ident, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for i := len(o.epochs) - 1; i >= 0; i-- {
		e := o.epochs[i]
		until := time.Now()
		if i+1 < len(o.epochs) {
			until = o.epochs[i+1].start
		}
		n := uint64(max(0, until.Sub(e.start)/o.cfg.Segment))
		if o.cfg.Type == VOD {
			n = o.cfg.Length
		}
		if o.cfg.Length > 0 {
			n = min(n, o.cfg.Length)
		}
		if seq >= e.first && seq < e.first+n {
			return Ident{Epoch: e.n, Rendition: rendition, Sequence: seq}, true
		}
	}
	return Ident{}, false
}

// ServeHTTP serves the tree below /live/.
func (o *Origin) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	path, ok := strings.CutPrefix(r.URL.Path, "/live/")
	dir, name, nested := strings.Cut(path, "/")
	rendition, err := strconv.Atoi(dir)
	w := &response{ResponseWriter: rw, o: o, r: r}
	switch {
	case ok && path == "master.m3u8" && !o.cfg.Single:
		w.kind = Master
		w.serve("application/vnd.apple.mpegurl", Ident{}, func() []byte { return []byte(o.master()) })
	case !ok || !nested || err != nil || rendition < 0 || rendition >= o.Renditions():
		w.notFound()
	default:
		o.serveRendition(w, rendition, name)
	}
}

func (o *Origin) serveRendition(w *response, rendition int, name string) {
	var n uint64
	base, ext, _ := strings.Cut(name, ".")
	if ext != "" {
		ext = "." + ext
	}
	number := func(prefix string) bool {
		digits, ok := strings.CutPrefix(base, prefix)
		var err error
		n, err = strconv.ParseUint(digits, 10, 64)
		return ok && err == nil
	}
	switch {
	case name == "index.m3u8":
		w.kind = Media
		w.serve("application/vnd.apple.mpegurl", Ident{}, func() []byte { return o.media(rendition) })
	case number("init") && ext == ".mp4" && o.format(rendition) == FMP4:
		w.kind = Init
		id := Ident{Rendition: rendition, Sequence: n, Init: true}
		w.serve("video/mp4", id, func() []byte { return o.Bytes(id) })
	case number("key") && ext == ".key" && o.cfg.KeyEvery > 0:
		w.kind = Key
		w.serve("application/octet-stream", Ident{}, func() []byte { return keyBytes(n) })
	case number("file") && o.cfg.Ranged > 0 && ext == o.ext(rendition):
		w.kind = Segment
		w.serve("", Ident{Rendition: rendition, Sequence: n * uint64(o.cfg.Ranged)}, func() []byte { return o.file(rendition, n) })
	case number("") && ext == o.ext(rendition):
		w.kind = Segment
		id, ok := o.find(rendition, n)
		if !ok {
			w.notFound()
			return
		}
		w.serve("", id, func() []byte { return o.Bytes(id) })
	default:
		w.notFound()
	}
}

// file returns the n-th file of several segments, as far as it has been written.
func (o *Origin) file(rendition int, n uint64) []byte {
	var b bytes.Buffer
	for i := range uint64(o.cfg.Ranged) {
		id, ok := o.find(rendition, n*uint64(o.cfg.Ranged)+i)
		if !ok {
			break
		}
		b.Write(o.Bytes(id))
	}
	if b.Len() == 0 {
		return nil
	}
	return b.Bytes()
}

// offset is where a segment begins in its file.
func (o *Origin) offset(id Ident) int64 {
	var off int64
	for seq := id.Sequence - id.Sequence%uint64(o.cfg.Ranged); seq < id.Sequence; seq++ {
		if prev, ok := o.find(id.Rendition, seq); ok {
			off += o.size(prev)
		}
	}
	return off
}

func (o *Origin) size(id Ident) int64 {
	n := Size(id, o.bitrate(id.Rendition), o.cfg.Segment.Seconds())
	if o.encrypts(id) {
		n += 16 - n%16 // PKCS #7 always pads
	}
	return int64(n)
}
