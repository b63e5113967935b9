package mpv

import (
	"testing"
	"time"

	"coral/player"
)

func TestRealLive(t *testing.T) {
	p := real(t)
	o := serve(t, &origin{clip: film(t, "320x180", 20), window: 6, loop: true}, 15*time.Second)
	began := time.Now()
	p.Load(o.url("master.m3u8"), player.LoadOptions{Live: true})
	s := await(t, p, "play", 5*time.Second, moving)
	t.Logf("first picture after %v; %+v", s.FirstPictureAt.Sub(began), s)
	time.Sleep(2 * time.Second)
	t.Logf("%+v", p.State())
}
