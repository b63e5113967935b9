package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"fyne.io/fyne/v2"
	fyneapp "fyne.io/fyne/v2/app"
	"fyne.io/fyne/v2/lang"

	"coral/app/library"
	"coral/app/native"
	"coral/app/settings"
	"coral/app/system"
	"coral/app/view"
	"coral/assets"
	"coral/player/mpv"
	"coral/player/surface"
)

// Options say how the program was called.
type Options struct {
	Open       string // a link, playlist URL or file; "": the library
	Screenshot string // a PNG of the window is written here once there is something to see
	Version    string
}

// quitWithin bounds how long the swarm is told goodbye and the cache written out.
const quitWithin = 8 * time.Second

// Run opens the window and returns when the program ends. It must be called on
// the main goroutine. A second program hands its link to the first and returns.
func Run(ctx context.Context, o Options) error {
	if !system.HasDisplay() {
		return errors.New("there is no display: set DISPLAY, or use coralnode, which needs none")
	}
	a, err := prepare(&o)
	if err != nil {
		explain(ctx, o.Version, err) // whoever clicked on an icon sees no terminal
		return err
	}
	if a == nil {
		return nil
	}
	defer a.instance.Close()
	defer a.logFile.Close()
	return a.run(ctx, o)
}

// prepare opens all that the program needs of the disk; nil: another program runs
// already, and has the link.
func prepare(o *Options) (*app, error) {
	paths, err := system.Paths()
	if err != nil {
		return nil, err
	}
	var args []string
	if o.Open != "" {
		o.Open = absolute(o.Open)
		args = []string{o.Open}
	}
	instance, first, err := system.Claim(paths.State, args)
	if err != nil || !first {
		return nil, err
	}
	logFile, err := system.OpenLog(paths.State)
	if err != nil {
		instance.Close()
		return nil, err
	}
	a, err := build(*o, paths, logFile)
	if err != nil {
		logFile.Close()
		instance.Close()
		return nil, err
	}
	a.instance = instance
	return a, nil
}

// run shows the window until the program ends.
func (a *app) run(ctx context.Context, o Options) error {
	describe(o.Version)
	if err := a.speaker.set(a.settings.Get()); err != nil {
		return err
	}
	a.scaler = newScaler()
	a.scaler.set(a.settings.Get().Scale)
	fa := fyneapp.NewWithID(ID)
	a.desktop.tray = system.HasTray(ctx)
	var player sync.WaitGroup
	player.Go(func() { a.openPlayer(a.settings.Get()) }) // a tenth of a second and more
	a.open(fa)
	player.Wait()
	a.mapped = native.Mapped()
	a.attach()

	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	a.ctx = ctx
	var loop sync.WaitGroup
	loop.Go(func() { a.loop(ctx) })
	stop := context.AfterFunc(ctx, func() { a.queue.post(a.quit) })
	defer stop()
	if o.Open != "" {
		a.queue.post(func() { a.openText(o.Open) })
	}
	a.window.Fyne().Show()
	fa.Run()
	a.closing.Store(true)
	a.window.Close()
	a.video.Detach()
	cancel()
	loop.Wait()
	a.log.Info("end")
	return nil
}

// explain shows why the program cannot start, until the window is closed.
func explain(ctx context.Context, version string, err error) {
	describe(version)
	if newSpeaker().set(settings.Default()) != nil {
		return
	}
	fa := fyneapp.NewWithID(ID)
	fa.Settings().SetTheme(view.Theme(settings.ThemeSystem))
	stop := context.AfterFunc(ctx, func() { fyne.Do(fa.Quit) })
	defer stop()
	view.NewFailure(fa, lang.L("Coral cannot start"), brief(err),
		lang.L("Coral keeps your channels and settings in your home folder. See to it that the folder can be written to and has some room, then start Coral again.")).Show()
	fa.Run()
}

// build opens what is on the disk.
func build(o Options, paths system.Folders, logFile *system.LogFile) (*app, error) {
	log := slog.New(logFile.Handler(slog.LevelInfo))
	log.Info("start", "version", o.Version)
	store, err := settings.Open(filepath.Join(paths.Config, "settings.json"))
	if err != nil {
		return nil, err
	}
	lib, err := library.Open(filepath.Join(paths.Data, "library"))
	if err != nil {
		return nil, err
	}
	ledger, err := library.OpenLedger(filepath.Join(paths.Data, "library"))
	if err != nil {
		return nil, err
	}
	return &app{
		log: log, logFile: logFile, paths: paths, options: o,
		speaker: newSpeaker(), settings: store, library: lib, ledger: ledger, queue: newQueue(), resting: map[string]*open{}, logos: newLogos(),
	}, nil
}

// open makes the window.
func (a *app) open(fa fyne.App) {
	a.fyne = fa
	a.video = surface.New()
	fa.Settings().SetTheme(view.Theme(a.settings.Get().Theme))
	a.window = view.New(fa, a.video, func(i view.Intent) { a.queue.post(func() { a.intent(i) }) })
	a.window.Use(view.Native{KeepAbove: native.KeepAbove, NudgePointer: native.NudgePointer, ScreenSize: native.ScreenSize})
	if a.desktop.tray {
		a.window.PutInTray()
	}
	a.show = a.window.Show
}

// openPlayer loads libmpv, if it is there.
func (a *app) openPlayer(cfg settings.Settings) {
	if a.noPlayer = mpv.Available(); a.noPlayer != nil {
		a.log.Info("no libmpv", "err", a.noPlayer)
		return
	}
	p, err := mpv.Open(mpv.Options{
		Hardware: cfg.Hardware, MaxHeight: cfg.MaxHeight, Volume: cfg.Volume, Muted: cfg.Muted, Log: a.log,
	})
	if err != nil {
		a.noPlayer = err
		a.log.Warn("libmpv does not work", "err", err)
		return
	}
	a.player, a.decoding, a.mpvVersion, a.frames = p, p, p.Version(), p.Frames()
}

// attach shows the player's pictures in the window.
func (a *app) attach() {
	if a.frames != nil {
		a.video.Attach(a.frames)
	}
}

// speaker sets the language of all words. The libraries read it in the environment.
type speaker map[string]string // what the environment said when the program began

func newSpeaker() speaker {
	s := speaker{}
	for _, name := range []string{"LANGUAGE", "LC_ALL", "LANG"} {
		s[name] = os.Getenv(name)
	}
	if v := s["LC_ALL"] + s["LANG"]; v == "" || v == "C" || v == "POSIX" {
		s["LANG"] = "en_US.UTF-8"
	}
	return s
}

// set takes effect with the next word. No other goroutine may say one meanwhile.
func (s speaker) set(cfg settings.Settings) error {
	said := maps.Clone(s)
	if l, ok := locales[cfg.Language]; ok {
		said["LANGUAGE"], said["LC_ALL"] = cfg.Language, l
	}
	for name, v := range said {
		os.Setenv(name, v)
	}
	// This is what makes Fyne look at the environment again.
	if err := lang.AddTranslationsFS(assets.Translations(), "translations"); err != nil {
		return fmt.Errorf("read translations: %w", err)
	}
	return nil
}

// scaler sets how large Fyne draws. Whoever has said so in the environment is
// obeyed instead.
type scaler struct{ obeys bool }

const scaleVariable = "FYNE_SCALE"

func newScaler() scaler { return scaler{os.Getenv(scaleVariable) == ""} }

// set takes effect when Fyne looks next: when a window is shown, and when the
// theme is set. 0 is the system's scale. A scale at which the window would be larger
// than the screen is lowered.
func (s scaler) set(scale float64) {
	if wide, high, err := native.ScreenSize(); err == nil {
		scale = min(scale, view.MostScale(wide, high))
	}
	switch {
	case !s.obeys:
	case scale > 0:
		os.Setenv(scaleVariable, strconv.FormatFloat(scale, 'f', 2, 64))
	default:
		os.Unsetenv(scaleVariable)
	}
}

var locales = map[string]string{"en": "en_US.UTF-8", "de": "de_DE.UTF-8"}

// absolute makes a file's name one that the first program understands, too.
func absolute(text string) string {
	if _, err := os.Stat(text); err != nil {
		return text
	}
	if abs, err := filepath.Abs(text); err == nil {
		return abs
	}
	return text
}

// onMain runs f on Fyne's goroutine, unless the window is gone.
func (a *app) onMain(f func()) {
	if !a.closing.Load() {
		fyne.Do(f)
	}
}
