package mpv

import (
	"image"
	"sync"
	"unsafe"
)

const (
	// align is what mpv wants of rows and buffers for its fast paths.
	align = 64
	// maxSide bounds a picture: 8K, and what textures can be everywhere.
	maxSide = 8192
)

// Frames is where pictures come from. Three buffers go around: one that is being
// rendered, the newest complete one, and the one that was handed out. It does
// what a surface.FrameSource must; any goroutine may call it.
type Frames struct {
	mu       sync.Mutex
	size     image.Point // of the widget, in pixels
	source   image.Point // of the video as it is to be shown; zero: not known
	highest  int         // lines rendered at most; 0: no limit
	held     bool        // what mpv would draw now is no picture of the video
	ready    *buffer     // newest complete
	front    *buffer     // handed out
	free     []*buffer
	seq      uint64
	frontSeq uint64
	blank    bool
	onFrame  func()

	changed chan struct{} // room for one: another size is wanted
}

// buffer is a picture whose memory is used again.
type buffer struct {
	memory []byte
	image  *image.RGBA
}

func newFrames(highest int) *Frames {
	return &Frames{
		highest: highest, held: true, blank: true,
		free:    []*buffer{{}, {}, {}},
		changed: make(chan struct{}, 1),
	}
}

// SetSize says how large the widget is, in pixels. The pictures fit into it, and
// are never larger than the video.
func (f *Frames) SetSize(w, h int) {
	size := image.Pt(min(max(w, 0), maxSide), min(max(h, 0), maxSide))
	f.mu.Lock()
	changed := size != f.size
	f.size = size
	f.mu.Unlock()
	if changed {
		f.Again()
	}
}

// limit sets how many lines are rendered at most; 0: no limit.
func (f *Frames) limit(lines int) {
	f.mu.Lock()
	changed := lines != f.highest
	f.highest = lines
	f.mu.Unlock()
	if changed {
		f.Again()
	}
}

// Frame returns the newest complete picture and its number; nil if there is
// nothing to show. The picture is the caller's until the next call. Its Stride
// is 4 times its width.
func (f *Frames) Frame() (*image.RGBA, uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.blank {
		return nil, f.seq
	}
	if f.ready != nil {
		if f.front != nil {
			f.free = append(f.free, f.front)
		}
		f.front, f.ready, f.frontSeq = f.ready, nil, f.seq
	}
	if f.front == nil {
		return nil, f.seq
	}
	return f.front.image, f.frontSeq
}

// OnFrame sets what is called, from the render goroutine, when there is
// something new to show; nil: nothing. It must not block.
func (f *Frames) OnFrame(call func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.onFrame = call
}

// Again asks for the present picture once more, in the size that is wanted now.
func (f *Frames) Again() {
	select {
	case f.changed <- struct{}{}:
	default:
	}
}

// setSource says how large the video is.
func (f *Frames) setSource(w, h int) {
	f.mu.Lock()
	changed := f.source != image.Pt(w, h)
	f.source = image.Pt(w, h)
	f.mu.Unlock()
	if changed {
		f.Again()
	}
}

// hold keeps the last picture standing while mpv has none.
func (f *Frames) hold(on bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.held = on
}

// clear shows nothing until the next picture.
func (f *Frames) clear() {
	f.mu.Lock()
	f.held, f.blank = true, true
	f.seq++
	call := f.onFrame
	f.mu.Unlock()
	if call != nil {
		call()
	}
}

// relax lets go of the buffers' memory if nothing is shown.
func (f *Frames) relax() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.blank {
		return
	}
	for _, b := range f.free {
		*b = buffer{}
	}
	for _, b := range []**buffer{&f.ready, &f.front} {
		if *b != nil {
			*b = nil
			f.free = append(f.free, &buffer{})
		}
	}
}

// begin returns a buffer to render into; nil: not now.
func (f *Frames) begin() *buffer {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.held {
		return nil
	}
	size := fit(f.source, f.size, f.highest)
	if size.X == 0 {
		return nil
	}
	b := f.free[len(f.free)-1]
	f.free = f.free[:len(f.free)-1]
	b.resize(size)
	return b
}

// end takes a buffer back: with a complete picture in it, or not.
func (f *Frames) end(b *buffer, complete bool) {
	f.mu.Lock()
	if !complete || f.held {
		f.free = append(f.free, b)
		f.mu.Unlock()
		return
	}
	if f.ready != nil {
		f.free = append(f.free, f.ready) // nobody came for it
	}
	f.ready, f.blank = b, false
	f.seq++
	call := f.onFrame
	f.mu.Unlock()
	if call != nil {
		call()
	}
}

// resize gives the buffer memory for a picture of size. Memory is kept when the
// picture shrinks: windows are dragged.
func (b *buffer) resize(size image.Point) {
	if b.image != nil && b.image.Rect.Size() == size {
		return
	}
	n := 4 * size.X * size.Y
	if cap(b.memory) < n+align {
		b.memory = make([]byte, n+align)
	}
	b.memory = b.memory[:cap(b.memory)]
	skip := int(-uintptr(unsafe.Pointer(&b.memory[0])) % align)
	b.image = &image.RGBA{
		Pix:    b.memory[skip : skip+n : skip+n],
		Stride: 4 * size.X,
		Rect:   image.Rectangle{Max: size},
	}
}

// fit is the size at which to render a video of size source for a widget: as
// large as it fits, but not larger than the video or than highest lines; what is
// missing is scaled up by whoever shows it, which is cheaper.
func fit(source, widget image.Point, highest int) image.Point {
	if source.X <= 0 || source.Y <= 0 || widget.X <= 0 || widget.Y <= 0 {
		return image.Point{}
	}
	w, h := widget.X, widget.Y
	if w*source.Y > h*source.X {
		w = (h*source.X + source.Y/2) / source.Y
	} else {
		h = (w*source.Y + source.X/2) / source.X
	}
	if w > source.X || h > source.Y {
		w, h = source.X, source.Y
	}
	if highest > 0 && h > highest {
		w, h = (highest*source.X+source.Y/2)/source.Y, highest
	}
	return image.Pt(min(max(w, 1), maxSide), min(max(h, 1), maxSide))
}
