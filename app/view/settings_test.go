package view

import (
	"slices"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"

	"coral/app/settings"
	"coral/node/budget"
)

func newTestSettings(t *testing.T) (*settingsPage, *intents, fyne.Window, *Model) {
	t.Helper()
	test.NewTempApp(t)
	r := &intents{}
	win := test.NewTempWindow(t, nil)
	p := newSettingsPage(r.emit, win).(*settingsPage)
	win.SetContent(p.Object())
	win.Resize(fyne.NewSize(1100, 800))
	m := &Model{Settings: someSettings(), System: System{CanHandler: true}}
	p.Show(m)
	r.want(t)
	return p, r, win, m
}

// in returns the objects of a type in the section with a title.
func in[T fyne.CanvasObject](t *testing.T, p *settingsPage, title string) []T {
	t.Helper()
	for i, s := range p.sections {
		if s.title == title {
			p.choose(i)
			return findAll[T](s.root)
		}
	}
	t.Fatalf("no section %q", title)
	return nil
}

func write(f *field, text string) {
	f.FocusGained()
	f.SetText(text)
	f.FocusLost()
}

func TestSettingsSendTheWhole(t *testing.T) {
	p, r, _, m := newTestSettings(t)
	want := m.Settings
	step := func(what string, do func(), change func(*settings.Settings)) {
		t.Helper()
		do()
		change(&want)
		if got := r.change(t); got != want {
			t.Fatalf("%s:\n got %+v\nwant %+v", what, got, want)
		}
	}
	shared := in[*toggle](t, p, "Sharing")
	step("metered", func() { test.Tap(shared[0]) }, func(s *settings.Settings) { s.Metered = true })
	step("battery", func() { press(shared[1], fyne.KeySpace) }, func(s *settings.Settings) { s.Battery = true })
	caps := in[*field](t, p, "Sharing")
	step("upload", func() { write(caps[0], "3,5") }, func(s *settings.Settings) { s.Upload = 3_500_000 })
	step("download", func() { write(caps[1], "20") }, func(s *settings.Settings) { s.Down = 20_000_000 })
	step("no cap", func() { write(caps[1], "unlimited") }, func(s *settings.Settings) { s.Down = budget.Unlimited })
	step("month", func() { write(caps[2], "2.5 GB") }, func(s *settings.Settings) { s.Monthly = 2_500_000_000 })
	step("no limit", func() { write(caps[2], "no limit") }, func(s *settings.Settings) { s.Monthly = settings.NoLimit })
	answer := in[*segments](t, p, "Sharing")[0]
	step("consent", func() { press(answer, fyne.KeyRight) }, func(s *settings.Settings) { s.Consent = settings.WatchOnly })

	network := in[*toggle](t, p, "Network")
	step("port mapping", func() { test.Tap(network[0]) }, func(s *settings.Settings) { s.MapPort = false })
	step("DHT", func() { test.Tap(network[1]) }, func(s *settings.Settings) { s.DHT = false })
	fields := in[*field](t, p, "Network")
	step("port", func() { write(fields[0], "26725") }, func(s *settings.Settings) { s.Port = 26725 })
	step("any port", func() { write(fields[0], "") }, func(s *settings.Settings) { s.Port = 0 })
	step("blocklist", func() { write(fields[1], "/tmp/block list.txt") }, func(s *settings.Settings) { s.Blocklist = "/tmp/block list.txt" })

	step("hardware", func() { test.Tap(in[*toggle](t, p, "Playback")[0]) }, func(s *settings.Settings) { s.Hardware = false })
	store := in[*field](t, p, "Storage")
	step("cache", func() { write(store[0], "12") }, func(s *settings.Settings) { s.CacheSize = 12_000_000_000 })
	step("folder", func() { write(store[1], "/srv/coral") }, func(s *settings.Settings) { s.CacheDir = "/srv/coral" })
}

func TestSettingsChoices(t *testing.T) {
	p, r, _, m := newTestSettings(t)
	m.System.Interfaces = []Interface{{"eth0", "192.0.2.7"}, {"wg0", "10.8.0.2"}}
	p.Show(m)
	selects := func(title string) []*selection { return in[*selection](t, p, title) }
	selects("Sharing")[0].SetSelectedIndex(1)
	if got := r.change(t); got.Background != settings.BackgroundTime {
		t.Errorf("background %q", got.Background)
	}
	p.Show(m) // shows the row about the time, although the model is older
	times := selects("Sharing")
	times[1].SetSelectedIndex(0)
	if got := r.change(t); got.StopAfter != 15*time.Minute || got.Background != settings.BackgroundTime {
		t.Errorf("stop after %v, %q", got.StopAfter, got.Background)
	}
	selects("Network")[0].SetSelectedIndex(2)
	if got := r.change(t); got.Bind != "10.8.0.2" {
		t.Errorf("bind %q", got.Bind)
	}
	play := selects("Playback")
	play[0].SetSelectedIndex(4)
	if got := r.change(t); got.MaxHeight != 720 {
		t.Errorf("height %d", got.MaxHeight)
	}
	play[1].SetSelectedIndex(2)
	if got := r.change(t); got.Latency != 4*time.Second {
		t.Errorf("latency %v", got.Latency)
	}
	play[2].SetSelectedIndex(2)
	if got := r.change(t); got.Captions != "de" {
		t.Errorf("captions %q", got.Captions)
	}
	looks := selects("Appearance")
	looks[0].SetSelectedIndex(3)
	if got := r.change(t); got.Theme != settings.ThemeContrast {
		t.Errorf("theme %q", got.Theme)
	}
	looks[1].SetSelectedIndex(3)
	if got := r.change(t); got.Scale != 1.5 {
		t.Errorf("scale %v", got.Scale)
	}
	looks[2].SetSelectedIndex(2)
	if got := r.change(t); got.Language != "de" {
		t.Errorf("language %q", got.Language)
	}
}

func TestSettingsInvalidInput(t *testing.T) {
	p, r, _, _ := newTestSettings(t)
	caps := in[*field](t, p, "Sharing")
	for _, text := range []string{"", "-1", "fast", "1e99", "NaN", "10001", "1,2,3"} {
		write(caps[0], text)
		r.want(t)
		if !says(p, "Sharing", "Write a number from 0 to 10000") {
			t.Errorf("%q: nothing is said", text)
		}
	}
	caps[0].FocusGained()
	caps[0].SetText("4")
	if says(p, "Sharing", "Write a number from 0") {
		t.Error("the message stays although the input is right now")
	}
	press(caps[0], fyne.KeyEscape)
	if caps[0].Text != "2" {
		t.Errorf("Escape leaves %q", caps[0].Text)
	}
	caps[0].FocusLost()
	r.want(t)

	network := in[*field](t, p, "Network")
	for _, text := range []string{"0x10", "65536", "-2", "x"} {
		write(network[0], text)
		r.want(t)
		if !says(p, "Network", "Write a number from 1 to 65535") {
			t.Errorf("port %q: nothing is said", text)
		}
	}
	write(network[1], "relative.txt")
	write(in[*field](t, p, "Storage")[1], "relative")
	write(in[*field](t, p, "Storage")[0], "0")
	r.want(t)
	if !says(p, "Network", "whole path") || !says(p, "Storage", "whole path") || !says(p, "Storage", "from 0.1") {
		t.Error("nothing is said about a path or a size")
	}
}

func findSelects(t *testing.T, p *settingsPage, title string) []*selection {
	t.Helper()
	return in[*selection](t, p, title)
}

// says looks for visible words in a section.
func says(p *settingsPage, title, text string) bool {
	for _, s := range p.sections {
		if s.title == title {
			return slices.ContainsFunc(findAll[*note](s.root), func(n *note) bool { return n.Visible() && strings.Contains(n.text(), text) })
		}
	}
	return false
}

// A value that is not written in full, as two gibibytes in GB, stays as it is
// when its field is only visited.
func TestVisitingAFieldIsNoEdit(t *testing.T) {
	p, r, _, m := newTestSettings(t)
	m.Settings.CacheSize, m.Settings.Upload = 2<<30, 1_234_567
	p.Show(m)
	for _, title := range []string{"Sharing", "Week", "Network", "Storage"} {
		for _, f := range in[*field](t, p, title) {
			f.FocusGained()
			f.FocusLost()
			f.OnSubmitted(f.Text)
		}
	}
	r.want(t)
}

func TestSlidersCoalesce(t *testing.T) {
	p, r, _, m := newTestSettings(t)
	up := newAmount(rateKind(hourly), func(v int64) { p.edit(func(s *settings.Settings) { s.Upload = rate(v) }) })
	win := window(t, up.root, 500, 80)
	up.show(int64(m.Settings.Upload))
	s := up.slider
	for x := float32(20); x < s.Size().Width; x += 3 {
		s.Dragged(&fyne.DragEvent{PointEvent: fyne.PointEvent{Position: fyne.NewPos(x, 5)}})
		up.show(int64(m.Settings.Upload)) // models keep coming
	}
	r.want(t)
	if up.entry.Text != "unlimited" {
		t.Errorf("while dragging the field says %q", up.entry.Text)
	}
	s.DragEnd()
	if got := r.change(t); got.Upload != budget.Unlimited {
		t.Errorf("upload %v", got.Upload)
	}
	win.Canvas().Focus(s)
	press(s, fyne.KeyLeft)
	if got := r.change(t); got.Upload != 500_000_000 {
		t.Errorf("upload %v after a key", got.Upload)
	}
}

func TestAmounts(t *testing.T) {
	test.NewTempApp(t)
	k := rateKind(hourly)
	for text, want := range map[string]int64{"0": 0, " 2 ": 2_000_000, "2.5": 2_500_000, "2,5 Mbit/s": 2_500_000, "Unlimited": -1, "0.0005": 500, "10000": 10_000_000_000} {
		if got, err := k.parse(text); err != nil || got != want {
			t.Errorf("parse(%q) = %d, %v; want %d", text, got, err, want)
		}
	}
	for _, v := range k.stops {
		if got, err := k.parse(k.write(v)); err != nil || got != v || k.stops[k.stop(v)] != v {
			t.Errorf("stop %d is written %q and read %d, %v", v, k.write(v), got, err)
		}
	}
	if k.stops[k.stop(11_000_000)] != 10_000_000 {
		t.Error("the slider does not stand at the nearest stop")
	}
	none := sizeKind("", leastCache, []int64{giga}, nil)
	if _, err := none.parse("unlimited"); err == nil {
		t.Error("a cache without limit is taken")
	}
}

func FuzzAmount(f *testing.F) {
	f.Add("2,5 Mbit/s")
	f.Add("unlimited")
	k := rateKind(hourly)
	f.Fuzz(func(t *testing.T, text string) {
		v, err := k.parse(text)
		if err == nil && v != -1 && (v < k.min || v > k.max) {
			t.Errorf("parse(%q) = %d", text, v)
		}
	})
}

func TestDraftIgnoresEchoes(t *testing.T) {
	base := someSettings()
	with := func(up budget.Rate) settings.Settings { s := base; s.Upload = up; return s }
	var d draft
	d.take(base)
	d.sent(with(1))
	d.sent(with(2))
	d.take(base)
	if d.now != with(2) {
		t.Error("an older model undoes an edit")
	}
	d.take(with(1))
	if d.now != with(2) {
		t.Error("the first edit's echo undoes the second")
	}
	d.take(with(2))
	d.take(with(9)) // from elsewhere: the tray, another program
	if d.now != with(9) {
		t.Error("a change from elsewhere is not seen")
	}
	d.sent(with(3))
	d.take(with(8))
	if d.now != with(8) || d.pending != nil {
		t.Error("a change from elsewhere does not win over an edit that it has replaced")
	}
	for i := range 3 * maxSent {
		d.sent(with(budget.Rate(i)))
	}
	if len(d.pending) > maxSent {
		t.Errorf("%d edits wait", len(d.pending))
	}
}

func TestSettingsFollowTheModel(t *testing.T) {
	p, r, _, m := newTestSettings(t)
	m.Settings.Upload, m.Settings.Metered, m.Settings.Bind, m.Settings.Latency = 7_000_000, true, "203.0.113.5", 3*time.Second
	m.System.Handler, m.System.Reachable, m.System.Port = true, Reachable, 4711
	p.Show(m)
	if f := in[*field](t, p, "Sharing")[0]; f.Text != "7" {
		t.Errorf("upload shows %q", f.Text)
	}
	if !in[*toggle](t, p, "Sharing")[0].on || !in[*toggle](t, p, "Links and log")[0].on {
		t.Error("a switch does not follow")
	}
	if s := findSelects(t, p, "Network")[0].Selected; s != "203.0.113.5 (not here now)" {
		t.Errorf("the interface shows %q", s)
	}
	if s := findSelects(t, p, "Playback")[1].Selected; s != "3 seconds" {
		t.Errorf("the latency shows %q", s)
	}
	if !says(p, "Network", "Others can connect") || !says(p, "Network", "4711") {
		t.Error("reachability is not said")
	}
	r.want(t)
}

func TestSettingsButtons(t *testing.T) {
	p, r, win, m := newTestSettings(t)
	m.System.CacheUsed = 1_000_000_000
	p.Show(m)
	press1 := func(title, label string) {
		t.Helper()
		for _, b := range in[*keyButton](t, p, title) {
			if b.Text == label {
				test.Tap(b)
				return
			}
		}
		t.Fatalf("no button %q", label)
	}
	test.Tap(in[*toggle](t, p, "Links and log")[0])
	r.want(t, SetHandler{true})
	press1("Links and log", "Save the log…")
	r.want(t, SaveLog{})
	press1("Links and log", "About Coral")
	r.want(t, GoTo{PageAbout})
	press1("Storage", "Clear the cache…")
	r.want(t)
	yes, _ := dialogButtons(t, win)
	test.Tap(yes)
	r.want(t, ClearCache{})
	m.System.CacheUsed = 0
	m.System.CacheDegraded = "the disk is full"
	p.Show(m)
	if !says(p, "Storage", "the disk is full") {
		t.Error("nothing says that the cache is in memory")
	}
}

func TestSettingsNavigation(t *testing.T) {
	p, r, win, _ := newTestSettings(t)
	for i, n := range p.nav {
		test.Tap(n)
		for j, s := range p.sections {
			if s.root.Visible() != (i == j) {
				t.Fatalf("section %q visible: %v after %q", s.title, s.root.Visible(), n.Text)
			}
		}
	}
	if p.pick.Visible() {
		t.Error("a wide window has a choice on top")
	}
	win.Resize(fyne.NewSize(400, 700))
	if !p.pick.Visible() || p.nav[0].Visible() {
		t.Error("a narrow window has a list at the side")
	}
	p.pick.SetSelectedIndex(0)
	if !p.sections[0].root.Visible() {
		t.Error("the choice on top chooses nothing")
	}
	for i, s := range p.sections {
		p.choose(i)
		if w := s.root.MinSize().Width; w > 360 {
			t.Errorf("section %q needs %v", s.title, w)
		}
	}
	r.want(t)
}

// Escape leaves whatever has the keyboard, so that one gets on from there.
func TestEscapeLeaves(t *testing.T) {
	for _, o := range []interface {
		fyne.CanvasObject
		fyne.Focusable
	}{newField(""), newSlide(3), newSelection([]string{"a"}, nil), newKeyButton("b", nil, nil), newControl("", "c", nil)} {
		w := window(t, o, 200, 60)
		w.Canvas().Focus(o)
		o.TypedKey(&fyne.KeyEvent{Name: fyne.KeyEscape})
		if w.Canvas().Focused() != nil {
			t.Errorf("Escape does not leave %T", o)
		}
	}
}

// One sees which button has the keyboard, whatever its colour.
func TestFocusRing(t *testing.T) {
	b := newKeyButton("b", nil, nil)
	b.Importance = widget.HighImportance
	w := window(t, b, 200, 60)
	before := w.Canvas().Capture()
	w.Canvas().Focus(b)
	if same(before, w.Canvas().Capture()) {
		t.Error("a button with the keyboard looks as one without")
	}
	w.Canvas().Unfocus()
	if !same(before, w.Canvas().Capture()) {
		t.Error("it goes on looking so")
	}
}

// What gets the keyboard is brought into view.
func TestSettingsFollow(t *testing.T) {
	p := newSettingsPage(func(Intent) {}, nil).(*settingsPage)
	w := window(t, p.Object(), 760, 300)
	m := &Model{Settings: someSettings()}
	p.Show(m)
	scroll := p.sections[0].root
	last := findAll[*selection](scroll)
	w.Canvas().Focus(last[len(last)-1])
	p.Show(m)
	if scroll.Offset.Y == 0 {
		t.Error("what has the keyboard is not in view")
	}
	scroll.ScrollToTop()
	p.Show(m)
	if scroll.Offset.Y != 0 {
		t.Error("one cannot scroll away from it")
	}
}
