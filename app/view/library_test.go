package view

import (
	"image"
	"slices"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"

	"coral/app/settings"
)

func newTestLibrary(t *testing.T, w, h float32, channels []Channel) (*libraryPage, *intents, fyne.Window, *Model) {
	t.Helper()
	test.NewTempApp(t)
	r := &intents{}
	p := newLibraryPage(r.emit).(*libraryPage)
	win := window(t, p.Object(), w, h)
	m := &Model{Channels: channels}
	p.Show(m)
	return p, r, win, m
}

func TestLibraryOpensWhatWasPasted(t *testing.T) {
	p, r, _, _ := newTestLibrary(t, 900, 600, nil)
	test.Tap(p.open) // nothing there: no intent
	r.want(t)
	p.link.SetText("  coral:?xt=1  \n")
	p.link.OnSubmitted(p.link.Text)
	r.want(t, Open{"coral:?xt=1"})
	if p.link.Text != "" {
		t.Errorf("the field still holds %q", p.link.Text)
	}
	test.Type(p.link, "magnet:?x")
	test.Tap(p.open)
	r.want(t, Open{"magnet:?x"})
	test.Tap(p.file)
	r.want(t, OpenFile{})
}

func TestLibraryStates(t *testing.T) {
	p, r, _, m := newTestLibrary(t, 900, 600, nil)
	check := func(what string, grid, welcome, nothing, search bool) {
		t.Helper()
		p.Show(m)
		if p.grid.Visible() != grid || p.welcome.Visible() != welcome || p.nothing.root.Visible() != nothing || p.search.Visible() != search {
			t.Errorf("%s: grid %v, welcome %v, nothing found %v, search %v", what, p.grid.Visible(), p.welcome.Visible(), p.nothing.root.Visible(), p.search.Visible())
		}
	}
	check("a newcomer", false, true, false, false)
	m.Query = "foo"
	check("a search without result", false, false, true, true)
	if !strings.Contains(p.nothing.text.text(), "foo") {
		t.Errorf("nothing found says %q", p.nothing.text.text())
	}
	m.Channels, m.Query = someChannels(3), ""
	check("channels", true, false, false, true)
	r.want(t)
}

func TestLibrarySearchAndGroup(t *testing.T) {
	p, r, win, m := newTestLibrary(t, 900, 600, someChannels(3))
	m.Groups = []string{"News", "Sport"}
	p.Show(m)
	test.Type(p.search, "ab")
	r.want(t, Search{"a"}, Search{"ab"})
	p.Show(m) // an older model does not undo what is being written
	if p.search.Text != "ab" {
		t.Errorf("the search holds %q", p.search.Text)
	}
	p.search.FocusLost()
	m.Query = "other"
	p.Show(m)
	if p.search.Text != "other" {
		t.Errorf("the search holds %q", p.search.Text)
	}
	r.want(t)

	p.group.SetSelectedIndex(2)
	r.want(t, ChooseGroup{"Sport"})
	m.Group = "News"
	p.Show(m)
	if p.group.Selected != "News" {
		t.Errorf("the group is %q", p.group.Selected)
	}
	r.want(t)
	p.group.SetSelectedIndex(0)
	r.want(t, ChooseGroup{""})

	win.Canvas().Focus(p.search)
	press(p.search, fyne.KeyEscape)
	r.want(t, Search{""})
	if win.Canvas().Focused() != fyne.Focusable(p.grid) {
		t.Error("Escape does not lead from the search to the channels")
	}
}

func TestLibraryKeyboard(t *testing.T) {
	p, r, win, _ := newTestLibrary(t, 900, 600, someChannels(40))
	p.focusGrid()
	if win.Canvas().Focused() != fyne.Focusable(p.grid) {
		t.Fatal("the channels do not have the keyboard")
	}
	columns, _ := p.grid.shape()
	press(p.grid, fyne.KeyRight, fyne.KeyRight, fyne.KeyLeft, fyne.KeyDown, fyne.KeyReturn)
	r.want(t, Play{someChannels(40)[1+columns].ID})
	press(p.grid, fyne.KeyEnd, fyne.KeyReturn)
	r.want(t, Play{"id39"})
	if p.grid.scroll.Offset.Y == 0 {
		t.Error("the last channel is out of sight")
	}
	press(p.grid, fyne.KeyRight, fyne.KeyDown, fyne.KeyEnter)
	r.want(t, Play{"id39"})
	press(p.grid, fyne.KeyHome, fyne.KeyEnter)
	r.want(t, Play{"id0"})
	press(p.grid, fyne.KeyPageDown, fyne.KeyPageUp, fyne.KeyEnter)
	r.want(t, Play{"id0"})
	p.grid.TypedRune('*')
	r.want(t, SetFavorite{"id0", true})
	p.grid.TypedRune('/')
	if win.Canvas().Focused() != fyne.Focusable(p.search) {
		t.Error("/ does not lead to the search")
	}
	press(p.search, fyne.KeyDown)
	press(p.grid, fyne.KeyUp)
	if win.Canvas().Focused() != fyne.Focusable(p.search) {
		t.Error("up from the first row does not lead to the search")
	}
}

func TestLibraryHandsKeysOn(t *testing.T) {
	p, r, win, _ := newTestLibrary(t, 900, 600, someChannels(4))
	p.TypedKey(&fyne.KeyEvent{Name: fyne.KeyDown}) // nothing had the keyboard
	if win.Canvas().Focused() != fyne.Focusable(p.grid) || p.grid.at() != 0 {
		t.Error("an arrow does not lead to the channels")
	}
	var runes []rune
	var keys []fyne.KeyName
	win.Canvas().SetOnTypedRune(func(r rune) { runes = append(runes, r) })
	win.Canvas().SetOnTypedKey(func(e *fyne.KeyEvent) { keys = append(keys, e.Name) })
	p.grid.TypedRune('s')
	press(p.grid, fyne.KeyEscape, fyne.KeyRight)
	if string(runes) != "s" || len(keys) != 1 || keys[0] != fyne.KeyEscape {
		t.Errorf("the window got %q and %v", string(runes), keys)
	}
	r.want(t)
}

func TestLibraryCursorStaysWithItsChannel(t *testing.T) {
	p, r, _, m := newTestLibrary(t, 900, 600, someChannels(5))
	p.focusGrid()
	press(p.grid, fyne.KeyRight)
	m.Channels = append([]Channel{{ID: "new", Name: "New"}}, m.Channels...)
	p.Show(m)
	press(p.grid, fyne.KeyEnter)
	r.want(t, Play{"id1"})
	m.Channels = []Channel{{ID: "only", Name: "Only"}}
	p.Show(m)
	press(p.grid, fyne.KeyEnter)
	r.want(t, Play{"only"})
}

func TestLibraryForgetAsks(t *testing.T) {
	p, r, win, _ := newTestLibrary(t, 900, 600, someChannels(2))
	p.focusGrid()
	press(p.grid, fyne.KeyDelete)
	r.want(t)
	_, no := dialogButtons(t, win)
	if win.Canvas().Focused() != fyne.Focusable(no) {
		t.Error("Cancel does not have the keyboard")
	}
	press(no, fyne.KeyEscape)
	if win.Canvas().Overlays().Top() != nil {
		t.Fatal("Escape does not end the question")
	}
	press(p.grid, fyne.KeyDelete)
	yes, _ := dialogButtons(t, win)
	test.Tap(yes)
	r.want(t, Forget{"id0"})
}

func TestLibraryRename(t *testing.T) {
	p, r, win, _ := newTestLibrary(t, 900, 600, someChannels(2))
	p.focusGrid()
	press(p.grid, fyne.KeyF2)
	entry, ok := win.Canvas().Focused().(*field)
	if !ok || entry.Text != "Channel 0" {
		t.Fatalf("the name is not being asked for: %v", win.Canvas().Focused())
	}
	entry.SetText("   ")
	entry.OnSubmitted(entry.Text) // a channel has a name
	r.want(t)
	entry.SetText(" My channel ")
	entry.OnSubmitted(entry.Text)
	r.want(t, Rename{"id0", "My channel"})
	if win.Canvas().Overlays().Top() != nil {
		t.Error("the question is still there")
	}
}

// dialogButtons returns the yes and no of the question on top.
func dialogButtons(t *testing.T, win fyne.Window) (yes, no *keyButton) {
	t.Helper()
	top := win.Canvas().Overlays().Top()
	if top == nil {
		t.Fatal("no question is shown")
	}
	for _, b := range findAll[*keyButton](top) {
		if b.Importance == widget.HighImportance || b.Importance == widget.DangerImportance {
			yes = b
		} else {
			no = b
		}
	}
	return yes, no
}

// findAll returns all objects of a type in a tree.
func findAll[T fyne.CanvasObject](o fyne.CanvasObject) (found []T) {
	if x, ok := o.(T); ok {
		found = append(found, x)
	}
	switch x := o.(type) {
	case *fyne.Container:
		for _, c := range x.Objects {
			found = append(found, findAll[T](c)...)
		}
	case fyne.Widget:
		for _, c := range test.WidgetRenderer(x).Objects() {
			found = append(found, findAll[T](c)...)
		}
	}
	return found
}

func TestLibraryCards(t *testing.T) {
	channels := someChannels(3)
	channels[1].Favorite = true
	p, r, _, _ := newTestLibrary(t, 900, 600, channels)
	c := p.grid.cards["id1"]
	test.TapAt(c, fyne.NewPos(30, 30))
	r.want(t, Play{"id1"})
	test.TapAt(c, fyne.NewPos(c.Size().Width-8, 8))
	r.want(t, SetFavorite{"id1", false})
	if p.grid.cursor != "id1" {
		t.Errorf("the keyboard is at %q", p.grid.cursor)
	}
}

func TestLibraryMenu(t *testing.T) {
	p, r, win, m := newTestLibrary(t, 900, 600, someChannels(2))
	open := func() map[string]*fyne.MenuItem {
		t.Helper()
		c := p.grid.cards["id1"]
		c.TappedSecondary(&fyne.PointEvent{Position: fyne.NewPos(20, 20), AbsolutePosition: fyne.NewPos(200, 200)})
		if win.Canvas().Overlays().Top() == nil {
			t.Fatal("no menu")
		}
		items := map[string]*fyne.MenuItem{}
		for _, i := range p.menuItems(p.grid.channels[1]) {
			items[i.Label] = i
		}
		win.Canvas().Overlays().Remove(win.Canvas().Overlays().Top())
		return items
	}
	items := open()
	items["Play"].Action()
	items["Add to favourites"].Action()
	items["Share the channel…"].Action()
	own := items["Sharing for this channel"].ChildMenu.Items
	if !own[0].Checked || own[1].Checked || own[2].Checked {
		t.Error("not 'as for all channels' is checked")
	}
	own[1].Action()
	own[2].Action()
	own[0].Action()
	r.want(t, Play{"id1"}, SetFavorite{"id1", true}, ShareChannel{"id1"}, SetChannelConsent{"id1", settings.Share},
		SetChannelConsent{"id1", settings.WatchOnly}, SetChannelConsent{"id1", settings.Unasked})

	m.Channels = someChannels(2)
	m.Channels[1].Plain, m.Channels[1].Favorite = true, true
	p.Show(m)
	items = open()
	if items["Sharing for this channel"] != nil {
		t.Error("sharing is offered for a plain playlist")
	}
	items["Remove from favourites"].Action()
	r.want(t, SetFavorite{"id1", false})

	p.focusGrid()
	press(p.grid, desktop.KeyMenu)
	if win.Canvas().Overlays().Top() == nil {
		t.Error("the menu key opens nothing")
	}
}

func TestLibraryWidths(t *testing.T) {
	for _, w := range []float32{360, 480, 640, 800, 1280, 1920, 2400} {
		p, _, _, _ := newTestLibrary(t, w, 700, someChannels(60))
		columns, width := p.grid.shape()
		if columns < 2 || width < cardLeast || width > 1.3*cardMost {
			t.Errorf("%v wide: %d cards of %v in a row", w, columns, width)
		}
		for _, o := range p.root.Objects {
			if o.Visible() && (o.Position().X < 0 || o.Position().X+o.Size().Width > w+0.5) {
				t.Errorf("%v wide: %T reaches from %v to %v", w, o, o.Position().X, o.Position().X+o.Size().Width)
			}
		}
	}
}

func TestLibraryOfFiveThousand(t *testing.T) {
	p, r, _, m := newTestLibrary(t, 1280, 720, someChannels(5000))
	if n := len(p.grid.field.Objects); n > 40 {
		t.Errorf("%d cards for one screen", n)
	}
	p.focusGrid()
	press(p.grid, fyne.KeyEnd)
	if p.grid.cards["id4999"] == nil || p.grid.cards["id0"] != nil {
		t.Error("the last channel is not in sight, or the first still is")
	}
	for range 30 {
		press(p.grid, fyne.KeyPageUp)
	}
	if n := len(p.grid.spare) + len(p.grid.cards); n > 80 {
		t.Errorf("%d cards after scrolling", n)
	}
	if n := len(p.grid.posters.drawn); n > maxPosters {
		t.Errorf("%d placeholders are kept", n)
	}
	r.want(t)
	start := time.Now()
	for range 10 {
		p.Show(m)
	}
	if d := time.Since(start) / 10; d > 5*time.Millisecond {
		t.Errorf("showing the same 5,000 again takes %v", d)
	}
}

func TestCardWords(t *testing.T) {
	test.NewTempApp(t)
	c := newCard(newChannelGrid(channelActions{}))
	for _, x := range []struct {
		ch    Channel
		badge string
		line  string
	}{
		{Channel{State: Live, Peers: 1}, "Live", "1 viewer"},
		{Channel{State: Live, Peers: 12, Group: "News"}, "Live", "12 viewers · News"},
		{Channel{State: Recording, LastSeen: time.Now().Add(-5 * time.Minute)}, "Recording", "5 minutes ago"},
		{Channel{State: OffAir, Plain: true}, "Off air", "not shared"},
		{Channel{Playing: true, Consent: settings.WatchOnly}, "Playing", "watch only"},
		{Channel{Consent: settings.Share}, "", "always shared"},
	} {
		c.set(x.ch, false)
		if badge, _ := c.badge(); badge != x.badge || c.line() != x.line {
			t.Errorf("%+v: %q, %q; want %q, %q", x.ch, badge, c.line(), x.badge, x.line)
		}
	}
}

func TestPosters(t *testing.T) {
	var p posters
	a := p.get("one")
	if p.get("one") != a {
		t.Error("a placeholder is drawn twice")
	}
	b := p.get("two")
	if string(a.Pix) == string(b.Pix) {
		t.Error("two names look the same")
	}
	if string(drawPoster("one").Pix) != string(a.Pix) {
		t.Error("a name does not always look the same")
	}
	for name, want := range map[string]string{"Coral demo": "CD", "arte": "A", "": "", "  ": "", "3sat": "3", "日本放送": "", "Über uns allen": "ÜU", "-x-": "X"} {
		if got := initials(name); got != want {
			t.Errorf("initials(%q) = %q, want %q", name, got, want)
		}
	}
	if !wide(image.NewRGBA(image.Rect(0, 0, 16, 9))) || wide(image.NewRGBA(image.Rect(0, 0, 9, 9))) || wide(&image.RGBA{}) {
		t.Error("wide")
	}
}

// A logo that is not there is asked for once, when its channel is in sight.
func TestLibraryWantsLogos(t *testing.T) {
	all := someChannels(100)
	all[1].Logo, all[2].Logo, all[99].Logo = true, true, true
	all[2].Poster = image.NewRGBA(image.Rect(0, 0, 9, 9))
	p, r, _, _ := newTestLibrary(t, 600, 400, all)
	r.want(t, WantLogo{"id1"})
	all = slices.Clone(all)
	all[0].Name = "another"
	p.Show(&Model{Channels: all})
	r.want(t)
}
