package view

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver"
)

// Native is what the window system can do and Fyne has no word for. Package
// app/native has them. They are called on Fyne's goroutine.
type Native struct {
	KeepAbove    func(window uintptr, on bool) error
	NudgePointer func() error
	ScreenSize   func() (wide, high int, err error) // in pixels
}

// Use gives the window what the system can do; without it the mini player is
// small but not above others, a pointer that rests is seen until it moves, and the
// window may be larger than the screen.
// It is called once, before the first Show.
func (w *Window) Use(n Native) {
	if wide, high, err := n.ScreenSize(); err == nil {
		w.screenSize = fyne.NewSize(float32(wide), float32(high))
		w.win.Resize(w.fit(startWidth, startHeight))
	}
	w.mini.above = func(on bool) {
		if h := handle(w.win); h != 0 {
			_ = n.KeepAbove(h, on) // a mini player that is not above is one still
		}
	}
	w.hidePtr = func() {
		_ = n.NudgePointer() // the pointer is seen a little longer
	}
	w.watch.hidePtr = w.hidePtr
}

// handle is the window system's own name for a window; 0: not known.
func handle(w fyne.Window) (h uintptr) {
	native, ok := w.(driver.NativeWindow)
	if !ok {
		return 0
	}
	native.RunNative(func(context any) {
		switch c := context.(type) {
		case driver.X11WindowContext:
			h = c.WindowHandle
		case driver.WindowsWindowContext:
			h = c.HWND
		}
	})
	return h
}
