package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const usage = `Usage: go run ./cmd/dev COMMAND

  run      play the built-in demo channel: a live origin, a publisher, two helpers, a viewer
  test     install what the tests use and pass every test
  check    formatting, vet, linters, layering, go.mod, known vulnerabilities
  bench    the benchmarks against their references; audiences in the simulator, with pictures;
           --app all: the desktop program, on a display in memory, beside mpv
           --lab all: viewers in an emulated network, beside plain HLS (Linux, root)
  package  build coralnode for every system, into dist/

"go run ./cmd/dev COMMAND --help" shows a command's flags.
`

// errUsage has been explained already.
var errUsage = errors.New("wrong usage")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	switch err := dispatch(ctx, os.Args[1:]); {
	case err == nil:
	case errors.Is(err, errUsage):
		os.Exit(2)
	default:
		fmt.Fprintln(os.Stderr, "dev:", err)
		os.Exit(1)
	}
}

func dispatch(ctx context.Context, args []string) error {
	if len(args) == 0 {
		fmt.Fprint(os.Stderr, usage)
		return errUsage
	}
	if h := strings.TrimLeft(args[0], "-"); h == "help" || h == "h" {
		fmt.Print(usage)
		return nil
	}
	if args[0] == plainCommand && len(args) == 2 { // a child of bench
		return plainPeer(args[1])
	}
	command := map[string]func(context.Context, string, []string) error{
		"run": runDemo, "test": runTests, "check": runChecks, "bench": runBenchmarks, "package": runPackage,
	}[args[0]]
	if command == nil {
		fmt.Fprintf(os.Stderr, "dev: there is no command %q\n\n%s", args[0], usage)
		return errUsage
	}
	root, err := moduleRoot(ctx)
	if err != nil {
		return err
	}
	return command(ctx, root, args[1:])
}

// moduleRoot finds the folder of go.mod, wherever in the tree dev was started.
func moduleRoot(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("find go.mod: %w", err)
	}
	mod := strings.TrimSpace(string(out))
	if filepath.Base(mod) != "go.mod" {
		return "", errors.New("find go.mod: start this inside Coral's folder")
	}
	return filepath.Dir(mod), nil
}

// parse reads a command's flags; it takes no arguments.
func parse(f *flag.FlagSet, args []string) error {
	err := f.Parse(args) // prints what is wrong
	if err == nil && f.NArg() > 0 {
		err = fmt.Errorf("dev: too many arguments: %q", f.Arg(0))
		fmt.Fprintln(os.Stderr, err)
	}
	if errors.Is(err, flag.ErrHelp) {
		os.Exit(0)
	}
	if err != nil {
		return errUsage
	}
	return nil
}

// step says what is done next.
func step(format string, args ...any) { fmt.Printf("\n== "+format+"\n", args...) }

// stream runs a program in dir with its output passed on as it comes.
func stream(ctx context.Context, dir string, env []string, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	// Asked to end, go test ends its children; killed, it leaves them behind.
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = endWithin
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w", strings.Join(append([]string{name}, args[:min(len(args), 2)]...), " "), err)
	}
	return nil
}

// endWithin is how long a program that was asked to end may take.
const endWithin = 10 * time.Second

// have reports whether a program is installed.
func have(name string) bool {
	_, err := exec.LookPath(name)
	return err == nil
}

// How Coral is built. Tests and tools see the window through Fyne's test driver
// (the tag ci), which needs neither cgo nor a display; the desktop program needs
// both. fyne's other tag says that we keep to its rule about goroutines.
var (
	noCgo   = []string{"CGO_ENABLED=0", tags("ci,migrated_fynedo")}
	cgo     = []string{"CGO_ENABLED=1", tags("ci,migrated_fynedo")} // for the race detector
	desktop = []string{"CGO_ENABLED=1", tags("migrated_fynedo,no_emoji")}
)

func tags(names string) string {
	return strings.TrimSpace("GOFLAGS=" + os.Getenv("GOFLAGS") + " -tags=" + names)
}
