package view

import (
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"

	"coral/player"
)

func TestKeysWhileWatching(t *testing.T) {
	w, r := testWindow(t, 1000, 700)
	rec := recording()
	subtitled := func(m *Model) {
		m.Watching.Subtitles = []Subtitle{{ID: -1, Selected: true}, {ID: 4}}
	}
	full := func(m *Model) { m.Watching.FullScreen = true }
	mini := func(m *Model) { m.Watching.MiniPlayer = true }
	muted := func(m *Model) { m.Watching.Player.Muted, m.Watching.Player.Paused = true, true }
	paused := func(m *Model) { m.Sharing = Sharing{State: SharingPaused, Paused: true} }
	open := func(m *Model) { m.Details = &Details{} }
	failed := func(m *Model) { m.Watching.Player.Phase = player.Failed }
	for _, c := range []struct {
		key    fyne.KeyName
		letter rune
		state  player.State
		change func(*Model)
		want   []Intent
	}{
		{key: fyne.KeySpace, want: []Intent{SetPaused{true}}},
		{key: fyne.KeySpace, change: muted, want: []Intent{SetPaused{false}}},
		{key: fyne.KeySpace, change: failed, want: []Intent{Retry{}}},
		{letter: ' '},
		{letter: 'k', want: []Intent{SetPaused{true}}},
		{letter: 'K', want: []Intent{SetPaused{true}}},
		{letter: 'j', want: []Intent{SeekBy{-10 * time.Second}}},
		{letter: 'l', want: []Intent{SeekBy{10 * time.Second}}},
		{key: fyne.KeyLeft, want: []Intent{SeekBy{-5 * time.Second}}},
		{key: fyne.KeyRight, want: []Intent{SeekBy{5 * time.Second}}},
		{key: fyne.KeyUp, want: []Intent{SetVolume{75}}},
		{key: fyne.KeyDown, want: []Intent{SetVolume{65}}},
		{letter: 'f', want: []Intent{SetFullScreen{true}}},
		{letter: 'f', change: full, want: []Intent{SetFullScreen{false}}},
		{key: fyne.KeyF11, want: []Intent{SetFullScreen{true}}},
		{letter: 'm', want: []Intent{SetMute{true}}},
		{letter: 'm', change: muted, want: []Intent{SetMute{false}}},
		{letter: 'c'},
		{letter: 'c', change: subtitled, want: []Intent{ChooseSubtitle{4}}},
		{letter: 'p', want: []Intent{SetMiniPlayer{true}}},
		{letter: 'p', change: mini, want: []Intent{SetMiniPlayer{false}}},
		{letter: 'n', want: []Intent{Zap{1}}},
		{letter: 'N', want: []Intent{Zap{-1}}},
		{key: fyne.KeyPageDown, want: []Intent{Zap{1}}},
		{key: fyne.KeyPageUp, want: []Intent{Zap{-1}}},
		{letter: '.', want: []Intent{Step{1}}},
		{letter: ',', want: []Intent{Step{-1}}},
		{letter: '>'}, // a live channel has one speed
		{letter: '>', state: rec, want: []Intent{SetSpeed{1.25}}},
		{letter: '<', state: rec, want: []Intent{SetSpeed{0.75}}},
		{letter: '0', want: []Intent{Seek{400 * time.Second}}},
		{letter: '5', want: []Intent{Seek{1097 * time.Second}}},
		{letter: '5', state: rec, want: []Intent{Seek{500 * time.Second}}},
		{key: fyne.KeyHome, want: []Intent{Seek{400 * time.Second}}},
		{key: fyne.KeyEnd, want: []Intent{GoLive{}}},
		{key: fyne.KeyEnd, state: rec, want: []Intent{Seek{1000 * time.Second}}},
		{letter: 'i', want: []Intent{ShowDetails{true}}},
		{letter: 'i', change: open, want: []Intent{ShowDetails{false}}},
		{letter: 's', want: []Intent{PauseSharing{true}}},
		{letter: 's', change: paused, want: []Intent{PauseSharing{false}}},
		{key: fyne.KeyEscape, want: []Intent{GoTo{PageLibrary}}},
		{key: fyne.KeyEscape, change: full, want: []Intent{SetFullScreen{false}}},
		{key: fyne.KeyEscape, change: mini, want: []Intent{SetMiniPlayer{false}}},
		{letter: 'x'},
	} {
		if c.state.Phase == player.Idle {
			c.state = live()
		}
		m := watchModel(c.state)
		if c.change != nil {
			c.change(m)
		}
		w.watch.controls.volume.said = time.Time{}
		w.keys.when = time.Time{}
		w.show(m, time.Now())
		if c.key != "" {
			w.win.Canvas().OnTypedKey()(&fyne.KeyEvent{Name: c.key})
		} else {
			w.win.Canvas().OnTypedRune()(c.letter)
		}
		t.Log(c.key, string(c.letter))
		r.want(t, c.want...)
	}
}

func TestKeysFromAControl(t *testing.T) {
	w, r := testWindow(t, 1000, 700)
	w.show(watchModel(live()), time.Now())
	c := w.watch.controls
	w.win.Canvas().Focus(c.play)
	press(c.play, fyne.KeyRight, fyne.KeyReturn)
	c.play.TypedRune('m')
	r.want(t, SeekBy{5 * time.Second}, SetPaused{true}, SetMute{true})
	press(c.seek, fyne.KeyLeft)
	r.want(t, SeekBy{-5 * time.Second})
	press(w.watch.bar.details, fyne.KeyReturn)
	r.want(t, ShowDetails{true})

	// Tab goes round and shows the controls; what hides loses the keyboard.
	w.win.Canvas().Unfocus()
	seen := map[fyne.Focusable]bool{}
	for range 40 {
		w.win.Canvas().FocusNext()
		seen[w.win.Canvas().Focused()] = true
	}
	for _, want := range []fyne.Focusable{c.play, c.seek, c.full, c.tune, w.watch.bar.sharing.control} {
		if !seen[want] {
			t.Errorf("Tab does not come to %T", want)
		}
	}
	w.win.Canvas().Focus(c.play)
	w.show(watchModel(live()), time.Now().Add(time.Minute))
	if w.win.Canvas().Focused() == fyne.Focusable(c.play) {
		t.Error("a control that is not seen has the keyboard")
	}
}

func TestHeldKeySwitchesOnce(t *testing.T) {
	w, r := testWindow(t, 1000, 700)
	w.show(watchModel(live()), time.Now())
	for range 10 {
		w.keys.letter('f')
	}
	r.want(t, SetFullScreen{true})
	w.keys.when = time.Now().Add(-time.Second)
	w.keys.letter('f')
	r.want(t, SetFullScreen{true})
}

func TestKeysAreNotStolen(t *testing.T) {
	w, r := testWindow(t, 1000, 700)
	m := watchModel(live())
	m.Page = PageLibrary
	w.show(m, time.Now())
	p := w.pages[PageLibrary].(*libraryPage)
	w.win.Canvas().Focus(p.link)
	test.Type(p.link, "coral: sims?")
	if p.link.Text != "coral: sims?" {
		t.Errorf("the field has %q", p.link.Text)
	}
	r.want(t)

	// Nor is what lies under a question reached.
	m.Consent = &ConsentQuestion{}
	w.show(m, time.Now())
	w.keys.letter('s')
	w.keys.letter('?')
	w.keys.key(&fyne.KeyEvent{Name: fyne.KeyEscape})
	r.want(t)
	if w.help.Showing() {
		t.Error("the keys' help lies over the question of consent")
	}
}

func TestShortcuts(t *testing.T) {
	w, r := testWindow(t, 1000, 700)
	w.show(watchModel(live()), time.Now())
	c := w.win.Canvas().(fyne.Shortcutable)
	ctrl := func(k fyne.KeyName) {
		c.TypedShortcut(&desktop.CustomShortcut{KeyName: k, Modifier: fyne.KeyModifierShortcutDefault})
	}
	ctrl(fyne.KeyO)
	ctrl(fyne.KeyComma)
	r.want(t, OpenFile{}, GoTo{PageSettings})
	w.app.Clipboard().SetContent("  coral:abc \nand more")
	c.TypedShortcut(&fyne.ShortcutPaste{})
	r.want(t, Open{"coral:abc"})
	w.app.Clipboard().SetContent("  \n ")
	c.TypedShortcut(&fyne.ShortcutPaste{})
	r.want(t)

	ctrl(fyne.KeyL)
	r.want(t, GoTo{PageLibrary})
	m := watchModel(live())
	m.Page = PageLibrary
	w.show(m, time.Now())
	if w.win.Canvas().Focused() != fyne.Focusable(w.pages[PageLibrary].(*libraryPage).link) {
		t.Errorf("%T has the keyboard after Ctrl+L", w.win.Canvas().Focused())
	}
	w.keys.letter('?')
	if !w.help.Showing() {
		t.Fatal("? does not show the keys")
	}
	w.keys.key(&fyne.KeyEvent{Name: fyne.KeyEscape})
	if w.help.Showing() {
		t.Error("Esc does not put the keys away")
	}
}

func TestEscapeLeadsBack(t *testing.T) {
	w, r := testWindow(t, 1000, 700)
	esc := func(change func(*Model)) {
		m := watchModel(live())
		change(m)
		w.show(m, time.Now())
		w.keys.key(&fyne.KeyEvent{Name: fyne.KeyEscape})
	}
	esc(func(m *Model) { m.Page = PageSettings })
	r.want(t, GoTo{PageWatch})
	esc(func(m *Model) { m.Page, m.Watching = PageSettings, nil })
	r.want(t, GoTo{PageLibrary})
	esc(func(m *Model) { m.Page = PageLibrary })
	r.want(t)
	esc(func(m *Model) { m.Share = &ShareSheet{Channel: "a", Link: "coral:a"} })
	r.want(t, CloseShare{})
	esc(func(m *Model) { m.Closing = true })
	r.want(t, KeepOpen{})
}
