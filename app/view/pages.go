package view

import "fyne.io/fyne/v2"

// page is one screen of the window. Its methods are called on Fyne's goroutine.
type page interface {
	// Object is what the window lays out; always the same one.
	Object() fyne.CanvasObject
	// Show maps m to widgets. It is called up to ten times a second and touches
	// only what has changed.
	Show(m *Model)
}

// overlay is a page that covers the others while it has something to ask.
type overlay interface {
	page
	// Showing says whether it covers them, after the last Show.
	Showing() bool
}
