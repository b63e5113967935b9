package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
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
