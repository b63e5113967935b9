//go:build unix

package realtest

import "testing"

// TestLive: a viewer that has two more viewers as peers plays a live stream
// without an error, most of it from them.
func TestLive(t *testing.T) {
	needs(t, "ffmpeg", "ffprobe", "mpv")
	t.Parallel()
	for name, c := range map[string]container{"MPEG-TS": transport, "fMP4, audio apart": fragmented} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const seconds = 10
			folder, source := live(t, c)
			viewers := publish(t, source).watch(t, 3)
			others := []*process{decode(t, viewers[1], seconds), decode(t, viewers[2], seconds)}
			ffmpeg, mpv := decode(t, viewers[0], seconds), mpv(t, viewers[0], seconds)
			if c == transport {
				probe(t, viewers[0].variants(), 2, 2)
			} else {
				probe(t, viewers[0].variants(), 2, 1)
			}
			decoded(t, ffmpeg, seconds)
			played(t, mpv, seconds)
			for _, p := range others {
				decoded(t, p, seconds)
			}
			same(t, viewers[0].variants(), folder)
			carried(t, settle(t, viewers))
		})
	}
}
