package swarm

import (
	"bytes"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"testing"

	pp "github.com/anacrolix/torrent/peer_protocol"

	"coral/node/budget"
	"coral/node/swarm/meter"
	"coral/store/segment"
)

const testNumber = 3

// testMessage is one BitTorrent message of n bytes after its length.
func testMessage(r *rand.Rand, n int, first ...byte) []byte {
	m := binary.BigEndian.AppendUint32(nil, uint32(n))
	m = append(m, first...)
	for len(m) < 4+n {
		m = append(m, byte(r.Uint32()))
	}
	return m[:4+n]
}

// tcpPair is a connection's two ends.
func tcpPair(t *testing.T) (near *net.TCPConn, far net.Conn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	if far, err = net.Dial("tcp", ln.Addr().String()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { far.Close() })
	conn, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	return conn.(*net.TCPConn), far
}

// streamPair is a stream and what its other end is.
func streamPair(t *testing.T) (*stream, net.Conn) {
	near, far := tcpPair(t)
	conn := meter.New(budget.Unlimited, budget.Unlimited, netip.Addr{}).Wrap(near, meter.Peers)
	t.Cleanup(func() { conn.Close() })
	return newStream(conn, conn, conn), far
}

// However what comes is cut, the library reads its messages and we get ours, in
// the order in which they were sent.
func TestStreamSorts(t *testing.T) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 0))
		s, far := streamPair(t)
		var sent, theirs []byte // all; the library's
		var ours [][]byte
		var after []int // how much of theirs comes before each of ours
		handshake := testMessage(r, handshakeLen-4)
		sent, theirs = append(sent, handshake...), append(theirs, handshake...)
		for range 60 {
			switch n := r.IntN(3000); r.IntN(6) {
			case 0: // keep-alive
				sent, theirs = append(sent, 0, 0, 0, 0), append(theirs, 0, 0, 0, 0)
			case 1: // one byte; another extension; any other type
				m := testMessage(r, 1, byte(pp.Extended))
				sent, theirs = append(sent, m...), append(theirs, m...)
			case 2:
				m := testMessage(r, 2+n, byte(pp.Extended), testNumber+1)
				sent, theirs = append(sent, m...), append(theirs, m...)
			case 3:
				m := testMessage(r, 2+n, byte(pp.Piece), testNumber)
				sent, theirs = append(sent, m...), append(theirs, m...)
			default:
				if r.IntN(4) == 0 {
					n = segment.BlockSize + 12
				}
				m := testMessage(r, 2+n, byte(pp.Extended), testNumber)
				sent, ours, after = append(sent, m...), append(ours, m[frameHead:]), append(after, len(theirs))
			}
		}
		go func() {
			for len(sent) > 0 {
				n := min(1+r.IntN(1+r.IntN(20_000)), len(sent))
				_, _ = far.Write(sent[:n])
				sent = sent[n:]
			}
			far.Close()
		}()
		var read []byte
		b := make([]byte, handshakeLen)
		if _, err := io.ReadFull(s, b); err != nil {
			t.Fatal(err)
		}
		read = append(read, b...)
		taken := 0
		s.divert(testNumber, func(payload []byte) {
			if taken >= len(ours) || !bytes.Equal(payload, ours[taken]) {
				t.Fatalf("seed %d: message %d came otherwise than it was sent", seed, taken)
			}
			if len(read) != after[taken] {
				t.Fatalf("seed %d: message %d came when the library had read %d bytes, want %d", seed, taken, len(read), after[taken])
			}
			taken++
		}, func(head []byte) {
			if taken >= len(ours) || len(head) == 0 || len(head) >= len(ours[taken]) || !bytes.HasPrefix(ours[taken], head) {
				t.Fatalf("seed %d: message %d begins otherwise than it was sent", seed, taken)
			}
		})
		b = make([]byte, 1<<17)
		for {
			n, err := s.Read(b)
			read = append(read, b[:n]...)
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if taken != len(ours) || !bytes.Equal(read, theirs) {
			t.Fatalf("seed %d: %d of %d messages, the library read %d of %d bytes", seed, taken, len(ours), len(read), len(theirs))
		}
	}
}

// What claims to be longer than any message of ours ends the connection before
// memory is given for it.
func TestStreamRefusesTooLong(t *testing.T) {
	s, far := streamPair(t)
	s.pass = 0
	s.divert(testNumber, func([]byte) { t.Error("taken") }, nil)
	if _, err := far.Write(slices.Concat([]byte{0xff, 0xff, 0xff, 0xff}, []byte{byte(pp.Extended), testNumber})); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Read(make([]byte, 10)); err != errFrame {
		t.Errorf("got %v", err)
	}
}
