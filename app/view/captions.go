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
	lines := wrapCaption(r.captions.text, s.Width*captionWide, size)
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

// wrapCaption breaks a caption's lines at words where they are too wide.
func wrapCaption(text string, width, size float32) []string {
	var out []string
	for line := range strings.Lines(text) {
		now := ""
		for _, word := range strings.Fields(line) {
			longer := strings.TrimSpace(now + " " + word)
			if now != "" && fyne.MeasureText(longer, size, fyne.TextStyle{}).Width > width {
				out = append(out, now)
				longer = word
			}
			now = longer
		}
		if now != "" {
			out = append(out, now)
		}
	}
	return out[:min(len(out), captionLines)]
}

func (r *captionRenderer) MinSize() fyne.Size { return fyne.Size{} }

func (r *captionRenderer) Refresh() {
	r.Layout(r.captions.Size())
	canvas.Refresh(r.captions)
}

func (r *captionRenderer) Objects() []fyne.CanvasObject { return r.objects }
func (r *captionRenderer) Destroy()                     {}
