//go:build !linux

package native

// Relax does nothing here: the system takes such pages by itself when it needs room.
func Relax() error { return nil }
