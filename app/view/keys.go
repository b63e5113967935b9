package view

import (
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/widget"

	"coral/player"
)

// keys turn the keyboard into intents. They get what no focused widget uses:
// who writes into a field keeps all of it. Characters come as runes, so that
// they are where the keyboard's layout has them.
type keys struct {
	w    *Window
	last rune      // or key, of what must not be repeated
	when time.Time // it came last

	focusLink bool // the link's field is to have the keyboard once its page has come
}

// Steps of the keyboard, as in mpv and in browsers.
const (
	arrowStep  = 5 * time.Second
	letterStep = 10 * time.Second
	// heldKey is within what a key that is held down comes again: a switch does
	// not follow it.
	heldKey = 120 * time.Millisecond
)

func newKeys(w *Window) *keys { return &keys{w: w} }

// connect hears c's keys.
func (k *keys) connect(c fyne.Canvas) {
	c.SetOnTypedKey(func(e *fyne.KeyEvent) { k.key(e) })
	c.SetOnTypedRune(k.letter)
	for name, do := range map[fyne.KeyName]func(){
		fyne.KeyL:     k.link,
		fyne.KeyO:     func() { k.w.emit(OpenFile{}) },
		fyne.KeyComma: func() { k.w.emit(GoTo{PageSettings}) },
		fyne.KeyQ:     func() { k.w.emit(Quit{}) },
		fyne.KeyF:     k.search,
	} {
		c.AddShortcut(&desktop.CustomShortcut{KeyName: name, Modifier: fyne.KeyModifierShortcutDefault}, func(fyne.Shortcut) {
			if !k.covered() {
				do()
			}
		})
	}
	c.AddShortcut(&fyne.ShortcutPaste{}, func(fyne.Shortcut) { k.paste() })
}

// covered says whether a question or a sheet has the window.
func (k *keys) covered() bool {
	for _, o := range k.w.overlays {
		if o.Showing() {
			return true
		}
	}
	return k.w.win.Canvas().Overlays().Top() != nil
}

// paste opens what the clipboard holds, if that is one line.
func (k *keys) paste() {
	text, _, _ := strings.Cut(strings.TrimSpace(k.w.app.Clipboard().Content()), "\n")
	if text = strings.TrimSpace(text); text != "" && !k.covered() {
		k.w.emit(Open{text})
	}
}

// link goes to where a link is typed.
func (k *keys) link() {
	k.w.emit(GoTo{PageLibrary})
	k.focusLink = true
	k.arrive(k.w.current())
}

// search goes to where channels are searched for.
func (k *keys) search() {
	if p, ok := k.w.pages[PageLibrary].(*libraryPage); ok && k.w.current() == PageLibrary {
		p.FocusSearch()
	}
}

// arrive gives the keyboard to what a page that has just come uses most.
func (k *keys) arrive(p Page) {
	if library, ok := k.w.pages[p].(*libraryPage); ok && k.focusLink {
		k.focusLink = false
		k.w.win.Canvas().Focus(library.link) // Fyne does not know yet which canvas it is on
		return
	}
	if k.covered() {
		return
	}
	k.w.win.Canvas().Unfocus()
}

// key takes a key that is no character.
func (k *keys) key(e *fyne.KeyEvent) {
	w := k.w
	if w.model == nil || k.sheetKey(e.Name) || k.covered() {
		return
	}
	w.watch.stirIfShown()
	if e.Name == fyne.KeyEscape {
		k.escape()
		return
	}
	switch w.current() {
	case PageWatch:
		k.watchKey(e.Name)
	case PageLibrary:
		if l, ok := w.pages[PageLibrary].(interface{ TypedKey(*fyne.KeyEvent) }); ok {
			l.TypedKey(e)
		}
	}
}

// sheetKey closes the sheet that lies over everything.
func (k *keys) sheetKey(name fyne.KeyName) bool {
	if name != fyne.KeyEscape {
		return false
	}
	m := k.w.model
	switch {
	case k.w.help.Showing():
		k.w.help.open(false)
	case m.Closing:
		k.w.emit(KeepOpen{})
	case m.Share != nil:
		k.w.emit(CloseShare{})
	default:
		dialogue, is := k.w.win.Canvas().Overlays().Top().(*widget.PopUp) // Fyne's own, of files
		if is {
			dialogue.Hide()
		}
		return is
	}
	return true
}

// escape leads one step back.
func (k *keys) escape() {
	m := k.w.model
	playing := m.Watching
	switch {
	case playing != nil && playing.FullScreen:
		k.w.emit(SetFullScreen{false})
	case playing != nil && playing.MiniPlayer:
		k.w.emit(SetMiniPlayer{false})
	case k.w.current() == PageWatch:
		k.w.emit(GoTo{PageLibrary})
	case k.w.current() == PageLibrary:
	case playing != nil:
		k.w.emit(GoTo{PageWatch})
	default:
		k.w.emit(GoTo{PageLibrary})
	}
}

func (k *keys) watchKey(name fyne.KeyName) {
	w := k.w
	p := w.model.Watching.Player
	span := reachOf(p)
	switch name {
	case fyne.KeySpace:
		k.once(' ', playPause(w.model))
	case fyne.KeyLeft:
		w.emit(SeekBy{-arrowStep})
	case fyne.KeyRight:
		w.emit(SeekBy{arrowStep})
	case fyne.KeyUp:
		w.watch.controls.volume.step(1)
	case fyne.KeyDown:
		w.watch.controls.volume.step(-1)
	case fyne.KeyPageUp:
		w.emit(Zap{-1})
	case fyne.KeyPageDown:
		w.emit(Zap{1})
	case fyne.KeyHome:
		if span.seekable() {
			w.emit(Seek{span.start})
		}
	case fyne.KeyEnd:
		switch {
		case p.Live:
			w.emit(GoLive{})
		case span.seekable():
			w.emit(Seek{span.end})
		}
	case fyne.KeyF11:
		k.once('f', SetFullScreen{!w.model.Watching.FullScreen})
	}
}

// letter takes a character.
func (k *keys) letter(r rune) {
	w := k.w
	if w.model == nil {
		return
	}
	if r == '?' && (w.help.Showing() || !k.covered()) {
		w.help.open(!w.help.Showing())
		return
	}
	if k.covered() {
		return
	}
	w.watch.stirIfShown()
	lower := r
	if r >= 'A' && r <= 'Z' {
		lower = r - 'A' + 'a'
	}
	switch lower {
	case 's':
		k.once(lower, PauseSharing{!(w.model.Sharing.Paused || w.model.Sharing.State == SharingPaused)})
		return
	case 'i':
		k.once(lower, ShowDetails{w.model.Details == nil})
		return
	case '/':
		k.search()
		return
	}
	if w.current() == PageWatch {
		k.watchLetter(r, lower)
	}
}

func (k *keys) watchLetter(r, lower rune) {
	w := k.w
	m := w.model.Watching
	p := m.Player
	switch lower {
	case 'k':
		k.once(lower, playPause(w.model))
	case 'j':
		w.emit(SeekBy{-letterStep})
	case 'l':
		w.emit(SeekBy{letterStep})
	case 'f':
		k.once(lower, SetFullScreen{!m.FullScreen})
	case 'm':
		k.once(lower, SetMute{!p.Muted})
	case 'p':
		k.once(lower, SetMiniPlayer{!m.MiniPlayer})
	case 'c':
		if id, ok := nextSubtitle(m); ok {
			k.once(lower, ChooseSubtitle{id})
		}
	case 'n':
		by := 1
		if r == 'N' {
			by = -1
		}
		w.emit(Zap{by})
	case '.':
		w.emit(Step{1})
	case ',':
		w.emit(Step{-1})
	case '>', '<':
		if !p.Live {
			w.emit(SetSpeed{faster(p.Speed, map[rune]int{'>': 1, '<': -1}[r])})
		}
	}
	if r >= '0' && r <= '9' {
		k.tenth(p, r-'0')
	}
}

// tenth goes to so many tenths of what can be reached.
func (k *keys) tenth(p player.State, n rune) {
	s := reachOf(p)
	if !s.seekable() {
		return
	}
	if !p.Live {
		s.start, s.end = s.from, s.to
	}
	k.w.emit(Seek{s.start + (s.end-s.start)*time.Duration(n)/10})
}

// once emits a switch's intent, but not again while the key is held down.
func (k *keys) once(r rune, i Intent) {
	held := k.last == r && time.Since(k.when) < heldKey
	k.last, k.when = r, time.Now()
	if !held {
		k.w.emit(i)
	}
}
