package screen

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Screen is a display with a window manager and a bus of its own. Its methods
// belong to one goroutine.
type Screen struct {
	Env []string // what a program needs to be shown on it, and to talk on its bus

	programs []*exec.Cmd // Xvfb, openbox, dbus-daemon
	dir      string
	pixels   *os.File
	at       int64 // where in pixels the first row begins
	stride   int   // bytes in a row
	wide     int
	high     int
	strip    strip // where the picture's number was read last
}

// Bus is the address of the session bus.
func (s *Screen) Bus() string { return strings.TrimPrefix(s.Env[len(s.Env)-1], busVariable) }

const busVariable = "DBUS_SESSION_BUS_ADDRESS="

// startWithin bounds how long a part of a screen may take to come up.
const startWithin = 20 * time.Second

// Open starts a display of a size.
func Open(wide, high int) (*Screen, error) {
	dir, err := os.MkdirTemp("", "coral-screen-")
	if err != nil {
		return nil, err
	}
	s := &Screen{dir: dir, wide: wide, high: high}
	if err := s.open(); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func (s *Screen) open() error {
	number, err := s.start("Xvfb", "-displayfd", "3", "-fbdir", s.dir, "-screen", "0", fmt.Sprintf("%dx%dx24", s.wide, s.high), "-nolisten", "tcp")
	if err != nil {
		return err
	}
	s.Env = []string{
		"DISPLAY=:" + number, "WAYLAND_DISPLAY=", "LANG=en_US.UTF-8", "LC_ALL=", "LANGUAGE=en", "FYNE_SCALE=1",
		"LIBGL_ALWAYS_SOFTWARE=1", busVariable + "disabled:",
	}
	bus, err := s.start("dbus-daemon", "--session", "--nofork", "--nopidfile", "--print-address=3")
	if err != nil {
		return err
	}
	s.Env[len(s.Env)-1] = busVariable + bus
	manager := exec.Command("openbox")
	manager.Env = append(os.Environ(), s.Env...)
	if err := manager.Start(); err != nil {
		return fmt.Errorf("start window manager: %w", err)
	}
	s.programs = append(s.programs, manager)
	return s.openPixels()
}

// start starts a part that writes one line to its descriptor 3 once it is ready.
func (s *Screen) start(name string, args ...string) (line string, err error) {
	r, w, err := os.Pipe()
	if err != nil {
		return "", err
	}
	defer r.Close()
	cmd := exec.Command(name, args...)
	cmd.ExtraFiles = []*os.File{w}
	err = cmd.Start()
	w.Close()
	if err != nil {
		return "", fmt.Errorf("start %s: %w", name, err)
	}
	s.programs = append(s.programs, cmd)
	late := time.AfterFunc(startWithin, func() { r.Close() })
	defer late.Stop()
	line, err = bufio.NewReader(r).ReadString('\n')
	if err != nil {
		return "", fmt.Errorf("start %s: it does not come up: %w", name, err)
	}
	return strings.TrimSpace(line), nil
}

// openPixels opens the file that Xvfb draws into: a picture in the format of xwd,
// whose header is of 32-bit words, most significant byte first.
func (s *Screen) openPixels() (err error) {
	if s.pixels, err = os.Open(filepath.Join(s.dir, "Xvfb_screen0")); err != nil {
		return fmt.Errorf("open pixels: %w", err)
	}
	const words, color = 25, 12 // in the header; bytes for each entry of the map of colours
	head := make([]byte, 4*words)
	if _, err := io.ReadFull(s.pixels, head); err != nil {
		return fmt.Errorf("read pixels: %w", err)
	}
	word := func(i int) int { return int(binary.BigEndian.Uint32(head[4*i:])) }
	if word(4) != s.wide || word(5) != s.high || word(11) != 32 {
		return errors.New("read pixels: not as it was asked for")
	}
	s.at, s.stride = int64(word(0)+color*word(19)), word(12)
	return nil
}

// Do uses keyboard and mouse, with xdotool's words, and returns what it says.
func (s *Screen) Do(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "xdotool", args...)
	cmd.Env = append(os.Environ(), s.Env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("xdotool %s: %w %s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out)), nil
}

// Display is the process that draws; its number, for who counts its time.
func (s *Screen) Display() int { return s.programs[0].Process.Pid }

// Close ends the display and with it all that is shown on it.
func (s *Screen) Close() {
	for i := len(s.programs) - 1; i >= 0; i-- {
		s.programs[i].Process.Kill()
		s.programs[i].Wait()
	}
	if s.pixels != nil {
		s.pixels.Close()
	}
	os.RemoveAll(s.dir)
}
