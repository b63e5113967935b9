package settings

import (
	"time"

	"coral/node/budget"
)

// Settings is everything that the user may set. It is a plain value: copy it,
// change the copy, Commit it. Names in the file are those of coralnode's flags
// where there is one.
type Settings struct {
	Version int `json:"version"`

	Consent Consent     `json:"share"`
	Upload  budget.Rate `json:"upload-limit"`   // cap at level Full
	Gentle  budget.Rate `json:"gentle-limit"`   // cap at level Gentle
	Down    budget.Rate `json:"download-limit"` // from peers
	Monthly budget.Size `json:"monthly-limit"`  // to peers in a calendar month; NoLimit: none
	Metered bool        `json:"share-on-metered"`
	Battery bool        `json:"share-on-battery"`
	Week    Week        `json:"week"`

	Background Background    `json:"background"` // sharing after watching
	StopAfter  time.Duration `json:"background-for"`
	StopRatio  float64       `json:"background-ratio"` // given ÷ taken
	OnClose    OnClose       `json:"on-close"`

	Bind      string `json:"bind"` // IP address of an interface; "": as the system routes
	Port      int    `json:"port"` // 0: any
	MapPort   bool   `json:"upnp"`
	DHT       bool   `json:"dht"`
	Blocklist string `json:"blocklist"` // file with addresses, prefixes or ranges; "": none

	CacheDir  string      `json:"cache-dir"` // "": the user's cache folder
	CacheSize budget.Size `json:"cache-size"`

	Theme    Theme   `json:"theme"`
	Scale    float64 `json:"scale"`    // 0: the system's; 1 to 2
	Language string  `json:"language"` // "": the system's; "en", "de"

	Hardware  bool          `json:"hardware-decoding"`
	MaxHeight int           `json:"max-height"` // largest picture that is rendered, in lines; 0: the window's
	Latency   time.Duration `json:"latency"`    // from the live edge; 0: as the channel asks
	Volume    int           `json:"volume"`
	Muted     bool          `json:"muted"`
	Captions  string        `json:"captions"` // language of subtitles to show; "": off

	Window Window `json:"window"`
}

// NoLimit is the monthly limit that is none.
const NoLimit budget.Size = -1

// Consent is the answer to the question that is asked before the first packet
// to a peer, tracker or DHT node.
type Consent string

// The answers.
const (
	Unasked   Consent = ""
	Share     Consent = "on"
	WatchOnly Consent = "off"
)

// Level is how much may be shared in an hour of the week.
type Level uint8

// The levels.
const (
	Off Level = iota
	Gentle
	Full
)

// Week has a level for each hour; Monday is 0, in local time.
type Week [7][24]Level

// Background says whether to go on sharing when nothing is watched.
type Background string

// The choices.
const (
	BackgroundOff    Background = "off"
	BackgroundTime   Background = "time"  // for StopAfter after watching
	BackgroundRatio  Background = "ratio" // until StopRatio is reached
	BackgroundAlways Background = "always"
)

// OnClose says what closing the window does.
type OnClose string

// The choices.
const (
	CloseAsk  OnClose = "ask"
	CloseQuit OnClose = "quit"
	CloseTray OnClose = "tray"
)

// Theme is how the window is coloured.
type Theme string

// The themes.
const (
	ThemeSystem   Theme = "system"
	ThemeLight    Theme = "light"
	ThemeDark     Theme = "dark"
	ThemeContrast Theme = "contrast"
)

// Window is where the window was, in Fyne's units.
type Window struct {
	Width      float32 `json:"width"`
	Height     float32 `json:"height"`
	FullScreen bool    `json:"full-screen"`
}
