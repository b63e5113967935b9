package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// packDeb makes a Debian package of the desktop program for this machine, with
// coralnode in it. It returns "" and why where that is not possible.
func packDeb(ctx context.Context, root, dist, version string, when time.Time, texts []packed) (name, why string, err error) {
	if runtime.GOOS != "linux" || !have("dpkg-deb") || !have("gcc") {
		return "", "no dpkg-deb, or no C compiler", nil
	}
	for _, t := range builders {
		if strings.HasPrefix(t.program, "/usr/include/") && !t.there() {
			return "", t.name() + " is missing (go run ./cmd/dev run installs it)", nil
		}
	}
	// Debian's versions begin with a digit.
	number := strings.TrimPrefix(version, "v")
	if number == "" || number[0] < '0' || number[0] > '9' {
		number = "0~" + strings.ReplaceAll(number, "-", "~")
	}
	tree, err := os.MkdirTemp(dist, ".deb-")
	if err != nil {
		return "", "", err
	}
	defer os.RemoveAll(tree)
	for _, b := range []struct {
		env  []string
		name string
	}{{desktop, "coral"}, {noCgo, "coralnode"}} {
		out := filepath.Join(tree, "usr/bin", b.name)
		if err := stream(ctx, root, b.env, "go", "build", "-ldflags", "-s -w -X main.version="+version, "-o", out, "./cmd/"+b.name); err != nil {
			return "", "", err
		}
	}
	control, err := os.ReadFile(filepath.Join(root, "packaging/linux/control"))
	if err != nil {
		return "", "", err
	}
	files := []packed{{"DEBIAN/control", []byte(strings.NewReplacer("{{VERSION}}", number, "{{ARCH}}", runtime.GOARCH).Replace(string(control))), 0o644}}
	for from, to := range map[string]string{
		"packaging/linux/coral.desktop": "usr/share/applications/coral.desktop",
		"assets/icon.svg":               "usr/share/icons/hicolor/scalable/apps/coral.svg",
	} {
		b, err := os.ReadFile(filepath.Join(root, from))
		if err != nil {
			return "", "", err
		}
		files = append(files, packed{to, b, 0o644})
	}
	for _, t := range texts {
		to := "usr/share/doc/coral/" + t.name
		if t.name == "LICENSE" {
			to = "usr/share/doc/coral/copyright"
		}
		files = append(files, packed{to, t.data, 0o644})
	}
	for _, f := range files {
		to := filepath.Join(tree, f.name)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return "", "", err
		}
		if err := os.WriteFile(to, f.data, os.FileMode(f.mode)); err != nil {
			return "", "", err
		}
	}
	if err := os.Chmod(tree, 0o755); err != nil {
		return "", "", err
	}
	name = fmt.Sprintf("coral_%s_%s.deb", number, runtime.GOARCH)
	env := []string{fmt.Sprintf("SOURCE_DATE_EPOCH=%d", when.Unix())}
	return name, "", stream(ctx, root, env, "dpkg-deb", "--root-owner-group", "-Zxz", "--build", tree, filepath.Join(dist, name))
}
