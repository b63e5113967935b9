package app

import (
	"context"
	"net/url"
	"os"
	"time"

	"fyne.io/fyne/v2/lang"

	"coral/app/system"
	"coral/app/view"
	"coral/player"

	qrcode "github.com/skip2/go-qrcode"
)

// desktopState is what the operating system shows and knows of the program.
type desktopState struct {
	tray       bool
	mini, full bool
	interfaces []system.Interface
	handler    *system.Handler
	handles    bool // coral: and magnet: links open this program
	awake      *system.Awake
	mpris      *system.MPRIS
}

// startDesktop begins to listen to the system.
func (a *app) startDesktop() {
	a.desktop.awake = system.NewAwake(lang.L("A channel is playing"))
	a.desktop.mpris = system.NewMPRIS()
	a.serve("instance", a.instance.Run)
	a.serve("awake", a.desktop.awake.Run)
	a.serve("mpris", a.desktop.mpris.Run)
	a.serve("conditions", func(ctx context.Context) error {
		return system.Watch(ctx, func(c system.Conditions) {
			a.queue.post(func() {
				a.sharing.metered, a.sharing.battery = c.Metered, c.OnBattery
				a.applySharing(time.Now())
			})
		})
	})
	a.work.Go(func() {
		for {
			select {
			case args := <-a.instance.Opened():
				a.queue.post(func() { a.handedOver(args) })
			case c := <-a.desktop.mpris.Commands():
				a.queue.post(func() { a.command(c) })
			case <-a.ctx.Done():
				return
			}
		}
	})
	program, err := os.Executable()
	if err != nil {
		a.log.Info("own name", "err", err)
	}
	handler := system.NewHandler(program, a.paths.State)
	a.desktop.handler = handler
	a.later(func(ctx context.Context) func() {
		handles := handler.Registered(ctx)
		interfaces, err := system.Interfaces()
		if err != nil {
			a.log.Info("interfaces", "err", err)
		}
		return func() { a.desktop.handles, a.desktop.interfaces = handles, interfaces }
	})
}

// serve runs something of the system's until the program ends. Whatever fails
// here is a convenience less, and noted.
func (a *app) serve(name string, run func(context.Context) error) {
	a.work.Go(func() {
		if err := run(a.ctx); err != nil && a.ctx.Err() == nil {
			a.log.Info("not available: "+name, "err", err)
		}
	})
}

// handedOver is what a second program was called with.
func (a *app) handedOver(args []string) {
	a.raise()
	for _, s := range args {
		a.openText(s)
	}
}

// command carries out what the desktop's media keys say.
func (a *app) command(c system.Command) {
	paused := a.player != nil && a.player.State().Paused
	switch c := c.(type) {
	case system.Play:
		a.intent(view.SetPaused{On: false})
	case system.Pause:
		a.intent(view.SetPaused{On: true})
	case system.PlayPause:
		a.intent(view.SetPaused{On: !paused})
	case system.Stop:
		a.intent(view.CloseChannel{})
	case system.Next:
		a.intent(view.Zap{By: 1})
	case system.Previous:
		a.intent(view.Zap{By: -1})
	case system.Seek:
		a.intent(view.SeekBy{By: c.By})
	case system.SetPosition:
		a.intent(view.Seek{To: c.To})
	case system.SetVolume:
		a.intent(view.SetVolume{Percent: c.Percent})
	case system.SetRate:
		a.intent(view.SetSpeed{Speed: c.Rate})
	case system.SetFullScreen:
		a.intent(view.SetFullScreen{On: c.On})
	case system.OpenURI:
		a.openText(c.URI)
	case system.Raise:
		a.raise()
	case system.Quit:
		a.quit()
	}
}

// tellDesktop keeps the screen awake while a picture moves, and tells the media
// keys what plays.
func (a *app) tellDesktop() {
	p := system.Playback{Status: system.Stopped, Rate: 1, Volume: a.settings.Get().Volume, FullScreen: a.desktop.full, Zap: a.watching != nil && a.canZap()}
	moving := false
	if w := a.watching; w != nil && a.player != nil {
		st := a.player.State()
		switch st.Phase {
		case player.Playing, player.Buffering, player.Recovering, player.Loading:
			p.Status = system.Playing
			moving = !st.Paused
			if st.Paused {
				p.Status = system.Paused
			}
		}
		p.Channel, p.Item, p.Waiting = w.channel.Name, w.channel.ID, st.Phase != player.Playing
		if file := a.library.PosterFile(w.channel.ID); file != "" {
			p.Poster = (&url.URL{Scheme: "file", Path: file}).String()
		}
		p.Live, p.Position, p.Length = st.Live, st.Position, st.Duration
		p.Seekable = st.SeekEnd > st.SeekStart
		p.Rate, p.Volume = st.Speed, st.Volume
	}
	a.desktop.awake.Set(moving)
	a.desktop.mpris.Set(p)
}

// raise brings the window to the front.
func (a *app) raise() {
	a.onMain(a.window.Raise)
}

// setFullScreen is carried out by the window, which follows the model.
func (a *app) setFullScreen(on bool) {
	a.desktop.full = on
	if on {
		a.desktop.mini = false
	}
}

// shareSheet shows a channel's link and its picture for a camera.
func (a *app) shareSheet(id string) {
	c, ok := a.library.Get(id)
	if !ok {
		return
	}
	a.sheet = &view.ShareSheet{Channel: c.Name, Link: c.Link}
	if code, err := qrcode.New(c.Link, qrcode.Medium); err == nil { // longer ones do not fit
		a.sheet.QR = code.Image(512)
	}
}

// openBrowser shows the channel in the built-in web player.
func (a *app) openBrowser() {
	if w := a.watching; w != nil && w.open != nil {
		url := w.open.session.WebURL()
		a.elsewhere(url, lang.L("Copy the address into a browser of this computer."), func() error { return system.OpenURL(url) })
	}
}

// openExternal shows the channel in another player.
func (a *app) openExternal() {
	if w := a.watching; w != nil && w.open != nil {
		url := w.open.session.URL()
		a.elsewhere(url, lang.L("Install mpv or VLC, or copy the address into a player."), func() error {
			_, err := system.OpenExternal(url)
			return err
		})
	}
}

// elsewhere runs another program that plays url; ours falls silent then. If there is
// none, hint says what to do.
func (a *app) elsewhere(url, hint string, run func() error) {
	a.later(func(context.Context) func() {
		err := run()
		return func() {
			if err != nil {
				a.noticeWith(view.Notice{
					Kind: view.Problem, Text: lang.L("Nothing could be opened: {{.Err}}", with("Err", brief(err))), Hint: hint,
					Action: lang.L("Copy the address"), Intent: view.CopyText{Text: url},
				})
				return
			}
			if a.player != nil {
				a.player.SetPaused(true)
			}
		}
	})
}
