package meter

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"coral/node/budget"
)

// A metered connection behaves as net.Conn says, whatever system calls it makes.
func TestConnAsNetConn(t *testing.T) {
	m := New(budget.Unlimited, budget.Unlimited, netip.Addr{})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	x, err := m.DialPeer(t.Context(), "tcp", ln.Addr().String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	far, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	y := m.Wrap(far.(*net.TCPConn), Peers)

	if n, err := x.Read(nil); n != 0 || err != nil {
		t.Errorf("reading nothing: %d, %v", n, err)
	}
	_ = x.SetReadDeadline(time.Now().Add(time.Millisecond))
	if n, err := x.Read(make([]byte, 1)); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("past a deadline: %d, %v", n, err)
	}
	_ = x.SetReadDeadline(time.Time{})

	// More than the kernel takes at once.
	data := bytes.Repeat([]byte("coral"), 1<<20)
	wrote := make(chan error, 1)
	go func() {
		n, err := y.Write(data)
		if err == nil && n != len(data) {
			err = io.ErrShortWrite
		}
		wrote <- err
		y.Close()
	}()
	got, err := io.ReadAll(x)
	if err != nil || !bytes.Equal(got, data) {
		t.Errorf("read %d bytes of %d: %v", len(got), len(data), err)
	}
	if err := <-wrote; err != nil {
		t.Errorf("write: %v", err)
	}

	time.AfterFunc(10*time.Millisecond, func() { x.Abort() })
	for err = nil; err == nil; { // the other side is gone, or we are
		_, err = x.Write(data)
	}
	if _, err := x.Read(make([]byte, 1)); err == nil {
		t.Error("read from a closed connection")
	}
}
