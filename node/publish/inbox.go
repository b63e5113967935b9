package publish

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"sync"
	"time"
)

var errInboxFull = errors.New("the publisher's inbox is full")

// inbox is a bounded folder of received files.
type inbox struct {
	root     *os.Root
	maxBytes int64
	maxFiles int

	mu    sync.Mutex
	files map[string]received
	bytes int64
	turns uint64 // the last that was given
}

type received struct {
	size int64
	at   time.Time
	turn uint64 // of the request that brought it; 0: an earlier run's
}

func openInbox(root *os.Root) (*inbox, error) {
	b := &inbox{root: root, maxBytes: inboxBytes, maxFiles: inboxFiles, files: map[string]received{}}
	err := fs.WalkDir(root.FS(), ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if e.IsDir() {
			return nil
		}
		if strings.HasPrefix(name, halfDir+"/") { // never became whole
			return root.Remove(name)
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		b.files[name] = received{size: info.Size(), at: info.ModTime()}
		b.bytes += info.Size()
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("open inbox: %w", err)
	}
	return b, nil
}

// turn returns the place of a request among all.
func (b *inbox) turn() uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.turns++
	return b.turns
}

// store keeps what r holds under name, once it is whole. Each turn is given
// once. What a later turn brought stays: ffmpeg begins the last playlist on a
// connection of its own without waiting for the one before to be stored.
func (b *inbox) store(turn uint64, name string, r io.Reader) error {
	half := path.Join(halfDir, fmt.Sprint(turn))
	f, err := b.root.OpenFile(half, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("store %s: %w", name, err)
	}
	defer b.root.Remove(half) // unless it was renamed
	// Half-received files are not counted before they are whole; connections
	// and the size of a file bound them.
	n, err := io.Copy(f, r)
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("store %s: %w", name, err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.files[name].turn > turn {
		return nil
	}
	if err := b.room(name, n); err != nil {
		return err
	}
	if dir := path.Dir(name); dir != "." {
		if err := b.root.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("store %s: %w", name, err)
		}
	}
	if err := b.root.Rename(half, name); err != nil {
		return fmt.Errorf("store %s: %w", name, err)
	}
	b.bytes += n - b.files[name].size
	b.files[name] = received{n, time.Now(), turn}
	return nil
}

// room removes the oldest segments until name can have n bytes.
func (b *inbox) room(name string, n int64) error {
	for {
		more := n - b.files[name].size
		_, known := b.files[name]
		if b.bytes+more <= b.maxBytes && (known || len(b.files) < b.maxFiles) {
			return nil
		}
		oldest := ""
		for other, f := range b.files {
			if other != name && !isPlaylist(other) && (oldest == "" || f.at.Before(b.files[oldest].at)) {
				oldest = other
			}
		}
		if oldest == "" {
			return errInboxFull
		}
		if err := b.drop(oldest); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
}

func isPlaylist(name string) bool {
	ext := strings.ToLower(path.Ext(name))
	return ext == ".m3u8" || ext == ".m3u"
}

func (b *inbox) remove(name string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, known := b.files[name]; !known {
		return fs.ErrNotExist
	}
	return b.drop(name)
}

// drop removes a file, and the folders that it leaves empty. mu must be held.
func (b *inbox) drop(name string) error {
	err := b.root.Remove(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	b.bytes -= b.files[name].size
	delete(b.files, name)
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		if b.root.Remove(dir) != nil {
			break
		}
	}
	return err
}
