package meter

import (
	"net"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Control is net.Dialer's hook of that name.
type Control = func(network, address string, c syscall.RawConn) error

// notSentLimit is how much the kernel may hold that it has not sent yet: beyond
// it a write waits, so that "taken by the kernel" means "about to leave" and a
// control message does not stand behind seconds of data: at 1 Mbit/s, an eighth
// of one. A gigabit line sends as much while a goroutine wakes up.
const notSentLimit = 16 << 10

// counters are the kernel's, for one connection.
type counters struct {
	bytesSent, bytesReceived int64 // payload, retransmissions included when sent
	segsOut, segsIn          int64
	notSent                  int64
	mss                      int64
	acked                    int64         // payload that has arrived there
	rtt, minRTT              time.Duration // smoothed; the least of the last five minutes. 0: not known
}

func (s *socket) counters() (k counters, ok bool) {
	ok = s.tcpInfo(func(info *unix.TCPInfo) {
		k = counters{
			bytesSent: int64(info.Bytes_sent), bytesReceived: int64(info.Bytes_received),
			segsOut: int64(info.Segs_out), segsIn: int64(info.Segs_in),
			notSent: int64(info.Notsent_bytes), mss: int64(info.Snd_mss),
			acked: int64(info.Bytes_acked), minRTT: time.Duration(info.Min_rtt) * time.Microsecond,
			rtt: time.Duration(info.Rtt) * time.Microsecond,
		}
	})
	// Kernels before 4.19 leave bytesSent zero: estimate there.
	if k.bytesSent == 0 && k.segsOut > 8 && k.bytesReceived == 0 {
		ok = false
	}
	return k, ok
}

func setOptions(tcp *net.TCPConn) {
	_ = tcp.SetNoDelay(true)
	rc, err := tcp.SyscallConn()
	if err != nil {
		return
	}
	_ = rc.Control(func(fd uintptr) {
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, notSentLimit)
		// Where a packet in four is lost, time-outs that double keep a connection
		// silent for longer than anybody waits.
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_THIN_LINEAR_TIMEOUTS, 1)
	})
}

// setBuffers limits the receive buffer; 0 leaves it to the kernel.
func setBuffers(tcp *net.TCPConn, receive int) {
	if receive > 0 {
		_ = tcp.SetReadBuffer(receive)
	}
}
