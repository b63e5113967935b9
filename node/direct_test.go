package node

import (
	"bytes"
	"crypto/ed25519"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"coral/node/budget"
	"coral/node/channel"
	"coral/node/nodetest"
	"coral/node/schedule"
	"coral/store/segment"
)

// lines collects what is logged.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *lines) count(what string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.b.String(), what)
}

// Who watches a playlist that cannot be had is told so, once.
func TestOriginFailsAloud(t *testing.T) {
	t.Parallel()
	o := nodetest.NewOrigin(live)
	said := &lines{}
	n := open(t, Config{Upload: budget.Unlimited, Download: budget.Unlimited, ProxyAddr: "127.0.0.1:0", Log: slog.New(slog.NewTextHandler(said, &slog.HandlerOptions{Level: slog.LevelWarn}))})
	s := watch(t, n, &channel.Link{Playlist: o.Start(t)})
	k := ticker{}
	stop := background(t, s, nodetest.PlayerConfig{Behind: behind, OnSegment: k.on})
	k.more(t, 2)
	if got := said.count("level=WARN"); got != 0 {
		t.Fatalf("%d warnings: %s", got, said.b.String())
	}
	const failed = "origin's playlist failed"
	for i := range 2 {
		o.Set(nodetest.Faults{Status: 503, Only: []nodetest.Kind{nodetest.Master, nodetest.Media}})
		until(t, "a warning", s, func(Stats) bool { return said.count(failed) > i })
		asked := s.Stats().OriginRequests
		until(t, "more requests", s, func(st Stats) bool { return st.OriginRequests >= asked+4 })
		o.Set(nodetest.Faults{})
		k.more(t, 3)
	}
	stop()
	if got := said.count(failed); got != 2 {
		t.Errorf("told %d times of two failures: %s", got, said.b.String())
	}
}

// What is kept of an origin's own segments is bounded in bytes, too.
func TestKeepsFewLargeSegments(t *testing.T) {
	s := &Session{direct: &direct{}, objects: map[segment.ID]*object{}}
	add := func(sequence uint64, size int) {
		o := newObject(segment.ID{Sequence: sequence}, "")
		o.ram = make([][]byte, segment.Blocks(size))
		s.objects[o.id] = o
		s.keepDirect(o)
	}
	for i := range uint64(10) {
		add(i, segment.MaxSize)
	}
	if n := len(s.direct.kept); n != 2 || len(s.objects) != n {
		t.Errorf("%d of the largest kept", n)
	}
	for i := range uint64(10) {
		add(10+i, 100)
	}
	if n := len(s.direct.kept); n != directKept || s.direct.kept[n-1].id.Sequence != 19 {
		t.Errorf("%d small ones kept", n)
	}
}

// A peer's questions for records are answered as fast as honest ones come, and a
// few at once, but not without end.
func TestQuestionsAreCounted(t *testing.T) {
	at := func(d time.Duration) schedule.Instant { return schedule.Instant(d) }
	honest, greedy := &peer{}, &peer{}
	answered := 0
	for d := time.Second; d <= 11*time.Second; d += 10 * time.Millisecond {
		if d%(500*time.Millisecond) == 0 && !honest.mayAsk(at(d)) {
			t.Errorf("an honest question after %v goes unanswered", d)
		}
		if greedy.mayAsk(at(d)) {
			answered++
		}
	}
	if most := answerBurst + int(10*time.Second/answerEvery); answered > most {
		t.Errorf("%d of 1000 questions in 10 s answered, want at most %d", answered, most)
	}
}

// Where others have what a player asks for first, it waits for the feed, but not long.
func TestWaitsForFeed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &Session{begun: time.Now(), calls: make(chan func()), renditions: map[uint16]*rendition{}}
		s.sched, s.feed = schedule.New(schedule.Config{}), channel.NewFeed(s.key, make(ed25519.PublicKey, ed25519.PublicKeySize), channel.FeedOptions{})
		r := s.rendition(0)
		s.counts.size = 2
		if s.feedSoon(r, s.instant()) {
			t.Error("waits where there is only the publisher")
		}
		s.counts.size = 3
		changed := r.changed
		if !s.feedSoon(r, s.instant()) {
			t.Error("does not wait")
		}
		(<-s.calls)()
		if <-changed; time.Since(s.begun) != feedWait || s.feedSoon(r, s.instant()) {
			t.Errorf("waits for longer than %v", time.Since(s.begun))
		}
	})
}

// Viewers who turn to the origin's own playlist do not do so all at once: no more
// than its line carries.
func TestTurns(t *testing.T) {
	const viewers, took = 200, time.Second
	var begun [viewers]int
	for i := range viewers {
		at := turn([20]byte{byte(i), byte(i >> 8)}, segment.ID{Sequence: 7}, viewers, took)
		if at < 0 || at >= viewers*took {
			t.Fatalf("viewer %d: in %v", i, at)
		}
		begun[at/took]++
	}
	if most := slices.Max(begun[:]); most > 10 {
		t.Errorf("%d begin within the time that one takes", most)
	}
	if turn([20]byte{1}, segment.ID{Sequence: 7}, 10, 0) != 0 {
		t.Error("a wide line makes wait")
	}
}
