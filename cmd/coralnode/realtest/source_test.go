//go:build unix

package realtest

import "testing"

// TestSources: what ffmpeg writes to a folder, or sends by HTTP PUT, reaches
// viewers who have no origin at all.
func TestSources(t *testing.T) {
	needs(t, "ffmpeg")
	t.Parallel()
	const seconds = 6
	watch := func(t *testing.T, c *channel, folder string) {
		viewers := c.watch(t, 2)
		players := []*process{decode(t, viewers[0], seconds), decode(t, viewers[1], seconds)}
		for _, p := range players {
			decoded(t, p, seconds)
		}
		if folder != "" {
			same(t, viewers[0].variants(), folder)
		}
		for i, n := range settle(t, viewers) {
			if n.Bytes.Origin+n.Bytes.Unverified != 0 || n.Bytes.Peers == 0 {
				t.Errorf("viewer %d: %v", i+1, n)
			}
		}
	}
	t.Run("folder", func(t *testing.T) {
		t.Parallel()
		folder := t.TempDir()
		encode(t, folder, fragmented)
		watch(t, publish(t, folder), folder)
	})
	t.Run("PUT", func(t *testing.T) {
		t.Parallel()
		inbox := port(t)
		c := publish(t, "put://"+inbox+"/")
		encode(t, "http://"+inbox, transport)
		watch(t, c, "")
	})
}
