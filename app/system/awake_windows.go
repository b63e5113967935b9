package system

import (
	"context"
	"errors"
	"runtime"

	"golang.org/x/sys/windows"
)

var setThreadExecutionState = windows.NewLazySystemDLL("kernel32.dll").NewProc("SetThreadExecutionState")

const (
	esContinuous      = 0x80000000
	esSystemRequired  = 0x00000001
	esDisplayRequired = 0x00000002
)

// holdScreen keeps a thread of its own, since Windows forgets the wish when the
// thread that uttered it ends.
func holdScreen(context.Context, string) (*hold, error) {
	granted, release, ended := make(chan bool), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		r, _, _ := setThreadExecutionState.Call(esContinuous | esSystemRequired | esDisplayRequired)
		granted <- r != 0
		<-release
		_, _, _ = setThreadExecutionState.Call(esContinuous)
	}()
	h := &hold{release: func() { close(release); <-ended }}
	if !<-granted {
		h.release()
		return nil, errors.New("keep the screen on: Windows refused")
	}
	return h, nil
}
