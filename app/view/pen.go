package view

import (
	"image"
	"image/color"
	"image/draw"
	"math"

	"golang.org/x/image/vector"
)

// pen draws smooth shapes into a picture. Lengths are in the picture's pixels.
type pen struct {
	img    *image.RGBA
	z      *vector.Rasterizer
	shapes [][]dot2 // to be inked
}

type dot2 struct{ x, y float32 }

func newPen(w, h int) *pen {
	return &pen{img: image.NewRGBA(image.Rect(0, 0, w, h)), z: vector.NewRasterizer(w, h)}
}

// begin makes the picture empty.
func (p *pen) begin() { clear(p.img.Pix) }

// ink fills the shapes. It costs what they cover, not what the picture has.
func (p *pen) ink(c color.Color) {
	r := p.covered()
	p.z.Reset(r.Dx(), r.Dy())
	p.z.DrawOp = draw.Over
	x, y := float32(r.Min.X), float32(r.Min.Y)
	for _, s := range p.shapes {
		p.z.MoveTo(s[0].x-x, s[0].y-y)
		for _, q := range s[1:] {
			p.z.LineTo(q.x-x, q.y-y)
		}
		p.z.ClosePath()
	}
	p.shapes = p.shapes[:0]
	p.z.Draw(p.img, r, image.NewUniform(c), image.Point{})
}

// covered is the part of the picture that the shapes touch.
func (p *pen) covered() (r image.Rectangle) {
	for _, s := range p.shapes {
		for _, q := range s {
			x, y := int(math.Floor(float64(q.x))), int(math.Floor(float64(q.y)))
			r = r.Union(image.Rect(x, y, x+1, y+1))
		}
	}
	return r.Intersect(p.img.Rect)
}

// area fills a polygon.
func (p *pen) area(points []dot2, c color.Color) {
	if len(points) < 3 {
		return
	}
	p.path(points)
	p.ink(c)
}

func (p *pen) path(points []dot2) { p.shapes = append(p.shapes, points) }

// line strokes a chain of points, each stretch a bar of its own with a disc at
// the joint, all filled at once so that nothing is inked twice.
func (p *pen) line(points []dot2, width float32, c color.Color) {
	for i := 1; i < len(points); i++ {
		p.bar(points[i-1], points[i], width)
		if i > 1 && width > 2 {
			p.round(points[i-1], width/2)
		}
	}
	p.ink(c)
}

// bar adds a straight stretch. All shapes of one inking turn the same way round.
func (p *pen) bar(a, b dot2, width float32) {
	dx, dy := b.x-a.x, b.y-a.y
	n := float32(math.Hypot(float64(dx), float64(dy)))
	if n == 0 {
		return
	}
	ox, oy := -dy/n*width/2, dx/n*width/2
	p.path([]dot2{{a.x + ox, a.y + oy}, {a.x - ox, a.y - oy}, {b.x - ox, b.y - oy}, {b.x + ox, b.y + oy}})
}

// round adds a disc.
func (p *pen) round(at dot2, r float32) {
	const corners = 28
	points := make([]dot2, corners)
	for i := range points {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / corners)
		points[i] = dot2{at.x + r*float32(cos), at.y + r*float32(sin)}
	}
	p.path(points)
}

// disc fills a circle.
func (p *pen) disc(at dot2, r float32, c color.Color) {
	p.round(at, r)
	p.ink(c)
}

// ring strokes a circle.
func (p *pen) ring(at dot2, r, width float32, c color.Color) {
	const corners = 48
	points := make([]dot2, 0, corners+1)
	for i := range corners + 1 {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / corners)
		points = append(points, dot2{at.x + r*float32(cos), at.y + r*float32(sin)})
	}
	p.line(points, width, c)
}

// dashes strokes a level line in pieces.
func (p *pen) dashes(y, from, to, width, piece float32, c color.Color) {
	for x := from; x < to; x += 2 * piece {
		p.bar(dot2{x, y}, dot2{min(to, x+piece), y}, width)
	}
	p.ink(c)
}
