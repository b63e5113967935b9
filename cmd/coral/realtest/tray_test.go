//go:build linux

package realtest

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
)

// desk is a desktop's tray: it knows who has an icon in it.
type desk struct {
	bus   *dbus.Conn
	icons chan string // names on the bus
}

// RegisterStatusNotifierItem is called over the bus by whoever has an icon.
func (d *desk) RegisterStatusNotifierItem(from dbus.Sender, _ string) *dbus.Error {
	select {
	case d.icons <- string(from):
	default:
	}
	return nil
}

// newDesk starts a bus with a tray on it; env is what a program needs to find it.
func newDesk(t *testing.T) (d *desk, env string) {
	t.Helper()
	if _, err := exec.LookPath("dbus-daemon"); err != nil {
		t.Skip("dbus-daemon is not installed: go run ./cmd/dev test installs it")
	}
	address := "unix:path=" + filepath.Join(t.TempDir(), "bus")
	start(t, nil, "dbus-daemon", "--session", "--nofork", "--nopidfile", "--address="+address)
	d = &desk{icons: make(chan string, 1)}
	eventually(t, "bus", func() bool {
		var err error
		d.bus, err = dbus.Connect(address)
		return err == nil
	})
	t.Cleanup(func() { d.bus.Close() })
	const name = "org.kde.StatusNotifierWatcher"
	if err := d.bus.Export(d, "/StatusNotifierWatcher", name); err != nil {
		t.Fatal(err)
	}
	if _, err := d.bus.RequestName(name, dbus.NameFlagDoNotQueue); err != nil {
		t.Fatal(err)
	}
	return d, "DBUS_SESSION_BUS_ADDRESS=" + address
}

// press chooses an entry of an icon's menu.
func (d *desk) press(t *testing.T, icon, label string) {
	t.Helper()
	const menu = "com.canonical.dbusmenu."
	o := d.bus.Object(icon, "/StatusNotifierMenu")
	eventually(t, label, func() bool {
		var revision uint32
		var top struct {
			ID         int32
			Properties map[string]dbus.Variant
			Children   []dbus.Variant
		}
		if err := o.Call(menu+"GetLayout", 0, int32(0), int32(-1), []string{}).Store(&revision, &top); err != nil {
			return false
		}
		for _, c := range top.Children {
			entry := c.Value().([]any)
			if l, ok := entry[1].(map[string]dbus.Variant)["label"]; ok && l.Value() == label {
				return o.Call(menu+"Event", 0, entry[0].(int32), "clicked", dbus.MakeVariant(0), uint32(0)).Err == nil
			}
		}
		return false
	})
}

// The window goes into the tray, comes back from its menu, and quits from there.
func TestTray(t *testing.T) {
	needs(t)
	d, bus := newDesk(t)
	s := newScreen(t, "1024x768")
	dir, env := home(t)
	file := filepath.Join(dir, "config/coral/settings.json")
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(`{"version": 1, "share": "off", "on-close": "tray", "bind": "127.0.0.1"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	app := start(t, slices.Concat(s.env, env, []string{bus}), filepath.Join(built, "coral"))
	s.show(t)
	window, _, _ := strings.Cut(s.do(t, "search", "--sync", "--onlyvisible", "--name", "Coral"), "\n")
	var icon string
	select {
	case icon = <-d.icons:
	case <-time.After(within):
		t.Fatal("no icon in the tray")
	}
	there := func() bool {
		cmd := exec.Command("xdotool", "search", "--onlyvisible", "--name", "^Coral$")
		cmd.Env = append(os.Environ(), s.env...)
		return cmd.Run() == nil
	}
	s.do(t, "windowfocus", "--sync", window, "key", "alt+F4")
	eventually(t, "the window in the tray", func() bool { return !there() })
	d.press(t, icon, "Show Coral")
	eventually(t, "the window again", there)
	d.press(t, icon, "Quit")
	if err := app.ends(t); err != nil {
		t.Errorf("it ended with %v", err)
	}
}
