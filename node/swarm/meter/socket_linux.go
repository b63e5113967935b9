package meter

import (
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// socket is a TCP connection's system calls, made without a word to Go's
// scheduler. They cannot block, since the socket is in non-blocking mode. To tell
// the scheduler (as package syscall does) wakes, whenever the process was idle,
// the runtime's monitor thread, which then looks every 20 µs whether the call
// still blocks. A viewer is woken some two hundred times a second, for a few
// microseconds each time.
type socket struct {
	raw syscall.RawConn
	in  transfer
	out transfer

	// owned by asking
	asking sync.Mutex
	info   unix.TCPInfo
	option int32
	errno  syscall.Errno
}

// transfer is one direction's.
type transfer struct {
	mu   sync.Mutex // held for as long as a call takes
	step func(fd uintptr) (done bool)

	// owned by mu
	b   []byte
	n   int
	err error
}

func newSocket(tcp *net.TCPConn) *socket {
	s := &socket{}
	s.raw, _ = tcp.SyscallConn() // fails for a connection that was never opened
	s.in.step, s.out.step = s.in.receive, s.out.send
	return s
}

func (s *socket) read(b []byte) (int, error)  { return s.in.run(b, s.raw.Read) }
func (s *socket) write(b []byte) (int, error) { return s.out.run(b, s.raw.Write) }

// run moves b by way of wait, which calls step each time that the socket is ready.
func (t *transfer) run(b []byte, wait func(func(uintptr) bool) error) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.b, t.n, t.err = b, 0, nil
	err := wait(t.step)
	t.b = nil
	if t.err != nil {
		err = t.err
	}
	return t.n, err
}

func (t *transfer) receive(fd uintptr) bool {
	for {
		n, _, errno := unix.RawSyscall6(unix.SYS_RECVFROM, fd, uintptr(unsafe.Pointer(&t.b[0])), uintptr(len(t.b)), 0, 0, 0)
		switch {
		case errno == 0 && n == 0:
			t.err = io.EOF
		case errno == 0:
			t.n = int(n)
		case errno == unix.EINTR:
			continue
		case errno == unix.EAGAIN:
			return false
		default:
			t.err = os.NewSyscallError("recvfrom", errno)
		}
		return true
	}
}

func (t *transfer) send(fd uintptr) bool {
	for t.n < len(t.b) {
		n, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, fd, uintptr(unsafe.Pointer(&t.b[t.n])), uintptr(len(t.b)-t.n), unix.MSG_NOSIGNAL, 0, 0)
		switch errno {
		case 0:
			t.n += int(n)
		case unix.EINTR:
		case unix.EAGAIN:
			return false
		default:
			t.err = os.NewSyscallError("sendto", errno)
			return true
		}
	}
	return true
}

// tcpInfo calls f with what the kernel tells of the connection. It reports
// whether that could be had.
func (s *socket) tcpInfo(f func(*unix.TCPInfo)) bool {
	s.asking.Lock()
	defer s.asking.Unlock()
	s.errno = unix.EINVAL
	err := s.raw.Control(func(fd uintptr) {
		size := uint32(unsafe.Sizeof(s.info))
		_, _, s.errno = unix.RawSyscall6(unix.SYS_GETSOCKOPT, fd, unix.IPPROTO_TCP, unix.TCP_INFO,
			uintptr(unsafe.Pointer(&s.info)), uintptr(unsafe.Pointer(&size)), 0)
	})
	if err != nil || s.errno != 0 {
		return false
	}
	f(&s.info)
	return true
}

// setLowWater has readers woken when n bytes have come, or nothing more will.
func (s *socket) setLowWater(n int) {
	s.asking.Lock()
	defer s.asking.Unlock()
	s.option = int32(n)
	_ = s.raw.Control(func(fd uintptr) {
		_, _, s.errno = unix.RawSyscall6(unix.SYS_SETSOCKOPT, fd, unix.SOL_SOCKET, unix.SO_RCVLOWAT,
			uintptr(unsafe.Pointer(&s.option)), unsafe.Sizeof(s.option), 0)
	})
}
