package main

import (
	"errors"
	"io"
	"log/slog"
)

var logLevels = []string{"debug", "info", "warn", "error"}

const warnLevel = slog.LevelWarn

// level is how much is logged, as a flag's value.
type level struct{ slog.Level }

func (l *level) Set(s string) error {
	for i, name := range logLevels {
		if s == name {
			l.Level = []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError}[i]
			return nil
		}
	}
	return errors.New("write debug, info, warn or error")
}

func newLog(w io.Writer, l level) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: l.Level}))
}
