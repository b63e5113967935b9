package proxy

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"coral/node/hls"
	"coral/node/nodetest"
	"coral/store/segment"
)

// TestModelPlayer: a live channel whose segments appear up to jitter late and
// whose blocks come one after the other. Nothing is wrong, late or missing. A
// player that polls a moment too early would learn of the segment half a target
// duration later; because playlists are held, it learns at once.
func TestModelPlayer(t *testing.T) {
	const (
		long    = 2 * time.Second
		jitter  = 300 * time.Millisecond
		arrival = 10 * time.Millisecond // from one block to the next
		length  = 20 * time.Minute
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
				ctx, cancel := context.WithTimeout(t.Context(), length)
				defer cancel()
				done := make(chan struct{})
				go func() {
					defer close(done)
					for seq := uint64(0); ctx.Err() == nil; seq++ {
						late := time.Duration(rand.New(rand.NewPCG(1, seq)).Int64N(int64(jitter)))
						time.Sleep(time.Until(begin.Add(time.Duration(seq+1)*long + late)))
						publish(seq)
					}
				}()
				time.Sleep(7*long + time.Millisecond) // mostly too early, until it was held once or twice
				r := nodetest.Play(ctx, nodetest.PlayerConfig{URL: s.mount.URL(), Client: s.client, Range: true})
				<-done
				if r.Corrupt+len(r.Stalls)+r.Skipped+r.Failed > 0 || r.Segments < int((length-10*long)/long) || r.Startup > arrival {
					t.Error(r)
				}
				worst := slices.Max(r.Ready[6:]) // the first were there before it came, and it is aligned by the third
				if limit := jitter + 4*arrival; worst > limit {
					t.Errorf("a segment was ready %v after it existed, want at most %v", worst, limit)
				}
				if s.mount.Stats().Held == 0 {
					t.Error("no playlist was held")
				}
				if r.Playlists > 2*r.Segments+10 {
					t.Errorf("%d playlists for %d segments", r.Playlists, r.Segments)
				}
			})
		})
	}
}
