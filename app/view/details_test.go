package view

import (
	"image/color"
	"math"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"coral/app/settings"
	"coral/node/budget"
)

func someDetails(n int) *Details {
	d := &Details{Reachable: NotReachable, Port: 51413, Latency: 6 * time.Second, Buffer: 4 * time.Second}
	for i := range n {
		r := budget.Rate(1e6 * (1 + math.Sin(float64(i)/9)))
		d.Samples = append(d.Samples, Sample{FromPeers: r, FromOrigin: 5e5, ToPeers: r / 2, Cap: 2e6, Buffer: 4 * time.Second, Latency: 6 * time.Second})
	}
	for i := range 5 {
		d.Peers = append(d.Peers, Peer{ID: uint32(i), Publisher: i == 2, RTT: time.Duration(20*i) * time.Millisecond, Down: budget.Rate(i) * 1e6, Up: 1e5})
	}
	return d
}

func TestDetailsWindow(t *testing.T) {
	w, r := testWindow(t, 1000, 700)
	m := watchModel(live())
	w.show(m, time.Now())
	if w.details.win != nil {
		t.Fatal("nobody asked for the details")
	}
	now := time.Now()
	m.Details = someDetails(120)
	w.show(m, now)
	if !w.details.open || w.details.view != nil {
		t.Fatal("no details, or more than an empty window at once")
	}
	for steps := 1; w.details.view == nil || len(w.details.view.hidden) > 0; steps++ {
		if steps > 8 {
			t.Fatal("the details do not come")
		}
		w.show(m, now)
	}
	first := w.details.win.Canvas().Capture()
	m = watchModel(live())
	m.Details = someDetails(60)
	w.show(m, now.Add(detailsEvery/2))
	if !same(first, w.details.win.Canvas().Capture()) {
		t.Error("drawn more often than twice a second")
	}
	w.show(m, now.Add(detailsEvery))
	if same(first, w.details.win.Canvas().Capture()) {
		t.Error("other samples look the same")
	}
	test.Tap(w.details.view.settings)
	r.want(t, GoTo{PageSettings})
	w.details.win.Canvas().OnTypedRune()('i')
	r.want(t, ShowDetails{false})
	m = watchModel(live())
	w.show(m, now.Add(time.Minute))
	if w.details.open {
		t.Error("the details stay open")
	}
	m.Details = &Details{} // nothing known yet
	w.show(m, now.Add(2*time.Minute))
	w.details.win.Canvas().Capture()
}

func TestAveraged(t *testing.T) {
	burst := make([]Sample, 3*sourceSpan) // a segment every sourceSpan seconds
	for i := 0; i < len(burst); i += sourceSpan {
		burst[i] = Sample{FromPeers: sourceSpan * 1000, FromOrigin: sourceSpan * 10, Cap: 7}
	}
	for i, s := range averaged(burst)[sourceSpan-1:] {
		if s.FromPeers != 1000 || s.FromOrigin != 10 {
			t.Errorf("sample %d: %+v", i, s)
		}
	}
	if burst[0].FromPeers != sourceSpan*1000 || averaged(burst)[0].Cap != 7 {
		t.Error("the samples themselves have changed")
	}
}

func TestScaleOf(t *testing.T) {
	for _, c := range []struct {
		all  []float64
		want float64
	}{{nil, 0}, {[]float64{3}, 3}, {[]float64{20, 2, 2, 2.5, 1}, 2 * burstOver}, {[]float64{2, 3, 2, 2}, 3}} {
		if got := scaleOf(c.all); got != c.want {
			t.Errorf("%v: up to %v, want %v", c.all, got, c.want)
		}
	}
}

func TestReachabilityWords(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range []Reachability{ReachUnknown, Reachable, NotReachable} {
		text := reachText(&Details{Reachable: r}, SharingOn)
		if seen[text] {
			t.Errorf("reachability %d says %q, as another does", r, text)
		}
		seen[text] = true
	}
	m := watchModel(live())
	m.Settings.MapPort = false
	with := reachHelp(&Details{Reachable: NotReachable, Port: 51413}, m)
	m.Settings.MapPort = true
	without := reachHelp(&Details{Reachable: NotReachable, Port: 51413}, m)
	if with == without || with == "" || without == "" {
		t.Errorf("what to do does not depend on UPnP: %q", with)
	}
	m.Sharing.State = SharingWatchOnly
	if reachHelp(&Details{Reachable: NotReachable}, m) != "" {
		t.Error("who only watches is told to open a port")
	}
}

func TestPeersStayInPlace(t *testing.T) {
	d := someDetails(0)
	a := placePeers(d.Peers)
	d.Peers[0], d.Peers[4] = d.Peers[4], d.Peers[0]
	b := placePeers(d.Peers)
	for i := range a {
		if a[i] != b[i] {
			t.Errorf("place %d depends on the order: %+v, %+v", i, a[i], b[i])
		}
	}
	var many []Peer
	for i := range 500 {
		many = append(many, Peer{ID: uint32(i), Down: budget.Rate(i)})
	}
	many[0].Publisher = true
	placed := placePeers(many)
	if len(placed) != peersDrawn || !placed[0].Publisher {
		t.Errorf("%d are drawn, the first is %+v", len(placed), placed[0].Peer)
	}
	for _, p := range placePeers([]Peer{{RTT: time.Nanosecond}, {RTT: time.Hour}, {}}) {
		if p.far < 0 || p.far > 1 || math.IsNaN(p.far) {
			t.Errorf("%v is at %v", p.RTT, p.far)
		}
	}
}

func TestPlotDraws(t *testing.T) {
	test.NewTempApp(t).Settings().SetTheme(Theme(settings.ThemeDark))
	d := newDrawing(fyne.NewSize(100, 80), nil)
	c := plot{top: 2, seconds: 10, stacked: true, level: 1, series: []series{
		{colourPeers, []float64{1, 1, 1, 1, 1, 1, 1, 1, 1, 1}}, {colourOrigin, []float64{.5, .5, .5, .5, .5, .5, .5, .5, .5, .5}},
	}}
	p := newPen(100, 80)
	c.paint(d, p, 1, colourBar, colourUpload)
	at := func(y int) color.RGBA { return p.img.RGBAAt(50, y) }
	if at(60) == at(30) || at(30) == at(8) || at(60).A == 0 {
		t.Errorf("layers: viewers %v, origin %v, above %v", at(60), at(30), at(8))
	}
	for _, odd := range []plot{{}, {series: []series{{colourPeers, nil}, {colourPeers, []float64{1}}}}, {top: -1, seconds: 1, series: []series{{colourPeers, []float64{math.Inf(1), 3}}}}} {
		odd.paint(d, p, 1, colourBar, colourUpload)
	}
	for in, want := range map[float64]float64{0: 1, 0.7: 1, 1.1: 1.5, 4: 5, 6: 10, 1234: 1500, math.Inf(1): 1} {
		if got := roundUp(in); math.Abs(got-want) > 1e-9 {
			t.Errorf("roundUp(%v) = %v, want %v", in, got, want)
		}
	}
}
