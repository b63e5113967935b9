package publish

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

const (
	tempPrefix = ".tmp-"
	// maxStateFile bounds what is read of a state file other than a chain: a
	// presentation of 64 renditions is a few dozen KiB.
	maxStateFile = 4 << 20
)

// disk is the state folder. Each change to a file is whole or not at all, also
// if the process is killed or the power fails.
type disk struct {
	path string
	lock *os.File
	// step, if set, is called before each operation that changes the folder. An
	// error stops the operation; tests use it to die at every point.
	step func(op string) error
}

// openDisk makes the folder if need be, and keeps everyone else out of it.
func openDisk(path string, step func(string) error) (*disk, error) {
	if path == "" {
		return nil, errors.New("open state folder: no folder given")
	}
	if err := os.MkdirAll(filepath.Join(path, chainsDir), 0o700); err != nil {
		return nil, fmt.Errorf("open state folder: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(path, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open state folder: %w", err)
	}
	if err := lockFile(f); err != nil {
		f.Close()
		return nil, fmt.Errorf("open state folder %s: another publisher uses it: two with one identity would contradict each other", path)
	}
	d := &disk{path: path, lock: f, step: step}
	d.sweep()
	return d, nil
}

// close lets others use the folder. It writes nothing.
func (d *disk) close() error { return d.lock.Close() }

// sweep removes what a crash left half written.
func (d *disk) sweep() {
	for _, dir := range []string{d.path, filepath.Join(d.path, chainsDir)} {
		list, _ := os.ReadDir(dir)
		for _, e := range list {
			if strings.HasPrefix(e.Name(), tempPrefix) {
				os.Remove(filepath.Join(dir, e.Name()))
			}
		}
	}
}

func (d *disk) at(op string) error {
	if d.step == nil {
		return nil
	}
	return d.step(op)
}

// write replaces a file of the folder: afterwards it holds data, or what it
// held before if there is an error.
func (d *disk) write(name string, data []byte) error {
	return d.replace(name, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// replace is write for what content writes.
func (d *disk) replace(name string, content func(io.Writer) error) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("write state %s: %w", name, err)
		}
	}()
	if err := d.at("create " + name); err != nil {
		return err
	}
	path := filepath.Join(d.path, name)
	f, err := os.CreateTemp(filepath.Dir(path), tempPrefix+"*") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		f.Close()
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	w := bufio.NewWriterSize(f, 64<<10)
	if err := content(w); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if err := d.at("sync " + name); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := d.at("rename " + name); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	if err := d.at("sync folder of " + name); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

// read returns a file of the folder, or fs.ErrNotExist.
func (d *disk) read(name string) ([]byte, error) {
	path := filepath.Join(d.path, name)
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("read state: %w", err)
	}
	if !info.Mode().IsRegular() || info.Size() > maxStateFile {
		return nil, fmt.Errorf("read state %s: not a file of this program", name)
	}
	return os.ReadFile(path)
}

// writeJSON and readJSON are write and read for values.
func (d *disk) writeJSON(name string, v any) error {
	data, err := json.MarshalIndent(v, "", "\t")
	if err != nil {
		return fmt.Errorf("write state %s: %w", name, err)
	}
	return d.write(name, append(data, '\n'))
}

// readJSON reports whether there was such a file.
func (d *disk) readJSON(name string, v any) (bool, error) {
	data, err := d.read(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if err := json.Unmarshal(data, v); err != nil {
		return false, fmt.Errorf("read state %s: damaged: %w", name, err)
	}
	return true, nil
}
