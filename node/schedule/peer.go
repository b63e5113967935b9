package schedule

import (
	"math/bits"
	"slices"
	"time"
)

// mask is a set of peer slots.
type mask uint64

func only(slot int8) mask         { return 1 << slot }
func (m mask) has(slot int8) bool { return m>>slot&1 != 0 }
func (m mask) count() int         { return bits.OnesCount64(uint64(m)) }
func (m mask) first() int         { return bits.TrailingZeros64(uint64(m)) }

// ask is one block asked of a peer and not answered.
type ask struct {
	o     *object
	block int32
	late  bool // its time-out has passed
	copy  bool // another copy was on its way when it was asked
	at    Instant
	began Instant // when its first bytes came; 0: not yet
	// expected is when it was expected when it was asked, until is when it is
	// overdue, whatever else the peer answers meanwhile: it may be last in every
	// queue.
	expected, until Instant
}

// peer is one neighbour. A simulation has many millions of them: small fields stand
// together, see TestSizes.
type peer struct {
	id       Peer
	slot     int8
	role     Role
	uploads  bool
	told     bool // watching is known
	banned   bool // sent bytes that did not verify
	suspect  bool
	timed    bool  // rtt has been measured
	greeted  int32 // position in order up to which it has been told; -1: all
	greetAt  Instant
	key      uint64
	spokeAt  Instant // when it began to tell what it holds; 0: not yet
	watching []uint16

	// What it serves to us.

	rtt           time.Duration
	service       time.Duration // between two blocks, its queue included
	serviceDev    time.Duration
	transfer      time.Duration // from a block's first bytes to its last
	transferDev   time.Duration
	wait          time.Duration // from ask, or the block before, to block
	waitDev       time.Duration
	good, bad     uint32 // answered in time or not; decaying, in 256ths
	delivered     int32
	failures      int32 // in a row
	missed        int32 // time-outs since the last answer
	depth         int32
	asks          []ask
	progress      Instant // since when we wait for the next answer
	mark          Instant // the last time-out, or progress
	busyUntil     Instant
	pardonAt      Instant // of a suspect
	pardon        time.Duration
	busies        int32 // refusals in a row
	emptyClaims   int32
	emptySince    Instant
	claimsIgnored Instant // until then
	claimsSince   Instant
	claimsHeard   int32

	// What we serve to it.

	queued   int32
	recent   int64 // bytes sent to it, halved every deprivedSpan
	recentAt Instant
	sending  int32

	// Super-seeding.

	shown  int32         // blocks shown to it and not sent yet
	spread time.Duration // from sending it a block to others having it
	credit time.Duration // virtual time: grows by spread with each block shown
}

// measured takes a round trip.
func (p *peer) measured(rtt time.Duration) {
	if !p.timed {
		p.rtt, p.timed = rtt, true
	} else {
		p.rtt += (rtt - p.rtt) / 4
	}
}

// tried reports whether p, of which nothing has come yet, has been asked for as
// much as one dares, counting extra more blocks: its connection begins slowly,
// and others may be quicker.
func (p *peer) tried(extra int16) bool {
	return p.delivered == 0 && len(p.asks)+int(extra) >= firstAsks
}

// watches reports whether p may want segments of the rendition.
func (p *peer) watches(rendition uint16) bool {
	return !p.told || p.role == Helper || slices.Contains(p.watching, rendition)
}

// rto is how long p may keep us waiting for the next block.
func (p *peer) rto() time.Duration {
	return min(max(p.wait+4*p.waitDev, minRTO), maxRTO)
}

// timeout is when p's pipeline is overdue, or Never.
func (p *peer) timeout() Instant {
	if len(p.asks) == 0 {
		return Never
	}
	return min(max(p.mark, p.progress)+Instant(p.rto()), p.progress+Instant(silent))
}

// overdue is when the first of p's asks is starved, or Never.
func (p *peer) overdue() Instant {
	t := Never
	for k := range p.asks {
		if a := &p.asks[k]; !a.late {
			t = min(t, a.until)
		}
	}
	return t
}

// expect is when a block asked of p now, behind extra others, would be here.
func (p *peer) expect(now Instant, extra int16) Instant {
	return now + Instant(p.rtt) + Instant(len(p.asks)+int(extra)+1)*Instant(p.service)
}

// expectAsk is when the i-th block asked of p is expected.
func (p *peer) expectAsk(now Instant, i int) Instant {
	if a := &p.asks[i]; a.late {
		return now + max(Instant(p.rto())+Instant(i)*Instant(p.service), (now-a.at)/2)
	}
	if a := &p.asks[i]; a.began != 0 {
		return max(a.began+Instant(p.transfer), now+(now-a.began)/4)
	}
	head := max(p.progress, p.asks[0].at+Instant(p.rtt)) + Instant(p.service)
	if head < now {
		// Overdue: the longer it has been, the longer it will take.
		head = now + max(now-head, Instant(p.service)/2)
	}
	t := head + Instant(i)*Instant(p.service)
	if a := &p.asks[i]; a.expected < now {
		t = max(t, now+(now-a.expected))
	}
	return t
}

// find returns the index of the ask for block i of o, or -1.
func (p *peer) find(o *object, i int) int {
	for k := range p.asks {
		if p.asks[k].block == int32(i) && p.asks[k].o == o {
			return k
		}
	}
	return -1
}

// answered notes that the k-th ask was answered with a block, and removes it.
func (p *peer) answered(now Instant, k int) {
	a := p.asks[k]
	from := max(p.progress, a.at)
	wait := time.Duration(now - from)
	service := wait
	if a.at >= p.progress { // nothing was before it in the pipeline
		service = wait - p.rtt
	}
	service = max(service, time.Millisecond)
	if p.delivered == 0 {
		p.service, p.serviceDev = service, service/2
		p.wait, p.waitDev = max(wait, p.wait/2), max(wait/2, firstWaitDev)
	} else {
		ewma(&p.service, &p.serviceDev, service)
		ewma(&p.wait, &p.waitDev, wait)
	}
	if a.began != 0 {
		ewma(&p.transfer, &p.transferDev, time.Duration(now-a.began))
	}
	p.remove(now, k)
	p.delivered++
	p.failures, p.busies, p.busyUntil = 0, 0, 0
	p.good = p.good - p.good/16 + 256
	p.bad -= p.bad / 16
	p.alive(now)
	switch want := int32(p.pipeline()); { // approached one by one
	case want > p.depth:
		p.depth++
	case want < p.depth:
		p.depth--
	}
}

// pipeline is p's bandwidth-delay product in blocks (delivery 2.5).
func (p *peer) pipeline() int {
	full := p.rtt + 2*p.serviceDev + 20*time.Millisecond
	return min(max(int((full*5/4+p.service-1)/p.service)+1, 2), maxDepth)
}

// alive notes an answer of any kind.
func (p *peer) alive(now Instant) {
	p.progress, p.missed = now, 0
}

// failed notes that p did not deliver in time.
func (p *peer) failed() {
	p.failures++
	p.good -= p.good / 16
	p.bad = p.bad - p.bad/16 + 256
}

// remove drops the k-th ask.
func (p *peer) remove(now Instant, k int) {
	p.asks = without(p.asks, k)
	if k == 0 && len(p.asks) > 0 {
		p.progress = max(p.progress, min(now, p.asks[0].at))
	}
}

// without returns a list without its k-th element, and nil if there was no other: of
// most neighbours nothing is asked most of the time.
func without[T any](list []T, k int) []T {
	if len(list) == 1 {
		return nil
	}
	return slices.Delete(list, k, k+1)
}

// dubious reports that p announces and does not deliver.
func (p *peer) dubious() bool {
	return p.failures >= liarAfter && (p.delivered == 0 || p.bad > 4*p.good)
}

// weigh turns an expected time from now into a cost: what fails often costs more.
func (p *peer) weigh(d Instant) Instant {
	cost := d * Instant(p.good+p.bad+256) / Instant(p.good+256)
	return min(cost, 16*d)
}

// decayed is how much p got from us lately.
func (p *peer) decayed(now Instant) int64 {
	if n := (now - p.recentAt) / Instant(deprivedSpan); n > 0 {
		p.recent >>= min(n, 62)
		p.recentAt += n * Instant(deprivedSpan)
	}
	return p.recent
}

// ewma updates a smoothed value and its mean deviation (RFC 6298's weights).
func ewma(v, dev *time.Duration, sample time.Duration) {
	d := sample - *v
	if d < 0 {
		*dev += (-d - *dev) / 4
	} else {
		*dev += (d - *dev) / 4
	}
	*v += d / 8
}
