//go:build unix && !darwin

package system

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/godbus/dbus/v5"
)

const (
	managerName = "org.freedesktop.NetworkManager"
	managerPath = "/org/freedesktop/NetworkManager"
	upowerName  = "org.freedesktop.UPower"
	upowerPath  = "/org/freedesktop/UPower"

	// NMMetered: what the network said itself, and what NetworkManager concluded
	// (a phone's hotspot, mostly).
	nmMeteredYes      = 1
	nmMeteredGuessYes = 3

	// powerPeriod is how soon a change shows without a signal: of a bus that was
	// lost, or of a machine without UPower.
	powerPeriod = 30 * time.Second
	// powerSettle gathers the burst of signals that one pulled plug causes.
	powerSettle = 100 * time.Millisecond
)

func watch(ctx context.Context, f func(Conditions)) error {
	return (&powerWatch{bus: systemBus(), supplies: "/sys/class/power_supply", period: powerPeriod, report: f}).run(ctx)
}

// powerWatch reads everything again at each signal that may mean a change.
type powerWatch struct {
	bus      string
	supplies string // folder of the kernel's power supplies
	period   time.Duration
	report   func(Conditions)

	conn    *dbus.Conn // nil: no bus now
	signals chan *dbus.Signal
}

func (w *powerWatch) run(ctx context.Context) error {
	defer w.disconnect()
	w.connect(ctx)
	poll(ctx, w.wait, func() Conditions { return w.read(ctx) }, w.report)
	return nil
}

// wait returns after a signal, or a period; then there may be a bus again.
func (w *powerWatch) wait(ctx context.Context) bool {
	t := time.NewTimer(w.period)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case _, ok := <-w.signals:
		if !ok {
			w.disconnect()
			return pause(ctx, powerSettle) // and read the kernel's files
		}
		return pause(ctx, powerSettle)
	case <-t.C:
		if w.conn == nil {
			w.connect(ctx)
		}
		return true
	}
}

func (w *powerWatch) connect(ctx context.Context) {
	c, err := connect(ctx, w.bus)
	if err != nil {
		return
	}
	for _, of := range [][2]string{{managerName, managerPath}, {upowerName, upowerPath}} {
		name, path := of[0], dbus.ObjectPath(of[1])
		err = c.AddMatchSignalContext(ctx, dbus.WithMatchInterface("org.freedesktop.DBus.Properties"), dbus.WithMatchMember("PropertiesChanged"),
			dbus.WithMatchObjectPath(path), dbus.WithMatchSender(name), dbus.WithMatchArg(0, name))
		if err == nil { // it was started, or ended
			err = c.AddMatchSignalContext(ctx, dbus.WithMatchInterface("org.freedesktop.DBus"), dbus.WithMatchMember("NameOwnerChanged"), dbus.WithMatchArg(0, name))
		}
		if err != nil {
			_ = c.Close()
			return
		}
	}
	w.conn, w.signals = c, make(chan *dbus.Signal, 64)
	c.Signal(w.signals)
}

func (w *powerWatch) disconnect() {
	if w.conn != nil {
		_ = w.conn.Close()
	}
	w.conn, w.signals = nil, nil
}

func (w *powerWatch) read(ctx context.Context) (now Conditions) {
	// What came until here is in the answers.
	for range len(w.signals) {
		<-w.signals
	}
	if w.conn == nil {
		return Conditions{OnBattery: kernelOnBattery(w.supplies)}
	}
	var metered uint32
	if property(ctx, w.conn, managerName, managerPath, "Metered", &metered) == nil {
		now.Metered = metered == nmMeteredYes || metered == nmMeteredGuessYes
	}
	if property(ctx, w.conn, upowerName, upowerPath, "OnBattery", &now.OnBattery) != nil {
		now.OnBattery = kernelOnBattery(w.supplies)
	}
	return now
}

// property reads a property of name's main interface, which is called like it.
func property(ctx context.Context, c *dbus.Conn, name string, path dbus.ObjectPath, key string, to any) error {
	var v dbus.Variant
	if err := ask(ctx, c.Object(name, path), "org.freedesktop.DBus.Properties.Get", name, key).Store(&v); err != nil {
		return err
	}
	return v.Store(to)
}

// kernelOnBattery asks Linux itself: a battery of the machine (not of its mouse)
// gets empty, and no supply from outside is on.
func kernelOnBattery(dir string) bool {
	supplies, _ := os.ReadDir(dir)
	draining := false
	for _, s := range supplies {
		get := func(name string) string {
			b, _ := os.ReadFile(filepath.Join(dir, s.Name(), name))
			return strings.TrimSpace(string(b))
		}
		switch get("type") {
		case "Battery":
			draining = draining || get("status") == "Discharging" && get("scope") != "Device"
		case "Mains", "USB":
			if get("online") == "1" {
				return false
			}
		}
	}
	return draining
}
