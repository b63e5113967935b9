package app

import (
	"context"
	"image/png"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"fyne.io/fyne/v2"

	"coral/app/library"
	"coral/app/settings"
	"coral/app/system"
	"coral/app/view"
	"coral/player"
	"coral/player/surface"
)

const (
	// redraw is the least time between two models.
	redraw = 100 * time.Millisecond
	// idleRedraw is how often the window is drawn though nothing was done:
	// position and rates move on.
	idleRedraw = 250 * time.Millisecond
	second     = time.Second
)

// app is the program. Fields without a note belong to the loop's goroutine.
type app struct {
	// Never changed after Run has built them; safe for concurrent use.

	log        *slog.Logger
	logFile    *system.LogFile
	paths      system.Folders
	options    Options
	scaler     scaler
	speaker    speaker
	instance   *system.Instance
	settings   *settings.Store
	library    *library.Library
	ledger     *library.Ledger
	fyne       fyne.App
	window     *view.Window
	show       func(view.Model) // window's, but in tests: Fyne's test driver draws on any goroutine
	video      *surface.Surface
	player     player.Player       // nil: no libmpv
	decoding   decoding            // of player
	frames     surface.FrameSource // of player
	noPlayer   error
	mpvVersion string
	mapped     []string // the program's files and libmpv's, which stay
	queue      *queue
	ctx        context.Context // ends with the program
	closing    atomic.Bool     // the window is going: no fyne.Do

	node     *engine // nil: it could not be opened
	work     sync.WaitGroup
	page     view.Page
	query    string
	group    string
	watching *watching
	resting  map[string]*open // channels that are shared though nobody watches, by channel ID
	sharing  sharing
	meter    measure
	trouble  trouble
	listed   listed
	logos    logos
	notices  notices
	consent  *question
	sheet    *view.ShareSheet
	closeAsk bool
	details  bool
	desktop  desktopState
	shotDone bool
	relaxing *time.Timer // until memory is given back; nil: never was
}

// decoding is what of a player's work can be set.
type decoding interface {
	SetHardware(on bool)
	SetMaxHeight(lines int)
	Relax()
}

// queue hands functions to the loop. It is unbounded, since Fyne's goroutine
// must not wait; what posts to it is bounded by what people and this machine do.
type queue struct {
	mu    sync.Mutex
	calls []func()
	some  chan struct{}
}

func newQueue() *queue { return &queue{some: make(chan struct{}, 1)} }

func (q *queue) post(f func()) {
	q.mu.Lock()
	q.calls = append(q.calls, f)
	q.mu.Unlock()
	select {
	case q.some <- struct{}{}:
	default:
	}
}

func (q *queue) take() []func() {
	q.mu.Lock()
	defer q.mu.Unlock()
	calls := q.calls
	q.calls = nil
	return calls
}

// later runs work beside the loop, and then what it returns on the loop.
func (a *app) later(work func(ctx context.Context) func()) {
	a.work.Go(func() {
		if done := work(a.ctx); done != nil {
			a.queue.post(done)
		}
	})
}

// loop owns the state until ctx ends.
func (a *app) loop(ctx context.Context) {
	a.begin()
	defer a.end()
	var changed <-chan struct{}
	if a.player != nil {
		changed = a.player.Changed()
	}
	tick := time.NewTicker(second)
	defer tick.Stop()
	draw := time.NewTimer(0)
	defer draw.Stop()
	var drawn time.Time
	soon := func(d time.Duration) { draw.Reset(max(0, d-time.Since(drawn))) }
	for {
		select {
		case <-ctx.Done():
			return
		case <-a.queue.some:
			for _, call := range a.queue.take() {
				call()
			}
			soon(redraw)
		case <-changed:
			a.playerChanged()
			soon(redraw)
		case now := <-tick.C:
			a.everySecond(now)
		case <-draw.C:
			drawn = time.Now()
			a.show(a.model(drawn))
			a.shoot()
			if a.watching != nil {
				draw.Reset(idleRedraw)
			} else {
				draw.Reset(second)
			}
		}
	}
}

// begin starts what runs beside the loop.
func (a *app) begin() {
	if a.player != nil {
		a.work.Go(func() {
			if err := a.player.Run(a.ctx); err != nil && a.ctx.Err() == nil {
				a.log.Error("player ended", "err", err)
			}
		})
	}
	a.openNode(a.settings.Get())
	a.serve("library", a.library.Run)
	a.serve("ledger", a.ledger.Run)
	a.startDesktop()
	a.found()
}

// end closes everything in reverse. ctx has ended.
func (a *app) end() {
	a.closeNode()
	a.work.Wait()
}

// quit ends the program: Fyne's loop returns, then Run ends the rest.
func (a *app) quit() {
	a.saveWindow()
	if a.closing.CompareAndSwap(false, true) {
		fyne.Do(a.fyne.Quit)
	}
}

// everySecond looks at what moves on by itself.
func (a *app) everySecond(now time.Time) {
	a.applySharing(now)
	a.measureSecond(now)
	a.watchSecond(now)
	a.lookForTrouble()
}

// shoot writes the picture that --screenshot asks for, once a picture plays or
// the library has been drawn.
func (a *app) shoot() {
	if a.options.Screenshot == "" || a.shotDone {
		return
	}
	if a.options.Open != "" && a.consent == nil && (a.watching == nil || a.player != nil && a.player.State().FirstPictureAt.IsZero()) {
		return
	}
	a.shotDone = true
	name := a.options.Screenshot
	a.later(func(ctx context.Context) func() {
		select {
		case <-time.After(700 * time.Millisecond): // the model that was just shown is drawn by then
		case <-ctx.Done():
			return nil
		}
		img := a.window.Image()
		if img == nil {
			return nil
		}
		f, err := os.Create(name)
		if err == nil {
			err = png.Encode(f, img)
			if e := f.Close(); err == nil {
				err = e
			}
		}
		return func() {
			if err != nil {
				a.log.Error("screenshot", "err", err)
			}
		}
	})
}
