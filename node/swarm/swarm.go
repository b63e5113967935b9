package swarm

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/anacrolix/torrent"

	"coral/node/channel"
	"coral/node/swarm/wire"
	"coral/store/segment"
)

const (
	// maxPeers bounds the connections of one swarm.
	maxPeers = 60
	// maxPlain bounds those that do not speak Coral's extension.
	maxPlain = 10
)

// JoinConfig says which channel to join, and how.
type JoinConfig struct {
	Link        *channel.Link
	Descriptor  *channel.Descriptor // nil: the link's, else asked of peers (BEP 9)
	Role        wire.Role
	Secret      []byte // of a private channel
	PEX, DHT    bool   // ways to find peers; a private channel has neither
	UseTrackers bool   // announce to the link's trackers
	ReceiveOnly bool   // say that nothing is served here
	Watching    []uint16
}

// Swarm is this node's part in one channel's swarm. Its methods may be called
// from any goroutine; those that send never block.
type Swarm struct {
	c       *Client
	cfg     JoinConfig
	ch      segment.Channel
	t       *torrent.Torrent
	payload *payload
	queue   *queue
	wake    chan struct{}

	ctx    context.Context
	cancel context.CancelFunc
	tasks  sync.WaitGroup // children that end on bye
	pump   sync.WaitGroup // the queue's, which ends with ctx
	bye    chan struct{}  // closed when leaving begins
	// farewell bounds the last words to trackers; set before bye is closed
	farewell context.Context

	described chan struct{} // closed when desc is set
	desc      *channel.Descriptor

	// owned by mu
	mu       sync.Mutex
	book     *book
	peers    map[*peer]struct{}
	byID     map[PeerID]*peer
	watching []uint16
	version  int // of watching
	size     int // as trackers tell
	leaving  bool
	// wire bytes of connections that have ended
	sent, received int64

	control atomic.Int64 // bytes of messages that are no block, both ways
}

// lastPeer is the newest PeerID of the process: handles are never used again,
// not even in another swarm.
var lastPeer atomic.Uint32

// Join enters a channel's swarm: from here on packets are sent.
func (c *Client) Join(cfg JoinConfig) (*Swarm, error) {
	if cfg.Link == nil {
		return nil, errors.New("join swarm: no link")
	}
	if cfg.Descriptor == nil {
		cfg.Descriptor = cfg.Link.Descriptor
	}
	ch := cfg.Link.Channel
	if d := cfg.Descriptor; d != nil {
		if d.Channel() != ch {
			return nil, errors.New("join swarm: the descriptor is another channel's")
		}
		if d.Private && channel.SecretHash(cfg.Secret) != d.SecretHash {
			return nil, errors.New("join swarm: the link lacks the channel's secret")
		}
	}
	if len(cfg.Secret) > 0 {
		cfg.PEX, cfg.DHT = false, false
	}
	if !c.sharing() {
		return nil, fmt.Errorf("join swarm: %w", ErrNotSharing)
	}
	s := &Swarm{
		c: c, cfg: cfg, ch: ch, payload: &payload{}, queue: newQueue(), wake: make(chan struct{}, 1),
		bye: make(chan struct{}), described: make(chan struct{}),
		book: newBook(c.addresses()), peers: make(map[*peer]struct{}), byID: make(map[PeerID]*peer), watching: slices.Clone(cfg.Watching),
	}
	s.ctx, s.cancel = context.WithCancel(c.ctx)
	opts := torrent.AddTorrentOpts{InfoHash: [20]byte(ch), Storage: s.payload, DisableInitialPieceCheck: true}
	if d := cfg.Descriptor; d != nil {
		opts.InfoBytes = d.Info()
		s.payload.set(d.Payload())
		s.desc = d
		close(s.described)
	}
	c.mu.Lock()
	if c.closed || c.swarms[ch] != nil {
		err := ErrJoined
		if c.closed {
			err = ErrClosed
		}
		c.mu.Unlock()
		s.cancel()
		return nil, fmt.Errorf("join swarm: %w", err)
	}
	c.swarms[ch] = s
	c.mu.Unlock()
	t, fresh := c.lib.AddTorrentOpt(opts)
	if !fresh { // one that has been left is still being dropped
		c.forget(s)
		s.cancel()
		return nil, fmt.Errorf("join swarm: %w", ErrJoined)
	}
	s.t = t
	s.pump.Go(func() { s.queue.run(s.ctx) })
	s.AddPeers(cfg.Link.Peers, FromLink)
	s.recall()
	s.tasks.Go(s.maintain)
	if s.desc == nil {
		s.tasks.Go(s.describe)
	}
	if cfg.UseTrackers {
		for _, u := range cfg.Link.Trackers {
			s.tasks.Go(func() { s.announce(u) })
		}
	}
	if cfg.DHT && c.cfg.DHT {
		s.tasks.Go(s.announceDHT)
	}
	if c.cfg.UPnP && !c.cfg.Bind.IsValid() {
		c.upnp.Do(func() { c.spawn(c.forwardPort) })
	}
	return s, nil
}

// recall learns the peers again that were good when the channel was left.
func (s *Swarm) recall() {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.c.cfg.Memory.recall(s.ch, now) {
		s.book.recall(a, now)
	}
}

// addresses are this machine's own, by which the book tells who is near.
func (c *Client) addresses() (own []netip.Addr) {
	if c.cfg.Bind.IsValid() {
		return []netip.Addr{c.cfg.Bind}
	}
	all, err := net.InterfaceAddrs()
	if err != nil {
		return nil // then nobody is near
	}
	for _, a := range all {
		if n, ok := a.(*net.IPNet); ok {
			if ip, ok := netip.AddrFromSlice(n.IP); ok && !ip.IsLinkLocalUnicast() {
				own = append(own, ip.Unmap())
			}
		}
	}
	return own
}

func (c *Client) forget(s *Swarm) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.swarms[s.ch] == s {
		delete(c.swarms, s.ch)
	}
}

// describe waits for the metadata, checks it and completes the payload.
func (s *Swarm) describe() {
	select {
	case <-s.t.GotInfo():
	case <-s.bye:
		return
	}
	mi := s.t.Metainfo()
	d, err := channel.ParseInfo(mi.InfoBytes)
	if err != nil || d.Channel() != s.ch {
		// The library has checked the hash: the link itself names no channel.
		s.c.log.Warn("the link's torrent is not a channel", "channel", s.ch.String(), "err", err)
		return
	}
	s.payload.set(d.Payload())
	if s.t.NumPieces() == 1 {
		s.t.Piece(0).UpdateCompletion()
	}
	s.desc = d
	close(s.described)
}

// Descriptor returns the channel's descriptor once it is known.
func (s *Swarm) Descriptor(ctx context.Context) (*channel.Descriptor, error) {
	select {
	case <-s.described:
		return s.desc, nil
	default:
	}
	select {
	case <-s.described:
		return s.desc, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-s.ctx.Done():
		return nil, ErrClosed
	}
}

// Events yields what happens, in order. One goroutine must receive for as long
// as the swarm is joined; the channel is never closed.
func (s *Swarm) Events() <-chan Event { return s.queue.out }

// Self is this node's identity.
func (s *Swarm) Self() [20]byte { return s.c.id }

func (s *Swarm) peer(id PeerID) *peer {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.byID[id]
}

// Send sends a message to a peer that has joined. It is dropped, Left having
// been or being told, if the peer is gone or takes too little. m is not kept.
func (s *Swarm) Send(to PeerID, m wire.Message) {
	if p := s.peer(to); p != nil && !p.send(m) {
		s.remove(p, "takes too little")
	}
}

// SendBlock sends a block after all control messages that wait. m and its data
// belong to the swarm until Sent with the same cookie, or Left.
func (s *Swarm) SendBlock(to PeerID, m *wire.Block, cookie uint64) {
	if p := s.peer(to); p != nil && !p.sendBlock(m, cookie) {
		s.remove(p, "takes too little")
	}
}

// SetWatching tells every peer, and those that join later, what is watched here.
func (s *Swarm) SetWatching(renditions []uint16) {
	s.mu.Lock()
	s.watching = slices.Clone(renditions)
	s.version++
	m := &wire.Watching{Renditions: s.watching, Uploads: !s.cfg.ReceiveOnly}
	var to []*peer
	for _, p := range s.byID {
		p.told = s.version
		to = append(to, p)
	}
	s.mu.Unlock()
	for _, p := range to {
		p.send(m)
	}
}

// Ban disconnects a peer and keeps its address and identity out of every swarm for d.
func (s *Swarm) Ban(id PeerID, d time.Duration, reason string) {
	if p := s.peer(id); p != nil {
		s.punish(p, d, reason)
	}
}

// RTT is the peer's smoothed round trip, or zero if it is not known.
func (s *Swarm) RTT(id PeerID) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.byID[id]; p != nil {
		return p.rtt
	}
	return 0
}

// Known counts the addresses in the book.
func (s *Swarm) Known() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.book.known()
}

// Banned counts the identities banned by this process.
func (s *Swarm) Banned() int { return s.c.bans.count(time.Now()) }

// Size is how many nodes the swarm is believed to have, this one included: what
// trackers say, but no less than is connected.
func (s *Swarm) Size() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return max(s.size, len(s.byID)+1)
}

// Wire returns the bytes exchanged with this swarm's peers, headers included.
func (s *Swarm) Wire() (sent, received int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sent, received = s.sent, s.received
	for p := range s.peers {
		up, down := p.conn.Wire()
		sent, received = sent+up, received+down
	}
	return sent, received
}

// Control returns the bytes of the messages that carried no block, sent and
// received.
func (s *Swarm) Control() int64 { return s.control.Load() }

// PeerWire returns the bytes exchanged with one peer, headers included.
func (s *Swarm) PeerWire(id PeerID) (sent, received int64) {
	if p := s.peer(id); p != nil {
		return p.conn.Wire()
	}
	return 0, 0
}

// AddPeers learns addresses, HOST:PORT each. What is no address is passed over.
func (s *Swarm) AddPeers(addrs []string, source Source) {
	var known []netip.AddrPort
	for _, a := range addrs {
		if ap, err := netip.ParseAddrPort(a); err == nil {
			known = append(known, ap)
		} else if source == FromLink {
			s.mu.Lock()
			if !s.leaving {
				s.tasks.Go(func() { s.resolve(a) })
			}
			s.mu.Unlock()
		}
	}
	s.learn(known, source, source == FromLink)
}

// learn puts addresses into the book. fromLocal: whoever told is in a local
// range, so that local addresses are believable.
func (s *Swarm) learn(addrs []netip.AddrPort, source Source, fromLocal bool) {
	now := time.Now()
	fresh := false
	s.mu.Lock()
	for _, a := range addrs {
		if !acceptable(a, source, fromLocal) || s.c.bans.address(a, now) {
			continue
		}
		if s.c.blocked(a.Addr()) {
			continue
		}
		fresh = s.book.add(a, source, now) || fresh
	}
	s.mu.Unlock()
	if fresh {
		s.kick()
	}
}

// kick makes maintain look at once.
func (s *Swarm) kick() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Leave says goodbye to the peers and trackers, as far as ctx allows, and ends
// the swarm. No event comes after it has returned.
func (s *Swarm) Leave(ctx context.Context) {
	s.mu.Lock()
	first := !s.leaving
	s.leaving = true
	if first {
		now := time.Now()
		s.c.cfg.Memory.keep(s.ch, s.book.good(now), now)
	}
	peers := make([]*peer, 0, len(s.byID))
	for _, p := range s.byID {
		peers = append(peers, p)
	}
	s.mu.Unlock()
	if !first {
		s.pump.Wait()
		return
	}
	for _, p := range peers {
		p.send(&wire.Bye{})
	}
	s.farewell = ctx
	close(s.bye) // announcers say "stopped" and end
	s.flush(ctx, peers)
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		s.tasks.Wait()
	}()
	s.dropAll("left the swarm")
	select {
	case <-stopped:
	case <-ctx.Done():
	}
	s.cancel()
	<-stopped
	s.pump.Wait()
	s.t.Drop()
	s.c.forget(s)
}
