package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/adrg/xdg"
)

// Exit codes, as README.md lists them.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

// environment is what a command sees of the world.
type environment struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	asks           bool   // a person can be asked: standard input and error are a terminal
	draws          bool   // standard error is a terminal: live lines may be drawn there
	state          string // folder for what is remembered between runs
	cache          string // default folder of the cache
	open           func(engineConfig) (engine, error)
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	env := &environment{
		stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr,
		asks: isTerminal(os.Stdin) && isTerminal(os.Stderr), draws: isTerminal(os.Stderr),
		state: filepath.Join(xdg.StateHome, "coral"), cache: filepath.Join(xdg.CacheHome, "coral"),
		open: openNode,
	}
	os.Exit(run(ctx, env, os.Args[1:]))
}

// isTerminal reports whether a person sees or types f.
func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	null, err := os.Stat(os.DevNull) // a character device too
	return err != nil || !os.SameFile(info, null)
}

// usageError is a mistake in the command line.
type usageError struct {
	command string // empty: no command was recognised
	text    string
}

func (e *usageError) Error() string { return e.text }

func usagef(command, format string, args ...any) error {
	return &usageError{command, fmt.Sprintf(format, args...)}
}

// run carries out one command line and gives the exit code.
func run(ctx context.Context, env *environment, args []string) int {
	err := dispatch(ctx, env, args)
	var usage *usageError
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &usage):
		name, more := "coralnode", "coralnode help"
		if usage.command != "" {
			name += " " + usage.command
			more = "coralnode " + usage.command + " --help"
		}
		fmt.Fprintf(env.stderr, "%s: %s (see: %s)\n", name, oneLine(usage.text), more)
		return exitUsage
	default:
		if errors.Is(err, syscall.EADDRINUSE) {
			err = fmt.Errorf("%w: stop the program that uses it, or choose another port", err)
		}
		fmt.Fprintf(env.stderr, "coralnode: %s\n", oneLine(err.Error()))
		return exitFailed
	}
}

// maxErrorLine keeps an error, which may quote what a stranger wrote, to a few
// lines of a terminal.
const maxErrorLine = 500

// oneLine makes one printable line of s.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(strings.TrimSpace(s), "?"))
	if r := []rune(s); len(r) > maxErrorLine {
		s = string(r[:maxErrorLine]) + "…"
	}
	return s
}

func dispatch(ctx context.Context, env *environment, args []string) error {
	if len(args) == 0 {
		return usagef("", "say what to do: publish, watch, seed or link")
	}
	name, args := args[0], args[1:]
	switch name {
	case "help", "-h", "-help", "--help":
		if len(args) > 0 {
			if c := find(args[0]); c != nil {
				fmt.Fprint(env.stdout, c.help())
				return nil
			}
			return usagef("", "there is no command %q", args[0])
		}
		fmt.Fprint(env.stdout, overview())
		return nil
	case "-version", "--version":
		name = "version"
	}
	c := find(name)
	if c == nil {
		return usagef("", "there is no command %q", name)
	}
	rest, help, err := c.parse(args)
	if err != nil {
		return err
	}
	if help {
		fmt.Fprint(env.stdout, c.help())
		return nil
	}
	return c.run(ctx, env, rest)
}
