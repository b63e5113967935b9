package proxy

import (
	"context"
	"slices"
	"testing"
	"time"

	"coral/node/hls"
	"coral/node/nodetest"
	"coral/store/segment"
)

// TestModelPlayer: an hour of a live channel whose blocks come one after the
// other. Nothing is wrong, late or missing, and because playlists are held, no
// segment is fetched later after it exists than its bytes take to come.
func TestModelPlayer(t *testing.T) {
	const (
		long    = 2 * time.Second
		arrival = 10 * time.Millisecond // from one block to the next
		hour    = time.Hour
	)
	for name, isSingle := range map[string]bool{"single": true, "multivariant": false} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, s *setup) {
				pres := single()
				pres.Single = isSingle
				s.set(func() { s.presentation = pres })
				begin := time.Now()
				publish := func(seq uint64) {
					id := nodetest.Ident{Sequence: seq}
					b := &blob{data: nodetest.Bytes(nodetest.TS, id, nodetest.Size(id, 300_000, long.Seconds())), sizeKnown: true}
					s.set(func() {
						s.objects[segment.ID{Sequence: seq}] = b
						delete(s.objects, segment.ID{Sequence: seq - 10})
					})
					s.liveSegment(hls.Segment{Sequence: seq, URI: "x.ts", Duration: long, ProgramDateTime: begin.Add(time.Duration(seq) * long)}, 6, false)
					for b.come < len(b.data) {
						time.Sleep(arrival)
						s.set(func() { b.come = min(len(b.data), b.come+segment.BlockSize) })
					}
				}
				ctx, cancel := context.WithTimeout(t.Context(), hour)
				defer cancel()
				done := make(chan struct{})
				go func() {
					defer close(done)
					for seq := uint64(0); ctx.Err() == nil; seq++ {
						time.Sleep(time.Until(begin.Add(time.Duration(seq+1) * long)))
						publish(seq)
					}
				}()
				time.Sleep(7 * long)
				r := nodetest.Play(ctx, nodetest.PlayerConfig{URL: s.mount.URL(), Client: s.client, Range: true})
				<-done
				if r.Corrupt+r.Stalls+r.Skipped+r.Failed > 0 || r.Segments < int((hour-10*long)/long) || r.Startup > arrival {
					t.Error(r)
				}
				worst := slices.Max(r.Ready[3:])
				if limit := 4 * arrival; worst > limit {
					t.Errorf("a segment was ready %v after it existed, want at most %v", worst, limit)
				}
				if r.Playlists > 2*r.Segments+10 {
					t.Errorf("%d playlists for %d segments", r.Playlists, r.Segments)
				}
			})
		})
	}
}
