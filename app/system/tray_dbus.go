//go:build unix && !darwin

package system

import "context"

// trayWatcher is who shows the tray's icons: KDE, and GNOME with an extension.
const trayWatcher = "org.kde.StatusNotifierWatcher"

// HasTray reports whether the desktop shows tray icons now. A window that hides
// into a tray which nobody shows would be gone.
func HasTray(ctx context.Context) bool {
	c, err := connect(ctx, sessionBus())
	if err != nil {
		return false
	}
	defer c.Close()
	var has bool
	err = ask(ctx, c.BusObject(), "org.freedesktop.DBus.NameHasOwner", trayWatcher).Store(&has)
	return err == nil && has
}
