package app

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"fyne.io/fyne/v2/test"

	"coral/app/settings"
	"coral/app/system"
	"coral/app/view"
	"coral/assets"
	"coral/node"
	"coral/node/budget"
	"coral/node/channel"
	"coral/player"
)

// within bounds each wait: far more than it takes on a busy machine.
const within = 30 * time.Second

// rig is the program without its screen and player.
type rig struct {
	*app
	t   *testing.T
	dir string
}

func newRig(t *testing.T) *rig {
	dir := t.TempDir()
	return openRig(t, dir)
}

func openRig(t *testing.T, dir string) *rig {
	t.Helper()
	paths := system.Folders{Config: dir, Data: dir, Cache: dir, State: dir}
	logFile, err := system.OpenLog(dir)
	if err != nil {
		t.Fatal(err)
	}
	instance, first, err := system.Claim(dir, nil)
	if err != nil || !first {
		t.Fatal(first, err)
	}
	a, err := build(Options{Version: "test"}, paths, logFile)
	if err != nil {
		t.Fatal(err)
	}
	a.instance = instance
	a.open(test.NewTempApp(t))
	a.show = func(view.Model) {}
	a.openPlayer(a.settings.Get())
	a.attach()
	ctx, cancel := context.WithCancel(t.Context())
	a.ctx = ctx
	done := make(chan struct{})
	go func() {
		defer close(done)
		a.loop(ctx)
	}()
	t.Cleanup(func() {
		a.closing.Store(true)
		a.window.Close()
		cancel()
		<-done
		instance.Close()
		logFile.Close()
	})
	return &rig{app: a, t: t, dir: dir}
}

// model is what the window would show.
func (r *rig) model() view.Model {
	out := make(chan view.Model, 1)
	r.queue.post(func() { out <- r.app.model(time.Now()) })
	return <-out
}

func (r *rig) say(i view.Intent) { r.queue.post(func() { r.intent(i) }) }

func (r *rig) until(what string, ok func(m view.Model) bool) view.Model {
	r.t.Helper()
	for end := time.Now().Add(within); ; time.Sleep(50 * time.Millisecond) {
		m := r.model()
		if ok(m) {
			return m
		}
		if time.Now().After(end) {
			r.t.Fatalf("%s: not within %v; notices %+v; watching %+v", what, within, m.Notices, m.Watching)
		}
	}
}

// publish puts a live channel on the air.
func publish(t *testing.T) *node.Publication {
	t.Helper()
	origin, err := assets.NewOrigin(time.Now().Add(-assets.Window * assets.SegmentDuration))
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: origin}
	go srv.Serve(ln)
	n, err := node.Open(node.Config{Listen: "127.0.0.1:0", Share: true, Upload: budget.Unlimited, Download: budget.Unlimited})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		n.Run(ctx)
	}()
	t.Cleanup(func() { cancel(); <-done; srv.Close() })
	p, err := n.Publish(ctx, node.PublishConfig{
		Source: "http://" + ln.Addr().String() + assets.PlaylistPath, State: t.TempDir(), Name: "Reef", Advertise: []string{n.PeerAddr().String()},
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestWatchAndShare(t *testing.T) {
	p := publish(t)
	r := newRig(t)
	link := p.Link().String()
	peers := func() int { return p.Stats().Peers.Connected }

	r.say(view.Open{Text: " " + link + "\n"})
	m := r.until("the question", func(m view.Model) bool { return m.Consent != nil })
	if m.Consent.Channel != "Reef" || m.Watching != nil || m.Sharing.State != view.SharingUnasked {
		t.Errorf("%+v %+v", m.Consent, m.Sharing)
	}
	if n := peers(); n != 0 {
		t.Fatalf("%d peers before the answer", n)
	}
	r.say(view.AnswerConsent{Consent: settings.Share, Upload: 3_000_000})
	m = r.until("a stream", func(m view.Model) bool { return m.Watching != nil && m.Watching.StreamURL != "" })
	if m.Page != view.PageWatch || m.Watching.Engine != view.EngineNone || m.System.InstallHint == "" {
		t.Errorf("page %v engine %v hint %q", m.Page, m.Watching.Engine, m.System.InstallHint)
	}
	r.until("sharing", func(m view.Model) bool { return peers() == 1 && m.Sharing.Cap == 3_000_000 })
	res, err := http.Get(m.Watching.StreamURL)
	if err != nil {
		t.Fatal(err)
	}
	b, _ := io.ReadAll(res.Body)
	res.Body.Close()
	if !strings.HasPrefix(string(b), "#EXTM3U") {
		t.Errorf("%s", b)
	}

	began := time.Now()
	r.say(view.PauseSharing{On: true})
	r.until("a pause", func(m view.Model) bool { return m.Sharing.State == view.SharingPaused && peers() == 0 })
	if d := time.Since(began); timed && d > 2*time.Second {
		t.Errorf("paused after %v", d)
	}
	r.say(view.PauseSharing{})
	r.until("sharing again", func(view.Model) bool { return peers() == 1 })

	// The channel's own answer goes before that for all.
	id := m.Watching.Channel.ID
	r.say(view.SetChannelConsent{ID: id, Consent: settings.WatchOnly})
	r.until("watching only", func(m view.Model) bool { return m.Sharing.State == view.SharingWatchOnly && peers() == 0 })
	r.say(view.SetChannelConsent{ID: id})
	r.until("sharing as for all", func(view.Model) bool { return peers() == 1 })

	cfg := m.Settings
	cfg.Consent, cfg.Upload = settings.Share, 0
	r.say(view.Change{Settings: cfg})
	r.until("a cap of 0", func(view.Model) bool { return peers() == 0 })
	cfg.Upload = 1_000_000
	r.say(view.Change{Settings: cfg})
	r.until("a cap of 1M", func(m view.Model) bool { return peers() == 1 && m.Sharing.Cap == 1_000_000 })
	cfg.Upload = -7
	r.say(view.Change{Settings: cfg})
	m = r.until("a refusal", func(m view.Model) bool { return len(m.Notices) > 0 })
	if m.Settings.Upload != 1_000_000 {
		t.Errorf("%+v", m.Settings)
	}

	r.say(view.CloseChannel{})
	r.until("goodbye", func(m view.Model) bool { return m.Page == view.PageLibrary && m.Watching == nil && peers() == 0 })
	m = r.until("the library", func(m view.Model) bool { return len(m.Channels) == 1 })
	if c := m.Channels[0]; c.Name != "Reef" || c.LastSeen.IsZero() {
		t.Errorf("%+v", c)
	}
	r.say(view.GoTo{Page: view.PageSettings})
	m = r.until("the account", func(m view.Model) bool { return len(m.Usage) == 2 && m.Usage[0].EverDown > 0 })
	if m.Usage[1].Name != "Reef" {
		t.Errorf("%+v", m.Usage)
	}
	r.say(view.Forget{ID: id})
	r.say(view.GoTo{Page: view.PageLibrary})
	r.until("an empty library", func(m view.Model) bool { return len(m.Channels) == 0 })
}

// What is shared on after watching stops by itself, or goes on where it was.
func TestBackground(t *testing.T) {
	p := publish(t)
	r := newRig(t)
	cfg := r.model().Settings
	cfg.Consent, cfg.Background = settings.Share, settings.BackgroundAlways
	r.say(view.Change{Settings: cfg})
	r.say(view.Open{Text: p.Link().URI()})
	r.until("a peer", func(view.Model) bool { return p.Stats().Peers.Connected == 1 })
	r.say(view.CloseChannel{})
	m := r.until("the library", func(m view.Model) bool { return m.Watching == nil && len(m.Channels) == 1 })
	if p.Stats().Peers.Connected != 1 || m.Channels[0].State != view.Live {
		t.Errorf("not shared on: %+v", m.Channels)
	}
	r.say(view.Play{ID: m.Channels[0].ID})
	r.until("the same session", func(m view.Model) bool { return m.Watching != nil && m.Watching.StreamURL != "" })
	r.say(view.CloseChannel{})
	cfg.Background = settings.BackgroundOff
	r.say(view.Change{Settings: cfg})
	r.until("the end of sharing", func(view.Model) bool { return p.Stats().Peers.Connected == 0 })
}

// What plays goes on when its link is opened again.
func TestOpenedAgain(t *testing.T) {
	p := publish(t)
	r := newRig(t)
	cfg := r.model().Settings
	cfg.Consent = settings.Share
	r.say(view.Change{Settings: cfg})
	r.say(view.Open{Text: p.Link().URI()})
	first := r.until("a peer", func(m view.Model) bool {
		return p.Stats().Peers.Connected == 1 && m.Watching != nil && m.Watching.StreamURL != ""
	})
	r.say(view.GoTo{Page: view.PageLibrary})
	r.say(view.Open{Text: p.Link().URI()})
	again := r.until("the picture", func(m view.Model) bool { return m.Page == view.PageWatch })
	if again.Watching.StreamURL != first.Watching.StreamURL || p.Stats().Peers.Connected != 1 {
		t.Errorf("begun anew: %q, then %q; %d peers", first.Watching.StreamURL, again.Watching.StreamURL, p.Stats().Peers.Connected)
	}
}

// What goes wrong most is said in words, not in the system's.
func TestBrief(t *testing.T) {
	for err, want := range map[error]string{
		&net.OpError{Op: "listen", Err: os.NewSyscallError("bind", syscall.EADDRINUSE)}: "another program has the port",
		&os.PathError{Op: "write", Path: "/x", Err: syscall.ENOSPC}:                     "the disk is full",
		&os.PathError{Op: "open", Path: "/x", Err: syscall.EACCES}:                      "access is denied",
		io.ErrUnexpectedEOF: "unexpected EOF",
	} {
		if got := brief(fmt.Errorf("do it: %w", err)); !strings.HasSuffix(got, want) {
			t.Errorf("%v: %q, want %q", err, got, want)
		}
	}
}

func TestNamed(t *testing.T) {
	audio := func(name, language string) node.RenditionInfo {
		return node.RenditionInfo{Kind: channel.Audio, Name: name, Language: language}
	}
	got := named(
		[]player.Track{{Language: "en"}, {Language: "de", Title: "Kommentar"}, {Language: "fr"}, {}},
		[]node.RenditionInfo{audio("English", "en"), audio("Deutsch", "de"), audio("Un", "fr"), audio("Deux", "fr"), {Kind: channel.Subtitles, Name: "x", Language: "en"}})
	for i, want := range []string{"English", "Kommentar", "", ""} {
		if got[i].Title != want {
			t.Errorf("track %d: %q, want %q", i, got[i].Title, want)
		}
	}
}

func TestOpen(t *testing.T) {
	r := newRig(t)
	list := filepath.Join(r.dir, "list.m3u")
	if err := os.WriteFile(list, []byte("#EXTM3U\n#EXTINF:-1 group-title=\"News\",One\nhttps://one.example/a.m3u8\n#EXTINF:-1,Two\nhttps://two.example/b.m3u8\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r.say(view.Open{Text: list})
	m := r.until("two channels", func(m view.Model) bool { return len(m.Channels) == 2 })
	if len(m.Groups) != 1 || m.Groups[0] != "News" || !m.Channels[0].Plain {
		t.Errorf("%+v %v", m.Channels, m.Groups)
	}
	r.say(view.Search{Query: "two"})
	r.until("one found", func(m view.Model) bool { return len(m.Channels) == 1 && m.Channels[0].Name == "Two" })
	r.say(view.Search{})
	for _, bad := range []string{
		"magnet:?xt=urn:btih:zz", "coral:?", "ftp://x/", "/no/such/file", r.dir, strings.Repeat("x", maxText+1), "magnet:?xt=urn:btih:" + strings.Repeat("0", 39),
	} {
		last := uint64(0)
		for _, n := range r.model().Notices {
			if n.Kind == view.Info {
				r.say(view.Dismiss{ID: n.ID})
			}
			last = max(last, n.ID)
		}
		r.say(view.Open{Text: bad})
		m := r.until("one word, on "+bad[:min(len(bad), 20)], func(m view.Model) bool {
			return len(m.Notices) == 1 && m.Notices[0].Kind == view.Problem && m.Notices[0].ID > last
		})
		if strings.ContainsAny(m.Notices[0].Text, "\n\x1b") || m.Watching != nil {
			t.Errorf("%q: %+v", bad, m.Notices[0])
		}
	}
	r.say(view.ShareChannel{ID: m.Channels[0].ID})
	m = r.until("a sheet", func(m view.Model) bool { return m.Share != nil })
	if m.Share.Link != "https://one.example/a.m3u8" || m.Share.QR == nil {
		t.Errorf("%+v", m.Share)
	}
}

// Another language is spoken at once, in the window and by the program, and the
// system's again.
func TestLanguage(t *testing.T) {
	r := newRig(t)
	said := func(want string) {
		t.Helper()
		r.say(view.Open{Text: "/no/such/file"})
		m := r.until("a word", func(m view.Model) bool { return len(m.Notices) > 0 })
		if got := m.Notices[0].Text; !strings.Contains(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
		r.say(view.Dismiss{ID: m.Notices[0].ID})
	}
	speak := func(language string) {
		t.Helper()
		cfg := r.model().Settings
		cfg.Language = language
		r.say(view.Change{Settings: cfg})
	}
	for _, name := range []string{"LANGUAGE", "LC_ALL", "LANG"} {
		t.Setenv(name, os.Getenv(name)) // put back after the test
	}
	speak("de")
	said("weder ein Link noch eine Datei")
	speak("en")
	said("neither a link nor a file")
}

// What was done is there after the next start.
func TestRemembers(t *testing.T) {
	dir := t.TempDir()
	t.Run("first", func(t *testing.T) {
		r := openRig(t, dir)
		cfg := r.model().Settings
		cfg.Upload, cfg.Theme = 7_000_000, settings.ThemeContrast
		r.say(view.Change{Settings: cfg})
		r.say(view.SetVolume{Percent: 33})
		list := filepath.Join(dir, "l.m3u")
		os.WriteFile(list, []byte("#EXTM3U\n#EXTINF:-1,One\nhttps://one.example/a.m3u8\n#EXTINF:-1,Two\nhttps://two.example/b.m3u8\n"), 0o600)
		r.say(view.Open{Text: list})
		m := r.until("channels", func(m view.Model) bool { return len(m.Channels) == 2 })
		r.say(view.SetFavorite{ID: m.Channels[1].ID, On: true})
		r.until("a favourite", func(m view.Model) bool { return m.Channels[0].Favorite })
	})
	t.Run("second", func(t *testing.T) {
		m := openRig(t, dir).model()
		if m.Settings.Upload != 7_000_000 || m.Settings.Theme != settings.ThemeContrast || m.Settings.Volume != 33 {
			t.Errorf("%+v", m.Settings)
		}
		if len(m.Channels) != 2 || m.Channels[0].Name != "Two" || !m.Channels[0].Favorite {
			t.Errorf("%+v", m.Channels)
		}
	})
}
