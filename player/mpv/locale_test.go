//go:build !windows

package mpv

import (
	"testing"

	"github.com/ebitengine/purego"
)

// mpv refuses a process whose numbers have commas.
func TestOpenDespiteLocale(t *testing.T) {
	fake(t)
	var setlocale func(category int32, name string) string
	libc, err := purego.Dlopen("libc.so.6", purego.RTLD_NOW)
	if err != nil {
		t.Skip(err)
	}
	purego.RegisterLibFunc(&setlocale, libc, "setlocale")
	if setlocale(numericCategory(), "C.UTF-8") == "" {
		t.Skip("there is no locale to set")
	}
	defer setlocale(numericCategory(), "C")
	p, err := Open(Options{})
	if err != nil {
		t.Fatal(err)
	}
	p.Close()
}
