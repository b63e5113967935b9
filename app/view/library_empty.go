package view

import (
	"fmt"
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// welcomeWidth is how wide the newcomer's three steps are.
const welcomeWidth = 860

// newWelcome tells a newcomer what to do.
func newWelcome(openFile func()) fyne.CanvasObject {
	steps := container.New(&tiles{least: 230, gap: 16},
		newStep(1, lang.L("Get a link"), lang.L("Whoever runs a channel hands out its link. It begins with coral: or magnet:, or it is the address of a playlist.")),
		newStep(2, lang.L("Paste it above"), lang.L("Or drop a file onto this window: a .torrent, or an M3U list with many channels.")),
		newStep(3, lang.L("Watch"), lang.L("Before anything is sent to other viewers, Coral asks you. Every channel plays either way.")),
	)
	file := newKeyButton(lang.L("Open a file…"), theme.FolderOpenIcon(), openFile)
	content := newColumn(12,
		newHeading(lang.L("Welcome to Coral"), theme.SizeNameHeadingText).align(fyne.TextAlignCenter),
		newNote(lang.L("Live television that its viewers carry together. Your channels will stand here."),
			theme.ColorNamePlaceHolder, theme.SizeNameText).align(fyne.TextAlignCenter),
		space(0, 4), steps, space(0, 4), container.NewCenter(file))
	return container.NewVScroll(newCentred(welcomeWidth, gridEdge, content))
}

func newStep(n int, title, text string) fyne.CanvasObject {
	return newPanel(newColumn(-4, container.NewHBox(newNumber(n)), newHeading(title, theme.SizeNameText), newNote(text, theme.ColorNamePlaceHolder, theme.SizeNameText)), 14)
}

// nothingFound is shown when the search leaves no channel.
type nothingFound struct {
	root fyne.CanvasObject
	text *note
}

func newNothingFound(showAll func()) *nothingFound {
	n := &nothingFound{text: newHeading("", theme.SizeNameSubHeadingText).align(fyne.TextAlignCenter)}
	button := newKeyButton(lang.L("Show all channels"), nil, showAll)
	n.root = container.NewVScroll(newCentred(askWidth, gridEdge, newColumn(8, n.text, container.NewCenter(button))))
	return n
}

func (n *nothingFound) say(query, group string) {
	switch {
	case query == "":
		n.text.set(lang.L("“{{.Group}}” has no channels.", map[string]any{"Group": group}))
	case group == "":
		n.text.set(lang.L("No channel matches “{{.Query}}”.", map[string]any{"Query": clip(query, 40)}))
	default:
		n.text.set(lang.L("No channel of “{{.Group}}” matches “{{.Query}}”.", map[string]any{"Query": clip(query, 40), "Group": group}))
	}
}

// number is a figure in a disc.
type number struct {
	widget.BaseWidget
	n int
}

func newNumber(n int) *number {
	w := &number{n: n}
	w.ExtendBaseWidget(w)
	return w
}

// CreateRenderer implements fyne.Widget.
func (n *number) CreateRenderer() fyne.WidgetRenderer {
	r := &numberRenderer{number: n, disc: canvas.NewCircle(nil), text: canvas.NewText(fmt.Sprint(n.n), color.Black)}
	r.text.TextStyle.Bold = true
	r.Refresh()
	return r
}

const numberSize = 28

type numberRenderer struct {
	number *number
	disc   *canvas.Circle
	text   *canvas.Text
}

func (r *numberRenderer) Layout(fyne.Size) {
	const indent = 8 // where the texts below begin
	r.disc.Move(fyne.NewPos(indent, 0))
	r.disc.Resize(fyne.NewSquareSize(numberSize))
	m := r.text.MinSize()
	r.text.Move(fyne.NewPos(indent+(numberSize-m.Width)/2, (numberSize-m.Height)/2))
	r.text.Resize(m)
}

func (r *numberRenderer) MinSize() fyne.Size { return fyne.NewSize(numberSize+8, numberSize+4) }

func (r *numberRenderer) Refresh() {
	r.disc.FillColor = colour(r.number, theme.ColorNamePrimary)
	r.text.Color = colour(r.number, theme.ColorNameForegroundOnPrimary)
	r.text.TextSize = themeOf(r.number).Size(theme.SizeNameText)
	r.Layout(fyne.Size{})
	canvas.Refresh(r.number)
}

func (r *numberRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.disc, r.text} }

func (r *numberRenderer) Destroy() {}
