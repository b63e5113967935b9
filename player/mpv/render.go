package mpv

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"time"
	"unsafe"
)

// renderer turns mpv's pictures into Frames. Its Run must have returned before
// close, and close must come before the core is destroyed.
type renderer struct {
	lib    *library
	ctx    uintptr
	tag    uintptr
	update chan struct{} // mpv has something new
	frames *Frames

	first atomic.Int64  // when the first picture after arm was complete, in Unix ns; 0: not yet
	came  chan struct{} // first was set; room for one
	count atomic.Int64  // pictures rendered
}

func newRenderer(lib *library, core uintptr, frames *Frames) (*renderer, error) {
	r := &renderer{lib: lib, frames: frames, came: make(chan struct{}, 1)}
	api := append([]byte("sw"), 0)
	params := [...]renderParam{{kind: renderAPI, data: unsafe.Pointer(&api[0])}, {}}
	var pin runtime.Pinner
	defer pin.Unpin()
	pin.Pin(&api[0])
	if code := lib.renderCreate(&r.ctx, core, &params[0]); code < 0 {
		return nil, fmt.Errorf("create renderer: %s", lib.errorString(code))
	}
	runtime.KeepAlive(&params)
	r.tag, r.update = newToken()
	lib.renderCallback(r.ctx, callback(), r.tag)
	return r, nil
}

// arm makes the next picture the first.
func (r *renderer) arm() { r.first.Store(0) }

// run renders until ctx ends.
func (r *renderer) run(ctx context.Context) error {
	// mpv keeps thread-local state while it renders.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	args := newRenderArgs()
	defer args.pin.Unpin()
	for {
		redraw := false
		select {
		case <-ctx.Done():
			return nil
		case <-r.update:
		case <-r.frames.changed:
			redraw = true
		}
		fresh := r.lib.renderUpdate(r.ctx)&updateFrame != 0
		if !fresh && !redraw {
			continue
		}
		b := r.frames.begin()
		if b == nil {
			// Nobody wants it, but mpv waits until it was taken.
			if code := args.skip(r); code < 0 {
				return errors.New("skip picture: " + r.lib.errorString(code))
			}
			continue
		}
		code := args.render(r, b, fresh)
		if code >= 0 {
			r.count.Add(1)
		}
		r.frames.end(b, code >= 0)
		if code >= 0 && r.first.CompareAndSwap(0, time.Now().UnixNano()) {
			select {
			case r.came <- struct{}{}:
			default:
			}
		}
		if code < 0 {
			return errors.New("render picture: " + r.lib.errorString(code))
		}
	}
}

// close frees mpv's side.
func (r *renderer) close() {
	r.lib.renderCallback(r.ctx, 0, 0)
	r.lib.renderFree(r.ctx)
	dropToken(r.tag)
}

// renderArgs is the parameter list of a call, made once: C gets pointers into it
// and into a pinned buffer.
type renderArgs struct {
	pin    runtime.Pinner
	params [6]renderParam
	none   [2]renderParam
	yes    int32
	size   [2]int32
	stride uintptr
	block  int32
	format [5]byte
}

func newRenderArgs() *renderArgs {
	a := &renderArgs{format: [5]byte{'r', 'g', 'b', 'a'}} // alpha is set by mpv; with rgb0 it would not be
	a.pin.Pin(a)
	a.params = [6]renderParam{
		{kind: renderSWSize, data: unsafe.Pointer(&a.size)},
		{kind: renderSWFormat, data: unsafe.Pointer(&a.format)},
		{kind: renderSWStride, data: unsafe.Pointer(&a.stride)},
		{kind: renderSWPointer},
		{kind: renderBlock, data: unsafe.Pointer(&a.block)},
	}
	a.yes = 1
	a.none = [2]renderParam{{kind: renderSkip, data: unsafe.Pointer(&a.yes)}}
	return a
}

// skip takes a picture without drawing it.
func (a *renderArgs) skip(r *renderer) int32 { return r.lib.render(r.ctx, &a.none[0]) }

// render draws into b; with wait not before the picture is due.
func (a *renderArgs) render(r *renderer, b *buffer, wait bool) int32 {
	var pin runtime.Pinner
	defer pin.Unpin()
	pin.Pin(&b.image.Pix[0])
	size := b.image.Rect.Size()
	a.size = [2]int32{int32(size.X), int32(size.Y)}
	a.stride = uintptr(b.image.Stride)
	a.params[3].data = unsafe.Pointer(&b.image.Pix[0])
	a.block = 0
	if wait {
		a.block = 1
	}
	code := r.lib.render(r.ctx, &a.params[0])
	a.params[3].data = nil
	return code
}
