package native

// KeepAbove is not possible without Objective-C.
func KeepAbove(uintptr, bool) error { return ErrUnsupported }

// NudgePointer is not possible without Objective-C.
func NudgePointer() error { return ErrUnsupported }

// ScreenSize is not possible without Objective-C.
func ScreenSize() (wide, high int, err error) { return 0, 0, ErrUnsupported }
