package app

import (
	"os"
	"testing"

	"go.uber.org/goleak"

	"coral/player/mpv"
)

// Nothing is played here: cmd/coral/realtest does, with the built program.
func TestMain(m *testing.M) {
	os.Setenv(mpv.LibraryVariable, "/nonexistent/libmpv")
	goleak.VerifyTestMain(m)
}
