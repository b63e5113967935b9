package mpv

import (
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"coral/player"
)

// resident is how much memory the process holds, in bytes.
func resident(b *testing.B) float64 {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		b.Skip(err)
	}
	pages, err := strconv.Atoi(strings.Fields(string(text))[1])
	if err != nil {
		b.Fatal(err)
	}
	return float64(pages * os.Getpagesize())
}

// BenchmarkLoads tells how long a load takes to its first picture, and how much
// memory each leaves behind: run it with -benchtime 200x.
func BenchmarkLoads(b *testing.B) {
	p := real(b)
	o := serve(b, &origin{clip: film(b, "320x180", 40), loop: true}, 30*time.Second)
	var before float64
	var first time.Duration
	for i := range b.N {
		if i == b.N/4 {
			before = resident(b) // caches are warm
		}
		began := time.Now()
		p.Load(o.url("live.m3u8"), player.LoadOptions{Live: true})
		s := await(b, p, "play", 10*time.Second, func(s player.State) bool {
			return s.Phase == player.Playing && s.FirstPictureAt.After(began)
		})
		first += s.FirstPictureAt.Sub(began)
	}
	b.ReportMetric(float64(first.Milliseconds())/float64(b.N), "ms/picture")
	b.ReportMetric((resident(b)-before)/1024/float64(b.N-b.N/4), "KiB/load")
	b.ReportMetric(resident(b)/1024/1024, "MiB")
}
