package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"
)

// line is one line that is drawn over on a terminal, and printed anew elsewhere.
type line struct {
	w     *os.File
	draws bool
	drawn bool
}

func newLine(w *os.File) *line {
	info, err := w.Stat()
	return &line{w: w, draws: err == nil && info.Mode()&fs.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb"}
}

func (l *line) show(text string) {
	if !l.draws {
		fmt.Fprintln(l.w, text)
		return
	}
	fmt.Fprintf(l.w, "\r%s\x1b[K", text)
	l.drawn = true
}

func (l *line) end() {
	if l.drawn {
		fmt.Fprintln(l.w)
	}
}

// demoStats is what the line and the lab need of coralnode's --stats-file.
type demoStats struct {
	Verified bool `json:"verified"`
	Bytes    struct {
		FromPeers  int64 `json:"from_peers"`
		FromOrigin int64 `json:"from_origin"`
		FromCache  int64 `json:"from_cache"`
		Unverified int64 `json:"unverified"`
		ToPeers    int64 `json:"to_peers"`
		Duplicate  int64 `json:"duplicate"`
		Control    int64 `json:"control"`
	} `json:"bytes"`
	Peers struct {
		Connected int `json:"connected"`
		Banned    int `json:"banned"`
	} `json:"peers"`
	BadBlocks int64 `json:"bad_blocks"`
}

func readStats(name string) (s demoStats, err error) {
	b, err := os.ReadFile(name)
	if err == nil {
		err = json.Unmarshal(b, &s)
	}
	return s, err
}

func (s *demoStats) origin() int64 { return s.Bytes.FromOrigin + s.Bytes.Unverified }
func (s *demoStats) got() int64    { return s.Bytes.FromPeers + s.origin() }
func (s *demoStats) total() int64  { return s.got() + s.Bytes.FromCache }

// text is such as: playing 00:42 · peers 71 % · origin 29 % · verified
func (s *demoStats) text(played time.Duration) string {
	sec := int(played.Seconds())
	parts := []string{fmt.Sprintf("playing %02d:%02d", sec/60, sec%60)}
	for _, p := range []struct {
		name   string
		bytes  int64
		always bool
	}{{"peers", s.Bytes.FromPeers, true}, {"origin", s.origin(), true}, {"cache", s.Bytes.FromCache, false}} {
		if p.always || p.bytes > 0 {
			parts = append(parts, fmt.Sprintf("%s %d %%", p.name, (p.bytes*100+s.total()/2)/s.total()))
		}
	}
	if s.Verified {
		return strings.Join(append(parts, "verified"), " · ")
	}
	return strings.Join(append(parts, "not verified"), " · ")
}
