package app

import (
	"context"
	"errors"
	"runtime"
	"runtime/debug"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/dialog"
	"fyne.io/fyne/v2/lang"

	"coral/app/native"
	"coral/app/settings"
	"coral/app/view"
)

// intent carries out what the user wants.
func (a *app) intent(i view.Intent) {
	switch i := i.(type) {
	case view.Open:
		a.openText(i.Text)
	case view.OpenFile:
		a.chooseFile()
	case view.Play:
		a.see(i.ID)
	case view.Zap:
		a.zap(i.By)
	case view.CloseChannel:
		a.stopWatching()
		a.page = view.PageLibrary
	case view.Search:
		a.query = i.Query
	case view.ChooseGroup:
		a.group = i.Group
	case view.GoTo:
		a.page = i.Page
		if a.page == view.PageWatch && a.watching == nil {
			a.page = view.PageLibrary
		}
	case view.Retry:
		if w := a.watching; w != nil {
			a.play(w.channel.ID)
		}
	case view.Dismiss:
		a.notices.dismiss(i.ID)
	case view.CopyText:
		a.onMain(func() { a.fyne.Clipboard().SetContent(i.Text) })
	case view.PauseSharing:
		a.pauseSharing(i.On)
	case view.ShowDetails:
		a.details = i.On
	case view.AnswerConsent:
		a.answer(i)
	case view.Change:
		a.commit(i.Settings)
	case view.ClearCache:
		a.clearCache()
	case view.SetHandler:
		a.setHandler(i.On)
	case view.SaveLog:
		a.saveLog()
	case view.OpenBrowser:
		a.openBrowser()
	case view.OpenExternal:
		a.openExternal()
	case view.CloseWindow:
		a.closeWindow(i)
	case view.KeepOpen:
		a.closeAsk = false
	case view.Quit:
		a.quit()
	default:
		if !a.libraryIntent(i) {
			a.playerIntent(i)
		}
	}
}

// libraryIntent carries out what concerns a channel of the library.
func (a *app) libraryIntent(i view.Intent) bool {
	var err error
	switch i := i.(type) {
	case view.SetFavorite:
		err = a.library.SetFavorite(i.ID, i.On)
	case view.Forget:
		a.forget(i.ID)
	case view.WantLogo:
		a.logo(i.ID)
	case view.Rename:
		err = a.library.Rename(i.ID, i.Name)
	case view.SetChannelConsent:
		err = a.library.SetConsent(i.ID, i.Consent)
		for _, o := range a.sessions() {
			if o.channel.ID == i.ID {
				o.channel.Consent = i.Consent
			}
		}
		a.applySharing(time.Now())
	case view.ShareChannel:
		a.shareSheet(i.ID)
	case view.CloseShare:
		a.sheet = nil
	default:
		return false
	}
	a.unsaved(err)
	return true
}

// playerIntent carries out what concerns the picture.
func (a *app) playerIntent(i view.Intent) {
	switch i := i.(type) {
	case view.SetFullScreen:
		a.setFullScreen(i.On)
		return
	case view.SetMiniPlayer:
		a.desktop.mini = i.On
		if i.On {
			a.setFullScreen(false)
		}
		return
	case view.ChooseRendition:
		a.pin(i.ID)
		return
	case view.ChooseSubtitle:
		a.chooseSubtitle(i.ID)
		return
	case view.SetVolume:
		a.remember(func(s *settings.Settings) { s.Volume = i.Percent })
	case view.SetMute:
		a.remember(func(s *settings.Settings) { s.Muted = i.On })
	}
	if a.player == nil || a.watching == nil {
		return
	}
	switch i := i.(type) {
	case view.SetPaused:
		a.player.SetPaused(i.On)
	case view.Seek:
		a.seek(i.To)
	case view.SeekBy:
		a.seek(a.position() + i.By)
	case view.GoLive:
		a.player.GoLive()
		a.player.SetPaused(false)
	case view.SetSpeed:
		a.player.SetSpeed(i.Speed)
	case view.SetVolume:
		a.player.SetVolume(i.Percent)
	case view.SetMute:
		a.player.SetMute(i.On)
	case view.Step:
		a.player.Step(i.Frames)
	case view.ChooseAudio:
		a.player.SelectAudio(i.ID)
	}
}

// commit saves settings and carries out what changed.
func (a *app) commit(next settings.Settings) bool {
	old := a.settings.Get()
	if err := a.settings.Commit(next); err != nil {
		if !errors.Is(err, settings.ErrNotSaved) {
			a.notice(view.Problem, lang.L("That is not possible: {{.Err}}", with("Err", brief(err))), "")
			return false
		}
		a.notice(view.Problem, lang.L("The settings hold until you quit, but could not be saved: {{.Err}}", with("Err", brief(err))), "")
	}
	next = a.settings.Get()
	switch {
	case founded(old, next):
		a.reopenNode(next)
	case a.node != nil:
		if old.CacheSize != next.CacheSize {
			a.node.SetCacheSize(next.CacheSize)
		}
		if old.Blocklist != next.Blocklist {
			a.setBlocklist(next.Blocklist)
		}
	}
	if a.decoding != nil && old.Hardware != next.Hardware {
		a.decoding.SetHardware(next.Hardware)
	}
	if a.decoding != nil && old.MaxHeight != next.MaxHeight {
		a.decoding.SetMaxHeight(next.MaxHeight)
	}
	if old.Language != next.Language {
		a.translate(next)
	}
	if old.Scale != next.Scale {
		a.scaler.set(next.Scale)
		a.onMain(func() { a.fyne.Settings().SetTheme(view.Theme(next.Theme)) })
	}
	a.applySharing(time.Now())
	return true
}

// translate goes on in another language. It waits for Fyne's goroutine, so that the
// two that say most words say none meanwhile.
func (a *app) translate(cfg settings.Settings) {
	if a.closing.Load() {
		return
	}
	fyne.DoAndWait(func() {
		if err := a.speaker.set(cfg); err != nil {
			a.log.Error("language", "err", err)
		}
		a.window.Translate()
	})
}

// remember changes settings that are not worth a word if they cannot be saved.
func (a *app) remember(change func(*settings.Settings)) {
	s := a.settings.Get()
	old := s
	change(&s)
	if s == old {
		return
	}
	if err := a.settings.Commit(s); err != nil {
		a.log.Warn("settings", "err", err)
	}
}

// chooseFile shows the file dialogue.
func (a *app) chooseFile() {
	a.onMain(func() {
		d := dialog.NewFileOpen(func(r fyne.URIReadCloser, err error) {
			if err != nil || r == nil {
				return
			}
			name := r.URI().Path()
			r.Close()
			a.queue.post(func() { a.openText(name) })
		}, a.window.Fyne())
		d.Resize(fyne.NewSize(760, 520))
		d.Show()
	})
}

// saveLog writes the log into a file that may be sent: no address, no link.
func (a *app) saveLog() {
	a.onMain(func() {
		d := dialog.NewFileSave(func(w fyne.URIWriteCloser, err error) {
			if err != nil || w == nil {
				return
			}
			name := w.URI().Path()
			w.Close()
			a.queue.post(func() {
				if err := a.logFile.SaveTo(name); err != nil {
					a.notice(view.Problem, lang.L("The log could not be saved: {{.Err}}", with("Err", brief(err))), "")
					return
				}
				a.notice(view.Info, lang.L("The log was saved. It holds no addresses and no links."), "")
			})
		}, a.window.Fyne())
		d.SetFileName("coral-log.txt")
		d.Show()
	})
}

func (a *app) clearCache() {
	n := a.node
	if n == nil {
		return
	}
	a.later(func(context.Context) func() {
		err := n.ClearCache()
		return func() {
			if err != nil {
				a.notice(view.Problem, lang.L("The cache could not be cleared: {{.Err}}", with("Err", brief(err))), "")
				return
			}
			a.notice(view.Info, lang.L("The cache is empty, but for what plays."), "")
		}
	})
}

// relaxAfter is how long after a window or a channel was closed nothing of it is used
// any more.
const relaxAfter = 3 * time.Second

// relax gives back the memory that only playing and sharing need, if nothing is open
// by then.
func (a *app) relax() {
	if a.relaxing == nil {
		a.relaxing = time.AfterFunc(relaxAfter, func() { a.queue.post(a.giveBack) })
	} else {
		a.relaxing.Reset(relaxAfter)
	}
}

func (a *app) giveBack() {
	if len(a.sessions()) > 0 || a.watching != nil {
		return
	}
	n := a.node
	a.later(func(context.Context) func() {
		if a.decoding != nil {
			a.decoding.Relax()
		}
		if n != nil {
			n.Relax()
		}
		runtime.GC() // what pools keep is free after a second one
		debug.FreeOSMemory()
		if err := native.Relax(a.mapped); err != nil {
			a.log.Info("memory", "err", err)
		}
		return nil
	})
}

// setHandler makes coral: and magnet: links open this program, or not.
func (a *app) setHandler(on bool) {
	a.later(func(ctx context.Context) func() {
		set := a.desktop.handler.Register
		if !on {
			set = a.desktop.handler.Unregister
		}
		err := set(ctx)
		handles := a.desktop.handler.Registered(ctx)
		return func() {
			a.desktop.handles = handles
			if err != nil {
				a.notice(view.Problem, brief(err), "")
			}
		}
	})
}

// closeWindow is the window's close button.
func (a *app) closeWindow(i view.CloseWindow) {
	answer := i.Answer
	if answer == settings.CloseAsk {
		answer = a.settings.Get().OnClose
		if answer == settings.CloseAsk && a.desktop.tray && len(a.sessions()) > 0 {
			a.closeAsk = true
			return
		}
	}
	a.closeAsk = false
	if i.Remember {
		a.remember(func(s *settings.Settings) { s.OnClose = answer })
	}
	if answer != settings.CloseTray || !a.desktop.tray {
		a.quit()
		return
	}
	a.saveWindow()
	a.stopWatching()
	a.page = view.PageLibrary
	a.onMain(a.window.Hide)
	a.relax()
}
