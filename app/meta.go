package app

import (
	"fmt"
	"runtime/debug"
	"strings"
	"sync"

	"fyne.io/fyne/v2"
	fyneapp "fyne.io/fyne/v2/app"

	"coral/assets"
	"coral/player/web"
)

// ID names the program to the desktop.
const ID = "org.coral.Coral"

// describe gives Fyne what FyneApp.toml tells the packager: a program built by
// go build alone knows itself as well as a packaged one. A test compares them.
func describe(version string) {
	fyneapp.SetMetadata(fyne.AppMetadata{
		ID: ID, Name: "Coral", Version: version, Build: 1, Icon: assets.Pixels(), Release: version != "dev",
		Migrations: map[string]bool{"fyneDo": true},
	})
}

// licences says what the program is built on. The texts lie beside a packaged
// program.
var licences = sync.OnceValue(func() string {
	var b strings.Builder
	b.WriteString("Coral: Apache License 2.0\nhls.js " + web.HLSVersion + ": Apache License 2.0\n")
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b.String()
	}
	for _, m := range info.Deps {
		fmt.Fprintf(&b, "%s %s\n", m.Path, m.Version)
	}
	return b.String()
})
