//go:build unix && !darwin

package system

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/adrg/xdg"
)

// newHome makes an empty home of the test's own.
func newHome(t *testing.T) string {
	t.Helper()
	home := t.TempDir()
	for k, v := range map[string]string{
		"HOME": home, "XDG_CONFIG_HOME": filepath.Join(home, ".config"), "XDG_DATA_HOME": filepath.Join(home, ".local", "share"), "XDG_CACHE_HOME": "", "XDG_STATE_HOME": "",
		"XDG_CURRENT_DESKTOP": "", "DESKTOP_SESSION": "", "KDE_FULL_SESSION": "", "GNOME_DESKTOP_SESSION_ID": "", "DBUS_SESSION_BUS_ADDRESS": "", "DISPLAY": "", "BROWSER": "",
		"XDG_DATA_DIRS": filepath.Join(home, "usr", "share"), "XDG_CONFIG_DIRS": filepath.Join(home, "etc"),
	} {
		t.Setenv(k, v)
	}
	xdg.Reload()
	t.Cleanup(xdg.Reload)
	return home
}

// install makes a program that writes its arguments, one a line, to a file.
func install(t *testing.T, name string) (program, out string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	out = filepath.Join(t.TempDir(), "arguments")
	script := "#!/bin/sh\nprintf '%s\\n' \"$@\" >'" + out + ".new'\nmv '" + out + ".new' '" + out + "'\n"
	if err := os.WriteFile(name, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	return name, out
}

func entryFor(t *testing.T, home, id, program string) {
	t.Helper()
	dir := filepath.Join(home, "usr", "share", "applications")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	text := "[Desktop Entry]\nType=Application\nName=Other\nExec=" + program + " %u\nMimeType=x-scheme-handler/magnet;\n"
	if err := os.WriteFile(filepath.Join(dir, id), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func needs(t *testing.T, tools ...string) {
	t.Helper()
	for _, tool := range tools {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(tool, "is not installed")
		}
	}
}

func TestHandler(t *testing.T) {
	needs(t, "xdg-mime", "xdg-open")
	for name, path := range map[string]string{"plain": "bin/coral", "odd": `my "prog$" (1)\x/coral`} {
		t.Run(name, func(t *testing.T) {
			home, ctx := newHome(t), t.Context()
			other, _ := install(t, filepath.Join(home, "bin", "other"))
			entryFor(t, home, "other.desktop", other)
			mine, out := install(t, filepath.Join(home, path))
			lists := filepath.Join(home, ".config", "mimeapps.list")
			kept := "[Default Applications]\ntext/html=b.desktop\nx-scheme-handler/magnet=other.desktop;\n\n[Added Associations]\nx-scheme-handler/magnet=other.desktop;coral-links.desktop;\n"
			if err := os.MkdirAll(filepath.Dir(lists), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(lists, []byte(kept), 0o640); err != nil {
				t.Fatal(err)
			}
			h := NewHandler(mine, t.TempDir())
			if h.Registered(ctx) {
				t.Fatal("registered before")
			}
			if err := h.Register(ctx); err != nil {
				t.Fatal(err)
			}
			if name == "plain" { // twice must not forget what was before
				if err := h.Register(ctx); err != nil {
					t.Fatal(err)
				}
			}
			if NewHandler(other, t.TempDir()).Registered(ctx) {
				t.Error("registered for another program")
			}
			// A link gets there by the desktop's own means.
			link := "coral:?xt=urn:btih:1&dn=a%20b&x='$(touch+x)'"
			opener := []string{"xdg-open", link}
			if name == "odd" { // xdg-open's own parser knows no quotes; GLib's does
				needs(t, "gio")
				opener = []string{"gio", "open", link}
			}
			cmd := exec.Command(opener[0], opener[1:]...)
			cmd.Env = append(os.Environ(), "DISPLAY=:0") // without one xdg-open looks for browsers only
			if b, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v: %v: %s", opener, err, b)
			}
			if got := waitFor(t, out); got != link+"\n" {
				t.Errorf("the program was given %q", got)
			}
			if err := h.Unregister(ctx); err != nil {
				t.Fatal(err)
			}
			if now, _ := defaultOf(ctx, "magnet"); now != "other.desktop" {
				t.Errorf("magnet: opens %q", now)
			}
			if now, _ := defaultOf(ctx, "coral"); now != "" {
				t.Errorf("coral: opens %q", now)
			}
			list := content(t, lists)
			if strings.Contains(list, handlerEntry) || !strings.Contains(list, "text/html=b.desktop\n") || !strings.Contains(list, "[Added Associations]\nx-scheme-handler/magnet=other.desktop;\n") {
				t.Errorf("mimeapps.list is\n%s", list)
			}
			if exists(h.entryFile()) || exists(filepath.Join(h.state, beforeName)) || h.Registered(ctx) {
				t.Error("something is left")
			}
			if err := h.Unregister(ctx); err != nil {
				t.Error("once more:", err)
			}
		})
	}
}

// waitFor reads a file that another program is about to write.
func waitFor(t *testing.T, name string) string {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if b, err := os.ReadFile(name); err == nil {
			return string(b)
		}
	}
	t.Fatal("the program was not started")
	return ""
}

// What the user chose after us stays.
func TestHandlerOvertaken(t *testing.T) {
	needs(t, "xdg-mime")
	home, ctx := newHome(t), t.Context()
	other, _ := install(t, filepath.Join(home, "bin", "other"))
	entryFor(t, home, "other.desktop", other)
	entryFor(t, home, "third.desktop", other)
	mine, _ := install(t, filepath.Join(home, "bin", "coral"))
	h := NewHandler(mine, t.TempDir())
	if err := setDefault(ctx, "other.desktop", "magnet"); err != nil {
		t.Fatal(err)
	}
	if err := h.Register(ctx); err != nil {
		t.Fatal(err)
	}
	if err := setDefault(ctx, "third.desktop", "magnet"); err != nil {
		t.Fatal(err)
	}
	if h.Registered(ctx) {
		t.Error("registered though overtaken")
	}
	if err := h.Unregister(ctx); err != nil {
		t.Fatal(err)
	}
	if now, _ := defaultOf(ctx, "magnet"); now != "third.desktop" {
		t.Errorf("magnet: opens %q", now)
	}
}

func TestHandlerUnsupported(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	h := NewHandler("/bin/coral", t.TempDir())
	if err := h.Register(t.Context()); err == nil || !strings.Contains(err.Error(), "xdg-utils") || h.Supported() == nil || h.Registered(t.Context()) {
		t.Error(err)
	}
}

func TestExecQuote(t *testing.T) {
	for in, want := range map[string]string{
		"/usr/bin/coral":  "/usr/bin/coral",
		"/opt/my apps/c":  `"/opt/my apps/c"`,
		"/a/100%":         "/a/100%%",
		"/a/$x`y`\"z\"\\": `"/a/\\$x\\` + "`y\\\\`" + `\\"z\\"\\\\"`,
	} {
		if got, err := execQuote(in); err != nil || got != want {
			t.Errorf("%s: %s, want %s (%v)", in, got, want, err)
		}
	}
	for _, bad := range []string{"coral", "", "/a\nb", "/a=b", "/a\x00"} {
		if got, err := execQuote(bad); err == nil {
			t.Errorf("%q became %s", bad, got)
		}
	}
}

func TestPaths(t *testing.T) {
	home := newHome(t)
	f, err := Paths()
	if err != nil {
		t.Fatal(err)
	}
	want := Folders{Config: home + "/.config/coral", Data: home + "/.local/share/coral", Cache: home + "/.cache/coral", State: home + "/.local/state/coral"}
	if f != want {
		t.Errorf("%+v, want %+v", f, want)
	}
	for _, dir := range []string{f.Config, f.Data, f.Cache, f.State} {
		if s, err := os.Stat(dir); err != nil || s.Mode().Perm() != 0o700 {
			t.Errorf("%s: %v %v", dir, s, err)
		}
	}
	if err := os.Remove(f.Cache); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(f.Cache, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Paths(); err == nil {
		t.Error("a file in the way went unnoticed")
	}
}
