package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"go/format"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

func runChecks(ctx context.Context, root string, args []string) error {
	f := flag.NewFlagSet("dev check", flag.ContinueOnError)
	if err := parse(f, args); err != nil {
		return err
	}
	tools, err := goTools(ctx, root)
	if err != nil {
		return err
	}
	var failed []string
	check := func(name string, run func() error) {
		step("%s", name)
		if err := run(); err != nil {
			fmt.Println("FAILED:", err)
			failed = append(failed, name)
		}
	}
	goRun := func(args ...string) func() error {
		return func() error { return stream(ctx, root, noCgo, "go", args...) }
	}
	// A tool is run where go.mod pins it.
	pinned := func(name string, args ...string) {
		if slices.Contains(tools, name) {
			check(name, goRun(append([]string{"tool", name}, args...)...))
			return
		}
		step("%s", name)
		fmt.Println("left out: go.mod pins no such tool")
	}
	check("format", func() error { return unformatted(root) })
	if slices.Contains(tools, "gofumpt") {
		check("gofumpt", func() error { return silent(ctx, root, "go", "tool", "gofumpt", "-l", ".") })
	}
	check("go vet", goRun("vet", "./..."))
	pinned("staticcheck", "./...")
	check("layering", goRun("test", "-count=1", "-run", "House", "./cmd/dev"))
	check("go mod tidy", goRun("mod", "tidy", "-diff"))
	check("go mod verify", goRun("mod", "verify"))
	if slices.Contains(tools, "govulncheck") {
		check("govulncheck", func() error { return vulnerabilities(ctx, root) })
	} else {
		pinned("govulncheck")
	}
	if len(failed) > 0 {
		return fmt.Errorf("check: %s", strings.Join(failed, ", "))
	}
	fmt.Println("\nall checks passed")
	return nil
}

// goTools lists the tools that go.mod pins, by their last path element.
func goTools(ctx context.Context, root string) (names []string, err error) {
	cmd := exec.CommandContext(ctx, "go", "list", "-f", "{{.ImportPath}}", "tool")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("list tools: %w", err)
	}
	for p := range strings.FieldsSeq(string(out)) {
		names = append(names, path.Base(p))
	}
	return names, nil
}

// unformatted fails on Go files that gofmt would change.
func unformatted(root string) error {
	var errs []error
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && strings.HasPrefix(d.Name(), ".") && name != root {
			return filepath.SkipDir
		}
		if d.IsDir() || filepath.Ext(name) != ".go" {
			return nil
		}
		src, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(root, name)
		if want, err := format.Source(src); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", rel, err))
		} else if !bytes.Equal(src, want) {
			errs = append(errs, fmt.Errorf("%s: run gofmt -w", rel))
		}
		return nil
	})
	return errors.Join(append(errs, err)...)
}

// silent runs a program that prints nothing if all is well.
func silent(ctx context.Context, root, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = root
	out, err := cmd.CombinedOutput()
	os.Stdout.Write(out)
	if err == nil && len(bytes.TrimSpace(out)) > 0 {
		err = errors.New("see above")
	}
	return err
}

// vulnerabilities runs govulncheck, and forgives that its database cannot be
// had: the check needs the network, and says so.
func vulnerabilities(ctx context.Context, root string) error {
	cmd := exec.CommandContext(ctx, "go", "tool", "govulncheck", "./...")
	cmd.Dir, cmd.Env = root, append(os.Environ(), noCgo...)
	out, err := cmd.CombinedOutput()
	if err != nil && (bytes.Contains(out, []byte("fetching vulnerabilities")) || bytes.Contains(out, []byte("dial tcp")) || bytes.Contains(out, []byte("no such host"))) {
		fmt.Println("left out: its database cannot be reached from here")
		return nil
	}
	os.Stdout.Write(out)
	return err
}
