package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"time"
)

// writeWhole replaces a file's content: readers see the old or the new, never a
// part. mode is for a new file, less what the user's umask takes.
func writeWhole(name string, data []byte, mode fs.FileMode) error {
	dir, base := filepath.Split(name)
	for {
		temp := filepath.Join(dir, fmt.Sprintf(".%s.%08x", base, rand.Uint32()))
		f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return about(name, err)
		}
		_, err = f.Write(data)
		if err = errors.Join(err, f.Close()); err == nil {
			err = replace(temp, name)
		}
		if err != nil {
			os.Remove(temp)
		}
		return about(name, err)
	}
}

// linkMode is the mode of a file that holds l, or is made of it: a private
// channel's holds the secret.
func linkMode(l *link) fs.FileMode {
	if len(l.Secret) > 0 {
		return 0o600
	}
	return 0o644
}

// about says what went wrong with the file that the user named, rather than
// with the temporary one.
func about(name string, err error) error {
	var p *fs.PathError
	var l *os.LinkError
	switch {
	case errors.As(err, &p):
		err = p.Err
	case errors.As(err, &l):
		err = l.Err
	case err == nil:
		return nil
	}
	return fmt.Errorf("%s: %w", name, err)
}

// writable reports early that a file's folder is not there, or that there is a
// folder in its place.
func writable(names ...string) error {
	for _, name := range names {
		if name == "" {
			continue
		}
		if info, err := os.Stat(filepath.Dir(name)); err != nil || !info.IsDir() {
			return fmt.Errorf("write %s: there is no folder %s", name, filepath.Dir(name))
		}
		if info, err := os.Stat(name); err == nil && info.IsDir() {
			return fmt.Errorf("write %s: that is a folder", name)
		}
	}
	return nil
}

// replace renames a file over another. Windows refuses while somebody reads
// the other, which takes an instant.
func replace(temp, name string) error {
	const tries, pause = 10, 20 * time.Millisecond
	for i := 1; ; i++ {
		err := os.Rename(temp, name)
		if err == nil || runtime.GOOS != "windows" || i == tries {
			return err
		}
		time.Sleep(pause)
	}
}

// readBounded reads a file that has at most max bytes. A pipe is waited for
// until ctx ends; one that nobody writes to is empty.
func readBounded(ctx context.Context, name string, max int64) ([]byte, error) {
	f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && !info.Mode().IsRegular() {
		defer context.AfterFunc(ctx, func() { f.Close() })()
	}
	b, err := io.ReadAll(io.LimitReader(f, max+1))
	if err == nil && int64(len(b)) > max {
		err = fmt.Errorf("%s is larger than %d bytes", name, max)
	}
	return b, err
}
