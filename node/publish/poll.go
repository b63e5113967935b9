package publish

import (
	"bytes"
	"context"
	"errors"
	"time"

	"coral/node/hls"
	"coral/node/origin"
)

// How often a rendition's playlist is asked for. A new segment has to be noticed
// within 250 ms; with a request's round trip, 150 ms between requests does it.
const (
	pollLive  = 150 * time.Millisecond
	pollLocal = 100 * time.Millisecond // of a folder
	// pollIdle is for a live playlist that has not changed for idleTargets
	// target durations and idleAtLeast.
	pollIdle    = time.Second
	idleTargets = 5
	idleAtLeast = 30 * time.Second
	// pollEnded is for a playlist that has ended: it may still begin anew.
	pollEnded = 5 * time.Second
	// pollFailing bounds the pauses between failures.
	pollFailing = 2 * time.Second
	// restFor is the part of the shortest segment for which nothing new is
	// expected after a change that was noticed at once. Durations and delays
	// have to vary by half before that costs anything.
	restFor = 0.4
)

// observation is what a look at a rendition's playlist gave.
type observation struct {
	media *hls.Media // nil: as before
	base  string     // what its URIs are relative to
	err   error      // nil: the source answers
	looks int        // how many looks this sums up
	multi bool       // it is a multivariant playlist
}

var errMultivariant = errors.New("a multivariant playlist where a media playlist was")

// poller reads one playlist again and again.
type poller struct {
	source source
	ref    string
	out    chan observation // of capacity 1; holds the newest

	validators origin.Validators
	last       []byte // the body that was told
	held       []byte // one that may be cut off
	heldAt     time.Time
	ends       bool // the source ends its last lines
	media      *hls.Media
	looked     time.Time // when the look before the newest was
	changedAt  time.Time
	sharp      bool // the change was noticed at once
	failures   int
}

func (p *poller) run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		wake := p.source.changed()
		begun := time.Now()
		o := p.look(ctx)
		if ctx.Err() != nil {
			return
		}
		p.tell(o)
		timer.Reset(max(pollLocal/2, time.Until(begun.Add(p.pause(begun)))))
		select {
		case <-timer.C:
		case <-wake:
		case <-ctx.Done():
			return
		}
	}
}

// tell replaces what was not yet taken, without losing a playlist.
func (p *poller) tell(o observation) {
	select {
	case old := <-p.out:
		o.looks += old.looks
		if o.media == nil && o.err == nil {
			o.media, o.base = old.media, old.base
		}
	default:
	}
	p.out <- o // only this goroutine sends: there is room
}

// look asks once.
func (p *poller) look(ctx context.Context) observation {
	now := time.Now()
	defer func() { p.looked = now }()
	body, final, same, err := p.source.playlist(ctx, p.ref, &p.validators)
	if err == nil && same {
		if body = p.held; body == nil {
			p.failures = 0
			return observation{looks: 1}
		}
		final = p.ref
	}
	if err != nil {
		p.failures++
		return observation{err: err, looks: 1}
	}
	if bytes.Equal(body, p.last) {
		p.failures = 0
		return observation{looks: 1}
	}
	if !unterminated(body) {
		p.ends = true
	} else if again := bytes.Equal(body, p.held); !again || p.ends && now.Sub(p.heldAt) < believeAfter {
		// The last line may be the beginning of another name. If it stays like
		// this, it is not; where all playlists are so, the next look will do.
		if !again {
			p.held, p.heldAt = body, now
		}
		return observation{looks: 1}
	}
	p.held = nil
	mv, m, err := hls.Parse(body)
	if mv != nil {
		p.failures++
		return observation{err: errMultivariant, multi: true, looks: 1}
	}
	if err != nil {
		p.failures++
		p.validators = origin.Validators{} // a later look must not be told that it is the same
		return observation{err: err, looks: 1}
	}
	p.failures, p.last = 0, body
	if p.media == nil || newest(m) != newest(p.media) || m.Ended != p.media.Ended {
		p.sharp = p.media != nil && now.Sub(p.looked) <= 2*pollLive
		p.changedAt = now
	}
	p.media = m
	return observation{media: m, base: final, looks: 1}
}

// newest names the newest segment of a playlist.
func newest(m *hls.Media) string {
	if len(m.Segments) == 0 {
		return ""
	}
	return m.Segments[len(m.Segments)-1].URI
}

// unterminated reports a playlist whose last line lacks its end.
func unterminated(body []byte) bool {
	return len(body) > 0 && body[len(body)-1] != '\n' && !bytes.HasSuffix(bytes.TrimRight(body, " \t\r"), []byte("#EXT-X-ENDLIST"))
}

// pause is how long after a look the next is due.
func (p *poller) pause(now time.Time) time.Duration {
	every := pollLive
	if p.source.local() {
		every = pollLocal
	}
	switch {
	case p.failures > 0:
		return min(pollFailing, every<<min(p.failures-1, 8))
	case p.media == nil || p.held != nil || len(p.media.Segments) == 0:
		return every
	case p.media.Ended && p.source.local():
		return pollIdle
	case p.media.Ended:
		return pollEnded
	}
	since := now.Sub(p.changedAt)
	if since > max(idleAtLeast, idleTargets*p.media.Target) {
		return pollIdle
	}
	if p.sharp && !p.source.local() {
		shortest := p.media.Target
		for i := range p.media.Segments {
			shortest = min(shortest, p.media.Segments[i].Duration)
		}
		return max(every, time.Duration(restFor*float64(shortest))-since)
	}
	return every
}
