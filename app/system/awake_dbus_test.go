//go:build unix && !darwin

package system

import (
	"fmt"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
)

func TestAwakeScreenSaver(t *testing.T) {
	bus := privateBus(t)
	c := onBus(t, bus)
	said := make(chan string, 4)
	if err := c.ExportMethodTable(map[string]any{
		"Inhibit":   func(app, why string) (uint32, *dbus.Error) { said <- app + ": " + why; return 77, nil },
		"UnInhibit": func(cookie uint32) *dbus.Error { said <- fmt.Sprint("end ", cookie); return nil },
	}, saverPath, saverName); err != nil {
		t.Fatal(err)
	}
	own(t, c, saverName)
	h, err := holdOn(t.Context(), bus, "A race is playing")
	if err != nil {
		t.Fatal(err)
	}
	if s := <-said; s != "coral: A race is playing" {
		t.Error(s)
	}
	h.release()
	if s := <-said; s != "end 77" {
		t.Error(s)
	}
}

func TestAwakePortal(t *testing.T) {
	bus := privateBus(t)
	c := onBus(t, bus)
	said := make(chan string, 4)
	const request = "/org/freedesktop/portal/desktop/request/1_2/t"
	if err := c.ExportMethodTable(map[string]any{
		"Inhibit": func(window string, flags uint32, o map[string]dbus.Variant) (dbus.ObjectPath, *dbus.Error) {
			said <- fmt.Sprint(window, flags, o["reason"].Value())
			return request, nil
		},
	}, portalPath, "org.freedesktop.portal.Inhibit"); err != nil {
		t.Fatal(err)
	}
	if err := c.ExportMethodTable(map[string]any{"Close": func() *dbus.Error { said <- "close"; return nil }}, request, requestName); err != nil {
		t.Fatal(err)
	}
	own(t, c, portalName)
	h, err := holdOn(t.Context(), bus, "why")
	if err != nil {
		t.Fatal(err)
	}
	if s := <-said; s != "8why" {
		t.Error(s)
	}
	h.release()
	if s := <-said; s != "close" {
		t.Error(s)
	}
}

func TestAwakeNobodyThere(t *testing.T) {
	bus, stop := stoppableBus(t)
	if _, err := holdOn(t.Context(), bus, "why"); err == nil {
		t.Error("held with no screen saver")
	}
	c := onBus(t, bus)
	if err := c.ExportMethodTable(map[string]any{"Inhibit": func(_, _ string) (uint32, *dbus.Error) { return 1, nil }}, saverPath, saverName); err != nil {
		t.Fatal(err)
	}
	own(t, c, saverName)
	h, err := holdOn(t.Context(), bus, "why")
	if err != nil {
		t.Fatal(err)
	}
	stop()
	select {
	case <-h.lost:
	case <-time.After(5 * time.Second):
		t.Error("the bus is gone and nobody noticed")
	}
	h.release()
}
