package swarm

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"github.com/anacrolix/torrent/mse"
	pp "github.com/anacrolix/torrent/peer_protocol"

	"coral/node/swarm/meter"
	"coral/node/swarm/wire"
)

// stream is a connection to a peer from its encrypted handshake on. Coral's
// messages are taken out of it and put into it here; the library has the rest.
// By way of the library each of them would be copied five times, cross three
// goroutines and take the one lock of all connections: a third of a viewer's
// processor time.
type stream struct {
	net.Conn // as the library is to see it
	socket   *meter.Conn
	plain    io.ReadWriter

	// owned by the reading goroutine, which is the library's

	ours   byte                 // the number that Coral's messages come under
	take   func(payload []byte) // gets them, to keep; nil: they are the library's, too
	begun  func(payload []byte) // gets the beginning of one that has not all come yet
	silent bool                 // the library's deadlines do not count
	buf    []byte               // what was read, [r:w] not consumed yet
	r, w   int
	pass   int64 // bytes of the message under way that are the library's

	// owned by sending
	sending sync.Mutex
	broken  error         // of the first write that failed
	sent    int64         // by the library
	opened  chan struct{} // closed when its extension handshake has been sent
}

const (
	// handshakeLen is BitTorrent's own handshake (BEP 3), before the first message.
	handshakeLen = 1 + 19 + 8 + 20 + 20
	// frameHead is what BitTorrent puts before an extension message: length,
	// message type, extension number (BEP 10).
	frameHead = 4 + 1 + 1
	// readAhead holds what control messages come at once; of a block little is
	// copied out of it.
	readAhead = 4 << 10
	// maxFrame is the longest message with its seal.
	maxFrame = wire.MaxMessage + 64
)

var errFrame = errors.New("message is longer than any of Coral's")

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
	return newStream(conn, as, plain), conn.SetDeadline(time.Time{})
}

func newStream(conn *meter.Conn, as net.Conn, plain io.ReadWriter) *stream {
	return &stream{Conn: as, socket: conn, plain: plain, pass: handshakeLen, opened: make(chan struct{})}
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

// Read implements net.Conn for the library. It returns at each end of one of its
// messages, so that what the library does with that comes before our next.
func (s *stream) Read(b []byte) (int, error) {
	for s.pass == 0 {
		if err := s.next(); err != nil {
			return 0, err
		}
	}
	b = b[:min(int64(len(b)), s.pass)]
	n, err := copy(b, s.buf[s.r:s.w]), error(nil)
	s.r += n
	if n == 0 {
		n, err = s.plain.Read(b)
	}
	s.pass -= int64(n)
	return n, err
}

// next reads as far as the kind of the next message: one of ours is taken, one of
// the library's is let pass.
func (s *stream) next() error {
	if err := s.need(4); err != nil {
		return err
	}
	n := binary.BigEndian.Uint32(s.buf[s.r:])
	if s.take == nil || n < frameHead-4 {
		s.pass = 4 + int64(n)
		return nil
	}
	if err := s.need(frameHead); err != nil {
		return err
	}
	if h := s.buf[s.r:]; h[4] != byte(pp.Extended) || h[5] != s.ours {
		s.pass = 4 + int64(n)
		return nil
	}
	if n -= frameHead - 4; n > maxFrame {
		return errFrame
	}
	s.r += frameHead
	payload := make([]byte, n)
	k := copy(payload, s.buf[s.r:s.w])
	s.r += k
	if k > 0 && k < len(payload) {
		s.begun(payload[:k])
	}
	for k < len(payload) {
		// Waking up for each packet of a block, of which nothing can be used before
		// the last, is what most of a viewer's processor time once went to.
		s.socket.Expect(len(payload) - k)
		n, err := s.plain.Read(payload[k:])
		if k += n; n == 0 && err != nil {
			return err
		}
	}
	s.take(payload)
	return nil
}

// need reads until n bytes wait in buf.
func (s *stream) need(n int) error {
	if s.w-s.r >= n {
		return nil
	}
	if s.buf == nil {
		s.buf = make([]byte, readAhead)
	}
	s.r, s.w = 0, copy(s.buf, s.buf[s.r:s.w])
	s.socket.Expect(1)
	for s.w < n {
		k, err := s.plain.Read(s.buf[s.w:])
		if s.w += k; k == 0 && err != nil {
			return err
		}
	}
	return nil
}

// divert has messages under number ours taken by take from now on, and begun called
// as long ones begin to come. The reading goroutine calls it, between two messages of
// the library's.
func (s *stream) divert(ours byte, take, begun func(payload []byte)) {
	s.ours, s.take, s.begun = ours, take, begun
}

// mute ends the library's deadlines for reading, which it would think passed
// while only our messages come; watch looks after silence. The reading goroutine
// calls it.
func (s *stream) mute() {
	s.silent = true
	_ = s.Conn.SetReadDeadline(time.Time{})
}

// SetReadDeadline implements net.Conn for the library.
func (s *stream) SetReadDeadline(t time.Time) error {
	if s.silent {
		return nil
	}
	return s.Conn.SetReadDeadline(t)
}

// Write implements net.Conn for the library, which writes whole messages.
func (s *stream) Write(b []byte) (int, error) {
	s.sending.Lock()
	defer s.sending.Unlock()
	n, err := s.write(b)
	was := s.sent
	if s.sent += int64(n); was <= handshakeLen && s.sent > handshakeLen {
		close(s.opened) // its first message is the extension handshake
	}
	return n, err
}

// send writes whole messages of ours and returns when the kernel has taken them.
func (s *stream) send(messages []byte) error {
	s.sending.Lock()
	defer s.sending.Unlock()
	_, err := s.write(messages)
	return err
}

// write is the only way out. Once less than all was taken, the cipher is ahead of
// the other side's for good. sending is held.
func (s *stream) write(b []byte) (n int, err error) {
	if s.broken == nil {
		n, s.broken = s.plain.Write(b)
	}
	return n, s.broken
}
