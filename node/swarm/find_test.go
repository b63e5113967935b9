package swarm

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/anacrolix/dht/v2/krpc"
	"github.com/anacrolix/torrent"
	"github.com/anacrolix/torrent/bencode"
	"github.com/anacrolix/torrent/metainfo"
	"github.com/anacrolix/torrent/storage"

	"coral/node/budget"
	"coral/node/channel"
	"coral/node/swarm/wire"
	"coral/store/segment"
)

func trackerURL(c *Client) string { return "http://" + c.Addr().String() + "/announce" }

// Nodes that know nothing but the publisher's tracker all find each other.
func TestTracker(t *testing.T) {
	t.Parallel()
	d := testDescriptor(nil)
	pub := start(t, Config{Tracker: true})
	l := testLink(d)
	l.Trackers = []string{trackerURL(pub)}
	began := time.Now()
	swarms := []*Swarm{join(t, pub, JoinConfig{Link: testLink(d), Role: wire.Publisher})}
	for i := range 3 {
		s := join(t, start(t, Config{}), JoinConfig{Link: l, UseTrackers: true})
		for range i + 1 {
			await[Joined](t, s, nil)
		}
		for _, o := range swarms {
			await[Joined](t, o, nil)
		}
		swarms = append(swarms, s)
	}
	t.Logf("three viewers found everyone after %v", time.Since(began))
	if n := swarms[3].Size(); n != 4 {
		t.Errorf("swarm size %d", n)
	}
	// Who leaves is taken off the list.
	listed := func() int {
		pub.tracker.mu.Lock()
		defer pub.tracker.mu.Unlock()
		return len(pub.tracker.rosters[d.Channel()].list)
	}
	if listed() != 3 {
		t.Errorf("%d listed", listed())
	}
	swarms[3].Leave(context.Background())
	if listed() != 2 {
		t.Errorf("%d listed after one left", listed())
	}
}

func TestTrackerRefuses(t *testing.T) {
	t.Parallel()
	d := testDescriptor(nil)
	pub := start(t, Config{Tracker: true})
	drain(t, join(t, pub, JoinConfig{Link: testLink(d)}))
	other := start(t, Config{}) // no tracker
	drain(t, join(t, other, JoinConfig{Link: testLink(d)}))
	ch := d.Channel()
	good := url.Values{"info_hash": {string(ch[:])}, "peer_id": {"-XX0000-abcdefghijkl"}, "port": {"7000"}, "left": {"0"}}
	get := func(u string) (int, string) {
		resp, err := http.Get(u)
		if err != nil {
			return 0, err.Error()
		}
		defer resp.Body.Close()
		b, _ := io.ReadAll(resp.Body)
		return resp.StatusCode, string(b)
	}
	defer http.DefaultClient.CloseIdleConnections()
	// An empty failure is one, too, to other clients.
	if code, body := get(trackerURL(pub) + "?" + good.Encode()); code != 200 || !bytes.Contains([]byte(body), []byte("8:intervali20e")) ||
		!bytes.Contains([]byte(body), []byte("5:peers6:\x7f\x00\x00\x01")) || bytes.Contains([]byte(body), []byte("failure")) {
		t.Errorf("announce: %d %q", code, body)
	}
	if code, _ := get("http://" + pub.Addr().String() + "/"); code != 404 {
		t.Errorf("front page: %d", code)
	}
	for name, set := range map[string][2]string{
		"hash": {"info_hash", "short"}, "unknown hash": {"info_hash", "aaaaaaaaaaaaaaaaaaaa"}, "id": {"peer_id", ""}, "port": {"port", "65536"},
	} {
		q := url.Values{}
		for k, v := range good {
			q[k] = v
		}
		q.Set(set[0], set[1])
		if code, body := get(trackerURL(pub) + "?" + q.Encode()); code != 200 || !bytes.Contains([]byte(body), []byte("failure reason")) {
			t.Errorf("%s: %d %q", name, code, body)
		}
	}
	if code, _ := get(trackerURL(other) + "?" + good.Encode()); code != 0 {
		t.Errorf("a node without a tracker answered %d", code)
	}
}

// A school's viewers are behind one address: those who are connected already do
// not keep the others, or themselves, from the tracker.
func TestTrackerAnswersFullNetwork(t *testing.T) {
	t.Parallel()
	d := testDescriptor(nil)
	pub := start(t, Config{Tracker: true})
	drain(t, join(t, pub, JoinConfig{Link: testLink(d)}))
	from := testAddr("192.0.2.7:5000")
	for range maxPerNet {
		if !pub.nets.enter(from.Addr(), maxPerNet) {
			t.Fatal("the network is full")
		}
	}
	tcp, asker := tcpPair(t)
	pub.spawn(func() { pub.ln.sort(tcp, from) })
	ch := d.Channel()
	q := url.Values{"info_hash": {string(ch[:])}, "peer_id": {"-XX0000-abcdefghijkl"}, "port": {"7000"}, "left": {"0"}}
	if _, err := fmt.Fprintf(asker, "GET /announce?%s HTTP/1.1\r\nHost: x\r\n\r\n", q.Encode()); err != nil {
		t.Fatal(err)
	}
	_ = asker.SetReadDeadline(time.Now().Add(testWithin))
	if got, _ := io.ReadAll(asker); !bytes.Contains(got, []byte("8:intervali20e")) {
		t.Errorf("answered with %q", got)
	}
}

// Who announces itself as an ordinary client is connected to at once, for it may
// take long to come by itself.
func TestOrdinaryAnnouncerIsDialed(t *testing.T) {
	t.Parallel()
	d := testDescriptor(nil)
	pub := start(t, Config{Tracker: true})
	drain(t, join(t, pub, JoinConfig{Link: testLink(d)}))
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	ch := d.Channel()
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	q := url.Values{"info_hash": {string(ch[:])}, "peer_id": {"-TR3000-abcdefghijkl"}, "port": {port}, "left": {"1"}}
	resp, err := http.Get(trackerURL(pub) + "?" + q.Encode())
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	_ = ln.(*net.TCPListener).SetDeadline(time.Now().Add(testWithin))
	c, err := ln.Accept()
	if err != nil {
		t.Fatalf("nobody came: %v", err)
	}
	c.Close()
}

func TestRosterIsBounded(t *testing.T) {
	r := newRoster()
	now := time.Now()
	a := func(ip, port int) announcer {
		return announcer{
			id: [20]byte{byte(ip), byte(ip >> 8), byte(port), byte(port >> 8)}, seen: now,
			addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{8, byte(ip >> 16), byte(ip >> 8), byte(ip)}), uint16(port)),
		}
	}
	for port := range 2 * trackerPerIP {
		r.note(a(1, 2000+port))
	}
	if len(r.list) != trackerPerIP {
		t.Errorf("%d of one address", len(r.list))
	}
	for ip := range trackerKeeps + 100 {
		r.note(a(ip+2, 2000))
	}
	if len(r.list) != trackerKeeps {
		t.Errorf("%d kept", len(r.list))
	}
	if got := r.pick(trackerGives, a(1, 2000)); len(got) != trackerGives {
		t.Errorf("picked %d", len(got))
	}
	for i, x := range r.list {
		if r.place[x.addr] != i {
			t.Fatal("places are wrong")
		}
	}
	r.expire(now.Add(2 * trackerForget))
	if len(r.list)+len(r.place)+len(r.perIP) != 0 {
		t.Error("expired announcers are kept")
	}
}

func FuzzAnnounce(f *testing.F) {
	ch := testDescriptor(nil).Channel()
	hash := url.QueryEscape(string(ch[:]))
	f.Add("info_hash="+hash+"&peer_id=bbbbbbbbbbbbbbbbbbbb&port=1&left=0&event=stopped", "1.2.3.4:5")
	f.Add("info_hash="+hash+"&peer_id=bbbbbbbbbbbbbbbbbbbb&port=7000&numwant=-1&compact=1", "[::1]:1")
	c := &Client{}
	c.swarms = map[segment.Channel]*Swarm{ch: {c: c, book: newBook(nil)}}
	ts := newTrackerServer(c)
	f.Fuzz(func(t *testing.T, query, remote string) {
		q, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		r := httptest.NewRequest("GET", "/announce", nil)
		r.RemoteAddr = remote
		if _, err := bencode.Marshal(ts.answer(q, r)); err != nil {
			t.Errorf("the answer cannot be sent: %v", err)
		}
	})
}

func TestMetadataFromPeers(t *testing.T) {
	t.Parallel()
	d := testDescriptor(nil)
	ca, cb := start(t, Config{}), start(t, Config{})
	x := join(t, ca, JoinConfig{Link: testLink(d)})
	drain(t, x)
	l := testLink(d, ca)
	l.Descriptor = nil
	began := time.Now()
	y := join(t, cb, JoinConfig{Link: l})
	drain(t, y)
	ctx, cancel := context.WithTimeout(context.Background(), testWithin)
	defer cancel()
	got, err := y.Descriptor(ctx)
	if err != nil || got.Name != d.Name || got.Channel() != d.Channel() {
		t.Fatalf("got %+v, %v", got, err)
	}
	t.Logf("descriptor after %v", time.Since(began))
	// It can give it on, and the payload with it.
	plainClient(t, d, cb)
}

// plainClient lets an ordinary BitTorrent client, which knows the info-hash and
// one address, fetch metadata and payload.
func plainClient(t *testing.T, d *channel.Descriptor, from *Client) {
	t.Helper()
	cfg := torrent.NewDefaultClientConfig()
	cfg.NoDHT, cfg.DisableUTP, cfg.DisableIPv6, cfg.NoDefaultPortForwarding = true, true, true, true
	cfg.ListenHost = func(string) string { return "127.0.0.1" }
	cfg.ListenPort = 0
	cfg.Slogger = slog.New(slog.DiscardHandler)
	cfg.DefaultStorage = storage.NewFile(t.TempDir())
	cl, err := torrent.NewClient(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	to, _ := cl.AddTorrentInfoHash(metainfo.Hash(d.Channel()))
	to.AddPeers([]torrent.PeerInfo{{Addr: torrent.StringAddr(from.Addr().String())}})
	timeout := time.After(testWithin)
	select {
	case <-to.GotInfo():
	case <-timeout:
		t.Fatal("no metadata")
	}
	to.DownloadAll()
	select {
	case <-to.Complete().On():
	case <-timeout:
		t.Fatal("no payload")
	}
	r := to.NewReader()
	defer r.Close()
	if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, d.Payload()) {
		t.Errorf("payload %q, %v", got, err)
	}
}

func TestPlainClientGetsPayload(t *testing.T) {
	t.Parallel()
	d := testDescriptor(nil)
	c := start(t, Config{})
	s := join(t, c, JoinConfig{Link: testLink(d)})
	plainClient(t, d, c)
	select {
	case ev := <-s.Events():
		t.Errorf("a plain client made an event: %#v", ev)
	default:
	}
}

// Two viewers that know only the publisher hear of each other from it.
func TestPEX(t *testing.T) {
	t.Parallel()
	for _, pex := range []bool{true, false} {
		t.Run(fmt.Sprint(pex), func(t *testing.T) {
			t.Parallel()
			d := testDescriptor(nil)
			hub := start(t, Config{})
			drain(t, join(t, hub, JoinConfig{Link: testLink(d), PEX: pex}))
			a := join(t, start(t, Config{}), JoinConfig{Link: testLink(d, hub), PEX: pex})
			await[Joined](t, a, nil)
			b := join(t, start(t, Config{}), JoinConfig{Link: testLink(d, hub), PEX: pex})
			await[Joined](t, b, nil)
			if pex {
				await[Joined](t, b, nil)
				return
			}
			for timeout := time.After(time.Second); ; {
				select {
				case ev := <-b.Events():
					if _, ok := ev.(Joined); ok {
						t.Error("found another peer with PEX off")
					}
					continue
				case <-timeout:
				}
				break
			}
		})
	}
}

func TestDHT(t *testing.T) {
	t.Parallel()
	d := testDescriptor(nil)
	hub := start(t, Config{DHT: true, DHTBootstrap: []string{"127.0.0.1:9"}})
	drain(t, join(t, hub, JoinConfig{Link: testLink(d), DHT: true}))
	if _, err := hub.dhtNode(); err != nil {
		t.Fatal(err)
	}
	at := []string{hub.dht.conn.LocalAddr().(*net.UDPAddr).AddrPort().String()}
	a := join(t, start(t, Config{DHT: true, DHTBootstrap: at}), JoinConfig{Link: testLink(d), DHT: true})
	b := join(t, start(t, Config{DHT: true, DHTBootstrap: at}), JoinConfig{Link: testLink(d), DHT: true})
	drain(t, a)
	await[Joined](t, b, nil)
}

// DHT nodes answer in the very moment at which the swarm is left: nothing may
// wait for a reader of what they say. TestMain sees what stays.
func TestDHTLeftWhileAsking(t *testing.T) {
	t.Parallel()
	for range 100 {
		var at []string
		var asked sync.WaitGroup // each node, once
		left := make(chan struct{})
		for range 3 {
			pc, err := net.ListenPacket("udp4", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { pc.Close() })
			at = append(at, pc.LocalAddr().String())
			asked.Add(1)
			go func() {
				b := make([]byte, 1500)
				n, from, err := pc.ReadFrom(b)
				var q krpc.Msg
				if err == nil {
					err = bencode.Unmarshal(b[:n], &q)
				}
				asked.Done()
				if err != nil {
					t.Error(err)
					return
				}
				<-left
				token := "token"
				pc.WriteTo(bencode.MustMarshal(krpc.Msg{T: q.T, Y: "r", R: &krpc.Return{ID: krpc.RandomNodeID(), Token: &token}}), from)
			}()
		}
		c, err := New(Config{Listen: "127.0.0.1:0", Upload: budget.Unlimited, Download: budget.Unlimited, DHT: true, DHTBootstrap: at})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		go func() {
			asked.Wait()
			close(left)
			cancel()
		}()
		if _, err := c.Join(JoinConfig{Link: testLink(testDescriptor(nil)), DHT: true}); err != nil {
			t.Fatal(err)
		}
		c.Run(ctx)
	}
}
