//go:build unix && !darwin

package system

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// onlyPrograms makes a PATH of the test's own.
func onlyPrograms(t *testing.T) (dir string) {
	t.Helper()
	newHome(t)
	dir = t.TempDir()
	for _, tool := range []string{"sh", "mv"} { // for the scripts of install
		if err := os.Symlink("/bin/"+tool, filepath.Join(dir, tool)); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir)
	t.Setenv("DISPLAY", ":0")
	return dir
}

func TestOpenExternal(t *testing.T) {
	bin := onlyPrograms(t)
	if got := ExternalPlayers(); len(got) > 0 {
		t.Skipf("%v stand outside the PATH", got)
	}
	const link = "http://127.0.0.1:1/token/play/master.m3u8?a=1&b=$(id)"
	if _, err := OpenExternal(link); err == nil || !strings.Contains(err.Error(), "none is installed") {
		t.Error(err)
	}
	_, ffplay := install(t, filepath.Join(bin, "ffplay"))
	if name, err := OpenExternal(link); err != nil || name != "ffplay" {
		t.Error(name, err)
	}
	if got := waitFor(t, ffplay); got != "-loglevel\nerror\n-i\n"+link+"\n" {
		t.Errorf("ffplay was given %q", got)
	}
	_, vlc := install(t, filepath.Join(bin, "vlc"))
	// mpv is there, but does not start: the next one is tried.
	if err := os.WriteFile(filepath.Join(bin, "mpv"), []byte("#!/bin/sh\nexit 127\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if got := ExternalPlayers(); len(got) != 3 || got[0].Name != "mpv" || got[1].Name != "VLC" {
		t.Errorf("players: %v", got)
	}
	if name, err := OpenExternal(link); err != nil || name != "VLC" {
		t.Error(name, err)
	}
	if got := waitFor(t, vlc); got != link+"\n" {
		t.Errorf("VLC was given %q", got)
	}
	if err := (ExternalPlayer{Name: "mpv", file: filepath.Join(bin, "mpv")}).Open(link); err == nil {
		t.Error("a player that fails at once went unnoticed")
	}
}

func TestOpenURL(t *testing.T) {
	bin := onlyPrograms(t)
	if err := OpenURL("http://127.0.0.1:1/"); err == nil || !strings.Contains(err.Error(), "no browser") {
		t.Error(err)
	}
	_, out := install(t, filepath.Join(bin, "x-www-browser"))
	if err := os.WriteFile(filepath.Join(bin, "xdg-open"), []byte("#!/bin/sh\nexit 3\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := OpenURL("https://example.org/?q=a;b"); err != nil {
		t.Fatal(err)
	}
	if got := waitFor(t, out); got != "https://example.org/?q=a;b\n" {
		t.Errorf("the browser was given %q", got)
	}
}

// The program must outlive us, and our terminal's Ctrl+C.
func TestOpenDetaches(t *testing.T) {
	bin := onlyPrograms(t)
	out := filepath.Join(t.TempDir(), "stat")
	script := "#!/bin/sh\nread pid name state parent group session rest </proc/$$/stat\necho $$ $session >" + out + "\n"
	if err := os.WriteFile(filepath.Join(bin, "xdg-open"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("no /proc here")
	}
	if err := OpenURL("http://127.0.0.1:1/"); err != nil {
		t.Fatal(err)
	}
	if pid, session, _ := strings.Cut(strings.TrimSpace(content(t, out)), " "); pid != session {
		t.Errorf("process %s is in session %s", pid, session)
	}
}
