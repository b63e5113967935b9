package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"coral/assets"
)

const (
	// helpers is how many seeds the demo has beside the publisher and the viewer.
	helpers = 2
	// headStart is how long the helpers fill their caches before the viewer
	// comes: two segments.
	headStart = 2 * assets.SegmentDuration
	// startWithin bounds how long a part of the demo may take to come up.
	startWithin = 30 * time.Second
)

func runDemo(ctx context.Context, root string, args []string) error {
	f := flag.NewFlagSet("dev run", flag.ContinueOnError)
	limit := f.Duration("for", 0, "stop after this long; 0: at Ctrl-C")
	window := f.Bool("window", hasDisplay(), "open the app (default: where there is a display)")
	if err := parse(f, args); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "coral-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)

	fmt.Println("building coralnode …")
	d := &demo{dir: dir, program: filepath.Join(dir, "coralnode"+exe()), quiet: *limit > 0}
	if err := stream(ctx, root, noCgo, "go", "build", "-o", d.program, "./cmd/coralnode"); err != nil {
		return err
	}
	if *window {
		if err := d.buildWindow(ctx, root); err != nil {
			fmt.Println("the window cannot be built here:", err)
		}
	} else {
		fmt.Println("no display: running without a window")
	}
	if *limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, *limit)
		defer cancel()
	}
	err = d.run(ctx)
	if ctx.Err() == nil {
		return err // something broke
	}
	if *limit > 0 && d.played == 0 {
		return errors.Join(fmt.Errorf("nothing was played within %s", *limit), err)
	}
	return nil
}

// buildWindow builds the desktop program.
func (d *demo) buildWindow(ctx context.Context, root string) error {
	if runtime.GOOS == "linux" {
		install(ctx, builders)
	}
	fmt.Println("building coral; the first time this takes some minutes …")
	program := filepath.Join(d.dir, "coral"+exe())
	if err := stream(ctx, root, desktop, "go", "build", "-o", program, "./cmd/coral"); err != nil {
		return err
	}
	d.window = program
	return nil
}

func exe() string {
	if runtime.GOOS == "windows" {
		return ".exe"
	}
	return ""
}

// hasDisplay reports whether a window could be opened.
func hasDisplay() bool {
	switch runtime.GOOS {
	case "windows", "darwin":
		return true
	}
	return os.Getenv("DISPLAY") != "" || os.Getenv("WAYLAND_DISPLAY") != ""
}

// demo is one run of the demo channel. Everything of it lives in dir.
type demo struct {
	dir, program string
	window       string        // the desktop program; "": without a window
	quiet        bool          // no hint about Ctrl-C
	played       time.Duration // so far
}

// run starts all parts and shows the line until ctx ends or a part fails.
func (d *demo) run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	source, stop, err := serveOrigin()
	if err != nil {
		return err
	}
	defer stop()
	c := &crew{cancel: cancel, env: append(os.Environ(), userFolders(d.dir)...)}
	defer c.end() // before the folder goes
	defer cancel(nil)

	link, err := c.publish(ctx, d.dir, d.program, source)
	if err != nil {
		return c.why(err)
	}
	fmt.Printf("a live origin, a publisher and %d helpers are up; the viewer comes in %s\n", helpers, headStart)
	select {
	case <-time.After(headStart):
	case <-ctx.Done():
		return c.why(ctx.Err())
	}
	if d.window != "" {
		return c.why(d.show(ctx, c, link))
	}
	urlFile, statsFile := filepath.Join(d.dir, "url"), filepath.Join(d.dir, "stats.json")
	c.start(ctx, "viewer", d.program, append([]string{
		"watch", "--cache-dir", filepath.Join(d.dir, "viewer"),
		"--url-file", urlFile, "--stats-file", statsFile,
	}, peer(link)...)...)
	if err := waitFor(ctx, urlFile); err != nil {
		return c.why(err)
	}
	url, err := os.ReadFile(urlFile)
	if err != nil {
		return err
	}
	return c.why(d.play(ctx, c, string(url[:len(url)-1]), statsFile))
}

// show opens the window; the demo ends with it.
func (d *demo) show(ctx context.Context, c *crew, link string) error {
	fmt.Println("the window opens; it asks once whether to share, and the demo ends with it")
	began := time.Now()
	c.start(ctx, windowName, d.window, link)
	<-ctx.Done()
	d.played = time.Since(began)
	return context.Cause(ctx)
}

// play has something read the URL, and shows each second where it comes from.
func (d *demo) play(ctx context.Context, c *crew, url, statsFile string) error {
	fmt.Printf("the URL for any HLS player:\n\n  %s\n\n", url)
	if !d.quiet {
		fmt.Println("Ctrl-C ends everything.")
	}
	c.services.Go(func() { read(ctx, url) })
	l := newLine(os.Stdout)
	defer l.end()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	var began time.Time
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case now := <-tick.C:
			s, err := readStats(statsFile)
			if err != nil || s.total() == 0 {
				l.show("waiting for the first segment · " + url)
				continue
			}
			if began.IsZero() {
				began = now
			}
			d.played = now.Sub(began).Round(time.Second) + time.Second
			l.show(s.text(d.played) + " · " + url)
		}
	}
}

// serveOrigin serves the demo clip, live.
func serveOrigin() (url string, stop func(), err error) {
	// A window's worth has been there before: players start at once.
	origin, err := assets.NewOrigin(time.Now().Add(-assets.Window * assets.SegmentDuration))
	if err != nil {
		return "", nil, err
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, fmt.Errorf("start origin: %w", err)
	}
	srv := &http.Server{Handler: origin, ReadHeaderTimeout: 10 * time.Second, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
	ended := make(chan struct{})
	go func() { srv.Serve(ln); close(ended) }()
	return "http://" + ln.Addr().String() + assets.PlaylistPath, func() { srv.Close(); <-ended }, nil
}

// freePort finds a port that nobody listens at. Somebody may take it before it
// is used; then the publisher says so and the demo ends.
func freePort() (int, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a port: %w", err)
	}
	defer ln.Close()
	return ln.Addr().(*net.TCPAddr).Port, nil
}

// waitFor waits until a file is there; it is written whole.
func waitFor(ctx context.Context, name string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, startWithin, fmt.Errorf("%s did not come within %s", filepath.Base(name), startWithin))
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		if _, err := os.Stat(name); err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
