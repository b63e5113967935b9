package app

import (
	"fmt"
	"slices"
	"time"

	"fyne.io/fyne/v2/lang"

	"coral/app/library"
	"coral/app/view"
	"coral/node"
	"coral/node/budget"
	"coral/node/channel"
	"coral/player"
	"coral/player/mpv"
)

// listed is the library as it is shown, made anew when something of it changes.
type listed struct {
	revision     uint64
	query, group string
	channels     []library.Channel
	groups       []string
}

// list returns the channels that are looked for.
func (a *app) list() ([]view.Channel, []string) {
	l := &a.listed
	if r := a.library.Revision(); r != l.revision || l.query != a.query || l.group != a.group || l.groups == nil {
		*l = listed{r, a.query, a.group, a.library.List(a.query, a.group), append([]string{}, a.library.Groups()...)}
		l.channels = l.channels[:min(len(l.channels), maxListed)]
	}
	out := make([]view.Channel, len(l.channels))
	for i, c := range l.channels {
		out[i] = a.channelModel(c)
	}
	return out, l.groups
}

// maxListed is how many channels the library shows at once; a search finds the others.
const maxListed = 5000

// model is what the window shows now.
func (a *app) model(now time.Time) view.Model {
	m := view.Model{
		Page: a.page, Settings: a.settings.Get(), Query: a.query, Group: a.group, Closing: a.closeAsk,
		Notices: a.notices.now(now), Share: a.sheet, Sharing: a.sharingModel(), System: a.system(),
	}
	if a.page == view.PageLibrary || a.watching == nil {
		m.Channels, m.Groups = a.list()
	}
	if a.consent != nil {
		m.Consent = &view.ConsentQuestion{Channel: a.consent.channel.Name}
	}
	if a.watching != nil {
		m.Watching = a.watchingModel()
	}
	if a.details {
		m.Details = a.detailsModel()
	}
	if a.page == view.PageSettings {
		m.Usage = a.usage(now)
	}
	return m
}

func (a *app) channelModel(c library.Channel) view.Channel {
	v := view.Channel{
		ID: c.ID, Name: c.Name, Group: c.Group, Favorite: c.Favorite, LastSeen: c.LastSeen,
		Plain: c.Plain, Consent: c.Consent,
	}
	if !c.LastSeen.IsZero() { // others have none
		v.Poster = a.library.Poster(c.ID)
	}
	if v.Poster == nil && c.Logo != "" {
		v.Poster, v.Logo = a.library.Logo(c.ID), true
	}
	for _, o := range a.sessions() {
		if o.channel.ID == c.ID {
			v.State, v.Peers = view.Live, o.last.Peers.Connected
		}
	}
	if w := a.watching; w != nil && w.channel.ID == c.ID {
		v.Playing = true
		if a.player != nil && a.player.State().Phase == player.Ended {
			v.State = view.Recording
		}
	}
	return v
}

func (a *app) watchingModel() *view.Watching {
	w := a.watching
	v := &view.Watching{Channel: a.channelModel(w.channel), Engine: view.EngineNone, MiniPlayer: a.desktop.mini, FullScreen: a.desktop.full}
	if a.player != nil {
		v.Engine = view.EngineMPV
		v.Player = a.player.State()
		v.Player.SeekStart = a.reach(v.Player)
	}
	if w.err != nil {
		v.Player = player.State{Phase: player.Failed, Err: w.err}
		return v
	}
	if w.open == nil {
		v.Player.Phase = player.Loading
		v.Opening = lang.L("Opening the channel…")
		return v
	}
	s := w.open.session
	v.StreamURL, v.WebURL = s.URL(), s.WebURL()
	st := w.open.last
	if v.Player.Phase == player.Loading {
		v.Opening = opening(w.link, st)
	}
	v.Renditions = renditions(w)
	v.Player.Audio = named(v.Player.Audio, w.renditions)
	v.Subtitles = subtitles(w)
	if w.captions.id >= 0 {
		v.Caption = w.captions.at(v.Player.PTS)
	}
	v.Source = a.source()
	return v
}

// opening says what is being waited for while there is no picture.
func opening(link *channel.Link, st node.Stats) string {
	switch {
	case link.Playlist == "" && len(link.Origins) == 0 && st.Peers.Connected == 0:
		return lang.L("Looking for viewers of the channel…") // the link names no other way
	case st.Feed.Entries == 0 && st.Bytes.FromOrigin+st.Bytes.Unverified == 0 && st.Peers.Connected == 0:
		return lang.L("Asking the origin…")
	case st.Feed.Entries == 0:
		return lang.L("Reading the channel's feed…")
	case st.Bytes.FromPeers+st.Bytes.FromOrigin+st.Bytes.FromCache == 0:
		return lang.L("Fetching the first segment…")
	}
	return lang.L("Starting the picture…")
}

// named gives tracks without a title the name that the channel has for their
// language, if it has one: of an HLS rendition libmpv knows no more than that.
func named(tracks []player.Track, renditions []node.RenditionInfo) []player.Track {
	names := map[string]string{} // by language; "": there are several
	for _, r := range renditions {
		if r.Kind != channel.Audio {
			continue
		}
		if _, twice := names[r.Language]; twice {
			r.Name = ""
		}
		names[r.Language] = r.Name
	}
	tracks = slices.Clone(tracks)
	for i, t := range tracks {
		if t.Title == "" && t.Language != "" {
			tracks[i].Title = names[t.Language]
		}
	}
	return tracks
}

func renditions(w *watching) []view.Rendition {
	all := []view.Rendition{{ID: -1, Label: lang.L("Auto"), Selected: w.pinned < 0}}
	for _, r := range w.renditions {
		if r.Kind != channel.Variant {
			continue
		}
		label := view.RateText(budget.Rate(r.Bandwidth))
		if r.Height > 0 {
			label = fmt.Sprintf("%dp · %s", r.Height, label)
		}
		all = append(all, view.Rendition{ID: r.ID, Label: label, Selected: w.pinned == r.ID})
	}
	if len(all) == 2 {
		return all[:1] // nothing to choose
	}
	return all
}

func subtitles(w *watching) []view.Subtitle {
	var all []view.Subtitle
	for _, r := range w.renditions {
		if r.Kind == channel.Subtitles {
			all = append(all, view.Subtitle{ID: r.ID, Label: r.Name, Language: r.Language, Selected: w.captions.id == r.ID})
		}
	}
	if len(all) == 0 {
		return nil
	}
	return slices.Insert(all, 0, view.Subtitle{ID: -1, Label: lang.L("Off"), Selected: w.captions.id < 0})
}

// source is what the sentence under the picture says.
func (a *app) source() view.Source {
	p := &a.meter.picture
	s := view.Source{Peers: p.Givers}
	if all := float64(p.FromPeers + p.FromOrigin + p.FromCache); all > 0 {
		s.FromPeers, s.FromOrigin, s.FromCache = float64(p.FromPeers)/all, float64(p.FromOrigin)/all, float64(p.FromCache)/all
	}
	switch p.Verified {
	case node.AllVerified:
		s.Verified = view.Yes
	case node.NotVerified:
		s.Verified = view.NotVerified
	case node.NobodySigns:
		s.Verified = view.NoChannel
	}
	return s
}

func (a *app) sharingModel() view.Sharing {
	rate := a.meter.upload()
	v := view.Sharing{State: a.sharing.state(rate), Paused: a.sharing.paused, Rate: rate, Cap: a.sharing.cap}
	for _, o := range a.sessions() {
		v.Peers += o.last.Peers.Connected
	}
	return v
}

func (a *app) detailsModel() *view.Details {
	d := &view.Details{Samples: slices.Clone(a.meter.ring), Latency: a.latency(), Buffer: a.buffer()}
	if n := a.node; n != nil {
		d.Port = int(n.PeerAddr().Port())
		d.Reachable = a.reachable(n)
		d.CacheUsed = n.CacheUsed()
	}
	w := a.watching
	if w == nil || w.open == nil {
		return d
	}
	st := w.open.last
	d.FeedLag = a.meter.picture.FeedLag
	d.BadBlocks, d.Banned, d.Duplicate, d.Control = st.BadBlocks, st.Peers.Banned, st.Bytes.Duplicate, st.Bytes.Control
	d.StartUp = w.startUp
	d.Peers = a.meter.peers
	return d
}

// unreachableAfter is how long peers must have had the chance to connect to us.
const unreachableAfter = 3 * time.Minute

func (a *app) reachable(n *engine) view.Reachability {
	switch n.Reachability() {
	case node.ReachIncoming, node.ReachMapped:
		return view.Reachable
	}
	if w := a.watching; w != nil && w.open != nil && w.open.shared && w.open.last.Peers.Connected > 0 && time.Since(w.began) > unreachableAfter {
		return view.NotReachable
	}
	return view.ReachUnknown
}

func (a *app) usage(now time.Time) []view.Usage {
	all := a.ledger.Usage(now)
	out := make([]view.Usage, 0, len(all))
	for _, u := range all {
		name := ""
		if u.Channel != "" {
			name = lang.L("a channel that was removed")
			if c, ok := a.library.Get(u.Channel); ok {
				name = c.Name
			}
		}
		out = append(out, view.Usage{
			Name: name, SessionUp: u.SessionUp, MonthUp: u.MonthUp, EverUp: u.EverUp,
			SessionDown: u.SessionDown, MonthDown: u.MonthDown, EverDown: u.EverDown,
		})
	}
	return out
}

func (a *app) system() view.System {
	s := view.System{
		Version: a.options.Version, Tray: a.desktop.tray, Handler: a.desktop.handles, CanHandler: a.desktop.handler.Supported() == nil,
		LogFile: a.logFile.Name(), Licences: licences(),
	}
	if a.noPlayer != nil {
		s.InstallHint = mpv.InstallHint()
	}
	s.MPVVersion = a.mpvVersion
	for _, i := range a.desktop.interfaces {
		s.Interfaces = append(s.Interfaces, view.Interface{Name: i.Name, Address: i.Address})
	}
	if n := a.node; n != nil {
		if a.page == view.PageSettings {
			s.CacheUsed = n.CacheUsed()
			s.Reachable, s.Port = a.reachable(n), int(n.PeerAddr().Port())
		}
		if err := n.Degraded(); err != nil {
			s.CacheDegraded = brief(err)
		}
	}
	return s
}
