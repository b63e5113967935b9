package view

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/test"

	"coral/app/settings"
	"coral/node/budget"
	"coral/player"
)

// box is a part of a canvas.
type box struct{ from, to fyne.Position }

func (b box) cut(o box) box {
	return box{
		fyne.NewPos(max(b.from.X, o.from.X), max(b.from.Y, o.from.Y)),
		fyne.NewPos(min(b.to.X, o.to.X), min(b.to.Y, o.to.Y)),
	}
}

func (b box) wide() float32 { return b.to.X - b.from.X }
func (b box) high() float32 { return b.to.Y - b.from.Y }

// reader finds words that cannot be read: cut off where nothing scrolls, or two on
// one another.
type reader struct {
	words []string
	boxes []box
	wrong []string
	look  func(t *canvas.Text, seen box) // at each text that is seen; may be nil
}

func (r *reader) read(o fyne.CanvasObject, at fyne.Position, seen box, scrolls bool) {
	if !o.Visible() {
		return
	}
	at = at.Add(o.Position())
	mine := box{at, at.Add(o.Size())}
	switch o := o.(type) {
	case *canvas.Text:
		r.text(o, mine, seen, scrolls)
	case *container.Scroll:
		r.read(o.Content, at.Subtract(o.Offset), seen.cut(mine), true)
	case *fyne.Container:
		for _, part := range o.Objects {
			r.read(part, at, seen, scrolls)
		}
	case fyne.Widget:
		if strings.HasSuffix(fmt.Sprintf("%T", o), "Scroll") { // Fyne's own, within its widgets
			seen, scrolls = seen.cut(mine), true
		}
		for _, part := range test.WidgetRenderer(o).Objects() {
			r.read(part, at, seen, scrolls)
		}
	}
}

func (r *reader) text(t *canvas.Text, mine, seen box, scrolls bool) {
	if strings.TrimSpace(t.Text) == "" {
		return
	}
	m := t.MinSize()
	switch t.Alignment {
	case fyne.TextAlignCenter:
		mine.from.X += (mine.wide() - m.Width) / 2
	case fyne.TextAlignTrailing:
		mine.from.X = mine.to.X - m.Width
	}
	mine.from.Y += (mine.high() - m.Height) / 2
	mine.to = mine.from.Add(m)
	left := mine.cut(seen)
	if scrolls && left.high() <= 0 {
		return // further down
	}
	const line = 3 // a line's own room, above and below its letters
	if left.wide() < m.Width-1.5 || !scrolls && left.high() < m.Height-2*line {
		r.wrong = append(r.wrong, fmt.Sprintf("%q is cut to %.0f×%.0f of %.0f×%.0f", t.Text, left.wide(), left.high(), m.Width, m.Height))
		return
	}
	for i, other := range r.boxes {
		if both := left.cut(other); both.wide() > 2 && both.high() > 2*line {
			r.wrong = append(r.wrong, fmt.Sprintf("%q and %q lie on one another", t.Text, r.words[i]))
		}
	}
	r.words, r.boxes = append(r.words, t.Text), append(r.boxes, left)
	if r.look != nil && left.high() > m.Height-1 {
		r.look(t, left)
	}
}

// screens are models of all that there is to see, with long words.
func screens() map[string]*Model {
	const name = "Das zweite Programm aus dem Hafenviertel"
	all := map[string]*Model{}
	add := func(as string, page Page, change func(m *Model)) {
		m := watchModel(live())
		m.Page = page
		m.System = System{
			Version: "1.2.3", MPVVersion: "mpv 0.35.1", Tray: true, CanHandler: true, LogFile: "/home/somebody/.local/state/coral/coral.log",
			Licences: strings.Repeat("words of a licence ", 100), CacheUsed: 1_200_000_000, Reachable: NotReachable, Port: 51413,
		}
		w := m.Watching
		w.Channel.Name = name
		w.Source = Source{Peers: 12, FromPeers: .71, FromOrigin: .2, FromCache: .09, Verified: Yes}
		w.Subtitles = []Subtitle{{ID: -1}, {ID: 1, Label: "Deutsch"}}
		m.Channels, m.Groups = someChannels(24), []string{"Nachrichten und Politik"}
		for i := range m.Channels {
			m.Channels[i].Name, m.Channels[i].Group = name, m.Groups[0]
		}
		m.Usage = []Usage{{SessionUp: 5e9, SessionDown: 7e9}, {Name: name, SessionUp: 5e9, SessionDown: budget.Size(7e9)}}
		change(m)
		all[as] = m
	}
	add("library", PageLibrary, func(*Model) {})
	add("welcome", PageLibrary, func(m *Model) { m.Channels, m.Watching = nil, nil })
	add("nothing found", PageLibrary, func(m *Model) { m.Channels, m.Query, m.Group = nil, "Hafenviertel", m.Groups[0] })
	for s := SharingOn; s <= SharingUnasked; s++ {
		add(fmt.Sprint("watching, sharing state ", s), PageWatch, func(m *Model) { m.Sharing.State = s })
	}
	add("full screen", PageWatch, func(m *Model) { m.Watching.FullScreen, m.Watching.Caption = true, "A caption\nof two lines." })
	for p, state := range map[string]player.State{
		"failed": {Phase: player.Failed, Err: errors.New("404 for https://example.org/" + strings.Repeat("folder/", 12) + "live.m3u8")},
		"ended":  {Phase: player.Ended}, "loading": {Phase: player.Loading}, "recovering": {Phase: player.Recovering}, "recording": recording(),
	} {
		add(p, PageWatch, func(m *Model) { m.Watching.Player = state })
	}
	add("no libmpv", PageWatch, func(m *Model) { m.Watching.Engine, m.System.InstallHint = EngineNone, "sudo apt install libmpv2" })
	add("settings", PageSettings, func(*Model) {})
	add("about", PageAbout, func(*Model) {})
	add("consent", PageLibrary, func(m *Model) { m.Consent = &ConsentQuestion{name} })
	add("share", PageWatch, func(m *Model) {
		m.Share = &ShareSheet{name, "magnet:?xt=urn:btih:" + strings.Repeat("0123456789abcdef", 30), image.NewGray(image.Rect(0, 0, 200, 200))}
	})
	add("closing", PageWatch, func(m *Model) { m.Closing = true })
	return all
}

// All words can be read, in windows down to the least, in every language.
func TestNothingIsCut(t *testing.T) {
	for _, language := range []string{"en", "de"} {
		spoken(t, language)
		for _, size := range []fyne.Size{{Width: 800, Height: 536}, {Width: leastWidth, Height: leastHeight}} {
			for name, m := range screens() {
				w, _ := testWindow(t, size.Width, size.Height)
				check := func(what string, c fyne.Canvas) {
					t.Helper()
					w.win.Resize(size.AddWidthHeight(1, 1)) // the driver of tests lays nothing out anew by itself
					w.win.Resize(size)
					r := &reader{}
					o := c.Content()
					if top := c.Overlays().Top(); top != nil {
						o = top
					}
					r.read(o, fyne.Position{}, box{to: fyne.NewPos(c.Size().Width, c.Size().Height)}, false)
					for _, s := range r.wrong {
						t.Errorf("%s, %.0f×%.0f, %s: %s", language, size.Width, size.Height, what, s)
					}
				}
				w.show(m, time.Now())
				w.watch.state.waiting = time.Now().Add(-time.Minute)
				w.show(m, time.Now())
				check(name, w.win.Canvas())
				if p, is := w.pages[PageSettings].(*settingsPage); is {
					for i := range p.sections {
						p.choose(i)
						check("settings: "+p.sections[i].title, w.win.Canvas())
					}
					w.help.open(true)
					check("keys", w.win.Canvas())
				}
			}
		}
	}
}

// All words stand out from what is behind them in each theme.
func TestWordsStandOut(t *testing.T) {
	const least = 4.5 // WCAG 2.2, 1.4.3
	for _, kind := range []settings.Theme{settings.ThemeDark, settings.ThemeLight, settings.ThemeContrast} {
		for name, m := range screens() {
			if m.Page == PageWatch && m.Sharing.State != SharingOn {
				continue // only other words
			}
			w, _ := testWindow(t, 800, 536)
			m.Settings.Theme = kind
			w.show(m, time.Now())
			w.watch.state.waiting = time.Now().Add(-time.Minute)
			w.show(m, time.Now())
			c := w.win.Canvas()
			img := c.Capture().(*image.NRGBA)
			r := &reader{look: func(text *canvas.Text, seen box) {
				ink := color.NRGBAModel.Convert(text.Color).(color.NRGBA)
				ground := mostOf(img, image.Rect(int(seen.from.X), int(seen.from.Y), int(seen.to.X), int(seen.to.Y)), ink)
				if got := ratio(ink, ground); got < least {
					t.Errorf("%s, %s: %q: %v on %v: %.1f", kind, name, text.Text, ink, ground, got)
				}
			}}
			o := c.Content()
			if top := c.Overlays().Top(); top != nil {
				o = top
			}
			r.read(o, fyne.Position{}, box{to: fyne.NewPos(c.Size().Width, c.Size().Height)}, false)
		}
	}
}

// mostOf is the colour that most of a part of a picture has, besides the ink.
func mostOf(img *image.NRGBA, part image.Rectangle, ink color.NRGBA) (most color.NRGBA) {
	count := map[color.NRGBA]int{}
	for y := part.Min.Y; y < part.Max.Y; y++ {
		for x := part.Min.X; x < part.Max.X; x++ {
			c := img.NRGBAAt(x, y)
			if count[c]++; c != ink && count[c] > count[most] {
				most = c
			}
		}
	}
	return most
}

func TestMostScale(t *testing.T) {
	for _, c := range []struct {
		wide, high int
		want       float64
	}{{1280, 720, 2}, {800, 600, 1.6}, {1920, 1080, 3.1}} {
		if got := MostScale(c.wide, c.high); got != c.want {
			t.Errorf("%d×%d: %v, want %v", c.wide, c.high, got, c.want)
		}
	}
}
