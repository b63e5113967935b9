package swarm

import (
	"bytes"
	"context"
	"encoding/binary"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/anacrolix/torrent/bencode"

	"coral/store/segment"
)

const (
	// trackerInterval is when announcers are asked to come back. Short: a live
	// audience must find each other within a segment or two of joining.
	trackerInterval = 20 * time.Second
	// trackerForget is how long an announcer that does not come back is listed.
	trackerForget = 3 * trackerInterval
	// trackerGives is the most addresses in an answer: more tells more about the
	// audience than a joiner can use.
	trackerGives = 30
	// trackerKeeps bounds the announcers remembered per channel.
	trackerKeeps = 20000
	// trackerPerIP bounds those of one address, loopback excepted: enough for a
	// household behind one router, too few to fill the list from one machine.
	trackerPerIP = 32
	// trackerRequest bounds a request's head and trackerWithin its duration.
	trackerRequest = 8 << 10
	trackerWithin  = 10 * time.Second
)

// announced is an answer. The library's own type always has a failure reason,
// if an empty one, by which other clients (Transmission) take it for a failure.
type announced struct {
	Complete   int32  `bencode:"complete"`
	Incomplete int32  `bencode:"incomplete"`
	Interval   int32  `bencode:"interval"`         // seconds
	Peers      string `bencode:"peers"`            // 4 bytes of address and 2 of port each (BEP 23)
	Peers6     string `bencode:"peers6,omitempty"` // 16 and 2 (BEP 7)
}

func (r *announced) add(p netip.AddrPort) {
	b := string(binary.BigEndian.AppendUint16(p.Addr().AsSlice(), p.Port()))
	if p.Addr().Is4() {
		r.Peers += b
	} else {
		r.Peers6 += b
	}
}

type announcer struct {
	id   [20]byte
	addr netip.AddrPort
	left bool // something is left to download: a plain client
	seen time.Time
}

// roster is who has announced for one channel, each at a place in list so that
// a random choice costs no more than what is chosen.
type roster struct {
	list  []*announcer
	place map[netip.AddrPort]int
	perIP map[netip.Addr]int
}

func newRoster() *roster {
	return &roster{place: make(map[netip.AddrPort]int), perIP: make(map[netip.Addr]int)}
}

func (r *roster) remove(addr netip.AddrPort) {
	i, ok := r.place[addr]
	if !ok {
		return
	}
	last := len(r.list) - 1
	r.list[i] = r.list[last]
	r.place[r.list[i].addr] = i
	r.list[last] = nil
	r.list = r.list[:last]
	delete(r.place, addr)
	if ip := addr.Addr(); r.perIP[ip] > 1 {
		r.perIP[ip]--
	} else {
		delete(r.perIP, ip)
	}
}

// note adds or renews an announcer; it reports false if there is no room.
func (r *roster) note(a announcer) bool {
	if i, ok := r.place[a.addr]; ok {
		*r.list[i] = a
		return true
	}
	ip := a.addr.Addr()
	if len(r.list) >= trackerKeeps || !ip.IsLoopback() && r.perIP[ip] >= trackerPerIP {
		return false
	}
	r.place[a.addr] = len(r.list)
	r.list = append(r.list, &a)
	r.perIP[ip]++
	return true
}

// pick returns up to n announcers at random, without but and with no one of
// whom the asker could only learn an address that is not routed to it.
func (r *roster) pick(n int, but announcer) []netip.AddrPort {
	var out []netip.AddrPort
	if len(r.list) == 0 {
		return nil
	}
	start := rand.IntN(len(r.list))
	for i := range r.list {
		a := r.list[(start+i)%len(r.list)]
		if a.addr == but.addr || a.id == but.id || local(a.addr.Addr()) && !local(but.addr.Addr()) {
			continue
		}
		if out = append(out, a.addr); len(out) == n {
			break
		}
	}
	return out
}

func (r *roster) expire(now time.Time) {
	for i := 0; i < len(r.list); {
		if a := r.list[i]; now.Sub(a.seen) > trackerForget {
			r.remove(a.addr)
		} else {
			i++
		}
	}
}

// trackerServer answers HTTP announces (BEP 3, 7, 23) for the channels joined
// here, on the port that peers use.
type trackerServer struct {
	c *Client

	mu      sync.Mutex
	rosters map[segment.Channel]*roster
}

func newTrackerServer(c *Client) *trackerServer {
	return &trackerServer{c: c, rosters: make(map[segment.Channel]*roster)}
}

// webListener gives the HTTP server the connections that began with "GET ".
type webListener struct{ l *listener }

func (w webListener) Accept() (net.Conn, error) {
	select {
	case nc := <-w.l.web:
		return nc, nil
	case <-w.l.done:
		return nil, net.ErrClosed
	}
}
func (w webListener) Close() error   { return nil }
func (w webListener) Addr() net.Addr { return w.l.tcp.Addr() }

// run serves until ctx ends.
func (t *trackerServer) run(ctx context.Context) {
	srv := &http.Server{
		Handler: t, ReadTimeout: trackerWithin, WriteTimeout: trackerWithin, IdleTimeout: time.Second,
		MaxHeaderBytes: trackerRequest, ErrorLog: nil,
	}
	// One answer per connection: an announcer comes back in 20 s, a kept-open
	// connection would only count against the limits.
	srv.SetKeepAlivesEnabled(false)
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(trackerInterval)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				t.expire(time.Now())
			case <-ctx.Done():
				srv.Close()
				return
			}
		}
	}()
	_ = srv.Serve(webListener{t.c.ln})
	<-done
}

func (t *trackerServer) expire(now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for ch, r := range t.rosters {
		r.expire(now)
		if len(r.list) == 0 {
			delete(t.rosters, ch)
		}
	}
}

func (t *trackerServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/announce" {
		http.NotFound(w, r)
		return
	}
	resp := t.answer(r.URL.Query(), r)
	w.Header().Set("Content-Type", "text/plain")
	_ = bencode.NewEncoder(w).Encode(resp)
}

// answer handles one announce. A failure is told the way trackers do.
func (t *trackerServer) answer(q url.Values, r *http.Request) any {
	fail := func(why string) any { return map[string]string{"failure reason": why} }
	var ch segment.Channel
	var a announcer
	if copy(ch[:], q.Get("info_hash")) != len(ch) || copy(a.id[:], q.Get("peer_id")) != len(a.id) {
		return fail("info_hash and peer_id have 20 bytes each")
	}
	port, err := strconv.ParseUint(q.Get("port"), 10, 16)
	from, err2 := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || err2 != nil {
		return fail("port is a number from 0 to 65535")
	}
	s := t.c.swarm(ch)
	if s == nil {
		return fail("not tracked here")
	}
	a.addr = netip.AddrPortFrom(from.Addr().Unmap(), uint16(port))
	a.left = q.Get("left") != "0"
	a.seen = time.Now()
	want := trackerGives
	if n, err := strconv.Atoi(q.Get("numwant")); err == nil && n >= 0 {
		want = min(n, want)
	}
	resp := announced{Interval: int32(trackerInterval / time.Second)}

	t.mu.Lock()
	defer t.mu.Unlock()
	ro := t.rosters[ch]
	if ro == nil {
		ro = newRoster()
		t.rosters[ch] = ro
	}
	if q.Get("event") == "stopped" {
		ro.remove(a.addr)
		return resp
	}
	if port != 0 && !t.c.bans.address(a.addr, a.seen) {
		ro.note(a)
		if !bytes.HasPrefix(a.id[:], []byte(peerIDPrefix[:3])) {
			// An ordinary client may try uTP for half a minute before it takes TCP: it
			// is sooner served if we connect to it.
			s.learn([]netip.AddrPort{a.addr}, FromTracker, true)
		}
	}
	peers := ro.pick(want, a)
	// This node is a member too; the address it was reached at is its own.
	if local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok && a.id != t.c.id && want > 0 {
		if self, err := netip.ParseAddrPort(local.String()); err == nil {
			peers = append(peers[:min(len(peers), want-1)], netip.AddrPortFrom(self.Addr().Unmap(), self.Port()))
		}
	}
	for _, p := range peers {
		resp.add(p)
	}
	resp.Complete = 1 // this node
	for _, p := range ro.list {
		if p.left {
			resp.Incomplete++
		} else if p.id != t.c.id {
			resp.Complete++
		}
	}
	return resp
}
