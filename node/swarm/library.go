package swarm

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/anacrolix/torrent"
	"github.com/anacrolix/torrent/metainfo"
	pp "github.com/anacrolix/torrent/peer_protocol"
	"github.com/anacrolix/torrent/storage"
	"golang.org/x/time/rate"

	"coral/node/swarm/wire"
)

const (
	// peerIDPrefix follows BEP 20.
	peerIDPrefix = "-CO0001-"
	// handshakeWithin bounds the encrypted handshake, and the library's part of a
	// connection's set-up after it; twice its default, since at high loss a round
	// trip may take seconds.
	handshakeWithin = 8 * time.Second
	// dialWithin bounds a TCP connection attempt: two repeats of the SYN.
	dialWithin = 6 * time.Second
	// libraryConns is out of reach: at its limit the library evicts by what was
	// useful to a download, where Coral's messages do not count.
	libraryConns = 500
)

const extension = pp.ExtensionName(wire.Extension)

// The extensions offered, always the same numbers. ut_holepunch is left out: it
// needs uTP. The library sends PEX messages, but the ones that come are ours to
// read: it is not among the builtins, or the library would dial what it read
// there by itself. The maps are shared and never changed.
var (
	withPEX = &torrent.LocalLtepProtocolMap{
		Index:      []pp.ExtensionName{pp.ExtensionNameMetadata, pp.ExtensionNamePex, extension},
		NumBuiltin: 1,
	}
	withoutPEX = &torrent.LocalLtepProtocolMap{
		Index:      []pp.ExtensionName{pp.ExtensionNameMetadata, extension},
		NumBuiltin: 1,
	}
)

const pexNumber = pp.ExtensionNumber(2) // in withPEX

// number is the extension number under which Coral's messages arrive.
func number(m *torrent.LocalLtepProtocolMap) pp.ExtensionNumber {
	return pp.ExtensionNumber(len(m.Index))
}

func (c *Client) libraryConfig() *torrent.ClientConfig {
	cfg := torrent.NewDefaultClientConfig()
	// Our own listener, dialer, DHT, trackers and port forwarding.
	cfg.DisableTCP, cfg.DisableUTP, cfg.NoDHT = true, true, true
	cfg.DisableTrackers, cfg.DisableWebtorrent, cfg.DisableWebseeds = true, true, true
	cfg.NoDefaultPortForwarding = true
	cfg.PeriodicallyAnnounceTorrentsToDht = false
	cfg.DialForPeerConns = false
	cfg.DialRateLimiter = rate.NewLimiter(rate.Inf, 1) // the book does it
	cfg.NominalDialTimeout, cfg.MinDialTimeout = dialWithin, dialWithin
	cfg.HandshakesTimeout = handshakeWithin
	cfg.EstablishedConnsPerTorrent = libraryConns
	// Complete nodes must stay connected.
	cfg.Seed, cfg.DropMutuallyCompletePeers, cfg.AlwaysWantConns = true, false, true
	cfg.DropDuplicatePeerIds = true
	// What reaches the library has been through Client.encrypt. Were the policy
	// strict, the library would tell peers that we do not like encryption.
	cfg.HeaderObfuscationPolicy = torrent.HeaderObfuscationPolicy{}
	cfg.PeerID = string(c.id[:])
	cfg.Bep20 = peerIDPrefix
	cfg.ExtendedHandshakeClientVersion, cfg.HTTPUserAgent, cfg.UpnpID = c.cfg.Agent, c.cfg.Agent, "Coral"
	cfg.DefaultStorage = noStorage{}
	cfg.MaxAllocPeerRequestDataPerConn = 64 << 10 // the payload is at most 16 KiB
	// The library's own log has nothing that a user of Coral could act on.
	cfg.Slogger = slog.New(slog.DiscardHandler)
	cfg.Callbacks = torrent.Callbacks{
		CompletedHandshake:           c.onHandshake,
		PeerConnAdded:                []func(*torrent.PeerConn){c.onAdded},
		ReadExtendedHandshake:        c.onExtended,
		PeerConnReadExtensionMessage: []func(torrent.PeerConnReadExtensionMessageEvent){c.onMessage},
		PeerConnClosed:               c.onClosed,
	}
	return cfg
}

// noStorage is the library's default storage: nothing may come to it.
type noStorage struct{}

func (noStorage) OpenTorrent(context.Context, *metainfo.Info, metainfo.Hash) (storage.TorrentImpl, error) {
	return storage.TorrentImpl{}, errors.New("open storage: not a channel")
}

// payload is the storage of a channel's torrent: one small piece, which every
// node derives from the descriptor and so has complete from the start, or from
// when it has fetched the descriptor.
type payload struct {
	mu   sync.Mutex
	data []byte // nil: not known yet
}

func (p *payload) OpenTorrent(_ context.Context, info *metainfo.Info, _ metainfo.Hash) (storage.TorrentImpl, error) {
	if info.NumPieces() != 1 || info.TotalLength() > maxPayload {
		return storage.TorrentImpl{}, errors.New("open storage: not a channel's payload")
	}
	return storage.TorrentImpl{Piece: func(metainfo.Piece) storage.PieceImpl { return p }}, nil
}

// maxPayload is one piece of a channel's torrent.
const maxPayload = 16 << 10

func (p *payload) set(data []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.data = data
}

func (p *payload) ReadAt(b []byte, off int64) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if off >= int64(len(p.data)) {
		return 0, io.EOF
	}
	n := copy(b, p.data[off:])
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

// WriteAt takes nothing: what peers send of the payload is not needed.
func (p *payload) WriteAt(b []byte, _ int64) (int, error) { return len(b), nil }
func (p *payload) MarkComplete() error                    { return nil }
func (p *payload) MarkNotComplete() error                 { return nil }

func (p *payload) Completion() storage.Completion {
	p.mu.Lock()
	defer p.mu.Unlock()
	return storage.Completion{Ok: true, Complete: p.data != nil}
}
