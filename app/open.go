package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path"
	"strings"
	"time"

	"fyne.io/fyne/v2/lang"

	"coral/app/library"
	"coral/app/settings"
	"coral/app/view"
	"coral/node/channel"
	"coral/node/origin"
	"coral/player"
)

const (
	maxText    = 16 << 10 // of a pasted link; links are at most half of that
	maxOpen    = 16 << 20 // of a file; M3U lists of all the world's stations have 10 MB
	openWithin = 20 * time.Second
)

// openText opens what was pasted, typed, dropped or given as an argument.
func (a *app) openText(text string) {
	text = strings.TrimSpace(text)
	if text == "" {
		return
	}
	a.notices.dismiss(a.notices.open)
	if len(text) > maxText {
		a.notices.open = a.notice(view.Problem, lang.L("That is too long for a link."), "")
		return
	}
	a.later(func(ctx context.Context) func() {
		found, err := resolve(ctx, text, "Coral/"+a.options.Version)
		return func() { a.opened(found, err) }
	})
}

// opened takes what was found: one channel plays, a list goes into the library.
func (a *app) opened(list library.List, err error) {
	found := list.Channels
	if err == nil && len(found) == 0 {
		err = errors.New(lang.L("there is no channel in it"))
	}
	if err != nil {
		a.notices.open = a.notice(view.Problem, lang.L("This cannot be opened: {{.Err}}", with("Err", brief(err))),
			lang.L("Coral opens channel links (magnet: or coral:), https playlists, .torrent files and M3U lists."))
		return
	}
	if len(found) == 1 {
		c, err := a.library.Add(found[0])
		a.unsaved(err)
		a.see(c.ID)
		return
	}
	n, err := a.library.Import(found)
	a.unsaved(err)
	a.page = view.PageLibrary
	a.notice(view.Info, lang.N("{{.PluralCount}} channels were added.", n), "")
}

// unsaved tells that the library could not be saved; nil: it was.
func (a *app) unsaved(err error) {
	if err != nil {
		a.notice(view.Problem, lang.L("The library could not be saved: {{.Err}}", with("Err", brief(err))), lang.L("Free some space; until then changes last as long as the window."))
	}
}

// resolve finds the channels that text stands for.
func resolve(ctx context.Context, text, agent string) (library.List, error) {
	ctx, cancel := context.WithTimeout(ctx, openWithin)
	defer cancel()
	lower := strings.ToLower(text)
	web := strings.HasPrefix(lower, "http://") || strings.HasPrefix(lower, "https://")
	switch {
	case strings.HasPrefix(lower, "magnet:"), strings.HasPrefix(lower, "coral:"):
		return one(channel.ParseLink(text))
	case web && extension(text) == ".torrent":
		b, err := download(ctx, text, agent)
		if err != nil {
			return library.List{}, err
		}
		return one(channel.ParseTorrent(b))
	case web && extension(text) == ".m3u":
		b, err := download(ctx, text, agent)
		if err != nil {
			return library.List{}, err
		}
		list, err := library.ParseM3U(bytes.NewReader(b), text)
		if errors.Is(err, library.ErrStream) {
			return one(channel.ParseLink(text))
		}
		return list, err
	case web:
		return one(channel.ParseLink(text))
	}
	if u, err := url.Parse(text); err == nil && strings.EqualFold(u.Scheme, "file") {
		text = u.Path
	}
	f, err := os.Open(text)
	if err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return library.List{}, errors.New(lang.L("neither a link nor a file"))
		}
		return library.List{}, fmt.Errorf("open file: %w", err)
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return library.List{}, errors.New(lang.L("not a file"))
	}
	b, err := io.ReadAll(io.LimitReader(f, maxOpen+1))
	if err != nil {
		return library.List{}, fmt.Errorf("read file: %w", err)
	}
	if len(b) > maxOpen {
		return library.List{}, errors.New(lang.L("the file is too large"))
	}
	return read(b)
}

// read finds the channels in a file: a torrent, a list or a link.
func read(b []byte) (library.List, error) {
	trimmed := bytes.TrimSpace(b)
	switch {
	case len(trimmed) > 0 && trimmed[0] == 'd':
		return one(channel.ParseTorrent(b))
	case len(trimmed) <= maxText && !bytes.ContainsAny(trimmed, "\r\n") && !bytes.HasPrefix(trimmed, []byte("#")):
		return one(channel.ParseLink(string(trimmed)))
	}
	return library.ParseM3U(bytes.NewReader(b), "")
}

func one(l *channel.Link, err error) (library.List, error) {
	if err != nil {
		return library.List{}, fmt.Errorf("%s (%w)", lang.L("it is not whole, or was changed on its way"), err)
	}
	return library.List{Channels: []library.Channel{{Link: l.String()}}}, nil
}

func extension(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	return strings.ToLower(path.Ext(u.Path))
}

// download gets a file that the user named.
func download(ctx context.Context, raw, agent string) ([]byte, error) {
	c := origin.New(origin.Config{Policy: origin.Policy{Typed: []string{raw}}, UserAgent: agent})
	defer c.Close()
	body, err := c.Get(ctx, raw, 0, -1)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	b, err := io.ReadAll(io.LimitReader(body, maxOpen+1))
	if err != nil {
		return nil, err
	}
	if len(b) > maxOpen {
		return nil, errors.New(lang.L("the file is too large"))
	}
	return b, nil
}

// question is what waits for an answer about sharing.
type question struct {
	channel library.Channel // to be played then
	at      time.Duration
}

// see shows a channel of the library: what plays already is not begun anew.
func (a *app) see(id string) {
	over := false
	if a.player != nil {
		now := a.player.State().Phase
		over = now == player.Failed || now == player.Ended
	}
	if w := a.watching; w != nil && w.channel.ID == id && w.err == nil && !over {
		a.page = view.PageWatch
		return
	}
	a.play(id)
}

// play plays a channel of the library.
func (a *app) play(id string) { a.playAt(id, 0) }

// playAt plays a channel from a position; 0: the live edge, or the beginning.
// Whoever was never asked about sharing is asked first: nothing is sent before.
func (a *app) playAt(id string, at time.Duration) {
	c, ok := a.library.Get(id)
	if !ok {
		return
	}
	link, err := channel.ParseLink(c.Link)
	if err != nil {
		a.notice(view.Problem, lang.L("{{.Name}} cannot be opened: {{.Err}}", with("Name", c.Name, "Err", brief(err))), "")
		return
	}
	if link.Playlist == "" && a.settings.Get().Consent == settings.Unasked && c.Consent == settings.Unasked {
		a.consent = &question{channel: c, at: at}
		return
	}
	a.watch(c, link, at)
}

// answer takes the answer and goes on with what waited for it.
func (a *app) answer(i view.AnswerConsent) {
	q := a.consent
	if i.Consent == settings.Unasked {
		a.consent = nil // not now: nothing was opened
		return
	}
	cfg := a.settings.Get()
	cfg.Consent = i.Consent
	if i.Consent == settings.Share {
		cfg.Upload = i.Upload
	}
	if !a.commit(cfg) {
		return
	}
	a.consent = nil
	if q != nil && q.channel.ID != "" {
		a.playAt(q.channel.ID, q.at)
	}
}
