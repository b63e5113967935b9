package player

import (
	"context"
	"time"
)

// Player plays one HLS URL at a time. Its methods may be called from any
// goroutine and return at once; what they do shows in State.
type Player interface {
	// Load plays url from the start point, or from the live edge if start is
	// Live. It replaces what was playing.
	Load(url string, o LoadOptions)
	// Stop ends playback and shows nothing.
	Stop()

	SetPaused(bool)
	// Seek goes to a position on State.Position's scale.
	Seek(to time.Duration)
	// GoLive goes to the newest position that can be played without a stall.
	GoLive()
	SetSpeed(float64) // 0.25 to 4
	SetVolume(int)    // 0 to 100
	SetMute(bool)
	// SelectAudio selects an audio track by its ID; -1: none.
	SelectAudio(id int)
	// Step shows the next frame (n = 1) or the one before (n = -1), paused.
	Step(n int)

	// State returns the newest state.
	State() State
	// Changed is sent to after the state has changed; it has room for one.
	Changed() <-chan struct{}

	// Run works until ctx ends, then frees everything.
	Run(ctx context.Context) error
}

// LoadOptions say how to begin.
type LoadOptions struct {
	Live  bool          // the channel has no end yet: an end of file is a failure, tried again
	Start time.Duration // where to begin; negative: so much before the live edge; 0: the player's choice
	// Latency is the wanted distance from the live edge; 0: the player's choice.
	Latency time.Duration
}

// Phase is what a player is doing. Each State has exactly one.
type Phase uint8

// The phases.
const (
	Idle       Phase = iota
	Loading          // no picture yet
	Playing          // also while the user has paused: see State.Paused
	Buffering        // waits for bytes
	Recovering       // a live channel broke off and is being loaded again
	Ended            // a recording came to its end
	Failed           // State.Err says why
)

// State is what a player is doing, all of one moment.
type State struct {
	Phase  Phase
	Err    error // of Failed and Recovering
	Paused bool
	Live   bool

	// Position of the picture. A recording begins at 0; a live playlist with the
	// first segment that was seen of it.
	Position time.Duration
	// PTS is the presentation time stamp of the picture as it is in the stream:
	// that of MPEG-TS or fMP4, unchanged by where playback began, by seeking or by
	// discontinuities. WebVTT cues are due by it: a cue that starts at C in a
	// segment with X-TIMESTAMP-MAP=MPEGTS:M,LOCAL:L is due when PTS is
	// C − L + M/90000 s, modulo 2³³/90000 s.
	PTS time.Duration
	// SeekStart and SeekEnd are what can be reached; equal: nothing. A live edge
	// moves with the clock between two segments.
	SeekStart, SeekEnd time.Duration
	// Behind is how far the picture is behind the newest position; 0 if not live.
	Behind   time.Duration
	Duration time.Duration // of a recording; 0: not known
	Buffered time.Duration // what is decoded or fetched ahead of Position

	Speed  float64
	Volume int
	Muted  bool
	Audio  []Track

	Width, Height  int // of the picture; 0: none yet
	FPS            float64
	Dropped        int64     // frames that were late
	Decoder        string    // "h264", "h264 (vaapi)"
	FirstPictureAt time.Time // of the present Load; zero: not yet
}

// Track is an audio track.
type Track struct {
	ID       int
	Title    string
	Language string
	Selected bool
}
