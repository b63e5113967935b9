package swarm

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"github.com/anacrolix/dht/v2"
	"github.com/anacrolix/dht/v2/bep44"
	"github.com/anacrolix/dht/v2/krpc"
	peerstore "github.com/anacrolix/dht/v2/peer-store"
	"golang.org/x/time/rate"
)

const (
	// dhtSoon is how often the DHT is asked while hardly anyone has been found,
	// dhtLater after that: DHT nodes forget an announce after some 30 minutes.
	dhtSoon  = 5 * time.Second
	dhtLater = 10 * time.Minute
	// dhtEager is how long a swarm in which no one is found is asked for often.
	dhtEager = 2 * time.Minute
	// dhtEnough peers make it quiet.
	dhtEnough = 5
	// dhtWithin bounds one traversal; what it found is then announced to.
	dhtWithin = 30 * time.Second
	// dhtSends bounds datagrams per second, replies included.
	dhtSends, dhtSendBurst = 100, 25
	// dhtKeepsHashes and dhtKeepsPeers bound what others may store here.
	dhtKeepsHashes = 2000
	dhtKeepsPeers  = 64
	dhtKeepsFor    = 45 * time.Minute
	// dhtExpires is how often all of it is looked through at most.
	dhtExpires = time.Minute
)

// dhtServer is this process's DHT node, started by the first Join that asks.
type dhtServer struct {
	mu     sync.Mutex
	server *dht.Server
	conn   net.PacketConn
	closed bool
}

func (d *dhtServer) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	if d.server != nil {
		d.server.Close()
		d.conn.Close()
	}
}

// dhtNode returns the DHT node, starting it if need be.
func (c *Client) dhtNode() (*dht.Server, error) {
	d := &c.dht
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil, ErrClosed
	}
	if d.server != nil {
		return d.server, nil
	}
	// The same port number as TCP: DHT nodes take an announce's source port for
	// the peer's. If it is taken, the port is told instead.
	at := c.Addr()
	host := at.Addr().String()
	if at.Addr().IsUnspecified() {
		host = ""
		if c.cfg.Bind.IsValid() {
			host = c.cfg.Bind.String()
		}
	}
	network := "udp4" // one family: the library's routing table is one per socket
	if ip, err := netip.ParseAddr(host); err == nil && ip.Is6() {
		network = "udp6"
	}
	pc, err := net.ListenPacket(network, net.JoinHostPort(host, strconv.Itoa(int(at.Port()))))
	if err != nil {
		if pc, err = net.ListenPacket(network, net.JoinHostPort(host, "0")); err != nil {
			return nil, err
		}
	}
	conn := c.meter.WrapPacket(filtered{pc, c})
	srv, err := dht.NewServer(&dht.ServerConfig{
		Conn: conn, NoSecurity: true, StartingNodes: c.bootstrap, PeerStore: &dhtPeers{},
		Exp: 2 * time.Hour, Store: noItems{}, SendLimiter: rate.NewLimiter(dhtSends, dhtSendBurst), Logger: quietLog(),
		DefaultWant: []krpc.Want{krpc.WantNodes},
	})
	if err != nil {
		pc.Close()
		return nil, err
	}
	d.server, d.conn = srv, conn
	return srv, nil
}

// bootstrap resolves the DHT nodes to begin with.
func (c *Client) bootstrap() (addrs []dht.Addr, err error) {
	ctx, cancel := context.WithTimeout(c.ctx, 10*time.Second)
	defer cancel()
	from := c.cfg.DHTBootstrap
	if len(from) == 0 {
		from = dht.DefaultGlobalBootstrapHostPorts
	}
	for _, hp := range from {
		host, port, err := net.SplitHostPort(hp)
		if err != nil {
			continue
		}
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil {
			continue
		}
		ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip4", host)
		if err != nil {
			continue
		}
		for _, ip := range ips {
			addrs = append(addrs, dht.NewAddr(net.UDPAddrFromAddrPort(netip.AddrPortFrom(ip.Unmap(), uint16(n)))))
		}
	}
	if len(addrs) == 0 {
		return nil, errors.New("find DHT nodes: none of the starting points could be resolved")
	}
	return addrs, nil
}

// announceDHT looks for peers in the DHT, and is found there, until the swarm is
// left.
func (s *Swarm) announceDHT() {
	start := time.Now()
	for {
		if s.c.sharing() {
			if err := s.tellDHT(); err != nil {
				s.c.log.Debug("DHT did not answer", "err", err)
			}
		}
		s.mu.Lock()
		enough := len(s.byID) >= dhtEnough
		s.mu.Unlock()
		wait := dhtLater
		if !enough && time.Since(start) < dhtEager {
			wait = dhtSoon
		}
		if !s.pause(wait) {
			return
		}
	}
}

func (s *Swarm) tellDHT() error {
	srv, err := s.c.dhtNode()
	if err != nil {
		return err
	}
	port := int(s.c.Addr().Port())
	a, err := srv.AnnounceTraversal(s.ch, dht.AnnouncePeer(dht.AnnouncePeerOpts{Port: port}))
	if err != nil {
		return err
	}
	defer func() {
		a.Close()
		for range a.Peers { // the library's queries wait for a reader for ever
		}
	}()
	timeout := time.NewTimer(dhtWithin)
	defer timeout.Stop()
	for {
		select {
		case v, ok := <-a.Peers:
			if !ok {
				return nil
			}
			var addrs []netip.AddrPort
			for _, p := range v.Peers[:min(len(v.Peers), dhtKeepsPeers)] {
				if ip, ok := netip.AddrFromSlice(p.IP); ok && p.Port > 0 && p.Port < 1<<16 {
					addrs = append(addrs, netip.AddrPortFrom(ip.Unmap(), uint16(p.Port)))
				}
			}
			ip, _ := netip.AddrFromSlice(v.Addr.IP)
			s.learn(addrs, FromDHT, ip.IsValid() && local(ip))
		case <-timeout.C:
			a.StopTraversing() // the nearest found so far hear the announce
		case <-s.bye:
			return nil
		case <-s.ctx.Done():
			return nil
		}
	}
}

// dhtPeers is what other nodes announce to us as DHT nodes: bounded, by address
// and port, and forgetful. The library's own store is neither.
type dhtPeers struct {
	mu      sync.Mutex
	hashes  map[peerstore.InfoHash]map[netip.AddrPort]time.Time
	expired time.Time // when what is old was last forgotten
}

func (d *dhtPeers) AddPeer(ih peerstore.InfoHash, na krpc.NodeAddr) {
	ip, ok := netip.AddrFromSlice(na.IP)
	if !ok || na.Port <= 0 || na.Port >= 1<<16 {
		return
	}
	a := netip.AddrPortFrom(ip.Unmap(), uint16(na.Port))
	now := time.Now()
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.hashes == nil {
		d.hashes = make(map[peerstore.InfoHash]map[netip.AddrPort]time.Time)
	}
	m := d.hashes[ih]
	if m == nil {
		if len(d.hashes) >= dhtKeepsHashes && now.Sub(d.expired) >= dhtExpires {
			d.expire(now)
		}
		if len(d.hashes) >= dhtKeepsHashes {
			return
		}
		m = make(map[netip.AddrPort]time.Time)
		d.hashes[ih] = m
	}
	if _, known := m[a]; !known && len(m) >= dhtKeepsPeers {
		var oldest netip.AddrPort
		for k, t := range m {
			if !oldest.IsValid() || t.Before(m[oldest]) {
				oldest = k
			}
		}
		delete(m, oldest)
	}
	m[a] = now
}

// expire forgets what is old; mu is held.
func (d *dhtPeers) expire(now time.Time) {
	d.expired = now
	for ih, m := range d.hashes {
		for a, t := range m {
			if now.Sub(t) > dhtKeepsFor {
				delete(m, a)
			}
		}
		if len(m) == 0 {
			delete(d.hashes, ih)
		}
	}
}

func (d *dhtPeers) GetPeers(ih peerstore.InfoHash) (out []krpc.NodeAddr) {
	now := time.Now()
	d.mu.Lock()
	defer d.mu.Unlock()
	for a, t := range d.hashes[ih] {
		if now.Sub(t) <= dhtKeepsFor {
			out = append(out, krpc.NodeAddr{IP: a.Addr().AsSlice(), Port: int(a.Port())})
		}
	}
	return out
}

// noItems keeps no BEP 44 items: Coral has no use for them.
type noItems struct{}

func (noItems) Put(*bep44.Item) error                 { return errors.New("store item: not here") }
func (noItems) Get(bep44.Target) (*bep44.Item, error) { return nil, bep44.ErrItemNotFound }
func (noItems) Del(bep44.Target) error                { return nil }
