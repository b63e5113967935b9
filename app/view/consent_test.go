package view

import (
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"

	"coral/app/settings"
	"coral/node/budget"
)

// over shows an overlay over a page with something that could have the keyboard.
func over(t *testing.T, build func(func(Intent)) overlay, w, h float32) (overlay, *intents, fyne.Window) {
	t.Helper()
	test.NewTempApp(t)
	r := &intents{}
	o := build(r.emit)
	below := widget.NewEntry()
	win := window(t, container.NewStack(below, o.Object()), w, h)
	win.Canvas().Focus(below)
	o.Show(&Model{Settings: someSettings()})
	if o.Showing() || win.Canvas().Overlays().Top() != nil {
		t.Fatal("it shows itself without being asked")
	}
	return o, r, win
}

func TestConsent(t *testing.T) {
	o, r, win := over(t, newConsent, 1000, 700)
	c := o.(*consent)
	m := &Model{Settings: someSettings(), Consent: &ConsentQuestion{Channel: "Deep sea"}}
	for range 3 { // models keep coming
		o.Show(m)
	}
	if !o.Showing() || len(win.Canvas().Overlays().List()) != 1 {
		t.Fatal("it is not shown, or more than once")
	}
	if !strings.Contains(c.why.text(), "Deep sea") {
		t.Errorf("it does not name the channel: %q", c.why.text())
	}

	// Neither answer is favoured: same look, same size, same height on screen,
	// and no key answers before one of them was chosen.
	if c.share.Importance != c.watch.Importance || c.share.Size() != c.watch.Size() {
		t.Errorf("the answers differ: %v %v, %v %v", c.share.Importance, c.share.Size(), c.watch.Importance, c.watch.Size())
	}
	d := fyne.CurrentApp().Driver()
	if a, b := d.AbsolutePositionForObject(c.share), d.AbsolutePositionForObject(c.watch); a.Y != b.Y || a.X+c.share.Size().Width > b.X {
		t.Errorf("the answers lie at %v and %v", a, b)
	}
	if f := win.Canvas().Focused(); f != c.first {
		t.Fatalf("%T has the keyboard", f)
	}
	press(win.Canvas().Focused(), fyne.KeyReturn, fyne.KeyEnter, fyne.KeySpace, fyne.KeyEscape)
	win.Canvas().Focused().TypedRune('y')
	r.want(t)

	press(win.Canvas().Focused(), fyne.KeyRight)
	if win.Canvas().Focused() != fyne.Focusable(c.watch) {
		t.Fatal("→ does not lead to Watch only")
	}
	press(c.watch, fyne.KeyReturn)
	r.want(t, AnswerConsent{settings.WatchOnly, 2_000_000})
	press(c.watch, fyne.KeyLeft)
	if win.Canvas().Focused() != fyne.Focusable(c.share) {
		t.Fatal("← does not lead to Watch and share")
	}
	write(c.cap.entry, "5")
	press(c.share, fyne.KeySpace)
	r.want(t, AnswerConsent{settings.Share, 5_000_000})

	// A cap that cannot be read is asked for again, but is no matter for who
	// only watches.
	write(c.cap.entry, "lots")
	test.Tap(c.share)
	r.want(t)
	if win.Canvas().Focused() != fyne.Focusable(c.cap.entry) {
		t.Error("the wrong cap does not get the keyboard")
	}
	test.Tap(c.watch)
	r.want(t, AnswerConsent{settings.WatchOnly, 5_000_000})

	m.Consent = nil
	o.Show(m)
	if o.Showing() || win.Canvas().Overlays().Top() != nil {
		t.Error("it stays after the answer")
	}
	m.Consent, m.Settings.Upload = &ConsentQuestion{}, budget.Unlimited
	o.Show(m)
	if c.cap.entry.Text != "unlimited" || c.cap.wrong.Visible() {
		t.Errorf("asked again it shows the cap %q", c.cap.entry.Text)
	}
}

func TestConsentFits(t *testing.T) {
	for _, w := range []float32{360, 640, 1920} {
		o, _, win := over(t, newConsent, w, 700)
		c := o.(*consent)
		o.Show(&Model{Settings: someSettings(), Consent: &ConsentQuestion{}})
		if c.content.Size() != win.Canvas().Size() {
			t.Errorf("%v wide: it covers %v of %v", w, c.content.Size(), win.Canvas().Size())
		}
		x := fyne.CurrentApp().Driver().AbsolutePositionForObject(c.watch).X
		if x < 0 || x+c.watch.Size().Width > w || c.share.Size() != c.watch.Size() {
			t.Errorf("%v wide: Watch only reaches from %v to %v; %v against %v", w, x, x+c.watch.Size().Width, c.share.Size(), c.watch.Size())
		}
	}
}

// An overlay that vanished with another below it comes back.
func TestLayerComesBack(t *testing.T) {
	o, _, win := over(t, newConsent, 800, 600)
	m := &Model{Settings: someSettings(), Consent: &ConsentQuestion{}}
	other := widget.NewLabel("below")
	win.Canvas().Overlays().Add(other)
	o.Show(m)
	win.Canvas().Overlays().Remove(other)
	if win.Canvas().Overlays().Top() != nil {
		t.Skip("Fyne no longer removes what lies above")
	}
	o.Show(m)
	if win.Canvas().Overlays().Top() == nil {
		t.Error("the question of consent was lost")
	}
}

func TestShareSheet(t *testing.T) {
	o, r, win := over(t, newShareSheet, 800, 600)
	s := o.(*shareSheet)
	m := &Model{Share: &ShareSheet{Channel: "Deep sea", Link: "coral:?xt=1"}}
	o.Show(m)
	if !o.Showing() || s.title.text() != "Deep sea" || s.link.Text != "coral:?xt=1" || s.qrArea.Visible() {
		t.Errorf("it shows %q, %q, a QR code: %v", s.title.text(), s.link.Text, s.qrArea.Visible())
	}
	if win.Canvas().Focused() != fyne.Focusable(s.copy) {
		t.Error("Copy does not have the keyboard")
	}
	press(s.copy, fyne.KeyEnter)
	r.want(t, CopyText{"coral:?xt=1"})
	o.Show(m)
	if s.copy.Text != "Copied" {
		t.Errorf("after copying the button says %q", s.copy.Text)
	}
	press(s.copy, fyne.KeyEscape)
	r.want(t, CloseShare{})
	test.TapCanvas(win.Canvas(), fyne.NewPos(5, 5)) // beside the card
	r.want(t, CloseShare{})
	on := fyne.CurrentApp().Driver().AbsolutePositionForObject(s.title)
	test.TapCanvas(win.Canvas(), on.AddXY(20, 10))
	r.want(t)

	m.Share = &ShareSheet{Channel: "Other", Link: "coral:?xt=2", QR: drawPoster("x")}
	o.Show(m)
	if s.copy.Text != "Copy the link" || !s.qrArea.Visible() {
		t.Errorf("another link's sheet says %q, a QR code: %v", s.copy.Text, s.qrArea.Visible())
	}
	m.Share = nil
	o.Show(m)
	if o.Showing() || win.Canvas().Overlays().Top() != nil {
		t.Error("it stays")
	}
}

func TestCloseQuestion(t *testing.T) {
	o, r, win := over(t, newCloseQuestion, 800, 600)
	q := o.(*closeQuestion)
	m := &Model{Settings: someSettings(), Closing: true, System: System{Tray: true}}
	m.Settings.Background = settings.BackgroundTime
	o.Show(m)
	if text := q.terms.text(); !strings.Contains(text, "2 Mbit/s") || !strings.Contains(text, "2 hours") {
		t.Errorf("it says %q", text)
	}
	buttons := map[string]*keyButton{}
	for _, b := range findAll[*keyButton](q.content) {
		buttons[b.Text] = b
	}
	press(win.Canvas().Focused(), fyne.KeyReturn)
	r.want(t)
	test.Tap(buttons["Keep sharing in the tray"])
	r.want(t, CloseWindow{settings.CloseTray, false})
	test.Tap(q.remember)
	press(buttons["Quit Coral"], fyne.KeyEnter)
	r.want(t, CloseWindow{settings.CloseQuit, true})
	test.Tap(buttons["Cancel"])
	press(q.first, fyne.KeyEscape)
	press(buttons["Quit Coral"], fyne.KeyEscape)
	r.want(t, KeepOpen{}, KeepOpen{}, KeepOpen{})

	m.Closing = false
	o.Show(m)
	m.Closing, m.System.Tray = true, false
	o.Show(m)
	if q.tray.Visible() || q.remember.Checked {
		t.Error("without a tray it still offers it, or remembers an old tick")
	}
}

func TestCloseTerms(t *testing.T) {
	m := &Model{Settings: someSettings(), System: System{Tray: true}}
	for b, want := range map[settings.Background]string{
		settings.BackgroundOff: "shares nothing", settings.BackgroundRatio: "1 times as much", settings.BackgroundAlways: "when you quit",
	} {
		m.Settings.Background = b
		if got := closeTerms(m); !strings.Contains(got, want) {
			t.Errorf("%s: %q", b, got)
		}
	}
}

func TestAbout(t *testing.T) {
	p := newAboutPage(nil).(*aboutPage)
	window(t, p.Object(), 500, 400)
	p.Show(&Model{System: System{Version: "1.2.3", Licences: "Licence\n\n" + strings.Repeat("word ", 60)}})
	if p.version.text() != "Version 1.2.3" || p.engine.Visible() {
		t.Errorf("version %q, engine shown: %v", p.version.text(), p.engine.Visible())
	}
	if len(p.lines) < 5 || p.lines[0] != "Licence" || p.lines[1] != "" {
		t.Errorf("%d lines: %q", len(p.lines), p.lines)
	}
	before := len(p.lines)
	p.Object().Resize(fyne.NewSize(340, 400))
	if len(p.lines) <= before {
		t.Error("a narrower page does not wrap more")
	}
}

func TestWrapLines(t *testing.T) {
	for _, c := range []struct {
		in   string
		want string
	}{
		{"", ""},
		{"a b", "a b"},
		{"aaaa bbbb cccc", "aaaa bbbb|cccc"},
		{"aaaaaaaaaaaaa", "aaaaaaaaaa|aaa"},
		{"a\r\n\tb ", "a|    b"},
		{"one\n\ntwo", "one||two"},
		{"ääääää öööööö", "ääääää|öööööö"},
	} {
		if got := strings.Join(wrapLines(c.in, 10), "|"); got != c.want {
			t.Errorf("wrapLines(%q) = %q, want %q", c.in, got, c.want)
		}
	}
}
