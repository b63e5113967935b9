package screen

import (
	"os"
	"path/filepath"
	"testing"
)

// painted is a screen whose pixels a test draws.
func painted(t *testing.T, wide, high int, paint func(x, y int) [3]byte) *Screen {
	t.Helper()
	b := make([]byte, 4*wide*high)
	for y := range high {
		for x := range wide {
			c := paint(x, y)
			copy(b[4*(y*wide+x):], []byte{c[2], c[1], c[0]})
		}
	}
	name := filepath.Join(t.TempDir(), "pixels")
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return &Screen{pixels: f, stride: 4 * wide, wide: wide, high: high}
}

// drawn is a strip with a number, at a place and so many times its size; the bits
// from torn on are those of the next number.
func drawn(n, left, top int, size float64, torn int) func(x, y int) [3]byte {
	return func(x, y int) [3]byte {
		c := int((float64(x-left) + 0.5) / (cell * size))
		if x < left || c >= cells || y < top || y >= top+int(stripHigh*size) {
			return [3]byte{90, 110, 100}
		}
		number := n
		if c >= torn {
			number = n + 1
		}
		switch bit := byte(number >> ((c - 1 + bits) % bits) & 1 * 255); {
		case c == 0:
			return [3]byte{250, 10, 240}
		case c == cells-1:
			return [3]byte{10, 250, 10}
		case c > bits:
			return [3]byte{255 - bit, 255 - bit, 255 - bit}
		default:
			return [3]byte{bit, bit, bit}
		}
	}
}

func TestPicture(t *testing.T) {
	for name, c := range map[string]struct {
		n, left, top int
		size         float64
	}{
		"as it is":      {1234, 51, 60, 1},
		"half as large": {4095, 200, 13, 0.5},
		"larger":        {0, 3, 100, 1.5},
		"at the edge":   {77, 380, 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			s := painted(t, 640, 240, drawn(c.n, c.left, c.top, c.size, cells))
			for range 2 { // found, and read again where it was
				if n, ok := s.Picture(); !ok || n != c.n {
					t.Errorf("picture %d, %t; want %d", n, ok, c.n)
				}
			}
		})
	}
	if n, ok := painted(t, 640, 240, func(int, int) [3]byte { return [3]byte{255, 0, 255} }).Picture(); ok {
		t.Errorf("picture %d where there is none", n)
	}
	if n, ok := painted(t, 640, 240, drawn(6, 51, 60, 1, bits)).Picture(); ok {
		t.Errorf("picture %d out of two halves", n)
	}
}
