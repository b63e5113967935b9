//go:build !windows

package mpv

import (
	"runtime"

	"github.com/ebitengine/purego"
)

func openLibrary(name string) (uintptr, error) {
	return purego.Dlopen(name, purego.RTLD_NOW|purego.RTLD_LOCAL)
}

func findSymbol(handle uintptr, name string) (uintptr, error) {
	return purego.Dlsym(handle, name)
}

// neutralNumbers makes C write numbers as mpv reads them. Go never changes C's
// locale, but an input method or a plug-in of the desktop may have, and then mpv
// refuses to start.
func neutralNumbers() {
	symbol, err := purego.Dlsym(purego.RTLD_DEFAULT, "setlocale")
	if err != nil {
		return // no such thing here: then it is not the reason
	}
	var setlocale func(category int32, name string) uintptr
	purego.RegisterFunc(&setlocale, symbol)
	setlocale(numericCategory(), "C")
}

// fewArenas keeps C's allocator (glibc) from giving each of mpv's threads a heap of
// its own, of which most stays unused and is not given back.
func fewArenas() {
	symbol, err := purego.Dlsym(purego.RTLD_DEFAULT, "mallopt")
	if err != nil {
		return
	}
	var mallopt func(param, value int32) int32
	purego.RegisterFunc(&mallopt, symbol)
	const arenaMax = -8 // M_ARENA_MAX
	mallopt(arenaMax, 2)
}

// trim has C's allocator give back what it keeps, where it can (glibc).
func trim() {
	symbol, err := purego.Dlsym(purego.RTLD_DEFAULT, "malloc_trim")
	if err != nil {
		return
	}
	var mallocTrim func(pad uintptr) int32
	purego.RegisterFunc(&mallocTrim, symbol)
	mallocTrim(0)
}

// numericCategory is C's LC_NUMERIC.
func numericCategory() int32 {
	if runtime.GOOS == "linux" {
		return 1
	}
	return 4 // macOS and the BSDs
}
