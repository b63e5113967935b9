//go:build !unix || darwin

package system

import "context"

// run does nothing: Windows and macOS hand media keys to WinRT and Objective-C
// objects, which need cgo or a runtime of their own.
func (m *MPRIS) run(ctx context.Context) error {
	<-ctx.Done()
	return nil
}
