//go:build !unix || darwin

package system

import "context"

// HasTray reports whether the desktop shows tray icons: these systems always do.
func HasTray(context.Context) bool { return true }
