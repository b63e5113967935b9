package nodetest

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// PlayerConfig says what Play plays and how.
type PlayerConfig struct {
	URL     string
	Client  *http.Client // default: a new one
	Variant int          // of the multivariant playlist
	// Group plays a rendition of the variant's group instead of the variant:
	// "AUDIO" or "SUBTITLES"; Alternative is which of the group.
	Group       string
	Alternative int
	Behind      int           // segments from the newest at which to start a live stream; default 3
	Ahead       time.Duration // furthest to fetch ahead of the playhead; default 30 s
	// Range asks with "Range: bytes=0-" as FFmpeg does.
	Range bool
	// Segments ends the viewing after so many; 0: when the stream or ctx ends.
	Segments int
	// OnSegment, if not nil, is told of each right segment.
	OnSegment func(id Ident, took time.Duration)
}

// Report is what a viewing showed.
type Report struct {
	Startup   time.Duration // to the first segment whole; -1: never
	Stalls    []Stall
	Played    time.Duration
	Segments  int
	Bytes     int64
	Skipped   int // fell out of the live window before they were fetched
	Corrupt   int // wrong bytes, or a segment that does not follow the one before
	Failed    int // requests
	Playlists int // requests of media playlists
	Ended     bool
	// Ready is, for each segment with a date, its end on the wall clock to its
	// last byte here.
	Ready  []time.Duration
	Idents []Ident // the right ones, in order
	Errors []string
}

// Stall is a span in which playback stood still.
type Stall struct {
	After time.Duration // from the start of the viewing
	Took  time.Duration
}

// Stalled is how long playback stood still in all.
func (r *Report) Stalled() (sum time.Duration) {
	for _, s := range r.Stalls {
		sum += s.Took
	}
	return sum
}

func (r *Report) String() string {
	return fmt.Sprintf("startup %v, %d segments, %d bytes, %d stalls (%v), %d corrupt, %d skipped, %d failed, errors %q",
		r.Startup, r.Segments, r.Bytes, len(r.Stalls), r.Stalled(), r.Corrupt, r.Skipped, r.Failed, r.Errors)
}

// player is one viewing. Its playback clock: media that is whole plays in real
// time from the first segment on; when it runs out the clock stands (a stall)
// until the next segment is whole.
type player struct {
	cfg PlayerConfig
	Report
	start     time.Time
	buffered  time.Duration
	clock     time.Time // when buffered was last settled
	playing   bool
	stalledAt time.Time
	keys      map[string][]byte
	inits     map[string]bool
	last      *Ident // the newest right segment, with its place in the playlist
	lastSeq   uint64
}

// retryAfter is how long a player waits after a failed request.
const retryAfter = 250 * time.Millisecond

// Play views cfg.URL until the stream or ctx ends.
func Play(ctx context.Context, cfg PlayerConfig) *Report {
	if cfg.Client == nil {
		cfg.Client = &http.Client{Transport: &http.Transport{DisableCompression: true}}
		defer cfg.Client.CloseIdleConnections()
	}
	if cfg.Behind == 0 {
		cfg.Behind = 3
	}
	if cfg.Ahead == 0 {
		cfg.Ahead = 30 * time.Second
	}
	now := time.Now()
	p := &player{cfg: cfg, start: now, clock: now, keys: make(map[string][]byte), inits: make(map[string]bool)}
	p.Startup = -1
	p.run(ctx)
	now = time.Now()
	p.settle(now)
	if !p.playing && p.Startup >= 0 && !p.Ended {
		p.stalled(now)
	}
	return &p.Report
}

// settle moves the playback clock to now.
func (p *player) settle(now time.Time) {
	d := now.Sub(p.clock)
	p.clock = now
	if !p.playing {
		return
	}
	if d > p.buffered { // equal: the next segment may still come in time
		p.stalledAt = now.Add(p.buffered - d)
		p.Played += p.buffered
		p.buffered, p.playing = 0, false
		return
	}
	p.Played += d
	p.buffered -= d
}

// stalled notes a stall that ends now.
func (p *player) stalled(now time.Time) {
	p.Stalls = append(p.Stalls, Stall{After: p.stalledAt.Sub(p.start), Took: now.Sub(p.stalledAt)})
}

func (p *player) run(ctx context.Context) {
	var u *url.URL
	for ctx.Err() == nil {
		var err error
		if u, err = p.mediaURL(ctx); err == nil {
			break
		}
		p.fail(ctx, err)
		sleep(ctx, retryAfter)
	}
	next, started := uint64(0), false
	var before media
	for ctx.Err() == nil {
		loaded := time.Now()
		body, err := p.get(ctx, u.String(), 0, 0)
		p.Playlists++
		var m media
		if err == nil {
			m, err = parseMedia(u, string(body))
		}
		if err != nil || len(m.segs) == 0 {
			p.fail(ctx, err)
			sleep(ctx, retryAfter)
			continue
		}
		first, last := m.segs[0].seq, m.segs[len(m.segs)-1].seq
		changed := len(before.segs) != len(m.segs) || before.segs[0].seq != first
		before = m
		if !started {
			started = true
			next = first
			if !m.ended {
				next = m.segs[max(0, len(m.segs)-p.cfg.Behind)].seq
			}
		}
		if next < first {
			p.Skipped += int(first - next)
			next = first
		}
		next = p.fetch(ctx, &m, next, loaded)
		if p.done(&m, next > last) {
			return
		}
		if next > last {
			wait := m.target
			if !changed {
				wait /= 2
			}
			sleep(ctx, wait-time.Since(loaded))
		}
	}
}

// done reports whether there is nothing more to fetch.
func (p *player) done(m *media, all bool) bool {
	p.Ended = m.ended && all
	return p.Ended || p.cfg.Segments > 0 && p.Segments >= p.cfg.Segments
}

// fetch fetches m's segments from next on and returns what is next after them.
func (p *player) fetch(ctx context.Context, m *media, next uint64, loaded time.Time) uint64 {
	for _, s := range m.segs {
		if s.seq < next {
			continue
		}
		p.settle(time.Now())
		if over := p.buffered - p.cfg.Ahead; over > 0 {
			sleep(ctx, over)
		}
		began := time.Now()
		n, err := p.segment(ctx, &s, began)
		if err != nil {
			p.fail(ctx, err)
			if ctx.Err() == nil {
				sleep(ctx, retryAfter)
			}
			return next // reload the playlist and try again from there
		}
		p.take(&s, n)
		next = s.seq + 1
		if p.cfg.Segments > 0 && p.Segments >= p.cfg.Segments || !m.ended && time.Since(loaded) > m.target {
			return next
		}
	}
	return next
}

// take plays a whole segment of n bytes.
func (p *player) take(s *mediaSegment, n int) {
	now := time.Now()
	p.Segments++
	p.Bytes += int64(n)
	if !s.pdt.IsZero() {
		p.Ready = append(p.Ready, now.Sub(s.pdt.Add(s.duration)))
	}
	p.settle(now)
	if !p.playing {
		p.playing = true
		if p.Startup < 0 {
			p.Startup = now.Sub(p.start)
		} else {
			p.stalled(now)
		}
	}
	p.buffered += s.duration
}

// segment fetches, decrypts and checks one segment and returns its length. A
// wrong one is counted and played like a real player would: only what cannot be
// had is an error.
func (p *player) segment(ctx context.Context, s *mediaSegment, began time.Time) (int, error) {
	if s.mapURL != "" && !p.inits[s.mapURL] {
		b, err := p.get(ctx, s.mapURL, 0, 0)
		if err != nil {
			return 0, err
		}
		id, err := Check(b)
		if err == nil && !id.Init {
			err = fmt.Errorf("%+v is no init section", id)
		}
		p.corrupt(s, err)
		p.inits[s.mapURL] = true
	}
	b, err := p.get(ctx, s.url, s.off, s.length)
	if err != nil {
		return 0, err
	}
	n := len(b)
	if s.keyURL != "" {
		if p.keys[s.keyURL] == nil {
			key, err := p.get(ctx, s.keyURL, 0, 0)
			if err != nil {
				return 0, err
			}
			p.keys[s.keyURL] = key
		}
		if b, err = Decrypt(b, p.keys[s.keyURL], s.iv); err != nil {
			p.corrupt(s, err)
			return n, nil
		}
	}
	id, err := Check(b)
	if err == nil {
		err = p.follows(s, id)
	}
	if err != nil {
		p.corrupt(s, err)
		return n, nil
	}
	p.last, p.lastSeq = &id, s.seq
	p.Idents = append(p.Idents, id)
	if p.cfg.OnSegment != nil {
		p.cfg.OnSegment(id, time.Since(began))
	}
	return n, nil
}

// follows checks that id is what comes after the segment before.
func (p *player) follows(s *mediaSegment, id Ident) error {
	switch {
	case id.Init:
		return fmt.Errorf("%+v is an init section", id)
	case p.last == nil:
		return nil
	case id.Rendition != p.last.Rendition && !s.discontinuity || id.Epoch < p.last.Epoch:
		return fmt.Errorf("%+v comes after %+v", id, *p.last)
	case id.Epoch == p.last.Epoch && id.Sequence-p.last.Sequence != s.seq-p.lastSeq:
		return fmt.Errorf("%+v as number %d comes after %+v as number %d", id, s.seq, *p.last, p.lastSeq)
	}
	return nil
}

func (p *player) corrupt(s *mediaSegment, err error) {
	if err != nil {
		p.Corrupt++
		p.note(fmt.Errorf("segment %d: %w", s.seq, err))
	}
}

func (p *player) fail(ctx context.Context, err error) {
	if err != nil && ctx.Err() == nil {
		p.Failed++
		p.note(err)
	}
}

func (p *player) note(err error) {
	const most = 20
	if len(p.Errors) < most {
		p.Errors = append(p.Errors, err.Error())
	}
}

// mediaURL follows a multivariant playlist to the rendition to be played.
func (p *player) mediaURL(ctx context.Context) (*url.URL, error) {
	u, err := url.Parse(p.cfg.URL)
	if err != nil {
		return nil, err
	}
	body, err := p.get(ctx, p.cfg.URL, 0, 0)
	if err != nil || !isMultivariant(string(body)) {
		return u, err
	}
	s, err := parseStreams(u, string(body))
	if err != nil {
		return nil, err
	}
	v := s.variants[min(p.cfg.Variant, len(s.variants)-1)]
	ref := v["URI"]
	if p.cfg.Group != "" {
		g := s.groups[p.cfg.Group+"/"+v[p.cfg.Group]]
		if p.cfg.Alternative >= len(g) {
			return nil, fmt.Errorf("variant has no %s number %d", p.cfg.Group, p.cfg.Alternative)
		}
		ref = g[p.cfg.Alternative]
	}
	return url.Parse(ref)
}

// get fetches u, or length bytes of it from off.
func (p *player) get(ctx context.Context, u string, off, length int64) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u, nil)
	if err != nil {
		return nil, err
	}
	want := http.StatusOK
	if length > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-%d", off, off+length-1))
		want = http.StatusPartialContent
	} else if p.cfg.Range {
		req.Header.Set("Range", "bytes=0-")
	}
	res, err := p.cfg.Client.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", tail(u), err)
	}
	if res.StatusCode != want && !(p.cfg.Range && length == 0 && res.StatusCode == http.StatusPartialContent) {
		return nil, fmt.Errorf("get %s: %s", tail(u), res.Status)
	}
	return b, nil
}

// tail is the end of a URL, which is all that tells one from another.
func tail(u string) string {
	if i := strings.LastIndexByte(u, '/'); i > 0 {
		if j := strings.LastIndexByte(u[:i], '/'); j > 0 {
			return u[j:]
		}
	}
	return u
}

func sleep(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
