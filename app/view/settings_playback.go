package view

import (
	"time"

	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/theme"

	"coral/app/settings"
)

// captionLanguages are offered by their own names; others that are set stay.
var captionLanguages = []struct{ code, name string }{
	{"en", "English"},
	{"de", "Deutsch"},
	{"fr", "Français"},
	{"es", "Español"},
	{"it", "Italiano"},
	{"pt", "Português"},
	{"nl", "Nederlands"},
	{"pl", "Polski"},
	{"sv", "Svenska"},
	{"da", "Dansk"},
	{"cs", "Čeština"},
	{"tr", "Türkçe"},
	{"uk", "Українська"},
	{"ru", "Русский"},
	{"ar", "العربية"},
	{"zh", "中文"},
	{"ja", "日本語"},
}

func newPlaybackSection(p *settingsPage) *section {
	hardware := newToggle(func(on bool) { p.edit(func(x *settings.Settings) { x.Hardware = on }) })

	heights := []int{0, 2160, 1440, 1080, 720, 480}
	names := []string{lang.L("As large as the window")}
	for _, h := range heights[1:] {
		names = append(names, heightName(h))
	}
	height := newPicker(heights, names, func(v int) { p.edit(func(x *settings.Settings) { x.MaxHeight = v }) })

	latencies := []time.Duration{0, 2 * time.Second, 4 * time.Second, 8 * time.Second, 15 * time.Second, 30 * time.Second, time.Minute}
	names = []string{lang.L("As the channel asks")}
	for _, d := range latencies[1:] {
		names = append(names, seconds(d))
	}
	latency := newPicker(latencies, names, func(v time.Duration) { p.edit(func(x *settings.Settings) { x.Latency = v }) })

	codes, names := []string{""}, []string{lang.L("None")}
	for _, l := range captionLanguages {
		codes, names = append(codes, l.code), append(names, l.name)
	}
	captions := newPicker(codes, names, func(v string) { p.edit(func(x *settings.Settings) { x.Captions = v }) })

	engine := newHint("")
	root := newSectionBody(lang.L("Playback"),
		newGroup("",
			newRow(lang.L("Use the graphics card to decode"), lang.L("Saves power. Switch it off if the picture shows faults."), hardware),
			newRow(lang.L("Largest picture"), lang.L("Less costs less power. The choice of renditions follows it."), least(220, 0, height.widget)),
			newRow(lang.L("Behind live"), lang.L("Nearer to live leaves less time to fetch from other viewers, and more comes from the organiser."), least(220, 0, latency.widget)),
			newRow(lang.L("Subtitles"), lang.L("Shown where a channel has them."), least(220, 0, captions.widget))),
		engine,
	)
	return &section{title: lang.L("Playback"), icon: theme.MediaPlayIcon(), root: root, show: func(m *Model, v settings.Settings) {
		hardware.set(v.Hardware)
		height.show(v.MaxHeight, heightName(v.MaxHeight))
		latency.show(v.Latency, seconds(v.Latency))
		captions.show(v.Captions, v.Captions)
		switch {
		case m.System.InstallHint != "":
			engine.set(lang.L("libmpv, which shows the picture in this window, is missing. {{.Hint}}", map[string]any{"Hint": m.System.InstallHint}))
		default:
			engine.set(lang.L("The picture is shown by {{.Engine}}.", map[string]any{"Engine": m.System.MPVVersion}))
		}
		show(engine, m.System.InstallHint != "" || m.System.MPVVersion != "")
	}}
}

func heightName(h int) string { return lang.L("{{.N}} lines", map[string]any{"N": h}) }

func seconds(d time.Duration) string { return lang.N("{{.PluralCount}} seconds", int(d/time.Second)) }

// newLookSection is how the window looks and speaks.
func newLookSection(p *settingsPage) *section {
	themes := []settings.Theme{settings.ThemeSystem, settings.ThemeLight, settings.ThemeDark, settings.ThemeContrast}
	colours := newPicker(themes, []string{lang.L("As the system"), lang.L("Light"), lang.L("Dark"), lang.L("High contrast")},
		func(v settings.Theme) { p.edit(func(x *settings.Settings) { x.Theme = v }) })

	scales := []float64{0, 1, 1.25, 1.5, 1.75, 2}
	names := []string{lang.L("As the system")}
	for _, s := range scales[1:] {
		names = append(names, percent(s))
	}
	scale := newPicker(scales, names, func(v float64) { p.edit(func(x *settings.Settings) { x.Scale = v }) })

	language := newPicker([]string{"", "en", "de"}, []string{lang.L("As the system"), "English", "Deutsch"},
		func(v string) { p.edit(func(x *settings.Settings) { x.Language = v }) })

	root := newSectionBody(lang.L("Appearance"),
		newGroup("",
			newRow(lang.L("Colours"), "", least(200, 0, colours.widget)),
			newRow(lang.L("Size of text and controls"), "", least(200, 0, scale.widget)),
			newRow(lang.L("Language"), "", least(200, 0, language.widget))))
	return &section{title: lang.L("Appearance"), icon: theme.ColorPaletteIcon(), root: root, show: func(_ *Model, v settings.Settings) {
		colours.show(v.Theme, string(v.Theme))
		scale.show(v.Scale, percent(v.Scale))
		language.show(v.Language, v.Language)
	}}
}

func percent(x float64) string { return decimal(100*x, 0) + "\u00a0%" }

// newSystemSection is what ties Coral to the rest of the machine.
func newSystemSection(p *settingsPage) *section {
	handler := newToggle(func(on bool) { p.emit(SetHandler{on}) })
	handlerRow := newRow(lang.L("Open coral: and magnet: links with Coral"), lang.L("A click on such a link, in a browser for instance, then opens the channel here."), handler)
	log := newKeyButton(lang.L("Save the log…"), theme.DocumentSaveIcon(), func() { p.emit(SaveLog{}) })
	logRow := newRow(lang.L("Log"), "", log)
	about := newKeyButton(lang.L("About Coral"), theme.InfoIcon(), func() { p.emit(GoTo{PageAbout}) })
	version := newRow(lang.L("Version"), " ", about)
	root := newSectionBody(lang.L("Links and log"), newGroup("", handlerRow, logRow, version))
	return &section{title: lang.L("Links and log"), icon: theme.DocumentIcon(), root: root, show: func(m *Model, _ settings.Settings) {
		handler.set(m.System.Handler)
		show(handler, m.System.CanHandler)
		if m.System.CanHandler {
			handlerRow.wrong.say("")
		} else {
			handlerRow.wrong.say(lang.L("This system does not let Coral do that by itself."))
		}
		logRow.hint.say(logHint(m.System.LogFile))
		version.hint.say(m.System.Version)
	}}
}

func logHint(file string) string {
	text := lang.L("Holds no addresses and no links, so you can send it to somebody who helps.")
	if file != "" {
		text += "\n" + file
	}
	return text
}
