package meter

import (
	"io"
	"net/netip"
	"testing"
	"time"

	"coral/node/budget"
)

// The gauge sees what new acknowledgements say through the kernel's smoothing.
func TestDelayGauge(t *testing.T) {
	var g delayGauge
	now := time.Unix(100, 0)
	k := counters{minRTT: 20 * time.Millisecond, rtt: 20 * time.Millisecond}
	ack := func(n int64, rtt time.Duration) {
		now = now.Add(reconcileEvery)
		k.acked += n * 2 * guessedMSS
		k.segsIn += n
		for range n {
			k.rtt += (rtt - k.rtt) / 8
		}
		g.look(k, now)
	}
	for _, c := range []struct {
		acks      int64
		rtt, want time.Duration
	}{
		{10, 20 * time.Millisecond, 0},
		{4, 120 * time.Millisecond, 100 * time.Millisecond},
		{2, 220 * time.Millisecond, 200 * time.Millisecond},
		{20, 40 * time.Millisecond, 20 * time.Millisecond},
	} {
		ack(c.acks, c.rtt)
		if d := g.delay - c.want; d < -time.Millisecond || d > time.Millisecond || g.at != now {
			t.Errorf("%d acknowledgements after %v: a delay of %v", c.acks, c.rtt, g.delay)
		}
	}
	was := g
	ack(1, time.Second) // too little to tell
	if g != was {
		t.Errorf("one acknowledgement: %+v", g)
	}
	var silent delayGauge
	silent.look(counters{acked: 1 << 20}, now) // a system that does not tell
	if !silent.at.IsZero() {
		t.Errorf("nothing is known: %+v", silent)
	}
}

func TestOwnQueue(t *testing.T) {
	ms := func(v ...int) (d []time.Duration) {
		for _, v := range v {
			d = append(d, time.Duration(v)*time.Millisecond)
		}
		return d
	}
	for _, c := range []struct {
		delays []time.Duration
		want   time.Duration
	}{
		{nil, 0},
		{ms(50), 50 * time.Millisecond},
		{ms(300, 50), 50 * time.Millisecond},        // the other's queue
		{ms(0, 80, 90, 400), 80 * time.Millisecond}, // a newcomer, and another's queue
	} {
		if got := ownQueue(c.delays); got != c.want {
			t.Errorf("%v: %v", c.delays, got)
		}
	}
}

// A full line holds data back, without a cap too, but no control messages; and a
// server takes no notice of it.
func TestGiveWay(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		how   Manner
		waits bool
	}{{Background, true}, {Watching, true}, {Steady, false}} {
		m, free := New(budget.Unlimited, budget.Unlimited, netip.Addr{}), New(budget.Unlimited, budget.Unlimited, netip.Addr{})
		m.SetManner(c.how)
		x, y := pair(t, m, free)
		control, z := pair(t, m, free)
		go io.Copy(io.Discard, y)
		go io.Copy(io.Discard, z)
		for range 3 {
			x.mu.Lock()
			x.delay = delayGauge{delay: time.Second, at: time.Now()}
			x.mu.Unlock()
			m.giveWay()
			time.Sleep(10 * time.Millisecond)
		}
		wrote := make(chan time.Duration, 1)
		began := time.Now()
		go func() {
			_, _ = x.Write(make([]byte, 8<<10)) // a second at what is always left
			wrote <- time.Since(began)
		}()
		time.Sleep(10 * time.Millisecond)
		for range 10 {
			if _, err := control.Write(make([]byte, 300)); err != nil {
				t.Fatal(err)
			}
		}
		if d := time.Since(began); d > 300*time.Millisecond {
			t.Errorf("manner %d: control messages took %v", c.how, d)
		}
		if d := <-wrote; (d > 500*time.Millisecond) != c.waits {
			t.Errorf("manner %d: data took %v", c.how, d)
		}
	}
}
