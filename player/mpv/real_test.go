package mpv

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"coral/player"
)

// The channel's clip: longer than any test watches, unless it shall loop.
const clipSegments = 40

func channel(t *testing.T, window int, alreadyLive time.Duration) *origin {
	return serve(t, &origin{clip: film(t, "320x180", clipSegments), window: window, loop: true}, alreadyLive)
}

// stamp is the time stamp of what is shown at a position of the channel's
// programme: ffmpeg's clips begin at 1.4 s or a little later.
func stamp(programme time.Duration) time.Duration { return programme + 1400*time.Millisecond }

func near(t *testing.T, what string, got, want, slack time.Duration) {
	t.Helper()
	if got < want-slack || got > want+slack {
		t.Errorf("%s is %v, want %v ± %v", what, got, want, slack)
	}
}

func TestRealLive(t *testing.T) {
	t.Parallel()
	p := real(t)
	o := channel(t, 6, 15*time.Second)
	p.Load(o.url("master.m3u8"), player.LoadOptions{Live: true})
	s := await(t, p, "play", 10*time.Second, func(s player.State) bool { return moving(s) && !s.FirstPictureAt.IsZero() })
	if !s.Live || s.Width != 320 || s.Height != 180 || s.FirstPictureAt.IsZero() || s.Decoder != "h264" || s.FPS != 30 || len(s.Audio) != 2 {
		t.Errorf("%+v", s)
	}
	now := time.Since(o.began)
	near(t, "the distance from the edge", s.Behind, 3500*time.Millisecond, 1500*time.Millisecond)
	near(t, "the time stamp", s.PTS, stamp(now-s.Behind), 1300*time.Millisecond) // a segment, if one came between two looks
	near(t, "what can be reached", s.SeekEnd-s.SeekStart, 6500*time.Millisecond, 1200*time.Millisecond)

	p.SetVolume(10)
	p.SetVolume(70)
	p.SetMute(false)
	p.SelectAudio(2)
	s = await(t, p, "take wishes", 3*time.Second, func(s player.State) bool {
		return s.Volume == 70 && !s.Muted && len(s.Audio) == 2 && s.Audio[1].Selected && !s.Audio[0].Selected
	})
	if v := p.lib.get(p.core, "volume"); v != "70.000000" {
		t.Errorf("mpv's volume is %s", v)
	}
	p.Stop()
	s = await(t, p, "stop", 3*time.Second, func(s player.State) bool { return s.Phase == player.Idle })
	if img, _ := p.Frames().Frame(); img != nil {
		t.Error("something is shown after Stop")
	}
	if s.Position != 0 || s.Width != 0 || s.Volume != 70 {
		t.Errorf("after Stop: %+v", s)
	}
}

func TestRealRewind(t *testing.T) {
	t.Parallel()
	p := real(t)
	o := channel(t, 0, 30*time.Second)
	p.Load(o.url("live.m3u8"), player.LoadOptions{Live: true})
	s := await(t, p, "play", 10*time.Second, moving)
	if s.SeekStart != 0 {
		t.Errorf("what can be reached begins at %v", s.SeekStart)
	}
	near(t, "the position", s.Position, 27*time.Second, 2*time.Second)
	asked := o.asked.Load()

	p.Seek(5500 * time.Millisecond)
	s = await(t, p, "go back", 5*time.Second, at(5600*time.Millisecond, 600*time.Millisecond))
	near(t, "the time stamp", s.PTS, stamp(s.Position), 100*time.Millisecond)
	time.Sleep(time.Second)
	s = await(t, p, "stay there", time.Second, at(6800*time.Millisecond, 800*time.Millisecond))
	if got := o.asked.Load() - asked; got > 30 {
		t.Errorf("going back asked for %d segments", got)
	}
	near(t, "behind", s.Behind, time.Since(o.began)-s.Position, 1500*time.Millisecond) // a segment, and the age of s

	p.Seek(s.Position + 2*time.Second)
	await(t, p, "go forward within the cache", 2*time.Second, at(s.Position+2200*time.Millisecond, 600*time.Millisecond))
	p.Seek(0)
	s = await(t, p, "go to the beginning", 5*time.Second, at(300*time.Millisecond, 400*time.Millisecond))
	near(t, "the time stamp", s.PTS, stamp(s.Position), 100*time.Millisecond)

	p.GoLive()
	s = await(t, p, "go live", 5*time.Second, func(s player.State) bool {
		return s.Phase == player.Playing && s.Behind < 5*time.Second && s.Position > 20*time.Second
	})
	near(t, "the time stamp", s.PTS, stamp(s.Position), 200*time.Millisecond)
}

// A window that slides can be rewound within it, too, and a pause is kept.
func TestRealPause(t *testing.T) {
	t.Parallel()
	p := real(t)
	o := channel(t, 12, 20*time.Second)
	p.Load(o.url("live.m3u8"), player.LoadOptions{Live: true})
	s := await(t, p, "play", 10*time.Second, moving)
	first := s
	p.Seek(s.SeekStart + 3*time.Second)
	s = await(t, p, "go back", 5*time.Second, at(s.SeekStart+3*time.Second, 1500*time.Millisecond))
	near(t, "the time stamp", s.PTS-first.PTS, s.Position-first.Position, 100*time.Millisecond)

	p.SetPaused(true)
	s = await(t, p, "pause", time.Second, func(s player.State) bool { return s.Paused })
	time.Sleep(2500 * time.Millisecond)
	s2 := p.State()
	near(t, "the position", s2.Position, s.Position, 300*time.Millisecond)
	near(t, "behind", s2.Behind, s.Behind+2500*time.Millisecond, 1800*time.Millisecond) // playlists are fetched once a second
	p.Step(1)
	p.SetPaused(false)
	await(t, p, "go on", 2*time.Second, func(s player.State) bool { return !s.Paused && s.Position > s2.Position+300*time.Millisecond })
	if s = p.State(); s.Behind < s2.Behind-time.Second {
		t.Errorf("after the pause it jumped: %v behind, before %v", s.Behind, s2.Behind)
	}
}

// outage breaks something for 8 s and expects that the picture comes back by
// itself and goes on.
func outage(t *testing.T, name string, begin, end func(o *origin)) {
	t.Run(name, func(t *testing.T) {
		t.Parallel()
		p := real(t)
		o := channel(t, 8, 15*time.Second)
		p.Load(o.url("master.m3u8"), player.LoadOptions{Live: true})
		await(t, p, "play", 10*time.Second, moving)
		_, shown := p.Frames().Frame()
		begin(o)
		broken := map[player.Phase]bool{}
		for until := time.Now().Add(8 * time.Second); time.Now().Before(until); {
			select {
			case <-p.Changed():
			case <-time.After(time.Until(until)):
			}
			s := p.State()
			broken[s.Phase] = true
			if s.Phase == player.Recovering && s.Err == nil {
				t.Error("recovering from nothing")
			}
		}
		if broken[player.Idle] || broken[player.Ended] || broken[player.Failed] || !broken[player.Recovering] && !broken[player.Buffering] {
			t.Errorf("phases while it was broken: %v", broken)
		}
		if img, _ := p.Frames().Frame(); img == nil {
			t.Error("the last picture does not stand")
		}
		end(o)
		before := p.State()
		s := await(t, p, "play again", 8*time.Second, func(s player.State) bool {
			return s.Phase == player.Playing && s.Position > before.Position+2*time.Second
		})
		if _, n := p.Frames().Frame(); n <= shown+30 {
			t.Errorf("%d new pictures", n-shown)
		}
		near(t, "the time stamp", s.PTS, stamp(time.Since(o.began)-s.Behind), time.Second)
		near(t, "the distance from the edge", s.Behind, 8*time.Second, 8*time.Second)
	})
}

func TestRealOutages(t *testing.T) {
	t.Parallel()
	outage(t, "playlists fail", func(o *origin) { o.failing.Store(true) }, func(o *origin) { o.failing.Store(false) })
	outage(t, "the proxy is gone", func(o *origin) { o.refuse() }, func(o *origin) { o.again(t) })
	outage(t, "the playlist stands still", func(o *origin) { o.frozen.Store(int64(o.segments())) }, func(o *origin) { o.frozen.Store(0) })
}

// A channel with time stamps that begin anew: positions go on, and State.PTS is
// what is in the stream.
func TestRealDiscontinuity(t *testing.T) {
	t.Parallel()
	p := real(t)
	o := channel(t, 0, (clipSegments-2)*time.Second) // the turn is two seconds away
	p.Load(o.url("live.m3u8"), player.LoadOptions{Live: true})
	s := await(t, p, "play", 10*time.Second, moving)
	last := s.Position
	turned := await(t, p, "pass the turn", 10*time.Second, func(s player.State) bool {
		if s.Position < last || s.Position > last+2*time.Second {
			t.Errorf("the position went from %v to %v", last, s.Position)
		}
		last = s.Position
		return s.Position > (clipSegments+2)*time.Second
	})
	near(t, "the time stamp", turned.PTS, stamp(turned.Position-clipSegments*time.Second), 200*time.Millisecond)
	p.Seek((clipSegments - 1) * time.Second)
	s = await(t, p, "go back over the turn", 5*time.Second, at((clipSegments-1)*time.Second+200*time.Millisecond, 400*time.Millisecond))
	near(t, "the time stamp before the turn", s.PTS, stamp(s.Position), 200*time.Millisecond)
}

// A live channel that is over, and says so, has ended; a recording that is over
// too, and can be watched again.
func TestRealEnds(t *testing.T) {
	t.Parallel()
	t.Run("live", func(t *testing.T) {
		t.Parallel()
		p := real(t)
		o := channel(t, 0, 10*time.Second)
		p.Load(o.url("live.m3u8"), player.LoadOptions{Live: true})
		await(t, p, "play", 10*time.Second, moving)
		o.frozen.Store(int64(o.segments()))
		o.over.Store(true)
		await(t, p, "end", 10*time.Second, func(s player.State) bool { return s.Phase == player.Ended })
		o.frozen.Store(0)
		o.over.Store(false)
		await(t, p, "be on air again", 10*time.Second, func(s player.State) bool { return s.Phase == player.Playing && s.Live })
	})
	t.Run("recording", func(t *testing.T) {
		t.Parallel()
		p := real(t)
		o := channel(t, 0, 0)
		p.Load(o.url("film.m3u8"), player.LoadOptions{Start: 20 * time.Second})
		s := await(t, p, "play", 10*time.Second, moving)
		near(t, "the position", s.Position, 20200*time.Millisecond, 700*time.Millisecond)
		near(t, "the duration", s.Duration, clipSegments*time.Second, 200*time.Millisecond)
		near(t, "the time stamp", s.PTS, stamp(s.Position), 100*time.Millisecond)
		if s.Live || s.SeekStart != 0 || s.SeekEnd != s.Duration || s.Behind != 0 {
			t.Errorf("%+v", s)
		}
		p.Seek(5 * time.Second)
		await(t, p, "go back", 5*time.Second, at(5300*time.Millisecond, 400*time.Millisecond))
		p.SetSpeed(2)
		p.Seek(clipSegments*time.Second - 3*time.Second)
		await(t, p, "end", 8*time.Second, func(s player.State) bool { return s.Phase == player.Ended })
		p.Seek(10 * time.Second)
		s = await(t, p, "play again", 5*time.Second, at(10500*time.Millisecond, time.Second))
		if s.Speed != 2 {
			t.Errorf("the speed is %v", s.Speed)
		}
	})
}

func TestRealWrongURL(t *testing.T) {
	t.Parallel()
	p := real(t)
	o := channel(t, 6, 10*time.Second)
	p.Load(o.url("nothing.m3u8"), player.LoadOptions{Live: true})
	s := await(t, p, "fail", 5*time.Second, func(s player.State) bool { return s.Phase == player.Failed })
	t.Log(s.Err)
	p.Load("/nowhere/at/all.mp4", player.LoadOptions{})
	s = await(t, p, "fail", 5*time.Second, func(s player.State) bool { return s.Phase == player.Failed && s.Err.Error() != "" })
	t.Log(s.Err)
	o.refuse()
	p.Load(o.url("live.m3u8"), player.LoadOptions{Live: true})
	s = await(t, p, "try", 5*time.Second, func(s player.State) bool { return s.Phase == player.Recovering })
	t.Log(s.Err)
	o.again(t)
	await(t, p, "play when it is there", 5*time.Second, moving)
}

// A picture fills what it is rendered into, where that is not quite of its shape.
func TestRealFills(t *testing.T) {
	t.Parallel()
	p := real(t)
	o := channel(t, 0, 5*time.Second)
	p.Frames().SetSize(230, 200) // 129.4 lines
	p.Load(o.url("live.m3u8"), player.LoadOptions{Live: true})
	await(t, p, "play", 10*time.Second, func(s player.State) bool { return !s.FirstPictureAt.IsZero() })
	img, _ := p.Frames().Frame()
	if img == nil || img.Rect.Dx() != 230 || img.Rect.Dy() != 129 {
		t.Fatalf("picture %v", img)
	}
	for i := 3; i < len(img.Pix); i += 4 {
		if img.Pix[i] != 0xff {
			t.Fatalf("pixel %d, %d is empty", i/4%230, i/4/230)
		}
	}
}

// While a place is looked for, the last picture stands: nothing black flashes.
func TestRealNothingFlashes(t *testing.T) {
	t.Parallel()
	p := real(t)
	o := channel(t, 0, 30*time.Second)
	f := p.Frames()
	var dark, all atomic.Int64
	came := make(chan struct{}, 1)
	f.OnFrame(func() {
		select {
		case came <- struct{}{}:
		default:
		}
	})
	defer f.OnFrame(nil)
	stop := make(chan struct{})
	var looking sync.WaitGroup
	looking.Go(func() {
		for {
			select {
			case <-stop:
				return
			case <-came:
			}
			img, _ := f.Frame()
			if img == nil {
				continue
			}
			all.Add(1)
			sum := 0
			for i := 0; i < len(img.Pix); i += 404 {
				sum += int(img.Pix[i]) + int(img.Pix[i+1]) + int(img.Pix[i+2])
			}
			if sum == 0 {
				dark.Add(1)
			}
		}
	})
	defer looking.Wait()
	defer close(stop)
	p.Load(o.url("live.m3u8"), player.LoadOptions{Live: true})
	await(t, p, "play", 10*time.Second, moving)
	watch := func() {
		t.Helper()
		for n, late := all.Load()+3, time.Now().Add(3*time.Second); all.Load() < n; time.Sleep(5 * time.Millisecond) {
			if time.Now().After(late) {
				t.Fatal("no pictures")
			}
		}
	}
	for i := range 6 {
		to := time.Duration(3+4*i) * time.Second
		p.Seek(to + 300*time.Millisecond)
		await(t, p, "seek", 5*time.Second, at(to+600*time.Millisecond, 500*time.Millisecond))
		watch()
		f.SetSize(200+i, 200)
		p.Load(o.url("live.m3u8"), player.LoadOptions{Live: true})
		await(t, p, "load", 10*time.Second, func(s player.State) bool { return moving(s) && s.Position > 20*time.Second })
		watch()
	}
	if dark.Load() > 0 {
		t.Errorf("%d of %d pictures are black", dark.Load(), all.Load())
	}
}
