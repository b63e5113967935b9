package mpv

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"unsafe"

	"github.com/ebitengine/purego"
)

// LibraryVariable names the environment variable that says where libmpv is,
// instead of the usual places.
const LibraryVariable = "LIBMPV_PATH"

// minAPI is the oldest client API that has what is used here: software
// rendering came with 1.109 (mpv 0.33). maxAPI is the last major version known.
const (
	minAPI = 1<<16 | 109
	maxAPI = 2
)

// library is libmpv's C API as far as it is used. Strings are copied by the
// callee; see client.h and render.h of mpv.
type library struct {
	apiVersion     func() uint64
	create         func() uintptr
	initialize     func(h uintptr) int32
	destroy        func(h uintptr)
	setOption      func(h uintptr, name, value string) int32
	setProperty    func(h uintptr, name, value string) int32
	property       func(h uintptr, name string) unsafe.Pointer // char*, to be freed
	free           func(p unsafe.Pointer)
	command        func(h uintptr, args **byte) int32
	observe        func(h uintptr, tag uint64, name string, format int32) int32
	waitEvent      func(h uintptr, timeout float64) *event
	setWakeup      func(h, callback, tag uintptr)
	requestLog     func(h uintptr, level string) int32
	errorString    func(code int32) string
	renderCreate   func(ctx *uintptr, h uintptr, params *renderParam) int32
	renderCallback func(ctx, callback, tag uintptr)
	renderUpdate   func(ctx uintptr) uint64
	render         func(ctx uintptr, params *renderParam) int32
	renderFree     func(ctx uintptr)
}

// loaded is the one library of this process. A failure is not kept: the user may
// install it while the program runs.
var loaded struct {
	sync.Mutex
	lib *library
}

// Available is nil if libmpv can be loaded. It loads it.
func Available() error {
	_, err := openLibmpv()
	return err
}

func openLibmpv() (*library, error) {
	loaded.Lock()
	defer loaded.Unlock()
	if loaded.lib != nil {
		return loaded.lib, nil
	}
	handle, name, err := openFirst(places())
	if err != nil {
		return nil, err
	}
	lib, err := bind(handle)
	if err != nil {
		return nil, fmt.Errorf("load %s: %w", name, err)
	}
	loaded.lib = lib
	return lib, nil
}

// places are where libmpv may be, best first.
func places() []string {
	if p := os.Getenv(LibraryVariable); p != "" {
		return []string{p}
	}
	var beside string
	if exe, err := os.Executable(); err == nil {
		beside = filepath.Dir(exe)
	}
	return candidates(runtime.GOOS, beside)
}

func candidates(system, beside string) []string {
	switch system {
	case "windows":
		return []string{filepath.Join(beside, "libmpv-2.dll"), filepath.Join(beside, "mpv-2.dll"), "libmpv-2.dll", "mpv-2.dll"}
	case "darwin":
		return []string{
			filepath.Join(beside, "libmpv.2.dylib"),
			filepath.Join(beside, "..", "Frameworks", "libmpv.2.dylib"),
			"/opt/homebrew/lib/libmpv.2.dylib", "/usr/local/lib/libmpv.2.dylib", "/opt/local/lib/libmpv.2.dylib",
			"libmpv.2.dylib",
		}
	}
	return []string{filepath.Join(beside, "libmpv.so.2"), "libmpv.so.2", "libmpv.so.1"}
}

func openFirst(names []string) (handle uintptr, name string, err error) {
	var errs []error
	for _, name := range names {
		if filepath.IsAbs(name) {
			if _, err := os.Stat(name); err != nil {
				errs = append(errs, err)
				continue
			}
		}
		handle, err := openLibrary(name)
		if err == nil {
			return handle, name, nil
		}
		errs = append(errs, err)
	}
	return 0, "", fmt.Errorf("load libmpv: %w", errors.Join(errs...))
}

func bind(handle uintptr) (*library, error) {
	lib := new(library)
	for _, f := range []struct {
		into any
		name string
	}{
		{&lib.apiVersion, "mpv_client_api_version"},
		{&lib.create, "mpv_create"},
		{&lib.initialize, "mpv_initialize"},
		{&lib.destroy, "mpv_terminate_destroy"},
		{&lib.setOption, "mpv_set_option_string"},
		{&lib.setProperty, "mpv_set_property_string"},
		{&lib.property, "mpv_get_property_string"},
		{&lib.free, "mpv_free"},
		{&lib.command, "mpv_command"},
		{&lib.observe, "mpv_observe_property"},
		{&lib.waitEvent, "mpv_wait_event"},
		{&lib.setWakeup, "mpv_set_wakeup_callback"},
		{&lib.requestLog, "mpv_request_log_messages"},
		{&lib.errorString, "mpv_error_string"},
		{&lib.renderCreate, "mpv_render_context_create"},
		{&lib.renderCallback, "mpv_render_context_set_update_callback"},
		{&lib.renderUpdate, "mpv_render_context_update"},
		{&lib.render, "mpv_render_context_render"},
		{&lib.renderFree, "mpv_render_context_free"},
	} {
		symbol, err := findSymbol(handle, f.name)
		if err != nil {
			return nil, fmt.Errorf("find %s: %w", f.name, err)
		}
		purego.RegisterFunc(f.into, symbol)
	}
	if v := lib.apiVersion(); v < minAPI || v>>16 > maxAPI {
		return nil, fmt.Errorf("its client API is %d.%d: %d.%d to %d.x is needed", v>>16, v&0xffff, minAPI>>16, minAPI&0xffff, maxAPI)
	}
	return lib, nil
}

// get reads a property as text; structured ones come as JSON. "": there is none.
func (l *library) get(h uintptr, name string) string {
	p := l.property(h, name)
	if p == nil {
		return ""
	}
	defer l.free(p)
	return text((*byte)(p))
}

// do runs a command and waits until mpv has taken it.
func (l *library) do(h uintptr, args ...string) error {
	var pin runtime.Pinner
	defer pin.Unpin()
	list := make([]*byte, len(args)+1)
	for i, a := range args {
		b := append([]byte(a), 0)
		pin.Pin(&b[0])
		list[i] = &b[0]
	}
	pin.Pin(&list[0])
	code := l.command(h, &list[0])
	runtime.KeepAlive(list)
	if code < 0 {
		return fmt.Errorf("%s: %s", args[0], l.errorString(code))
	}
	return nil
}

// text copies a C string.
func text(p *byte) string {
	if p == nil {
		return ""
	}
	n := 0
	for *(*byte)(unsafe.Add(unsafe.Pointer(p), n)) != 0 {
		n++
	}
	return string(unsafe.Slice(p, n))
}
