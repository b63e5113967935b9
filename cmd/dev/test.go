package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// concurrent are the packages whose goroutines share state: they are tested with
// the race detector, too. The pure ones have none, and app/view belongs to Fyne's
// goroutine, for which Fyne's test driver takes any.
var concurrent = []string{
	"./app", "./app/library", "./app/settings", "./app/system", "./assets", "./cmd/coralnode", "./player/...", "./store/...", "./node", "./node/origin", "./node/proxy", "./node/publish", "./node/swarm/...",
}

// realtests are the packages that drive built programs and other people's.
var realtests = []string{"./cmd/coralnode/realtest", "./cmd/coral/realtest"}

// others lists all packages but those.
func others(ctx context.Context, root string) (names []string, err error) {
	cmd := exec.CommandContext(ctx, "go", "list", "./...")
	cmd.Dir, cmd.Env = root, append(os.Environ(), noCgo...)
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("list packages: %w", err)
	}
	for name := range strings.FieldsSeq(string(out)) {
		if !strings.HasSuffix(name, "/realtest") {
			names = append(names, name)
		}
	}
	return names, nil
}

// testTimeout bounds one package's tests: far above what any takes on two
// cores, low enough for CI to say which package hangs.
const testTimeout = "12m"

func runTests(ctx context.Context, root string, args []string) error {
	f := flag.NewFlagSet("dev test", flag.ContinueOnError)
	race := f.String("race", "auto", "race detector: on (a C compiler is installed if need be), off, or auto: where gcc is there")
	quick := f.Bool("quick", false, "install nothing, and leave the race detector out")
	if err := parse(f, args); err != nil {
		return err
	}
	began := time.Now()
	tools := slices.Concat(players, screens, builders)
	switch {
	case *quick:
		tools, *race = nil, "off"
	case *race == "on":
		tools = append(tools, compiler)
	case *race != "off" && *race != "auto":
		fmt.Fprintln(os.Stderr, "dev test: --race is on, off or auto")
		return errUsage
	}
	install(ctx, tools)

	step("go vet")
	if err := stream(ctx, root, noCgo, "go", "vet", "./..."); err != nil {
		return err
	}
	// All is run even where something fails: one look shows everything.
	var errs []error
	if *race == "auto" && !have("gcc") {
		fmt.Println("without gcc the race detector is left out; --race=on installs it")
		*race = "off"
	}
	if *race != "off" {
		step("go test -race, the concurrent packages")
		// Built first, on all cores, which took a third less: "-p 1" below is for
		// compilers, too.
		errs = append(errs, stream(ctx, root, cgo, "go", append([]string{"build", "-race"}, concurrent...)...))
		// One package at a time: they wait for real time, and two at once on two
		// cores would measure each other.
		args := append([]string{"test", "-race", "-p", "1", "-timeout", testTimeout}, concurrent...)
		errs = append(errs, stream(ctx, root, cgo, "go", args...))
	}
	// Last, so that a run closes with the lines of all packages.
	step("go test, all packages")
	packages, err := others(ctx, root)
	if err != nil {
		return err
	}
	errs = append(errs, stream(ctx, root, noCgo, "go", append([]string{"test", "-timeout", testTimeout}, packages...)...))
	// Real programs play in real time: nothing else may run beside them.
	errs = append(errs, stream(ctx, root, noCgo, "go", append([]string{"test", "-p", "1", "-timeout", testTimeout}, realtests...)...))
	fmt.Printf("\n%s in %s\n", map[bool]string{true: "all tests passed", false: "TESTS FAILED"}[errors.Join(errs...) == nil], time.Since(began).Round(time.Second))
	return errors.Join(errs...)
}
