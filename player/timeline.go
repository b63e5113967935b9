package player

import (
	"sort"
	"time"
)

// tooOld is how many playlists in a row may be older than what is known before
// they are believed: caches serve stale ones, but a restarted encoder counts
// anew.
const tooOld = 3

// Timeline gives each segment of a growing playlist its place in time, steady
// while the playlist's window slides: 0 is the start of the first segment that
// was ever seen. The zero Timeline knows nothing.
type Timeline struct {
	list   Playlist
	starts []time.Duration // of each segment of list, and the end of the last
	since  time.Time       // when the end moved last, as well as can be known
	seen   time.Time       // when list was fetched
	stale  int             // older playlists in a row
}

// Merge takes over what p, fetched at now, says.
func (t *Timeline) Merge(p Playlist, now time.Time) {
	start := time.Duration(0)
	before, known := t.End(), t.Known()
	continues := false // the segments that were known are there, and perhaps more
	if t.Known() {
		end := t.list.First + int64(len(t.list.Segments))
		newEnd := p.First + int64(len(p.Segments))
		switch {
		case newEnd < end && t.stale < tooOld:
			t.stale++
			return
		case newEnd < end:
			start = t.End() // another count: it goes on where the old one ended
		case p.First > end:
			start = t.End() + time.Duration(min(p.First-end, 1<<20))*p.Target // nobody saw what was in between
		case p.First < t.list.First:
			// More of the past than before: its lengths are known now.
			start = t.starts[0]
			for _, d := range p.Segments[:t.list.First-p.First] {
				start -= d
			}
		default:
			start = t.starts[p.First-t.list.First]
			continues = true
		}
	}
	t.stale = 0
	t.list = p
	t.starts = append(t.starts[:0], start)
	for _, d := range p.Segments {
		start += d
		t.starts = append(t.starts, start)
	}
	switch grown := t.End() - before; {
	case !known:
		t.since = now.Add(-p.Target / 2) // it may have come just now, or be followed now
	case !continues:
		t.since = now
	case grown > 0:
		// It came after the last look, and likely a segment's length after the one
		// before it. Looks that are not in step with the segments narrow this down.
		t.since = t.since.Add(grown)
		if t.since.Before(t.seen) {
			t.since = t.seen
		}
		if t.since.After(now) {
			t.since = now
		}
	}
	t.seen = now
}

// Known says whether there is any segment.
func (t *Timeline) Known() bool { return len(t.starts) > 1 }

// Playlist is the newest.
func (t *Timeline) Playlist() Playlist { return t.list }

// Start is where the first segment of the newest playlist starts.
func (t *Timeline) Start() time.Duration {
	if len(t.starts) == 0 {
		return 0
	}
	return t.starts[0]
}

// End is where the last segment ends.
func (t *Timeline) End() time.Duration {
	if len(t.starts) == 0 {
		return 0
	}
	return t.starts[len(t.starts)-1]
}

// Edge is the live edge at now. Segments come whole, but what they show does
// not: between two of them the edge moves with the clock, for a segment's length
// at most. Of a playlist that has ended it is the end.
func (t *Timeline) Edge(now time.Time) time.Duration {
	if !t.Known() || t.list.Ended {
		return t.End()
	}
	return t.End() + min(max(now.Sub(t.since), 0), t.list.Target)
}

// Find returns the segment that shows at: its index in the newest playlist, and
// where it starts. Before the first and after the last it is these.
func (t *Timeline) Find(at time.Duration) (index int, start time.Duration) {
	if !t.Known() {
		return 0, 0
	}
	n := len(t.starts) - 1
	index = sort.Search(n, func(i int) bool { return t.starts[i] > at }) - 1
	index = min(max(index, 0), n-1)
	return index, t.starts[index]
}
