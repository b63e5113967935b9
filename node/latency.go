package node

import (
	"time"

	"coral/node/channel"
	"coral/node/proxy"
)

// startSegments is how many segments before the end of what is listed every
// player begins to play, or sooner (RFC 8216, section 6.3.3).
const startSegments = 3

// keepBack leaves the newest segments of a live playlist unlisted, so that players
// which begin startSegments before its end are as far from the live edge as is
// wanted. They are fetched all the same: the distance is a buffer. What has been
// listed once stays.
func (s *Session) keepBack(r *rendition, pl *proxy.Playlist) {
	m := &pl.Media
	wanted := s.node.cfg.Latency
	if wanted <= 0 || m.Type != channel.Live || m.Ended {
		return
	}
	distance, keep := time.Duration(0), len(m.Segments)
	for i := range m.Segments[max(0, keep-startSegments):] {
		distance += m.Segments[keep-1-i].Duration
	}
	for keep > startSegments {
		// With one segment less the distance is longer by the last one.
		last := &m.Segments[keep-1]
		if distance+last.Duration/2 > wanted || last.Sequence <= r.shown {
			break
		}
		distance += last.Duration
		m.HoldBack = max(0, m.HoldBack-last.Duration)
		keep--
	}
	m.Segments, pl.IDs, pl.Inits, pl.Keys, pl.InitKeys = m.Segments[:keep], pl.IDs[:keep], pl.Inits[:keep], pl.Keys[:keep], pl.InitKeys[:keep]
}
