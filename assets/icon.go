package assets

import (
	"embed"
	"strconv"
	"strings"
)

// The icons' grid, and the width of their lines in it.
const glyphGrid, glyphLine = 24, 2

//go:embed icon.svg
var icon []byte

//go:embed icon-128.png
var pixels []byte

//go:embed icons/*.svg
var icons embed.FS

// Image is an embedded picture. It satisfies Fyne's Resource, which this
// package does not know.
type Image struct {
	name    string
	content []byte
}

// Name implements fyne.Resource.
func (i *Image) Name() string { return i.name }

// Content implements fyne.Resource. The caller must not change it.
func (i *Image) Content() []byte { return i.content }

// Icon is the program's icon, an SVG.
func Icon() *Image { return &Image{"coral.svg", icon} }

// Pixels is the program's icon for windows and the tray, a PNG: a tray shows no
// other, and to draw the SVG in their size takes Fyne a tenth of a second a window.
func Pixels() *Image { return &Image{"coral.png", pixels} }

// Glyph returns the icon of a name in icons/, drawn in colour ("#rrggbb") to be
// shown at so many pixels, or nil if there is none. The files are white and 24
// units wide, with lines of 2: Fyne's SVG painter scales shapes, but not the
// width of lines.
func Glyph(name, colour string, pixels float32) *Image {
	b, err := icons.ReadFile("icons/" + name + ".svg")
	if err != nil {
		return nil
	}
	width := strconv.FormatFloat(float64(glyphLine*pixels/glyphGrid), 'f', 2, 32)
	svg := strings.NewReplacer("#ffffff", colour, `stroke-width="2"`, `stroke-width="`+width+`"`).Replace(string(b))
	return &Image{name + colour + width + ".svg", []byte(svg)}
}
