package view

import (
	"image"
	"image/color"
	"math"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"
)

// drawing is a picture that is drawn by a function when it is news, at the
// screen's own pixels, and only then.
type drawing struct {
	widget.BaseWidget
	least fyne.Size
	draw  func(d *drawing, p *pen, scale float32) // scale: pixels in a unit of Fyne
	pen   *pen
	stale bool
}

func newDrawing(least fyne.Size, draw func(d *drawing, p *pen, scale float32)) *drawing {
	d := &drawing{least: least, draw: draw}
	d.ExtendBaseWidget(d)
	return d
}

// again says that there is something new to draw.
func (d *drawing) again() {
	d.stale = true
	d.Refresh()
}

// image is called while Fyne paints, on its goroutine.
func (d *drawing) image(w, h int) image.Image {
	if w <= 0 || h <= 0 {
		return image.NewRGBA(image.Rect(0, 0, 1, 1))
	}
	if d.pen == nil || d.pen.img.Rect.Dx() != w || d.pen.img.Rect.Dy() != h {
		d.pen, d.stale = newPen(w, h), true
	}
	if d.stale {
		d.stale = false
		d.pen.begin()
		d.draw(d, d.pen, float32(w)/max(1, d.Size().Width))
	}
	return d.pen.img
}

// CreateRenderer implements fyne.Widget.
func (d *drawing) CreateRenderer() fyne.WidgetRenderer {
	raster := canvas.NewRaster(d.image)
	raster.ScaleMode = canvas.ImageScalePixels
	return &drawingRenderer{d, raster}
}

type drawingRenderer struct {
	drawing *drawing
	raster  *canvas.Raster
}

func (r *drawingRenderer) Layout(s fyne.Size)           { r.raster.Resize(s) }
func (r *drawingRenderer) MinSize() fyne.Size           { return r.drawing.least }
func (r *drawingRenderer) Refresh()                     { r.drawing.stale = true; r.raster.Refresh() }
func (r *drawingRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.raster} }
func (r *drawingRenderer) Destroy()                     {}

// series is what one colour of a chart shows.
type series struct {
	colour fyne.ThemeColorName
	values []float64 // one a second, oldest first; NaN: none
}

// plot is how the series of a chart are laid out.
type plot struct {
	top     float64 // the value at the upper edge
	seconds int     // from edge to edge
	stacked bool    // filled, each upon the one before; else lines
	level   float64 // a dashed line; 0: none
	series  []series
}

// The charts' measures, in Fyne's units.
const (
	chartLine  = 2
	chartSpan  = 120 // seconds
	chartGrids = 4
)

// paint draws the plot over the whole picture.
func (c *plot) paint(d *drawing, p *pen, scale float32, grid, level fyne.ThemeColorName) {
	w, h := float32(p.img.Rect.Dx()), float32(p.img.Rect.Dy())
	for i := range chartGrids + 1 {
		y := h * float32(i) / chartGrids
		y = min(h-scale/2, max(scale/2, y))
		p.bar(dot2{0, y}, dot2{w, y}, scale)
	}
	p.ink(faint(colour(d, grid), 0x90))
	y := func(v float64) float32 {
		return h - float32(math.Min(1, v/math.Max(c.top, 1e-9)))*(h-2*scale) - scale/2
	}
	x := func(i, n int) float32 {
		return w - float32(n-1-i)*w/float32(max(1, c.seconds-1))
	}
	var base []float64
	for _, s := range c.series {
		n := len(s.values)
		if n < 2 {
			continue
		}
		if base == nil {
			base = make([]float64, n)
		}
		if c.stacked {
			outline := make([]dot2, 0, 2*n)
			for i := range n {
				outline = append(outline, dot2{x(i, n), y(base[i] + s.values[i])})
			}
			for i := n - 1; i >= 0; i-- {
				outline = append(outline, dot2{x(i, n), y(base[i])})
			}
			p.area(outline, faint(colour(d, s.colour), 0xc8))
			top := make([]dot2, n)
			copy(top, outline[:n])
			for i := range base {
				base[i] += s.values[i]
			}
			p.line(top, scale, colour(d, s.colour))
			continue
		}
		line := make([]dot2, n)
		for i, v := range s.values {
			line[i] = dot2{x(i, n), y(v)}
		}
		p.line(line, chartLine*scale, colour(d, s.colour))
	}
	if c.level > 0 {
		p.dashes(y(c.level), 0, w, 1.5*scale, 6*scale, colour(d, level))
	}
}

// faint is c, not quite opaque.
func faint(c color.Color, alpha uint8) color.Color {
	n := color.NRGBAModel.Convert(c).(color.NRGBA)
	n.A = uint8(int(n.A) * int(alpha) / 255)
	return n
}

// roundUp is the least of a few steps times a power of ten that v fits under, so
// that a chart's scale seldom moves.
func roundUp(v float64) float64 {
	if v <= 0 || math.IsInf(v, 0) || math.IsNaN(v) {
		return 1
	}
	unit := math.Pow(10, math.Floor(math.Log10(v)))
	for _, m := range []float64{1, 1.5, 2, 3, 5} {
		if v <= m*unit {
			return m * unit
		}
	}
	return 10 * unit
}
