// Package utp stands in for github.com/anacrolix/go-utp, which the module
// proxy does not serve. anacrolix/torrent v1.62.0 uses five identifiers of it;
// they are given here over github.com/anacrolix/utp, which is pure Go. Coral
// itself runs with uTP switched off (node/swarm says why).
package utp

import (
	"context"
	"log/slog"
	"net"

	goutp "github.com/anacrolix/utp"
)

// Default names the implementation, for the library's log.
const Default = "pure-go"

// FirewallCallback says whether a packet's sender is to be ignored.
type FirewallCallback func(net.Addr) bool

// Socket carries uTP connections over one packet socket.
type Socket interface {
	net.PacketConn
	Accept() (net.Conn, error)
	Addr() net.Addr
	DialContext(ctx context.Context, network, addr string) (net.Conn, error)
	SetFirewallCallback(FirewallCallback)
}

// Option configures a Socket.
type Option func()

// WithLogger is accepted and ignored: the implementation does not log.
func WithLogger(*slog.Logger) Option { return func() {} }

type socket struct{ *goutp.Socket }

func (socket) SetFirewallCallback(FirewallCallback) {}

// NewSocket listens on addr.
func NewSocket(network, addr string, _ ...Option) (Socket, error) {
	s, err := goutp.NewSocket(network, addr)
	if s == nil {
		return nil, err
	}
	return socket{s}, err
}

// NewSocketFromPacketConn takes over pc.
func NewSocketFromPacketConn(pc net.PacketConn, _ ...Option) (Socket, error) {
	s, err := goutp.NewSocketFromPacketConn(pc)
	if s == nil {
		return nil, err
	}
	return socket{s}, err
}
