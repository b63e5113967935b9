package mpv

import (
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"coral/player"
)

// Options are what a player has from its beginning.
type Options struct {
	Hardware  bool // decode with the system's decoder where that is safe
	MaxHeight int  // lines that are rendered at most; 0: no limit
	Volume    int  // 0 to 100
	Muted     bool
	Log       *slog.Logger // nil: none

	audio string // mpv's name of an audio output; "": whatever works. Tests play to nobody.
}

// Player is a player.Player. Open makes one, Run works for it.
type Player struct {
	lib     *library
	core    uintptr
	wakeup  chan struct{}
	tag     uintptr
	frames  *Frames
	render  *renderer
	log     *slog.Logger
	changed chan struct{}
	wake    chan struct{} // there are wishes
	version string

	mu     sync.Mutex
	wishes wishes
	state  player.State
}

// wishes are what was asked for since Run looked last: the newest of each kind.
type wishes struct {
	load   *load
	stop   bool
	paused *bool
	seek   *seek
	speed  *float64
	volume *int
	muted  *bool
	audio  *int
	step   int
	decode *bool // with the system's decoder
}

type load struct {
	url     string
	options player.LoadOptions
}

type seek struct {
	to   time.Duration
	live bool // to the edge
}

// The range of what can be set.
const (
	minSpeed, maxSpeed = 0.25, 4
	maxVolume          = 100
)

// Open loads libmpv and makes a core that is idle. If Run is not called, the
// player must be freed with Close.
func Open(o Options) (*Player, error) {
	lib, err := openLibmpv()
	if err != nil {
		return nil, err
	}
	fewArenas()
	p := &Player{
		lib: lib, log: o.Log, frames: newFrames(o.MaxHeight),
		changed: make(chan struct{}, 1), wake: make(chan struct{}, 1),
	}
	if p.log == nil {
		p.log = slog.New(slog.DiscardHandler)
	}
	o.Volume = min(max(o.Volume, 0), maxVolume)
	p.state = player.State{Speed: 1, Volume: o.Volume, Muted: o.Muted}
	if err := p.start(o); err != nil {
		return nil, fmt.Errorf("start libmpv: %w", err)
	}
	return p, nil
}

func (p *Player) start(o Options) error {
	core := p.lib.create()
	if core == 0 {
		neutralNumbers()
		core = p.lib.create()
	}
	if core == 0 {
		return errors.New("it cannot be created: is LC_NUMERIC not C, or memory low?")
	}
	if err := p.configure(core, o); err != nil {
		p.lib.destroy(core)
		return err
	}
	r, err := newRenderer(p.lib, core, p.frames)
	if err != nil {
		p.lib.destroy(core)
		return err
	}
	p.core, p.render = core, r
	p.version = p.lib.get(core, "mpv-version")
	p.tag, p.wakeup = newToken()
	p.lib.setWakeup(core, callback(), p.tag)
	return nil
}

func (p *Player) configure(core uintptr, o Options) error {
	set := func(name, value string) {
		if code := p.lib.setOption(core, name, value); code < 0 {
			// An option that a version lacks costs a feature, not the picture.
			p.log.Warn("option not known to libmpv", "option", name, "error", p.lib.errorString(code))
		}
	}
	for _, s := range [][2]string{
		// The user's mpv.conf and scripts are for the user's mpv.
		{"config", "no"},
		{"load-scripts", "no"},
		{"ytdl", "no"},
		{"osc", "no"},
		{"terminal", "no"},
		{"input-default-bindings", "no"},
		{"osd-level", "0"},
		{"profile", "sw-fast"},
		// With zimg mpv puts the colours together one by one. At 720p swscale saves three
		// tenths of decoding and drawing, for a picture that is as near to the exact one.
		{"sws-allow-zimg", "no"},
		// A picture is as large as it should be, to the rounded pixel: mpv would leave a
		// column or a row of it empty.
		{"keepaspect", "no"},
		{"idle", "yes"},
		{"vo", "libmpv"},
		{"hwdec", decoder(o.Hardware)},
		{"stop-screensaver", "no"},
		{"ao", o.audio},
		{"audio-fallback-to-null", "yes"},
		{"audio-client-name", "Coral"},
		{"volume", strconv.Itoa(o.Volume)},
		{"mute", yes(o.Muted)},
		{"sid", "no"},
		{"sub-auto", "no"}, // the app draws them
		{"audio-file-auto", "no"},
		{"cover-art-auto", "no"},
		{"cache", "yes"},
		{"demuxer-max-bytes", forwardCache},
		{"demuxer-max-back-bytes", backwardCache},
		// Time stamps as in the stream: the start of one load is no place.
		{"rebase-start-time", "no"},
		{"hr-seek", "yes"},
	} {
		set(s[0], s[1])
	}
	if code := p.lib.initialize(core); code < 0 {
		return errors.New(p.lib.errorString(code))
	}
	for _, name := range observed {
		p.lib.observe(core, 0, name, formatString)
	}
	// Warnings tell of discontinuities, errors why something failed.
	p.lib.requestLog(core, "warn")
	return nil
}

// What mpv keeps of the stream in memory: a minute and a half of 5 Mbit/s ahead,
// which lets a pause on a short live window go on where it was, and half as much
// behind for going back at once.
const (
	forwardCache  = "64MiB"
	backwardCache = "32MiB"
)

// observed properties change seldom and tell when; the others are polled.
var observed = []string{"paused-for-cache", "video-params", "track-list", "hwdec-current", "video-format"}

func decoder(hardware bool) string {
	if hardware {
		return "auto-copy-safe" // pictures must come back to memory
	}
	return "no"
}

func yes(on bool) string {
	if on {
		return "yes"
	}
	return "no"
}

// Close frees a player whose Run was never called.
func (p *Player) Close() { p.free() }

// free ends what start began, in the only order that is safe: nobody renders any
// more, then the renderer, then the core.
func (p *Player) free() {
	if p.core == 0 {
		return
	}
	p.frames.clear()
	p.render.close()
	p.lib.setWakeup(p.core, 0, 0)
	p.lib.destroy(p.core)
	dropToken(p.tag)
	p.core = 0
}

// Relax gives back the memory that playing needed. It is for when nothing plays.
func (p *Player) Relax() {
	p.frames.relax()
	trim()
}

// Version is that of mpv, for people: "mpv 0.35.1".
func (p *Player) Version() string { return p.version }

// Frames is where the pictures come from.
func (p *Player) Frames() *Frames { return p.frames }

// State returns the newest state.
func (p *Player) State() player.State {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.state
}

// Changed is sent to after the state has changed; it has room for one.
func (p *Player) Changed() <-chan struct{} { return p.changed }

// wish changes what is wanted, and wakes Run.
func (p *Player) wish(change func(w *wishes)) {
	p.mu.Lock()
	change(&p.wishes)
	p.mu.Unlock()
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// Load plays url instead of what was playing.
func (p *Player) Load(url string, o player.LoadOptions) {
	p.wish(func(w *wishes) {
		w.load, w.stop = &load{url, o}, false
		w.seek, w.audio, w.step = nil, nil, 0 // they were for another stream
	})
}

// Stop ends playback and shows nothing.
func (p *Player) Stop() {
	p.wish(func(w *wishes) { w.stop, w.load, w.seek, w.audio, w.step = true, nil, nil, nil, 0 })
}

// SetPaused pauses or goes on.
func (p *Player) SetPaused(on bool) {
	p.wish(func(w *wishes) {
		if w.paused = &on; !on {
			w.step = 0 // stepping pauses, and was before
		}
	})
}

// Seek goes to a position; where there is nothing, to the nearest that there is.
func (p *Player) Seek(to time.Duration) { p.wish(func(w *wishes) { w.seek = &seek{to: to} }) }

// GoLive goes to the wanted distance from the live edge and stays there.
func (p *Player) GoLive() { p.wish(func(w *wishes) { w.seek = &seek{live: true} }) }

// SetSpeed sets how fast a recording, or a live channel behind its edge, plays.
func (p *Player) SetSpeed(x float64) {
	x = min(max(x, minSpeed), maxSpeed)
	p.wish(func(w *wishes) { w.speed = &x })
}

// SetVolume sets the volume, 0 to 100.
func (p *Player) SetVolume(v int) {
	v = min(max(v, 0), maxVolume)
	p.wish(func(w *wishes) { w.volume = &v })
}

// SetMute silences or not.
func (p *Player) SetMute(on bool) { p.wish(func(w *wishes) { w.muted = &on }) }

// SetHardware decodes with the system's decoder where that is safe, or not.
func (p *Player) SetHardware(on bool) { p.wish(func(w *wishes) { w.decode = &on }) }

// SetMaxHeight renders so many lines at most; 0: no limit.
func (p *Player) SetMaxHeight(lines int) { p.frames.limit(lines) }

// SelectAudio selects an audio track by its ID; -1: none.
func (p *Player) SelectAudio(id int) { p.wish(func(w *wishes) { w.audio = &id }) }

// Step shows the next picture, or for a negative n the one before, and pauses.
func (p *Player) Step(n int) { p.wish(func(w *wishes) { w.step += n }) }
