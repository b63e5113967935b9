//go:build !linux

package native

// Relax does nothing here: the system takes such pages by itself when it needs room.
func Relax([]string) error { return nil }

// Mapped lists nothing: Relax needs nothing.
func Mapped() []string { return nil }
