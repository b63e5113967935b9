//go:build !linux

package lab

import (
	"context"
	"errors"
	"net"
	"os/exec"
)

var errSystem = errors.New("it takes Linux's network namespaces")

func (h *Host) open() error { return errSystem }

// Listen is for Linux.
func (h *Host) Listen(context.Context, int) (net.Listener, error) { return nil, errSystem }

// Dial is for Linux.
func (h *Host) Dial(_ context.Context, _, _ string) (net.Conn, error) { return nil, errSystem }

// Start is for Linux.
func (h *Host) Start(*exec.Cmd) error { return errSystem }
