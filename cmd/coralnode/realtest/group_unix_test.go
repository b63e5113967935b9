//go:build unix && !linux

package realtest

import "syscall"

// ownGroup lets a process and its children be ended together.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
