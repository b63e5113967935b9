package view

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"

	"coral/app/settings"
)

// Colours of Coral's own, beside Fyne's. The details window and the source line
// use one colour for one source, everywhere.
const (
	colourPeers  fyne.ThemeColorName = "coral-peers"
	colourOrigin fyne.ThemeColorName = "coral-origin"
	colourCache  fyne.ThemeColorName = "coral-cache"
	colourUpload fyne.ThemeColorName = "coral-upload"
	colourGroove fyne.ThemeColorName = "coral-groove" // of the seek bar
	colourBar    fyne.ThemeColorName = "coral-bar"    // ground of the header
)

// look is Coral's theme. The zero value follows the system's light or dark.
type look struct{ kind settings.Theme }

var _ fyne.Theme = look{}

// Theme returns Coral's theme. Setting it before the window is built spares
// drawing everything twice.
func Theme(kind settings.Theme) fyne.Theme { return look{kind} }

type palette map[fyne.ThemeColorName]color.NRGBA

func rgb(hex uint32) color.NRGBA {
	return color.NRGBA{uint8(hex >> 16), uint8(hex >> 8), uint8(hex), 255}
}

func veil(hex uint32, alpha uint8) color.NRGBA {
	c := rgb(hex)
	c.A = alpha
	return c
}

// dark is the sea at depth; the picture is the brightest thing.
var dark = palette{
	theme.ColorNameBackground:          rgb(0x0e1418),
	theme.ColorNameForeground:          rgb(0xecf1f3),
	theme.ColorNamePlaceHolder:         rgb(0x9baab4),
	theme.ColorNameDisabled:            rgb(0x66757f),
	theme.ColorNamePrimary:             rgb(0xff7a61),
	theme.ColorNameForegroundOnPrimary: rgb(0x21100c),
	theme.ColorNameHyperlink:           rgb(0xff937d),
	theme.ColorNameButton:              rgb(0x222d35),
	theme.ColorNameDisabledButton:      rgb(0x1a2329),
	theme.ColorNameHover:               veil(0xffffff, 0x16),
	theme.ColorNamePressed:             veil(0xffffff, 0x2a),
	theme.ColorNameFocus:               veil(0xff7a61, 0x66),
	theme.ColorNameSelection:           veil(0xff7a61, 0x55),
	theme.ColorNameInputBackground:     rgb(0x1b242a),
	theme.ColorNameInputBorder:         rgb(0x3a4852),
	theme.ColorNameOverlayBackground:   rgb(0x161e24),
	theme.ColorNameMenuBackground:      rgb(0x1b252c),
	theme.ColorNameHeaderBackground:    rgb(0x131b20),
	theme.ColorNameSeparator:           rgb(0x28333b),
	theme.ColorNameScrollBar:           veil(0xffffff, 0x50),
	theme.ColorNameScrollBarBackground: veil(0xffffff, 0x08),
	theme.ColorNameShadow:              veil(0x000000, 0x80),
	theme.ColorNameSuccess:             rgb(0x4fc38a),
	theme.ColorNameWarning:             rgb(0xf2b84b),
	theme.ColorNameError:               rgb(0xff6b75),
	theme.ColorNameForegroundOnSuccess: rgb(0x06210f),
	theme.ColorNameForegroundOnWarning: rgb(0x2a1c00),
	theme.ColorNameForegroundOnError:   rgb(0x2b0508),
	colourPeers:                        rgb(0xff7a61),
	colourOrigin:                       rgb(0x38a3b8),
	colourCache:                        rgb(0x7d8f9b),
	colourUpload:                       rgb(0xb48ae0),
	colourGroove:                       veil(0xffffff, 0x38),
	colourBar:                          rgb(0x131b20),
}

// light is paper and the same inks, darker so that they read.
var light = palette{
	theme.ColorNameBackground:          rgb(0xf8f6f3),
	theme.ColorNameForeground:          rgb(0x17212a),
	theme.ColorNamePlaceHolder:         rgb(0x57646e),
	theme.ColorNameDisabled:            rgb(0x929a9f),
	theme.ColorNamePrimary:             rgb(0xc63f2d),
	theme.ColorNameForegroundOnPrimary: rgb(0xffffff),
	theme.ColorNameHyperlink:           rgb(0xb03625),
	theme.ColorNameButton:              rgb(0xe9e4de),
	theme.ColorNameDisabledButton:      rgb(0xefebe6),
	theme.ColorNameHover:               veil(0x17212a, 0x12),
	theme.ColorNamePressed:             veil(0x17212a, 0x24),
	theme.ColorNameFocus:               veil(0xc63f2d, 0x55),
	theme.ColorNameSelection:           veil(0xc63f2d, 0x3c),
	theme.ColorNameInputBackground:     rgb(0xf0ece7),
	theme.ColorNameInputBorder:         rgb(0xbdb4aa),
	theme.ColorNameOverlayBackground:   rgb(0xffffff),
	theme.ColorNameMenuBackground:      rgb(0xffffff),
	theme.ColorNameHeaderBackground:    rgb(0xffffff),
	theme.ColorNameSeparator:           rgb(0xe2dcd5),
	theme.ColorNameScrollBar:           veil(0x17212a, 0x60),
	theme.ColorNameScrollBarBackground: veil(0x17212a, 0x08),
	theme.ColorNameShadow:              veil(0x2a1d14, 0x40),
	theme.ColorNameSuccess:             rgb(0x18794e),
	theme.ColorNameWarning:             rgb(0x8f5b00),
	theme.ColorNameError:               rgb(0xb3202f),
	theme.ColorNameForegroundOnSuccess: rgb(0xffffff),
	theme.ColorNameForegroundOnWarning: rgb(0xffffff),
	theme.ColorNameForegroundOnError:   rgb(0xffffff),
	colourPeers:                        rgb(0xd9513e),
	colourOrigin:                       rgb(0x14788c),
	colourCache:                        rgb(0x75828b),
	colourUpload:                       rgb(0x7a4fb5),
	colourGroove:                       veil(0xffffff, 0x38),
	colourBar:                          rgb(0xffffff),
}

// contrast is for those who need it: no greys that carry meaning, every edge
// drawn.
var contrast = palette{
	theme.ColorNameBackground:          rgb(0x000000),
	theme.ColorNameForeground:          rgb(0xffffff),
	theme.ColorNamePlaceHolder:         rgb(0xe4e4e4),
	theme.ColorNameDisabled:            rgb(0xa8a8a8),
	theme.ColorNamePrimary:             rgb(0xffd23f),
	theme.ColorNameForegroundOnPrimary: rgb(0x000000),
	theme.ColorNameHyperlink:           rgb(0xffd23f),
	theme.ColorNameButton:              rgb(0x262626),
	theme.ColorNameDisabledButton:      rgb(0x101010),
	theme.ColorNameHover:               veil(0xffffff, 0x40),
	theme.ColorNamePressed:             veil(0xffffff, 0x50),
	theme.ColorNameFocus:               veil(0xffd23f, 0x70),
	theme.ColorNameSelection:           veil(0x3f8cff, 0xc0),
	theme.ColorNameInputBackground:     rgb(0x000000),
	theme.ColorNameInputBorder:         rgb(0xffffff),
	theme.ColorNameOverlayBackground:   rgb(0x000000),
	theme.ColorNameMenuBackground:      rgb(0x000000),
	theme.ColorNameHeaderBackground:    rgb(0x000000),
	theme.ColorNameSeparator:           rgb(0xffffff),
	theme.ColorNameScrollBar:           rgb(0xffffff),
	theme.ColorNameScrollBarBackground: rgb(0x303030),
	theme.ColorNameShadow:              veil(0xffffff, 0x90),
	theme.ColorNameSuccess:             rgb(0x5cf29b),
	theme.ColorNameWarning:             rgb(0xffd23f),
	theme.ColorNameError:               rgb(0xff9aa0),
	theme.ColorNameForegroundOnSuccess: rgb(0x000000),
	theme.ColorNameForegroundOnWarning: rgb(0x000000),
	theme.ColorNameForegroundOnError:   rgb(0x000000),
	colourPeers:                        rgb(0xff9a85),
	colourOrigin:                       rgb(0x5fe0f5),
	colourCache:                        rgb(0xd0d0d0),
	colourUpload:                       rgb(0xd9b8ff),
	colourGroove:                       rgb(0x808080),
	colourBar:                          rgb(0x000000),
}

func (l look) palette(v fyne.ThemeVariant) palette {
	switch {
	case l.kind == settings.ThemeContrast:
		return contrast
	case l.kind == settings.ThemeLight:
		return light
	case l.kind == settings.ThemeDark || v == theme.VariantDark:
		return dark
	}
	return light
}

// Color implements fyne.Theme.
func (l look) Color(name fyne.ThemeColorName, v fyne.ThemeVariant) color.Color {
	p := l.palette(v)
	if c, ok := p[name]; ok {
		return c
	}
	v = theme.VariantLight
	if p[theme.ColorNameBackground].R < 0x80 {
		v = theme.VariantDark
	}
	return theme.DefaultTheme().Color(name, v)
}

// Size implements fyne.Theme.
func (l look) Size(name fyne.ThemeSizeName) float32 {
	switch name {
	case theme.SizeNameHeadingText:
		return 26
	case theme.SizeNameSubHeadingText:
		return 18
	case theme.SizeNameText:
		return 14
	case theme.SizeNameCaptionText:
		return 12
	case theme.SizeNameInputRadius:
		return 8
	case theme.SizeNameSelectionRadius:
		return 6
	case theme.SizeNameScrollBar:
		return 12
	case theme.SizeNameScrollBarSmall:
		return 4
	case theme.SizeNameScrollBarRadius:
		return 6
	case theme.SizeNameInputBorder:
		if l.kind == settings.ThemeContrast {
			return 2
		}
	}
	return theme.DefaultTheme().Size(name)
}

// Font implements fyne.Theme.
func (look) Font(s fyne.TextStyle) fyne.Resource { return theme.DefaultTheme().Font(s) }

// Icon implements fyne.Theme.
func (look) Icon(n fyne.ThemeIconName) fyne.Resource { return theme.DefaultTheme().Icon(n) }

// overVideo is the theme of what lies over the picture: dark whatever the
// window's is, since pictures are; with high contrast, that.
func overVideo(kind settings.Theme) look {
	if kind == settings.ThemeContrast {
		return look{settings.ThemeContrast}
	}
	return look{settings.ThemeDark}
}

// grooved is the window's theme for sliders, whose groove Fyne draws in the
// colour of fields, which nobody sees on a card.
type grooved struct{ look }

// Color implements fyne.Theme.
func (grooved) Color(name fyne.ThemeColorName, v fyne.ThemeVariant) color.Color {
	if name == theme.ColorNameInputBackground {
		name = theme.ColorNameInputBorder
	}
	return fyne.CurrentApp().Settings().Theme().Color(name, v)
}
