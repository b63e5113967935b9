package sim

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"coral/node/schedule"
)

// TestShards holds a run that is divided against itself, and against the same
// audience in one piece.
func TestShards(t *testing.T) {
	cfg := func(viewers int) Config {
		c := thousand(1, 20*time.Second)
		c.Rate = thinRate
		g := &c.Groups[0]
		g.Count, g.Every, g.Join = viewers, 3*time.Second/time.Duration(viewers), 4*time.Second
		return c
	}
	a, b := newWorld(cfg(fewViewers+1)), newWorld(cfg(fewViewers+1))
	a.run()
	b.run()
	if len(a.shards) != shards {
		t.Fatalf("%d shards, want %d", len(a.shards), shards)
	}
	if !reflect.DeepEqual(a.result, b.result) {
		t.Errorf("two runs of one configuration differ:\n%v\n%v", &a.result, &b.result)
	}
	whole := cfg(fewViewers)
	one := newWorld(whole)
	one.run()
	if len(one.shards) != 1 {
		t.Fatalf("%d shards, want 1", len(one.shards))
	}
	for _, x := range []struct {
		what      string
		got, want float64
	}{
		{"median delay", a.result.ReadyP50.Seconds(), one.result.ReadyP50.Seconds()},
		{"start-up", a.result.StartP50.Seconds(), one.result.StartP50.Seconds()},
		{"steps", float64(a.result.Steps), float64(one.result.Steps)},
		{"bytes sent by the origin", a.result.Copies, one.result.Copies},
	} {
		if x.got < 0.85*x.want || x.got > 1.15*x.want {
			t.Errorf("%s: %v in shards, %v in one piece", x.what, x.got, x.want)
		}
	}
	t.Logf("in shards: %v\nin one piece: %v", &a.result, &one.result)
}

// Taken window by window a queue gives what it gives at once, in the same order.
func TestQueueLimit(t *testing.T) {
	fill := func() *queue {
		q := &queue{end: schedule.Instant(10 * time.Second)}
		rng := rand.New(rand.NewPCG(1, 2))
		for i := range 5000 {
			q.put(schedule.Instant(rng.Int64N(int64(11*time.Second))), event{block: int32(i)})
		}
		return q
	}
	drain := func(q *queue, limit schedule.Instant) (got []int32) {
		last := schedule.Instant(0)
		for {
			at, ev, ok := q.take(limit)
			if !ok {
				return got
			}
			if at < last || at > limit {
				t.Fatalf("%d after %d, with a limit of %d", at, last, limit)
			}
			if last = at; ev.block%7 == 0 && ev.block < 5000 { // it leads to something at once
				q.put(at, event{block: ev.block + 5000})
			}
			got = append(got, ev.block)
		}
	}
	q, w := fill(), fill()
	all, parts := drain(q, schedule.Never), []int32(nil)
	for at := schedule.Instant(0); at < q.end; at += schedule.Instant(7 * time.Millisecond) {
		parts = append(parts, drain(w, at)...)
	}
	parts = append(parts, drain(w, schedule.Never)...)
	if !slices.Equal(all, parts) || len(all) < 5000 {
		t.Errorf("%d events at once, %d in parts, or in another order", len(all), len(parts))
	}
}
