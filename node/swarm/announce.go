package swarm

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/anacrolix/torrent/tracker"
	trackerhttp "github.com/anacrolix/torrent/tracker/http"
	"github.com/anacrolix/torrent/types/infohash"
)

const (
	// announceMin and announceMax bound the interval that a tracker may ask for:
	// live audiences change by the minute, and no tracker may be hammered.
	announceMin = 10 * time.Second
	announceMax = 30 * time.Minute
	// announceRetry is the first wait after a failure, doubled up to announceSlow.
	announceRetry = 2 * time.Second
	announceSlow  = 2 * time.Minute
	// announceWithin bounds one request.
	announceWithin = 15 * time.Second
	// stoppedWithin bounds the last one, which nobody waits for gladly.
	stoppedWithin = 1500 * time.Millisecond
	// wantFromTracker is how many addresses are asked for.
	wantFromTracker = 50
)

// announce tells one tracker of us, and learns addresses, until the swarm is
// left.
func (s *Swarm) announce(raw string) {
	u, err := url.Parse(raw)
	if err != nil {
		return
	}
	event, retry := tracker.Started, announceRetry
	for {
		wait := announceMin
		if s.c.sharing() {
			interval, err := s.tell(s.ctx, u, event, announceWithin)
			if err != nil {
				s.c.log.Debug("tracker did not answer", "tracker", u.Host, "err", err)
				wait, retry = retry, min(2*retry, announceSlow)
			} else {
				event, retry = tracker.None, announceRetry
				wait = min(max(interval, announceMin), announceMax)
			}
		}
		if !s.pause(wait) {
			if event == tracker.None && s.c.sharing() && s.farewell != nil {
				_, _ = s.tell(s.farewell, u, tracker.Stopped, stoppedWithin)
			}
			return
		}
	}
}

// pause waits; false says that the swarm is being left.
func (s *Swarm) pause(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-s.bye:
	case <-s.ctx.Done():
	}
	return false
}

// mayBeLocal reports whether a tracker at u may be in a local range when dialed
// as addr. A link is written by a stranger: it must not make this node send a
// request of its choosing to a device in the user's network. What is left is the
// plain announce path at the very host that the link names.
func mayBeLocal(u *url.URL, addr string) bool {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return u.Path == "/announce" && u.RawQuery == "" && addr == net.JoinHostPort(u.Hostname(), port)
}

// tell makes one announce.
func (s *Swarm) tell(ctx context.Context, u *url.URL, event tracker.AnnounceEvent, within time.Duration) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	if event != tracker.Stopped { // leaving ends an announce under way
		go func() {
			select {
			case <-s.bye:
				cancel()
			case <-ctx.Done():
			}
		}()
	}
	m := s.c.meter
	fromLocal := false
	cl, err := tracker.NewClient(u.String(), tracker.NewClientOpts{
		Http: trackerhttp.NewClientOpts{
			DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
				conn, err := m.DialPeer(ctx, network, addr, func(_, ip string, _ syscall.RawConn) error {
					ap, err := netip.ParseAddrPort(ip)
					if err == nil && local(ap.Addr()) && !mayBeLocal(u, addr) {
						err = fmt.Errorf("dial tracker: %s is a local address", ip)
					}
					return err
				})
				if err != nil {
					return nil, err
				}
				if a, ok := conn.RemoteAddr().(*net.TCPAddr); ok {
					fromLocal = local(a.AddrPort().Addr())
				}
				return conn, nil
			},
		},
		ListenPacket: func(network, addr string) (net.PacketConn, error) {
			if s.c.cfg.Bind.IsValid() {
				addr = netip.AddrPortFrom(s.c.cfg.Bind, 0).String()
			}
			pc, err := net.ListenPacket(network, addr)
			if err != nil {
				return nil, err
			}
			return m.WrapPacket(pc), nil
		},
		Slogger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return 0, err
	}
	defer cl.Close()
	resp, err := cl.Announce(ctx, tracker.AnnounceRequest{
		InfoHash: infohash.T(s.ch), PeerId: s.c.id, Event: event,
		Port: s.c.Addr().Port(), NumWant: wantFromTracker, Key: int32(s.c.id[16]) | int32(s.c.id[17])<<8,
	}, tracker.AnnounceOpt{UserAgent: s.c.cfg.Agent})
	if err != nil {
		return 0, err
	}
	if strings.HasPrefix(u.Scheme, "udp") {
		if ip, err := netip.ParseAddr(u.Hostname()); err == nil {
			fromLocal = local(ip)
		}
	}
	var addrs []netip.AddrPort
	for _, p := range resp.Peers[:min(len(resp.Peers), 2*wantFromTracker)] {
		if ip, ok := netip.AddrFromSlice(p.IP); ok && p.Port > 0 && p.Port < 1<<16 {
			addrs = append(addrs, netip.AddrPortFrom(ip.Unmap(), uint16(p.Port)))
		}
	}
	if event != tracker.Stopped {
		s.learn(addrs, FromTracker, fromLocal)
		s.mu.Lock()
		s.size = int(min(max(resp.Seeders, 0), 1<<24) + min(max(resp.Leechers, 0), 1<<24))
		s.mu.Unlock()
		s.queue.push(Sized{})
	}
	return time.Duration(resp.Interval) * time.Second, nil
}
