//go:build !linux

package meter

import (
	"net"
	"syscall"
	"time"
)

// Control is net.Dialer's hook of that name.
type Control = func(network, address string, c syscall.RawConn) error

// sendBuffer keeps the kernel from holding seconds of unsent data where there is
// no limit on the unsent part alone.
const sendBuffer = 256 << 10

type counters struct {
	bytesSent, bytesReceived int64
	segsOut, segsIn          int64
	notSent                  int64
	mss                      int64
	acked                    int64
	rtt, minRTT              time.Duration
}

// socket is a TCP connection's system calls.
type socket struct{ tcp *net.TCPConn }

func newSocket(tcp *net.TCPConn) *socket { return &socket{tcp} }

func (s *socket) read(b []byte) (int, error)  { return s.tcp.Read(b) }
func (s *socket) write(b []byte) (int, error) { return s.tcp.Write(b) }

func (s *socket) counters() (counters, bool) { return counters{}, false }

// setLowWater does nothing: readers are woken for whatever comes.
func (s *socket) setLowWater(int) {}

func setOptions(tcp *net.TCPConn) {
	_ = tcp.SetNoDelay(true)
	_ = tcp.SetWriteBuffer(sendBuffer)
}

func setBuffers(tcp *net.TCPConn, receive int) {
	if receive > 0 {
		_ = tcp.SetReadBuffer(receive)
	}
}
