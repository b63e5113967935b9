package view

import "time"

const (
	// nap is how long Fyne's goroutine sleeps at a time while the window is hidden:
	// what one does in the tray may take so long to be noticed.
	nap = 250 * time.Millisecond
	// awake is how long it then works: for more than one of its rounds.
	awake = 30 * time.Millisecond
)

// Hide puts the window away. Fyne's loop would go on to look for events sixty times
// a second, which costs a percent of a core; so its goroutine sleeps between.
// It is called on Fyne's goroutine.
func (w *Window) Hide() {
	w.win.Hide()
	if !w.hidden {
		w.hidden = true
		w.rest()
	}
}

// Raise shows the window, in front of others. It is called on Fyne's goroutine.
func (w *Window) Raise() {
	w.hidden = false
	if w.unseen != nil {
		w.show(w.unseen, time.Now())
	}
	w.win.Show()
	w.win.RequestFocus()
}

// rest works for a moment, then sleeps, again and again while the window is hidden.
func (w *Window) rest() {
	time.AfterFunc(awake, func() {
		w.onMain(func() {
			if w.hidden {
				time.Sleep(nap)
				w.rest()
			}
		})
	})
}
