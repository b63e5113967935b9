package mpv

import "syscall"

func openLibrary(name string) (uintptr, error) {
	h, err := syscall.LoadLibrary(name)
	return uintptr(h), err
}

func findSymbol(handle uintptr, name string) (uintptr, error) {
	return syscall.GetProcAddress(syscall.Handle(handle), name)
}

// neutralNumbers does nothing: no part of this program changes the locale of the
// C library that mpv brings along.
func neutralNumbers() {}

// fewArenas does nothing: Windows' allocator has no such thing.
func fewArenas() {}

// trim does nothing: Windows' allocator gives back by itself.
func trim() {}
