package view

import (
	"image/color"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"
)

// captions draws subtitles as lines of text, each on its own shade, low in the
// middle of the picture.
type captions struct {
	widget.BaseWidget
	text   string
	bottom float32 // kept free below, for the controls
}

// Captions' limits: text is as large as on television, a twentieth of the
// picture's height, within what reads; more lines would hide the picture.
const (
	captionLeast, captionMost = 15, 42
	captionLines              = 6
	captionWide               = 0.86 // of the picture's width
)

func newCaptions() *captions {
	c := &captions{}
	c.ExtendBaseWidget(c)
	c.Hide()
	return c
}

func (c *captions) set(text string, bottom float32) {
	if c.text == text && c.bottom == bottom {
		return
	}
	c.text, c.bottom = text, bottom
	show(c, strings.TrimSpace(text) != "")
	if c.Visible() {
		c.Refresh()
	}
}

// CreateRenderer implements fyne.Widget.
func (c *captions) CreateRenderer() fyne.WidgetRenderer { return &captionRenderer{captions: c} }

type captionRenderer struct {
	captions *captions
	objects  []fyne.CanvasObject // a shade and a text for each line
}

func (r *captionRenderer) Layout(s fyne.Size) {
	size := min(captionMost, max(captionLeast, s.Height/20))
	lines := wrapWords(r.captions.text, s.Width*captionWide, size, fyne.TextStyle{})
	lines = lines[:min(len(lines), captionLines)]
	r.objects = r.objects[:0]
	high := fyne.MeasureText("Åg", size, fyne.TextStyle{}).Height + 2
	y := s.Height - r.captions.bottom - high*float32(len(lines))
	for _, l := range lines {
		t := canvas.NewText(l, color.White)
		t.TextSize = size
		m := t.MinSize()
		shade := canvas.NewRectangle(color.NRGBA{0, 0, 0, 0xb8})
		shade.Move(fyne.NewPos((s.Width-m.Width)/2-size*0.4, y))
		shade.Resize(fyne.NewSize(m.Width+size*0.8, high))
		t.Move(fyne.NewPos((s.Width-m.Width)/2, y+(high-m.Height)/2))
		t.Resize(m)
		r.objects = append(r.objects, shade, t)
		y += high
	}
}

func (r *captionRenderer) MinSize() fyne.Size { return fyne.Size{} }

func (r *captionRenderer) Refresh() {
	r.Layout(r.captions.Size())
	canvas.Refresh(r.captions)
}

func (r *captionRenderer) Objects() []fyne.CanvasObject { return r.objects }
func (r *captionRenderer) Destroy()                     {}
