package system

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/adrg/xdg"
)

// Folders are where Coral keeps its files. On Windows Config, Data and State are
// the same folder: names in them must differ.
type Folders struct {
	Config string // settings
	Data   string // the library: what cannot be had again
	Cache  string // what can
	State  string // log, identity of the instance, traffic totals
}

// Paths returns the user's folders by the XDG specification, or what takes their
// place on this system, made if they were missing. Others cannot look into those
// that it makes: names in the cache and the library tell what was watched.
func Paths() (Folders, error) {
	f := Folders{
		Config: filepath.Join(xdg.ConfigHome, "coral"),
		Data:   filepath.Join(xdg.DataHome, "coral"),
		Cache:  filepath.Join(xdg.CacheHome, "coral"),
		State:  filepath.Join(xdg.StateHome, "coral"),
	}
	for _, dir := range []string{f.Config, f.Data, f.Cache, f.State} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return f, fmt.Errorf("make folder: %w", err)
		}
	}
	return f, nil
}
