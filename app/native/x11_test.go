//go:build !windows && !darwin

package native

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"testing"
)

func entry(family uint16, fields ...string) (b []byte) {
	b = binary.BigEndian.AppendUint16(b, family)
	for _, f := range fields {
		b = binary.BigEndian.AppendUint16(b, uint16(len(f)))
		b = append(b, f...)
	}
	return b
}

func TestCookie(t *testing.T) {
	file := append(entry(256, "host", "1", cookieName, "one"), entry(256, "host", "0", "XDM-AUTHORIZATION-1", "x")...)
	file = append(file, entry(256, "host", "0", cookieName, "zero")...)
	for number, want := range map[string]string{"0": "zero", "1": "one", "2": ""} {
		if got := string(cookie(file, number)); got != want {
			t.Errorf("display %s: %q, want %q", number, got, want)
		}
	}
}

func FuzzCookie(f *testing.F) {
	f.Add(entry(256, "host", "0", cookieName, "0123456789abcdef"))
	f.Add([]byte{1, 0, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, file []byte) {
		if got := cookie(file, "0"); got != nil && !bytes.Contains(file, got) {
			t.Errorf("%q is not of the file", got)
		}
	})
}

func TestDisplayNumber(t *testing.T) {
	for display, want := range map[string]string{":0": "0", ":12.1": "12", "unix:3": "3", "": "", "far.example:0": "", ":x": "", ":-1": ""} {
		got, err := displayNumber(display)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v; want %q", display, got, err, want)
		}
	}
}

// about is how a display of one screen describes itself, in 128 bytes.
func about(wide, high uint16) []byte {
	b := make([]byte, 128)
	order.PutUint16(b[16:], 5)             // the maker's name fills 8 bytes
	b[20], b[21] = 1, 7                    // screens, formats
	order.PutUint16(b[32+8+7*8+20:], wide) // 96
	order.PutUint16(b[32+8+7*8+22:], high)
	return b
}

func FuzzScreen(f *testing.F) {
	f.Add(about(1920, 1080))
	f.Add(make([]byte, 40))
	f.Fuzz(func(t *testing.T, b []byte) {
		if w, h := screen(b); w < 0 || h < 0 {
			t.Errorf("%d x %d", w, h)
		}
	})
}

// TestConversation plays the display's part, byte by byte.
func TestConversation(t *testing.T) {
	here, there := net.Pipe()
	t.Cleanup(func() { here.Close(); there.Close() })
	heard := make(chan []byte, 1)
	go func() {
		defer close(heard)
		greeting := make([]byte, 12+20+4)
		_, _ = io.ReadFull(there, greeting)
		_, _ = there.Write(append([]byte{1, 0, 11, 0, 0, 0, 32, 0}, about(800, 600)...))
		reply := func(n int, value uint32) []byte {
			b := make([]byte, n)
			_, _ = io.ReadFull(there, b)
			r := make([]byte, 32)
			r[0] = 1
			order.PutUint32(r[8:], value)
			event := make([]byte, 32) // something else that happened
			event[0] = 22
			_, _ = there.Write(append(event, r...))
			return b
		}
		reply(8, 77)                                 // GetGeometry: the root
		reply(8+16, 5)                               // _NET_WM_STATE
		reply(8+20, 6)                               // _NET_WM_STATE_ABOVE
		heard <- append(greeting, reply(44+4, 0)...) // SendEvent, GetInputFocus
	}()
	c := &conn{Conn: here}
	if err := c.greet([]byte("abcd")); err != nil {
		t.Fatal(err)
	}
	if c.wide != 800 || c.high != 600 {
		t.Errorf("a screen of %d x %d", c.wide, c.high)
	}
	if err := c.keepAbove(42, true); err != nil {
		t.Fatal(err)
	}
	b := <-heard
	if !bytes.HasPrefix(b, []byte{'l', 0, 11, 0, 0, 0, 18, 0, 4, 0, 0, 0}) || string(b[12:30]) != cookieName || string(b[32:36]) != "abcd" {
		t.Errorf("greeting %q", b[:36])
	}
	want := append([]byte{opSendEvent, 0, 11, 0}, words(77, 0x180000)...)
	want = append(want, clientMessage, 32, 0, 0)
	want = append(want, words(42, 5, 1, 6, 0, 1, 0)...)
	want = append(want, opGetInputFocus, 0, 1, 0)
	if !bytes.Equal(b[36:], want) {
		t.Errorf("sent\n%v, want\n%v", b[36:], want)
	}
}

func TestDisplayRefuses(t *testing.T) {
	here, there := net.Pipe()
	t.Cleanup(func() { here.Close(); there.Close() })
	go func() {
		_, _ = io.ReadFull(there, make([]byte, 12))
		_, _ = there.Write([]byte{0, 0, 11, 0, 0, 0, 0, 0})
	}()
	if err := (&conn{Conn: here}).greet(nil); err == nil {
		t.Error("let in by a display that refuses")
	}
	t.Setenv("DISPLAY", ":919") // nobody there
	if KeepAbove(1, true) == nil || NudgePointer() == nil {
		t.Error("done without a display")
	}
	if _, _, err := ScreenSize(); err == nil {
		t.Error("measured without a display")
	}
}
