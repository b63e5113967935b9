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

func readCounters(*net.TCPConn) (counters, bool) { return counters{}, false }

func setOptions(tcp *net.TCPConn) {
	_ = tcp.SetNoDelay(true)
	_ = tcp.SetWriteBuffer(sendBuffer)
}

func setBuffers(tcp *net.TCPConn, receive int) {
	if receive > 0 {
		_ = tcp.SetReadBuffer(receive)
	}
}

// setLowWater does nothing: readers are woken for whatever comes.
func setLowWater(*net.TCPConn, int) {}
