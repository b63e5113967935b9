//go:build (!unix && !windows) || solaris || aix

package store

import (
	"errors"
	"os"
)

// tryLock fails: without a lock two processes could write one folder, so the
// store keeps to RAM on such systems.
func tryLock(*os.File) error { return errors.ErrUnsupported }
