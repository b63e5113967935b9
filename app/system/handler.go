package system

import (
	"context"
	"time"
)

// schemes are those of the links that Coral opens. magnet: is shared with other
// programs, so what had it before is remembered and gets it back.
var schemes = []string{"coral", "magnet"}

// handlerTime bounds one change. It calls the desktop's tools some six times;
// they are shell scripts and take up to half a second each.
const handlerTime = 30 * time.Second

// Handler makes this user's desktop open coral: and magnet: links with Coral. It
// changes nothing until Register.
type Handler struct {
	program string
	state   string
}

// NewHandler is for program, the absolute name of this program's file. In the
// folder state it remembers what to restore.
func NewHandler(program, state string) *Handler { return &Handler{program, state} }

// Supported says why this system cannot be told; nil: it can.
func (h *Handler) Supported() error { return h.supported() }

// Registered says whether links open this very program now. After it was moved
// or something else took over they do not, and Register helps.
func (h *Handler) Registered(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, handlerTime)
	defer cancel()
	return h.supported() == nil && h.registered(ctx)
}

// Register makes links open this program.
func (h *Handler) Register(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, handlerTime)
	defer cancel()
	if err := h.supported(); err != nil {
		return err
	}
	return h.register(ctx)
}

// Unregister undoes Register. What took over since then keeps the links.
func (h *Handler) Unregister(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, handlerTime)
	defer cancel()
	if err := h.supported(); err != nil {
		return err
	}
	return h.unregister(ctx)
}
