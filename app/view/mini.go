package view

import "fyne.io/fyne/v2"

const (
	miniLeast = 240 // the mini player's smallest width
	miniWidth = 426 // its width at first: 240 lines
)

// miniPlayer makes the window small, and as it was again. Fyne 2.7 can neither
// keep a window above the others nor take away its frame after it was made: the
// first is asked of the system where there is a way (see Native), the second is
// not done.
type miniPlayer struct {
	win   fyne.Window
	above func(on bool) // keeps the window above others; nil: no way
	on    bool
	small fyne.Size // as the user left it; zero: not used yet
	large fyne.Size // what to go back to
	wait  bool      // the window is not back to its size yet
	tries int       // how often the change is still looked after
}

// miniTries is how often: Fyne tells the window manager the new least size one
// frame after the new size was asked for, and may have drawn for another size
// than the window manager then gives.
const miniTries = 4

// set reports whether the window changes.
func (p *miniPlayer) set(on bool) bool {
	size := p.win.Canvas().Size()
	if p.on == on {
		if p.tries > 0 {
			p.tries--
			if on && (size.Width > p.small.Width+1 || size.Height > p.small.Height+1) {
				p.win.Resize(p.small)
			}
			p.win.Content().Refresh()
		}
		if p.wait && (size.Width >= p.large.Width-1 || size.Width > 1.2*p.small.Width) {
			p.wait = false
		}
		return false
	}
	p.on, p.tries = on, miniTries
	if on {
		p.large = size
		if p.small.IsZero() {
			p.small = fyne.NewSize(miniWidth, miniWidth*9/16)
		}
		p.win.Resize(p.small)
	} else {
		p.small, p.wait = size, true
		p.win.Resize(p.large)
	}
	if p.above != nil {
		p.above(on)
	}
	return true
}

// leaving says that the window still has the mini player's size.
func (p *miniPlayer) leaving() bool { return p.wait }
