package mpv

import (
	"sync"
	"unsafe"

	"github.com/ebitengine/purego"
)

// event is struct mpv_event; it is valid until the next waitEvent.
type event struct {
	id   int32
	_    int32  // error
	_    uint64 // tag
	data unsafe.Pointer
}

// The events that matter here.
const (
	eventNone            = 0
	eventShutdown        = 1
	eventLog             = 2
	eventStartFile       = 6
	eventEndFile         = 7
	eventFileLoaded      = 8
	eventPlaybackRestart = 21
	eventProperty        = 22
	eventOverflow        = 24
)

// eventEnd is struct mpv_event_end_file, as far as all versions agree.
type eventEnd struct {
	reason int32
	err    int32
}

// Reasons of an end.
const (
	endEOF      = 0
	endStop     = 2
	endQuit     = 3
	endError    = 4
	endRedirect = 5
)

// eventProp is struct mpv_event_property; its data is a char** here.
type eventProp struct {
	name   *byte
	format int32
	_      int32
	data   unsafe.Pointer
}

// eventLogMessage is struct mpv_event_log_message.
type eventLogMessage struct {
	prefix, level, text *byte
	number              int32
}

const formatString = 1

// renderParam is struct mpv_render_param.
type renderParam struct {
	kind int32
	_    int32
	data unsafe.Pointer
}

// Kinds of parameters, and what renderUpdate says.
const (
	renderAPI       = 1
	renderBlock     = 12
	renderSkip      = 13
	renderSWSize    = 17
	renderSWFormat  = 18
	renderSWStride  = 19
	renderSWPointer = 20

	updateFrame = 1
)

// Callbacks from mpv's threads carry a small number instead of a Go pointer.
// They must not call mpv and never block: each leaves a token.
var tokens struct {
	sync.Mutex
	last uintptr
	of   map[uintptr]chan struct{}
}

// callback is made once: purego has room for 2,000 in a process.
var callback = sync.OnceValue(func() uintptr {
	return purego.NewCallback(func(tag uintptr) uintptr {
		tokens.Lock()
		c := tokens.of[tag]
		tokens.Unlock()
		select {
		case c <- struct{}{}:
		default: // one is there already, or nobody wants it any more
		}
		return 0
	})
})

// newToken returns a tag to hand to C, and where its callbacks arrive.
func newToken() (uintptr, chan struct{}) {
	tokens.Lock()
	defer tokens.Unlock()
	if tokens.of == nil {
		tokens.of = map[uintptr]chan struct{}{}
	}
	tokens.last++
	c := make(chan struct{}, 1)
	tokens.of[tokens.last] = c
	return tokens.last, c
}

func dropToken(tag uintptr) {
	tokens.Lock()
	defer tokens.Unlock()
	delete(tokens.of, tag)
}
