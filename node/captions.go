package node

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"coral/node/channel"
	"coral/node/proxy"
	"coral/node/webvtt"
	"coral/store/segment"
)

const (
	// captionPatience is how long a segment of subtitles is waited for before the
	// next is taken: they are small, and late ones are of no use.
	captionPatience = 15 * time.Second
	// captionRetry is how long to wait after a failure.
	captionRetry = time.Second
	// captionsKept is how many cues are remembered to recognise those that
	// overlapping segments repeat.
	captionsKept = 64
)

// Caption is one text of a subtitle rendition and when it is shown, by the clock
// of presentation time stamps: from 0 to webvtt.Wrap.
type Caption struct {
	Start, End time.Duration
	Text       string // lines, without tags
}

// At reports whether c is shown at a player's presentation time stamp, which may
// count on where the 33 bits of a transport stream begin anew.
func (c Caption) At(pts time.Duration) bool { return webvtt.Shown(pts, c.Start, c.End) }

// Captions reads the subtitle rendition id, from behind before its newest
// segment on (at least three segments; of what has ended: behind before its
// end), and gives emit the cues of each segment as they come. emit may block:
// nothing more is read until it returns. Captions returns when the rendition has
// ended (nil), ctx ends, or the rendition is no subtitles that it can read.
func (s *Session) Captions(ctx context.Context, id int, behind time.Duration, emit func([]Caption)) error {
	media, err := s.subtitles(ctx, id)
	if err != nil {
		return fmt.Errorf("read subtitles: %w", err)
	}
	if behind > 0 {
		s.post(func() { s.rewinds = true })
	}
	r := captionReader{s: s, media: media, behind: behind, emit: emit}
	for {
		if ended, err := r.round(ctx); ended || err != nil {
			return err
		}
	}
}

// subtitles finds the rendition whose segments carry the subtitles id.
func (s *Session) subtitles(ctx context.Context, id int) (uint16, error) {
	pr, err := s.Multivariant(ctx)
	if err != nil {
		return 0, err
	}
	i := slices.IndexFunc(pr.Renditions, func(r channel.Rendition) bool {
		return int(r.ID) == id && r.Kind == channel.Subtitles
	})
	if i < 0 {
		return 0, proxy.ErrNotFound
	}
	return pr.Renditions[i].Media, nil
}

// captionReader is one reading of a rendition. Its goroutine is Captions' caller.
type captionReader struct {
	s        *Session
	media    uint16
	behind   time.Duration
	emit     func([]Caption)
	revision uint64
	next     uint64 // the segment to be read
	begun    bool
	seen     []Caption // the newest
}

// round reads what one state of the playlist has that is new.
func (r *captionReader) round(ctx context.Context) (ended bool, err error) {
	pl, err := r.s.History(ctx, r.media, r.revision)
	switch {
	case errors.Is(err, proxy.ErrNotFound), errors.Is(err, ErrClosed), ctx.Err() != nil:
		return false, err
	case err != nil:
		return false, sleep(ctx, captionRetry)
	}
	r.revision = pl.Revision
	m := &pl.Media
	if !r.begun {
		r.begun = true
		i := len(m.Segments)
		for back := time.Duration(0); i > 0 && (len(m.Segments)-i < 3 || back < r.behind); i-- {
			back += m.Segments[i-1].Duration
		}
		r.next = m.Sequence + uint64(i)
	}
	for i, g := range m.Segments {
		switch {
		case m.Sequence+uint64(i) < r.next || g.Gap:
			continue
		case g.Map != nil:
			return false, errors.New("read subtitles: they are in MP4, not WebVTT")
		case g.Key != nil:
			return false, errors.New("read subtitles: they are encrypted")
		}
		r.next = m.Sequence + uint64(i) + 1
		cues, err := r.read(ctx, pl.IDs[i])
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
		if err != nil {
			r.s.log.Debug("subtitles not read", "id", pl.IDs[i].String(), "err", err)
			continue
		}
		if cues = r.fresh(cues); len(cues) > 0 {
			r.emit(cues)
		}
	}
	return m.Ended, nil
}

// read gets the cues of one segment.
func (r *captionReader) read(ctx context.Context, id segment.ID) ([]Caption, error) {
	ctx, cancel := context.WithTimeout(ctx, captionPatience)
	defer cancel()
	o, err := r.s.Open(ctx, id)
	if err != nil {
		return nil, err
	}
	defer o.Close()
	var b []byte
	buf := make([]byte, segment.BlockSize)
	for len(b) <= webvtt.MaxBytes {
		n, err := o.ReadAt(ctx, buf, int64(len(b)))
		b = append(b, buf[:n]...)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	f, err := webvtt.Parse(b)
	if err != nil {
		return nil, err
	}
	cues := make([]Caption, len(f.Cues))
	for i, c := range f.Cues {
		start := f.PTS(c.Start)
		cues[i] = Caption{start, (start + c.End - c.Start) % webvtt.Wrap, c.Text}
	}
	return cues, nil
}

// fresh leaves out what was given before: a cue that lasts longer than its
// segment stands in the next one, too.
func (r *captionReader) fresh(cues []Caption) []Caption {
	cues = slices.DeleteFunc(cues, func(c Caption) bool { return slices.Contains(r.seen, c) })
	r.seen = append(r.seen, cues...)
	r.seen = slices.Delete(r.seen, 0, max(0, len(r.seen)-captionsKept))
	return cues
}

// sleep waits, or returns ctx's error.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
