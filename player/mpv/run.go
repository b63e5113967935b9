package mpv

import (
	"context"
	"reflect"
	"slices"
	"strconv"
	"sync"
	"time"

	"coral/player"
)

// How often positions are asked for: often enough for a clock of seconds and a
// seek bar, far from once a picture, which would cost a tenth of a core.
const (
	pollPlaying = 250 * time.Millisecond
	pollPaused  = 500 * time.Millisecond
	pollPriming = 30 * time.Millisecond // a place is being looked for; nothing is shown meanwhile
)

// stage is where a stream is on its way.
type stage uint8

const (
	idle    stage = iota
	asking        // for the playlist
	opening       // mpv has the URL; no picture of this place yet
	playing
	waiting // for the next attempt
	ended
	failed
)

// reason is why a stream is being opened, and says what to call that.
type reason uint8

const (
	byLoad reason = iota
	bySeek
	byFailure
)

// loop is what the goroutine of Run owns.
type loop struct {
	*Player
	ctx     context.Context
	fetch   *fetcher
	work    sync.WaitGroup
	news    chan list
	unwatch context.CancelFunc
	of      uint64 // counts watches: news of an older one is old news

	stage    stage
	why      reason
	url      string
	options  player.LoadOptions
	live     bool
	timeline player.Timeline
	plain    bool // no HLS: there is no timeline
	edge     player.Edge
	backoff  player.Backoff
	cause    error
	retryAt  time.Time

	place     place         // where it is being opened
	shift     time.Duration // timeline − time stamp
	placed    bool          // shift is right for what mpv plays
	trusted   bool          // shift is right for the time stamps of the stream, as far as is known
	starting  bool          // mpv has not yet begun with what it was told last
	pending   time.Duration // a position to seek to as soon as it is cached; -1: none
	openedAt  time.Time
	pictured  bool // there was a picture since Load
	following bool // the edge
	paused    bool
	held      bool // mpv is paused by us, whatever the user wants
	speed     float64

	buffering   bool
	bufferingAt time.Time
	soughtAt    time.Time
	seeking     bool      // mpv's position is not yet the one that was sought
	moved       time.Time // when the position last changed
	ranges      []span
	marks       []mark
	state       player.State
}

// place is where to begin in a stream.
type place struct {
	edge bool
	at   time.Duration // on the timeline, if not at the edge
}

// span is a part of the time stamps that is cached.
type span struct{ start, end time.Duration }

// Run works until ctx ends, then frees everything. It is called once.
func (p *Player) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	l := &loop{
		Player: p, ctx: ctx, fetch: newFetcher(), news: make(chan list),
		unwatch: func() {}, pending: -1, speed: 1, state: p.State(),
	}
	rendered := make(chan error, 1)
	l.work.Go(func() { rendered <- p.render.run(ctx) })
	err := l.run(rendered)
	cancel()
	l.work.Wait()
	l.fetch.close()
	p.free()
	l.forget()
	l.publish()
	return err
}

func (l *loop) run(rendered <-chan error) error {
	tick := time.NewTimer(time.Hour)
	defer tick.Stop()
	for {
		if d := l.pause(); d > 0 {
			tick.Reset(d)
		} else {
			tick.Stop()
		}
		select {
		case <-l.ctx.Done():
			return nil
		case err := <-rendered:
			if err != nil {
				return err
			}
		case <-l.wake:
			l.grant()
		case <-l.wakeup:
			if !l.events() {
				return nil
			}
		case <-l.render.came:
			l.measure(time.Now())
		case n := <-l.news:
			l.learn(n)
		case <-tick.C:
			l.tick(time.Now())
		}
		l.publish()
	}
}

// pause is how long to wait for the next tick; 0: for ever.
func (l *loop) pause() time.Duration {
	switch {
	case l.stage == waiting:
		return max(time.Until(l.retryAt), time.Millisecond)
	case l.stage == opening && l.pending >= 0:
		return pollPriming
	case l.stage == playing && l.paused:
		return pollPaused
	case l.stage == playing || l.stage == opening:
		return pollPlaying
	}
	return 0
}

// publish makes the state what others see, if it changed.
func (l *loop) publish() {
	s := &l.state
	s.Phase, s.Err = l.phase(), nil
	if s.Phase == player.Failed || s.Phase == player.Recovering {
		s.Err = l.cause
	}
	s.Paused, s.Live = l.paused, l.live
	l.mu.Lock()
	same := reflect.DeepEqual(l.Player.state, *s)
	if !same {
		l.Player.state = *s
		l.Player.state.Audio = slices.Clone(s.Audio)
	}
	l.mu.Unlock()
	if same {
		return
	}
	select {
	case l.changed <- struct{}{}:
	default:
	}
}

func (l *loop) phase() player.Phase {
	switch l.stage {
	case asking, opening:
		switch l.why {
		case byFailure:
			return player.Recovering
		case bySeek:
			return player.Buffering
		}
		return player.Loading
	case playing:
		if l.buffering {
			return player.Buffering
		}
		return player.Playing
	case waiting:
		return player.Recovering
	case ended:
		return player.Ended
	case failed:
		return player.Failed
	}
	return player.Idle
}

// grant carries out the wishes.
func (l *loop) grant() {
	l.mu.Lock()
	w := l.wishes
	l.wishes = wishes{}
	l.mu.Unlock()

	if w.volume != nil {
		l.state.Volume = *w.volume
		l.set("volume", strconv.Itoa(*w.volume))
	}
	if w.muted != nil {
		l.state.Muted = *w.muted
		l.set("mute", yes(*w.muted))
	}
	if w.decode != nil {
		l.set("hwdec", decoder(*w.decode))
	}
	switch {
	case w.stop:
		l.stop()
	case w.load != nil:
		l.load(*w.load)
	}
	if w.paused != nil {
		l.setPaused(*w.paused)
	}
	if l.stage == idle || l.stage == failed {
		return
	}
	if w.audio != nil {
		l.selectAudio(*w.audio)
	}
	if w.speed != nil {
		l.setSpeed(*w.speed)
	}
	if w.seek != nil {
		l.seek(*w.seek)
	}
	l.step(w.step)
}

// stop ends playback and shows nothing.
func (l *loop) stop() {
	l.forget()
	l.command("stop")
	l.frames.clear()
}

// forget makes everything as before the first Load.
func (l *loop) forget() {
	l.unwatch()
	l.of++
	l.stage, l.url, l.live, l.plain, l.cause = idle, "", false, false, nil
	l.timeline, l.edge, l.backoff = player.Timeline{}, player.Edge{}, player.Backoff{}
	l.placed, l.trusted, l.pictured, l.following, l.paused, l.held = false, false, false, false, false, false
	l.pending, l.shift, l.speed = -1, 0, 1
	l.buffering, l.seeking, l.ranges, l.marks = false, false, nil, nil
	l.state = player.State{Volume: l.state.Volume, Muted: l.state.Muted, Speed: 1}
}

// load begins with another stream.
func (l *loop) load(w load) {
	l.forget()
	l.frames.clear()
	l.command("stop")
	l.set("aid", "auto")
	l.url, l.options = w.url, w.options
	l.live = w.options.Live
	l.edge.Latency = w.options.Latency
	l.following = w.options.Start == 0
	l.ask(byLoad)
}

func (l *loop) setPaused(on bool) {
	if l.paused == on {
		return
	}
	l.paused = on
	if on {
		l.following = false // who pauses wants to go on from here
	}
	l.moved = time.Now()
	l.applyPause()
}

// applyPause tells mpv what user and loop together want.
func (l *loop) applyPause() { l.set("pause", yes(l.paused || l.held)) }

func (l *loop) setSpeed(x float64) {
	l.state.Speed = x
	if x < 1 {
		l.following = false
	}
	l.applySpeed(x)
}

// applySpeed sets mpv's speed if it differs.
func (l *loop) applySpeed(x float64) {
	if x != l.speed {
		l.speed = x
		l.set("speed", strconv.FormatFloat(x, 'f', -1, 64))
	}
}

func (l *loop) selectAudio(id int) {
	if id < 0 {
		l.set("aid", "no")
		return
	}
	l.set("aid", strconv.Itoa(id))
}

// maxSteps is how many pictures one wish may step: keys repeat faster than
// pictures are decoded backwards.
const maxSteps = 8

func (l *loop) step(n int) {
	if n == 0 || l.stage != playing {
		return
	}
	l.setPaused(true)
	command := "frame-step"
	if n < 0 {
		command, n = "frame-back-step", -n
	}
	for range min(n, maxSteps) {
		l.command(command)
	}
}

// set sets a property. What mpv refuses shows in the state that is read back.
func (l *loop) set(name, value string) {
	if code := l.lib.setProperty(l.core, name, value); code < 0 {
		l.log.Debug("mpv refuses a property", "property", name, "error", l.lib.errorString(code))
	}
}

func (l *loop) command(args ...string) {
	if err := l.lib.do(l.core, args...); err != nil {
		l.log.Debug("mpv refuses a command", "error", err)
	}
}
