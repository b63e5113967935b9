package node

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"time"

	"coral/node/channel"
	"coral/node/publish"
	"coral/node/schedule"
	"coral/node/swarm/wire"
	"coral/store"
	"coral/store/segment"
)

// PublishConfig says what is to be published.
type PublishConfig struct {
	Source       string // an http(s) playlist URL, a folder, or put://HOST:PORT/
	State        string // folder of the channel's identity and history
	Name         string
	Private      bool
	ViewerOrigin string   // playlist URL for viewers; "": Source if it is a URL; "none": they have the swarm only
	Advertise    []string // HOST:PORT in the link; none: this machine's addresses
	Tracker      bool     // name this node as a tracker in the link
	Dashboard    string   // HOST:PORT of the organiser's page; "": none
}

// Publication is a channel that is being published.
type Publication struct {
	*Session
	publisher *publish.Publisher
	failed    chan error
}

// Publish publishes a channel. Once it returns, peers can join by its Link.
func (n *Node) Publish(ctx context.Context, cfg PublishConfig) (*Publication, error) {
	if err := n.gate.needs("publish"); err != nil {
		return nil, err
	}
	p, err := publish.Open(publish.Config{
		Source: cfg.Source, State: cfg.State, Name: cfg.Name, Private: cfg.Private, ViewerOrigin: cfg.ViewerOrigin,
		Dial: n.meter.Dial, UserAgent: n.cfg.Agent, Log: n.log,
	})
	if err != nil {
		return nil, err
	}
	advertise := cfg.Advertise
	if len(advertise) == 0 {
		advertise = n.addresses()
	}
	// Who did not say that it is private did not choose a tracker for that.
	tracker := cfg.Tracker && (cfg.Private || p.Secret() == nil)
	s := n.session(p.Link(advertise, tracker), wire.Publisher)
	pub := &Publication{Session: s, publisher: p, failed: make(chan error, 1)}
	p.SetAudience(pub.audience)
	var dashboard *publish.Dashboard
	if cfg.Dashboard != "" {
		shown := publish.DashboardConfig{Addr: cfg.Dashboard, Name: s.Name(), Log: n.log}
		if len(s.link.Secret) == 0 { // whatever cfg says: a private channel stays so
			shown.Link = s.link.String()
		}
		if dashboard, err = publish.NewDashboard(shown, p); err != nil {
			p.Close()
			return nil, err
		}
	}
	run := func(ctx context.Context) {
		defer p.Close()
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(s.life, cancel)()
		s.children.Go(func() {
			if err := p.Run(ctx, s); err != nil {
				n.log.Error("publishing ended", "err", err)
				pub.failed <- err
			}
		})
		if dashboard != nil {
			s.children.Go(func() {
				if err := dashboard.Run(ctx); err != nil && ctx.Err() == nil {
					n.log.Error("dashboard ended", "err", err)
				}
			})
		}
		s.run(ctx)
	}
	if err := n.start(ctx, run); err != nil {
		p.Close()
		if dashboard != nil {
			dashboard.Close()
		}
		return nil, err
	}
	// Once the session answers, it has joined: peers are let in.
	return pub, s.do(ctx, func() {})
}

// Failed gives the error that ended publishing before the node did.
func (p *Publication) Failed() <-chan error { return p.failed }

// audience tells the publisher who is connected.
func (p *Publication) audience() publish.Audience {
	a := publish.Audience{Watching: map[uint16]int{}}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = p.do(ctx, func() {
		for _, peer := range p.peers {
			switch peer.hello.Role {
			case wire.Viewer:
				a.Viewers++
				for _, r := range peer.hello.Renditions {
					a.Watching[r]++
				}
			case wire.Helper:
				a.Helpers++
			}
		}
		if p.swarm != nil {
			a.Sent, _ = p.swarm.Wire()
		}
	})
	return a
}

// Publish implements publish.Sink.
func (s *Session) Publish(ctx context.Context, u publish.Update) error {
	var err error
	if doErr := s.do(ctx, func() {
		if u.Data != nil {
			err = s.holdPublished(u)
		}
		for _, rec := range u.Records {
			s.record(rec, nil)
		}
	}); doErr != nil {
		return doErr
	}
	return err
}

// holdPublished stores the bytes of a segment, before or after its entry came.
func (s *Session) holdPublished(u publish.Update) error {
	key := store.Key{Channel: s.key, ID: u.ID, Root: u.Root}
	o := s.objects[u.ID]
	late := o != nil && o.entry != nil && o.key == key // known from before a restart
	for i := range segment.Blocks(u.Size) {
		block := u.Data[i*segment.BlockSize : i*segment.BlockSize+segment.BlockLen(u.Size, i)]
		if err := s.node.store.Put(key, u.Size, i, block); err != nil {
			return fmt.Errorf("keep %v: %w", u.ID, err)
		}
		if late && !o.held.Has(i) {
			o.add(i, nil)
		}
	}
	if late {
		s.whole(o)
		s.step(schedule.Forget{ID: o.id}) // what is held is told with Known only
		s.step(schedule.Known{ID: o.id, Size: o.size, Salt: saltOf(o.entry), Duration: o.entry.Duration, Live: o.entry.Type == channel.Live, Origin: o.url != "", Held: o.held})
	}
	return nil
}

// Holds implements publish.Holder.
func (s *Session) Holds(id segment.ID, root segment.Digest) bool {
	held := false
	_ = s.do(context.Background(), func() {
		if s.feed == nil {
			return
		}
		if e := s.feed.Entry(id); e != nil && e.Root() == root {
			held = s.node.store.Has(store.Key{Channel: s.key, ID: id, Root: root}).Count() == len(e.Blocks)
		}
	})
	return held
}

// addresses are where others may reach this node, for a link: at most a few.
func (n *Node) addresses() []string {
	at := n.gate.address()
	port := strconv.Itoa(int(at.Port()))
	if a := at.Addr().Unmap(); a.IsValid() && !a.IsUnspecified() {
		return []string{net.JoinHostPort(a.String(), port)}
	}
	var found []string
	ifaces, _ := net.InterfaceAddrs()
	for _, ia := range ifaces {
		p, err := netip.ParsePrefix(ia.String())
		if err != nil {
			continue
		}
		if a := p.Addr().Unmap(); !a.IsLoopback() && !a.IsLinkLocalUnicast() && len(found) < maxAdvertised {
			found = append(found, net.JoinHostPort(a.String(), port))
		}
	}
	if len(found) == 0 {
		found = []string{net.JoinHostPort("127.0.0.1", port)}
	}
	return found
}

// maxAdvertised keeps a link short on machines with many addresses.
const maxAdvertised = 4

var _ interface {
	publish.Sink
	publish.Holder
} = (*Session)(nil)
