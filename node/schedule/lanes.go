package schedule

import "time"

// Lanes decides by how many requests at a time a publisher reads a segment of its
// source. A line that many share gives each connection the same: who reads by one
// while thirty viewers do falls behind the stream, nothing new is signed, and the
// viewers, who wait for it, load the line all the more. But what the publisher
// takes of a line, those who have just come cannot.
//
// The zero value reads by one. It belongs to one goroutine.
type Lanes struct {
	doubled int
	quick   int // segments in a row that came fast
}

const (
	maxDoubled = 3 // eight requests
	// calmAfter is after how many quick segments half as many will do.
	calmAfter = 4
)

// Count is how many requests to use.
func (l *Lanes) Count() int { return 1 << l.doubled }

// Took notes that a segment that plays for so long took so long to come.
func (l *Lanes) Took(took, plays time.Duration) {
	switch {
	case took > plays: // it falls behind
		l.doubled, l.quick = maxDoubled, 0
	case took > plays*3/4:
		l.doubled, l.quick = min(l.doubled+1, maxDoubled), 0
	case took > plays*3/8:
		l.quick = 0
	default:
		if l.quick++; l.quick >= calmAfter {
			l.doubled, l.quick = max(0, l.doubled-1), 0
		}
	}
}
