package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"coral/cmd/dev/screen"
)

// appBench measures the desktop program from outside, on a display in memory: what
// comes to the screen and when, and what the process takes. Each case has a channel,
// a display and a user's folders of its own.
type appBench struct {
	dir       string
	coral     string
	coralnode string
	soak      time.Duration
	clips     map[screen.Film]string // folder of the segments
	rows      []figure
}

// figure is one line of the table.
type figure struct {
	what, coral, reference, ratio, goal string
	missed                              bool
	against                             string
}

// appCases are what can be asked for by name, in the order in which they run.
var appCases = []struct {
	name string
	run  func(*appBench, context.Context) error
}{
	{"start", (*appBench).starts},
	{"play", (*appBench).plays},
	{"gaps", (*appBench).gaps},
	{"idle", (*appBench).idles},
	{"soak", (*appBench).soaks},
}

// benchApp runs the cases that are named, with commas between them; "all" are all
// but the soak. The programs are built, or taken from a folder.
func benchApp(ctx context.Context, root, names, programs string, soak time.Duration) error {
	if runtime.GOOS != "linux" {
		return errors.New("the app is measured on Linux only: the display in memory is Xvfb")
	}
	install(ctx, slices.Concat(players, screens, builders))
	dir, err := os.MkdirTemp("", "coral-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if programs, err = built(ctx, root, dir, programs, map[string][]string{"coralnode": noCgo, "coral": desktop}); err != nil {
		return err
	}
	b := &appBench{
		dir: dir, soak: soak, coral: filepath.Join(programs, "coral"), coralnode: filepath.Join(programs, "coralnode"),
		clips: map[screen.Film]string{},
	}
	wanted := strings.Split(names, ",")
	var errs []error
	ran := false
	for _, c := range appCases {
		if !slices.Contains(wanted, c.name) && (names != "all" || c.name == "soak") {
			continue
		}
		ran = true
		fmt.Fprintf(os.Stderr, "measuring %s …\n", c.name)
		if err := c.run(b, ctx); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", c.name, err))
		}
		if ctx.Err() != nil {
			break
		}
	}
	if !ran {
		return fmt.Errorf("bench --app: there is no case %q", names)
	}
	return errors.Join(append(errs, b.table())...)
}

// add notes a figure that is to be at most goal; in names the unit.
func (b *appBench) add(what string, coral, reference, goal float64, in, against string) {
	f := figure{what: what, coral: fmt.Sprintf("%.3g %s", coral, in), reference: "–", ratio: "–", goal: "–", against: against}
	if reference > 0 {
		f.reference, f.ratio = fmt.Sprintf("%.3g %s", reference, in), fmt.Sprintf("%.2f", coral/reference)
	}
	if goal > 0 {
		f.goal, f.missed = fmt.Sprintf("≤ %.3g %s", goal, in), coral > goal
	}
	b.rows = append(b.rows, f)
}

// table prints the figures.
func (b *appBench) table() error {
	t := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "WHAT\tCORAL\tREFERENCE\tRATIO\tGOAL\t\tTHE REFERENCE IS")
	for _, f := range b.rows {
		verdict := ""
		if f.missed {
			verdict = "missed"
		}
		fmt.Fprintln(t, strings.Join([]string{f.what, f.coral, f.reference, f.ratio, f.goal, verdict, f.against}, "\t"))
	}
	return t.Flush()
}

// clip makes a film's segments, once.
func (b *appBench) clip(ctx context.Context, f screen.Film) (dir string, err error) {
	if dir, ok := b.clips[f]; ok {
		return dir, nil
	}
	if dir, err = os.MkdirTemp(b.dir, "film-"); err != nil {
		return "", err
	}
	fmt.Fprintln(os.Stderr, "making a film …")
	if err := f.Write(ctx, dir); err != nil {
		return "", err
	}
	b.clips[f] = dir
	return dir, nil
}

// broadcast is a live channel that a publisher signs and two helpers carry.
type broadcast struct {
	origin *live
	url    string // of the origin's playlist
	link   string
	end    func()
}

// broadcast puts a film on the air.
func (b *appBench) broadcast(ctx context.Context, f screen.Film, window int) (*broadcast, error) {
	clip, err := b.clip(ctx, f)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(b.dir, "channel-")
	if err != nil {
		return nil, err
	}
	c := &broadcast{}
	if c.origin, err = newLive(clip, f.Segment, window); err != nil {
		return nil, err
	}
	url, stop, err := c.origin.serve()
	if err != nil {
		return nil, err
	}
	c.url = url
	ctx, cancel := context.WithCancelCause(ctx)
	all := &crew{cancel: cancel, env: append(os.Environ(), userFolders(dir)...)}
	c.end = func() {
		cancel(nil)
		all.end()
		stop()
	}
	if c.link, err = all.publish(ctx, dir, b.coralnode, url); err != nil {
		c.end()
		return nil, all.why(err)
	}
	return c, wait(ctx, 2*f.Segment)
}

// wait lets time pass.
func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
