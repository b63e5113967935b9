package swarm

import (
	"sync"
	"testing"

	"coral/node/swarm/wire"
)

// TestFirstMessageArrives: who has joined a peer may speak at once, and is heard,
// however far the other side has got. A race: of those messages, some in two
// hundred were lost.
func TestFirstMessageArrives(t *testing.T) {
	d := testDescriptor(nil)
	var lanes sync.WaitGroup
	for range 6 {
		lanes.Go(func() {
			for range 150 {
				ca, cb := start(t, Config{}), start(t, Config{})
				x := join(t, ca, JoinConfig{Link: testLink(d)})
				y := join(t, cb, JoinConfig{Link: testLink(d, ca)})
				var both sync.WaitGroup
				for _, s := range []*Swarm{x, y} {
					both.Go(func() { speakFirst(t, s) })
				}
				both.Wait()
				ca.Close()
				cb.Close()
			}
		})
	}
	lanes.Wait()
}

// speakFirst says something as soon as there is somebody, and checks what the
// other side said in the same way.
func speakFirst(t *testing.T, s *Swarm) {
	var joined PeerID
	for heard := false; joined == 0 || !heard; {
		switch ev := (<-s.Events()).(type) {
		case Joined:
			joined = ev.Peer
			s.Send(ev.Peer, &wire.Window{Rendition: 7})
		case Received:
			heard = true
			if joined == 0 || ev.Peer != joined {
				t.Errorf("a message of peer %d, who joined as %d", ev.Peer, joined)
			}
		case Left:
			t.Errorf("left: %s", ev.Reason)
			return
		}
	}
}
