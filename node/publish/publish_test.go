package publish

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"go.uber.org/goleak"

	"coral/node/channel"
	"coral/node/nodetest"
	"coral/store/segment"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// memory is a Sink that verifies all it is given as a viewer would, and goes on
// doing so across restarts of the publisher.
type memory struct {
	t    testing.TB
	ch   segment.Channel
	mu   sync.Mutex
	feed *channel.Feed
	// log is what was new, in order; data the bytes by ID.
	entries []*channel.Entry
	data    map[segment.ID][]byte
	news    chan struct{} // closed and renewed
	err     error
	revs    []*channel.Presentation
	arrived map[segment.ID]time.Time
	calls   int
}

func newMemory(t testing.TB, p *Publisher) *memory {
	return &memory{
		t: t, ch: p.Channel(), feed: channel.NewFeed(p.Channel(), p.Descriptor().Root, channel.FeedOptions{}),
		data: map[segment.ID][]byte{}, news: make(chan struct{}), arrived: map[segment.ID]time.Time{},
	}
}

func (m *memory) fail(err error) {
	if m.err == nil {
		m.err = err
		m.t.Error(err)
	}
}

func (m *memory) Publish(_ context.Context, u Update) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls++
	for _, rec := range u.Records {
		up, err := m.feed.Add(rec, time.Now())
		if err != nil {
			m.fail(fmt.Errorf("record refused: %w", err))
			continue
		}
		if up != nil && up.Entry != nil {
			m.entries = append(m.entries, up.Entry)
		}
		if up != nil && up.Presentation != nil {
			m.revs = append(m.revs, up.Presentation)
		}
	}
	if u.Data != nil {
		e := m.feed.Entry(u.ID)
		switch {
		case e == nil:
			m.fail(fmt.Errorf("bytes of %v, which has no entry", u.ID))
		case e.Size != len(u.Data) || u.Size != e.Size || u.Root != e.Root() || segment.Root(segment.Digests(u.Data)) != e.Root():
			m.fail(fmt.Errorf("bytes of %v are not the entry's", u.ID))
		case m.data[u.ID] == nil:
			m.data[u.ID] = u.Data
			m.arrived[u.ID] = time.Now()
		}
	}
	close(m.news)
	m.news = make(chan struct{})
	return nil
}

// waitMost is how long tests wait for what should come within a second or two: the
// machine may be busy.
const waitMost = 30 * time.Second

// until waits for ok, which sees the sink's state.
func (m *memory) until(what string, ok func() bool) {
	m.t.Helper()
	late := time.After(waitMost)
	for {
		m.mu.Lock()
		done, news := ok(), m.news
		m.mu.Unlock()
		if done {
			return
		}
		select {
		case <-news:
		case <-late:
			m.t.Fatalf("%s: not within %v; %d entries", what, waitMost, len(m.entries))
		}
	}
}

// media returns the media entries of a rendition so far. mu must be held.
func (m *memory) media(rendition uint16) (list []*channel.Entry) {
	for _, e := range m.entries {
		if e.Rendition == rendition && !e.End && e.Kind == segment.Media {
			list = append(list, e)
		}
	}
	return list
}

func (m *memory) ended(rendition uint16) bool {
	e := m.feed.Newest(rendition)
	return e != nil && e.End
}

// whole reports whether the bytes of all entries came. mu must be held.
func (m *memory) whole() bool {
	for _, e := range m.entries {
		if !e.End && m.data[e.ID()] == nil {
			return false
		}
	}
	return true
}

// running is a publisher at work.
type running struct {
	*Publisher
	cancel context.CancelFunc
	done   chan error
}

func start(t testing.TB, cfg Config, sink func(p *Publisher) Sink) *running {
	t.Helper()
	if cfg.Log == nil && testing.Verbose() {
		cfg.Log = slog.New(slog.NewTextHandler(os.Stderr, nil))
	}
	p, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{Publisher: p, cancel: cancel, done: make(chan error, 1)}
	s := sink(p)
	go func() { r.done <- p.Run(ctx, s) }()
	t.Cleanup(r.stop)
	return r
}

func (r *running) stop() {
	r.cancel()
	if r.done == nil {
		return
	}
	<-r.done
	r.done = nil
	r.Close()
}

// play starts a publisher of an origin, into a new sink.
func play(t *testing.T, o *nodetest.Origin, cfg Config) (*running, *memory) {
	t.Helper()
	cfg.Source = o.Start(t)
	if cfg.State == "" {
		cfg.State = t.TempDir()
	}
	var m *memory
	r := start(t, cfg, func(p *Publisher) Sink { m = newMemory(t, p); return m })
	return r, m
}

// checkBytes compares what was published with what the origin has.
func (m *memory) checkBytes(o *nodetest.Origin, rendition uint16, at int) {
	m.t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, e := range m.media(rendition) {
		data := m.data[e.ID()]
		if want := o.Bytes(nodetest.Ident{Rendition: at, Sequence: e.Sequence}); !bytes.Equal(data, want) {
			m.t.Errorf("%v: %d bytes differ from the origin's %d", e.ID(), len(data), len(want))
		}
		if e.HasInit {
			init := m.data[segment.ID{Rendition: rendition, Kind: segment.Init, Sequence: e.Init}]
			if id, err := nodetest.Check(init); err != nil || !id.Init {
				m.t.Errorf("%v: init section %d: %+v %v", e.ID(), e.Init, id, err)
			}
		}
	}
}

func TestVOD(t *testing.T) {
	o := nodetest.NewOrigin(nodetest.OriginConfig{Type: nodetest.VOD, Length: 12, Bitrates: []int{300_000, 600_000}, Audio: []string{"en", "fr"}, Subtitles: []string{"de"}})
	_, m := play(t, o, Config{Name: "A film"})
	m.until("all ended", func() bool {
		for r := range uint16(o.Renditions()) {
			if !m.ended(r) {
				return false
			}
		}
		return true
	})
	for r := range o.Renditions() {
		m.checkBytes(o, uint16(r), r)
		list := m.media(uint16(r))
		if len(list) != 12 {
			t.Fatalf("rendition %d: %d segments", r, len(list))
		}
		for i, e := range list {
			if e.Sequence != uint64(i) || e.Type != channel.VOD || e.URI != fmt.Sprintf("%d%s", i, filepath.Ext(e.URI)) || e.Target != 2*time.Second {
				t.Errorf("%+v", e)
			}
		}
	}
	if p := m.feed.Presentation(); len(p.Renditions) != 5 || p.Single || !p.IndependentSegments {
		t.Errorf("%+v", p)
	}
}

func TestLive(t *testing.T) {
	o := nodetest.NewOrigin(nodetest.OriginConfig{Segment: 500 * time.Millisecond, Backlog: 9, FirstSequence: 100, Window: 4, Bitrates: []int{200_000}, Audio: []string{"en"}})
	r, m := play(t, o, Config{})
	m.until("live", func() bool { return len(m.media(0)) >= 8 && len(m.media(1)) >= 8 })
	r.stop()
	list := m.media(0)
	if list[0].Sequence < 105 {
		t.Errorf("begins with %d, which had left the window", list[0].Sequence)
	}
	for i, e := range list {
		if e.Sequence != list[0].Sequence+uint64(i) || e.Discontinuity || e.WindowStart+3 != e.Sequence && i > 3 {
			t.Errorf("%+v", e)
		}
		// Noticed, fetched and signed soon after it appeared.
		if end := e.ProgramDateTime.Add(e.Duration); i > 3 && m.arrived[e.ID()].Sub(end) > 400*time.Millisecond {
			t.Errorf("%v was published %v after it appeared", e.ID(), m.arrived[e.ID()].Sub(end))
		}
	}
	m.checkBytes(o, 0, 0)
	m.checkBytes(o, 1, 1)
}

func TestFormats(t *testing.T) {
	for name, cfg := range map[string]nodetest.OriginConfig{
		"fMP4":           {Format: nodetest.FMP4},
		"discontinuity":  {DiscontinuityEvery: 3},
		"fMP4 with many": {Format: nodetest.FMP4, DiscontinuityEvery: 4},
		"byte ranges":    {Ranged: 3},
		"AES-128":        {KeyEvery: 3},
		"AES-128 and IV": {KeyEvery: 3, ExplicitIV: true, NoDateTime: true},
		"single":         {Single: true},
		"no extension":   {Extension: "-"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg.Type, cfg.Length, cfg.FirstSequence = nodetest.Event, 12, 7
			cfg.Segment, cfg.Backlog, cfg.Bitrates = 100*time.Millisecond, 6, []int{2_000_000}
			if cfg.Ranged > 0 {
				cfg.FirstSequence = 6 // at the beginning of a file
			}
			o := nodetest.NewOrigin(cfg)
			_, m := play(t, o, Config{})
			m.until("end", func() bool { return m.ended(0) })
			m.checkBytes(o, 0, 0)
			list := m.media(0)
			if len(list) != 12 {
				t.Fatalf("%d segments", len(list))
			}
			inits := map[uint64]bool{}
			for i, e := range list {
				seq := cfg.FirstSequence + uint64(i)
				if e.Sequence != seq || e.Type != channel.Event || (e.Key != nil) != (cfg.KeyEvery > 0) || e.Ranged != (cfg.Ranged > 0) ||
					e.HasInit != (cfg.Format == nodetest.FMP4) || e.ProgramDateTime.IsZero() != cfg.NoDateTime {
					t.Errorf("%+v", e)
				}
				if every := uint64(cfg.DiscontinuityEvery); every > 0 && (e.Discontinuity != (seq%every == 0) || e.DiscontinuitySequence != seq/every) {
					t.Errorf("discontinuity of %d: %v %d", seq, e.Discontinuity, e.DiscontinuitySequence)
				}
				inits[e.Init] = true
			}
			if want := 1; cfg.Format == nodetest.FMP4 && cfg.DiscontinuityEvery > 0 && len(inits) != 4 || cfg.DiscontinuityEvery == 0 && len(inits) != want {
				t.Errorf("%d init sections", len(inits))
			}
			if c := o.Counts(); c.Requests[nodetest.Key] != 0 {
				t.Error("the publisher asked for a key")
			}
		})
	}
}

func TestSourceRestarts(t *testing.T) {
	for _, dated := range []bool{true, false} {
		t.Run(fmt.Sprintf("dated %v", dated), func(t *testing.T) {
			t.Parallel()
			o := nodetest.NewOrigin(nodetest.OriginConfig{Segment: 300 * time.Millisecond, Backlog: 8, FirstSequence: 20, Window: 12, Bitrates: []int{300_000}, Format: nodetest.FMP4, NoDateTime: !dated, Single: true})
			_, m := play(t, o, Config{})
			m.until("first run", func() bool { return len(m.media(0)) >= 7 })
			o.Restart(0)
			epoch := func(e *channel.Entry) uint32 {
				id, err := nodetest.Check(m.data[e.ID()])
				if err != nil {
					t.Fatal(err)
				}
				return id.Epoch
			}
			m.until("second run", func() bool {
				n := 0
				for _, e := range m.media(0) {
					if epoch(e) == 1 {
						n++
					}
				}
				return n >= 6
			})
			m.mu.Lock()
			defer m.mu.Unlock()
			was := uint32(0)
			var last *channel.Entry
			for _, e := range m.media(0) {
				now := epoch(e)
				if e.Discontinuity != (now != was) {
					t.Errorf("%v of run %d after %d: discontinuity %v", e.ID(), now, was, e.Discontinuity)
				}
				if last != nil && e.Sequence != last.Sequence+1 {
					t.Errorf("%v follows %v", e.ID(), last.ID())
				}
				if e.DiscontinuitySequence != uint64(now) {
					t.Errorf("%v of run %d: discontinuity sequence %d", e.ID(), now, e.DiscontinuitySequence)
				}
				if now == 1 && e.WindowStart > e.Sequence {
					t.Errorf("%v: window begins with %d", e.ID(), e.WindowStart)
				}
				was, last = now, e
			}
		})
	}
}

// What was handed on is the sink's: a publisher that runs for days must not keep
// what it remembers of each segment together with its bytes.
func TestBytesAreLetGo(t *testing.T) {
	t.Parallel()
	o := nodetest.NewOrigin(nodetest.OriginConfig{Segment: 200 * time.Millisecond, Backlog: 6, Bitrates: []int{2_000_000}})
	_, m := play(t, o, Config{})
	m.until("some segments", func() bool { return len(m.media(0)) >= 12 })
	m.mu.Lock()
	var old []weak.Pointer[byte]
	for _, e := range m.media(0)[:10] {
		old = append(old, weak.Make(&m.data[e.ID()][0]))
	}
	clear(m.data)
	m.mu.Unlock()
	kept := 0
	for _, p := range old {
		runtime.GC()
		if p.Value() != nil {
			kept++
		}
	}
	if kept > 1 { // one may be in somebody's hands just now
		t.Errorf("the bytes of %d of %d segments are kept", kept, len(old))
	}
}

// In a bubble: a fault lasts as long as it says, however busy the machine is. One
// of two seconds would cost the segments that could not be had meanwhile.
func TestTroubledSource(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		network := nodetest.NewNet()
		l, err := network.Listen("127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		// The window holds what all troubles take.
		o := nodetest.NewOrigin(nodetest.OriginConfig{Segment: 300 * time.Millisecond, Backlog: 6, Window: 40, Bitrates: []int{300_000}})
		cfg := Config{Source: o.StartOn(t, l), Dial: network.DialContext, State: t.TempDir()}
		var m *memory
		start(t, cfg, func(p *Publisher) Sink { m = newMemory(t, p); return m })
		have := 0
		more := func(what string) {
			t.Helper()
			m.until(what, func() bool { return len(m.media(0)) >= have+3 })
			m.mu.Lock()
			have = len(m.media(0))
			m.mu.Unlock()
		}
		more("start")
		for name, f := range map[string]nodetest.Faults{
			"5xx":       {Status: 503},
			"cut off":   {Truncate: func(nodetest.Ident) bool { return true }},
			"stale":     {Stale: true},
			"not there": {Status: 404, Only: []nodetest.Kind{nodetest.Segment}},
			"gone":      {Gone: true},
		} {
			o.Set(f)
			time.Sleep(700 * time.Millisecond)
			o.Set(nodetest.Faults{})
			more("after " + name)
		}
		m.mu.Lock()
		defer m.mu.Unlock()
		for i, e := range m.media(0) {
			if e.Discontinuity || e.Sequence != m.media(0)[0].Sequence+uint64(i) {
				t.Errorf("%+v", e)
			}
		}
	})
}

// pause lets something last; there is nothing to wait for, since nothing is to
// happen.
func pause(t *testing.T, d time.Duration) {
	t.Helper()
	<-time.After(d)
}

func TestSameFolderSameLink(t *testing.T) {
	t.Parallel()
	// The window outlives the outage: what leaves it unseen cannot be published.
	o := nodetest.NewOrigin(nodetest.OriginConfig{Segment: 250 * time.Millisecond, Backlog: 10, FirstSequence: 5, Window: 80, Format: nodetest.FMP4, Bitrates: []int{300_000}, Audio: []string{"en"}})
	cfg := Config{State: t.TempDir(), Source: o.Start(t), Name: "Ours"}
	var m *memory
	r := start(t, cfg, func(p *Publisher) Sink { m = newMemory(t, p); return m })
	link := r.Link([]string{"127.0.0.1:7000"}, true).String()
	if _, err := Open(cfg); err == nil {
		t.Fatal("two publishers with one folder")
	}
	for range 3 {
		m.until("some", func() bool { n := len(m.media(0)); return n >= 4 && len(m.media(1)) >= 4 })
		r.stop()
		m.mu.Lock()
		m.entries = nil
		m.mu.Unlock()
		r = start(t, cfg, func(*Publisher) Sink { return m })
		if again := r.Link([]string{"127.0.0.1:7000"}, true).String(); again != link {
			t.Fatalf("link is\n%s\nnot\n%s", again, link)
		}
	}
	m.until("some", func() bool { return len(m.media(0)) >= 2 })
	r.stop()
	// A viewer who comes now gets the window from a publisher that came back
	// though its source is gone.
	o.Set(nodetest.Faults{Gone: true})
	var late *memory
	r = start(t, cfg, func(p *Publisher) Sink { late = newMemory(t, p); return late })
	late.until("old records", func() bool { return len(late.media(0)) >= 10 && len(late.media(1)) >= 10 })
	if len(late.data) != 0 {
		t.Error("bytes from nowhere")
	}
	o.Set(nodetest.Faults{})
	late.until("bytes again", func() bool {
		n := 0
		for _, e := range late.media(0) {
			if late.data[e.ID()] != nil {
				n++
			}
		}
		return n >= 6
	})
	r.stop()
	for i, e := range late.media(0) {
		if e.Discontinuity || e.Sequence != late.media(0)[0].Sequence+uint64(i) || e.Init != 0 {
			t.Errorf("%+v", e)
		}
	}
	if len(late.revs) != 1 {
		t.Errorf("%d presentations", len(late.revs))
	}
}

// errKilled is what every change of the folder meets once the publisher was
// killed.
var errKilled = errors.New("killed")

func TestKilledAnywhere(t *testing.T) {
	o := nodetest.NewOrigin(nodetest.OriginConfig{Type: nodetest.VOD, Length: 6, Format: nodetest.FMP4, DiscontinuityEvery: 3, Bitrates: []int{100_000}, Audio: []string{"en"}})
	source := o.Start(t)
	cfg := Config{State: t.TempDir(), Source: source}
	var m *memory
	ended := false
	deaths := 0
	for at := 0; !ended; at = (at + 1) % 9 {
		if deaths++; deaths > 400 {
			t.Fatal("no end")
		}
		var mu sync.Mutex
		left, dead := at, make(chan struct{})
		step := func(string) error {
			mu.Lock()
			defer mu.Unlock()
			if left--; left == -1 {
				close(dead)
			}
			if left < 0 {
				return errKilled
			}
			return nil
		}
		p, err := open(cfg, step)
		if err != nil {
			if !errors.Is(err, errKilled) {
				t.Fatal(err)
			}
			continue
		}
		if m == nil {
			m = newMemory(t, p)
		}
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- p.Run(ctx, m) }()
		for alive := true; alive; {
			m.mu.Lock()
			ended = m.ended(0) && m.ended(1) && m.whole()
			news := m.news
			m.mu.Unlock()
			if ended {
				break
			}
			select {
			case <-dead:
				alive = false
			case <-news:
			case <-time.After(3 * time.Second):
				t.Fatal("nothing happens")
			}
		}
		cancel()
		<-done
		p.Close()
	}
	t.Logf("%d deaths", deaths)
	for r := range uint16(2) {
		if n := len(m.media(r)); n != 6 {
			t.Errorf("rendition %d: %d segments", r, n)
		}
	}
	m.checkBytes(o, 0, 0)
	m.checkBytes(o, 1, 1)
	// Someone who joins only now is offered all of it, consistently.
	var late *memory
	start(t, cfg, func(p *Publisher) Sink { late = newMemory(t, p); return late })
	late.until("all again", func() bool { return late.ended(0) && late.ended(1) })
	late.mu.Lock()
	defer late.mu.Unlock()
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, e := range late.entries {
		if o := m.feed.Entry(e.ID()); !e.End && (o == nil || o.Index != e.Index || o.Root() != e.Root()) {
			t.Errorf("%v is offered, and is not what was", e.ID())
		}
	}
}
