package view

import (
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"coral/app/settings"
	"coral/node/budget"
)

// storageSection is the cache.
type storageSection struct {
	size     *amount
	folder   *field
	folderIs *settingRow
	bar      *meter
	used     *note
	degraded *note
	clear    *keyButton
}

// leastCache is the smallest cache that can be set: some minutes of one channel.
const leastCache = giga / 10

func newStorageSection(p *settingsPage) *section {
	s := &storageSection{
		bar: newMeter(), used: newText(""),
		degraded: newNote("", theme.ColorNameWarning, theme.SizeNameCaptionText),
	}
	s.size = newAmount(sizeKind("", leastCache, []int64{
		giga / 4, giga / 2, giga, 2 * giga, 3 * giga, 5 * giga, 10 * giga, 20 * giga, 50 * giga, 100 * giga, 200 * giga, 500 * giga,
	}, func(n budget.Size) string {
		return lang.L("About {{.Time}} of one channel in HD.", map[string]any{"Time": hdTime(n)})
	}), func(v int64) { p.edit(func(x *settings.Settings) { x.CacheSize = budget.Size(v) }) })
	s.folder = newFileControl(p, lang.L("Your system's cache folder"), true, func(path string) {
		path = strings.TrimSpace(path)
		wrong := ""
		if !p.edit(func(x *settings.Settings) { x.CacheDir = path }) {
			wrong = lang.L("Write the whole path of the folder, or choose it with the button.")
		}
		s.folderIs.wrong.say(wrong)
	})
	s.folderIs = newTallRow(lang.L("Folder"), lang.L("Empty: your system's cache folder."), inside(s.folder))
	s.clear = newKeyButton(lang.L("Clear the cache…"), theme.DeleteIcon(), func() {
		if c := canvasOf(p.root); c != nil {
			confirm(c, lang.L("Clear the cache?"),
				lang.L("What was kept of all channels is deleted. You can no longer rewind into it, and you have nothing to share until you watch again. Channels and settings stay."),
				lang.L("Clear"), func() { p.emit(ClearCache{}) })
		}
	})
	s.degraded.Hide()
	usage := newTallRow("", "", newColumn(0, newSides(rowBreak, 8, 0, s.used, inside(s.clear)), container.New(inset{8, 6}, s.bar), s.degraded))
	usage.Objects[0].Hide()
	root := newSectionBody(lang.L("Storage"),
		newHint(lang.L("The cache lets you rewind, and holds what you share.")),
		newGroup("", usage),
		newGroup("", newTallRow(lang.L("Largest size"), "", s.size.root), s.folderIs))
	return &section{title: lang.L("Storage"), icon: theme.StorageIcon(), root: root, show: s.show}
}

func (s *storageSection) show(m *Model, v settings.Settings) {
	used := m.System.CacheUsed
	s.used.set(lang.L("{{.Used}} of {{.Size}} used", map[string]any{"Used": sizeText(used), "Size": sizeText(v.CacheSize)}))
	if v.CacheSize > 0 {
		s.bar.show(float32(used) / float32(v.CacheSize))
	}
	if used > 0 {
		enable(s.clear)
	} else {
		disable(s.clear)
	}
	if m.System.CacheDegraded != "" {
		s.degraded.say(lang.L("The cache is kept in memory only: {{.Why}}", map[string]any{"Why": m.System.CacheDegraded}))
	} else {
		s.degraded.say("")
	}
	s.size.show(int64(v.CacheSize))
	if !s.folderIs.wrong.Visible() {
		s.folder.show(v.CacheDir)
	}
}

// hdTime is how long an amount lasts at the rate of a channel in HD.
func hdTime(n budget.Size) string {
	const hd = 5_000_000 / 8 // bytes a second
	minutes := float64(n) / hd / 60
	if minutes < 90 {
		return lang.N("{{.PluralCount}} minutes", int(minutes))
	}
	return lang.N("{{.PluralCount}} hours", int(minutes/60+0.5))
}

func enable(d fyne.Disableable) {
	if d.Disabled() {
		d.Enable()
	}
}

func disable(d fyne.Disableable) {
	if !d.Disabled() {
		d.Disable()
	}
}

// meter shows how full something is.
type meter struct {
	widget.BaseWidget
	part float32 // from 0 to 1
}

func newMeter() *meter {
	m := &meter{}
	m.ExtendBaseWidget(m)
	return m
}

func (m *meter) show(part float32) {
	if part = min(1, part); part != m.part {
		m.part = part
		m.Refresh()
	}
}

// CreateRenderer implements fyne.Widget.
func (m *meter) CreateRenderer() fyne.WidgetRenderer {
	r := &meterRenderer{meter: m, track: canvas.NewRectangle(nil), level: canvas.NewRectangle(nil)}
	r.Refresh()
	return r
}

const meterHigh = 8

type meterRenderer struct {
	meter        *meter
	track, level *canvas.Rectangle
}

func (r *meterRenderer) Layout(s fyne.Size) {
	r.track.Resize(s)
	width := s.Width * r.meter.part
	show(r.level, width > 0)
	r.level.Resize(fyne.NewSize(max(width, s.Height), s.Height)) // a dot at least
}

func (r *meterRenderer) MinSize() fyne.Size { return fyne.NewSize(0, meterHigh) }

func (r *meterRenderer) Refresh() {
	r.track.FillColor, r.track.CornerRadius = colour(r.meter, theme.ColorNameInputBorder), meterHigh/2
	r.level.FillColor, r.level.CornerRadius = colour(r.meter, theme.ColorNamePrimary), meterHigh/2
	r.Layout(r.meter.Size())
	canvas.Refresh(r.meter)
}

func (r *meterRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.track, r.level} }
func (r *meterRenderer) Destroy()                     {}
