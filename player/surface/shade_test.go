package surface

import (
	"image"
	"image/color"
	"slices"
	"testing"
)

// brightness is what is left of a red picture's red in a column, row by row.
func brightness(img *image.RGBA) (rows []uint8) {
	for y := range img.Rect.Dy() {
		rows = append(rows, img.RGBAAt(3, y).R)
	}
	return rows
}

func TestSurfaceShades(t *testing.T) {
	for name, width := range map[string]int{"even": 320, "odd": 321} {
		t.Run(name, func(t *testing.T) {
			s := New()
			window(t, s, float32(width), 180, 1)
			f := &film{}
			s.Attach(f)
			s.Shade(40, 60)
			f.show(width, 180, red)
			got := brightness(f.image)
			if got[0] > 60 || got[179] > 60 {
				t.Errorf("%d on top, %d at the foot: too bright", got[0], got[179])
			}
			if m := slices.Min(got[40:120]); m != 255 {
				t.Errorf("%d in the middle", m)
			}
			if !slices.IsSortedFunc(got[:40], func(a, b uint8) int { return int(a) - int(b) }) || got[20] < 120 || got[20] > 180 {
				t.Errorf("no even shade on top: %v", got[:40])
			}
			for _, x := range []int{0, 1, width - 1} {
				if c := f.image.RGBAAt(x, 5); c != (color.RGBA{R: got[5], A: 255}) {
					t.Errorf("pixel %d is %v, others in its row %d", x, c, got[5])
				}
			}
			if s.Copy() != nil {
				t.Error("a poster would be dark")
			}
			// The same picture is not darkened twice, and is whole again without.
			s.refresh()
			if !slices.Equal(brightness(f.image), got) {
				t.Error("darkened twice")
			}
			if f.again > 0 {
				t.Error("a new picture is asked for twice")
			}
			s.Shade(0, 60)
			if after := brightness(f.image); after[0] != 255 || after[179] != got[179] {
				t.Errorf("without the upper one: %d on top, %d at the foot", after[0], after[179])
			}
			s.Shade(0, 0)
			if m := slices.Min(brightness(f.image)); m != 255 {
				t.Errorf("%d is left of a shade that is off", m)
			}
			if s.Copy() == nil {
				t.Error("no poster")
			}
		})
	}
}

// Heights are the surface's, wherever the picture lies and however it is scaled.
func TestSurfaceShadesWhatItCovers(t *testing.T) {
	s := New()
	win := window(t, s, 640, 400, 1) // bars of 20 above and below
	f := &film{}
	s.Attach(f)
	s.Shade(40, 0)
	f.show(320, 180, red)
	got := brightness(f.image)
	if got[0] > 180 || got[0] < 120 { // 21 of 40 down
		t.Errorf("%d in the first row", got[0])
	}
	if got[9] < 250 || got[11] != 255 {
		t.Errorf("%d, %d where the shade ends", got[9], got[11])
	}
	win.Resize(win.Canvas().Size().AddWidthHeight(0, 100)) // now 70 above: the picture lies below it
	if m := slices.Min(brightness(f.image)); m != 255 {
		t.Errorf("%d is left of a shade that ends above the picture", m)
	}
}

func BenchmarkShade720p(b *testing.B) {
	s := New()
	window(b, s, 1280, 720, 1)
	f := &film{}
	s.Attach(f)
	f.show(1280, 720, red)
	for b.Loop() {
		s.shade.done = shadow{}
		s.shade.head, s.shade.foot = 96, 196
		s.darken()
	}
}
