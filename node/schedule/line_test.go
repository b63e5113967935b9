package schedule

import (
	"testing"
	"time"
)

func TestLine(t *testing.T) {
	const size = 250_000
	ms := func(n int) time.Duration { return time.Duration(n) * time.Millisecond }
	reading := func(took, second int) Reading {
		return Reading{Bytes: size, Plays: 2 * time.Second, Took: ms(took), Second: ms(second), Sharing: 1}
	}
	var l Line
	at := Instant(0)
	expect := func(what string, r Reading, want time.Duration) {
		t.Helper()
		l.Read(at, r)
		at += Instant(2 * time.Second)
		if got := l.Takes(size); got < want-time.Microsecond || got > want+time.Microsecond {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	expect("before TCP is up to speed nothing is learned", reading(1000, 200), 0)
	expect("a full line", reading(1300, 500), ms(1000))
	expect("viewers load it, too", reading(5000, 2500), ms(1000))
	expect("by several requests", Reading{Bytes: size, Plays: 2 * time.Second, Took: ms(800), Sharing: 1}, ms(1000))
	expect("with another rendition", Reading{Bytes: size, Plays: 2 * time.Second, Took: ms(1200), Second: ms(700), Sharing: 2}, ms(800))
	expect("too few bytes to tell", Reading{Bytes: 1000, Took: ms(1), Sharing: 1}, ms(800))
	expect("after a packet that was sent again all comes at once", reading(524, 37), ms(700))
	at += Instant(bestFor)
	expect("it has become slower", reading(2500, 1000), ms(2000))
	expect("full again", reading(300, 100), ms(200))
	expect("not found wide by a quick half when it is no faster", reading(500, 95), ms(200))
	expect("a wide one that TCP never fills", reading(250, 40), ms(200))
	expect("time and again", reading(250, 40), 1)
	expect("viewers load that, too", reading(2500, 1000), 1)
	for range readings {
		l.Read(at, reading(2500, 1000))
	}
	expect("until it is not known to be wide any more", reading(2500, 1000), ms(2000))
	at += Instant(bestFor)
	expect("what is known lasts until there is something new", reading(1000, 200), ms(2000))
}
