package mpv

import (
	"bufio"
	"os"
	"runtime"
	"strings"
)

// InstallHint says in one line how to get libmpv on this system.
func InstallHint() string {
	release, err := os.ReadFile("/etc/os-release")
	if err != nil {
		release = nil // not Linux, or a very bare one: the general hint
	}
	return hint(runtime.GOOS, string(release))
}

// hint names the command for a system; release is its os-release(5).
func hint(system, release string) string {
	switch system {
	case "windows":
		return "Put libmpv-2.dll (from mpv.io/installation) beside coral.exe"
	case "darwin":
		return "brew install mpv"
	}
	var names string
	lines := bufio.NewScanner(strings.NewReader(release))
	for lines.Scan() {
		key, value, _ := strings.Cut(lines.Text(), "=")
		if key == "ID" || key == "ID_LIKE" {
			names += " " + strings.Trim(value, `"'`)
		}
	}
	for _, name := range strings.Fields(names) {
		switch name {
		case "debian", "ubuntu":
			return "sudo apt install libmpv2"
		case "fedora", "rhel", "centos":
			return "sudo dnf install mpv-libs"
		case "arch":
			return "sudo pacman -S mpv"
		case "suse", "opensuse":
			return "sudo zypper install libmpv2"
		case "alpine":
			return "sudo apk add mpv-libs"
		}
	}
	return "Install libmpv 0.33 or newer with your system's package manager"
}
