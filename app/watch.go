package app

import (
	"context"
	"errors"
	"time"

	"fyne.io/fyne/v2/lang"

	"coral/app/library"
	"coral/app/settings"
	"coral/app/view"
	"coral/node"
	"coral/node/channel"
	"coral/player"
)

const (
	// posterAfter is how long a channel plays before its poster is taken: the
	// first pictures are often black or a title.
	posterAfter = 12 * time.Second
	// posterEvery is how often it is taken anew while the channel plays.
	posterEvery = 5 * time.Minute
)

// watching is the channel that plays, or is being opened to be played.
type watching struct {
	channel    library.Channel
	link       *channel.Link
	open       *open // nil: not open yet, or failed
	err        error // why it could not be opened
	began      time.Time
	at         time.Duration // where to begin
	renditions []node.RenditionInfo
	pinned     int
	captions   captions
	posterAt   time.Time
	startUp    time.Duration // from opening to the first picture; 0: not yet
	named      string        // what the channel calls itself
	dead       bool          // another channel is watched: what was being opened is not wanted
}

// watch shows a channel in place of the present one.
func (a *app) watch(c library.Channel, link *channel.Link, at time.Duration) {
	a.stopWatching()
	w := &watching{channel: c, link: link, began: time.Now(), at: at, pinned: node.Auto}
	a.watching = w
	a.page = view.PageWatch
	a.meter = measure{}
	a.library.Touch(c.ID, w.began)
	if o := a.resting[c.ID]; o != nil {
		delete(a.resting, c.ID)
		o.since = time.Time{}
		a.start(w, o)
		return
	}
	n := a.node
	if n == nil {
		w.err = errors.New(lang.L("Coral's engine does not run"))
		return
	}
	a.later(func(ctx context.Context) func() {
		s, err := n.WatchOnly(ctx, link) // until applySharing says otherwise
		return func() {
			switch {
			case w.dead && err == nil:
				a.work.Go(s.Close)
			case w.dead:
			case err != nil:
				w.err = err
			default:
				a.start(w, &open{channel: c, session: s})
			}
		}
	})
}

// start plays an open channel.
func (a *app) start(w *watching, o *open) {
	w.open = o
	a.applySharing(time.Now())
	if a.player != nil {
		a.player.Load(o.session.PlayerURL(), a.loadOptions(w))
	}
}

func (a *app) loadOptions(w *watching) player.LoadOptions {
	return player.LoadOptions{Live: true, Start: w.at, Latency: a.settings.Get().Latency}
}

// stopWatching ends what plays; it may be shared on.
func (a *app) stopWatching() {
	w := a.watching
	if w == nil {
		return
	}
	w.dead = true
	a.watching = nil
	w.captions.stop()
	if a.player != nil {
		a.player.Stop()
	}
	if w.open != nil {
		a.leave(w.open)
	}
	a.desktop.mini = false
}

// position is where the picture is; 0 without one.
func (a *app) position() time.Duration {
	if a.player == nil || a.watching == nil {
		return 0
	}
	return a.player.State().Position
}

// zap plays the next channel of the library, as it is listed.
func (a *app) zap(by int) {
	id := ""
	if a.watching != nil {
		id = a.watching.channel.ID
	}
	if c, ok := a.library.Next(id, by); ok && c.ID != id {
		a.play(c.ID)
	}
}

// canZap reports whether there is another channel.
func (a *app) canZap() bool {
	c, ok := a.library.Next(a.watching.channel.ID, 1)
	return ok && c.ID != a.watching.channel.ID
}

// pin chooses a rendition; -1: the best that arrives in time.
func (a *app) pin(id int) {
	w := a.watching
	if w == nil || w.open == nil || w.pinned == id {
		return
	}
	w.pinned = id
	w.open.session.Pin(id)
	if a.player == nil {
		return
	}
	st := a.player.State()
	if st.Live {
		a.goBack(w, st.Behind)
		return
	}
	o := a.loadOptions(w)
	o.Start = st.Position
	a.player.Load(w.open.session.PlayerURL(), o)
}

// goBack plays from so far before the live edge, which the playlist that plays
// need not reach.
func (a *app) goBack(w *watching, behind time.Duration) {
	o := a.loadOptions(w)
	o.Start = -behind
	a.player.Load(w.open.session.PlayerURLAt(behind+backMargin), o)
}

// backMargin is what a playlist holds before where its player begins.
const backMargin = 10 * time.Second

// seek goes to a position. What was shown before this program joined lies before
// the beginning of the playlist that plays: it needs another one.
func (a *app) seek(to time.Duration) {
	w := a.watching
	st := a.player.State()
	if !st.Live || w.open == nil || to >= st.SeekStart || a.reach(st) >= st.SeekStart {
		a.player.Seek(to)
		return
	}
	a.goBack(w, st.SeekEnd-max(to, a.reach(st)))
}

// reach is the first position that can be had from cache and swarm.
func (a *app) reach(st player.State) time.Duration {
	if !st.Live || st.SeekEnd == 0 {
		return st.SeekStart
	}
	return min(st.SeekStart, st.SeekEnd-a.meter.picture.Back)
}

// watchSecond looks after the channel that plays.
func (a *app) watchSecond(now time.Time) {
	w := a.watching
	if w == nil || w.open == nil {
		return
	}
	w.renditions = w.open.session.Renditions()
	if name := w.open.session.Name(); name != w.named {
		w.named = name
		c, err := a.library.Add(library.Channel{Link: w.channel.Link, Name: name})
		if err == nil {
			w.channel = c
		}
		a.unsaved(err)
	}
	a.wantCaptions(w)
	a.poster(w, now)
}

// poster takes a picture for the library.
func (a *app) poster(w *watching, now time.Time) {
	if a.player == nil {
		return
	}
	first := a.player.State().FirstPictureAt
	if first.IsZero() || now.Sub(first) < posterAfter || now.Sub(w.posterAt) < posterEvery {
		return
	}
	w.posterAt = now
	id := w.channel.ID
	a.onMain(func() {
		img := a.video.Copy()
		if img == nil {
			a.queue.post(func() { w.posterAt = time.Time{} }) // soon again: the controls are shown
			return
		}
		a.later(func(context.Context) func() {
			if err := a.library.SetPoster(id, img); err != nil {
				a.log.Warn("poster", "err", err)
			}
			return nil
		})
	})
}

// playerChanged tells the desktop, and the log, what the player does.
func (a *app) playerChanged() {
	if w := a.watching; w != nil && w.startUp == 0 {
		if first := a.player.State().FirstPictureAt; first.After(w.began) {
			w.startUp = first.Sub(w.began)
			a.log.Info("first picture", "after", w.startUp.Round(time.Millisecond))
		}
	}
	a.tellDesktop()
}

// forget removes a channel, with what is cached of it.
func (a *app) forget(id string) {
	c, ok := a.library.Get(id)
	if !ok {
		return
	}
	if a.watching != nil && a.watching.channel.ID == id {
		a.stopWatching()
		a.page = view.PageLibrary
	}
	if o := a.resting[id]; o != nil {
		a.rest(o)
	}
	a.unsaved(a.library.Forget(id))
	a.ledger.Forget(id)
	if link, err := channel.ParseLink(c.Link); err == nil && a.node != nil {
		n := a.node
		a.later(func(context.Context) func() {
			if err := n.ClearChannel(link.Channel); err != nil {
				a.log.Warn("clear channel", "err", err)
			}
			return nil
		})
	}
}

// saveWindow remembers where the window was.
func (a *app) saveWindow() {
	a.remember(func(s *settings.Settings) { s.Window = a.window.Geometry() })
}
