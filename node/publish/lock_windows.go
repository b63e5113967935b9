package publish

import (
	"os"

	"golang.org/x/sys/windows"
)

// lockFile takes the lock on f, which the system frees when the process ends.
func lockFile(f *os.File) error {
	return windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY,
		0, 1, 0, new(windows.Overlapped))
}

// syncFolder does nothing: Windows has no such call, and NTFS logs renames.
func syncFolder(string) error { return nil }
