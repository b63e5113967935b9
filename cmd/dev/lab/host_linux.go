package lab

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// open makes the host's namespace and its device.
func (h *Host) open() error {
	err := apart(func() error { return unix.Unshare(unix.CLONE_NEWNET) }, func() (err error) {
		h.space, err = os.Open(ownSpace)
		return err
	})
	if err != nil {
		return fmt.Errorf("network namespace, which only root may have: %w", err)
	}
	return h.within(func() error {
		// The household's systems decide on this; the figures are for the one that
		// yields to losses, which most of them use.
		if err := os.WriteFile("/proc/sys/net/ipv4/tcp_congestion_control", []byte("cubic"), 0); err != nil {
			return fmt.Errorf("have TCP use CUBIC, which must be among net.ipv4.tcp_allowed_congestion_control: %w", err)
		}
		device, err := tun(h.Addr.AsSlice())
		h.device = device
		return err
	})
}

// tun makes a device in the namespace of the calling thread, which has the address
// addr and a route to all hosts, and puts loopback up.
func tun(addr []byte) (device *os.File, err error) {
	const name, file = "line", "/dev/net/tun"
	fd, err := unix.Open(file, unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	defer func() {
		if err != nil {
			unix.Close(fd)
		}
	}()
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(socket)
	for _, c := range []struct {
		fd      int
		request uint
		name    string
		flags   uint16
		addr    []byte
	}{
		{fd: fd, request: unix.TUNSETIFF, name: name, flags: unix.IFF_TUN | unix.IFF_NO_PI},
		{fd: socket, request: unix.SIOCSIFADDR, name: name, addr: addr},
		{fd: socket, request: unix.SIOCSIFNETMASK, name: name, addr: []byte{255, 255, 0, 0}},
		{fd: socket, request: unix.SIOCSIFFLAGS, name: name, flags: unix.IFF_UP},
		{fd: socket, request: unix.SIOCSIFFLAGS, name: "lo", flags: unix.IFF_UP},
	} {
		r, err := unix.NewIfreq(c.name)
		if err == nil && c.addr != nil {
			err = r.SetInet4Addr(c.addr)
		} else if err == nil {
			r.SetUint16(c.flags)
		}
		if err == nil {
			err = unix.IoctlIfreq(c.fd, c.request, r)
		}
		if err != nil {
			return nil, fmt.Errorf("set up device %s: %w", c.name, err)
		}
	}
	// Only now: the poller would wait in vain for what is no device yet.
	return os.NewFile(uintptr(fd), file), nil
}

// ownSpace is the namespace of the thread that opens it.
const ownSpace = "/proc/thread-self/ns/net"

// within does something on the host: what do opens or starts itself, not in other
// goroutines, belongs to it.
func (h *Host) within(do func() error) error {
	return apart(func() error { return unix.Setns(int(h.space.Fd()), unix.CLONE_NEWNET) }, do)
}

// apart does something on a thread that has left its namespace, and comes back.
func apart(leave, do func() error) error {
	runtime.LockOSThread()
	home, err := os.Open(ownSpace)
	if err == nil {
		defer home.Close()
		err = leave()
	}
	if err != nil {
		runtime.UnlockOSThread()
		return err
	}
	err = do()
	if back := unix.Setns(int(home.Fd()), unix.CLONE_NEWNET); back != nil {
		return errors.Join(err, back) // the thread stays locked: it is of no more use
	}
	runtime.UnlockOSThread()
	return err
}

// Listen listens on a TCP port of the host.
func (h *Host) Listen(ctx context.Context, port int) (l net.Listener, err error) {
	err = h.within(func() error {
		l, err = new(net.ListenConfig).Listen(ctx, "tcp4", fmt.Sprintf(":%d", port))
		return err
	})
	return l, err
}

// Dial connects from the host to an address in figures; names are not looked up.
func (h *Host) Dial(ctx context.Context, _, addr string) (c net.Conn, err error) {
	err = h.within(func() error {
		c, err = new(net.Dialer).DialContext(ctx, "tcp4", addr)
		return err
	})
	return c, err
}

// Start starts a program on the host, which ends with this one at the latest.
func (h *Host) Start(c *exec.Cmd) error {
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return h.within(c.Start)
}
