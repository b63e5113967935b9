// Package native asks the window system for the three things that Fyne 2.7 has no
// word for: to keep a window above the others, to move the pointer by nothing, so
// that Fyne looks which cursor it should have now, and how large the screen is.
//
// Relax asks the kernel (Linux alone) to take back pages that are copies of files.
//
// On X11 (and XWayland) it speaks the few requests it needs to the display's own
// socket, on Windows it calls user32; elsewhere it returns ErrUnsupported.
// It keeps nothing, starts no goroutine and knows neither Fyne nor the rest of
// Coral. A call takes a fraction of a millisecond and at most [patience].
package native

import (
	"errors"
	"time"
)

// ErrUnsupported says that this system offers no way.
var ErrUnsupported = errors.New("the window system offers no way")

// patience bounds a call: it is made on the goroutine that draws.
const patience = 200 * time.Millisecond
