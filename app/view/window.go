package view

import (
	"image"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/driver/software"

	"coral/app/settings"
)

const (
	// redraw is the least time between two models that are drawn.
	redraw = 100 * time.Millisecond
	// nextPicture is how long a model waits for the film's next picture, to be drawn in
	// the same frame: each frame draws the whole window.
	nextPicture = 50 * time.Millisecond

	// The window's sizes: at first, and the least that everything still works in.
	startWidth, startHeight = 1120, 700
	leastWidth, leastHeight = 480, 320
	// screenEdge is how much of the screen's height, in pixels, the window leaves to
	// its own title and to a panel.
	screenEdge = 64

	// After full screen was left the window manager has settling to make the window
	// small again; from then until settled we do what it did not.
	settling = 300 * time.Millisecond
	settled  = 2 * time.Second
)

// Window is the program's main window, with the details window and the tray.
// Its unexported fields below the first group belong to Fyne's goroutine.
type Window struct {
	app   fyne.App
	win   fyne.Window
	video Video
	emit  func(Intent)

	mu     sync.Mutex
	newest *Model // given to Show, not drawn yet
	drawn  time.Time
	timer  *time.Timer // will draw newest; nil: nothing waits
	filmed time.Time   // when the last picture came

	gate     sync.RWMutex // held for reading while Fyne is told something
	closed   bool
	geometry atomic.Pointer[settings.Window]

	screenSize fyne.Size // in pixels; zero: not known
	left       time.Time // when full screen was left last
	model      *Model    // the last drawn; nil: none
	look       look
	trayed     bool    // there is an icon in the tray
	hidden     bool    // in the tray
	unseen     *Model  // that came while hidden
	scale      float32 // of the screen, that icons were drawn for
	header     *header
	pages      map[Page]page // that were built; the others are when they are first seen
	watch      *watchPage
	overlays   []overlay
	help       *keyHelp
	notices    *noticeStack
	details    *detailsWindow
	tray       *tray
	mini       miniPlayer
	hidePtr    func() // see watchPage
	keys       *keys
	root       *fyne.Container
}

// New builds the window around video, hidden until Fyne().Show is called. emit
// is called on Fyne's goroutine and must not block.
func New(a fyne.App, video Video, emit func(Intent)) *Window {
	w := &Window{app: a, video: video, emit: emit, scale: 1}
	if now, ok := a.Settings().Theme().(look); ok {
		w.look = now
	} else {
		w.look = look{settings.ThemeSystem}
		a.Settings().SetTheme(w.look)
	}
	video.OnPicture(w.withPicture)
	w.win = a.NewWindow("Coral")
	w.win.SetPadded(false)

	w.keys = newKeys(w)
	w.mini = miniPlayer{win: w.win}
	w.build()
	w.win.Resize(fyne.NewSize(startWidth, startHeight))
	w.win.SetCloseIntercept(func() { emit(CloseWindow{Answer: settings.CloseAsk}) })
	w.win.SetOnDropped(func(_ fyne.Position, dropped []fyne.URI) { openDropped(dropped, emit) })
	w.keys.connect(w.win.Canvas())
	return w
}

// build makes all that has words in it.
func (w *Window) build() {
	emit := w.emit
	w.header = newHeader(emit)
	w.watch = newWatchPage(emit, w.video, w.keys)
	w.watch.hidePtr = w.hidePtr
	w.pages = map[Page]page{PageLibrary: newLibraryPage(emit), PageWatch: w.watch}
	w.help = newKeyHelp()
	// The later lies above the earlier: nothing may hide the question of consent.
	w.overlays = []overlay{newShareSheet(emit), newCloseQuestion(emit), newConsent(emit)}
	w.notices = newNoticeStack(emit)
	w.details = newDetailsWindow(w.app, w.fit, emit)
	w.tray = newTray(w.Raise, emit)
	if w.trayed {
		w.PutInTray()
	}
	w.root = newFrameOf(w)
	w.win.SetContent(w.root)
}

// PutInTray puts the program's icon into the system's tray. The first time is before
// Fyne's loop runs, which has a tray only if there was an icon when it began.
func (w *Window) PutInTray() {
	if a, ok := w.app.(desktop.App); ok {
		w.trayed = true
		w.tray.put(a)
	}
}

// Translate builds everything anew in the language that package lang has changed
// to. It is called on Fyne's goroutine.
func (w *Window) Translate() {
	settings, leaf := w.pages[PageSettings].(*settingsPage)
	w.details.close()
	w.build()
	if w.model == nil {
		return
	}
	if leaf { // where the language was chosen
		w.screen(PageSettings).(*settingsPage).choose(settings.chosen)
	}
	w.show(w.model, time.Now())
	w.root.Refresh()
}

// Fyne returns the window itself.
func (w *Window) Fyne() fyne.Window { return w.win }

// Show draws m soon: at most every tenth of a second, and only the newest. It
// may be called from any goroutine.
func (w *Window) Show(m Model) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.newest = &m
	if w.timer != nil {
		return
	}
	wait := max(0, redraw-time.Since(w.drawn))
	if time.Since(w.filmed) < 2*nextPicture {
		wait += nextPicture
	}
	w.timer = time.AfterFunc(wait, func() { w.onMain(w.draw) })
}

// withPicture draws the newest model, if it is time, beside a picture of the film.
func (w *Window) withPicture() {
	w.mu.Lock()
	w.filmed = time.Now()
	due := w.timer != nil && w.filmed.Sub(w.drawn) >= redraw && w.timer.Stop()
	w.mu.Unlock()
	w.gate.RLock()
	due = due && !w.closed
	w.gate.RUnlock() // what is drawn may lock it
	if due {
		w.draw()
	}
}

// onMain runs f on Fyne's goroutine, unless the window is closed.
func (w *Window) onMain(f func()) {
	w.gate.RLock()
	defer w.gate.RUnlock()
	if !w.closed {
		fyne.Do(f)
	}
}

// draw draws the newest model.
func (w *Window) draw() {
	w.mu.Lock()
	m := w.newest
	w.timer, w.newest, w.drawn = nil, nil, time.Now()
	w.mu.Unlock()
	if m != nil {
		w.show(m, time.Now())
	}
}

// show maps m to the screens. The order matters: the theme first, so that
// nothing is drawn twice; what covers others last.
func (w *Window) show(m *Model, now time.Time) {
	if w.unseen = nil; w.hidden {
		w.unseen = m
		w.tray.show(m, now)
		return
	}
	if scale := w.win.Canvas().Scale(); w.look.kind != m.Settings.Theme || w.scale != scale {
		w.look.kind, w.scale = m.Settings.Theme, scale
		w.app.Settings().SetTheme(w.look)
	}
	first := w.model == nil
	old := w.current()
	w.model = m
	w.arrange(m, first, now)

	w.header.show(m)
	w.pages[w.current()].Show(m)
	if w.watch.Object().Visible() {
		w.watch.tick(now)
	} else {
		w.watch.rest()
	}
	w.notices.Show(m)
	w.help.Show(m)
	for _, o := range w.overlays {
		o.Show(m)
	}
	w.details.Show(m, now)
	w.tray.show(m, now)
	if first || old != w.current() {
		w.keys.arrive(w.current())
	}
}

// current is the page that fills the window.
func (w *Window) current() Page {
	switch {
	case w.model == nil:
		return PageLibrary
	case w.model.Page == PageWatch && w.model.Watching == nil:
		return PageLibrary
	}
	return w.model.Page
}

// screen returns a page, built if it was not seen before: the start does not
// wait for what is seldom used.
func (w *Window) screen(p Page) page {
	if s, ok := w.pages[p]; ok {
		return s
	}
	s := newAboutPage(w.emit)
	if p == PageSettings {
		s = newSettingsPage(w.emit, w.win)
	}
	w.pages[p] = s
	s.Object().Hide()
	w.root.Objects = slices.Insert(w.root.Objects, 0, s.Object())
	return s
}

// arrange gives the window its shape: which page, full, mini, or as it was.
func (w *Window) arrange(m *Model, first bool, now time.Time) {
	if first { // now its scale is known
		size := w.win.Canvas().Size()
		if last := m.Settings.Window; last.Width >= leastWidth && last.Height >= leastHeight {
			size = fyne.NewSize(last.Width, last.Height)
		}
		w.win.Resize(w.fit(size.Width, size.Height))
	}
	w.screen(w.current())
	watching := w.current() == PageWatch
	full := m.Watching != nil && m.Watching.FullScreen && watching
	mini := m.Watching != nil && m.Watching.MiniPlayer && watching && !full
	if w.win.FullScreen() != full {
		w.win.SetFullScreen(full)
		if !full {
			w.left = now
		}
	}
	changed := w.mini.set(mini)
	show(w.header, !watching)
	for p, screen := range w.pages {
		if o := screen.Object(); o.Visible() != (p == w.current()) {
			show(o, p == w.current())
			changed = true
		}
	}
	if changed || first {
		w.root.Refresh()
	}
	w.remember(full, mini || !full && w.settling(now))
}

// settling gives the window its size back after full screen, and reports whether
// that may be under way still: Fyne 2.7.1 takes the screen's size for the window's
// own if it hears of it after it was told to leave.
func (w *Window) settling(now time.Time) bool {
	since := now.Sub(w.left)
	if since > settled {
		return false
	}
	g, is := w.Geometry(), w.win.Canvas().Size()
	if since > settling && (is.Width > g.Width+1 || is.Height > g.Height+1) {
		w.win.Resize(fyne.NewSize(g.Width, g.Height))
	}
	return true
}

// fit is a window's size, but no larger than the screen.
func (w *Window) fit(width, height float32) fyne.Size {
	if w.screenSize.Width > 0 {
		scale := w.win.Canvas().Scale()
		width = max(leastWidth, min(width, w.screenSize.Width/scale))
		height = max(leastHeight, min(height, (w.screenSize.Height-screenEdge)/scale))
	}
	return fyne.NewSize(width, height)
}

// MostScale is the largest scale, in tenths as Fyne has them, at which the window fits
// on a screen of so many pixels.
func MostScale(wide, high int) float64 {
	return math.Floor(10*min(float64(wide)/leastWidth, float64(high-screenEdge)/leastHeight)) / 10
}

// remember keeps the size of the window as it is, unless it is full or has another
// size for a while.
func (w *Window) remember(full, passing bool) {
	g := settings.Window{Width: startWidth, Height: startHeight}
	if last := w.geometry.Load(); last != nil {
		g = *last
	}
	g.FullScreen = full
	if s := w.win.Canvas().Size(); !full && !passing && !w.mini.leaving() && s.Width >= leastWidth {
		g.Width, g.Height = s.Width, s.Height
	}
	w.geometry.Store(&g)
}

// Geometry returns the size that the window had last, without full screen and
// mini player. It may be called from any goroutine.
func (w *Window) Geometry() settings.Window {
	if g := w.geometry.Load(); g != nil {
		return *g
	}
	return settings.Window{Width: startWidth, Height: startHeight}
}

// Image returns the window's picture, nil if it is closed. It may be called from
// any goroutine but Fyne's.
func (w *Window) Image() image.Image {
	w.gate.RLock()
	defer w.gate.RUnlock()
	if w.closed {
		return nil
	}
	var img image.Image
	fyne.DoAndWait(func() { img = w.paint() })
	return img
}

// paint draws the window anew, by the processor. Canvas.Capture would ask OpenGL
// for what is on the screen, and many drivers cannot tell.
func (w *Window) paint() image.Image {
	on := w.win.Canvas()
	c := software.NewCanvas()
	c.SetPadded(false)
	c.SetScale(on.Scale())
	c.SetContent(on.Content())
	for _, o := range on.Overlays().List() {
		c.Overlays().Add(o)
	}
	c.Resize(on.Size())
	return c.Capture()
}

// Close makes Show and Image do nothing: after it Fyne is told nothing more.
// It may be called from any goroutine, more than once.
func (w *Window) Close() {
	w.gate.Lock()
	w.closed = true
	w.gate.Unlock()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.timer != nil {
		w.timer.Stop()
	}
}

// maxDropped bounds how many files of one drop are opened.
const maxDropped = 16

func openDropped(dropped []fyne.URI, emit func(Intent)) {
	for _, u := range dropped[:min(len(dropped), maxDropped)] {
		if u.Scheme() == "file" {
			emit(Open{u.Path()})
		} else {
			emit(Open{u.String()})
		}
	}
}

// frameLayout puts the header on top, the page below, notices over the page.
type frameLayout struct{ w *Window }

func newFrameOf(w *Window) *fyne.Container {
	root := container.NewWithoutLayout()
	for _, p := range []Page{PageWatch, PageLibrary} {
		o := w.pages[p].Object()
		o.Hide() // until it is known what is to be seen
		root.Objects = append(root.Objects, o)
	}
	w.header.Hide()
	root.Objects = append(root.Objects, w.header, w.notices.Object(), w.help.Object())
	for _, o := range w.overlays {
		root.Objects = append(root.Objects, o.Object())
	}
	root.Layout = frameLayout{w}
	return root
}

// Layout implements fyne.Layout.
func (l frameLayout) Layout(_ []fyne.CanvasObject, s fyne.Size) {
	w := l.w
	top := float32(0)
	if h := w.header; h.Visible() {
		top = h.MinSize().Height
		h.Resize(fyne.NewSize(s.Width, top))
	}
	for _, p := range w.pages {
		if o := p.Object(); o.Visible() {
			o.Move(fyne.NewPos(0, top))
			o.Resize(fyne.NewSize(s.Width, s.Height-top))
		}
	}
	w.notices.place(top, s)
}

// MinSize implements fyne.Layout. The pages fit themselves into what they get.
func (l frameLayout) MinSize([]fyne.CanvasObject) fyne.Size {
	if l.w.mini.on {
		return fyne.NewSize(miniLeast, float32(math.Round(miniLeast*9/16)))
	}
	return fyne.NewSize(leastWidth, leastHeight)
}
