package view

import (
	"errors"
	"math"
	"strconv"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"coral/node/budget"
)

// amount is a quantity set by a slider with a few good stops, or written.
type amount struct {
	root    *fyne.Container
	slider  *slide
	entry   *field
	unit    *widget.Label
	words   *note // what the amount means
	wrong   *note
	kind    amountKind
	value   int64
	quiet   bool // the slider is moved by us
	moving  bool // it is moved by the user, who has not let go
	changed func(int64)
}

// amountKind says how a quantity is written.
type amountKind struct {
	unit     string // behind the field
	scale    float64
	stops    []int64 // of the slider, ascending; none means -1 and is last
	min, max int64
	none     string // how "no limit" is written; "": there must be one
	describe func(int64) string
}

// unitWidth lines up the fields of amounts with different units.
const unitWidth = 64

var errAmount = errors.New("not an amount")

// parse reads what was written; the message is for the user.
func (k amountKind) parse(text string) (int64, error) {
	text = strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(text), k.unit))
	if k.none != "" && (strings.EqualFold(text, k.none) || strings.EqualFold(text, "unlimited")) {
		return -1, nil
	}
	x, err := strconv.ParseFloat(strings.Replace(text, ",", ".", 1), 64)
	if err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
		return 0, errAmount
	}
	v := math.Round(x * k.scale)
	if v < float64(k.min) || v > float64(k.max) {
		return 0, errAmount
	}
	return int64(v), nil
}

func (k amountKind) write(v int64) string {
	if v < 0 {
		return k.none
	}
	return decimal(float64(v)/k.scale, 3)
}

// hint says what parse takes.
func (k amountKind) hint() string {
	data := map[string]any{"Min": decimal(float64(k.min)/k.scale, 3), "Max": decimal(float64(k.max)/k.scale, 3), "Unit": k.unit, "None": k.none}
	if k.none == "" {
		return lang.L("Write a number from {{.Min}} to {{.Max}} ({{.Unit}}).", data)
	}
	return lang.L("Write a number from {{.Min}} to {{.Max}} ({{.Unit}}), or “{{.None}}”.", data)
}

// stop returns the slider's position for v: the nearest stop.
func (k amountKind) stop(v int64) int {
	best := 0
	for i, s := range k.stops {
		switch {
		case s < 0 && v < 0:
			return i
		case s < 0 || v < 0:
		case math.Abs(float64(s-v)) < math.Abs(float64(k.stops[best]-v)):
			best = i
		}
	}
	return best
}

func newAmount(kind amountKind, changed func(int64)) *amount {
	a := &amount{
		kind: kind, changed: changed, slider: newSlide(len(kind.stops) - 1), entry: newField(""),
		words: newHint(""), wrong: newNote("", theme.ColorNameError, theme.SizeNameCaptionText), value: math.MinInt64,
	}
	a.slider.Step = 1
	a.slider.OnChanged = func(x float64) {
		if !a.quiet {
			a.moving = true
			a.write(kind.stops[int(x)])
		}
	}
	a.slider.OnChangeEnded = func(x float64) {
		if !a.quiet {
			a.moving = false
			a.say(kind.stops[int(x)])
		}
	}
	a.entry.OnChanged = func(text string) {
		if _, err := kind.parse(text); err == nil {
			a.wrong.say("")
		}
	}
	a.entry.OnSubmitted = func(string) { a.commit() }
	a.entry.onBlur = a.commit
	a.entry.onKey = func(k fyne.KeyName) bool {
		if k == fyne.KeyEscape {
			a.revert()
		}
		return false // it leaves the field, too
	}
	a.words.Hide()
	a.wrong.Hide()
	a.unit = widget.NewLabel(kind.unit)
	entry := container.NewBorder(nil, nil, nil, least(unitWidth, 0, a.unit), least(fieldWidth(kind.none), 0, a.entry))
	line := container.NewBorder(nil, nil, nil, entry, container.New(midline{}, container.NewThemeOverride(a.slider, grooved{})))
	a.root = container.New(column{-6}, container.New(inset{8, 2}, line), a.words, a.wrong)
	return a
}

// fieldWidth has room for a number and for "no limit" in any language.
func fieldWidth(none string) float32 {
	words := fyne.MeasureText(none, theme.TextSize(), fyne.TextStyle{}).Width
	return max(112, words+4*theme.InnerPadding())
}

// midline gives objects all the width, and their least height in the middle.
type midline struct{}

// Layout implements fyne.Layout.
func (midline) Layout(objects []fyne.CanvasObject, s fyne.Size) {
	for _, o := range objects {
		h := o.MinSize().Height
		o.Move(fyne.NewPos(0, (s.Height-h)/2))
		o.Resize(fyne.NewSize(s.Width, h))
	}
}

// MinSize implements fyne.Layout.
func (midline) MinSize(objects []fyne.CanvasObject) (s fyne.Size) {
	for _, o := range objects {
		s = s.Max(o.MinSize())
	}
	return s
}

// commit takes what was written, or says what is wrong with it.
func (a *amount) commit() {
	if a.entry.Text == a.kind.write(a.value) { // which may be rounded: leaving a field is no edit
		a.wrong.say("")
		return
	}
	v, err := a.kind.parse(a.entry.Text)
	if err != nil {
		a.wrong.say(a.kind.hint())
		return
	}
	a.wrong.say("")
	a.say(v)
}

func (a *amount) revert() {
	a.wrong.say("")
	a.write(a.value)
	a.place(a.value)
}

// say tells the owner of a new value.
func (a *amount) say(v int64) {
	changed := v != a.value
	a.value = v
	a.write(v)
	a.place(v)
	a.wrong.say("")
	if changed {
		a.changed(v)
	}
}

// show shows v, unless the user is just changing it.
func (a *amount) show(v int64) {
	if v == a.value || a.moving || a.entry.focus || a.wrong.Visible() {
		return
	}
	a.value = v
	a.write(v)
	a.place(v)
}

func (a *amount) write(v int64) {
	changed := a.entry.OnChanged
	a.entry.OnChanged = nil
	a.entry.SetText(a.kind.write(v))
	a.entry.OnChanged = changed
	unit := a.kind.unit
	if v < 0 {
		unit = "" // "unlimited Mbit/s" is no amount
	}
	if a.unit.Text != unit {
		a.unit.SetText(unit)
	}
	if a.kind.describe != nil {
		a.words.say(a.kind.describe(v))
	}
}

func (a *amount) place(v int64) {
	a.quiet = true
	a.slider.SetValue(float64(a.kind.stop(v)))
	a.quiet = false
}

// rateKind is a cap in Mbit/s.
func rateKind(describe func(budget.Rate) string) amountKind {
	const mega = 1_000_000
	return amountKind{
		unit: "Mbit/s", scale: mega, min: 0, max: 10_000 * mega, none: lang.L("unlimited"),
		stops: []int64{
			0, mega / 4, mega / 2, mega, 1.5 * mega, 2 * mega, 3 * mega, 4 * mega, 5 * mega, 7.5 * mega, 10 * mega, 15 * mega,
			20 * mega, 30 * mega, 50 * mega, 100 * mega, 200 * mega, 500 * mega, -1,
		},
		describe: func(v int64) string { return describe(budget.Rate(v)) },
	}
}

// hourly says what a cap comes to.
func hourly(r budget.Rate) string {
	switch {
	case r < 0:
		return lang.L("As much as your line carries.")
	case r == 0:
		return lang.L("Nothing at all.")
	}
	return lang.L("At most {{.Size}} in an hour.", map[string]any{"Size": sizeText(budget.Size(float64(r) / 8 * 3600))})
}

const giga = 1_000_000_000

// sizeKind is an amount in GB.
func sizeKind(none string, least int64, stops []int64, describe func(budget.Size) string) amountKind {
	k := amountKind{unit: "GB", scale: giga, min: least, max: 100_000 * giga, none: none, stops: stops}
	if describe != nil {
		k.describe = func(v int64) string { return describe(budget.Size(v)) }
	}
	return k
}
