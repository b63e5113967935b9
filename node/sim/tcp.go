package sim

import (
	"math"
	"math/bits"
	"time"

	"coral/node/schedule"
)

// What TCP makes of a path, as far as it decides how long a block takes.
const (
	mss = 1448 // bytes of payload in a packet of 1500 with timestamps
	// firstWindow is RFC 6928's initial window: what is sent before the first
	// acknowledgement, and again after idleness of a retransmission timeout.
	firstWindow = 10 * mss
	// leastRTO is Linux's least retransmission timeout; RFC 6298 says a second.
	leastRTO = 200 * time.Millisecond
	// notSent is how much the kernel takes of a connection beyond what it has sent,
	// as node/swarm/meter sets it.
	notSent = 16 << 10
	// wire is what a small message costs beside its own bytes: TCP, IP, framing.
	wire = 54
	// ack is what acknowledging it costs: nothing else goes back so soon.
	ack = 52
	// keepAlive is what pings, answers to pings and what acknowledges them cost a
	// second and neighbour, each way: segments come and go, and between two of them
	// it is silent for long enough, as node/swarm has it.
	keepAlive = 100
)

// framed is what n bytes of a block cost on the wire: headers of packets, and
// of the encrypted messages that carry it.
func framed(n int) int { return n + n/25 }

// acks is what receiving n bytes costs upwards: an acknowledgement for every
// other packet.
func acks(n int) int { return n / (2 * mss) * 66 }

// path is a pair of hosts as TCP sees it.
type path struct {
	rtt  time.Duration
	rate float64 // bytes per second that losses allow one connection
}

func pathOf(a, b *Link) path {
	p := path{rtt: 2 * (a.Delay + b.Delay), rate: math.Inf(1)}
	if l := 1 - (1-a.Loss)*(1-b.Loss); l > 0 {
		// Padhye, Firoiu, Towsley, Kurose (1998), equation 30, every packet
		// acknowledged.
		rtt, rto := max(p.rtt, time.Millisecond).Seconds(), (leastRTO + p.rtt).Seconds()
		p.rate = mss / (rtt*math.Sqrt(2*l/3) + rto*min(1, 3*math.Sqrt(3*l/8))*l*(1+32*l*l))
		// Acknowledgements are lost, too: what CUBIC was measured to reach of it at
		// 1, 5 and 20 %.
		p.rate *= max(0.3, 1-3*l)
	}
	return p
}

// out is how long after the start of a connection that was idle the byte after n
// may be sent: slow start, then what losses allow.
func (p path) out(n int) schedule.Instant {
	rounds := bits.Len(uint(n / firstWindow)) // 1 window, then 2, then 4 …
	if rounds > 0 && n < firstWindow*(1<<rounds-1) {
		rounds--
	}
	d := time.Duration(rounds) * p.rtt
	return max(schedule.Instant(d), p.lasts(n-firstWindow))
}

// lasts is how long losses let n bytes take.
func (p path) lasts(n int) schedule.Instant {
	if math.IsInf(p.rate, 1) {
		return 0
	}
	return schedule.Instant(float64(n) / p.rate * float64(time.Second))
}

// carry is when a block of n bytes, which left the uplink at now, can be at the
// other end, queues and propagation apart. *free is when losses let the
// connection's next block go.
func (p path) carry(now schedule.Instant, free *schedule.Instant, n int) schedule.Instant {
	at := now
	if now > *free+schedule.Instant(leastRTO+p.rtt) {
		at += p.out(n - 1) // idle: slow start anew
	} else {
		at = max(at, *free) + p.lasts(n)
	}
	*free = at
	return at
}
