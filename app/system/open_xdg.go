//go:build unix && !darwin

package system

import (
	"errors"
	"os/exec"
	"path/filepath"

	"github.com/adrg/xdg"
)

// openers show a page; the first that is there and does not fail.
var openers = [][]string{{"xdg-open"}, {"gio", "open"}, {"x-www-browser"}, {"firefox"}, {"chromium"}}

func openBrowser(u string) error {
	err := errors.New("no browser was found (package xdg-utils would help)")
	for _, o := range openers {
		if _, missing := exec.LookPath(o[0]); missing != nil {
			continue
		}
		if err = launch(exec.Command(o[0], append(o[1:len(o):len(o)], u)...)); err == nil {
			return nil
		}
	}
	return err
}

func knownPlayers() []known {
	// Flatpak's commands stand in no PATH on many systems.
	flatpak := func(id string) []string {
		return []string{filepath.Join(xdg.DataHome, "flatpak", "exports", "bin", id), "/var/lib/flatpak/exports/bin/" + id}
	}
	if !HasDisplay() {
		return nil // they would all fail, or draw with letters
	}
	return []known{
		{"mpv", append([]string{"mpv"}, flatpak("io.mpv.Mpv")...), []string{"--force-window", "--no-terminal", "--"}},
		{"VLC", append([]string{"vlc"}, flatpak("org.videolan.VLC")...), nil},
		{"Celluloid", append([]string{"celluloid"}, flatpak("io.github.celluloid_player.Celluloid")...), nil},
		{"Haruna", append([]string{"haruna"}, flatpak("org.kde.haruna")...), nil},
		{"SMPlayer", []string{"smplayer"}, nil},
		{"ffplay", []string{"ffplay"}, []string{"-loglevel", "error", "-i"}},
	}
}
