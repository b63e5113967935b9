//go:build unix && !darwin

package system

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/godbus/dbus/v5"
)

// busTime bounds one call over a bus: what does not answer is treated as absent.
const busTime = 5 * time.Second

// systemBus is where the system's daemons are, by the D-Bus specification.
func systemBus() string {
	if a := os.Getenv("DBUS_SYSTEM_BUS_ADDRESS"); a != "" {
		return a
	}
	return "unix:path=/run/dbus/system_bus_socket"
}

// sessionBus is where the user's programs are; "" if there is none. It never
// starts one, as godbus would: nobody but us would be on it.
func sessionBus() string {
	a := os.Getenv("DBUS_SESSION_BUS_ADDRESS")
	if a != "" && !strings.HasPrefix(a, "autolaunch:") {
		return a
	}
	if dir := os.Getenv("XDG_RUNTIME_DIR"); dir != "" {
		if socket := filepath.Join(dir, "bus"); exists(socket) {
			return "unix:path=" + dbus.EscapeBusAddressValue(socket)
		}
	}
	return ""
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

// connect returns a connection of its own, which the caller closes.
func connect(ctx context.Context, address string) (*dbus.Conn, error) {
	if address == "" {
		return nil, errors.New("connect to the session bus: there is none")
	}
	// Not WithContext(ctx): a connection that ctx closes can no longer say goodbye.
	c, err := dbus.Dial(address)
	if err != nil {
		return nil, fmt.Errorf("connect to bus: %w", err)
	}
	// A socket that accepts and says nothing would hold Auth and Hello for ever.
	stop := context.AfterFunc(ctx, func() { _ = c.Close() })
	defer stop()
	slow := time.AfterFunc(busTime, func() { _ = c.Close() })
	defer slow.Stop()
	if err = c.Auth(nil); err == nil {
		err = c.Hello()
	}
	if err != nil {
		_ = c.Close()
		return nil, fmt.Errorf("connect to bus: %w", err)
	}
	return c, nil
}

// ask calls a method that must answer within busTime. It starts no daemon.
func ask(ctx context.Context, o dbus.BusObject, method string, args ...any) *dbus.Call {
	ctx, cancel := context.WithTimeout(ctx, busTime)
	defer cancel()
	return o.CallWithContext(ctx, method, dbus.FlagNoAutoStart, args...)
}

// call is ask, but starts what the desktop starts on demand.
func call(ctx context.Context, o dbus.BusObject, method string, args ...any) *dbus.Call {
	ctx, cancel := context.WithTimeout(ctx, busTime)
	defer cancel()
	return o.CallWithContext(ctx, method, 0, args...)
}
