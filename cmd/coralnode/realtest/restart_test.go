//go:build unix

package realtest

import (
	"path/filepath"
	"testing"
)

// TestPublisherReturns: the publisher ends, once in order and once not, and
// comes back from the same folder, while the encoder and the viewers go on. The
// link stays, the chain goes on without a gap, and a player gets all.
func TestPublisherReturns(t *testing.T) {
	needs(t, "ffmpeg")
	t.Parallel()
	for name, more := range map[string][]string{"viewers have the origin": nil, "viewers have the swarm only": {"--viewer-origin", "none"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const seconds = 20
			folder, source := live(t, transport)
			c := publish(t, source, more...)
			link := c.reads(t, c.publisher, c.link)
			viewers := c.watch(t, 2)
			players := []*process{decode(t, viewers[0], seconds), decode(t, viewers[1], seconds)}
			for _, end := range []func(){func() { c.publisher.stop(t) }, func() { c.publisher.kill() }} {
				// Some seconds of ordinary life, by the viewers' count of entries.
				grows(t, viewers, 6)
				end()
				// It is missed while the encoder writes three more segments.
				n := segments(t, folder)
				await(t, "the encoder to go on", func() bool { return segments(t, folder) >= n+3 })
				c.run(t)
				if again := c.reads(t, c.publisher, c.link); again != link {
					t.Errorf("the link was %s and is %s", link, again)
				}
			}
			// What was encoded meanwhile is signed, and what comes now.
			grows(t, viewers, 6)
			for _, p := range players {
				decoded(t, p, seconds)
			}
			same(t, viewers[0].variants(), folder)
			settle(t, viewers)
		})
	}
}

// grows waits until each viewer has got n more entries of the feed.
func grows(t *testing.T, viewers []*viewer, n int64) {
	t.Helper()
	for _, v := range viewers {
		from := v.counts(t).Feed.Entries
		await(t, v.name+" to hear of new segments", func() bool { return v.counts(t).Feed.Entries >= from+n })
	}
}

// segments counts what the encoder has written of a variant.
func segments(t *testing.T, folder string) int {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(folder, "low-*.ts"))
	if err != nil {
		t.Fatal(err)
	}
	return len(names)
}
