package view

import (
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/lang"

	"coral/assets"
)

// tray is the icon in the system's tray, where there is one.
type tray struct {
	menu   *fyne.Menu
	state  *fyne.MenuItem // what is shared now; not for pressing
	pause  *fyne.MenuItem
	paused bool
	there  bool      // the icon is in the tray
	told   time.Time // when the menu was changed last
}

// trayTell is how often the rate in the menu is brought up to date.
const trayTell = 5 * time.Second

func newTray(raise func(), emit func(Intent)) *tray {
	t := &tray{}
	front := fyne.NewMenuItem(lang.L("Show Coral"), raise)
	t.state = fyne.NewMenuItem(sharingSentence(Sharing{}), nil)
	t.state.Disabled = true
	t.pause = fyne.NewMenuItem(lang.L("Pause sharing"), func() { emit(PauseSharing{!t.paused}) })
	quit := fyne.NewMenuItem(lang.L("Quit"), func() { emit(Quit{}) })
	quit.IsQuit = true // else Fyne adds one that does not tell the swarm
	t.menu = fyne.NewMenu("Coral", front, t.state, t.pause, fyne.NewMenuItemSeparator(), quit)
	return t
}

// put puts the icon into the tray.
func (t *tray) put(a desktop.App) {
	t.there = true
	a.SetSystemTrayIcon(assets.Pixels())
	a.SetSystemTrayMenu(t.menu)
}

// show changes the menu only if it must: each change is a message to the desktop.
func (t *tray) show(m *Model, now time.Time) {
	if !t.there {
		return
	}
	paused := m.Sharing.Paused || m.Sharing.State == SharingPaused
	state := sharingSentence(m.Sharing)
	if t.paused == paused && (t.state.Label == state || now.Sub(t.told) < trayTell) {
		return
	}
	t.told = now
	t.paused, t.state.Label = paused, state
	t.pause.Label = lang.L("Pause sharing")
	if paused {
		t.pause.Label = lang.L("Resume sharing")
	}
	t.menu.Refresh()
}
