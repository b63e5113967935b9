package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// reportEvery is how often the file and the live line are renewed.
const reportEvery = time.Second

// report tells of sessions: in a file, and on a terminal in a live line.
type report struct {
	env      *environment
	file     string // "": none
	sessions []interface{ Stats() stats }
	line     func(stats) string
	broken   <-chan error // ends run, as an error
	drawn    bool
	failed   bool // the file could not be written, which was said
	begun    time.Time
}

func newReport(env *environment, file string) *report {
	return &report{env: env, file: file, begun: time.Now(), line: sourcesLine}
}

func (r *report) add(s interface{ Stats() stats }) { r.sessions = append(r.sessions, s) }

// run reports until ctx ends. A file that cannot be written at first is an
// error: the path is wrong. Later it is only said once.
func (r *report) run(ctx context.Context) error {
	if err := r.write(); err != nil {
		return fmt.Errorf("write counts: %w", err)
	}
	tick := time.NewTicker(reportEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-r.broken:
			return err
		case <-tick.C:
		}
		if err := r.write(); err != nil && !r.failed {
			r.failed = true
			r.say("counts cannot be written: " + err.Error())
		}
		if r.env.draws {
			// To the line's start, the text, and the rest of the line cleared.
			fmt.Fprintf(r.env.stderr, "\r%s\x1b[K", r.line(sum(r.sessions)))
			r.drawn = true
		}
	}
}

// finish writes the counts a last time, when everything has ended.
func (r *report) finish(err error) error {
	if len(r.sessions) > 0 {
		if werr := r.write(); err == nil && werr != nil {
			err = fmt.Errorf("write counts: %w", werr)
		}
	}
	if r.drawn {
		fmt.Fprintln(r.env.stderr)
	}
	return ended(err)
}

func (r *report) say(text string) {
	if r.drawn {
		fmt.Fprintln(r.env.stderr)
		r.drawn = false
	}
	fmt.Fprintf(r.env.stderr, "coralnode: %s\n", oneLine(text))
}

// several is what the file holds where more than one channel is seeded: the
// sums, and each.
type several struct {
	stats
	Channels []stats `json:"channels"`
}

func (r *report) write() error {
	if r.file == "" {
		return nil
	}
	total := sum(r.sessions)
	var value any = total
	if len(r.sessions) > 1 {
		all := several{stats: total}
		for _, s := range r.sessions {
			all.Channels = append(all.Channels, s.Stats())
		}
		value = all
	}
	b, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return err
	}
	return writeWhole(r.file, append(b, '\n'), 0o644)
}

// sum adds up what can be; of times it takes the longest.
func sum(sessions []interface{ Stats() stats }) (t stats) {
	for i, session := range sessions {
		s := session.Stats()
		if i == 0 {
			t = s
			continue
		}
		t.Channel += ", " + s.Channel
		t.Verified = t.Verified && s.Verified
		t.Bytes.FromPeers += s.Bytes.FromPeers
		t.Bytes.FromOrigin += s.Bytes.FromOrigin
		t.Bytes.FromCache += s.Bytes.FromCache
		t.Bytes.ToPeers += s.Bytes.ToPeers
		t.Bytes.Duplicate += s.Bytes.Duplicate
		t.Bytes.Control += s.Bytes.Control
		t.Bytes.Unverified += s.Bytes.Unverified
		t.Segments.FromPeers += s.Segments.FromPeers
		t.Segments.FromOrigin += s.Segments.FromOrigin
		t.Segments.FromCache += s.Segments.FromCache
		t.Segments.Mixed += s.Segments.Mixed
		t.Peers.Connected += s.Peers.Connected
		t.Peers.Known += s.Peers.Known
		t.Peers.Banned = max(t.Peers.Banned, s.Peers.Banned) // bans hold for the whole node
		t.BadBlocks += s.BadBlocks
		t.StartupMS = max(t.StartupMS, s.StartupMS)
		t.OriginRequests += s.OriginRequests
		t.Feed.Entries += s.Feed.Entries
		t.Feed.Rejected += s.Feed.Rejected
		t.Feed.LagMS = max(t.Feed.LagMS, s.Feed.LagMS)
		t.Sharing = t.Sharing || s.Sharing
		t.SentWire += s.SentWire
		t.ReceivedWire += s.ReceivedWire
	}
	return t
}

// sourcesLine tells in one line where the bytes come from.
func sourcesLine(s stats) string {
	b := s.Bytes
	origin := b.FromOrigin + b.Unverified
	total := b.FromPeers + origin + b.FromCache
	if total == 0 {
		return fmt.Sprintf("waiting for the first segment · %s", peers(s.Peers.Connected))
	}
	parts := []string{}
	for _, p := range []struct {
		name  string
		bytes int64
	}{{"peers", b.FromPeers}, {"origin", origin}, {"cache", b.FromCache}} {
		if p.bytes > 0 {
			parts = append(parts, fmt.Sprintf("%s %d %%", p.name, (p.bytes*100+total/2)/total))
		}
	}
	parts = append(parts, peers(s.Peers.Connected), "given "+bytesText(b.ToPeers))
	if s.Verified {
		parts = append(parts, "verified")
	} else {
		parts = append(parts, "NOT verified")
	}
	return strings.Join(parts, " · ")
}

// givenLine tells a publisher what its line carries.
func givenLine(s stats) string {
	return fmt.Sprintf("%s · %d segments signed · given %s", peers(s.Peers.Connected), s.Feed.Entries, bytesText(s.Bytes.ToPeers))
}

func peers(n int) string {
	if n == 1 {
		return "1 peer"
	}
	return fmt.Sprintf("%d peers", n)
}

func bytesText(n int64) string {
	switch {
	case n >= 1e9:
		return fmt.Sprintf("%.2f GB", float64(n)/1e9)
	case n >= 1e6:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	}
	return fmt.Sprintf("%d kB", n/1e3)
}
