//go:build !linux && !darwin && !freebsd && !windows

package store

import "errors"

// freeSpace is not known here: a full disk shows itself by a failed write.
func freeSpace(string) (free, total int64, err error) { return 0, 0, errors.ErrUnsupported }
