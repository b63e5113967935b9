package proxy

import (
	"context"
	"errors"
	"time"

	"coral/node/channel"
	"coral/node/hls"
	"coral/store/segment"
)

// Channel is what the proxy needs from one session: one channel being watched.
// Its methods are called from many goroutines at once, one per request.
//
// A method that has nothing to give yet blocks until it has, or until ctx ends,
// which is when the player hangs up, the proxy's patience runs out or the
// proxy closes; it then returns ctx's error. No method retries a failure on the
// proxy's behalf, and none is called again for a request that failed.
type Channel interface {
	// Name is the channel's name, for logs and for the web page's title.
	Name() string

	// Multivariant returns the newest presentation known. Its Single tells the
	// proxy to serve the first rendition's media playlist at the channel's URL.
	// Renditions' URIs are not shown to players; an empty one means that the
	// rendition has no playlist of its own (closed captions, muxed audio).
	// The result is shared and read-only.
	Multivariant(ctx context.Context) (*channel.Presentation, error)

	// Media returns the rendition's playlist once its Revision is greater than
	// after: 0 asks for whatever is known. ErrNotFound: no such rendition.
	// Any other error makes the proxy serve the last playlist it was given, if
	// there was one. The result is shared and read-only.
	Media(ctx context.Context, rendition uint16, after uint64) (*Playlist, error)

	// History is Media with all segments before those that can still be had, or
	// could be when a player was told of them: what is gone since is a Gap.
	History(ctx context.Context, rendition uint16, after uint64) (*Playlist, error)

	// Open returns a segment or an init section, whether or not any of its bytes
	// are there. ErrNotFound: it never was, or has left the window for good.
	// ErrUnavailable: it cannot be had now, a retry may help.
	Open(ctx context.Context, id segment.ID) (Object, error)

	// Key returns the bytes of the key that Playlist.Keys numbered n.
	// Errors are as for Open.
	Key(ctx context.Context, rendition uint16, n int) ([]byte, error)

	// View begins a viewing by a player that leaves the choice of a variant to the
	// session; past: and that can go back. It does not block; what it returns
	// needs no closing.
	View(past bool) Viewing
}

// Viewing is what one such player is shown. Errors and waiting are a Channel's.
type Viewing interface {
	// Chosen is Multivariant with one variant, with what belongs to it. It is
	// never Single.
	Chosen(ctx context.Context) (*channel.Presentation, error)

	// Shown is that variant's media playlist (if past, its History), whose
	// segments are of whichever variant is chosen when a segment is added: each
	// has its own rendition in IDs. What was added is never changed.
	Shown(ctx context.Context, after uint64) (*Playlist, error)
}

// Playlist is one state of a rendition's media playlist.
type Playlist struct {
	// Revision rises, from 1, with every change that a player would see.
	Revision uint64

	// Updated is when this revision came to be, which is when its newest segment
	// became known; the zero time if that is not known. It lets the proxy judge
	// whether the next segment is so near that it is worth waiting for.
	Updated time.Time

	// Media is what is written. Of its URIs only the extensions are used, to
	// name the proxy's own (a player may refuse a URL that ends in another way
	// than its contents want); ranges are left out, since a part of an origin's
	// file is an object of its own here. A key whose number in Keys is -1 keeps
	// its URI.
	Media hls.Media

	// The following are parallel to Media.Segments; all but IDs may be nil when
	// no segment has what they are about.
	IDs      []segment.ID
	Inits    []segment.ID // read where the segment's Map is not nil
	Keys     []int        // read where the segment's Key is not nil: n of Channel.Key, or -1
	InitKeys []int        // the same for the Map's Key
}

// Object is a segment or init section whose bytes may still be arriving. It is
// used by one goroutine.
type Object interface {
	// Size is the length in bytes, or -1 while it is not known. Once known it
	// does not change.
	Size() int64

	// ReadAt fills p from off with what is there and returns at least one byte:
	// it blocks until the byte at off has come and been verified. At or past the
	// end it returns io.EOF, which it can only know, and so blocks until, the
	// size is known. It never returns a byte that is not verified. The error
	// says, as for Open, what may be told to a player that has seen no byte yet.
	ReadAt(ctx context.Context, p []byte, off int64) (int, error)

	// ContentType is what the origin said, or "". Only well-known media types
	// are passed on.
	ContentType() string

	// Close ends the interest in the bytes that have not come.
	Close()
}

var (
	// ErrNotFound says that something does not exist, or not any more: 404.
	ErrNotFound = errors.New("not found")
	// ErrUnavailable says that something cannot be had at the moment: 503.
	ErrUnavailable = errors.New("not available now")
)
