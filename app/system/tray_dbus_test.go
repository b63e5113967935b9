//go:build unix && !darwin

package system

import (
	"testing"

	"github.com/godbus/dbus/v5"
)

func TestHasTray(t *testing.T) {
	address := privateBus(t)
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", address)
	if HasTray(t.Context()) {
		t.Error("a tray that nobody shows")
	}
	c, err := dbus.Connect(address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.RequestName(trayWatcher, dbus.NameFlagDoNotQueue); err != nil {
		t.Fatal(err)
	}
	if !HasTray(t.Context()) {
		t.Error("no tray, though somebody shows it")
	}
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent")
	if HasTray(t.Context()) {
		t.Error("a tray without a bus")
	}
}
