package view

import (
	"fmt"
	"image/color"
	"math"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"

	"coral/player"
)

// reach is what a seek bar shows, all on player.State's scale.
type reach struct {
	from, to    time.Duration // the ends of the bar
	start, end  time.Duration // what can be reached
	at, fetched time.Duration // the picture, and how far it is fetched
	live        bool
}

func reachOf(s player.State) reach {
	b := reach{from: s.SeekStart, to: s.SeekEnd, start: s.SeekStart, end: s.SeekEnd, at: s.Position, fetched: s.Position + s.Buffered, live: s.Live}
	if s.Live {
		b.to = max(b.to, s.Position+s.Behind)
	} else if s.Duration > 0 {
		b.from, b.to = 0, s.Duration
		if b.start == b.end { // nothing said: a recording is whole
			b.start, b.end = 0, s.Duration
		}
	}
	b.fetched = min(b.fetched, b.to)
	return b
}

// seekable says whether there is anywhere to go.
func (b reach) seekable() bool { return b.end > b.start && b.to > b.from }

// part is where t lies on the bar, from 0 to 1.
func (b reach) part(t time.Duration) float32 {
	if b.to <= b.from {
		return 0
	}
	return min(1, max(0, float32(float64(t-b.from)/float64(b.to-b.from))))
}

// when is the reachable time at a part of the bar.
func (b reach) when(part float32) time.Duration {
	t := b.from + time.Duration(float64(min(1, max(0, part)))*float64(b.to-b.from))
	return min(b.end, max(b.start, t))
}

// label says when t is: from the beginning of a recording, before now if live.
func (b reach) label(t time.Duration) string {
	if b.live {
		if behind := b.to - t; behind >= time.Second {
			return "−" + playTime(behind)
		}
		return playTime(0)
	}
	return playTime(t)
}

// playTime writes a time as players do: 2:03, 1:02:03.
func playTime(d time.Duration) string {
	s := int(max(0, d) / time.Second)
	if s >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}

// seekBar shows what can be reached and goes where it is pressed. While it is dragged the
// picture stays: one seek at the end is quicker than ten on the way.
type seekBar struct {
	overlaid
	span     reach
	shown    [5]float32 // what the renderer drew
	seek     func(time.Duration)
	stirred  func()
	keys     *keys
	hover    float32 // part of the bar under the pointer
	hovered  bool
	dragging bool
	focused  bool
}

var (
	_ fyne.Tappable      = (*seekBar)(nil)
	_ fyne.Draggable     = (*seekBar)(nil)
	_ fyne.Focusable     = (*seekBar)(nil)
	_ desktop.Hoverable  = (*seekBar)(nil)
	_ desktop.Cursorable = (*seekBar)(nil)
)

func newSeekBar(k *keys, seek func(time.Duration), stirred func()) *seekBar {
	b := &seekBar{keys: k, seek: seek, stirred: stirred}
	b.ExtendBaseWidget(b)
	return b
}

// set shows s, and draws only what would differ by half a pixel.
func (b *seekBar) set(s reach) {
	b.span = s
	now := b.parts()
	for i := range now {
		if d := (now[i] - b.shown[i]) * b.Size().Width; d > 0.5 || d < -0.5 {
			b.Refresh()
			return
		}
	}
}

func (b *seekBar) parts() [5]float32 {
	s := b.span
	at := s.part(s.at)
	if b.dragging {
		at = s.part(s.when(b.hover))
	}
	return [5]float32{s.part(s.start), s.part(s.end), at, s.part(s.fetched), boolPart(s.seekable())}
}

func boolPart(b bool) float32 {
	if b {
		return 1
	}
	return 0
}

func (b *seekBar) follow(x float32) {
	b.hover = x / max(1, b.Size().Width)
	b.stirred()
	b.Refresh()
}

// Tapped implements fyne.Tappable.
func (b *seekBar) Tapped(e *fyne.PointEvent) {
	if b.span.seekable() {
		b.seek(b.span.when(e.Position.X / max(1, b.Size().Width)))
	}
}

// Dragged implements fyne.Draggable.
func (b *seekBar) Dragged(e *fyne.DragEvent) {
	b.dragging = b.span.seekable()
	b.follow(e.Position.X)
}

// DragEnd implements fyne.Draggable.
func (b *seekBar) DragEnd() {
	if b.dragging {
		b.dragging = false
		b.seek(b.span.when(b.hover))
	}
}

// MouseIn implements desktop.Hoverable.
func (b *seekBar) MouseIn(e *desktop.MouseEvent) { b.hovered = true; b.follow(e.Position.X) }

// MouseMoved implements desktop.Hoverable.
func (b *seekBar) MouseMoved(e *desktop.MouseEvent) { b.follow(e.Position.X) }

// MouseOut implements desktop.Hoverable.
func (b *seekBar) MouseOut() { b.hovered = false; b.Refresh() }

// Cursor implements desktop.Cursorable.
func (b *seekBar) Cursor() desktop.Cursor {
	if b.span.seekable() {
		return desktop.PointerCursor
	}
	return desktop.DefaultCursor
}

// TypedKey implements fyne.Focusable.
func (b *seekBar) TypedKey(e *fyne.KeyEvent) { b.keys.key(e) }

// TypedRune implements fyne.Focusable.
func (b *seekBar) TypedRune(r rune) { b.keys.letter(r) }

// FocusGained implements fyne.Focusable.
func (b *seekBar) FocusGained() { b.focused = true; b.stirred(); b.Refresh() }

// FocusLost implements fyne.Focusable.
func (b *seekBar) FocusLost() { b.focused = false; b.Refresh() }

// CreateRenderer implements fyne.Widget.
func (b *seekBar) CreateRenderer() fyne.WidgetRenderer {
	r := &seekRenderer{bar: b, knob: canvas.NewCircle(nil), bubble: canvas.NewRectangle(nil), when: canvas.NewText("", nil)}
	for i := range r.line {
		r.line[i] = canvas.NewRectangle(nil)
	}
	r.Refresh()
	return r
}

// The seek bar's measures. The line is thin and easy to hit.
const (
	seekHeight = 22
	seekLine   = 4
	seekThick  = 6 // under the pointer
	seekKnob   = 14
	seekBubble = 26 // the hover time stands so far above
)

type seekRenderer struct {
	bar *seekBar
	// line is its pieces from left to right: what is gone, what was played since, what
	// is fetched, what can be reached, what is not there yet. They lie side by side, and
	// without rounded ends: where OpenGL is done by the processor, that would cost some
	// hundredths of the picture itself, in each frame.
	line   [5]*canvas.Rectangle
	knob   *canvas.Circle
	bubble *canvas.Rectangle
	when   *canvas.Text
}

func (r *seekRenderer) Layout(s fyne.Size) {
	b := r.bar
	p := b.parts()
	b.shown = p
	thick := float32(seekLine)
	if b.hovered || b.dragging || b.focused {
		thick = seekThick
	}
	start, end, at, fetched := p[0], p[1], p[2], p[3]
	ends := [len(r.line)]float32{start, max(start, at), max(start, at, fetched), max(start, at, fetched, end), 1}
	if !b.span.seekable() {
		ends = [len(r.line)]float32{1, 1, 1, 1, 1}
	}
	left := r.pixel(0)
	for i, o := range r.line {
		right := r.pixel(ends[i] * s.Width)
		show(o, right > left)
		o.Move(fyne.NewPos(left, (s.Height-thick)/2))
		o.Resize(fyne.NewSize(right-left, thick))
		left = right
	}
	r.knob.Move(fyne.NewPos(at*s.Width-seekKnob/2, (s.Height-seekKnob)/2))
	r.knob.Resize(fyne.NewSquareSize(seekKnob))

	m := r.when.MinSize()
	x := min(s.Width-m.Width-8, max(8, b.span.part(b.span.when(b.hover))*s.Width-m.Width/2))
	r.when.Move(fyne.NewPos(x, -seekBubble+(seekBubble-6-m.Height)/2))
	r.when.Resize(m)
	r.bubble.Move(fyne.NewPos(x-8, -seekBubble))
	r.bubble.Resize(fyne.NewSize(m.Width+16, seekBubble-6))
}

// pixel is the border between two of the screen's pixels that is next to x: pieces
// that end elsewhere would overlap, or leave a gap.
func (r *seekRenderer) pixel(x float32) float32 {
	c := canvasOf(r.bar)
	if c == nil {
		return x
	}
	from, scale := r.bar.Position().X, c.Scale()
	return float32(math.Round(float64((from+x)*scale)))/scale - from
}

func (r *seekRenderer) MinSize() fyne.Size { return fyne.NewSize(60, seekHeight) }

func (r *seekRenderer) Refresh() {
	b := r.bar
	groove := colour(b, colourGroove)
	for i, c := range [len(r.line)]color.Color{
		groove, colour(b, theme.ColorNamePrimary), laid(groove, color.NRGBA{255, 255, 255, 0x98}), laid(groove, color.NRGBA{255, 255, 255, 0x48}), groove,
	} {
		r.line[i].FillColor = c
	}
	r.knob.FillColor = colour(b, theme.ColorNamePrimary)
	if b.focused {
		r.knob.StrokeColor, r.knob.StrokeWidth = color.White, 2
	} else {
		r.knob.StrokeWidth = 0
	}
	pointing := b.span.seekable() && (b.hovered || b.dragging)
	show(r.knob, b.span.seekable() && (b.hovered || b.dragging || b.focused))
	show(r.bubble, pointing)
	show(r.when, pointing)
	r.bubble.FillColor, r.bubble.CornerRadius = color.NRGBA{0, 0, 0, 0xc8}, 6
	r.when.Text, r.when.TextSize = b.span.label(b.span.when(b.hover)), themeOf(b).Size(theme.SizeNameCaptionText)
	r.when.Color, r.when.TextStyle.Bold = color.White, true
	r.Layout(b.Size())
	canvas.Refresh(b)
}

func (r *seekRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.line[0], r.line[1], r.line[2], r.line[3], r.line[4], r.knob, r.bubble, r.when}
}

func (r *seekRenderer) Destroy() {}
