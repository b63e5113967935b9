package view

import (
	"strings"

	"fyne.io/fyne/v2"
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
	bar      *widget.ProgressBar
	used     *note
	degraded *note
	clear    *keyButton
}

// leastCache is the smallest cache that can be set: some minutes of one channel.
const leastCache = giga / 10

func newStorageSection(p *settingsPage) *section {
	s := &storageSection{
		bar: widget.NewProgressBar(), used: newText(""),
		degraded: newNote("", theme.ColorNameWarning, theme.SizeNameCaptionText),
	}
	s.bar.TextFormatter = func() string { return "" }
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
	usage := newTallRow("", "", newColumn(0, newSides(rowBreak, 8, 0, s.used, inside(s.clear)), container.New(inset{8, 6}, container.New(thin{10}, s.bar)), s.degraded))
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
	share := 0.0
	if v.CacheSize > 0 {
		share = min(1, float64(used)/float64(v.CacheSize))
	}
	if s.bar.Value != share {
		s.bar.SetValue(share)
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

// thin gives objects all the width and a height that is less than their own.
type thin struct{ height float32 }

// Layout implements fyne.Layout.
func (l thin) Layout(objects []fyne.CanvasObject, s fyne.Size) {
	for _, o := range objects {
		o.Resize(fyne.NewSize(s.Width, l.height))
	}
}

// MinSize implements fyne.Layout.
func (l thin) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSize(0, l.height) }
