package main

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
)

// version is set by the linker for releases.
var version = ""

func versionText() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" && len(s.Value) >= 12 {
				return "dev-" + s.Value[:12]
			}
		}
	}
	return "dev"
}

// agent is what origins and peers are told.
func agent() string { return "Coral/" + versionText() }

func versionCommand() *command {
	return &command{
		name: "version", flags: newFlagSet("version"), summary: "print the version",
		run: func(_ context.Context, env *environment, _ []string) error {
			_, err := fmt.Fprintf(env.stdout, "coralnode %s %s %s/%s\n", versionText(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
}
