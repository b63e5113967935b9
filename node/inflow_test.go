package node

import (
	"testing"
	"time"

	"coral/node/schedule"
)

// What comes is told once something has been coming for a second, whichever
// segment that was, and follows the line within as much.
func TestInflow(t *testing.T) {
	const tick = 50 * time.Millisecond
	var f inflow
	now := schedule.Instant(time.Hour)
	begun := now
	run := func(d time.Duration, bits float64) (flow int64) {
		for end := now + schedule.Instant(d); now < end; now += schedule.Instant(tick) {
			f.turn(now)
			f.bytes[f.part%inflowParts] += int64(bits / 8 * tick.Seconds())
			flow = f.flow(now, true, time.Duration(now-max(begun, now-schedule.Instant(300*time.Millisecond))))
		}
		return flow
	}
	near := func(what string, got int64, want float64) {
		t.Helper()
		if float64(got) < want*0.85 || float64(got) > want*1.15 {
			t.Errorf("%s: %d, want about %.0f", what, got, want)
		}
	}
	if got := run(900*time.Millisecond, 8e6); got != 0 {
		t.Errorf("before a second is over: %d", got)
	}
	near("after it", run(time.Second, 8e6), 8e6)
	near("the line broke a second ago", run(inflowSpan+tick, 1.5e6), 1.5e6)
	if got := f.flow(now, false, 0); got != 0 {
		t.Errorf("nothing is coming: %d", got)
	}
	begun = now
	if got := run(800*time.Millisecond, 1.5e6); got != 0 {
		t.Errorf("the next has just begun: %d", got)
	}
	now += schedule.Instant(time.Minute)
	if got := f.rate(now); got != 1 {
		t.Errorf("after a minute of nothing: %d", got)
	}
}
