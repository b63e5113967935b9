package mpv

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"coral/player"
)

const (
	// farAhead is how much of a stream that stays reachable is fetched ahead: of
	// a live window that slides away mpv takes what its memory holds.
	farAhead = time.Minute
	// atEnd is how near to the end of a recording an end of file is its end.
	// Durations in playlists are rounded, and audio ends before video.
	atEnd = 5 * time.Second
)

// ask begins to open the stream: the playlist says where.
func (l *loop) ask(why reason) {
	l.why, l.stage = why, asking
	l.unwatch()
	l.of++
	if !strings.HasPrefix(l.url, "http://") && !strings.HasPrefix(l.url, "https://") {
		l.plain = true
		l.open()
		return
	}
	ctx, cancel := context.WithCancel(l.ctx)
	l.unwatch = cancel
	link, of, again := l.url, l.of, l.options.Live
	l.work.Go(func() { l.fetch.watch(ctx, link, of, again, l.news) })
}

// learn takes over news of the playlist, and opens the stream if it was waited
// for.
func (l *loop) learn(n list) {
	if n.of != l.of {
		return
	}
	switch {
	case n.err == nil:
		l.timeline.Merge(n.playlist, n.at)
		l.edge.Target = n.playlist.Target
	case l.stage != asking:
		return // mpv may have its own luck
	case errors.Is(n.err, player.ErrNotPlaylist):
		l.plain = true
	case errors.Is(n.err, errRefused) && !l.pictured:
		l.fail(n.err)
		return
	default:
		l.again(n.err)
		return
	}
	switch {
	case l.stage == ended && n.playlist.Ended:
	case l.stage == ended:
		l.following = true
		l.openAt(byFailure, place{edge: true}) // on air again
	case l.stage != asking:
	case !l.plain && !l.timeline.Known() && !n.playlist.Ended:
		// Before the first segment: the next fetch tells.
	case l.why == byFailure && l.pictured && n.playlist.Ended && l.state.Position >= l.timeline.End()-atEnd:
		l.stage = ended
	default:
		l.open()
	}
}

// openAt opens the stream at another place.
func (l *loop) openAt(why reason, at place) {
	l.place = at
	if l.timeline.Known() && l.timeline.Playlist().Event {
		// Indices of such a playlist are for ever: what is known is enough.
		l.why = why
		l.open()
		return
	}
	l.ask(why)
}

// open tells mpv to play from l.place, or for a first load from where
// l.options say.
func (l *loop) open() {
	p := l.timeline.Playlist()
	if l.timeline.Known() {
		l.live = !p.Ended
	}
	if l.why == byLoad {
		l.place = l.first()
	}
	l.stage, l.placed, l.starting = opening, false, true
	l.trusted = l.trusted && len(l.marks) == 0
	l.pending, l.marks, l.ranges, l.buffering, l.seeking = -1, nil, nil, false, false
	l.openedAt = time.Now()
	l.applySpeed(1)

	options, start := "", "none"
	switch {
	case l.live && l.timeline.Known():
		now := time.Now()
		at := l.place.at
		if edge := l.timeline.Edge(now) - l.edge.Want(); l.place.edge || l.following && at < edge-player.MaxBehind {
			at = edge
			l.place.edge = true
		}
		index, begin := l.timeline.Find(at)
		if !l.place.edge && at > begin {
			l.pending = at
		}
		l.place.at = begin
		if !p.Event {
			index -= len(p.Segments) // the window may slide before mpv looks
		}
		options = fmt.Sprintf("live_start_index=%d,%s", index, liveOptions)
	case l.live:
		options = liveOptions
	default:
		if at := l.place.at - l.timeline.Start(); at > 0 {
			start = "+" + strconv.FormatFloat(at.Seconds(), 'f', 3, 64)
		}
	}
	l.set("demuxer-lavf-o", options)
	l.set("start", start)
	l.set("force-seekable", yes(l.live))
	l.set("cache-secs", strconv.FormatFloat(l.ahead().Seconds(), 'f', -1, 64))
	linearize := "auto"
	if l.live {
		linearize = "yes" // seeks stay within what is cached, so it can
	}
	l.set("demuxer-lavf-linearize-timestamps", linearize)
	l.held = l.pending >= 0
	l.applyPause()
	l.frames.hold(true)
	if err := l.lib.do(l.core, "loadfile", l.url); err != nil {
		l.fail(err)
	}
}

// liveOptions keep ffmpeg from seeing an end in a playlist that does not change,
// and from guessing at time stamps that fall back.
const liveOptions = "correct_ts_overflow=0,max_reload=1000000000,m3u8_hold_counters=1000000000"

func (l *loop) ahead() time.Duration {
	if l.live && !l.timeline.Playlist().Event {
		return 24 * time.Hour
	}
	return farAhead
}

// first is where a Load wants to begin.
func (l *loop) first() place {
	start := l.options.Start
	switch {
	case start < 0 && l.live:
		return place{at: l.timeline.Edge(time.Now()) + start}
	case start > 0 || !l.live:
		return place{at: l.timeline.Start() + max(start, 0)}
	}
	return place{edge: true}
}

// loaded finds out where mpv is: it knows the first time stamp now.
func (l *loop) loaded() {
	first, ok := l.seconds("demuxer-start-time")
	if !ok {
		first = 0
	}
	switch {
	case l.live && l.timeline.Known():
		shift := l.place.at - first
		if !l.trusted || (shift-l.shift).Abs() > 2*l.edge.Target {
			l.shift = shift
		} // else a window slid between our look and mpv's: the time stamps know better
		l.trusted = true
	case l.pictured && l.live:
		l.shift = l.state.Position - first // nobody knows: it goes on
	default:
		l.shift = l.timeline.Start() - first
	}
	l.placed = true
}

// restarted is told when mpv shows a picture of a new place.
func (l *loop) restarted() {
	if l.stage != opening && l.stage != playing {
		return
	}
	l.moved, l.seeking = time.Now(), false
	if l.pending >= 0 {
		return // not the place yet: see prime
	}
	l.show()
	l.measure(l.moved)
}

// show is the end of opening. Before it mpv may draw black in another size.
func (l *loop) show() {
	l.frames.hold(false)
	l.frames.Again()
	l.stage, l.pictured = playing, true
	l.moved = time.Now()
	if l.held {
		l.held = false
		l.applyPause()
	}
}

// primeTimeout is how long a place within a segment is waited for: it should
// come with the segment, which takes no time on this machine but may on the way
// here.
const primeTimeout = 3 * time.Second

// prime seeks to the pending place as soon as it is cached.
func (l *loop) prime(now time.Time) {
	if l.pending < 0 || !l.placed {
		return
	}
	to := l.pending - l.shift
	switch {
	case l.cached(to):
		l.pending = -1
		l.seekTo(to)
	case now.Sub(l.openedAt) > primeTimeout:
		l.pending = -1
		l.show()
	}
}

// broke is told when mpv has come to an end, for whatever reason.
func (l *loop) broke(cause error) {
	s := &l.state
	switch {
	case !l.live && l.pictured && s.Duration > 0 && s.Position >= s.SeekEnd-atEnd,
		!l.live && l.pictured && s.Duration == 0:
		l.stage = ended
		s.Position = max(s.Position, s.SeekEnd)
	case !l.live && !l.pictured:
		l.fail(cause)
	default:
		l.again(cause)
	}
}

// again tries once more, after a while.
func (l *loop) again(cause error) {
	l.unwatch()
	l.of++
	if l.cause == nil || l.stage == playing {
		l.log.Info("the stream broke off and is loaded again", "error", cause)
	}
	l.cause, l.why, l.stage = cause, byFailure, waiting
	l.retryAt = time.Now().Add(l.backoff.Next())
	l.buffering = false
	l.place = place{edge: !l.pictured && l.options.Start == 0, at: l.state.Position}
	if !l.pictured && !l.place.edge {
		l.why = byLoad // l.options still say where
	}
	l.frames.hold(true)
}

func (l *loop) fail(cause error) {
	l.unwatch()
	l.of++
	l.cause, l.stage = cause, failed
	l.frames.clear()
}
