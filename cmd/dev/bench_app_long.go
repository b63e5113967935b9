package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"coral/cmd/dev/screen"
)

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
// come and go as in eight hours, and what is kept to go back to, which is bounded by
// two hours and by as many segments, is all there after a quarter.
var soakFilm = screen.Film{Wide: 640, High: 360, Rate: 30, Length: 30 * time.Second, Segment: 200 * time.Millisecond, BitRate: "600k"}

const soakWindow = 30

// soaks watches a looping channel for long: memory and latency once all caches are
// full and at the end, as means over a tenth of the time. Memory is the program's own:
// how much of the cache's files is mapped is the system's to say, and goes up and down.
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
			m = append(m, inMemory(v.cmd.Process.Pid, "RssAnon:"))
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
	b.add(what+"memory in the last tenth", held[9], held[3], 1.1*held[3], "MiB", "in the fourth tenth")
	b.add(what+"behind live", late[9], late[3], late[3]+1, "s", "in the fourth tenth")
	b.add(what+"times that the picture stood for ten seconds", float64(stood), 0, 0, "", "–")
	if log, err := os.ReadFile(filepath.Join(home, "state", "coral", "coral.log")); err == nil {
		b.add(what+"warnings and errors in the log", float64(strings.Count(string(log), "level=WARN")+strings.Count(string(log), "level=ERROR")), 0, 0, "", "–")
	}
	return nil
}
