//go:build unix && !darwin

package system

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
)

// daemon is NetworkManager or UPower as far as we look at them.
type daemon struct {
	t    *testing.T
	conn *dbus.Conn
	name string
	path dbus.ObjectPath

	mu    sync.Mutex
	value any
}

func newDaemon(t *testing.T, bus, name string, path dbus.ObjectPath, key string, value any) *daemon {
	d := &daemon{t: t, conn: onBus(t, bus), name: name, path: path, value: value}
	get := func(iface, asked string) (dbus.Variant, *dbus.Error) {
		if iface != name || asked != key {
			return dbus.Variant{}, dbus.NewError("org.freedesktop.DBus.Error.InvalidArgs", nil)
		}
		d.mu.Lock()
		defer d.mu.Unlock()
		return dbus.MakeVariant(d.value), nil
	}
	if err := d.conn.ExportMethodTable(map[string]any{"Get": get}, path, "org.freedesktop.DBus.Properties"); err != nil {
		t.Fatal(err)
	}
	own(t, d.conn, name)
	return d
}

func (d *daemon) set(key string, value any) {
	d.mu.Lock()
	d.value = value
	d.mu.Unlock()
	if err := d.conn.Emit(d.path, "org.freedesktop.DBus.Properties.PropertiesChanged", d.name, map[string]dbus.Variant{key: dbus.MakeVariant(value)}, []string{}); err != nil {
		d.t.Error(err)
	}
}

// watching runs w and yields what it reports.
func watching(t *testing.T, w *powerWatch) func(want Conditions) {
	t.Helper()
	got := make(chan Conditions, 16)
	w.report = func(c Conditions) { got <- c }
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { _ = w.run(ctx); close(done) }()
	t.Cleanup(func() { cancel(); <-done })
	return func(want Conditions) {
		t.Helper()
		select {
		case c := <-got:
			if c != want {
				t.Fatalf("reported %+v, want %+v", c, want)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("nothing was reported, want %+v", want)
		}
	}
}

func TestPowerSignals(t *testing.T) {
	bus := privateBus(t)
	nm := newDaemon(t, bus, managerName, managerPath, "Metered", uint32(4))
	up := newDaemon(t, bus, upowerName, upowerPath, "OnBattery", false)
	// A period that never comes: only signals can tell.
	expect := watching(t, &powerWatch{bus: bus, supplies: t.TempDir(), period: time.Hour})
	expect(Conditions{})
	nm.set("Metered", uint32(nmMeteredYes))
	expect(Conditions{Metered: true})
	up.set("OnBattery", true)
	expect(Conditions{Metered: true, OnBattery: true})
	nm.set("Metered", uint32(2))
	expect(Conditions{OnBattery: true})
	nm.set("Metered", uint32(nmMeteredGuessYes))
	expect(Conditions{Metered: true, OnBattery: true})
	up.set("OnBattery", false)
	expect(Conditions{Metered: true})
	// NetworkManager ends: nothing is known of the network.
	_ = nm.conn.Close()
	expect(Conditions{})
	newDaemon(t, bus, managerName, managerPath, "Metered", uint32(1))
	expect(Conditions{Metered: true})
}

func TestPowerLateDaemon(t *testing.T) {
	bus := privateBus(t)
	expect := watching(t, &powerWatch{bus: bus, supplies: t.TempDir(), period: time.Hour})
	expect(Conditions{})
	newDaemon(t, bus, upowerName, upowerPath, "OnBattery", true)
	expect(Conditions{OnBattery: true})
}

// supply writes files as Linux shows a power supply.
func supply(t *testing.T, dir, name string, files map[string]string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
		t.Fatal(err)
	}
	for file, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name, file), []byte(text+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestPowerWithoutBus(t *testing.T) {
	dir := t.TempDir()
	supply(t, dir, "AC", map[string]string{"type": "Mains", "online": "1"})
	supply(t, dir, "BAT0", map[string]string{"type": "Battery", "status": "Charging"})
	supply(t, dir, "mouse", map[string]string{"type": "Battery", "status": "Discharging", "scope": "Device"})
	expect := watching(t, &powerWatch{bus: "unix:path=" + filepath.Join(dir, "none"), supplies: dir, period: 5 * time.Millisecond})
	expect(Conditions{})
	supply(t, dir, "BAT0", map[string]string{"status": "Discharging"}) // a weak charger
	supply(t, dir, "AC", map[string]string{"online": "0"})
	expect(Conditions{OnBattery: true})
	supply(t, dir, "AC", map[string]string{"online": "1"})
	expect(Conditions{})
}

func TestPowerBusDies(t *testing.T) {
	bus, stop := stoppableBus(t)
	newDaemon(t, bus, managerName, managerPath, "Metered", uint32(1))
	dir := t.TempDir()
	supply(t, dir, "BAT0", map[string]string{"type": "Battery", "status": "Discharging"})
	expect := watching(t, &powerWatch{bus: bus, supplies: dir, period: time.Hour})
	expect(Conditions{Metered: true, OnBattery: true})
	stop()
	expect(Conditions{OnBattery: true})
}

// A socket that accepts and says nothing is no bus.
func TestBusSilent(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := connect(ctx, silentSocket(t)); err == nil {
		t.Error("connected to a silent socket")
	}
	if _, err := connect(t.Context(), ""); err == nil {
		t.Error("connected to nothing")
	}
}
