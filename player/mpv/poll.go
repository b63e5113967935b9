package mpv

import (
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"time"

	"coral/player"
)

const (
	// stuck is how long a picture may stand still that should move, before the
	// stream is loaded again.
	stuck = 10 * time.Second
	// starved is the same while mpv says that it waits for bytes, and the
	// playlist has had them for long.
	starved = 20 * time.Second
	// openTimeout is how long mpv may take to open what the playlist lists. The
	// proxy holds a segment while it fetches it.
	openTimeout = 45 * time.Second
	// steady is how long a stream must have played for its earlier failures to
	// be forgotten.
	steady = 5 * time.Second
	// tail is how much of what is cached is not sought to: mpv would wait there.
	tail = 200 * time.Millisecond
)

var (
	errStuck   = errors.New("play stream: nothing moves")
	errStarved = errors.New("play stream: a segment that is listed does not come")
	errSlow    = errors.New("open stream: there is no picture yet")
)

// cacheState is the property demuxer-cache-state.
type cacheState struct {
	End    float64 `json:"cache-end"`
	Ranges []struct {
		Start float64 `json:"start"`
		End   float64 `json:"end"`
	} `json:"seekable-ranges"`
}

// tick is what is done a few times a second while a stream is open.
func (l *loop) tick(now time.Time) {
	switch l.stage {
	case waiting:
		if !now.Before(l.retryAt) {
			l.ask(l.why)
		}
		return
	case opening, playing:
	default:
		return
	}
	l.measure(now)
	if l.stage == opening {
		l.prime(now)
		if l.stage == opening && now.Sub(l.openedAt) > openTimeout {
			l.broke(errSlow)
		}
		return
	}
	if now.Sub(l.openedAt) > steady && now.Sub(l.moved) < time.Second {
		l.backoff.Reset()
		l.cause = nil
	}
	l.keepUp(now)
	l.guard(now)
}

// measure asks mpv where it is.
func (l *loop) measure(now time.Time) {
	s := &l.state
	pts, ok := l.seconds("time-pos")
	l.caches(pts, ok)
	if first := l.render.first.Load(); first != 0 && s.FirstPictureAt.IsZero() && l.pictured {
		s.FirstPictureAt = time.Unix(0, first)
	}
	if l.seeking && now.Sub(l.soughtAt) > settle {
		l.seeking = false
	}
	if l.stage == playing && l.placed && ok && !l.seeking {
		if at := pts + l.shift; at != s.Position {
			s.Position, l.moved = at, now
		}
		s.PTS = original(l.marks, pts)
		s.Dropped = l.integer("frame-drop-count") + l.integer("decoder-frame-drop-count")
	}
	l.reach(now)
}

// caches reads what mpv holds in memory.
func (l *loop) caches(pts time.Duration, ok bool) {
	var c cacheState
	l.ranges, l.state.Buffered = l.ranges[:0], 0
	if json.Unmarshal([]byte(l.lib.get(l.core, "demuxer-cache-state")), &c) != nil {
		return
	}
	for _, r := range c.Ranges {
		l.ranges = append(l.ranges, span{fromSeconds(r.Start), fromSeconds(r.End)})
	}
	if ok && c.End > 0 {
		l.state.Buffered = max(fromSeconds(c.End)-pts, 0)
	}
}

// reach works out what can be sought to, and how far behind the picture is.
func (l *loop) reach(now time.Time) {
	s := &l.state
	if !l.placed {
		return
	}
	if !l.live {
		s.Behind, s.SeekStart = 0, l.timeline.Start()
		if d, ok := l.seconds("duration"); ok && d > 0 {
			s.Duration = d
		}
		s.SeekEnd = s.SeekStart + s.Duration
		return
	}
	s.Duration = 0
	start, end, any := time.Duration(math.MaxInt64), time.Duration(math.MinInt64), false
	for _, r := range l.ranges {
		start, end, any = min(start, r.start+l.shift), max(end, r.end+l.shift), true
	}
	if l.timeline.Known() {
		start, end, any = min(start, l.timeline.Start()), max(end, l.timeline.Edge(now)), true
	}
	if !any {
		start, end = s.Position, s.Position
	}
	s.SeekStart, s.SeekEnd = start, end
	s.Behind = max(end-s.Position, 0)
}

// keepUp holds the picture at the wanted distance from the live edge.
func (l *loop) keepUp(now time.Time) {
	s := &l.state
	if !l.live || !l.timeline.Known() {
		l.applySpeed(s.Speed)
		return
	}
	if l.paused || l.buffering {
		return
	}
	if !l.following && s.Behind <= l.edge.Want() {
		l.following = true // played or sought up to the edge
		if s.Speed > 1 {
			s.Speed = 1 // faster has nowhere to go
		}
	}
	if !l.following {
		l.applySpeed(s.Speed)
		return
	}
	move := l.edge.Next(now, s.Behind, s.Buffered)
	l.applySpeed(move.Speed())
	if move == player.Jump {
		l.seek(seek{live: true})
	}
}

// guard notices a stream that is open and does not play.
func (l *loop) guard(now time.Time) {
	switch {
	case l.paused || l.stage != playing:
	case l.buffering:
		fetched := l.state.Position + l.state.Buffered
		late := l.timeline.Known() && l.timeline.End() > fetched+2*l.edge.Target
		if late && now.Sub(l.bufferingAt) > starved {
			l.broke(errStarved)
		}
	case now.Sub(l.moved) > stuck && l.live:
		l.broke(errStuck)
	}
}

// seek goes to another place: within what is cached mpv does, elsewhere in a
// live playlist by opening it there.
func (l *loop) seek(w seek) {
	if l.stage == idle || l.stage == failed || l.stage == asking && l.why == byLoad {
		return
	}
	s := &l.state
	if !l.live {
		to := min(max(w.to, s.SeekStart), s.SeekEnd)
		if w.live {
			to = s.SeekEnd
		}
		if l.stage == ended {
			l.openAt(bySeek, place{at: to})
		} else if l.placed {
			l.seekTo(to - l.shift)
			s.Position = to
		}
		return
	}
	edge := s.SeekEnd - l.edge.Want()
	to := max(w.to, s.SeekStart)
	if w.live || to >= edge {
		l.following, to = true, edge
		s.Speed = 1
	} else {
		l.following = false
	}
	switch {
	case l.stage == waiting:
		l.place = place{edge: l.following, at: to} // the next attempt begins there
	case l.placed && l.cached(to-l.shift):
		l.seekTo(to - l.shift)
	case l.timeline.Known():
		l.openAt(bySeek, place{edge: l.following, at: to})
	default:
		return
	}
	// Shown at once: bars must not spring back under a finger.
	s.Position = to
	l.reach(time.Now())
}

// seekTo makes mpv seek to a time stamp.
func (l *loop) seekTo(pts time.Duration) {
	l.soughtAt, l.moved, l.seeking = time.Now(), time.Now(), true
	l.state.PTS = original(l.marks, pts)
	l.command("seek", strconv.FormatFloat(pts.Seconds(), 'f', 3, 64), "absolute+exact")
}

// cached says whether mpv can seek there at once.
func (l *loop) cached(pts time.Duration) bool {
	for _, r := range l.ranges {
		if pts >= r.start && pts <= r.end-tail {
			return true
		}
	}
	return false
}

// seconds reads a property that is a time.
func (l *loop) seconds(name string) (time.Duration, bool) {
	f, err := strconv.ParseFloat(l.lib.get(l.core, name), 64)
	if err != nil {
		return 0, false
	}
	return fromSeconds(f), true
}

func (l *loop) integer(name string) int64 {
	n, err := strconv.ParseInt(l.lib.get(l.core, name), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// maxSeconds bounds times from outside: what does not fit is not one.
const maxSeconds = 1e9

func fromSeconds(f float64) time.Duration {
	if math.IsNaN(f) || math.Abs(f) > maxSeconds {
		return 0
	}
	return time.Duration(f * float64(time.Second))
}
