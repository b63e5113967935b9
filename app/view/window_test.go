package view

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/storage"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"

	"coral/app/settings"
	"coral/assets"
	"coral/player"
)

// screen is a video that is grey, and notes its shade and whom to tell of a picture.
type screen struct {
	widget.BaseWidget
	head, foot float32
	picture    func()
}

func (s *screen) Shade(head, foot float32) { s.head, s.foot = head, foot }
func (s *screen) OnPicture(f func())       { s.picture = f }

func (s *screen) CreateRenderer() fyne.WidgetRenderer {
	return widget.NewSimpleRenderer(canvas.NewRectangle(color.Gray{0x60}))
}

// testWindow is a window of a size, with a grey picture.
func testWindow(t *testing.T, width, height float32) (*Window, *intents) {
	t.Helper()
	a := test.NewTempApp(t)
	r := &intents{}
	video := &screen{}
	video.ExtendBaseWidget(video)
	w := New(a, video, r.emit)
	w.win.Resize(fyne.NewSize(width, height))
	t.Cleanup(func() {
		w.Close()
		w.win.Close()
	})
	return w, r
}

// spoken makes package lang speak a language until the test's end.
func spoken(t *testing.T, language string) {
	t.Helper()
	speak := func() {
		if err := lang.AddTranslationsFS(assets.Translations(), "translations"); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(speak) // after the environment was put back
	t.Setenv("LANGUAGE", language)
	t.Setenv("LC_ALL", language+".UTF-8")
	speak()
}

// A window in another language is the same window: where one was, with what plays.
func TestTranslate(t *testing.T) {
	w, _ := testWindow(t, 1000, 700)
	video := w.watch.video
	m := &Model{Page: PageSettings, Settings: someSettings(), Details: &Details{}}
	w.show(m, time.Now())
	w.pages[PageSettings].(*settingsPage).choose(3)
	spoken(t, "de")
	w.Translate()
	if got := w.header.tabs[1].text; got != "Einstellungen" {
		t.Errorf("a tab says %q", got)
	}
	if got := w.pages[PageSettings].(*settingsPage).chosen; got != 3 || !w.pages[PageSettings].Object().Visible() {
		t.Errorf("leaf %d of the settings", got)
	}
	if !w.details.open || w.details.win.Title() != "Woher das Bild kommt" {
		t.Errorf("the details are gone, or %q", w.details.win.Title())
	}
	if w.win.Content() != w.root || w.watch.video != video {
		t.Error("the window shows what it showed")
	}
}

// same says whether two pictures do not differ.
func same(a, b image.Image) bool {
	x, y := a.(*image.NRGBA), b.(*image.NRGBA)
	return x.Rect == y.Rect && bytes.Equal(x.Pix, y.Pix)
}

func live() player.State {
	return player.State{
		Phase: player.Playing, Live: true, Position: 1790 * time.Second, SeekStart: 400 * time.Second, SeekEnd: 1794 * time.Second,
		Behind: 6 * time.Second, Buffered: 4 * time.Second, Speed: 1, Volume: 70,
	}
}

func recording() player.State {
	return player.State{Phase: player.Playing, Position: 600 * time.Second, Duration: 1000 * time.Second, Speed: 1, Volume: 70}
}

func watchModel(p player.State) *Model {
	s := someSettings()
	s.Window = settings.Window{} // as the test made it
	return &Model{
		Page: PageWatch, Settings: s, Channels: someChannels(3),
		Watching: &Watching{Channel: Channel{ID: "id1", Name: "Channel 1"}, Player: p, WebURL: "http://127.0.0.1/", StreamURL: "http://127.0.0.1/"},
		Sharing:  Sharing{State: SharingOn, Rate: 800_000, Cap: 2_000_000},
	}
}

func TestWindowShowsOnePage(t *testing.T) {
	w, _ := testWindow(t, 1000, 700)
	for _, o := range w.root.Objects {
		if _, ok := o.(*header); ok && o.Visible() {
			t.Error("the header is seen before the first model")
		}
	}
	for _, p := range []Page{PageLibrary, PageWatch, PageSettings, PageAbout, PageLibrary} {
		m := watchModel(live())
		m.Page = p
		w.show(m, time.Now())
		for q, screen := range w.pages {
			if screen.Object().Visible() != (p == q) {
				t.Errorf("page %d: page %d visible: %v", p, q, p != q)
			}
		}
		if w.header.Visible() == (p == PageWatch) {
			t.Errorf("page %d: header visible: %v", p, w.header.Visible())
		}
	}
	m := watchModel(live())
	m.Watching = nil
	w.show(m, time.Now())
	if w.current() != PageLibrary {
		t.Error("the picture's page is shown without a channel")
	}
}

func TestWindowDrawsTheNewest(t *testing.T) {
	w, _ := testWindow(t, 1000, 700)
	for i := range 50 {
		m := *watchModel(live())
		m.Query = string(rune('a' + i%26))
		w.Show(m)
	}
	deadline := time.After(5 * time.Second)
	for {
		w.mu.Lock()
		done, at := w.newest == nil, w.drawn
		w.mu.Unlock()
		if done && !at.IsZero() {
			break
		}
		select {
		case <-deadline:
			t.Fatal("nothing was drawn")
		case <-time.After(5 * time.Millisecond):
		}
	}
	w.Close()
	w.Show(*watchModel(live()))
	time.Sleep(2 * redraw) // what must not happen would happen within
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.newest == nil {
		t.Error("drawn after Close")
	}
	if w.Image() != nil {
		t.Error("a closed window has a picture")
	}
}

// A model waits for the film's next picture, not for longer than that takes.
func TestWindowDrawsWithThePicture(t *testing.T) {
	w, _ := testWindow(t, 1000, 700)
	film := w.watch.video.(*screen)
	drawn := func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.newest == nil
	}
	pictureAfter := func(since time.Duration) {
		w.Show(*watchModel(live()))
		w.mu.Lock()
		w.drawn = time.Now().Add(-since)
		w.mu.Unlock()
		fyne.DoAndWait(film.picture)
	}
	fyne.DoAndWait(film.picture)
	if pictureAfter(redraw); !drawn() {
		t.Error("a picture came, and the model was not drawn with it")
	}
	pictureAfter(0)
	if drawn() {
		t.Error("drawn again at once")
	}
	for deadline := time.Now().Add(5 * time.Second); !drawn(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("no picture came, and the model was not drawn")
		}
	}
}

func TestControlsHide(t *testing.T) {
	w, _ := testWindow(t, 1000, 700)
	m := watchModel(live())
	start := time.Now()
	w.show(m, start)
	if !w.watch.controls.root.Visible() {
		t.Fatal("a new channel does not say its name")
	}
	w.show(m, w.watch.stirred.Add(controlsStay/2))
	if !w.watch.controls.root.Visible() {
		t.Error("the controls left too early")
	}
	w.show(m, w.watch.stirred.Add(controlsStay+time.Millisecond))
	if w.watch.controls.root.Visible() {
		t.Error("the controls stay")
	}
	shade := w.watch.video.(*screen)
	if shade.head != 0 || shade.foot != 0 {
		t.Error("the picture stays dark")
	}
	without := w.win.Canvas().Capture()
	test.MoveMouse(w.win.Canvas(), fyne.NewPos(500, 300))
	if !w.watch.controls.root.Visible() {
		t.Error("the pointer moved and nothing came")
	}
	if same(without, w.win.Canvas().Capture()) {
		t.Error("the controls cannot be seen")
	}
	if shade.head == 0 || shade.foot <= controlsFoot {
		t.Errorf("the picture is darkened for %v and %v", shade.head, shade.foot)
	}
	// In full screen the line under the picture comes and goes with them.
	m = watchModel(live())
	m.Watching.FullScreen = true
	w.show(m, w.watch.stirred)
	if !w.win.FullScreen() || !w.watch.bar.Visible() {
		t.Error("full screen: no line with the controls")
	}
	w.show(m, w.watch.stirred.Add(time.Minute))
	if w.watch.bar.Visible() {
		t.Error("full screen: the line stays")
	}
	if h := w.watch.video.Size().Height; h < w.win.Canvas().Size().Height {
		t.Errorf("full screen: the picture is %v high", h)
	}
}

func TestControlsSay(t *testing.T) {
	w, r := testWindow(t, 1000, 700)
	m := watchModel(live())
	w.show(m, time.Now())
	c := w.watch.controls
	test.Tap(c.play)
	r.want(t, SetPaused{true})
	test.Tap(c.mute)
	r.want(t, SetMute{true})
	test.Tap(c.full)
	r.want(t, SetFullScreen{true})
	test.Tap(c.small)
	r.want(t, SetMiniPlayer{true})
	test.Tap(c.next)
	r.want(t, Zap{1})
	test.Tap(c.back)
	r.want(t, GoTo{PageLibrary})
	test.Tap(c.star)
	r.want(t, SetFavorite{"id1", true})
	test.Tap(c.link)
	r.want(t, ShareChannel{"id1"})
	test.Tap(w.watch.bar.sharing.control)
	r.want(t, PauseSharing{true})
	test.Tap(w.watch.bar.details)
	r.want(t, ShowDetails{true})
	if c.live.text != "Live" || c.time.Visible() {
		t.Errorf("at the edge: %q, %q", c.live.text, c.time.Text)
	}
	m = watchModel(live())
	m.Watching.Player.Behind = 95 * time.Second
	m.Sharing = Sharing{State: SharingPaused, Paused: true}
	w.show(m, time.Now())
	if c.live.text != "Go live" || c.time.Text != "1:35 behind" {
		t.Errorf("behind: %q, %q", c.live.text, c.time.Text)
	}
	test.Tap(c.live)
	r.want(t, GoLive{})
	test.Tap(w.watch.bar.sharing.control)
	r.want(t, PauseSharing{false})
	w.show(watchModel(recording()), time.Now())
	if c.live.Visible() || c.time.Text != "10:00 / 16:40" {
		t.Errorf("a recording: %v, %q", c.live.Visible(), c.time.Text)
	}
}

func TestSeekBar(t *testing.T) {
	w, r := testWindow(t, 1000, 700)
	w.show(watchModel(recording()), time.Now())
	bar := w.watch.controls.seek
	test.TapAt(bar, fyne.NewPos(bar.Size().Width/4, 10))
	r.want(t, Seek{250 * time.Second})
	bar.Dragged(&fyne.DragEvent{PointEvent: fyne.PointEvent{Position: fyne.NewPos(bar.Size().Width/2, 10)}})
	bar.Dragged(&fyne.DragEvent{PointEvent: fyne.PointEvent{Position: fyne.NewPos(bar.Size().Width*2, 10)}})
	r.want(t) // nothing before the end
	bar.DragEnd()
	r.want(t, Seek{1000 * time.Second})

	// Live: only what can be reached, and times before now.
	w.show(watchModel(live()), time.Now())
	s := bar.span
	if s.to != 1796*time.Second || s.from != 400*time.Second {
		t.Errorf("live spans %v to %v", s.from, s.to)
	}
	if got := s.when(1); got != 1794*time.Second {
		t.Errorf("the end is %v", got)
	}
	if got := s.label(s.to - 83*time.Second); got != "−1:23" {
		t.Errorf("83 s before now is %q", got)
	}
	none := live()
	none.SeekStart, none.SeekEnd = 0, 0
	w.show(watchModel(none), time.Now())
	test.TapAt(bar, fyne.NewPos(100, 10))
	r.want(t)
}

func TestVolumeBar(t *testing.T) {
	w, r := testWindow(t, 1000, 700)
	w.show(watchModel(live()), time.Now())
	v := w.watch.controls.volume
	test.TapAt(v, fyne.NewPos(v.Size().Width/2, 10))
	r.want(t, SetVolume{50})
	for x := range 20 { // dragged quickly: it does not say each
		v.Dragged(&fyne.DragEvent{PointEvent: fyne.PointEvent{Position: fyne.NewPos(float32(x), 10)}})
	}
	v.DragEnd()
	if n := len(r.all); n > 5 {
		t.Errorf("%d commands for one drag", n)
	}
	if last := r.all[len(r.all)-1]; last != (SetVolume{v.percent}) {
		t.Errorf("the last command is %v, the bar shows %d", last, v.percent)
	}
	w.show(watchModel(live()), time.Now())
	if v.percent == 70 {
		t.Error("the bar jumps back before the player has followed")
	}
}

func TestWatchStates(t *testing.T) {
	w, r := testWindow(t, 1000, 700)
	state := func(change func(*Model)) statement {
		m := watchModel(player.State{Phase: player.Loading, Live: true})
		change(m)
		w.show(m, time.Now())
		return w.watch.state.said
	}
	if s := state(func(m *Model) { m.Watching.Opening = "Asking the origin…" }); s.text != "Asking the origin…" || !s.moving {
		t.Errorf("loading: %+v", s)
	}
	if s := state(func(m *Model) { m.Watching.Player = live() }); s != (statement{}) || w.watch.state.root.Visible() {
		t.Errorf("playing: %+v", s)
	}
	stalled := watchModel(player.State{Phase: player.Buffering, Live: true})
	now := time.Now()
	w.watch.state.show(stalled, now)
	if w.watch.state.root.Visible() {
		t.Error("a short stall flickers")
	}
	w.watch.state.show(stalled, now.Add(time.Second))
	if !w.watch.state.said.moving {
		t.Error("a long stall is not explained")
	}
	if s := state(func(m *Model) { m.Watching.Player.Phase = player.Recovering }); !s.moving || s.retry {
		t.Errorf("recovering: %+v", s)
	}
	s := state(func(m *Model) {
		m.Watching.Player.Phase, m.Watching.Player.Err = player.Failed, errors.New("open stream: the origin answered 404")
	})
	if !s.retry || !s.browser || !s.external || !s.back || s.text == "" {
		t.Errorf("failed: %+v", s)
	}
	test.Tap(w.watch.state.retry)
	r.want(t, Retry{})
	s = state(func(m *Model) { m.Watching.Engine, m.System.InstallHint = EngineNone, "sudo apt install libmpv2" })
	if s.command != "sudo apt install libmpv2" || !s.browser || !s.external {
		t.Errorf("no libmpv: %+v", s)
	}
	test.Tap(w.watch.state.copyLine)
	test.Tap(w.watch.state.browser)
	test.Tap(w.watch.state.external)
	r.want(t, CopyText{"sudo apt install libmpv2"}, OpenBrowser{}, OpenExternal{})
	s = state(func(m *Model) { m.Watching.Player = player.State{Phase: player.Ended} })
	if !s.again {
		t.Errorf("ended: %+v", s)
	}
}

func TestCaptions(t *testing.T) {
	w, _ := testWindow(t, 1000, 700)
	m := watchModel(live())
	w.show(m, time.Now())
	plain := w.win.Canvas().Capture()
	m = watchModel(live())
	m.Watching.Caption = "The ferry leaves\nat nine."
	w.show(m, time.Now())
	if !w.watch.captions.Visible() || same(plain, w.win.Canvas().Capture()) {
		t.Fatal("no caption is seen")
	}
	up := w.watch.captions.bottom
	w.show(m, time.Now().Add(time.Minute))
	if down := w.watch.captions.bottom; down >= up {
		t.Errorf("captions stand %v high above the controls, %v without", up, down)
	}
	if lines := wrapWords("a long line that must be broken somewhere", 120, 16, fyne.TextStyle{}); len(lines) < 2 {
		t.Errorf("not wrapped: %q", lines)
	}
	if lines := wrapWords("no room at all", -1, 16, fyne.TextStyle{}); len(lines) == 0 {
		t.Error("where there is no room nothing is said")
	}
	for _, line := range wrapWords("at https://example.org/a/very/long/address/without/spaces", 120, 16, fyne.TextStyle{}) {
		if fyne.MeasureText(line, 16, fyne.TextStyle{}).Width > 120 {
			t.Errorf("too wide: %q", line)
		}
	}
}

func TestMiniPlayer(t *testing.T) {
	w, _ := testWindow(t, 1000, 700)
	w.show(watchModel(live()), time.Now())
	m := watchModel(live())
	m.Watching.MiniPlayer = true
	w.show(m, time.Now())
	if s := w.win.Canvas().Size(); s.Width != miniWidth {
		t.Errorf("mini: %v", s)
	}
	if w.watch.bar.Visible() || w.watch.controls.full.Visible() {
		t.Error("mini: too much is shown")
	}
	if g := w.Geometry(); g.Width != 1000 || g.Height != 700 {
		t.Errorf("mini: the window's own size is forgotten: %+v", g)
	}
	w.win.Resize(fyne.NewSize(500, 300))
	w.show(watchModel(live()), time.Now())
	if s := w.win.Canvas().Size(); s.Width != 1000 || s.Height != 700 {
		t.Errorf("back: %v", s)
	}
	w.show(m, time.Now())
	if s := w.win.Canvas().Size(); s.Width != 500 {
		t.Errorf("mini again: %v", s)
	}
}

func TestWindowRemembers(t *testing.T) {
	w, _ := testWindow(t, 1000, 700)
	m := watchModel(live())
	m.Settings.Window = settings.Window{Width: 800, Height: 600}
	w.show(m, time.Now())
	if s := w.win.Canvas().Size(); s.Width != 800 || s.Height != 600 {
		t.Errorf("size %v", s)
	}
}

func TestDropAndClose(t *testing.T) {
	_, r := testWindow(t, 1000, 700)
	playlist, err := storage.ParseURI("https://example.org/x.m3u8")
	if err != nil {
		t.Fatal(err)
	}
	openDropped([]fyne.URI{storage.NewFileURI("/tmp/a.torrent"), playlist}, r.emit)
	r.want(t, Open{"/tmp/a.torrent"}, Open{"https://example.org/x.m3u8"})
}

func TestNotices(t *testing.T) {
	w, r := testWindow(t, 1000, 700)
	m := watchModel(live())
	w.show(m, time.Now())
	before := w.win.Canvas().Capture()
	m = watchModel(live())
	m.Notices = []Notice{
		{ID: 4, Kind: Problem, Text: "The origin does not answer.", Hint: "Others carry on.", Action: "Try again", Intent: Retry{}},
		{ID: 3, Text: "b"},
		{ID: 2, Text: "c"},
		{ID: 1, Text: "d"},
	}
	w.show(m, time.Now())
	if same(before, w.win.Canvas().Capture()) {
		t.Fatal("no notice is seen")
	}
	cards := findAll[*noticeCard](w.notices.root)
	if len(cards) != noticeMost || w.notices.more.text() != "1 more notice" {
		t.Fatalf("%d cards, %q", len(cards), w.notices.more.text())
	}
	buttons := findAll[*control](cards[0].content)
	for _, b := range buttons {
		test.Tap(b)
	}
	if len(r.all) != 3 || r.all[0] != Intent(Retry{}) && r.all[1] != Intent(Retry{}) {
		t.Errorf("the card said\n%s", list(r.all))
	}
	m = watchModel(live())
	w.show(m, time.Now())
	if w.notices.root.Visible() {
		t.Error("notices stay")
	}
}

// Fyne may come back from full screen with a window of the screen's size.
func TestSizeAfterFullScreen(t *testing.T) {
	w, _ := testWindow(t, 1000, 700)
	at := time.Now()
	m := watchModel(live())
	w.show(m, at)
	full := *m
	watching := *m.Watching
	watching.FullScreen = true
	full.Watching = &watching
	w.show(&full, at)
	w.win.Resize(fyne.NewSize(1920, 1080))
	w.show(&full, at.Add(time.Second))
	w.show(m, at.Add(2*time.Second))
	for i := range 5 {
		w.show(m, at.Add(2*time.Second+time.Duration(i)*settling))
	}
	if s := w.win.Canvas().Size(); s != fyne.NewSize(1000, 700) {
		t.Errorf("after full screen the window is %v", s)
	}
	w.win.Resize(fyne.NewSize(1200, 800))
	w.show(m, at.Add(time.Minute))
	if s, g := w.win.Canvas().Size(), w.Geometry(); s.Width != 1200 || g.Width != 1200 || g.FullScreen {
		t.Errorf("the hand's size is %v, remembered %v", s, g)
	}
}

func TestNative(t *testing.T) {
	w, _ := testWindow(t, 1000, 700)
	nudged := 0
	w.Use(Native{
		KeepAbove:    func(uintptr, bool) error { t.Error("asked for a window that the system does not know"); return nil },
		NudgePointer: func() error { nudged++; return nil },
		ScreenSize:   func() (int, int, error) { return 800, 600, nil },
	})
	if s := w.win.Canvas().Size(); s.Width > 800 || s.Height > 600-screenEdge {
		t.Errorf("on a screen of 800x600 the window is %v", s)
	}
	m := watchModel(live())
	w.show(m, time.Now())
	w.show(m, time.Now().Add(time.Minute))
	if nudged != 0 {
		t.Error("the pointer is elsewhere and was nudged")
	}
	test.MoveMouse(w.win.Canvas(), fyne.NewPos(500, 300))
	w.show(m, time.Now().Add(time.Minute))
	if nudged != 1 || w.watch.stage.Cursor() != desktop.HiddenCursor {
		t.Errorf("the pointer over the picture is seen; nudged %d times", nudged)
	}
	test.MoveMouse(w.win.Canvas(), fyne.NewPos(501, 300)) // the nudge itself
	if w.watch.controls.root.Visible() {
		t.Error("the nudge brings the controls back")
	}
	test.MoveMouse(w.win.Canvas(), fyne.NewPos(520, 300))
	if !w.watch.controls.root.Visible() || w.watch.stage.Cursor() != desktop.DefaultCursor {
		t.Error("a hand's movement does not")
	}
	m.Watching.MiniPlayer = true
	w.show(m, time.Now())
}
