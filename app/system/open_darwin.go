package system

import "os/exec"

func openBrowser(u string) error { return launch(exec.Command("/usr/bin/open", u)) }

func knownPlayers() []known {
	// Programs started from the Finder have a PATH without Homebrew.
	brew := func(name string) []string {
		return []string{name, "/opt/homebrew/bin/" + name, "/usr/local/bin/" + name}
	}
	return []known{
		{"IINA", []string{"/Applications/IINA.app/Contents/MacOS/iina-cli"}, nil},
		{"mpv", append(brew("mpv"), "/Applications/mpv.app/Contents/MacOS/mpv"), []string{"--force-window", "--no-terminal", "--"}},
		{"VLC", []string{"/Applications/VLC.app/Contents/MacOS/VLC"}, nil},
		{"ffplay", brew("ffplay"), []string{"-loglevel", "error", "-i"}},
	}
}
