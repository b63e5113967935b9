package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"coral/cmd/dev/screen"
)

const (
	// appRounds is how often a start is measured; the median is told.
	appRounds = 5
	// appSpan is how long a rate is measured for.
	appSpan = 12 * time.Second
	// restingFor is how long controls and caches get to come to rest: the controls go
	// after two and a half seconds.
	restingFor = 4 * time.Second
	// appWindow is how many segments the channel shows.
	appWindow = 6
)

// broadcastFilm is what is watched. Rates are measured in its first round: mpv and
// Coral meet a discontinuity in the soak only.
var broadcastFilm = screen.Film{Wide: 1280, High: 720, Rate: 30, Length: 60 * time.Second, Segment: 2 * time.Second, BitRate: "2500k"}

// plainMPV is how the player that Coral is held against is called: without the
// user's configuration, drawing with the processor alone. It looks for the machine's
// sound as Coral does.
func plainMPV(out, url string) []string {
	return []string{"--no-config", "--no-terminal", "--fs", "--vo=" + out, "--profile=sw-fast", "--gpu-sw=yes", url}
}

const sharesNoQuestion = `"share": "on",`

// starts measures how long it takes until there is a picture.
func (b *appBench) starts(ctx context.Context) error {
	c, err := b.broadcast(ctx, broadcastFilm, appWindow)
	if err != nil {
		return err
	}
	defer c.end()
	s, err := screen.Open(1280, 800)
	if err != nil {
		return err
	}
	defer s.Close()

	// A program that runs already is given the link by a second one.
	handed := func(link string) func() (time.Duration, error) {
		return func() (time.Duration, error) {
			v, home, err := b.app(s, settings(sharesNoQuestion))
			if err != nil {
				return 0, err
			}
			defer v.end()
			if _, err := window(ctx, s, "Coral"); err != nil {
				return 0, err
			}
			if err := wait(ctx, time.Second); err != nil {
				return 0, err
			}
			second, err := launch(s, userFolders(home), b.coral, link)
			if err != nil {
				return 0, err
			}
			defer second.end()
			return firstPicture(ctx, s, second.began)
		}
	}
	alone := func(start func() (*viewer, error)) func() (time.Duration, error) {
		return func() (time.Duration, error) {
			v, err := start()
			if err != nil {
				return 0, err
			}
			defer v.end()
			return firstPicture(ctx, s, v.began)
		}
	}
	ways := []func() (time.Duration, error){
		alone(func() (*viewer, error) { return launch(s, nil, "mpv", plainMPV("x11", c.url)...) }),
		handed(c.url),
		handed(c.link),
		alone(func() (*viewer, error) {
			v, _, err := b.app(s, settings(sharesNoQuestion), c.link)
			return v, err
		}),
	}
	took := make([][]float64, len(ways))
	for range appRounds { // in turn: what disturbs one round disturbs all
		for i, way := range ways {
			d, err := way()
			if err != nil {
				return err
			}
			took[i] = append(took[i], d.Seconds())
			gone, cancel := context.WithTimeout(ctx, startWithin)
			_, err = s.Await(gone, false)
			cancel()
			if err != nil {
				return errors.New("the picture does not go")
			}
		}
	}
	mpv := middle(took[0])
	const against = "mpv --vo=x11, from its start, on the origin's playlist"
	b.add("first picture: playlist given to the open app", middle(took[1]), mpv, mpv+0.2, "s", against)
	b.add("first picture: link given to the open app", middle(took[2]), mpv, mpv+0.2, "s", against)
	b.add("first picture: app started with a link", middle(took[3]), mpv, 2, "s", against)
	return nil
}

// middle is the median.
func middle(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return v[len(v)/2]
}

// plays measures what 720p costs at its own size, and how much of it is seen.
func (b *appBench) plays(ctx context.Context) error {
	c, err := b.broadcast(ctx, broadcastFilm, appWindow)
	if err != nil {
		return err
	}
	defer c.end()
	s, err := screen.Open(1280, 720)
	if err != nil {
		return err
	}
	defer s.Close()

	reference := func(out string) (showing, error) {
		v, err := launch(s, nil, "mpv", plainMPV(out, c.url)...)
		if err != nil {
			return showing{}, err
		}
		defer v.end()
		if _, err := firstPicture(ctx, s, v.began); err != nil {
			return showing{}, err
		}
		if err := wait(ctx, restingFor); err != nil {
			return showing{}, err
		}
		return observe(ctx, s, v, appSpan)
	}
	gpu, err := reference("gpu")
	if err != nil {
		return err
	}
	v, _, err := b.app(s, settings(sharesNoQuestion), c.link)
	if err != nil {
		return err
	}
	defer v.end()
	if _, err := firstPicture(ctx, s, v.began); err != nil {
		return err
	}
	if err := fillScreen(ctx, s, "1280x720"); err != nil {
		return err
	}
	if err := wait(ctx, restingFor); err != nil {
		return err
	}
	alone, err := observe(ctx, s, v, appSpan)
	if err != nil {
		return err
	}
	light := s.Light(2)
	busy, cancel := context.WithCancel(ctx)
	moved := make(chan struct{})
	go func() { // the controls stay while the pointer moves
		defer close(moved)
		for x := 600; wait(busy, 800*time.Millisecond) == nil; x ^= 64 {
			s.Do(busy, "mousemove", fmt.Sprint(x), "300")
		}
	}()
	defer func() { cancel(); <-moved }()
	if err := wait(ctx, time.Second); err != nil {
		return err
	}
	over, err := observe(ctx, s, v, appSpan)
	if err != nil {
		return err
	}
	if s.Light(2) > 0.7*light || light == 0 { // the picture's head is darkened for what lies over it
		return errors.New("the controls do not come")
	}
	const against = "mpv --vo=gpu on the same OpenGL"
	b.rows = append(b.rows, figure{
		what: "720p30, full screen: pictures shown a second", coral: fmt.Sprintf("%.1f", alone.rate), reference: fmt.Sprintf("%.1f", gpu.rate),
		ratio: fmt.Sprintf("%.2f", alone.rate/gpu.rate), goal: "≥ 29.9", missed: alone.rate < 29.9, against: against,
	}, figure{
		what: "… with all controls shown", coral: fmt.Sprintf("%.1f", over.rate), reference: fmt.Sprintf("%.1f", alone.rate),
		ratio: fmt.Sprintf("%.2f", over.rate/alone.rate), goal: "≥ 29.9", missed: over.rate < 29.9, against: "without them",
	})
	b.add("720p30: processor seconds a second, app and proxy", alone.cost, gpu.cost, 0.75, "s", against)
	b.add("… with all controls shown", over.cost, alone.cost, 1.1*alone.cost, "s", "without them: the surface alone")
	b.add("720p30: longest that a picture stands", alone.longest.Seconds()*1000, gpu.longest.Seconds()*1000, 100, "ms", against)
	return nil
}

// gaps measures how long the picture stands still while the window changes.
func (b *appBench) gaps(ctx context.Context) error {
	c, err := b.broadcast(ctx, broadcastFilm, appWindow)
	if err != nil {
		return err
	}
	defer c.end()
	s, err := screen.Open(1920, 1080)
	if err != nil {
		return err
	}
	defer s.Close()
	v, _, err := b.app(s, settings(sharesNoQuestion+` "window": {"width": 960, "height": 600},`), c.link)
	if err != nil {
		return err
	}
	defer v.end()
	main, err := window(ctx, s, "Coral")
	if err != nil {
		return err
	}
	if _, err := firstPicture(ctx, s, v.began); err != nil {
		return err
	}
	if _, err := s.Do(ctx, "windowmove", main, "0", "30", "mousemove", "400", "300"); err != nil {
		return err
	}
	if err := wait(ctx, restingFor); err != nil {
		return err
	}
	still, err := observe(ctx, s, v, restingFor)
	if err != nil {
		return err
	}
	key := func(k string) func() error {
		return func() error {
			_, err := s.Do(ctx, "key", "--window", main, k)
			return err
		}
	}
	resize := func() error {
		for i := range 20 {
			if _, err := s.Do(ctx, "windowsize", main, fmt.Sprint(960-20*i), fmt.Sprint(600-12*i)); err != nil {
				return err
			}
			if err := wait(ctx, 40*time.Millisecond); err != nil {
				return err
			}
		}
		_, err := s.Do(ctx, "windowsize", main, "960", "600")
		return err
	}
	for _, change := range []struct {
		what string
		do   func() error
	}{
		{"going to full screen (1920x1080)", key("f")},
		{"leaving full screen", key("f")},
		{"resizing the window, 21 times in a second", resize},
		{"opening the details", key("i")},
		{"with the details open", func() error { return nil }},
	} {
		done := make(chan error, 1)
		go func() { done <- change.do() }()
		o, err := observe(ctx, s, v, restingFor)
		if err = errors.Join(err, <-done); err != nil {
			return fmt.Errorf("%s: %w", change.what, err)
		}
		b.add("longest that a picture stands: "+change.what, o.longest.Seconds()*1000, still.longest.Seconds()*1000, 100, "ms", "the window left alone")
	}
	return nil
}

// idles measures what the program takes in the tray: never having played, and after.
func (b *appBench) idles(ctx context.Context) error {
	c, err := b.broadcast(ctx, broadcastFilm, appWindow)
	if err != nil {
		return err
	}
	defer c.end()
	for _, after := range []struct{ what, link string }{{"in the tray", ""}, {"in the tray after watching", c.link}} {
		if err := b.idle(ctx, after.what, after.link); err != nil {
			return err
		}
	}
	return nil
}

func (b *appBench) idle(ctx context.Context, what, link string) error {
	s, err := screen.Open(1280, 800)
	if err != nil {
		return err
	}
	defer s.Close()
	tray, err := openTray(s.Bus())
	if err != nil {
		return err
	}
	defer tray.Close()
	args := []string{}
	if link != "" {
		args = append(args, link)
	}
	v, _, err := b.app(s, settings(sharesNoQuestion+` "on-close": "tray",`), args...)
	if err != nil {
		return err
	}
	defer v.end()
	main, err := window(ctx, s, "Coral")
	if err != nil {
		return err
	}
	if link != "" {
		if _, err := firstPicture(ctx, s, v.began); err != nil {
			return err
		}
		if err := wait(ctx, 2*restingFor); err != nil {
			return err
		}
	}
	if err := wait(ctx, time.Second); err != nil {
		return err
	}
	if _, err := s.Do(ctx, "windowfocus", "--sync", main, "key", "alt+F4"); err != nil {
		return err
	}
	if err := wait(ctx, 3*restingFor); err != nil {
		return err
	}
	if shown, err := s.Do(ctx, "search", "--onlyvisible", "--name", "Coral"); err == nil && shown != "" {
		return errors.New("the window did not go to the tray")
	}
	pid, used := v.cmd.Process.Pid, processor(v.cmd.Process.Pid)
	if err := wait(ctx, appSpan); err != nil {
		return err
	}
	select {
	case <-v.done:
		return errors.New("the program ended")
	default:
	}
	b.add(what+": of a core", 100*(processor(pid)-used).Seconds()/appSpan.Seconds(), 0, 1, "%", "–")
	b.add(what+": memory", memory(pid), 0, 150, "MiB", "–")
	return nil
}

// soakFilm has a tenth of a usual channel's segments' length: in 48 minutes as many
// come and go as in eight hours.
var soakFilm = screen.Film{Wide: 640, High: 360, Rate: 30, Length: 30 * time.Second, Segment: 200 * time.Millisecond, BitRate: "600k"}

const soakWindow = 30

// soaks watches a looping channel for long: memory and latency at the beginning and
// at the end, as means over a tenth of the time.
func (b *appBench) soaks(ctx context.Context) error {
	c, err := b.broadcast(ctx, soakFilm, soakWindow)
	if err != nil {
		return err
	}
	defer c.end()
	s, err := screen.Open(640, 480)
	if err != nil {
		return err
	}
	defer s.Close()
	v, home, err := b.app(s, settings(sharesNoQuestion+` "cache-size": 67108864,`), c.link)
	if err != nil {
		return err
	}
	defer v.end()
	if _, err := firstPicture(ctx, s, v.began); err != nil {
		return err
	}
	var held, late []float64
	stood := 0
	tenth := b.soak / 10
	for i := range 10 {
		var m, l []float64
		for end := time.Now().Add(tenth); time.Now().Before(end); {
			o, err := observe(ctx, s, v, min(10*time.Second, tenth))
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err != nil {
				stood++ // the rest of the story is in the means
				continue
			}
			for _, p := range o.seen {
				l = append(l, c.origin.age(p.Picture, soakFilm.Rate, p.At).Seconds())
			}
			m = append(m, memory(v.cmd.Process.Pid))
			if err := wait(ctx, min(20*time.Second, time.Until(end))); err != nil {
				return err
			}
		}
		if len(m) == 0 {
			return fmt.Errorf("no picture in %s", tenth)
		}
		held, late = append(held, middle(m)), append(late, middle(l))
		fmt.Fprintf(os.Stderr, "soak: %s of %s: %.0f MiB, %.1f s behind\n", time.Duration(i+1)*tenth, b.soak, held[i], late[i])
	}
	segments := int(b.soak / soakFilm.Segment)
	what := fmt.Sprintf("%d segments in %s: ", segments, b.soak)
	b.add(what+"memory in the last tenth", held[9], held[1], 1.1*held[1], "MiB", "in the second tenth")
	b.add(what+"behind live", late[9], late[1], late[1]+1, "s", "in the second tenth")
	b.add(what+"times that the picture stood for ten seconds", float64(stood), 0, 0, "", "–")
	if log, err := os.ReadFile(filepath.Join(home, "state", "coral", "coral.log")); err == nil {
		b.add(what+"warnings and errors in the log", float64(strings.Count(string(log), "level=WARN")+strings.Count(string(log), "level=ERROR")), 0, 0, "", "–")
	}
	return nil
}
