package view

import (
	"hash/fnv"
	"image"
	"image/color"
	"math"
	"math/rand/v2"
	"strings"
	"unicode"
)

// A placeholder is drawn once at this size and stretched by the graphics card.
const posterWidth, posterHeight = 240, 135

// maxPosters is how many drawn placeholders are kept: more than one screen of
// cards on the largest display, 130 kB each.
const maxPosters = 96

// posterInks are pairs of a ground and a figure colour, dark enough for white
// letters and all of the same family.
var posterInks = [][2]color.RGBA{
	{{0x7a, 0x2e, 0x3a, 255}, {0xe0, 0x5a, 0x4e, 255}}, // coral
	{{0x12, 0x3c, 0x52, 255}, {0x1f, 0x86, 0x93, 255}}, // lagoon
	{{0x35, 0x2a, 0x5e, 255}, {0x7a, 0x5c, 0xb8, 255}}, // anemone
	{{0x14, 0x46, 0x3c, 255}, {0x3d, 0x94, 0x6a, 255}}, // kelp
	{{0x5c, 0x3a, 0x14, 255}, {0xc2, 0x84, 0x2c, 255}}, // sand
	{{0x1c, 0x2f, 0x62, 255}, {0x3f, 0x6c, 0xc4, 255}}, // deep
	{{0x5a, 0x20, 0x50, 255}, {0xb2, 0x48, 0x8c, 255}}, // urchin
	{{0x2c, 0x38, 0x40, 255}, {0x63, 0x7c, 0x86, 255}}, // slate
}

// posters keeps the placeholders that were drawn last.
type posters struct {
	drawn map[string]*image.RGBA
	order []string // oldest first
}

// get returns the placeholder for name. It is never changed again.
func (p *posters) get(name string) *image.RGBA {
	if img := p.drawn[name]; img != nil {
		return img
	}
	if p.drawn == nil {
		p.drawn = make(map[string]*image.RGBA)
	}
	if len(p.order) >= maxPosters {
		delete(p.drawn, p.order[0])
		p.order = p.order[1:]
	}
	img := drawPoster(name)
	p.drawn[name] = img
	p.order = append(p.order, name)
	return img
}

// drawPoster draws rings around two points that the name decides, as growth
// rings of a coral: the same name always looks the same.
func drawPoster(name string) *image.RGBA {
	h := fnv.New64a()
	_, _ = h.Write([]byte(name)) // never fails
	seed := h.Sum64()
	dice := rand.New(rand.NewPCG(seed, seed>>32))
	ink := posterInks[seed%uint64(len(posterInks))]

	type point struct{ x, y float64 }
	w, ht := float64(posterWidth), float64(posterHeight)
	a := point{w * (0.70 + 0.35*dice.Float64()), ht * (0.55 + 0.55*dice.Float64())}
	b := point{w * (-0.05 + 0.2*dice.Float64()), ht * (-0.15 + 0.3*dice.Float64())}
	gap := 12 + 7*dice.Float64()

	img := image.NewRGBA(image.Rect(0, 0, posterWidth, posterHeight))
	for y := range posterHeight {
		for x := range posterWidth {
			fx, fy := float64(x), float64(y)
			da, db := math.Hypot(fx-a.x, fy-a.y), math.Hypot(fx-b.x, fy-b.y)
			glow := math.Max(0, 1-da/(0.95*w))
			v := 0.72*glow*glow + 0.10*(1-fy/ht)
			v += rings(da, gap, 0.78*w) * 0.13
			v += rings(db, gap*0.8, 0.42*w) * 0.10
			img.SetRGBA(x, y, mix(ink[0], ink[1], v))
		}
	}
	return img
}

// rings is a soft band each gap around a point, fading out at reach.
func rings(d, gap, reach float64) float64 {
	if d >= reach {
		return 0
	}
	wave := 0.5 + 0.5*math.Cos(2*math.Pi*d/gap)
	return wave * wave * (1 - d/reach)
}

func mix(a, b color.RGBA, v float64) color.RGBA {
	v = math.Min(1, math.Max(0, v))
	f := func(x, y uint8) uint8 { return uint8(float64(x) + (float64(y)-float64(x))*v) }
	return color.RGBA{f(a.R, b.R), f(a.G, b.G), f(a.B, b.B), 255}
}

// lastLetter ends the scripts that Fyne's font has for sure: Latin, Greek and
// Cyrillic. A poster without letters looks better than one with a box.
const lastLetter = 0x052f

// initials are the first letters of the first two words, for a placeholder.
func initials(name string) string {
	var out []rune
	for _, word := range strings.FieldsFunc(name, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) }) {
		first := []rune(word)[0]
		if first > lastLetter {
			return ""
		}
		if out = append(out, unicode.ToUpper(first)); len(out) == 2 {
			break
		}
	}
	return string(out)
}
