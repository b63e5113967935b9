package publish

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"
)

// TestRandomSource: whatever a packager writes, however little sense it makes, and
// however often the publisher is started anew, viewers take what is signed.
func TestRandomSource(t *testing.T) {
	for seed := range uint64(8) {
		synctest.Test(t, func(t *testing.T) {
			s := &randomSource{rng: rand.New(rand.NewPCG(seed, 3)), dir: t.TempDir()}
			cfg := Config{Source: s.dir, State: t.TempDir()}
			var m *memory
			r := start(t, cfg, func(p *Publisher) Sink { m = newMemory(t, p); return m })
			for range 150 {
				s.write(t)
				pause(t, time.Duration(50+s.rng.IntN(800))*time.Millisecond)
				if s.one(40) {
					r.stop()
					r = start(t, cfg, func(*Publisher) Sink { return m })
				}
			}
			r.stop()
			m.mu.Lock()
			defer m.mu.Unlock()
			if len(m.entries) < 30 {
				t.Errorf("seed %d: only %d entries", seed, len(m.entries))
			}
		})
	}
}

// randomSource writes a folder that makes little sense.
type randomSource struct {
	rng                        *rand.Rand
	dir                        string
	first, last, discontinuity int
}

func (s *randomSource) one(of int) bool { return s.rng.IntN(of) == 0 }

func (s *randomSource) file(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, name), data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// write writes what comes next.
func (s *randomSource) write(t *testing.T) {
	t.Helper()
	s.move()
	b := s.head()
	for i := s.first; i < s.last; i++ {
		for _, tag := range []string{
			"#EXT-X-DISCONTINUITY", "#EXT-X-GAP", "#EXT-X-BYTERANGE:300@50",
			fmt.Sprintf("#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:%02dZ", s.rng.IntN(60)),
		} {
			if s.one(20) {
				b = fmt.Appendln(b, tag)
			}
		}
		name := fmt.Sprintf("s%d.ts", i%(20+s.rng.IntN(3)))
		b = fmt.Appendf(b, "#EXTINF:%d.%d,\n%s\n", s.rng.IntN(3), s.rng.IntN(10), name)
		if !s.one(6) { // else it is missing, or another's
			s.file(t, name, segmentBytes(i))
		}
	}
	if s.one(15) {
		b = append(b, "#EXT-X-ENDLIST\n"...)
	}
	if s.one(20) {
		b = b[:s.rng.IntN(len(b))]
	}
	s.file(t, "init0.mp4", []byte("\x00\x00\x00\x08ftyp"))
	if s.one(2) {
		s.file(t, "init1.mp4", []byte("\x00\x00\x00\x08moov"))
	}
	if s.one(10) {
		s.file(t, "master.m3u8", fmt.Appendf(nil, "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=%d\nlive.m3u8\n#EXT-X-STREAM-INF:BANDWIDTH=3\n%d.m3u8\n", 1+s.rng.IntN(2), s.rng.IntN(2)))
	}
	if s.one(20) {
		_ = os.Remove(filepath.Join(s.dir, "master.m3u8"))
	}
	s.file(t, "live.m3u8", b)
	if s.one(4) {
		s.file(t, fmt.Sprintf("%d.m3u8", s.rng.IntN(2)), b)
	}
}

// move slides the window: on, most of the time.
func (s *randomSource) move() {
	if s.one(40) { // the packager begins anew
		s.first = s.rng.IntN(5)
		s.last = s.first
	}
	if !s.one(3) {
		s.last += s.rng.IntN(3)
	}
	if s.one(30) {
		s.last += s.rng.IntN(500)
	}
	if s.last-s.first > 6 {
		s.first = s.last - s.rng.IntN(7)
	}
	if s.one(25) {
		s.first = max(0, s.first-s.rng.IntN(5))
	}
}

// head begins a playlist.
func (s *randomSource) head() []byte {
	b := fmt.Appendf(nil, "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:%d\n#EXT-X-MEDIA-SEQUENCE:%d\n", s.rng.IntN(4), s.first)
	if s.one(12) {
		b = fmt.Appendf(b, "#EXT-X-PLAYLIST-TYPE:%s\n", []string{"VOD", "EVENT"}[s.rng.IntN(2)])
	}
	if s.one(4) {
		s.discontinuity += s.rng.IntN(2)
		b = fmt.Appendf(b, "#EXT-X-DISCONTINUITY-SEQUENCE:%d\n", s.discontinuity)
	}
	if s.one(5) {
		b = fmt.Appendf(b, "#EXT-X-MAP:URI=\"init%d.mp4\"\n", s.rng.IntN(3))
	}
	if s.one(9) {
		b = fmt.Appendf(b, "#EXT-X-KEY:METHOD=AES-128,URI=\"k%d\"\n", s.rng.IntN(2))
	}
	return b
}
