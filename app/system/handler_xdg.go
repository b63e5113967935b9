//go:build unix && !darwin

package system

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/adrg/xdg"
)

const (
	// handlerEntry is an entry beside the package's coral.desktop, hidden from
	// menus: a file of the same name would replace that one.
	handlerEntry = "coral-links.desktop"
	beforeName   = "handler.json"
)

func (h *Handler) supported() error {
	if _, err := exec.LookPath("xdg-mime"); err != nil {
		return errors.New("register links: xdg-mime is missing (package xdg-utils)")
	}
	return nil
}

func (h *Handler) entryFile() string {
	return filepath.Join(xdg.DataHome, "applications", handlerEntry)
}

// entry is the desktop entry, by the Desktop Entry Specification 1.5.
func (h *Handler) entry() (string, error) {
	exec, err := execQuote(h.program)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "[Desktop Entry]\nType=Application\nName=Coral\nComment=Opens links to live channels\nTryExec=%s\nExec=%s %%u\nIcon=coral\nTerminal=false\nNoDisplay=true\nMimeType=",
		entryEscape(h.program), exec)
	for _, s := range schemes {
		b.WriteString("x-scheme-handler/" + s + ";")
	}
	b.WriteString("\n")
	return b.String(), nil
}

// entryEscape is for values of type string.
func entryEscape(s string) string { return strings.ReplaceAll(s, `\`, `\\`) }

// execQuote makes program the first word of an Exec value. It is quoted only if
// it must: xdg-open's own parser, used where no desktop runs, knows no quotes.
func execQuote(program string) (string, error) {
	if !filepath.IsAbs(program) {
		return "", fmt.Errorf("register links: %q is no full path", program)
	}
	if strings.ContainsFunc(program, func(r rune) bool { return r < ' ' || r == 0x7f || r == '=' }) {
		return "", fmt.Errorf("register links: the path %q cannot stand in a desktop entry", program)
	}
	program = strings.ReplaceAll(program, "%", "%%")
	if !strings.ContainsAny(program, " \t\"'\\><~|&;$*?#()`") {
		return program, nil
	}
	quoted := `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "`", "\\`", `$`, `\$`).Replace(program) + `"`
	return entryEscape(quoted), nil
}

func (h *Handler) registered(ctx context.Context) bool {
	want, err := h.entry()
	if err != nil {
		return false
	}
	have, err := os.ReadFile(h.entryFile())
	if err != nil || string(have) != want {
		return false
	}
	for _, s := range schemes {
		if now, err := defaultOf(ctx, s); err != nil || now != handlerEntry {
			return false
		}
	}
	return true
}

func (h *Handler) register(ctx context.Context) error {
	entry, err := h.entry()
	if err != nil {
		return err
	}
	before := h.before()
	for _, s := range schemes {
		now, err := defaultOf(ctx, s)
		if err != nil {
			return err
		}
		if now != handlerEntry {
			before[s] = now
		}
	}
	b, err := json.Marshal(before)
	if err != nil {
		return fmt.Errorf("register links: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(h.entryFile()), 0o700); err != nil {
		return fmt.Errorf("register links: %w", err)
	}
	if err := errors.Join(replaceFile(filepath.Join(h.state, beforeName), b, 0o600), replaceFile(h.entryFile(), []byte(entry), 0o644)); err != nil {
		return fmt.Errorf("register links: %w", err)
	}
	updateDatabase(ctx)
	if err := setDefault(ctx, handlerEntry, schemes...); err != nil {
		return err
	}
	if !h.registered(ctx) {
		return errors.New("register links: the desktop still opens them with something else")
	}
	return nil
}

func (h *Handler) unregister(ctx context.Context) error {
	before := h.before()
	var restore []string
	for _, s := range schemes {
		now, err := defaultOf(ctx, s)
		if err != nil {
			return err
		}
		if now == handlerEntry && before[s] != "" && before[s] != handlerEntry {
			restore = append(restore, s)
		}
	}
	for _, s := range restore {
		if err := setDefault(ctx, before[s], s); err != nil {
			return err
		}
	}
	// xdg-mime has no word for "none".
	for _, list := range []string{filepath.Join(xdg.ConfigHome, "mimeapps.list"), filepath.Join(xdg.DataHome, "applications", "mimeapps.list")} {
		if err := forgetEntry(list); err != nil {
			return fmt.Errorf("unregister links: %w", err)
		}
	}
	for _, file := range []string{h.entryFile(), filepath.Join(h.state, beforeName)} {
		if err := os.Remove(file); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("unregister links: %w", err)
		}
	}
	updateDatabase(ctx)
	return nil
}

// before is what opened the links before the first Register, by scheme.
func (h *Handler) before() map[string]string {
	var m map[string]string
	if b, err := os.ReadFile(filepath.Join(h.state, beforeName)); err == nil {
		_ = json.Unmarshal(b, &m) // damaged: nothing is known
	}
	for s, entry := range m {
		// It becomes an argument of xdg-mime.
		if !strings.HasSuffix(entry, ".desktop") || strings.HasPrefix(entry, "-") || strings.ContainsAny(entry, "/\n;") {
			delete(m, s)
		}
	}
	if m == nil {
		m = map[string]string{}
	}
	return m
}

func defaultOf(ctx context.Context, scheme string) (string, error) {
	out, err := exec.CommandContext(ctx, "xdg-mime", "query", "default", "x-scheme-handler/"+scheme).Output()
	if err != nil && ctx.Err() != nil {
		return "", fmt.Errorf("ask for the default program: %w", ctx.Err())
	}
	return strings.TrimSpace(string(out)), nil // it also fails when there is none
}

func setDefault(ctx context.Context, entry string, schemes ...string) error {
	args := []string{"default", entry}
	for _, s := range schemes {
		args = append(args, "x-scheme-handler/"+s)
	}
	out, err := exec.CommandContext(ctx, "xdg-mime", args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("set the default program: xdg-mime: %w: %.200s", err, bytes.TrimSpace(out))
	}
	return nil
}

// updateDatabase tells desktops that keep an index; without the tool they look themselves.
func updateDatabase(ctx context.Context) {
	_ = exec.CommandContext(ctx, "update-desktop-database", filepath.Join(xdg.DataHome, "applications")).Run()
}

// forgetEntry takes our entry out of a mimeapps.list and leaves all else as it is.
func forgetEntry(file string) error {
	b, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var out strings.Builder
	for line := range strings.Lines(string(b)) {
		key, value, ok := strings.Cut(strings.TrimRight(line, "\r\n"), "=")
		if !ok || !strings.HasPrefix(key, "x-scheme-handler/") {
			out.WriteString(line)
			continue
		}
		list := strings.Split(value, ";")
		kept := slices.DeleteFunc(slices.Clone(list), func(s string) bool { return strings.TrimSpace(s) == handlerEntry })
		switch {
		case len(kept) == len(list):
			out.WriteString(line)
		case strings.Trim(strings.Join(kept, ""), " ") != "":
			out.WriteString(key + "=" + strings.Join(kept, ";") + "\n")
		}
	}
	if out.String() == string(b) {
		return nil
	}
	mode := os.FileMode(0o644)
	if s, err := os.Stat(file); err == nil {
		mode = s.Mode().Perm()
	}
	return replaceFile(file, []byte(out.String()), mode)
}

// replaceFile writes file whole or not at all. A link to elsewhere stays one: the
// user's dotfiles may be kept in a repository.
func replaceFile(file string, b []byte, mode os.FileMode) error {
	if real, err := filepath.EvalSymlinks(file); err == nil {
		file = real
	}
	f, err := os.CreateTemp(filepath.Dir(file), ".coral-*")
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), file)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}
