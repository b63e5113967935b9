package system

import (
	"context"
	"errors"
	"strings"
)

var errAppleEvents = errors.New("register links: macOS hands " + strings.Join(schemes, ": and ") +
	": links to programs as Apple events, which the window library does not pass on; paste the link instead")

func (h *Handler) supported() error                 { return errAppleEvents }
func (h *Handler) registered(context.Context) bool  { return false }
func (h *Handler) register(context.Context) error   { return errAppleEvents }
func (h *Handler) unregister(context.Context) error { return errAppleEvents }
