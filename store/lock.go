package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

const (
	lockName = "LOCK"
	// folderPatience lets a process that is just quitting let go of the folder.
	folderPatience = time.Second
	lockPoll       = 50 * time.Millisecond
)

// errHeld is tryLock's way of saying that another has the lock.
var errHeld = errors.New("held")

// lockFolder takes the folder for this process, until the file is closed or the
// process ends, however it ends.
func lockFolder(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, lockName), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock cache folder: %w", err)
	}
	for waited := time.Duration(0); ; waited += lockPoll {
		switch err := tryLock(f); {
		case err == nil:
			return f, nil
		case !errors.Is(err, errHeld):
			f.Close()
			return nil, fmt.Errorf("lock cache folder: %w", err)
		case waited >= folderPatience:
			f.Close()
			return nil, ErrLocked
		}
		time.Sleep(lockPoll)
	}
}
