package node

import (
	"time"

	"coral/node/channel"
	"coral/node/schedule"
	"coral/store/segment"
)

// Stats is what one session has done so far. Bytes are payload except where
// said; coralnode writes it as JSON, whose names acceptance relies on.
type Stats struct {
	Channel  string `json:"channel"`
	Verified bool   `json:"verified"` // the playlists shown now come from the signed feed
	Bytes    struct {
		FromPeers  int64 `json:"from_peers"`
		FromOrigin int64 `json:"from_origin"`
		FromCache  int64 `json:"from_cache"`
		ToPeers    int64 `json:"to_peers"`
		Duplicate  int64 `json:"duplicate"`  // came though held already
		Control    int64 `json:"control"`    // messages to and from peers that carry no block
		Unverified int64 `json:"unverified"` // from the origin for the player alone, no entry known
	} `json:"bytes"`
	Segments struct {
		FromPeers  int64 `json:"from_peers"`
		FromOrigin int64 `json:"from_origin"`
		FromCache  int64 `json:"from_cache"`
		Mixed      int64 `json:"mixed"`
	} `json:"segments"`
	Peers struct {
		Connected int `json:"connected"`
		Known     int `json:"known"`
		Banned    int `json:"banned"`
	} `json:"peers"`
	BadBlocks      int64 `json:"bad_blocks"`
	StartupMS      int64 `json:"startup_ms"` // from opening the channel to the first whole segment; 0: not yet
	OriginRequests int64 `json:"origin_requests"`
	Feed           struct {
		Entries  int64 `json:"entries"`
		Rejected int64 `json:"rejected"`
		LagMS    int64 `json:"lag_ms"` // between signing at the publisher and arrival here, by both clocks
	} `json:"feed"`
	// Sharing says whether peers may be spoken to at all.
	Sharing bool `json:"sharing"`
	// SentWire and ReceivedWire count all bytes to and from peers as they are on
	// the wire, headers included.
	SentWire     int64 `json:"sent_wire"`
	ReceivedWire int64 `json:"received_wire"`
}

// counts are a session's running totals, owned by its goroutine.
type counts struct {
	bytes        [3]int64 // by source
	toPeers      int64
	duplicate    int64
	unverified   int64
	segments     [3]int64
	mixed        int64
	badBlocks    int64
	entries      int64
	rejected     int64
	lag          time.Duration
	contradicted bool // the publisher has contradicted itself, and the log has said so
	startup      schedule.Instant
	size         int              // of the swarm, as last told to the scheduler,
	sized        schedule.Instant // and when it was last seen to be that large
	filled       schedule.Instant // when entries from before were last asked for
	kept, swept  schedule.Instant // when housekeeping was last done
}

// whole counts a complete segment by where its blocks came from.
func (c *counts) whole(o *object) {
	sources, only := 0, 0
	for i, n := range o.got {
		if n > 0 {
			sources++
			only = i
		}
	}
	if o.got[fromCache] > 0 {
		for i := range segment.Blocks(o.size) {
			if i < o.got[fromCache] {
				c.bytes[fromCache] += int64(segment.BlockLen(o.size, i))
			}
		}
	}
	if sources == 1 {
		c.segments[only]++
	} else {
		c.mixed++
	}
}

// entered counts an entry that came at now.
func (c *counts) entered(e *channel.Entry, now time.Time) {
	c.entries++
	if lag := now.Sub(e.Time); lag >= 0 {
		c.lag = lag
	}
}

// Stats returns what the session has done so far.
func (s *Session) Stats() Stats {
	var st Stats
	st.Channel = s.Name()
	ran := make(chan struct{})
	select {
	case s.calls <- func() { s.fill(&st); close(ran) }:
		select {
		case <-ran:
		case <-s.done:
		}
	case <-s.done:
		s.fill(&st) // nobody else touches it any more
	}
	return st
}

func (s *Session) fill(st *Stats) {
	c := &s.counts
	st.Verified = s.showsVerified()
	st.Bytes.FromPeers, st.Bytes.FromOrigin, st.Bytes.FromCache = c.bytes[fromPeers], c.bytes[fromOrigin], c.bytes[fromCache]
	st.Bytes.ToPeers, st.Bytes.Duplicate, st.Bytes.Unverified = c.toPeers, c.duplicate, c.unverified
	st.Segments.FromPeers, st.Segments.FromOrigin, st.Segments.FromCache = c.segments[fromPeers], c.segments[fromOrigin], c.segments[fromCache]
	st.Segments.Mixed = c.mixed
	st.BadBlocks = c.badBlocks
	st.StartupMS = (time.Duration(c.startup) + time.Millisecond - 1).Milliseconds() // 0 says: not yet
	st.OriginRequests = s.origin.Stats().Requests
	st.Feed.Entries, st.Feed.Rejected, st.Feed.LagMS = c.entries, c.rejected, c.lag.Milliseconds()
	st.Sharing = s.swarm != nil
	st.SentWire, st.ReceivedWire, st.Bytes.Control = s.wire()
	st.Peers.Banned = s.parted.banned
	if s.swarm != nil {
		st.Peers.Connected, st.Peers.Known, st.Peers.Banned = len(s.peers), s.swarm.Known(), s.swarm.Banned()
	}
}

// showsVerified reports whether all that players are shown now is verified.
func (s *Session) showsVerified() bool {
	any := false
	for _, r := range s.renditions {
		if r.play.active() {
			if !s.feedServes(r) || s.behind(r) {
				return false
			}
			any = true
		}
	}
	return any || s.feed != nil && s.feed.Presentation() != nil
}
