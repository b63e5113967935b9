package assets

import (
	"embed"
	"strings"
)

//go:embed icon.svg
var icon []byte

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

// Glyph returns the icon of a name in icons/, drawn in colour ("#rrggbb"), or
// nil if there is none. The files are white.
func Glyph(name, colour string) *Image {
	b, err := icons.ReadFile("icons/" + name + ".svg")
	if err != nil {
		return nil
	}
	return &Image{name + colour + ".svg", []byte(strings.ReplaceAll(string(b), "#ffffff", colour))}
}
