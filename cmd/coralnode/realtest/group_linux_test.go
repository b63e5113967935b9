package realtest

import "syscall"

// ownGroup lets a process and its children be ended together, and ends it with
// the test program, even where that is killed.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
