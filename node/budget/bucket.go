package budget

import (
	"math"
	"time"
)

// Never is the wait that has no end: nothing may be sent at all.
const Never = time.Duration(math.MaxInt64)

const (
	// minBurst lets one full network packet go at once whatever the rate.
	minBurst = 1500
	// maxTake bounds one take, so that the arithmetic cannot overflow: far above
	// any write.
	maxTake = 1 << 28
	// maxDebt bounds what a bucket may owe, for the same reason (in 1e-9 bits).
	maxDebt = math.MaxInt64 / 4
	// bit is how many of the bucket's units one bit is. In units of 1e-9 bits a
	// rate in bits per second earns exactly that many units per nanosecond, so
	// nothing is ever rounded in the user's disfavour or favour.
	bit = 1e9
)

// Bucket is a token bucket in bytes. It may go into debt: whoever takes is told
// how long to wait before sending, and later takers wait longer. Time that runs
// backwards counts as standing still.
type Bucket struct {
	rate   Rate
	burst  time.Duration
	max    int64 // units
	tokens int64 // units; negative: debt
	last   time.Time
}

// NewBucket returns a full bucket of rate r that holds burst's worth of it, and
// at least one packet's.
func NewBucket(r Rate, burst time.Duration) *Bucket {
	b := &Bucket{rate: r, burst: burst}
	b.max = b.size()
	b.tokens = b.max
	return b
}

func (b *Bucket) size() int64 {
	least := int64(minBurst * 8 * bit)
	if b.rate <= 0 || b.burst <= 0 {
		return least
	}
	if int64(b.burst) > maxDebt/int64(b.rate) {
		return maxDebt
	}
	return max(least, int64(b.rate)*int64(b.burst))
}

// Rate returns the rate that was last set.
func (b *Bucket) Rate() Rate { return b.rate }

// SetRate changes the rate from now on. A debt stays, as bytes.
func (b *Bucket) SetRate(now time.Time, r Rate) {
	b.refill(now)
	b.rate = r
	b.max = b.size()
	b.tokens = min(b.tokens, b.max)
}

// Take takes n bytes and returns how long to wait before they may be sent: 0 for
// now, Never (and nothing is taken) if the rate is 0.
func (b *Bucket) Take(now time.Time, n int) time.Duration {
	switch {
	case b.rate < 0:
		return 0
	case b.rate == 0:
		return Never
	}
	b.Charge(now, n)
	return b.Wait(now)
}

// Charge takes n bytes that have been sent already: headers, acknowledgements,
// retransmissions.
func (b *Bucket) Charge(now time.Time, n int) {
	if b.rate < 0 {
		return
	}
	b.refill(now)
	b.tokens = max(-maxDebt, b.tokens-int64(min(max(n, 0), maxTake))*8*bit)
}

// Wait returns how long it takes until the debt is paid, without taking
// anything.
func (b *Bucket) Wait(now time.Time) time.Duration {
	switch {
	case b.rate < 0:
		return 0
	case b.rate == 0:
		return Never
	}
	b.refill(now)
	if b.tokens >= 0 {
		return 0
	}
	r := int64(b.rate)
	return time.Duration((-b.tokens + r - 1) / r)
}

func (b *Bucket) refill(now time.Time) {
	if b.last.IsZero() {
		b.last = now
	}
	elapsed := int64(now.Sub(b.last))
	if elapsed <= 0 {
		return
	}
	b.last = now
	if b.rate <= 0 {
		return
	}
	if lack := b.max - b.tokens; elapsed >= lack/int64(b.rate)+1 {
		b.tokens = b.max
	} else {
		b.tokens += elapsed * int64(b.rate)
	}
}
