package library

import (
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"coral/app/settings"
	"coral/node/channel"
)

// Channel is one of the library, or of a list.
type Channel struct {
	ID       string // stable, and fit for a file's name
	Name     string // to show; never empty
	Link     string // as channel.ParseLink reads it
	Group    string // of a list; several are parted by ';'
	Logo     string // http(s) URL of a picture
	Added    time.Time
	LastSeen time.Time // zero: never watched
	Favorite bool
	Consent  settings.Consent // the channel's own; Unasked: as for all
	Plain    bool             // an ordinary playlist: nothing is shared or verified

	title string // what its link or list calls it; may be empty
	named string // what the user calls it; may be empty
}

// Identify returns the ID of the channel that a link names.
func Identify(link string) (string, error) {
	l, err := channel.ParseLink(link)
	if err != nil {
		return "", err
	}
	return identity(l), nil
}

func identity(l *channel.Link) string {
	if l.Playlist == "" {
		return l.Channel.String()
	}
	name := l.Playlist
	if u, err := url.Parse(name); err == nil {
		u.Host = strings.ToLower(u.Host)
		name = u.String()
	}
	sum := sha256.Sum256([]byte(name))
	return "url-" + hex.EncodeToString(sum[:16])
}

// given returns a channel that is new to the library, by its exported fields.
func given(c Channel) (Channel, error) {
	if c.title == "" {
		c.title = c.Name
	}
	c.named = ""
	return made(c)
}

// made returns c as its link and its own and its user's name make it, fit to be
// kept and shown.
func made(c Channel) (Channel, error) {
	l, err := channel.ParseLink(c.Link)
	if err != nil {
		return Channel{}, err
	}
	c.ID, c.Plain, c.Link = identity(l), l.Playlist != "", l.String()
	c.title, c.named, c.Group, c.Logo = showable(c.title), showable(c.named), showable(c.Group), picture(c.Logo)
	if c.Consent != settings.Share && c.Consent != settings.WatchOnly {
		c.Consent = settings.Unasked
	}
	c.Name = nameOf(c, l)
	return c, nil
}

// nameOf returns the name to show.
func nameOf(c Channel, l *channel.Link) string {
	for _, name := range []string{c.named, c.title, showable(l.Name)} {
		if name != "" {
			return name
		}
	}
	if u, err := url.Parse(l.Playlist); err == nil && u.Host != "" {
		path := strings.Trim(u.Path, "/")
		if i := strings.LastIndexByte(path, '.'); i > 0 { // .m3u8
			path = path[:i]
		}
		if name := showable(strings.Trim(u.Hostname()+"/"+path, "/")); name != "" {
			return name
		}
	}
	return c.ID[:8]
}

// join adds to a channel of the library what another link or list says of it.
// What the user said is not touched.
func join(old, add Channel) Channel {
	old.Link = joinLinks(old.Link, add.Link)
	if add.title != "" {
		old.title = add.title
	}
	if add.Group != "" {
		old.Group = add.Group
	}
	if add.Logo != "" {
		old.Logo = add.Logo
	}
	if l, err := channel.ParseLink(old.Link); err == nil {
		old.Name = nameOf(old, l)
	}
	return old
}

// joinLinks returns one link with the best of two of one channel: a description
// and a secret if either has them, and the hints of both, the later link's first.
func joinLinks(old, later string) string {
	a, err1 := channel.ParseLink(old)
	b, err2 := channel.ParseLink(later)
	switch {
	case err2 != nil:
		return old
	case err1 != nil || b.Playlist != "":
		return later
	}
	best, rest := b, a
	if b.Descriptor == nil && a.Descriptor != nil {
		best, rest = a, b
	}
	best.Trackers = union(b.Trackers, a.Trackers)
	best.Peers = union(b.Peers, a.Peers)
	if best.Descriptor == nil {
		best.Origins = union(b.Origins, a.Origins)
		if best.Name == "" {
			best.Name = rest.Name
		}
		if len(best.Secret) == 0 {
			best.Secret = rest.Secret
		}
	}
	// Only a link that can be read again may take the others' place.
	s := best.String()
	if id, err := Identify(s); err != nil || id != identity(a) {
		return old
	}
	return s
}

func union(a, b []string) []string {
	all := slices.Clone(a)
	for _, s := range b {
		if !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	return all
}

// groups are a channel's groups.
func (c Channel) groups() (list []string) {
	for g := range strings.SplitSeq(c.Group, ";") {
		if g = strings.TrimSpace(g); g != "" {
			list = append(list, g)
		}
	}
	return list
}

// showable makes a text that others wrote fit to be shown in a line: valid, no
// control characters, nothing that turns the direction of what follows, single
// spaces, at most channel.MaxName bytes.
func showable(s string) string {
	if len(s) > 8*channel.MaxName { // more is cut off below in any case
		s = s[:8*channel.MaxName]
	}
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case r == utf8.RuneError, unicode.IsControl(r), r >= 0x2028 && r <= 0x202e, r >= 0x2066 && r <= 0x2069, r == 0xfeff:
			return -1
		}
		return r
	}, s)
	s = strings.Join(strings.Fields(s), " ")
	for len(s) > channel.MaxName {
		_, n := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-n]
	}
	return strings.TrimSpace(s)
}

// picture returns a picture's URL if it may be fetched, or "".
func picture(s string) string {
	if s == "" {
		return ""
	}
	if l, err := channel.ParseLink(s); err == nil { // the same rules as for playlists
		return l.Playlist
	}
	return ""
}
