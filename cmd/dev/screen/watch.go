package screen

import (
	"context"
	"time"
)

// strip is a place on the screen where numbers are read; of no width: none known.
type strip struct{ left, right, y int }

// Seen is a picture that came to the screen.
type Seen struct {
	Picture int
	At      time.Time
}

// look is how often the screen is looked at: a twentieth of the least time that a
// picture of a film stays, and far below what Xvfb can draw in.
const look = 1500 * time.Microsecond

// Watch notes each picture that comes to the screen until ctx ends.
func (s *Screen) Watch(ctx context.Context) (all []Seen) {
	tick := time.NewTicker(look)
	defer tick.Stop()
	last := -1
	for {
		if n, ok := s.Picture(); ok && n != last {
			last = n
			all = append(all, Seen{n, time.Now()})
		}
		select {
		case <-ctx.Done():
			return all
		case <-tick.C:
		}
	}
}

// Await waits for any picture, or for there being none.
func (s *Screen) Await(ctx context.Context, there bool) (Seen, error) {
	tick := time.NewTicker(look)
	defer tick.Stop()
	for {
		if n, ok := s.Picture(); ok == there {
			return Seen{n, time.Now()}, nil
		}
		select {
		case <-ctx.Done():
			return Seen{}, ctx.Err()
		case <-tick.C:
		}
	}
}

// Picture reads the number of the picture that is on the screen.
func (s *Screen) Picture() (n int, ok bool) {
	if s.strip.right > s.strip.left {
		if n, ok = s.read(s.row(s.strip.y)); ok {
			return n, true
		}
	}
	return s.find()
}

// find looks all over the screen: in rows near enough to each other that one of
// them meets the strip.
func (s *Screen) find() (n int, ok bool) {
	const step = 6
	for y := step / 2; y < s.high; y += step {
		row := s.row(y)
		left, right := -1, -1
		for x := 0; x < s.wide; x++ {
			switch p := row[4*x : 4*x+4]; {
			case left < 0 && magenta(p):
				left = x
			case left >= 0 && green(p):
				right = x + 1
			}
		}
		if left < 0 || right-left < cells*2 {
			continue
		}
		was := s.strip
		s.strip = strip{left, right, y}
		if n, ok = s.read(row); ok {
			// The next row is still in the strip, and farther from its edge.
			s.strip.y = min(y+step/2, s.high-1)
			if _, in := s.read(s.row(s.strip.y)); !in {
				s.strip.y = y
			}
			return n, true
		}
		s.strip = was
	}
	return 0, false
}

// Light is how bright a row of the screen is, from 0 to 1.
func (s *Screen) Light(y int) float64 {
	sum := 0
	for x, v := range s.row(y) {
		if x%4 < 3 {
			sum += int(v)
		}
	}
	return float64(sum) / (255 * 3 * float64(s.wide))
}

// row reads a row of pixels: blue, green, red and nothing for each.
func (s *Screen) row(y int) []byte {
	b := make([]byte, s.stride)
	if _, err := s.pixels.ReadAt(b, s.at+int64(y)*int64(s.stride)); err != nil {
		return make([]byte, s.stride)
	}
	return b
}

// read takes the number out of a row. What is drawn at the moment, or is no strip,
// has bits that do not agree with their inverses.
func (s *Screen) read(row []byte) (n int, ok bool) {
	wide := float64(s.strip.right-s.strip.left) / cells
	pixel := func(i int) []byte {
		x := s.strip.left + int((float64(i)+0.5)*wide)
		return row[4*x : 4*x+4]
	}
	if !magenta(pixel(0)) || !green(pixel(cells-1)) {
		return 0, false
	}
	for i := range bits {
		bit, inverse := pixel(1 + i)[1], pixel(1 + bits + i)[1]
		switch {
		case bit > 160 && inverse < 96:
			n |= 1 << i
		case bit < 96 && inverse > 160:
		default:
			return 0, false
		}
	}
	return n, true
}

func magenta(p []byte) bool { return p[0] > 150 && p[1] < 110 && p[2] > 150 }
func green(p []byte) bool   { return p[0] < 110 && p[1] > 150 && p[2] < 110 }
