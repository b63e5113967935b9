package view

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"coral/app/settings"
)

const days, hoursADay = 7, 24

// weekGrid is a week of hours, painted with the mouse or the keyboard. A press
// on a day's name paints the day, one on an hour's number that hour of each day.
type weekGrid struct {
	widget.BaseWidget
	week      settings.Week
	brush     settings.Level
	day, hour int // where the keyboard is
	focused   bool
	shift     bool
	painting  bool
	before    settings.Week // when painting began
	hover     func(text string)
	changed   func(settings.Week)
}

var (
	_ fyne.Focusable    = (*weekGrid)(nil)
	_ fyne.Draggable    = (*weekGrid)(nil)
	_ desktop.Mouseable = (*weekGrid)(nil)
	_ desktop.Hoverable = (*weekGrid)(nil)
	_ desktop.Keyable   = (*weekGrid)(nil)
)

// newWeekGrid's hover is told what the pointer or the keyboard is at; changed is
// called once for each stroke.
func newWeekGrid(hover func(string), changed func(settings.Week)) *weekGrid {
	g := &weekGrid{brush: settings.Gentle, hover: hover, changed: changed}
	g.ExtendBaseWidget(g)
	return g
}

// show shows a week, unless somebody is painting.
func (g *weekGrid) show(w settings.Week) {
	if !g.painting && g.week != w {
		g.week = w
		g.Refresh()
	}
}

// The grid's measures.
const (
	weekLabel = 42 // room for the days' names
	weekHead  = 22 // room for the hours
	weekRow   = 24
	weekCell  = 9 // least width of an hour
)

func (g *weekGrid) cellWidth() float32 { return (g.Size().Width - weekLabel) / hoursADay }

// at returns the cell at p; -1 stands for the names and the numbers.
func (g *weekGrid) at(p fyne.Position) (day, hour int) {
	day, hour = -1, -1
	if p.Y >= weekHead {
		day = min(days-1, int((p.Y-weekHead)/weekRow))
	}
	if p.X >= weekLabel {
		hour = min(hoursADay-1, int((p.X-weekLabel)/g.cellWidth()))
	}
	return day, hour
}

// paint gives cells the brush's level; -1 stands for all.
func (g *weekGrid) paint(day, hour int) {
	if day < 0 && hour < 0 {
		return
	}
	for d := range days {
		for h := range hoursADay {
			if (day < 0 || d == day) && (hour < 0 || h == hour) {
				g.week[d][h] = g.brush
			}
		}
	}
	g.Refresh()
}

func (g *weekGrid) begin() {
	if !g.painting {
		g.painting, g.before = true, g.week
	}
}

func (g *weekGrid) end() {
	if !g.painting {
		return
	}
	g.painting = false
	if g.week != g.before {
		g.changed(g.week)
	}
}

// stroke paints one cell and says so.
func (g *weekGrid) stroke(level settings.Level) {
	brush := g.brush
	g.brush = level
	g.begin()
	g.paint(g.day, g.hour)
	g.end()
	g.brush = brush
}

// MouseDown implements desktop.Mouseable.
func (g *weekGrid) MouseDown(e *desktop.MouseEvent) {
	if e.Button != desktop.MouseButtonPrimary {
		return
	}
	focusOn(g)
	day, hour := g.at(e.Position)
	if day >= 0 && hour >= 0 {
		g.day, g.hour = day, hour
	}
	g.begin()
	g.paint(day, hour)
}

// MouseUp implements desktop.Mouseable.
func (g *weekGrid) MouseUp(*desktop.MouseEvent) { g.end() }

// Dragged implements fyne.Draggable.
func (g *weekGrid) Dragged(e *fyne.DragEvent) {
	day, hour := g.at(e.Position)
	if !g.painting || day < 0 || hour < 0 {
		return
	}
	// A quick hand skips cells: paint those between, too.
	for h := min(g.hour, hour); h <= max(g.hour, hour); h++ {
		g.paint(day, h)
	}
	g.day, g.hour = day, hour
	g.hover(g.describe(day, hour))
}

// DragEnd implements fyne.Draggable.
func (g *weekGrid) DragEnd() { g.end() }

// MouseIn implements desktop.Hoverable.
func (g *weekGrid) MouseIn(e *desktop.MouseEvent) { g.MouseMoved(e) }

// MouseMoved implements desktop.Hoverable.
func (g *weekGrid) MouseMoved(e *desktop.MouseEvent) {
	day, hour := g.at(e.Position)
	if day >= 0 && hour >= 0 {
		g.hover(g.describe(day, hour))
	} else {
		g.hover("")
	}
}

// MouseOut implements desktop.Hoverable.
func (g *weekGrid) MouseOut() { g.hover("") }

// KeyDown implements desktop.Keyable.
func (g *weekGrid) KeyDown(e *fyne.KeyEvent) {
	if e.Name == desktop.KeyShiftLeft || e.Name == desktop.KeyShiftRight {
		g.shift = true
		g.begin()
	}
}

// KeyUp implements desktop.Keyable.
func (g *weekGrid) KeyUp(e *fyne.KeyEvent) {
	if e.Name == desktop.KeyShiftLeft || e.Name == desktop.KeyShiftRight {
		g.shift = false
		g.end()
	}
}

// FocusGained implements fyne.Focusable.
func (g *weekGrid) FocusGained() { g.focused = true; g.Refresh() }

// FocusLost implements fyne.Focusable.
func (g *weekGrid) FocusLost() {
	g.focused, g.shift = false, false
	g.end()
	g.hover("")
	g.Refresh()
}

// TypedRune implements fyne.Focusable.
func (g *weekGrid) TypedRune(r rune) {
	if r >= '0' && r <= '2' {
		g.stroke(settings.Level(r - '0'))
	}
}

// TypedKey implements fyne.Focusable. With shift held the arrows paint.
func (g *weekGrid) TypedKey(e *fyne.KeyEvent) {
	if released(g, e) {
		return
	}
	switch e.Name {
	case fyne.KeyLeft:
		g.hour = max(0, g.hour-1)
	case fyne.KeyRight:
		g.hour = min(hoursADay-1, g.hour+1)
	case fyne.KeyUp:
		g.day = max(0, g.day-1)
	case fyne.KeyDown:
		g.day = min(days-1, g.day+1)
	case fyne.KeyHome:
		g.hour = 0
	case fyne.KeyEnd:
		g.hour = hoursADay - 1
	case fyne.KeySpace, fyne.KeyReturn, fyne.KeyEnter:
		g.stroke(g.brush)
	default:
		return
	}
	if g.shift {
		g.paint(g.day, g.hour)
	}
	g.hover(g.describe(g.day, g.hour))
	g.Refresh()
}

func (g *weekGrid) describe(day, hour int) string {
	return lang.L("{{.Day}}, {{.From}} to {{.To}}: {{.Level}}", map[string]any{
		"Day": dayNames()[day], "From": clock(hour), "To": clock(hour + 1), "Level": levelNames()[g.week[day][hour]],
	})
}

// clock writes a full hour.
func clock(hour int) string {
	return lang.L("{{.Hour}}:00", map[string]any{"Hour": hour})
}

func levelNames() []string { return []string{lang.L("Off"), lang.L("Gentle"), lang.L("Full")} }

func dayNames() []string {
	return []string{
		lang.L("Monday"), lang.L("Tuesday"), lang.L("Wednesday"), lang.L("Thursday"), lang.L("Friday"),
		lang.L("Saturday"), lang.L("Sunday"),
	}
}

func dayShort() []string {
	return []string{lang.L("Mon"), lang.L("Tue"), lang.L("Wed"), lang.L("Thu"), lang.L("Fri"), lang.L("Sat"), lang.L("Sun")}
}

// CreateRenderer implements fyne.Widget.
func (g *weekGrid) CreateRenderer() fyne.WidgetRenderer {
	r := &weekRenderer{grid: g, cursor: canvas.NewRectangle(color.Transparent)}
	for _, name := range dayShort() {
		r.days = append(r.days, canvas.NewText(name, nil))
	}
	for h := 0; h <= hoursADay; h += 6 {
		t := canvas.NewText(clock(h), nil)
		r.hours = append(r.hours, t)
	}
	for range days * hoursADay {
		r.cells = append(r.cells, canvas.NewRectangle(nil))
	}
	r.Refresh()
	return r
}

type weekRenderer struct {
	grid        *weekGrid
	days, hours []*canvas.Text
	cells       []*canvas.Rectangle
	cursor      *canvas.Rectangle
}

func (r *weekRenderer) Layout(s fyne.Size) {
	w := (s.Width - weekLabel) / hoursADay
	for i, t := range r.days {
		m := t.MinSize()
		t.Move(fyne.NewPos(0, weekHead+float32(i)*weekRow+(weekRow-m.Height)/2))
		t.Resize(m)
	}
	for i, t := range r.hours {
		m := t.MinSize()
		x := weekLabel + float32(6*i)*w
		switch i {
		case 0:
		case len(r.hours) - 1:
			x -= m.Width
		default:
			x -= m.Width / 2
		}
		t.Move(fyne.NewPos(x, 0))
		t.Resize(m)
	}
	for i, c := range r.cells {
		pos, size := r.cell(i/hoursADay, i%hoursADay, w)
		c.Move(pos)
		c.Resize(size)
	}
	pos, size := r.cell(r.grid.day, r.grid.hour, w)
	r.cursor.Move(pos.SubtractXY(2, 2))
	r.cursor.Resize(size.AddWidthHeight(4, 4))
}

func (r *weekRenderer) cell(day, hour int, w float32) (fyne.Position, fyne.Size) {
	gap := float32(1)
	if hour%6 == 5 {
		gap = 3 // a quarter of the day is easier found
	}
	return fyne.NewPos(weekLabel+float32(hour)*w, weekHead+float32(day)*weekRow+1), fyne.NewSize(w-gap, weekRow-2)
}

func (r *weekRenderer) MinSize() fyne.Size {
	return fyne.NewSize(weekLabel+hoursADay*weekCell, weekHead+days*weekRow)
}

func (r *weekRenderer) Refresh() {
	g := r.grid
	small := themeOf(g).Size(theme.SizeNameCaptionText)
	for _, t := range r.days {
		t.Color, t.TextSize = colour(g, theme.ColorNameForeground), small
	}
	for _, t := range r.hours {
		t.Color, t.TextSize = colour(g, theme.ColorNamePlaceHolder), small
	}
	for i, c := range r.cells {
		c.FillColor = levelColour(g, g.week[i/hoursADay][i%hoursADay])
		c.CornerRadius = 3
		c.StrokeColor, c.StrokeWidth = colour(g, theme.ColorNameSeparator), 1
	}
	r.cursor.StrokeColor, r.cursor.StrokeWidth, r.cursor.CornerRadius = color.Transparent, 0, 4
	if g.focused {
		r.cursor.StrokeColor, r.cursor.StrokeWidth = colour(g, theme.ColorNameForeground), 2
	}
	r.Layout(g.Size())
	canvas.Refresh(g)
}

// levelColour is the primary colour, less of it for less.
func levelColour(w fyne.Widget, l settings.Level) color.Color {
	off := color.RGBAModel.Convert(colour(w, theme.ColorNameInputBackground)).(color.RGBA)
	full := color.RGBAModel.Convert(colour(w, theme.ColorNamePrimary)).(color.RGBA)
	return mix(off, full, []float64{settings.Off: 0, settings.Gentle: 0.42, settings.Full: 1}[l])
}

func (r *weekRenderer) Objects() []fyne.CanvasObject {
	o := make([]fyne.CanvasObject, 0, len(r.cells)+len(r.days)+len(r.hours)+1)
	for _, t := range r.days {
		o = append(o, t)
	}
	for _, t := range r.hours {
		o = append(o, t)
	}
	for _, c := range r.cells {
		o = append(o, c)
	}
	return append(o, r.cursor)
}

func (r *weekRenderer) Destroy() {}
