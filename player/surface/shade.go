package surface

import "unsafe"

const (
	// opaque is a factor that leaves a row as it is.
	opaque = 256
	// deepest is what the shade takes from the light at the very edge.
	deepest = 0.8
)

// shade darkens the head and the foot of the picture, for what is drawn over it
// to read. It does so in the picture's own memory: a translucent object over the
// picture would cost a third of the picture itself, in each frame.
type shade struct {
	head, foot float32 // heights, in units of the surface
	done       shadow  // what the picture that is shown was given
}

// shadow is all that the darkening of a picture depends on.
type shadow struct {
	head, foot  float32
	high        float32 // of the surface
	top, height float32 // of the picture in it
}

// Shade darkens the picture towards the upper and the lower edge, over these
// heights; 0: not at all.
func (s *Surface) Shade(head, foot float32) {
	if s.shade.head == head && s.shade.foot == foot {
		return
	}
	s.shade.head, s.shade.foot = head, foot
	if s.darken() {
		s.raster.Refresh()
	}
}

// darken gives the picture that is shown its shadow, and reports whether that has
// changed it. One that has another shadow already is asked for anew: what was dark is
// lost, and to keep it would be to copy it, in each frame.
func (s *Surface) darken() bool {
	if s.shown == nil {
		return false
	}
	want := shadow{s.shade.head, s.shade.foot, s.Size().Height, s.raster.Position().Y, s.raster.Size().Height}
	if want.head == 0 && want.foot == 0 {
		want = shadow{}
	}
	if want == s.shade.done {
		return false
	}
	if s.shade.done != (shadow{}) {
		s.source.Again()
		return false
	}
	s.shade.done = want
	for y := range s.shown.Rect.Dy() {
		if f := want.factor(y, s.shown.Rect.Dy()); f < opaque {
			dim(s.shown.Pix[y*s.shown.Stride:(y+1)*s.shown.Stride], f)
		}
	}
	return true
}

// factor is what is left of the light in row y of rows, in 256ths.
func (s shadow) factor(y, rows int) uint64 {
	at := s.top + (float32(y)+0.5)/float32(rows)*s.height
	depth := float32(0)
	if at < s.head {
		depth = 1 - at/s.head
	}
	if below := s.high - at; below < s.foot {
		depth = max(depth, 1-below/s.foot)
	}
	return uint64(opaque * (1 - deepest*depth*depth*(3-2*depth))) // without an edge at either end
}

// dim multiplies the colours of a row of opaque pixels, two pixels at once. The masks
// are those of little-endian machines, which all are that Fyne's window runs on.
func dim(row []byte, factor uint64) {
	const (
		even  = 0x00ff00ff00ff00ff
		alpha = 0xff000000ff000000
	)
	// Go checks each access to a slice of bytes: that would be a third of the work.
	pairs := unsafe.Slice((*uint64)(unsafe.Pointer(unsafe.SliceData(row))), len(row)/8)
	for i, v := range pairs {
		pairs[i] = (v&even)*factor>>8&even | (v>>8&even)*factor&^even | alpha
	}
	if last := row[len(row)&^7:]; len(last) == 4 {
		for i, c := range last[:3] {
			last[i] = byte(uint64(c) * factor >> 8)
		}
	}
}
