package durable

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// What lies beside a file, by what is added to its name.
const (
	fresh   = ".new"     // being written; worthless after a kill
	backup  = ".bak"     // the generation before
	damaged = ".damaged" // could not be read, kept for whoever wants to look; the newest only
)

// Found says what Read had to do to find something that can be read.
type Found struct {
	Damaged  bool   // the file could not be understood
	SetAside string // where it lies now; "" if it is not damaged or could not be moved
	Backup   bool   // what was read is the generation before
}

// Read reads a file of at most limit bytes and hands it to parse, which says
// whether it can be understood and keeps nothing of it if not. If it cannot, the
// file is set aside and its backup is tried. A file that does not exist, or
// nothing that can be understood, is no error: then parse has accepted nothing.
// The error is that of a file that cannot be opened or read.
func Read(name string, limit int64, parse func([]byte) error) (found Found, err error) {
	b, err := read(name, limit)
	if errors.Is(err, fs.ErrNotExist) {
		return found, nil
	}
	if err == nil {
		err = parse(b)
	} else if !errors.Is(err, errUnusable) {
		return found, fmt.Errorf("read %s: %w", filepath.Base(name), err)
	}
	if err == nil {
		return found, nil
	}
	found.Damaged = true
	if os.Rename(name, name+damaged) == nil {
		found.SetAside = name + damaged
	}
	if b, err := read(name+backup, limit); err == nil && parse(b) == nil {
		found.Backup = true
	}
	return found, nil
}

// errUnusable is of what no program of ours has written.
var errUnusable = errors.New("not a file of this program")

func read(name string, limit int64) ([]byte, error) {
	info, err := os.Stat(name) // before it is opened: a pipe would make us wait
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > limit {
		return nil, errUnusable
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(b)) > limit {
		err = errUnusable
	}
	return b, err
}

// Write replaces a file, and makes its folder if there is none. When it returns
// nil the content is on the disk; when it returns an error the file is whole too,
// but may be the one before. Only its owner may read it: links can hold secrets.
func Write(name string, b []byte) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("write %s: %w", filepath.Base(name), err)
		}
	}()
	folder := filepath.Dir(name)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	if err := writeSynced(name+fresh, b); err != nil {
		os.Remove(name + fresh)
		return err
	}
	keepBackup(name)
	if err := os.Rename(name+fresh, name); err != nil {
		os.Remove(name + fresh)
		return err
	}
	return syncFolder(folder)
}

func writeSynced(name string, b []byte) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer f.Close() // for the error paths; the second Close does nothing
	if _, err := f.Write(b); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	return f.Close()
}

// keepBackup makes the present file the backup too, without a moment in which
// the file does not exist. It is worth trying only: without a backup the file
// itself is as safe as with one.
func keepBackup(name string) {
	link := name + backup + fresh
	os.Remove(link)
	if err := os.Link(name, link); errors.Is(err, fs.ErrNotExist) {
		return // there is none; the backup, if any, stays the last good one
	} else if err != nil { // file systems without hard links
		b, err := os.ReadFile(name)
		if err != nil || os.WriteFile(link, b, 0o600) != nil {
			os.Remove(link)
			return
		}
	}
	if os.Rename(link, name+backup) != nil {
		os.Remove(link)
	}
}

// syncFolder makes a rename outlive a loss of power. Windows has no such call,
// and needs none for it.
func syncFolder(folder string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	f, err := os.Open(folder)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}
