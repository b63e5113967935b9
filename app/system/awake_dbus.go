//go:build unix && !darwin

package system

import (
	"context"
	"fmt"

	"github.com/godbus/dbus/v5"
)

const (
	saverName   = "org.freedesktop.ScreenSaver"
	saverPath   = "/org/freedesktop/ScreenSaver"
	portalName  = "org.freedesktop.portal.Desktop"
	portalPath  = "/org/freedesktop/portal/desktop"
	portalIdle  = 8 // of org.freedesktop.portal.Inhibit's flags: the session does not become idle
	requestName = "org.freedesktop.portal.Request"
)

func holdScreen(ctx context.Context, reason string) (*hold, error) {
	return holdOn(ctx, sessionBus(), reason)
}

// holdOn asks the desktop's screen saver, else the portal, which sandboxes allow.
// Both forget the wish when the connection ends, so that nothing stays on after
// a crash.
func holdOn(ctx context.Context, bus, reason string) (*hold, error) {
	c, err := connect(ctx, bus)
	if err != nil {
		return nil, fmt.Errorf("keep the screen on: %w", err)
	}
	var cookie uint32
	saver := c.Object(saverName, saverPath)
	if err = call(ctx, saver, saverName+".Inhibit", "coral", reason).Store(&cookie); err == nil {
		return &hold{lost: c.Context().Done(), release: func() {
			_ = call(context.Background(), saver, saverName+".UnInhibit", cookie).Err
			_ = c.Close()
		}}, nil
	}
	var request dbus.ObjectPath
	portal := c.Object(portalName, portalPath)
	perr := call(ctx, portal, "org.freedesktop.portal.Inhibit.Inhibit", "", uint32(portalIdle),
		map[string]dbus.Variant{"reason": dbus.MakeVariant(reason)}).Store(&request)
	if perr == nil {
		return &hold{lost: c.Context().Done(), release: func() {
			_ = call(context.Background(), c.Object(portalName, request), requestName+".Close").Err
			_ = c.Close()
		}}, nil
	}
	_ = c.Close()
	return nil, fmt.Errorf("keep the screen on: %w; %w", err, perr)
}
