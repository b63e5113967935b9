package view

import (
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"coral/player"
)

// Video is the object that shows the picture.
type Video interface {
	fyne.CanvasObject
	// Shade darkens the picture's head and foot over these heights, for what is
	// drawn over them; 0: not at all.
	Shade(head, foot float32)
	// OnPicture sets what is called, on Fyne's goroutine, when the next picture is
	// about to be drawn.
	OnPicture(func())
}

// watchPage is the picture, what lies over it while it is needed, and one line
// below.
type watchPage struct {
	emit  func(Intent)
	video Video
	root  *fyne.Container

	stage    *stage
	captions *captions
	controls *controls
	state    *watchState
	bar      *sourceBar
	hidePtr  func() // makes Fyne ask for the pointer's shape; nil: no way

	model   *Model
	stirred time.Time // when the pointer or a key last moved
	awake   bool      // the controls are shown
	channel string    // ID of what was shown last
	over    look      // of what lies over the picture
	full    bool
	mini    bool
}

// How far the picture is darkened for what lies over it.
const (
	shadeHead = 96
	shadeFoot = 140
)

// controlsStay is how long the controls are shown after the last movement.
const controlsStay = 2500 * time.Millisecond

func newWatchPage(emit func(Intent), video Video, k *keys) *watchPage {
	p := &watchPage{emit: emit, video: video, bar: newSourceBar(emit), captions: newCaptions()}
	p.controls = newControls(emit, k, p.stir, p.openMenu)
	p.state = newWatchState(emit)
	p.stage = newStage(k)
	p.stage.stirred = p.stir
	p.stage.tapped = func() {
		if p.model != nil && p.model.Watching != nil && !p.state.asks() {
			emit(playPause(p.model))
		}
	}
	p.stage.twice = func() {
		if p.model == nil || p.model.Watching == nil {
			return
		}
		if p.mini {
			emit(SetMiniPlayer{false})
		} else {
			emit(SetFullScreen{!p.full})
		}
	}
	p.stage.menu = func(at fyne.Position) { p.showMenu(p.wholeMenu(), at) }
	p.stage.wheel = func(up bool) {
		p.stir()
		if up {
			p.controls.volume.step(1)
		} else {
			p.controls.volume.step(-1)
		}
	}
	p.bar.details.key, p.bar.details.letter = k.key, k.letter
	p.bar.sharing.key, p.bar.sharing.letter = k.key, k.letter
	p.controls.root.Hide()
	p.over = overVideo("")
	lay(&p.over, p.controls.root)
	lay(&p.over, p.state.root)
	p.root = container.New(watchLayout{p}, video, p.stage, p.state.root, p.controls.root, p.captions, p.bar)
	return p
}

// Object implements page.
func (p *watchPage) Object() fyne.CanvasObject { return p.root }

// stir shows the controls.
func (p *watchPage) stir() {
	p.stirred = time.Now()
	p.stage.hidden = false
	if !p.awake && p.model != nil {
		p.wake(true)
		p.Show(p.model)
	}
}

// stirIfShown shows the controls if the picture is the page.
func (p *watchPage) stirIfShown() {
	if p.root.Visible() {
		p.stir()
	}
}

// tick puts the controls away when nothing has moved for a while. They stay
// while the pointer is on them or a menu is open.
func (p *watchPage) tick(now time.Time) {
	if p.awake && now.Sub(p.stirred) > controlsStay && !p.busy() {
		p.wake(false)
		p.Show(p.model)
	}
}

// pointed says whether the pointer is on the picture or on what lies over it.
func (p *watchPage) pointed() bool {
	c := p.controls
	return p.stage.inside || c.seek.hovered || c.volume.hovered || c.helped != nil && c.helped.hovered
}

// busy says whether the controls are in use.
func (p *watchPage) busy() bool {
	c := canvasOf(p.root)
	if c != nil && c.Overlays().Top() != nil {
		return true
	}
	return p.controls.seek.dragging || p.controls.volume.dragging
}

// rest is told that another page is shown.
func (p *watchPage) rest() { p.awake, p.stage.hidden = false, false }

func (p *watchPage) wake(on bool) {
	p.awake = on
	p.stage.hidden = !on && p.pointed()
	if on {
		return
	}
	p.controls.explain(nil)
	if c := canvasOf(p.root); c != nil {
		switch c.Focused().(type) {
		case *control, *seekBar: // what is not seen has no keyboard
			c.Unfocus()
		}
	}
	if p.stage.hidden && p.hidePtr != nil {
		p.hidePtr()
	}
}

// Show implements page.
func (p *watchPage) Show(m *Model) {
	p.model = m
	w := m.Watching
	if w == nil {
		return
	}
	if w.Channel.ID != p.channel {
		p.channel = w.Channel.ID
		p.controls.edge = liveEdge{}
		p.stirred, p.awake = time.Now(), true // say what it is
	}
	restyle := p.over != overVideo(m.Settings.Theme)
	p.over = overVideo(m.Settings.Theme)
	p.layBar(w.FullScreen)
	playable := w.Engine == EngineMPV
	p.state.show(m, time.Now())
	over := p.awake && playable && w.Player.Phase != player.Failed
	bar := !w.MiniPlayer && (!w.FullScreen || over)
	news := restyle || p.full != w.FullScreen || p.mini != w.MiniPlayer || bar != p.bar.Visible()
	p.full, p.mini = w.FullScreen, w.MiniPlayer
	show(p.stage, playable) // the picture itself stays: it is black by then
	show(p.bar, bar)
	if bar {
		p.bar.show(m)
	}
	if over {
		p.controls.show(m)
	}
	show(p.controls.root, over)
	p.video.Shade(p.shade(over))
	p.captions.set(w.Caption, p.captionFoot(over))
	if news {
		p.root.Refresh()
	}
}

// layBar puts the line below over the picture, or beside it.
func (p *watchPage) layBar(over bool) {
	var theme *look
	if over {
		theme = &p.over
	}
	if p.bar.over != theme {
		p.bar.lay(theme)
		p.bar.restyle()
	}
}

// shade is how far the picture's head and foot are darkened.
func (p *watchPage) shade(over bool) (head, foot float32) {
	if !over {
		return 0, 0
	}
	head, foot = shadeHead, shadeFoot
	if p.mini {
		head = 0
	}
	if p.full {
		foot += barHeight
	}
	return head, foot
}

// captionFoot is how far above the picture's foot captions stand.
func (p *watchPage) captionFoot(over bool) float32 {
	foot := float32(20)
	if over {
		foot = controlsFoot
		if p.full {
			foot += barHeight
		}
	}
	return foot
}

// watchLayout gives the picture all there is, less the line below; in full
// screen the line lies over the picture with the controls.
type watchLayout struct{ p *watchPage }

// Layout implements fyne.Layout.
func (l watchLayout) Layout(_ []fyne.CanvasObject, s fyne.Size) {
	p := l.p
	picture, over := s, s
	if p.bar.Visible() {
		over.Height -= barHeight
		if !p.full {
			picture.Height -= barHeight
		}
		p.bar.Move(fyne.NewPos(0, s.Height-barHeight))
		p.bar.Resize(fyne.NewSize(s.Width, barHeight))
	}
	for _, o := range []fyne.CanvasObject{p.video, p.captions, p.stage, p.state.root} {
		o.Resize(picture)
	}
	p.controls.root.Resize(over)
}

// MinSize implements fyne.Layout.
func (watchLayout) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.Size{} }
