package view

import (
	"slices"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/theme"

	"coral/node/budget"
)

// detailsWindow draws where the picture comes from, in a window of its own:
// beside the video each object would cost every frame.
type detailsWindow struct {
	app  fyne.App
	fit  func(width, height float32) fyne.Size // on the screen
	emit func(Intent)
	win  fyne.Window // nil: not built yet
	open bool
	last time.Time // of the last drawing
	view *detailsView
}

const (
	detailsEvery                = 500 * time.Millisecond
	detailsWidth, detailsHeight = 920, 770
)

func newDetailsWindow(a fyne.App, fit func(width, height float32) fyne.Size, emit func(Intent)) *detailsWindow {
	return &detailsWindow{app: a, fit: fit, emit: emit}
}

// Show opens, draws or closes the window. The first time it comes in steps, an empty
// window first, for the picture stands still meanwhile: Fyne makes and draws all
// windows on one goroutine, and a new one has everything to draw for the first time.
func (d *detailsWindow) Show(m *Model, now time.Time) {
	if m.Details == nil {
		if d.open {
			d.open = false
			d.win.Hide()
		}
		return
	}
	switch {
	case d.win == nil:
		d.build()
	case d.view == nil:
		d.view = newDetailsView(d.emit)
		d.view.show(m)
		d.view.reveal()
		d.win.SetContent(d.view.root)
		d.last = now
	case d.view.reveal(), !d.open, now.Sub(d.last) >= detailsEvery:
		d.last = now
		d.view.show(m)
	}
	if !d.open {
		d.open = true
		d.win.Show()
	}
}

// close takes the window away; Show builds another.
func (d *detailsWindow) close() {
	if d.win != nil {
		d.win.Close()
	}
	d.win, d.view, d.open = nil, nil, false
}

func (d *detailsWindow) build() {
	d.win = d.app.NewWindow(lang.L("Where the picture comes from"))
	d.win.SetPadded(false)
	d.win.Resize(d.fit(detailsWidth, detailsHeight))
	leave := func() { d.emit(ShowDetails{false}) }
	d.win.SetCloseIntercept(leave)
	d.win.Canvas().SetOnTypedKey(func(e *fyne.KeyEvent) {
		if e.Name == fyne.KeyEscape {
			leave()
		}
	})
	d.win.Canvas().SetOnTypedRune(func(r rune) {
		if r == 'i' || r == 'I' {
			leave()
		}
	})
}

// detailsView is the window's content.
type detailsView struct {
	root     fyne.CanvasObject
	model    *Model
	sentence *note
	sources  *chartCard
	times    *chartCard
	upload   *chartCard
	peers    *drawing
	peerText *note
	reach    *note
	help     *note
	settings *control
	facts    *facts
	hidden   []func() // show what is not seen yet, in the order in which it comes
}

func newDetailsView(emit func(Intent)) *detailsView {
	v := &detailsView{sentence: newText("")}
	v.sources = newChartCard(lang.L("Sources"), 150, v.sourcesPlot, colourCap,
		legend{colourPeers, lang.L("viewers")}, legend{colourOrigin, lang.L("origin")}, legend{colourCache, lang.L("cache")})
	v.times = newChartCard(lang.L("Time"), 92, v.timesPlot, colourCap,
		legend{colourOrigin, lang.L("buffer")}, legend{colourPeers, lang.L("behind live")})
	v.upload = newChartCard(lang.L("Upload"), 92, v.uploadPlot, theme.ColorNameWarning,
		legend{colourUpload, lang.L("to viewers")}, legend{theme.ColorNameWarning, lang.L("cap")})
	v.peers = newDrawing(fyne.NewSize(240, 230), v.drawPeers)
	v.peerText = newHint("").align(fyne.TextAlignCenter)
	v.reach = newHeading("", theme.SizeNameText)
	v.help = newHint("")
	v.settings = newControl("gear", lang.L("Network settings"), func() { emit(GoTo{PageSettings}) })
	v.settings.fill = theme.ColorNameButton
	v.facts = newFacts()

	charts := newColumn(12, v.sources.root, v.times.root, v.upload.root)
	peers := newPanel(newColumn(-6, newHeading(lang.L("Viewers who carry it with you"), theme.SizeNameText), v.peers, v.peerText), 6)
	reach := newPanel(newColumn(-6, v.reach, v.help, container.New(inset{8, 6}, container.NewHBox(v.settings))), 6)
	facts := newPanel(v.facts.root, 10)
	for _, o := range []fyne.CanvasObject{v.sources.root, peers, v.times.root, v.upload.root, reach, facts} {
		o.Hide()
	}
	v.sources.parts = chartBare
	v.hidden = []func(){
		v.sources.root.Show,
		func() { v.sources.parts = chartNamed },
		func() { v.sources.parts = chartWhole },
		peers.Show,
		func() { v.times.root.Show(); v.upload.root.Show() },
		func() { reach.Show(); facts.Show() },
	}
	side := newColumn(12, peers, reach, facts)
	body := newColumn(8, v.sentence, container.New(&tiles{least: 380, gap: 12}, charts, side))
	v.root = container.NewVScroll(container.New(inset{14, 10}, body))
	return v
}

// reveal shows the next part, and reports whether there was one. Where the processor
// draws, OpenGL translates its programs when it first meets a picture or a text of a
// kind, for 10 to 25 ms each: no part has more than two of them.
func (v *detailsView) reveal() bool {
	if len(v.hidden) == 0 {
		return false
	}
	v.hidden[0]()
	v.hidden = v.hidden[1:]
	v.root.Refresh()
	return true
}

// show draws m. All of it is news, twice a second.
func (v *detailsView) show(m *Model) {
	v.model = m
	d := m.Details
	v.sentence.set(sourceSentence(m))
	v.sources.show()
	v.times.show()
	v.upload.show()
	v.peers.again()
	v.peerText.set(peersText(d))
	v.reach.set(reachText(d, m.Sharing.State))
	help := reachHelp(d, m)
	v.help.say(help)
	show(v.settings, d.Reachable == NotReachable && m.Sharing.State != SharingWatchOnly)
	v.facts.show(factsOf(m))
}

// values is one value of the samples.
func values(samples []Sample, of func(Sample) float64) []float64 {
	out := make([]float64, len(samples))
	for i, s := range samples {
		out[i] = max(0, of(s))
	}
	return out
}

func (v *detailsView) samples() []Sample {
	if v.model == nil || v.model.Details == nil {
		return nil
	}
	s := v.model.Details.Samples
	return s[max(0, len(s)-chartSpan):]
}

// sourceSpan is over how many seconds the sources are averaged: a segment comes at
// once, and then nothing for as long as it plays.
const sourceSpan = 6

// averaged are the samples with their sources averaged, each with those before it.
func averaged(samples []Sample) []Sample {
	out := slices.Clone(samples)
	var peers, origin, cache budget.Rate
	for i, s := range samples {
		peers, origin, cache = peers+s.FromPeers, origin+s.FromOrigin, cache+s.FromCache
		if i >= sourceSpan {
			old := samples[i-sourceSpan]
			peers, origin, cache = peers-old.FromPeers, origin-old.FromOrigin, cache-old.FromCache
		}
		n := budget.Rate(min(i+1, sourceSpan))
		out[i].FromPeers, out[i].FromOrigin, out[i].FromCache = peers/n, origin/n, cache/n
	}
	return out
}

// burstOver is how far above the usual a burst may stand out of a chart: what joining
// fetches at once would make all that comes after it flat.
const burstOver = 2

// scaleOf is the value that a chart of all has to reach up to.
func scaleOf(all []float64) float64 {
	if len(all) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(all))
	return min(sorted[len(sorted)-1], burstOver*sorted[len(sorted)/2])
}

func (v *detailsView) sourcesPlot() (plot, string, string) {
	s := averaged(v.samples())
	p := plot{seconds: chartSpan, stacked: true, series: []series{
		{colourPeers, values(s, func(s Sample) float64 { return float64(s.FromPeers) })},
		{colourOrigin, values(s, func(s Sample) float64 { return float64(s.FromOrigin) })},
		{colourCache, values(s, func(s Sample) float64 { return float64(s.FromCache) })},
	}}
	all := values(s, func(s Sample) float64 { return float64(s.FromPeers + s.FromOrigin + s.FromCache) })
	p.top = roundUp(max(1e5, scaleOf(all)))
	now := ""
	if len(s) > 0 {
		q := s[len(s)-1]
		now = RateText(q.FromPeers + q.FromOrigin + q.FromCache)
	}
	return p, RateText(budget.Rate(p.top)), now
}

func (v *detailsView) timesPlot() (plot, string, string) {
	s := v.samples()
	p := plot{seconds: chartSpan, series: []series{
		{colourOrigin, values(s, func(s Sample) float64 { return s.Buffer.Seconds() })},
		{colourPeers, values(s, func(s Sample) float64 { return s.Latency.Seconds() })},
	}}
	most := 5.0
	for _, q := range s {
		most = max(most, q.Buffer.Seconds(), q.Latency.Seconds())
	}
	p.top = roundUp(most)
	now := ""
	if v.model != nil && v.model.Details != nil {
		now = lang.L("{{.Buffer}} ahead, {{.Latency}} behind live", map[string]any{
			"Buffer": secondsText(v.model.Details.Buffer), "Latency": secondsText(v.model.Details.Latency),
		})
	}
	return p, secondsText(time.Duration(p.top * float64(time.Second))), now
}

func (v *detailsView) uploadPlot() (plot, string, string) {
	s := v.samples()
	p := plot{seconds: chartSpan, stacked: true, series: []series{
		{colourUpload, values(s, func(s Sample) float64 { return float64(s.ToPeers) })},
	}}
	most := 1e5
	for _, q := range s {
		most = max(most, float64(q.ToPeers), float64(q.Cap))
	}
	p.top = roundUp(most * 1.05)
	if v.model == nil {
		return p, "", ""
	}
	if c := v.model.Sharing.Cap; c > 0 {
		p.level = float64(c)
	}
	now := RateText(0)
	if len(s) > 0 {
		now = RateText(s[len(s)-1].ToPeers)
	}
	return p, RateText(budget.Rate(p.top)), now
}

// secondsText writes a span of seconds: "2.4 s".
func secondsText(d time.Duration) string {
	return lang.L("{{.N}} s", map[string]any{"N": significant(max(0, d).Seconds())})
}

func peersText(d *Details) string {
	if len(d.Peers) == 0 {
		return lang.L("Nobody is connected.")
	}
	return lang.N("{{.PluralCount}} viewers are connected. A line is as thick as what it carries; who is nearer answers sooner.", len(d.Peers))
}

func reachText(d *Details, s SharingState) string {
	switch {
	case s == SharingWatchOnly || s == SharingUnasked:
		return lang.L("Nobody connects to this machine: it only watches.")
	case d.Reachable == Reachable:
		return lang.L("Others can connect to this machine.")
	case d.Reachable == NotReachable:
		return lang.L("Others cannot connect to this machine.")
	}
	return lang.L("Whether others can connect is not known yet.")
}

// reachHelp says what to do.
func reachHelp(d *Details, m *Model) string {
	switch {
	case m.Sharing.State == SharingWatchOnly || m.Sharing.State == SharingUnasked:
		return ""
	case d.Reachable == Reachable && d.Port > 0:
		return lang.L("They do so at port {{.Port}}.", map[string]any{"Port": d.Port})
	case d.Reachable != NotReachable:
		return ""
	case m.Settings.MapPort:
		return lang.L("You still share over the connections that you make. The router did not open port {{.Port}} by UPnP: open it there for TCP and UDP.", map[string]any{"Port": d.Port})
	}
	return lang.L("You still share over the connections that you make. For more, let Coral ask the router by UPnP, or open port {{.Port}} there for TCP and UDP.", map[string]any{"Port": d.Port})
}

// factsOf lists what has no drawing.
func factsOf(m *Model) [][2]string {
	d := m.Details
	list := [][2]string{
		{lang.L("Signatures behind"), secondsText(d.FeedLag)},
		{lang.L("Cache holds"), sizeText(d.CacheUsed)},
		{lang.L("Received twice"), sizeText(budget.Size(d.Duplicate))},
		{lang.L("Control messages"), sizeText(budget.Size(d.Control))},
		{lang.L("Wrong blocks, thrown away"), decimal(float64(d.BadBlocks), 0)},
		{lang.L("Peers shut out for it"), decimal(float64(d.Banned), 0)},
	}
	if d.StartUp > 0 {
		list = slices.Insert(list, 0, [2]string{lang.L("First picture after"), secondsText(d.StartUp)})
	}
	if w := m.Watching; w != nil && w.Player.Height > 0 {
		p := w.Player
		list = append(list, [2]string{lang.L("Picture"), lang.L("{{.W}} × {{.H}}, {{.FPS}} a second, {{.Dropped}} late", map[string]any{
			"W": p.Width, "H": p.Height, "FPS": decimal(p.FPS, 0), "Dropped": p.Dropped,
		})}, [2]string{lang.L("Decoder"), orElse(p.Decoder, "–")})
	}
	return list
}
