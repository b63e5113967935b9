package durable

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// text is a parser that takes what begins with "ok".
func text(into *string) func([]byte) error {
	return func(b []byte) error {
		if !bytes.HasPrefix(b, []byte("ok")) {
			return errors.New("not ok")
		}
		*into = string(b)
		return nil
	}
}

func TestReadWrite(t *testing.T) {
	name := filepath.Join(t.TempDir(), "new", "folder", "file.json")
	var got string
	if found, err := Read(name, 100, text(&got)); err != nil || found != (Found{}) || got != "" {
		t.Fatalf("no file: %+v, %v, %q", found, err, got)
	}
	for _, s := range []string{"ok 1", "ok 2", "ok 3"} {
		if err := Write(name, []byte(s)); err != nil {
			t.Fatal(err)
		}
		if found, err := Read(name, 100, text(&got)); err != nil || found != (Found{}) || got != s {
			t.Fatalf("%+v, %v, %q; want %q", found, err, got, s)
		}
	}
	if b, _ := os.ReadFile(name + backup); string(b) != "ok 2" {
		t.Errorf("the backup is %q", b)
	}
	list, _ := os.ReadDir(filepath.Dir(name))
	if len(list) != 2 {
		t.Errorf("%d files are left, want the file and its backup", len(list))
	}
	info, err := os.Stat(name)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestDamaged(t *testing.T) {
	for what, content := range map[string]string{
		"torn":     "o",
		"empty":    "",
		"too long": "ok" + strings.Repeat("x", 200),
	} {
		t.Run(what, func(t *testing.T) {
			name := filepath.Join(t.TempDir(), "file.json")
			for _, s := range []string{"ok 1", "ok 2"} {
				if err := Write(name, []byte(s)); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			var got string
			found, err := Read(name, 100, text(&got))
			if err != nil || !found.Damaged || !found.Backup || got != "ok 1" {
				t.Fatalf("%+v, %v, %q", found, err, got)
			}
			if b, _ := os.ReadFile(found.SetAside); string(b) != content {
				t.Errorf("set aside: %q", b)
			}
			// The good backup must not be lost by the first write after it.
			if err := Write(name, []byte("ok 3")); err != nil {
				t.Fatal(err)
			}
			if b, _ := os.ReadFile(name + backup); string(b) != "ok 1" {
				t.Errorf("the backup is now %q", b)
			}
		})
	}
}

func TestDamagedWithoutBackup(t *testing.T) {
	name := filepath.Join(t.TempDir(), "file.json")
	for range 3 { // the folder does not fill up
		if err := os.WriteFile(name, []byte("bad"), 0o600); err != nil {
			t.Fatal(err)
		}
		got := ""
		if found, err := Read(name, 100, text(&got)); err != nil || !found.Damaged || found.Backup || found.SetAside == "" || got != "" {
			t.Fatalf("%+v, %v, %q", found, err, got)
		}
	}
	if list, _ := os.ReadDir(filepath.Dir(name)); len(list) != 1 {
		t.Errorf("%d files are left", len(list))
	}
}

// A folder with the file's name, as a mistake or a trap.
func TestNotAFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "file.json")
	if err := os.MkdirAll(filepath.Join(name, "inside"), 0o700); err != nil {
		t.Fatal(err)
	}
	got := ""
	if found, err := Read(name, 100, text(&got)); err != nil || found.SetAside == "" || got != "" {
		t.Fatalf("%+v, %v", found, err)
	}
	if err := Write(name, []byte("ok")); err != nil {
		t.Fatal(err)
	}
}

// What a killed Write leaves: a torn new file, a backup that is the file itself.
func TestAfterKill(t *testing.T) {
	name := filepath.Join(t.TempDir(), "file.json")
	for _, s := range []string{"ok 1", "ok 2"} {
		if err := Write(name, []byte(s)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(name+fresh, []byte("o"), 0o600); err != nil {
		t.Fatal(err)
	}
	keepBackup(name)
	keepBackup(name)
	if err := Write(name, []byte("ok 3")); err != nil {
		t.Fatal(err)
	}
	got := ""
	if _, err := Read(name, 100, text(&got)); err != nil || got != "ok 3" {
		t.Fatalf("%q, %v", got, err)
	}
	if b, _ := os.ReadFile(name + backup); string(b) != "ok 2" {
		t.Errorf("the backup is %q", b)
	}
	if err := Write(name, []byte("ok 4")); err != nil {
		t.Fatal(err)
	}
	if list, _ := os.ReadDir(filepath.Dir(name)); len(list) != 2 {
		t.Errorf("%d files are left", len(list))
	}
}

func TestWriteFails(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(folder, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	err := Write(filepath.Join(folder, "x.json"), nil)
	if err == nil || strings.Contains(err.Error(), "\n") {
		t.Errorf("below a file: %v", err)
	}
}
