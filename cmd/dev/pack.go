package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// target is a system that coralnode is built for.
type target struct{ goos, goarch string }

var targets = []target{{"linux", "amd64"}, {"linux", "arm64"}, {"windows", "amd64"}, {"darwin", "arm64"}}

// packed is one file of an archive.
type packed struct {
	name string
	data []byte
	mode int64
}

func runPackage(ctx context.Context, root string, args []string) error {
	f := flag.NewFlagSet("dev package", flag.ContinueOnError)
	version := f.String("version", "", "version to put into names and programs (default: from the commit)")
	if err := parse(f, args); err != nil {
		return err
	}
	commit, when := head(ctx, root)
	if *version == "" {
		*version = "dev-" + commit
	}
	dist := filepath.Join(root, "dist")
	if err := os.MkdirAll(dist, 0o755); err != nil {
		return err
	}
	var texts []packed
	for _, name := range []string{"LICENSE", "README.md"} {
		b, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			return err
		}
		texts = append(texts, packed{name, b, 0o644})
	}
	licenses, err := thirdParty(ctx, root)
	if err != nil {
		return err
	}
	texts = append(texts, packed{"THIRD-PARTY-LICENSES.txt", licenses, 0o644})
	var sums strings.Builder
	var names []string
	for _, t := range targets {
		name, err := packTarget(ctx, root, dist, *version, t, when, texts)
		if err != nil {
			return fmt.Errorf("package %s/%s: %w", t.goos, t.goarch, err)
		}
		names = append(names, name)
	}
	deb, why, err := packDeb(ctx, root, dist, *version, when, texts)
	switch {
	case err != nil:
		return fmt.Errorf("package for Debian: %w", err)
	case deb == "":
		fmt.Println("no package of the desktop program:", why)
	default:
		names = append(names, deb)
	}
	for _, name := range names {
		b, err := os.ReadFile(filepath.Join(dist, name))
		if err != nil {
			return err
		}
		fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256(b), name)
		fmt.Printf("dist/%-44s %5.1f MB\n", name, float64(len(b))/1e6)
	}
	return os.WriteFile(filepath.Join(dist, "SHA256SUMS"), []byte(sums.String()), 0o644)
}

// head gives the commit and its time, so that the same commit gives the same
// archives; without git, now.
func head(ctx context.Context, root string) (commit string, when time.Time) {
	cmd := exec.CommandContext(ctx, "git", "log", "-1", "--format=%h %ct")
	cmd.Dir = root
	out, err := cmd.Output()
	commit, unix, ok := strings.Cut(strings.TrimSpace(string(out)), " ")
	sec, perr := strconv.ParseInt(unix, 10, 64)
	if err != nil || !ok || perr != nil {
		return "unknown", time.Now().UTC().Truncate(time.Second)
	}
	return commit, time.Unix(sec, 0).UTC()
}

func packTarget(ctx context.Context, root, dist, version string, t target, when time.Time, texts []packed) (string, error) {
	program := "coralnode"
	if t.goos == "windows" {
		program += ".exe"
	}
	folder := fmt.Sprintf("coralnode-%s-%s-%s", version, t.goos, t.goarch)
	built := filepath.Join(dist, "."+folder)
	defer os.Remove(built)
	env := append([]string{"GOOS=" + t.goos, "GOARCH=" + t.goarch}, noCgo...)
	err := stream(ctx, root, env, "go", "build", "-trimpath", "-ldflags", "-s -w -X main.version="+version, "-o", built, "./cmd/coralnode")
	if err != nil {
		return "", err
	}
	data, err := os.ReadFile(built)
	if err != nil {
		return "", err
	}
	files := append([]packed{{program, data, 0o755}}, texts...)
	for i := range files {
		files[i].name = path.Join(folder, files[i].name)
	}
	name, write := folder+".tar.gz", writeTar
	if t.goos == "windows" {
		name, write = folder+".zip", writeZip
	}
	var b bytes.Buffer
	if err := write(&b, when, files); err != nil {
		return "", err
	}
	return name, os.WriteFile(filepath.Join(dist, name), b.Bytes(), 0o644)
}

func writeTar(w io.Writer, when time.Time, files []packed) error {
	z := gzip.NewWriter(w)
	t := tar.NewWriter(z)
	for _, f := range files {
		h := &tar.Header{Name: f.name, Mode: f.mode, Size: int64(len(f.data)), ModTime: when, Format: tar.FormatPAX}
		if err := t.WriteHeader(h); err != nil {
			return err
		}
		if _, err := t.Write(f.data); err != nil {
			return err
		}
	}
	return errors.Join(t.Close(), z.Close())
}

func writeZip(w io.Writer, when time.Time, files []packed) error {
	z := zip.NewWriter(w)
	for _, f := range files {
		fw, err := z.CreateHeader(&zip.FileHeader{Name: f.name, Method: zip.Deflate, Modified: when})
		if err != nil {
			return err
		}
		if _, err := fw.Write(f.data); err != nil {
			return err
		}
	}
	return z.Close()
}

// thirdParty gathers the licences of all modules that are built into Coral on any
// system, which who hands out the program must hand out too.
func thirdParty(ctx context.Context, root string) ([]byte, error) {
	found := map[string]string{} // module to folder
	for _, t := range targets {
		cmd := exec.CommandContext(ctx, "go", "list", "-deps", "-f", "{{with .Module}}{{.Path}} {{.Version}}\t{{.Dir}}{{end}}", "./cmd/coralnode", "./cmd/coral")
		cmd.Dir, cmd.Env = root, append(append(os.Environ(), desktop...), "GOOS="+t.goos, "GOARCH="+t.goarch)
		out, err := cmd.Output()
		if err != nil {
			return nil, fmt.Errorf("list modules: %w", err)
		}
		for line := range strings.Lines(string(out)) {
			module, dir, _ := strings.Cut(strings.TrimSpace(line), "\t")
			if dir != "" && !strings.HasPrefix(dir, root) { // our own has its LICENSE
				found[module] = dir
			}
		}
	}
	modules := make([]string, 0, len(found))
	for m := range found {
		modules = append(modules, m)
	}
	slices.Sort(modules)
	var b bytes.Buffer
	b.WriteString("Coral contains the modules below, under the licences that follow each.\nTheir sources are had with: go mod download -x MODULE@VERSION\n")
	goRoot, err := exec.CommandContext(ctx, "go", "env", "GOROOT").Output()
	if err != nil {
		return nil, err
	}
	found["Go's standard library"] = strings.TrimSpace(string(goRoot))
	for _, m := range append([]string{"Go's standard library"}, modules...) {
		names, _ := filepath.Glob(filepath.Join(found[m], "*"))
		any := false
		for _, name := range names {
			base := strings.ToUpper(filepath.Base(name))
			if !strings.HasPrefix(base, "LICENSE") && !strings.HasPrefix(base, "LICENCE") && !strings.HasPrefix(base, "COPYING") && !strings.HasPrefix(base, "NOTICE") {
				continue
			}
			if text, err := os.ReadFile(name); err == nil {
				fmt.Fprintf(&b, "\n%s\n%s: %s\n\n%s\n", strings.Repeat("=", 78), m, filepath.Base(name), bytes.TrimSpace(text))
				any = true
			}
		}
		if !any && m != "Go's standard library" { // some systems keep Go's elsewhere
			fmt.Fprintf(&b, "\n%s\n%s: no licence file in the module\n", strings.Repeat("=", 78), m)
		}
	}
	return b.Bytes(), nil
}
