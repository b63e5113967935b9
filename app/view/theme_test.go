package view

import (
	"image/color"
	"math"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/theme"

	"coral/app/settings"
)

// luminance and ratio are WCAG 2.2's.
func luminance(c color.NRGBA) float64 {
	f := func(v uint8) float64 {
		x := float64(v) / 255
		if x <= 0.04045 {
			return x / 12.92
		}
		return math.Pow((x+0.055)/1.055, 2.4)
	}
	return 0.2126*f(c.R) + 0.7152*f(c.G) + 0.0722*f(c.B)
}

func ratio(a, b color.NRGBA) float64 {
	x, y := luminance(a), luminance(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

func TestColoursRead(t *testing.T) {
	grounds := []fyne.ThemeColorName{theme.ColorNameBackground, theme.ColorNameOverlayBackground, theme.ColorNameMenuBackground, colourBar, theme.ColorNameInputBackground}
	for name, c := range map[string]struct {
		palette               palette
		text, graphic, groove float64
	}{"dark": {dark, 4.5, 3, 1.7}, "light": {light, 4.5, 3, 1.7}, "contrast": {contrast, 7, 4.5, 4.5}} {
		p := c.palette
		pairs := [][2]fyne.ThemeColorName{
			{theme.ColorNameForegroundOnPrimary, theme.ColorNamePrimary},
			{theme.ColorNameForegroundOnError, theme.ColorNameError},
			{theme.ColorNameForegroundOnSuccess, theme.ColorNameSuccess},
			{theme.ColorNameForegroundOnWarning, theme.ColorNameWarning},
			{theme.ColorNameForeground, theme.ColorNameButton},
		}
		for _, g := range grounds {
			for _, ink := range []fyne.ThemeColorName{theme.ColorNameForeground, theme.ColorNamePlaceHolder, theme.ColorNameHyperlink} {
				pairs = append(pairs, [2]fyne.ThemeColorName{ink, g})
			}
		}
		for _, pair := range pairs {
			if r := ratio(p[pair[0]], p[pair[1]]); r < c.text {
				t.Errorf("%s: %s on %s: %.2f, want %.1f", name, pair[0], pair[1], r, c.text)
			}
		}
		// What has the keyboard, the mouse or is selected has a veil over its ground.
		for _, on := range []fyne.ThemeColorName{theme.ColorNameFocus, theme.ColorNameHover, theme.ColorNamePressed, theme.ColorNameSelection} {
			for _, g := range append(grounds, theme.ColorNameButton) {
				if r := ratio(p[theme.ColorNameForeground], laid(p[g], p[on])); r < 4.5 {
					t.Errorf("%s: words on %s over %s: %.2f", name, on, g, r)
				}
			}
		}
		if r := ratio(p[theme.ColorNameInputBorder], p[theme.ColorNameOverlayBackground]); r < c.groove {
			t.Errorf("%s: a slider's groove on a card: %.2f, want %.1f", name, r, c.groove)
		}
		for _, ink := range []fyne.ThemeColorName{theme.ColorNamePrimary, theme.ColorNameError, theme.ColorNameWarning, theme.ColorNameSuccess, colourPeers, colourOrigin, colourCache, colourUpload} {
			if r := ratio(p[ink], p[theme.ColorNameOverlayBackground]); r < c.graphic {
				t.Errorf("%s: %s on a card: %.2f, want %.1f", name, ink, r, c.graphic)
			}
		}
	}
}

func TestLookFollows(t *testing.T) {
	for _, c := range []struct {
		kind    settings.Theme
		variant fyne.ThemeVariant
		want    palette
	}{
		{settings.ThemeSystem, theme.VariantDark, dark},
		{settings.ThemeSystem, theme.VariantLight, light},
		{settings.ThemeLight, theme.VariantDark, light},
		{settings.ThemeDark, theme.VariantLight, dark},
		{settings.ThemeContrast, theme.VariantLight, contrast},
		{"", theme.VariantDark, dark},
	} {
		if got := (look{c.kind}).Color(theme.ColorNameBackground, c.variant); got != c.want[theme.ColorNameBackground] {
			t.Errorf("%q in variant %d: background %v", c.kind, c.variant, got)
		}
	}
	if over := overVideo(settings.ThemeLight).Color(theme.ColorNameForeground, theme.VariantLight); over != dark[theme.ColorNameForeground] {
		t.Errorf("over the picture of a light window words are %v", over)
	}
}

// A slider's groove is that of the theme that holds now.
func TestSliderGroove(t *testing.T) {
	a := test.NewTempApp(t)
	for _, kind := range []settings.Theme{settings.ThemeLight, settings.ThemeContrast} {
		a.Settings().SetTheme(look{kind})
		want := (look{kind}).Color(theme.ColorNameInputBorder, theme.VariantDark)
		if got := (grooved{}).Color(theme.ColorNameInputBackground, theme.VariantDark); got != want {
			t.Errorf("%s: %v, want %v", kind, got, want)
		}
	}
}
