package node

import (
	"context"
	"slices"
	"time"

	"coral/node/channel"
	"coral/node/schedule"
	"coral/node/swarm"
	"coral/node/swarm/wire"
)

// leaveWithin bounds how long goodbyes may take.
const leaveWithin = 2 * time.Second

// rejoinAfter is how long after an address could not be had it is tried again: the
// program that had the port may end, the interface of a VPN come back.
const rejoinAfter = 5 * time.Second

// join makes the session part of its swarm, unless it is or has yet to leave it.
func (s *Session) join() {
	if s.swarm != nil || s.parted.now != nil || s.parted.waiting {
		return // who waits or leaves looks again when that is over
	}
	client, wait, err := s.node.gate.enter()
	if wait != nil {
		s.joinAfter(wait)
		return
	}
	var sw *swarm.Swarm
	if err == nil {
		s.watching = s.watches()
		sw, err = client.Join(swarm.JoinConfig{
			Link: s.link, Descriptor: s.desc, Role: s.role, Secret: s.link.Secret,
			PEX: s.public(), DHT: s.node.cfg.DHT && s.public(), UseTrackers: true, Watching: s.watching,
		})
		if err != nil {
			s.node.gate.leave()
		}
	}
	if err != nil {
		if s.parted.failed == nil {
			s.log.Warn("swarm not joined: playing from the origin", "err", err)
		}
		s.parted.failed = err
		again := make(chan struct{})
		time.AfterFunc(rejoinAfter, func() { close(again) })
		s.joinAfter(again)
		return
	}
	s.swarm, s.parted.failed = sw, nil
	if s.role == wire.Viewer {
		s.origin.Spare(schedule.StartLanes - 1)
	}
	s.described(s.desc)
	if s.desc == nil { // a link that tells the info-hash only: ask the peers
		s.children.Go(func() {
			d, err := sw.Descriptor(s.ctx)
			if err != nil {
				return // the session has ended
			}
			s.post(func() { s.described(d) })
		})
	}
}

// joinAfter has the session look again once wait is closed.
func (s *Session) joinAfter(wait <-chan struct{}) {
	s.parted.waiting = true
	s.children.Go(func() {
		select {
		case <-wait:
		case <-s.ctx.Done():
		}
		s.post(func() {
			s.parted.waiting = false
			s.follow()
		})
	})
}

// public reports whether the channel may be looked for in public.
func (s *Session) public() bool {
	return len(s.link.Secret) == 0 && (s.desc == nil || !s.desc.Private)
}

// described makes the session ready for the channel that d describes.
func (s *Session) described(d *channel.Descriptor) {
	if d != nil {
		s.desc = d
		s.name.Store(&d.Name)
		s.origin.Linked(d.Origins...)
		for _, o := range d.Origins {
			if !slices.Contains(s.direct.top, o) {
				s.direct.top = append(s.direct.top, o)
			}
		}
	}
	if s.swarm == nil || d == nil || s.sched != nil {
		return
	}
	var keep channel.FeedOptions
	if s.role == wire.Viewer {
		keep = channel.FeedOptions{Window: rewindMost, WindowEntries: rewindEntries, MaxBytes: rewindBytes}
	}
	s.feed = channel.NewFeed(s.key, d.Root, keep)
	s.sched = schedule.New(schedule.Config{
		Self: keyOfPeer(s.swarm.Self()), SuperSeed: s.role == wire.Publisher, Share: true, Origin: len(d.Origins) > 0 && s.role == wire.Viewer,
	})
	for pid, p := range s.peers { // who came while the description was asked for
		s.joined(pid, p)
	}
}

// leave says goodbye.
func (s *Session) leave() {
	if s.mount != nil {
		s.mount.Close()
	}
	for _, r := range s.renditions {
		for _, o := range r.wanted {
			s.unpin(o)
		}
	}
	if s.swarm != nil {
		for pid := range s.peers {
			s.noteHistory(pid)
		}
		ctx, cancel := context.WithTimeout(context.Background(), leaveWithin)
		defer cancel()
		s.swarm.Leave(ctx)
		s.node.gate.leave()
	}
}

// presented takes a new presentation from the feed.
func (s *Session) presented() {
	pr := s.feed.Presentation()
	if d := s.direct.presentation; d != nil {
		// Players that began with the origin's own playlists go on with the
		// numbers that they were given.
		for _, was := range d.Renditions {
			for _, is := range pr.Renditions {
				if was.URI == is.URI && was.ID != is.ID {
					s.alias[was.ID] = is.ID
				}
			}
		}
	}
	s.allow()
	if s.role == wire.Helper {
		for _, r := range pr.Renditions {
			s.rendition(r.ID)
		}
	}
	s.tellWatching()
	s.renewPresentation()
}

// allow lets the origin client reach the hosts that the presentation names.
func (s *Session) allow() {
	for _, pr := range []*channel.Presentation{s.direct.presentation, s.presentation()} {
		if pr == nil {
			continue
		}
		for _, r := range pr.Renditions {
			if u := resolve(s.direct.topURL(), r.URI); u != "" {
				s.origin.Hosts(u)
			}
		}
	}
}

func (s *Session) presentation() *channel.Presentation {
	if s.feed == nil {
		return nil
	}
	return s.feed.Presentation()
}

// aliased returns the number that a rendition has in the feed.
func (s *Session) aliased(id uint16) uint16 {
	if a, ok := s.alias[id]; ok {
		return a
	}
	return id
}

// joined tells the scheduler of a neighbour.
func (s *Session) joined(pid swarm.PeerID, p *peer) {
	if s.sched == nil {
		return
	}
	s.step(schedule.Joined{
		Peer: schedule.Peer(pid), Role: schedule.Role(p.hello.Role), Key: p.key, Uploads: p.hello.Uploads,
		Known: s.node.past.of(p.ident, time.Now()),
	})
	s.step(schedule.Watching{Peer: schedule.Peer(pid), Renditions: p.hello.Renditions, Uploads: p.hello.Uploads})
	if s.role == wire.Publisher {
		s.sendWindow(p, &wire.Window{All: true}) // who joins need not ask
	} else if p.hello.Role != wire.Publisher && s.asking() < askedOnJoin { // publishers tell unasked
		s.ask(p, &wire.Window{All: true})
	}
}

// askedOnJoin is how many neighbours are asked for all that they know of the feed.
// Were everybody, half a minute of entries would come as often as there are neighbours,
// while the first picture waits for the line. Two, for one may be silent.
const askedOnJoin = 2

// asking counts the neighbours that were asked for feed records.
func (s *Session) asking() (n int) {
	for _, p := range s.peers {
		if p.asked != 0 {
			n++
		}
	}
	return n
}

// URL is where a player finds the channel.
func (s *Session) URL() string {
	if s.mount == nil {
		return ""
	}
	return s.mount.URL()
}

// Link is what opens the channel.
func (s *Session) Link() *channel.Link { return s.link }

// Done is closed when the session has ended.
func (s *Session) Done() <-chan struct{} { return s.done }
