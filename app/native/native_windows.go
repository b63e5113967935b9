package native

import (
	"fmt"

	"golang.org/x/sys/windows"
)

var (
	user32       = windows.NewLazySystemDLL("user32.dll")
	setWindowPos = user32.NewProc("SetWindowPos")
	mouseEvent   = user32.NewProc("mouse_event")
	metrics      = user32.NewProc("GetSystemMetrics")
)

// KeepAbove keeps a window (a HWND) above the others, or lets it go.
func KeepAbove(window uintptr, on bool) error {
	const (
		topmost, notTopmost        = ^uintptr(0), ^uintptr(1) // -1, -2
		noSize, noMove, noActivate = 0x1, 0x2, 0x10
	)
	after := notTopmost
	if on {
		after = topmost
	}
	if ok, _, err := setWindowPos.Call(window, after, 0, 0, 0, 0, noSize|noMove|noActivate); ok == 0 {
		return fmt.Errorf("keep window above: %w", err)
	}
	return nil
}

// NudgePointer moves the pointer by one pixel and back.
func NudgePointer() error {
	const moved = 0x1
	for _, dx := range []uintptr{1, ^uintptr(0)} {
		// mouse_event returns nothing.
		_, _, _ = mouseEvent.Call(moved, dx, 0, 0, 0)
	}
	return nil
}

// ScreenSize returns the size of the first monitor in pixels.
func ScreenSize() (wide, high int, err error) {
	const width, height = 0, 1 // SM_CXSCREEN, SM_CYSCREEN
	w, _, _ := metrics.Call(width)
	h, _, _ := metrics.Call(height)
	if w == 0 || h == 0 {
		return 0, 0, ErrUnsupported
	}
	return int(w), int(h), nil
}
