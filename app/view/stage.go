package view

import (
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/widget"
)

// stage is what the pointer meets over the picture. It draws nothing: each
// object over the video costs every frame.
type stage struct {
	widget.BaseWidget
	stirred func() // the pointer moved, or a key was pressed
	tapped  func()
	twice   func()
	menu    func(fyne.Position)
	wheel   func(up bool)
	keys    *keys
	hidden  bool // the pointer is not to be seen
	inside  bool
	at      fyne.Position
	wheeled time.Time
}

var (
	_ fyne.Tappable          = (*stage)(nil)
	_ fyne.SecondaryTappable = (*stage)(nil)
	_ fyne.DoubleTappable    = (*stage)(nil)
	_ fyne.Focusable         = (*stage)(nil)
	_ fyne.Scrollable        = (*stage)(nil)
	_ desktop.Hoverable      = (*stage)(nil)
	_ desktop.Cursorable     = (*stage)(nil)
)

func newStage(k *keys) *stage {
	s := &stage{keys: k}
	s.ExtendBaseWidget(s)
	return s
}

// Tapped implements fyne.Tappable.
func (s *stage) Tapped(*fyne.PointEvent) { s.tapped() }

// DoubleTapped implements fyne.DoubleTappable.
func (s *stage) DoubleTapped(*fyne.PointEvent) { s.twice() }

// TappedSecondary implements fyne.SecondaryTappable.
func (s *stage) TappedSecondary(e *fyne.PointEvent) { s.menu(e.AbsolutePosition) }

// wheelStep keeps a wheel that spins freely from changing the volume at once.
const wheelStep = 40 * time.Millisecond

// Scrolled implements fyne.Scrollable.
func (s *stage) Scrolled(e *fyne.ScrollEvent) {
	if now := time.Now(); e.Scrolled.DY != 0 && now.Sub(s.wheeled) >= wheelStep {
		s.wheeled = now
		s.wheel(e.Scrolled.DY > 0)
	}
}

// MouseIn implements desktop.Hoverable.
func (s *stage) MouseIn(e *desktop.MouseEvent) { s.inside = true; s.MouseMoved(e) }

// nudge is how far the pointer may go without having been moved by a hand: a
// table that shakes, or the nudge that makes Fyne take the pointer away.
const nudge = 2

// MouseMoved implements desktop.Hoverable.
func (s *stage) MouseMoved(e *desktop.MouseEvent) {
	d := e.AbsolutePosition.Subtract(s.at)
	if s.hidden && d.X*d.X+d.Y*d.Y <= 2*nudge*nudge {
		return
	}
	s.at = e.AbsolutePosition
	s.hidden = false
	s.stirred()
}

// MouseOut implements desktop.Hoverable.
func (s *stage) MouseOut() { s.inside = false }

// Cursor implements desktop.Cursorable. Fyne asks when the pointer moves.
func (s *stage) Cursor() desktop.Cursor {
	if s.hidden {
		return desktop.HiddenCursor
	}
	return desktop.DefaultCursor
}

// TypedKey implements fyne.Focusable.
func (s *stage) TypedKey(e *fyne.KeyEvent) { s.keys.key(e) }

// TypedRune implements fyne.Focusable.
func (s *stage) TypedRune(r rune) { s.keys.letter(r) }

// FocusGained implements fyne.Focusable.
func (s *stage) FocusGained() { s.stirred() }

// FocusLost implements fyne.Focusable.
func (s *stage) FocusLost() {}

// CreateRenderer implements fyne.Widget.
func (s *stage) CreateRenderer() fyne.WidgetRenderer { return nothing{} }

// nothing draws nothing.
type nothing struct{}

func (nothing) Destroy()                     {}
func (nothing) Layout(fyne.Size)             {}
func (nothing) MinSize() fyne.Size           { return fyne.Size{} }
func (nothing) Objects() []fyne.CanvasObject { return nil }
func (nothing) Refresh()                     {}
