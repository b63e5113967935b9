//go:build !windows && !darwin

package native

import (
	"errors"
	"fmt"
)

// KeepAbove keeps an X11 window above the others, or lets it go. The window
// manager decides: one that does not know EWMH's _NET_WM_STATE_ABOVE does
// nothing.
func KeepAbove(window uintptr, on bool) error {
	c, err := dial()
	if err != nil {
		return fmt.Errorf("keep window above: %w", err)
	}
	defer c.close()
	if err := c.keepAbove(uint32(window), on); err != nil {
		return fmt.Errorf("keep window above: %w", err)
	}
	return nil
}

// NudgePointer moves the pointer by one pixel and back.
func NudgePointer() error {
	c, err := dial()
	if err != nil {
		return fmt.Errorf("nudge pointer: %w", err)
	}
	defer c.close()
	if err := c.nudge(); err != nil {
		return fmt.Errorf("nudge pointer: %w", err)
	}
	return nil
}

// ScreenSize returns the size of the screen in pixels; of several monitors, that
// of all together.
func ScreenSize() (wide, high int, err error) {
	c, err := dial()
	if err != nil {
		return 0, 0, fmt.Errorf("measure screen: %w", err)
	}
	defer c.close()
	if c.wide == 0 || c.high == 0 {
		return 0, 0, errors.New("measure screen: the display does not say")
	}
	return c.wide, c.high, nil
}

// keepAbove sends what EWMH (the freedesktop window manager specification,
// _NET_WM_STATE) asks of a client that changes a mapped window's state.
func (c *conn) keepAbove(window uint32, on bool) error {
	geometry, err := c.ask(request(opGetGeometry, 0, words(window)))
	if err != nil {
		return err
	}
	root := order.Uint32(geometry[8:])
	state, err := c.atom("_NET_WM_STATE")
	if err != nil {
		return err
	}
	above, err := c.atom("_NET_WM_STATE_ABOVE")
	if err != nil {
		return err
	}
	const remove, add, fromApplication = 0, 1, 1
	action := uint32(remove)
	if on {
		action = add
	}
	event := append([]byte{clientMessage, 32, 0, 0}, words(window, state, action, above, 0, fromApplication, 0)...)
	body := append(words(root, substructureNotify|substructureRedirect), event...)
	return c.tell(request(opSendEvent, 0, body))
}

func (c *conn) nudge() error {
	by := func(dx int16) []byte {
		body := words(0, 0, 0, 0) // from anywhere, relative to where it is
		body = order.AppendUint16(body, uint16(dx))
		body = order.AppendUint16(body, 0)
		return request(opWarpPointer, 0, body)
	}
	// First towards the middle of the screen: at its left edge the other way
	// would not move.
	return c.tell(append(by(1), by(-1)...))
}

func (c *conn) atom(name string) (uint32, error) {
	body := order.AppendUint16(nil, uint16(len(name)))
	body = order.AppendUint16(body, 0)
	reply, err := c.ask(request(opInternAtom, 0, append(body, name...)))
	if err != nil {
		return 0, err
	}
	return order.Uint32(reply[8:]), nil
}
