//go:build ignore

// The clip's pictures; see make.go.
package main

import (
	"fmt"
	"math"
	"math/rand/v2"
)

type rgb struct{ r, g, b float64 }

func mix(a, b rgb, t float64) rgb {
	return rgb{a.r + (b.r-a.r)*t, a.g + (b.g-a.g)*t, a.b + (b.b-a.b)*t}
}

type canvas []rgb

// wave is a sine that runs a whole number of times through the loop.
func wave(t float64, times int, phase float64) float64 {
	return math.Sin(2*math.Pi*(t*float64(times)/loop) + phase)
}

// draw gives the picture at t seconds as RGB bytes.
func draw(t float64) []byte {
	c := make(canvas, width*height)
	c.water(t)
	for _, p := range reef {
		c.plant(p, t)
	}
	c.sand()
	c.fish(t)
	c.bubbles(t)
	c.title()
	c.dial(t)
	out := make([]byte, 0, width*height*3)
	for _, p := range c {
		for _, v := range [3]float64{p.r, p.g, p.b} {
			out = append(out, byte(255*math.Max(0, math.Min(1, v))+0.5))
		}
	}
	return out
}

// water fills the picture: light above, dark below, and slow rays.
func (c canvas) water(t float64) {
	top, deep := rgb{0.10, 0.55, 0.66}, rgb{0.01, 0.09, 0.22}
	for y := range height {
		v := float64(y) / height
		base := mix(top, deep, math.Pow(v, 0.75))
		for x := range width {
			u := float64(x)/width + 0.35*v
			ray := wave(t, 1, 9*u) + 0.7*wave(t, -2, 17*u+1) + 0.5*wave(t, 3, 29*u+2)
			lift := math.Max(0, ray) * 0.06 * (1 - v) * (1 - v)
			c[y*width+x] = rgb{base.r + lift, base.g + 1.5*lift, base.b + 1.4*lift}
		}
	}
}

// stroke draws a round-ended line whose width runs from ra to rb.
func (c canvas) stroke(x0, y0, x1, y1, ra, rb float64, col rgb, alpha float64) {
	pad := math.Max(ra, rb) + 1
	c.shape(math.Min(x0, x1)-pad, math.Min(y0, y1)-pad, math.Max(x0, x1)+pad, math.Max(y0, y1)+pad, func(x, y float64) (float64, rgb) {
		dx, dy := x1-x0, y1-y0
		h := ((x-x0)*dx + (y-y0)*dy) / (dx*dx + dy*dy + 1e-9)
		h = math.Max(0, math.Min(1, h))
		d := math.Hypot(x-x0-h*dx, y-y0-h*dy) - (ra + (rb-ra)*h)
		// A little light from the upper left makes the line round.
		shade := 1.0
		if r := ra + (rb-ra)*h; r > 1.5 {
			shade = 1 - 0.22*((x-x0-h*dx)+(y-y0-h*dy))/r
		}
		return d, rgb{col.r * shade, col.g * shade, col.b * shade}
	}, alpha)
}

// ring draws part of a circle's line: span is in turns from the top, clockwise.
func (c canvas) ring(cx, cy, radius, w, from, span float64, col rgb, alpha float64) {
	pad := radius + w + 1
	c.shape(cx-pad, cy-pad, cx+pad, cy+pad, func(x, y float64) (float64, rgb) {
		a := math.Atan2(x-cx, cy-y)/(2*math.Pi) - from
		a -= math.Floor(a)
		if a <= span {
			return math.Abs(math.Hypot(x-cx, y-cy)-radius) - w, col
		}
		end := func(turn float64) float64 {
			s, k := math.Sincos(2 * math.Pi * turn)
			return math.Hypot(x-(cx+radius*s), y-(cy-radius*k)) - w
		}
		return math.Min(end(from), end(from+span)), col
	}, alpha)
}

// shape paints where the distance is below zero, with soft edges.
func (c canvas) shape(x0, y0, x1, y1 float64, at func(x, y float64) (float64, rgb), alpha float64) {
	for y := max(0, int(y0)); y <= min(height-1, int(y1)+1); y++ {
		for x := max(0, int(x0)); x <= min(width-1, int(x1)+1); x++ {
			d, col := at(float64(x)+0.5, float64(y)+0.5)
			if cover := math.Max(0, math.Min(1, 0.5-d)) * alpha; cover > 0 {
				p := &c[y*width+x]
				*p = mix(*p, col, cover)
			}
		}
	}
}

// A plant is a tree of branches; each sways about its foot.
type plant struct {
	x, y  float64
	root  branch
	col   rgb
	depth float64 // 0 near, 1 far: paler and bluer
}

type branch struct {
	angle, length, width, phase float64
	times                       int
	kids                        []branch
}

var reef = grow()

func grow() []plant {
	rnd := rand.New(rand.NewPCG(7, 2026))
	var tree func(angle, length, w float64, level int) branch
	tree = func(angle, length, w float64, level int) branch {
		b := branch{angle: angle, length: length, width: w, phase: rnd.Float64() * 6, times: 3 + rnd.IntN(3)}
		if level == 0 {
			return b
		}
		n := 2
		if rnd.Float64() < 0.4 {
			n = 3
		}
		for i := range n {
			turn := (float64(i)-float64(n-1)/2)*0.62 + (rnd.Float64()-0.5)*0.3
			b.kids = append(b.kids, tree(turn, length*(0.70+0.16*rnd.Float64()), w*0.74, level-1))
		}
		return b
	}
	cols := []rgb{{0.98, 0.42, 0.36}, {0.98, 0.60, 0.33}, {0.90, 0.33, 0.55}, {0.66, 0.42, 0.85}, {0.99, 0.76, 0.42}}
	spots := []struct {
		x, size, depth float64
		col, level     int
	}{
		{70, 40, 1, 3, 4},
		{205, 44, 0.95, 2, 4},
		{395, 38, 1, 4, 4},
		{560, 48, 0.95, 3, 4},
		{140, 46, 0.5, 1, 4},
		{480, 50, 0.5, 2, 4},
		{610, 40, 0.45, 1, 4},
		{300, 34, 0.5, 3, 4},
		{30, 58, 0, 2, 5},
		{535, 66, 0, 0, 5},
		{235, 42, 0.05, 0, 4},
		{395, 34, 0, 1, 4},
	}
	var ps []plant
	for _, s := range spots {
		ps = append(ps, plant{
			x: s.x, y: 344 - 6*s.depth, col: cols[s.col], depth: s.depth,
			root: tree((rnd.Float64()-0.5)*0.3, s.size, s.size*0.13, s.level),
		})
	}
	return ps
}

func (c canvas) plant(p plant, t float64) {
	var grow func(b *branch, x, y, angle float64, level int)
	grow = func(b *branch, x, y, angle float64, level int) {
		angle += b.angle + 0.035*float64(level+1)*wave(t, b.times, b.phase) + 0.03*wave(t, 2, p.x/90)
		s, k := math.Sincos(angle)
		x1, y1 := x+b.length*s, y-b.length*k
		col := mix(p.col, rgb{1, 0.93, 0.85}, 0.09*float64(level))
		col = mix(col, rgb{0.03, 0.26, 0.42}, 0.72*p.depth)
		for i := range b.kids {
			grow(&b.kids[i], x1, y1, angle, level+1)
		}
		c.stroke(x, y, x1, y1, b.width, b.width*0.78, col, 1)
	}
	grow(&p.root, p.x, p.y, 0, 0)
}

func (c canvas) sand() {
	for x := range width {
		u := float64(x)
		edge := 334 + 5*math.Sin(u/70) + 3*math.Sin(u/31+1)
		for y := int(edge) - 1; y < height; y++ {
			a := math.Max(0, math.Min(1, float64(y)-edge))
			p := &c[y*width+x]
			*p = mix(*p, mix(rgb{0.72, 0.62, 0.48}, rgb{0.30, 0.30, 0.36}, (float64(y)-edge)/28), a)
		}
	}
}

// fish swim through the picture once or twice a loop.
func (c canvas) fish(t float64) {
	for i := range 7 {
		f := float64(i)
		times := 1 + i%2
		dir := 1.0
		if i%3 == 1 {
			dir = -1
		}
		along := math.Mod(t*float64(times)/loop+f*0.377, 1)
		x := -40 + along*(width+80)
		if dir < 0 {
			x = width - x
		}
		y := 120 + 27*math.Mod(f*2.3, 5) + 7*wave(t, 4+i%3, f)
		size := 7 + 3*math.Mod(f*1.7, 2)
		col := []rgb{{1, 0.80, 0.30}, {0.55, 0.90, 0.92}, {1, 0.55, 0.40}}[i%3]
		tail := 0.35 * wave(t, 36, f)
		for _, side := range []float64{-1, 1} {
			c.stroke(x-dir*size*1.2, y, x-dir*size*2.1, y+side*size*0.7+tail*size, size*0.2, size*0.28, mix(col, rgb{0.1, 0.3, 0.4}, 0.25), 0.95)
		}
		c.stroke(x-dir*size*1.1, y, x+dir*size*0.5, y, size*0.3, size*0.75, col, 1)
		c.stroke(x+dir*size*0.75, y-size*0.18, x+dir*size*0.76, y-size*0.18, size*0.13, size*0.13, rgb{0.05, 0.1, 0.15}, 1)
	}
}

func (c canvas) bubbles(t float64) {
	for i := range 26 {
		f := float64(i)
		x := math.Mod(f*151.7+40, width) + 6*wave(t, 5+i%4, f)
		y := height + 10 - math.Mod(t*float64(1+i%3)/loop+f*0.618, 1)*(height+20)
		r := 1.6 + 2.6*math.Mod(f*0.37, 1)
		c.ring(x, y, r, 0.5, 0, 1, rgb{0.85, 0.97, 1}, 0.55)
		c.stroke(x-r*0.35, y-r*0.35, x-r*0.3, y-r*0.3, 0.5, 0.5, rgb{1, 1, 1}, 0.7)
	}
}

// title writes the word Coral with lines and circles: no font is needed.
func (c canvas) title() {
	const w, r = 4.2, 19.0
	ink := rgb{1, 0.97, 0.93}
	x, y := 46.0, 58.0
	pass := func(dx, dy, grow float64, col rgb, a float64) {
		x, y := x+dx, y+dy
		c.ring(x, y-6, r+6, w+grow, 0.36, 0.78, col, a)              // C
		c.ring(x+54, y, r, w+grow, 0, 1, col, a)                     // o
		c.stroke(x+90, y-r, x+90, y+r, w+grow, w+grow, col, a)       // r
		c.ring(x+104, y-r+14, 14, w+grow, 0.75, 0.33, col, a)        //
		c.ring(x+146, y, r, w+grow, 0, 1, col, a)                    // a
		c.stroke(x+146+r, y-r, x+146+r, y+r, w+grow, w+grow, col, a) //
		c.stroke(x+184, y-r-16, x+184, y+r, w+grow, w+grow, col, a)  // l
	}
	pass(1.5, 2.5, 1.2, rgb{0, 0.10, 0.18}, 0.35)
	pass(0, 0, 0, ink, 1)
}

// dial shows where in the loop the picture is, to see how late a viewer is.
func (c canvas) dial(t float64) {
	const cx, cy = 582.0, 58.0
	ink := rgb{1, 0.97, 0.93}
	c.ring(cx, cy, 32, 3, 0, 1, rgb{0, 0.10, 0.18}, 0.45)
	c.ring(cx, cy, 32, 3, 0, math.Max(0.002, t/loop), rgb{1, 0.55, 0.42}, 1)
	for i, d := range fmt.Sprintf("%02d", int(t)) {
		c.digit(cx-17+float64(i)*20, cy-14, int(d-'0'), ink)
	}
}

var sevenSegments = [10]string{"abcdef", "bc", "abged", "abgcd", "fgbc", "afgcd", "afgedc", "abc", "abcdefg", "abcdfg"}

func (c canvas) digit(x, y float64, d int, col rgb) {
	const w, h, r = 12.0, 14.0, 1.9
	lines := map[rune][4]float64{
		'a': {0, 0, w, 0}, 'b': {w, 0, w, h}, 'c': {w, h, w, 2 * h}, 'd': {0, 2 * h, w, 2 * h},
		'e': {0, h, 0, 2 * h}, 'f': {0, 0, 0, h}, 'g': {0, h, w, h},
	}
	for _, s := range sevenSegments[d] {
		l := lines[s]
		c.stroke(x+l[0], y+l[1], x+l[2], y+l[3], r, r, col, 1)
	}
}
