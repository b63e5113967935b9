package system

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/windows/registry"
)

const (
	classes    = `Software\Classes\`
	command    = `\shell\open\command`
	beforeName = "handler.json"
)

func (h *Handler) supported() error { return nil }

// line is the command that Explorer runs. "--" ends the options, for a link that
// some program passed on with a quotation mark in it.
func (h *Handler) line() (string, error) {
	if !filepath.IsAbs(h.program) || strings.ContainsAny(h.program, "\"%\n") {
		return "", fmt.Errorf("register links: %q cannot stand in a command", h.program)
	}
	return `"` + h.program + `" -- "%1"`, nil
}

// readCommand returns the command that this user's registry has for scheme; "": none.
func readCommand(scheme string) string {
	k, err := registry.OpenKey(registry.CURRENT_USER, classes+scheme+command, registry.QUERY_VALUE)
	if err != nil {
		return ""
	}
	defer k.Close()
	s, _, _ := k.GetStringValue("")
	return s
}

func writeCommand(scheme, line string) error {
	for _, v := range []struct{ key, name, value string }{
		{classes + scheme, "", "URL:" + scheme},
		{classes + scheme, "URL Protocol", ""},
		{classes + scheme + command, "", line},
	} {
		k, _, err := registry.CreateKey(registry.CURRENT_USER, v.key, registry.SET_VALUE)
		if err != nil {
			return err
		}
		if err := errors.Join(k.SetStringValue(v.name, v.value), k.Close()); err != nil {
			return err
		}
	}
	return nil
}

func (h *Handler) registered(context.Context) bool {
	want, err := h.line()
	for _, s := range schemes {
		if err != nil || readCommand(s) != want {
			return false
		}
	}
	return true
}

func (h *Handler) register(context.Context) error {
	line, err := h.line()
	if err != nil {
		return err
	}
	before := h.before()
	for _, s := range schemes {
		if now := readCommand(s); now != before["ours"] {
			before[s] = now
		}
	}
	before["ours"] = line
	b, err := json.Marshal(before)
	if err == nil {
		err = os.WriteFile(filepath.Join(h.state, beforeName), b, 0o600)
	}
	for _, s := range schemes {
		if err == nil {
			err = writeCommand(s, line)
		}
	}
	if err != nil {
		return fmt.Errorf("register links: %w", err)
	}
	return nil
}

func (h *Handler) unregister(context.Context) error {
	before := h.before()
	for _, s := range schemes {
		if now := readCommand(s); now == "" || now != before["ours"] {
			continue
		}
		if before[s] != "" {
			if err := writeCommand(s, before[s]); err != nil {
				return fmt.Errorf("unregister links: %w", err)
			}
			continue
		}
		// The system's own entry, if there is one, shows again.
		for _, key := range []string{command, `\shell\open`, `\shell`, ""} {
			if err := registry.DeleteKey(registry.CURRENT_USER, classes+s+key); err != nil && !errors.Is(err, registry.ErrNotExist) {
				return fmt.Errorf("unregister links: %w", err)
			}
		}
	}
	if err := os.Remove(filepath.Join(h.state, beforeName)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("unregister links: %w", err)
	}
	return nil
}

// before is what opened the links before the first register, by scheme, and what
// we wrote.
func (h *Handler) before() map[string]string {
	var m map[string]string
	if b, err := os.ReadFile(filepath.Join(h.state, beforeName)); err == nil {
		_ = json.Unmarshal(b, &m) // damaged: nothing is known
	}
	if m == nil {
		m = map[string]string{}
	}
	return m
}
