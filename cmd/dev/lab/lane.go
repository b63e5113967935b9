package lab

import "time"

// longestQueue is how long a packet may wait for its turn on a line: what would
// wait longer is lost, as with a household's router.
const longestQueue = 200 * time.Millisecond

// lane is one direction of a line.
type lane struct {
	free time.Time // when all that it took has left
}

// admit lets size bytes that come at now through at rate, in bits per second; 0 is
// no limit. It tells when they have left, or that the queue is too long for them.
func (l *lane) admit(rate int64, now time.Time, size int) (left time.Time, ok bool) {
	if rate == 0 {
		return now, true
	}
	begins := now
	if l.free.After(now) {
		begins = l.free
	}
	if begins.Sub(now) > longestQueue {
		return time.Time{}, false
	}
	l.free = begins.Add(time.Duration(size) * 8 * time.Second / time.Duration(rate))
	return l.free, true
}

// parcel is a packet under way.
type parcel struct {
	at      time.Time // when it gets to the line of to, or through it
	number  uint64    // what is sent first comes first
	to      *Host
	packet  []byte
	through bool // to's line: only to be delivered
}

// queue is a heap by time.
type queue []*parcel

func (q queue) Len() int { return len(q) }
func (q queue) Less(i, j int) bool {
	if q[i].at.Equal(q[j].at) {
		return q[i].number < q[j].number
	}
	return q[i].at.Before(q[j].at)
}
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(p any)   { *q = append(*q, p.(*parcel)) }
func (q *queue) Pop() any {
	last := len(*q) - 1
	p := (*q)[last]
	*q = (*q)[:last]
	return p
}
