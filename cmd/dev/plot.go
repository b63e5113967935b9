package main

import (
	"fmt"
	"os"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/plotutil"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"

	"coral/node/sim"
)

// The pictures' size: half of a page's width.
const (
	plotWide = 14 * vg.Centimeter
	plotHigh = 8.5 * vg.Centimeter
	margin   = 0.5 * vg.Centimeter
)

// chart is a plot whose curves get their colours in turn.
type chart struct {
	*plot.Plot
	curves int
}

func newChart(title, x, y string) *chart {
	c := &chart{Plot: plot.New()}
	c.Title.Text, c.X.Label.Text, c.Y.Label.Text = title, x, y
	c.Add(plotter.NewGrid())
	return c
}

// curve adds a line, with marks at its points if marked.
func (c *chart) curve(name string, marked bool, points plotter.XYs) error {
	line, dots, err := plotter.NewLinePoints(points)
	if err != nil {
		return err
	}
	line.Color, line.Dashes = plotutil.Color(c.curves), plotutil.Dashes(c.curves)
	dots.Color, dots.Shape = plotutil.Color(c.curves), plotutil.Shape(c.curves)
	line.Width = vg.Points(1.5)
	c.curves++
	c.Add(line)
	c.Legend.Add(name, line)
	if marked {
		c.Add(dots)
	}
	return nil
}

// write draws into a file.
func (c *chart) write(name string) error {
	canvas := vgsvg.New(plotWide, plotHigh)
	c.Draw(draw.Crop(draw.New(canvas), 0, -margin, 0, -margin)) // half a number stands out on the right
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	if _, err := canvas.WriteTo(f); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

func isThin(s scenario) bool { return s.oneIn > 0 }

// drawCopies draws what the organiser's line sends against the audience.
func drawCopies(name string, ss []scenario, rs []*sim.Result) error {
	var steady, worst plotter.XYs
	thin := map[int]plotter.XYs{} // by how coarse
	for i, r := range rs {
		n := float64(r.Viewers)
		if isThin(ss[i]) {
			k := ss[i].oneIn
			thin[k] = append(thin[k], plotter.XY{X: n, Y: r.Steady})
			continue
		}
		steady = append(steady, plotter.XY{X: n, Y: r.Steady})
		worst = append(worst, plotter.XY{X: n, Y: r.SteadyWorst})
	}
	c := newChart("Copies of each segment that origin and publisher send", "viewers", "copies")
	c.X.Scale, c.X.Tick.Marker = plot.LogScale{}, plot.LogTicks{Prec: -1}
	c.Y.Min = 0
	c.Legend.Top, c.Legend.Left = true, true
	for _, x := range []struct {
		name   string
		points plotter.XYs
	}{{"mean", steady}, {"worst segment", worst}, {fmt.Sprintf("every %dth block", fine), thin[fine]}, {"one block per segment", thin[blocks]}} {
		if err := c.curve(x.name, true, x.points); err != nil {
			return err
		}
	}
	return c.write(name)
}

// drawOffload draws the offload as uplinks shrink, under the bound.
func drawOffload(name string, ss []scenario, rs []*sim.Result) error {
	var got, most plotter.XYs
	for i, r := range rs {
		offload, bound := offloads(ss[i].cfg, r)
		x := float64(ss[i].cfg.Groups[0].Up) / streamRate
		got, most = append(got, plotter.XY{X: x, Y: 100 * offload}), append(most, plotter.XY{X: x, Y: 100 * bound})
	}
	c := newChart("Offload, 30 viewers", "mean uplink over the stream's rate", "% of the bytes")
	c.Y.Min, c.Y.Max = 0, 100
	if err := c.curve("bound: min(1 - 1/N, uplink/rate)", false, most); err != nil {
		return err
	}
	if err := c.curve("Coral", true, got); err != nil {
		return err
	}
	return c.write(name)
}

// drawDelays draws which share of the segments is ready how long after its end.
func drawDelays(name string, ss []scenario, rs []*sim.Result) error {
	c := newChart("Segments ready at a viewer", "seconds after the segment's end", "% of the segments")
	c.X.Min, c.X.Max, c.Y.Min, c.Y.Max = 0, 6, 0, 100
	for i, r := range rs {
		if isThin(ss[i]) {
			continue
		}
		var points plotter.XYs
		for p := 1; p <= 99; p++ {
			points = append(points, plotter.XY{X: min(c.X.Max, quantile(r.Readies, float64(p)/100).Seconds()), Y: float64(p)})
		}
		if err := c.curve(ss[i].what, false, points); err != nil {
			return err
		}
	}
	return c.write(name)
}

// drawLoads draws how much of its cap each viewer sends, in rising order.
func drawLoads(name string, ss []scenario, rs []*sim.Result) error {
	c := newChart("Sent by each viewer, 30 viewers", "viewers, from least to most", "% of the cap")
	c.Y.Min, c.Y.Max = 0, 100
	c.Legend.Left = true
	for i, r := range rs {
		if i%2 != 0 || len(r.Loads) == 0 { // four curves are enough
			continue
		}
		var points plotter.XYs
		for k, share := range r.Loads {
			points = append(points, plotter.XY{X: float64(k + 1), Y: 100 * share})
		}
		if err := c.curve(ss[i].what, false, points); err != nil {
			return err
		}
	}
	return c.write(name)
}
