package publish

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path"
	"strings"
	"time"

	"coral/node/origin"
	"coral/store/segment"
)

const (
	// quiet is how long a file must not have been written to before it is read:
	// a writer that is at work writes more often.
	quiet = 50 * time.Millisecond
	// unquiet is how long a file that keeps being written to is waited for. Then
	// the caller is told, and tries again.
	unquiet = 500 * time.Millisecond
	// coarse is the coarsest clock of a file system in use (FAT's): within it a
	// file may change and look the same.
	coarse = 2 * time.Second
)

var errBeingWritten = errors.New("file is still being written")

// folder is a folder that a packager writes into. Nothing outside it is read,
// whatever the playlists and symbolic links in it say.
type folder struct {
	root   *os.Root
	chosen chooser
}

func openFolder(name string) (*folder, error) {
	root, err := os.OpenRoot(name)
	if err != nil {
		var wrapped *fs.PathError
		if errors.As(err, &wrapped) {
			err = wrapped.Err
		}
		return nil, fmt.Errorf("open source folder %s: %w", name, err)
	}
	return &folder{root: root, chosen: chooser{fsys: root.FS()}}, nil
}

func (f *folder) top(context.Context) (string, error) { return f.chosen.choose(time.Now()) }

// open opens a regular file; others may block for ever, or never end.
func (f *folder) open(ref string) (*os.File, fs.FileInfo, error) {
	info, err := f.root.Stat(ref)
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s: not a file", ref)
	}
	if err != nil {
		return nil, nil, err
	}
	file, err := f.root.Open(ref)
	if err != nil {
		return nil, nil, err
	}
	if info, err = file.Stat(); err != nil {
		file.Close()
		return nil, nil, err
	}
	return file, info, nil
}

func (f *folder) playlist(_ context.Context, ref string, v *origin.Validators) (body []byte, final string, same bool, err error) {
	file, info, err := f.open(ref)
	if err != nil {
		return nil, "", false, fmt.Errorf("read playlist: %w", err)
	}
	defer file.Close()
	tag := ""
	if time.Since(info.ModTime()) > coarse {
		tag = fmt.Sprint(info.ModTime().UnixNano(), " ", info.Size())
	}
	if v != nil {
		if tag != "" && v.ETag == tag {
			return nil, ref, true, nil
		}
		v.ETag = tag
	}
	body, err = io.ReadAll(io.LimitReader(file, origin.MaxPlaylist+1))
	if err != nil {
		return nil, "", false, fmt.Errorf("read playlist: %w", err)
	}
	if len(body) > origin.MaxPlaylist {
		return nil, "", false, fmt.Errorf("read playlist %s: %w", ref, origin.ErrTooLarge)
	}
	return body, ref, false, nil
}

func (f *folder) get(ctx context.Context, ref string, off, n int64, _ int) (io.ReadCloser, int64, error) {
	for begun := time.Now(); ; {
		file, info, err := f.open(ref)
		if err != nil {
			return nil, 0, fmt.Errorf("read segment: %w", err)
		}
		size := info.Size() - off
		age := time.Since(info.ModTime())
		switch {
		case n >= 0 && size >= n:
			// A part of a file that may still grow: what is there stays.
			if _, err := file.Seek(off, io.SeekStart); err != nil {
				file.Close()
				return nil, 0, fmt.Errorf("read segment: %w", err)
			}
			return &reading{Reader: io.LimitReader(file, n), file: file}, n, nil
		case n < 0 && size > segment.MaxSize:
			file.Close()
			return nil, 0, fmt.Errorf("read segment %s: %w", ref, origin.ErrTooLarge)
		case n < 0 && (age >= quiet || age < 0) && size > 0:
			if _, err := file.Seek(off, io.SeekStart); err != nil {
				file.Close()
				return nil, 0, fmt.Errorf("read segment: %w", err)
			}
			return &reading{Reader: file, file: file, was: info}, size, nil
		}
		file.Close()
		if time.Since(begun) > unquiet {
			return nil, 0, fmt.Errorf("read segment %s: %w", ref, errBeingWritten)
		}
		select {
		case <-time.After(max(quiet/10, min(quiet, quiet-age))):
		case <-ctx.Done():
			return nil, 0, ctx.Err()
		}
	}
}

// reading is a file that must not change while it is read.
type reading struct {
	io.Reader
	file *os.File
	was  fs.FileInfo // nil: it may
}

func (r *reading) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if err == io.EOF && r.was != nil {
		is, serr := r.file.Stat()
		if serr != nil {
			return n, serr
		}
		if is.Size() != r.was.Size() || !is.ModTime().Equal(r.was.ModTime()) {
			return n, errBeingWritten
		}
	}
	return n, err
}

func (r *reading) Close() error { return r.file.Close() }

func (f *folder) resolve(base, uri string) (string, error) {
	u, err := url.Parse(uri)
	if err != nil {
		return "", fmt.Errorf("resolve %.80q: not a URL", uri)
	}
	if u.Scheme != "" || u.Host != "" || u.Opaque != "" {
		return "", fmt.Errorf("resolve %.80q: %w", uri, errOutside)
	}
	name := u.Path
	if !strings.HasPrefix(name, "/") {
		name = path.Join(path.Dir(base), name)
	}
	name = path.Clean(strings.TrimPrefix(name, "/"))
	if !fs.ValidPath(name) || name == "." || strings.ContainsAny(name, "\\\x00") {
		return "", fmt.Errorf("resolve %.80q: %w", uri, errOutside)
	}
	return name, nil
}

func (f *folder) changed() <-chan struct{} { return nil }
func (f *folder) local() bool              { return true }

func (f *folder) run(ctx context.Context) error {
	<-ctx.Done()
	return nil
}

func (f *folder) close() error { return f.root.Close() }
