//go:build !windows && !darwin

package native

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Requests, events and masks of the X Window System Protocol, version 11.
const (
	opGetGeometry   = 14
	opInternAtom    = 16
	opSendEvent     = 25
	opWarpPointer   = 41
	opGetInputFocus = 43

	clientMessage        = 33
	substructureNotify   = 1 << 19
	substructureRedirect = 1 << 20

	// maxReply bounds what is read of an answer; all that are asked for here are
	// shorter, but for the greeting, which lists every screen's visuals.
	maxReply = 1 << 18
	// maxAuthority bounds the file of cookies: some hundred displays.
	maxAuthority = 1 << 16
)

var order = binary.LittleEndian

// conn is a connection to the display.
type conn struct {
	net.Conn
	wide, high int // of the first screen, in pixels; 0: not told
}

// dial connects to the display that DISPLAY names, if it is on this machine.
func dial() (*conn, error) {
	number, err := displayNumber(os.Getenv("DISPLAY"))
	if err != nil {
		return nil, err
	}
	socket := "/tmp/.X11-unix/X" + number
	raw, err := net.DialTimeout("unix", socket, patience)
	if err != nil {
		if raw, err = net.DialTimeout("unix", "@"+socket, patience); err != nil {
			return nil, err
		}
	}
	c := &conn{Conn: raw}
	if err := raw.SetDeadline(time.Now().Add(patience)); err != nil {
		raw.Close()
		return nil, err
	}
	if err := c.greet(cookie(authority(), number)); err != nil {
		raw.Close()
		return nil, err
	}
	return c, nil
}

func (c *conn) close() { c.Close() }

// displayNumber takes "0" out of ":0.0".
func displayNumber(display string) (string, error) {
	host, rest, found := strings.Cut(display, ":")
	if !found || host != "" && host != "unix" {
		return "", ErrUnsupported
	}
	number, _, _ := strings.Cut(rest, ".")
	if n, err := strconv.Atoi(number); err != nil || n < 0 {
		return "", fmt.Errorf("display %q: no number", display)
	}
	return number, nil
}

// authority reads the user's file of cookies; nil: there is none.
func authority() []byte {
	name := os.Getenv("XAUTHORITY")
	if name == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return nil
		}
		name = filepath.Join(home, ".Xauthority")
	}
	f, err := os.Open(name)
	if err != nil {
		return nil
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxAuthority))
	if err != nil {
		return nil
	}
	return b
}

const cookieName = "MIT-MAGIC-COOKIE-1"

// cookie finds the cookie of a display in a file of them (see Xau's AuFileName);
// nil: none.
func cookie(file []byte, number string) []byte {
	for len(file) >= 2 {
		file = file[2:] // the family of the address
		var fields [4][]byte
		for i := range fields {
			if len(file) < 2 {
				return nil
			}
			n := int(binary.BigEndian.Uint16(file))
			if file = file[2:]; len(file) < n {
				return nil
			}
			fields[i], file = file[:n], file[n:]
		}
		if display := string(fields[1]); string(fields[2]) == cookieName && (display == number || display == "") {
			return fields[3]
		}
	}
	return nil
}

// greet opens the conversation, and learns the size of the screen.
func (c *conn) greet(cookie []byte) error {
	name := cookieName
	if cookie == nil {
		name = ""
	}
	b := []byte{'l', 0}
	for _, n := range []int{11, 0, len(name), len(cookie), 0} {
		b = order.AppendUint16(b, uint16(n))
	}
	b = append(b, pad([]byte(name))...)
	b = append(b, pad(cookie)...)
	if _, err := c.Write(b); err != nil {
		return err
	}
	var head [8]byte
	if _, err := io.ReadFull(c, head[:]); err != nil {
		return err
	}
	if head[0] != 1 {
		return errors.New("the display does not let this program in")
	}
	about := make([]byte, 4*int(order.Uint16(head[6:])))
	if _, err := io.ReadFull(c, about); err != nil {
		return err
	}
	c.wide, c.high = screen(about)
	return nil
}

// screen finds the first screen's size in a display's description of itself: 32
// bytes, the maker's name, 8 bytes for each format, then the screens.
func screen(about []byte) (wide, high int) {
	if len(about) < 32 {
		return 0, 0
	}
	at := 32 + (int(order.Uint16(about[16:]))+3)&^3 + 8*int(about[21])
	if len(about) < at+24 {
		return 0, 0
	}
	return int(order.Uint16(about[at+20:])), int(order.Uint16(about[at+22:]))
}

// ask sends a request and returns its reply.
func (c *conn) ask(b []byte) ([]byte, error) {
	if _, err := c.Write(b); err != nil {
		return nil, err
	}
	for {
		reply := make([]byte, 32)
		if _, err := io.ReadFull(c, reply); err != nil {
			return nil, err
		}
		switch reply[0] {
		case 0:
			return nil, fmt.Errorf("the display refuses: error %d", reply[1])
		case 1:
			more := 4 * int64(order.Uint32(reply[4:]))
			if more > maxReply {
				return nil, errors.New("the display's answer is too long")
			}
			_, err := io.CopyN(io.Discard, c, more)
			return reply, err
		}
	}
}

// tell sends requests that have no reply, and waits until they were read.
func (c *conn) tell(b []byte) error {
	_, err := c.ask(append(b, request(opGetInputFocus, 0, nil)...))
	return err
}

// request builds a request.
func request(op, detail byte, body []byte) []byte {
	body = pad(body)
	b := []byte{op, detail, 0, 0}
	order.PutUint16(b[2:], uint16(1+len(body)/4))
	return append(b, body...)
}

// pad fills up to a multiple of four bytes.
func pad(b []byte) []byte { return append(b, make([]byte, (4-len(b)%4)%4)...) }

func words(all ...uint32) (b []byte) {
	for _, w := range all {
		b = order.AppendUint32(b, w)
	}
	return b
}
