package publish

import (
	"cmp"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"coral/node/hls"
	"coral/node/origin"
)

const (
	// maxDepth, maxFiles bound the search for playlists in a folder.
	maxDepth = 4
	maxFiles = 20000
	// maxCandidates bounds how many playlists are looked into.
	maxCandidates = 256
	// masterGrace is how long a media playlist that has no multivariant playlist
	// beside it waits for one: packagers write it last. Where there are several,
	// something must lead to them, so they wait longer.
	masterGrace     = time.Second
	masterGraceMany = 10 * time.Second
)

// chooser finds the playlist of a folder that is the channel's.
type chooser struct {
	fsys fs.FS

	mu    sync.Mutex
	since time.Time // when a media playlist was first seen
}

// candidate is a playlist in the folder.
type candidate struct {
	name         string
	multivariant bool
	depth, rank  int
	modified     time.Time
}

// choose returns the best playlist: one that leads to others before one that
// does not, then the one nearest to the top, then by name, then the newest.
func (c *chooser) choose(now time.Time) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	list, err := c.candidates()
	if err != nil {
		return "", fmt.Errorf("look for a playlist: %w", err)
	}
	if len(list) == 0 {
		c.since = time.Time{}
		return "", errNoPlaylist
	}
	if c.since.IsZero() {
		c.since = now
	}
	best := slices.MinFunc(list, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(order(b.multivariant), order(a.multivariant)), cmp.Compare(a.depth, b.depth),
			cmp.Compare(a.rank, b.rank), b.modified.Compare(a.modified), cmp.Compare(a.name, b.name))
	})
	if !best.multivariant {
		grace := masterGrace
		if len(list) > 1 {
			grace = masterGraceMany
		}
		// A folder that was complete long ago gets nothing more.
		if now.Sub(c.since) < grace && now.Sub(best.modified) < grace {
			return "", errNoPlaylist
		}
	}
	return best.name, nil
}

func order(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (c *chooser) candidates() (list []candidate, err error) {
	files := 0
	err = fs.WalkDir(c.fsys, ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			if name == "." {
				return err
			}
			return nil // gone meanwhile, or not for us
		}
		if files++; files > maxFiles || len(list) >= maxCandidates {
			return fs.SkipAll
		}
		depth := strings.Count(name, "/")
		if e.IsDir() {
			if name != "." && (strings.HasPrefix(e.Name(), ".") || depth >= maxDepth) {
				return fs.SkipDir
			}
			return nil
		}
		ext := strings.ToLower(path.Ext(name))
		if ext != ".m3u8" && ext != ".m3u" || !e.Type().IsRegular() || strings.HasPrefix(e.Name(), ".") {
			return nil
		}
		if cand, ok := c.look(name, depth); ok {
			list = append(list, cand)
		}
		return nil
	})
	return list, err
}

// look reports whether a file is a playlist, and of what kind.
func (c *chooser) look(name string, depth int) (candidate, bool) {
	f, err := c.fsys.Open(name)
	if err != nil {
		return candidate{}, false
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || info.Size() > origin.MaxPlaylist {
		return candidate{}, false
	}
	body, err := io.ReadAll(io.LimitReader(f, origin.MaxPlaylist))
	if err != nil {
		return candidate{}, false
	}
	mv, m, err := hls.Parse(body)
	if err != nil || m != nil && len(m.Segments) == 0 {
		return candidate{}, false
	}
	return candidate{name: name, multivariant: mv != nil, depth: depth, rank: rank(name), modified: info.ModTime()}, true
}

// rank prefers the names that packagers give the channel's playlist.
func rank(name string) int {
	stem := strings.ToLower(strings.TrimSuffix(path.Base(name), path.Ext(name)))
	for i, good := range []string{"master", "multivariant", "index", "main", "playlist", "stream", "live"} {
		if stem == good {
			return i
		}
	}
	return 100
}
