package publish

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"coral/node/channel"
	"coral/store/segment"
)

// Audience is what the publisher's node knows of those it serves. It comes from
// the peers that are connected to it, so in a large swarm it is a part.
type Audience struct {
	Viewers  int            `json:"viewers"` // connected now
	Helpers  int            `json:"helpers"`
	Watching map[uint16]int `json:"watching"` // viewers of each rendition, by the number of the one that carries its segments
	// Sent is what was sent to them since the start, in bytes on the wire.
	Sent int64 `json:"sent_bytes"`
}

// RenditionStats is what was done for one rendition since the start.
type RenditionStats struct {
	Rendition uint16    `json:"rendition"`
	Segments  int64     `json:"segments_signed"`
	Bytes     int64     `json:"bytes"`
	Sequence  uint64    `json:"sequence"` // the newest
	Newest    time.Time `json:"newest,omitzero"`
	// LagMS is how long the newest segment took from being noticed to being
	// handed on.
	LagMS int64 `json:"lag_ms"`
}

// Stats is what was done since the start.
type Stats struct {
	Since           time.Time `json:"since"`
	SegmentsSigned  int64     `json:"segments_signed"`
	SegmentsSkipped int64     `json:"segments_skipped"` // left out: missing, too slow
	BytesSigned     int64     `json:"bytes_signed"`
	BytesFetched    int64     `json:"bytes_fetched"` // from the source
	SourceErrors    int64     `json:"source_errors"`
	SourceRestarts  int64     `json:"source_restarts"`
	ChainsDamaged   int64     `json:"chains_damaged"`
	LastError       string    `json:"last_error,omitempty"`
	LastErrorAt     time.Time `json:"last_error_at,omitzero"`
	SourceOK        bool      `json:"source_ok"` // the last answer was good
	// Consumed is an estimate of what viewers have played: each signed segment's
	// size times those who watched its rendition then.
	Consumed   int64            `json:"consumed_bytes_estimate"`
	LagMS      int64            `json:"lag_ms"` // the greatest of the renditions'
	Renditions []RenditionStats `json:"renditions"`
	Audience   Audience         `json:"audience"`
}

// Offload is the estimated part of what viewers have played that the publisher
// did not send itself, from 0 to 1.
func (s *Stats) Offload() float64 {
	if s.Consumed <= 0 {
		return 0
	}
	return max(0, 1-float64(s.Audience.Sent)/float64(s.Consumed))
}

// counters are the running totals; many goroutines add to them.
type counters struct {
	mu         sync.Mutex
	s          Stats
	renditions map[uint16]*RenditionStats
	audience   func() Audience
}

// SetAudience tells where to learn about viewers. f must not block for long.
func (p *Publisher) SetAudience(f func() Audience) {
	p.stats.mu.Lock()
	defer p.stats.mu.Unlock()
	p.stats.audience = f
}

// look asks for the audience without holding the lock.
func (c *counters) look() Audience {
	c.mu.Lock()
	f := c.audience
	c.mu.Unlock()
	if f == nil {
		return Audience{}
	}
	return f()
}

// Stats returns what was done since the start.
func (p *Publisher) Stats() Stats {
	c := &p.stats
	audience := c.look()
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.s
	s.Audience = audience
	s.Renditions = make([]RenditionStats, 0, len(c.renditions))
	for _, r := range c.renditions {
		s.Renditions = append(s.Renditions, *r)
		s.LagMS = max(s.LagMS, r.LagMS)
	}
	slices.SortFunc(s.Renditions, func(a, b RenditionStats) int { return cmp.Compare(a.Rendition, b.Rendition) })
	return s
}

// count changes the totals.
func (p *Publisher) count(add func(*Stats)) {
	p.stats.mu.Lock()
	defer p.stats.mu.Unlock()
	add(&p.stats.s)
}

// failed notes what went wrong with the source or the state.
func (p *Publisher) failed(err error) {
	if isQuiet(err) {
		return
	}
	p.count(func(s *Stats) {
		s.SourceErrors++
		s.LastError, s.LastErrorAt, s.SourceOK = err.Error(), time.Now(), false
	})
}

// answered notes that the source works.
func (p *Publisher) answered() { p.count(func(s *Stats) { s.SourceOK = true }) }

// signed counts a media segment that was handed on.
func (p *Publisher) signed(r *rendition, e *channel.Entry, lag time.Duration, now time.Time) {
	if e.Kind != segment.Media {
		return
	}
	watching := int64(p.stats.look().Watching[r.id])
	p.count(func(s *Stats) {
		s.SegmentsSigned++
		s.BytesSigned += int64(e.Size)
		s.Consumed += int64(e.Size) * watching
		if p.stats.renditions == nil {
			p.stats.renditions = map[uint16]*RenditionStats{}
		}
		t := p.stats.renditions[r.id]
		if t == nil {
			t = &RenditionStats{Rendition: r.id}
			p.stats.renditions[r.id] = t
		}
		t.Segments++
		t.Bytes += int64(e.Size)
		t.Sequence, t.Newest, t.LagMS = e.Sequence, now, lag.Milliseconds()
	})
}
