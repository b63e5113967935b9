package system

import (
	"context"
	"sync"
	"time"
)

// maxCommands is how many wait for the app; more are refused. Desktops send a
// volume command for each click of a wheel.
const maxCommands = 32

// Playback is what the desktop shows of what plays.
type Playback struct {
	Status Status
	// Channel is the name shown; Item says whether it still is the same one: any
	// text that is not a link, as all programs of the user can see it.
	Channel, Item string
	Poster        string // file: URL of a picture; "": none

	Live     bool // no end: Length is not shown
	Waiting  bool // there is no picture just now, although it is Playing
	Position time.Duration
	Length   time.Duration
	Seekable bool
	Zap      bool // there are a next and a previous channel
	Rate     float64
	Volume   int // 0 to 100

	FullScreen bool
}

// Status is what a player does, in MPRIS's words. Stopped: nothing is loaded.
type Status string

// The statuses.
const (
	Stopped Status = "Stopped"
	Playing Status = "Playing"
	Paused  Status = "Paused"
)

// Command is what the user asked the desktop for, with a media key, headphones,
// a panel or another program.
type Command interface{ command() }

// The commands.
type (
	Play          struct{}
	Pause         struct{}
	PlayPause     struct{}
	Stop          struct{}
	Next          struct{}
	Previous      struct{}
	Seek          struct{ By time.Duration }
	SetPosition   struct{ To time.Duration }
	SetVolume     struct{ Percent int }
	SetRate       struct{ Rate float64 }
	OpenURI       struct{ URI string }
	SetFullScreen struct{ On bool }
	Raise         struct{}
	Quit          struct{}
)

func (Play) command()          {}
func (Pause) command()         {}
func (PlayPause) command()     {}
func (Stop) command()          {}
func (Next) command()          {}
func (Previous) command()      {}
func (Seek) command()          {}
func (SetPosition) command()   {}
func (SetVolume) command()     {}
func (SetRate) command()       {}
func (OpenURI) command()       {}
func (SetFullScreen) command() {}
func (Raise) command()         {}
func (Quit) command()          {}

// MPRIS is this program as a media player that the desktop controls, where the
// desktop speaks D-Bus. Elsewhere it takes what it is given and says nothing.
type MPRIS struct {
	commands chan Command
	changed  chan struct{} // has room for one

	mu    sync.Mutex
	now   Playback
	at    time.Time     // when now was set
	jumps time.Duration // where the last jump since Run looked went to; -1: none
}

// NewMPRIS makes one that has nothing loaded.
func NewMPRIS() *MPRIS {
	return &MPRIS{
		commands: make(chan Command, maxCommands), changed: make(chan struct{}, 1),
		now: Playback{Status: Stopped, Rate: 1, Volume: 100}, at: time.Now(), jumps: -1,
	}
}

// Commands yields what was asked for. Nothing is believed to have happened until
// Set says so.
func (m *MPRIS) Commands() <-chan Command { return m.commands }

// jumpSize is how far a position must be from where playing on would have led to
// count as a jump. Players round, and stall for a moment.
const jumpSize = time.Second

// Set says what plays now, from any goroutine, at any rate.
func (m *MPRIS) Set(p Playback) {
	m.mu.Lock()
	if p.Status != Stopped && m.now.Status != Stopped && p.Item == m.now.Item {
		if d := p.Position - m.positionLocked(); d > jumpSize || d < -jumpSize {
			m.jumps = p.Position
		}
	}
	m.now, m.at = p, time.Now()
	m.mu.Unlock()
	select {
	case m.changed <- struct{}{}:
	default:
	}
}

// positionLocked is where the picture is by now.
func (m *MPRIS) positionLocked() time.Duration {
	p := m.now.Position
	if m.now.Status == Playing && !m.now.Waiting {
		p += time.Duration(float64(time.Since(m.at)) * m.now.Rate)
	}
	if !m.now.Live && m.now.Length > 0 {
		p = min(p, m.now.Length)
	}
	return max(p, 0)
}

// Run is on the user's bus until ctx or the bus ends. Without a bus it returns an
// error at once: nothing is lost but the keys.
func (m *MPRIS) Run(ctx context.Context) error { return m.run(ctx) }
