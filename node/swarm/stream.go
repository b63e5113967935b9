package swarm

import (
	"encoding/binary"
	"io"
	"net"
	"time"

	"github.com/anacrolix/torrent/mse"

	"coral/node/swarm/meter"
	"coral/store/segment"
)

// stream is a connection to a peer from its encrypted handshake on. The library
// sees the plain text, and so do we: where BitTorrent's messages begin and end
// decides how much must have come before reading is worth the while.
type stream struct {
	net.Conn // as the library is to see it
	socket   *meter.Conn
	plain    io.ReadWriter
	frames   framing
}

// encrypt does our side of message-stream encryption, of the whole stream: as
// who dialed if s is set, else for whichever of our swarms the peer names. as is
// the connection that the library is to see. The caller closes it on an error.
func (c *Client) encrypt(conn *meter.Conn, as net.Conn, s *Swarm) (*stream, error) {
	if err := conn.SetDeadline(time.Now().Add(handshakeWithin)); err != nil {
		return nil, err
	}
	var plain io.ReadWriter
	var err error
	if s != nil {
		plain, _, err = mse.InitiateHandshakeContext(s.ctx, conn, s.ch[:], nil, mse.CryptoMethodRC4)
	} else {
		plain, _, err = mse.ReceiveHandshake(c.ctx, conn, c.channels, onlyRC4)
	}
	if err != nil {
		return nil, err
	}
	return &stream{Conn: as, socket: conn, plain: plain, frames: framing{skip: handshakeLen}}, conn.SetDeadline(time.Time{})
}

// onlyRC4 chooses 0, which is no method, if RC4 is not offered.
func onlyRC4(offered mse.CryptoMethod) mse.CryptoMethod { return offered & mse.CryptoMethodRC4 }

// channels calls f with each channel whose swarm we are in, until it has enough.
func (c *Client) channels(f func([]byte) (more bool)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for ch := range c.swarms {
		if !f(ch[:]) {
			return
		}
	}
}

// Read implements net.Conn. In the midst of a long message it has the next read
// wait for the rest: waking up for each packet of a block, of which nothing can
// be used before the last, is what most of a viewer's processor time went to.
func (s *stream) Read(b []byte) (int, error) {
	n, err := s.plain.Read(b)
	s.frames.follow(b[:n])
	s.socket.Expect(s.frames.rest())
	return n, err
}

// Write implements net.Conn.
func (s *stream) Write(b []byte) (int, error) { return s.plain.Write(b) }

// handshakeLen is BitTorrent's own handshake (BEP 3), before the first message.
const handshakeLen = 1 + 19 + 8 + 20 + 20

// framing follows messages, each after its length (BEP 3), through a stream.
type framing struct {
	skip int64 // bytes left of the handshake or a message
	head [4]byte
	n    int // bytes of head that have come
}

func (f *framing) follow(b []byte) {
	for len(b) > 0 {
		if f.skip > 0 {
			k := min(f.skip, int64(len(b)))
			f.skip -= k
			b = b[k:]
			continue
		}
		k := copy(f.head[f.n:], b)
		f.n += k
		b = b[k:]
		if f.n == len(f.head) {
			f.skip, f.n = int64(binary.BigEndian.Uint32(f.head[:])), 0
		}
	}
}

// rest is how many bytes of the message under way have not come, a block's at
// most: what claims to be longer is no business of ours.
func (f *framing) rest() int { return int(min(f.skip, segment.BlockSize)) }
