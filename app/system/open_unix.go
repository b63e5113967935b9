//go:build unix

package system

import (
	"os/exec"
	"syscall"
)

// detach gives the program a session of its own: Ctrl+C in our terminal is not
// meant for a browser.
func detach(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }
