package settings

import (
	"time"

	"coral/node/budget"
)

// Version is that of the file's format. It rises when an older program would
// misread what a newer one writes; a new key alone does not need it. migrate
// brings older files up to it.
const Version = 1

// Bounds on what can be set.
const (
	// MinCache is some minutes of one channel: with less, viewers could not help
	// each other.
	MinCache budget.Size = 64 << 20
	// maxAmount bounds rates and sizes, as the parsers of budget do.
	maxRate   budget.Rate = 1e12
	maxAmount budget.Size = 1e18

	// Sharing in the background ends at some time, or is said to go on always.
	minStopAfter = time.Minute
	maxStopAfter = 30 * 24 * time.Hour
	minStopRatio = 0.1
	maxStopRatio = 100

	// maxLatency is a live window's usual depth, from farther away it is rewinding.
	maxLatency = 10 * time.Minute
	// Heights of pictures: from the smallest rendition in use to 8K.
	minHeight, maxHeight = 144, 4320
	minScale, maxScale   = 1, 2
	maxVolume            = 100

	// maxPath bounds paths of files; Linux's PATH_MAX.
	maxPath = 4096
	// maxTag bounds language tags (RFC 5646 4.4.1 asks for room for 35).
	maxTag = 35
	// A window that is smaller cannot be used, one that is larger is a mistake.
	minWindow, maxWindow = 200, 16384
)

// Default returns the settings of who has set nothing.
func Default() Settings {
	s := Settings{
		Version: Version,
		Upload:  2_000_000,        // as much as one live channel at DVD quality, and a tenth of a common uplink
		Gentle:  500_000,          // leaves a video call alone even on 2 Mbit/s
		Down:    budget.Unlimited, // it is the channel's own bytes, which would come from the origin else
		Monthly: NoLimit,
		MapPort: true,
		DHT:     true,

		Background: BackgroundOff, // closing a program ends it, unless the user says otherwise
		StopAfter:  time.Hour,
		StopRatio:  1,
		OnClose:    CloseAsk,

		CacheSize: 2_000_000_000, // an hour and more of a channel at 4 Mbit/s

		Theme:    ThemeSystem,
		Hardware: true,
		Volume:   80,
		Window:   Window{Width: 1120, Height: 700},
	}
	for day := range s.Week {
		for hour := range s.Week[day] {
			s.Week[day][hour] = Full
		}
	}
	return s
}
