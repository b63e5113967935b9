package view

import (
	"image"
	"time"

	"coral/app/settings"
	"coral/node/budget"
	"coral/player"
)

// Model is everything that the screens show: a plain value, made by package app
// at most ten times a second and given to Window.Show. Views never change it.
type Model struct {
	Page     Page
	Settings settings.Settings
	Channels []Channel // favourites first, then by last use; already filtered by Query
	Query    string
	Groups   []string // of M3U lists; for a filter
	Group    string   // the chosen one; "": all
	Watching *Watching
	Sharing  Sharing
	Details  *Details // nil: the details window is closed, nobody looks
	Consent  *ConsentQuestion
	Share    *ShareSheet
	Closing  bool     // the question what closing the window means is shown
	Notices  []Notice // newest first
	Usage    []Usage  // for the settings' sharing page
	System   System
}

// Page is what fills the main window.
type Page uint8

// The pages.
const (
	PageLibrary Page = iota
	PageWatch
	PageSettings
	PageAbout
)

// Channel is one of the library.
type Channel struct {
	ID       string // stable
	Name     string
	Group    string
	Poster   image.Image // nil: drawn from the name
	Logo     bool        // there may be a picture, if WantLogo asks for it
	Favorite bool
	LastSeen time.Time
	State    ChannelState
	Peers    int  // seen last; meaningful if State is Live
	Plain    bool // an ordinary playlist: nothing is shared or verified
	Playing  bool
	Consent  settings.Consent // the channel's own; Unasked: as for all
}

// ChannelState is what was last known of a channel.
type ChannelState uint8

// The states.
const (
	Unknown ChannelState = iota
	Live
	Recording
	OffAir
)

// Watching is the channel that plays.
type Watching struct {
	Channel    Channel
	Player     player.State
	Engine     Engine
	WebURL     string // of the built-in web player
	StreamURL  string // for any other player
	Renditions []Rendition
	Subtitles  []Subtitle
	Caption    string // what the subtitles say now; lines
	Source     Source
	Opening    string // progress in words while there is no picture: "Asking the origin…"
	MiniPlayer bool
	FullScreen bool
}

// Engine is what shows the picture.
type Engine uint8

// The engines.
const (
	EngineMPV  Engine = iota
	EngineNone        // libmpv is missing: System.InstallHint says what to do
)

// Rendition is a choice of picture. The first is Auto.
type Rendition struct {
	ID       int    // -1: Auto
	Label    string // "720p", "720p · 2.8 Mbit/s"
	Selected bool
}

// Subtitle is a subtitle rendition.
type Subtitle struct {
	ID       int // -1: off
	Label    string
	Language string
	Selected bool
}

// Source is where the picture came from in the last seconds.
type Source struct {
	Peers      int // that delivered something
	FromPeers  float64
	FromOrigin float64
	FromCache  float64 // shares of the last 30 s; they add up to 1, or all are 0
	Verified   Verified
}

// Verified says what is known of the bytes that are shown.
type Verified uint8

// The answers.
const (
	NotYet      Verified = iota // nothing was shown yet
	Yes                         // each byte against the organiser's signature
	NotVerified                 // the feed is silent or behind: the origin's own playlist plays
	NoChannel                   // a plain playlist: nobody signs it
)

// Sharing is what this machine gives.
type Sharing struct {
	State  SharingState
	Paused bool // by the user's button
	Rate   budget.Rate
	Cap    budget.Rate
	Peers  int // that are being sent to
}

// SharingState says whether sharing happens, and if not, why.
type SharingState uint8

// The states.
const (
	SharingOn        SharingState = iota
	SharingIdle                   // allowed; nobody asks
	SharingWatchOnly              // the user's choice
	SharingPaused                 // the button
	SharingMetered
	SharingBattery
	SharingSchedule // the week's plan says Off
	SharingBudget   // the month's limit is used up
	SharingUnasked
)

// Details is what the details window draws.
type Details struct {
	Samples   []Sample // one a second, oldest first, at most 120
	Peers     []Peer
	Reachable Reachability
	Port      int
	Latency   time.Duration
	Buffer    time.Duration
	FeedLag   time.Duration
	CacheUsed budget.Size
	BadBlocks int64
	Banned    int
	Duplicate int64
	Control   int64
	StartUp   time.Duration // from opening to the first picture
}

// Sample is one second.
type Sample struct {
	FromPeers, FromOrigin, FromCache, ToPeers budget.Rate
	Cap                                       budget.Rate
	Buffer, Latency                           time.Duration
}

// Peer is one of those connected, without an address.
type Peer struct {
	ID        uint32 // stable within the session; not an address
	Publisher bool
	RTT       time.Duration
	Down, Up  budget.Rate
}

// Reachability is whether others can connect to this machine.
type Reachability uint8

// The answers.
const (
	ReachUnknown Reachability = iota
	Reachable
	NotReachable // only by outgoing connections: open Details.Port in the router, or allow UPnP
)

// ConsentQuestion is shown over everything until it is answered.
type ConsentQuestion struct {
	Channel string // why it is asked now; "": at the first start
}

// ShareSheet shows a channel's link.
type ShareSheet struct {
	Channel string
	Link    string
	QR      image.Image
}

// Notice is an error or a piece of news, with what to do.
type Notice struct {
	ID     uint64
	Kind   NoticeKind
	Text   string // translated; one sentence
	Hint   string // what to do; may be empty
	Action string // label of a button; "": none
	Intent Intent // what the button says
}

// NoticeKind is how bad it is.
type NoticeKind uint8

// The kinds.
const (
	Info NoticeKind = iota
	Warning
	Problem
)

// Usage is what one channel gave and took, on the wire.
type Usage struct {
	Name                             string // "": all channels
	SessionUp, MonthUp, EverUp       budget.Size
	SessionDown, MonthDown, EverDown budget.Size
}

// System is what was found out about this machine.
type System struct {
	Version       string
	InstallHint   string // how to get libmpv here; "" if it is there
	MPVVersion    string
	Tray          bool
	Handler       bool // coral: and magnet: links open this program
	CanHandler    bool
	LogFile       string
	Interfaces    []Interface
	CacheUsed     budget.Size
	CacheDegraded string // why the cache is kept in memory only; "": it is not
	Licences      string
	Reachable     Reachability
	Port          int // that others can connect to; 0: not known
}

// Interface is a network interface to bind to.
type Interface struct {
	Name, Address string
}

// Intent is what the user wants; package app carries it out. Views raise
// intents and do nothing else.
type Intent interface{ intent() }

// The intents.
type (
	Open         struct{ Text string } // a link, playlist URL, file path: pasted, typed or dropped
	OpenFile     struct{}              // show a file dialogue
	Play         struct{ ID string }   // a channel of the library
	Zap          struct{ By int }      // 1: the next channel, -1: the one before
	CloseChannel struct{}              // stop watching, back to the library
	Search       struct{ Query string }
	ChooseGroup  struct{ Group string }
	SetFavorite  struct {
		ID string
		On bool
	}
	Forget            struct{ ID string } // remove from the library, with its cache
	Rename            struct{ ID, Name string }
	WantLogo          struct{ ID string } // the channel is in sight, and its logo is not there
	ShareChannel      struct{ ID string } // show link and QR code
	CloseShare        struct{}
	CopyText          struct{ Text string }
	SetChannelConsent struct {
		ID      string
		Consent settings.Consent
	}
	AnswerConsent struct {
		Consent settings.Consent
		Upload  budget.Rate
	}

	GoTo            struct{ Page Page }
	SetPaused       struct{ On bool }
	Seek            struct{ To time.Duration }
	SeekBy          struct{ By time.Duration }
	GoLive          struct{}
	SetSpeed        struct{ Speed float64 }
	SetVolume       struct{ Percent int }
	SetMute         struct{ On bool }
	Step            struct{ Frames int }
	ChooseRendition struct{ ID int }
	ChooseAudio     struct{ ID int }
	ChooseSubtitle  struct{ ID int }
	SetFullScreen   struct{ On bool }
	SetMiniPlayer   struct{ On bool }

	PauseSharing struct{ On bool }
	ShowDetails  struct{ On bool }
	OpenBrowser  struct{}                             // the web player
	OpenExternal struct{}                             // another player
	Change       struct{ Settings settings.Settings } // the whole, after an edit
	ClearCache   struct{}
	SetHandler   struct{ On bool }
	SaveLog      struct{}
	Dismiss      struct{ ID uint64 }
	Retry        struct{}
	Quit         struct{}
	CloseWindow  struct {
		Answer   settings.OnClose
		Remember bool
	} // Answer CloseAsk: the question is still to be asked
	KeepOpen struct{} // the close question was waved away
)

func (Open) intent()              {}
func (OpenFile) intent()          {}
func (Play) intent()              {}
func (Zap) intent()               {}
func (CloseChannel) intent()      {}
func (Search) intent()            {}
func (ChooseGroup) intent()       {}
func (SetFavorite) intent()       {}
func (Forget) intent()            {}
func (Rename) intent()            {}
func (WantLogo) intent()          {}
func (ShareChannel) intent()      {}
func (CloseShare) intent()        {}
func (CopyText) intent()          {}
func (SetChannelConsent) intent() {}
func (AnswerConsent) intent()     {}
func (GoTo) intent()              {}
func (SetPaused) intent()         {}
func (Seek) intent()              {}
func (SeekBy) intent()            {}
func (GoLive) intent()            {}
func (SetSpeed) intent()          {}
func (SetVolume) intent()         {}
func (SetMute) intent()           {}
func (Step) intent()              {}
func (ChooseRendition) intent()   {}
func (ChooseAudio) intent()       {}
func (ChooseSubtitle) intent()    {}
func (SetFullScreen) intent()     {}
func (SetMiniPlayer) intent()     {}
func (PauseSharing) intent()      {}
func (ShowDetails) intent()       {}
func (OpenBrowser) intent()       {}
func (OpenExternal) intent()      {}
func (Change) intent()            {}
func (ClearCache) intent()        {}
func (SetHandler) intent()        {}
func (SaveLog) intent()           {}
func (Dismiss) intent()           {}
func (Retry) intent()             {}
func (Quit) intent()              {}
func (CloseWindow) intent()       {}
func (KeepOpen) intent()          {}
